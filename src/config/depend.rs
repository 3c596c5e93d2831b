//! `requires` and `guard`: names of rules into rules, and no circles.
//!
//! A list that is written on a rule counts as it stands. An inherited list leaves out the rule itself, and
//! every rule that depends on it in turn, so that a list at the root may name rules of the file.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::circles::{components, shortest_circle};
use super::diagnose::{Diagnostic, Problems};
use super::properties::Key;
use super::raw::{Node, NodeId, Tree};
use super::render::{clipped, quoted};
use super::settings::{Mention, Settings, Written, name_of};
use crate::nearest::nearest;
use crate::rule::{RuleId, Status};
use crate::ucl::Span;

/// Dependencies in one file at most, those of inherited lists counted for each rule.
const DEPENDENCIES_MAX: usize = 1_000_000;

/// Unknown names for which a near one is looked for; each search goes over all rules.
const SEARCHES_MAX: usize = 100;

/// Rules of a circle that are named at most.
const CIRCLE_SHOWN_MAX: usize = 8;

/// What one rule depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Dependencies {
    pub(super) requires: Vec<RuleId>,
    pub(super) guard: Vec<RuleId>,
}

/// Which of the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum List {
    Requires,
    Guard,
}

impl List {
    const BOTH: [Self; 2] = [Self::Requires, Self::Guard];

    fn key(self) -> Key {
        match self {
            Self::Requires => Key::Requires,
            Self::Guard => Key::Guard,
        }
    }

    fn written(self, settings: &Settings) -> Option<&Written<Vec<Mention>>> {
        match self {
            Self::Requires => settings.requires.as_ref(),
            Self::Guard => settings.guard.as_ref(),
        }
    }

    fn of(self, dependencies: &mut Dependencies) -> &mut Vec<RuleId> {
        match self {
            Self::Requires => &mut dependencies.requires,
            Self::Guard => &mut dependencies.guard,
        }
    }
}

/// The dependencies of every rule, in the order of the rules.
///
/// `statuses` are the rules' own, resolved.
pub(super) fn resolve(tree: &Tree, statuses: &[Status], problems: &mut Problems) -> Vec<Dependencies> {
    let ids: HashMap<&str, RuleId> =
        tree.rules.iter().zip(0..).map(|(node, id)| (&*tree.nodes[*node].name, RuleId(id))).collect();
    let mut names = Names { tree, ids, statuses, problems, searches: 0 };
    let mut lists = HashMap::new();
    for id in 0..tree.nodes.len() {
        for list in List::BOTH {
            if let Some(written) = list.written(&tree.nodes[id].settings) {
                lists.insert((id, list), names.look_up(id, list, &written.value));
            }
        }
    }
    let Some(mut dependencies) = spread_lists(tree, &lists, problems) else {
        return vec![Dependencies::default(); tree.rules.len()];
    };
    leave_out_circles(tree, &lists, &mut dependencies);
    for list in List::BOTH {
        refuse_circles(tree, list, &mut dependencies, problems);
    }
    dependencies
}

struct Names<'a> {
    tree: &'a Tree,
    ids: HashMap<&'a str, RuleId>,
    statuses: &'a [Status],
    problems: &'a mut Problems,
    searches: usize,
}

