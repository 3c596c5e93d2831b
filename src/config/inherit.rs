//! Inheritance: which of the values written on a rule, its group and the root counts for the rule.
//!
//! Ours: the closest. hfm in Go differs, and [`compare`] says where a file depends on that.

use std::time::Duration;

use super::diagnose::{Diagnostic, Problems};
use super::dump::Seconds;
use super::given::Given;
use super::properties::{Key, STATUS_WORDS, Setting};
use super::raw::{Node, NodeId, Tree};
use super::settings::{Settings, Written, name_of};
use crate::rule::Status;

impl Tree {
    /// The node, its parent, and so on up to the root.
    pub(super) fn ids_up(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(Some(id), |id| self.nodes[*id].parent)
    }

    /// The same as nodes.
    pub(super) fn chain(&self, id: NodeId) -> impl Iterator<Item = &Node> {
        self.ids_up(id).map(|id| &self.nodes[id])
    }

    /// The value of a setting that counts for a node: the closest.
    pub(super) fn given(&self, id: NodeId, setting: Setting) -> Option<&Written<Given>> {
        self.chain(id).find_map(|node| node.settings.given.get(&setting))
    }

    /// The same, of one that is an interval.
    pub(super) fn interval(&self, id: NodeId, setting: Setting) -> Option<Duration> {
        match self.given(id, setting)?.value {
            Given::Interval(interval) => Some(interval),
            Given::Word(_) | Given::Text(_) | Given::Texts(_) | Given::Number(_) | Given::Boolean(_) => None,
        }
    }

    /// The value that counts for a node, with its place: the closest.
    pub(super) fn closest<'t, T>(
        &'t self,
        id: NodeId,
        pick: impl Fn(&'t Settings) -> &'t Option<Written<T>>,
    ) -> Option<&'t Written<T>> {
        self.chain(id).find_map(|node| pick(&node.settings).as_ref())
    }

    /// A copy of the value that counts for a node.
    pub(super) fn inherited<T: Copy>(
        &self,
        id: NodeId,
        pick: impl Fn(&Settings) -> &Option<Written<T>>,
    ) -> Option<T> {
        self.chain(id).find_map(|node| pick(&node.settings).as_ref().map(|written| written.value))
    }
}

/// Everything that hfm's rules inherit, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inherited {
    pub(super) status: Status,
    pub(super) start_delay: Duration,
    pub(super) runs: u16,
    pub(super) interval: Duration,
    pub(super) interval_fail: Duration,
    pub(super) timeout_int: Duration,
    pub(super) timeout_kill: Duration,
    pub(super) success_debounce: u16,
    pub(super) fail_debounce: u16,
}

/// As ours resolves it.
pub(super) fn resolve(tree: &Tree, id: NodeId) -> Inherited {
    let interval = tree.inherited(id, |settings| &settings.interval).unwrap_or_default();
    Inherited {
        status: tree.inherited(id, |settings| &settings.status).unwrap_or(Status::Enabled),
        start_delay: tree.inherited(id, |settings| &settings.start_delay).unwrap_or_default(),
        runs: tree.inherited(id, |settings| &settings.runs).unwrap_or_default(),
        interval,
        interval_fail: tree.inherited(id, |settings| &settings.interval_fail).unwrap_or(interval),
        timeout_int: tree.inherited(id, |settings| &settings.timeout_int).unwrap_or_default(),
        timeout_kill: tree.inherited(id, |settings| &settings.timeout_kill).unwrap_or_default(),
        success_debounce: tree.inherited(id, |settings| &settings.change_success_debounce).unwrap_or(1),
        fail_debounce: tree.inherited(id, |settings| &settings.change_fail_debounce).unwrap_or(1),
    }
}

/// As hfm in Go resolves it: a group's 0 gives way to the root's value, and an object with a `test` passes
/// nothing on, not even what the root says.
fn resolve_as_go(tree: &Tree, id: NodeId) -> Inherited {
    let own = &tree.nodes[id].settings;
    let above: Vec<&Settings> =
        tree.chain(id).skip(1).take_while(|node| node.rule.is_none()).map(|node| &node.settings).collect();
    let go = Go { own, above: &above };
    let interval = go.value(|settings| &settings.interval);
    let fail_explicit = own.interval_fail.is_some();
    let interval_fail = go.value(|settings| &settings.interval_fail);
    let interval_fail = if interval_fail.is_zero() && !fail_explicit { interval } else { interval_fail };
    let mut statuses = std::iter::once(own).chain(above.iter().copied());
    Inherited {
        status: statuses
            .find_map(|settings| settings.status.as_ref())
            .map_or(Status::Enabled, |written| written.value),
        start_delay: go.value(|settings| &settings.start_delay),
        runs: go.value(|settings| &settings.runs),
        interval,
        interval_fail,
        timeout_int: go.value(|settings| &settings.timeout_int),
        timeout_kill: go.value(|settings| &settings.timeout_kill),
        success_debounce: go.value(|settings| &settings.change_success_debounce).max(1),
        fail_debounce: go.value(|settings| &settings.change_fail_debounce).max(1),
    }
}

struct Go<'a> {
    own: &'a Settings,
    above: &'a [&'a Settings],
}

impl Go<'_> {
    fn value<T: Copy + Default + PartialEq>(&self, pick: impl Fn(&Settings) -> &Option<Written<T>>) -> T {
        if let Some(own) = pick(self.own) {
            return own.value;
        }
        let values =
            self.above.iter().filter_map(|settings| pick(settings).as_ref().map(|written| written.value));
        values.into_iter().find(|value| *value != T::default()).unwrap_or_default()
    }
}

/// Warns once for the whole file when hfm in Go would have resolved a rule differently. Native probes are left
/// aside: hfm in Go has none.
pub(super) fn compare(tree: &Tree, problems: &mut Problems) {
    let mut first = None;
    let mut count = 0_usize;
    for id in tree.rules.iter().filter(|id| !tree.is_native(**id)) {
        let (ours, theirs) = (resolve(tree, *id), resolve_as_go(tree, *id));
        if ours != theirs {
            count += 1;
            first.get_or_insert((*id, ours, theirs));
        }
    }
    let Some((id, ours, theirs)) = first else {
        return;
    };
    let rule = &tree.nodes[id];
    let mut pairs = in_words(&ours).into_iter().zip(in_words(&theirs));
    let Some(((key, ours), (_, theirs))) = pairs.find(|(ours, theirs)| ours != theirs) else {
        return;
    };
    let name = name_of(key);
    let others = match count {
        1 => "no other rule differs".to_owned(),
        2 => "1 more rule differs from it".to_owned(),
        _ => format!("{} more rules differ from it", count - 1),
    };
    let message = format!("'{name}' is {ours} for this rule, where hfm in Go takes {theirs}; {others}");
    let place = tree.chain(id).find_map(|node| node.settings.place(key));
    let mut warning = Diagnostic::warning(place.unwrap_or(rule.place), &rule.name, message);
    if place.is_some() {
        warning = warning.note(rule.place, "the rule is here");
    }
    problems.push(warning.help(format!(
        "the closest value counts, a group's 0 too, also below a rule; write '{name}' on the rule to be sure"
    )));
}

/// Every value with its property, in words of the file.
fn in_words(of: &Inherited) -> [(Key, String); 9] {
    let seconds = |interval| Seconds(interval).to_string();
    [
        (Key::Status, status_word(of.status).to_owned()),
        (Key::StartDelay, seconds(of.start_delay)),
        (Key::Runs, of.runs.to_string()),
        (Key::Interval, seconds(of.interval)),
        (Key::IntervalFail, seconds(of.interval_fail)),
        (Key::TimeoutInt, seconds(of.timeout_int)),
        (Key::TimeoutKill, seconds(of.timeout_kill)),
        (Key::ChangeSuccessDebounce, of.success_debounce.to_string()),
        (Key::ChangeFailDebounce, of.fail_debounce.to_string()),
    ]
}

/// The word for a status in a file.
pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Enabled => STATUS_WORDS[0],
        Status::Disabled => STATUS_WORDS[1],
        Status::AlwaysFail => STATUS_WORDS[2],
        Status::AlwaysSuccess => STATUS_WORDS[3],
    }
}