impl Names<'_> {
    /// The rules that a list names, each once, without those that are wrong.
    fn look_up(&mut self, id: NodeId, list: List, mentions: &[Mention]) -> Vec<RuleId> {
        let node = &self.tree.nodes[id];
        let mut rules = Vec::with_capacity(mentions.len());
        let mut seen = HashSet::new();
        for mention in mentions {
            let Some(rule) = self.ids.get(&*mention.name).copied() else {
                self.unknown(node, list, mention);
                continue;
            };
            if self.tree.rules[rule.index()] == id {
                let message = format!("'{}' names the rule itself", name_of(list.key()));
                self.problems.push(
                    Diagnostic::error(mention.span, &node.name, message)
                        .help("take the name out of the list"),
                );
                continue;
            }
            if self.statuses[rule.index()] == Status::Disabled {
                self.disabled(node, list, mention);
            }
            if seen.insert(rule) {
                rules.push(rule);
            }
        }
        rules
    }

    fn unknown(&mut self, node: &Node, list: List, mention: &Mention) {
        let message =
            format!("'{}' names {}, and there is no such rule", name_of(list.key()), quoted(&mention.name));
        self.searches += 1;
        let help = if self.searches > SEARCHES_MAX { None } else { Some(self.meant(node, &mention.name)) };
        self.problems.push(Diagnostic::error(mention.span, &node.name, message).help_if(help));
    }

    /// What a name that is no rule's may have meant.
    fn meant(&self, node: &Node, name: &str) -> String {
        let rules = || self.tree.rules.iter().map(|id| &*self.tree.nodes[*id].name);
        let below = format!("{name}/");
        let members: Vec<&str> = rules().filter(|rule| rule.starts_with(&below)).take(4).collect();
        if let Some(first) = members.first() {
            let more = if members.len() > 1 { ", ..." } else { "" };
            return format!("{} is a group; name its rules: {}{more}", quoted(name), quoted(first));
        }
        let group = node.name.split('/').next().unwrap_or("");
        let in_group = format!("{group}/{name}");
        let same_last = |rule: &&str| rule.rsplit_once('/').is_some_and(|(_, last)| last == name);
        let whole = rules().find(|rule| *rule == in_group).or_else(|| rules().find(same_last));
        match whole.or_else(|| nearest(name, rules())) {
            Some(rule) => format!("did you mean {}?", quoted(rule)),
            None => "rules are named as in the log: 'rule', 'group/rule', or 'default' for the root's own"
                .to_owned(),
        }
    }

    fn disabled(&mut self, node: &Node, list: List, mention: &Mention) {
        let name = quoted(&mention.name);
        let message = match list {
            List::Requires => format!("{name} is disabled, so requiring it has no effect"),
            List::Guard => format!("{name} is disabled, so it does not guard"),
        };
        self.problems.push(Diagnostic::warning(mention.span, &node.name, message));
    }
}

/// The first rule that depends on another one, and by which list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    user: NodeId,
    list: List,
}

/// Who depends on each rule, if anybody does: the first in the order of the file.
pub(super) fn uses(tree: &Tree, all: &[Dependencies]) -> Vec<Option<Use>> {
    let mut uses: Vec<Option<Use>> = vec![None; all.len()];
    for (user, dependencies) in tree.rules.iter().zip(all) {
        for (list, rules) in [(List::Requires, &dependencies.requires), (List::Guard, &dependencies.guard)] {
            for rule in rules {
                uses[rule.index()].get_or_insert(Use { user: *user, list });
            }
        }
    }
    uses
}

impl Use {
    /// The property of the list.
    pub(super) fn key(&self) -> Key {
        self.list.key()
    }

    /// The name of the rule that depends.
    pub(super) fn by<'t>(&self, tree: &'t Tree) -> &'t str {
        &tree.nodes[self.user].name
    }

    /// Where the list that counts for it names `used`.
    pub(super) fn place(&self, tree: &Tree, used: NodeId) -> Span {
        let name = &*tree.nodes[used].name;
        let written =
            owner(tree, self.user, self.list).and_then(|id| self.list.written(&tree.nodes[id].settings));
        let mention = written.and_then(|written| written.value.iter().find(|mention| &*mention.name == name));
        mention.map_or(tree.nodes[self.user].place, |mention| mention.span)
    }
}

type Lists = HashMap<(NodeId, List), Vec<RuleId>>;

/// The node whose list counts for a rule.
fn owner(tree: &Tree, id: NodeId, list: List) -> Option<NodeId> {
    let up = std::iter::successors(Some(id), |id| tree.nodes[*id].parent);
    up.into_iter().find(|id| list.written(&tree.nodes[*id].settings).is_some())
}

/// Gives every rule the lists that are closest to it, itself left out; `None` beyond the bound.
fn spread_lists(tree: &Tree, lists: &Lists, problems: &mut Problems) -> Option<Vec<Dependencies>> {
    let mut total = 0;
    let mut all = Vec::with_capacity(tree.rules.len());
    for (id, rule) in tree.rules.iter().zip((0..).map(RuleId)) {
        let mut dependencies = Dependencies::default();
        for list in List::BOTH {
            let Some(owner) = owner(tree, *id, list) else {
                continue;
            };
            let named = &lists[&(owner, list)];
            total += named.len();
            if total > DEPENDENCIES_MAX {
                let node = &tree.nodes[owner];
                let place = node.settings.place(list.key()).unwrap_or(node.place);
                let message =
                    format!("the lists of 'requires' and 'guard' come to more than {DEPENDENCIES_MAX} names");
                let help =
                    "a list counts once for every rule that inherits it: name fewer rules, or fewer inherit";
                problems.push(Diagnostic::error(place, &node.name, message).help(help));
                return None;
            }
            list.of(&mut dependencies).extend(named.iter().filter(|named| **named != rule));
        }
        all.push(dependencies);
    }
    Some(all)
}

/// Takes out of inherited lists every rule that, by either list, depends on the one that inherits.
fn leave_out_circles(tree: &Tree, lists: &Lists, all: &mut [Dependencies]) {
    let component = components(all.len(), |at| {
        let of = &all[at];
        of.requires.iter().chain(&of.guard).map(|rule| rule.index())
    });
    for (at, dependencies) in all.iter_mut().enumerate() {
        let id = tree.rules[at];
        for list in List::BOTH {
            if !lists.contains_key(&(id, list)) {
                list.of(dependencies).retain(|rule| component[rule.index()] != component[at]);
            }
        }
    }
}

/// Reports every circle of one list. What remains of them is all written on the rules themselves.
fn refuse_circles(tree: &Tree, list: List, all: &mut [Dependencies], problems: &mut Problems) {
    let edges: Vec<Vec<usize>> =
        all.iter_mut().map(|of| list.of(of).iter().map(|rule| rule.index()).collect()).collect();
    let component = components(edges.len(), |at| edges[at].iter().copied());
    let mut reported = HashSet::new();
    for at in 0..edges.len() {
        let in_circle = edges[at].iter().any(|next| component[*next] == component[at]);
        if !in_circle || !reported.insert(component[at]) {
            continue;
        }
        let circle = shortest_circle(at, |at| {
            let own = component[at];
            let component = &component;
            edges[at].iter().copied().filter(move |next| component[*next] == own)
        });
        problems.push(circle_error(tree, list, &circle));
    }
}

fn circle_error(tree: &Tree, list: List, circle: &[usize]) -> Diagnostic {
    let node = |at: usize| &tree.nodes[tree.rules[at]];
    let name = |at: usize| -> &Arc<str> { &node(at).name };
    let place = |from: usize, to: usize| {
        let mentions = list.written(&node(from).settings).map(|written| &written.value);
        let mention = mentions.and_then(|all| all.iter().find(|mention| *mention.name == **name(to)));
        mention.map_or(node(from).place, |mention| mention.span)
    };
    let mut path: Vec<String> = circle.iter().take(CIRCLE_SHOWN_MAX).map(|at| clipped(name(*at))).collect();
    if circle.len() > CIRCLE_SHOWN_MAX {
        path.push(format!("({} more)", circle.len() - CIRCLE_SHOWN_MAX));
    }
    path.push(clipped(name(circle[0])));
    let property = name_of(list.key());
    let message = format!("'{property}' goes round in a circle: {}", path.join(" -> "));
    let next_of = |i: usize| circle[(i + 1) % circle.len()];
    let mut error = Diagnostic::error(place(circle[0], next_of(0)), name(circle[0]), message);
    for (i, at) in circle.iter().enumerate().take(CIRCLE_SHOWN_MAX).skip(1) {
        error = error.note(
            place(*at, next_of(i)),
            format!("{} names {} here", quoted(name(*at)), quoted(name(next_of(i)))),
        );
    }
    error.help("take one of the names away")
}
