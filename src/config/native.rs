//! Native probes: from the settings that count for a rule to a [`Probe`].
//!
//! [`judge`] looks at one value when it is read, wherever it is written; [`Builder`] puts together what counts
//! for one rule. Both go by the same parsers, so what one refuses the other never sees.

mod chosen;
mod contradictions;
mod dialogue;
mod http;
mod network;
mod values;

use std::collections::HashSet;
use std::time::Duration;

use super::diagnose::{Diagnostic, Problems, Wrong};
use super::dump::Seconds;
use super::inherit::Inherited;
use super::properties::{self, Concerns, Key, PROPERTIES, Property, Setting};
use super::raw::{Node, NodeId, Tree};
use super::render::quoted;
use super::scheme::{Feature, Scheme};
use super::settings::name_of;
use super::url::{self, Place, Url};
use crate::rule::{Alike, Dialogue, Http, Network, Passage, Probe, Service};
use crate::ucl::Span;
use chosen::Chosen;

pub(super) use http::status_text;
pub(super) use network::peer_of;
pub(super) use values::judge;

/// Every protocol that is built, in the order in which the manual tells of them: a line each.
#[rustfmt::skip]
pub static PROTOCOLS: &[Protocol] = &[
    dialogue::TCP,
    dialogue::TLS,
    http::HTTP,
    http::HTTPS,
    dialogue::UNIX,
    http::HTTP_UNIX,
];

/// A scheme, and what makes what its probes say.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// The scheme.
    pub scheme: Scheme,
    service: Make,
}

impl PartialEq for Protocol {
    /// Protocols are told apart by their schemes.
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
    }
}

impl Eq for Protocol {}

/// Makes what is said on a connection, of what counts for a rule and of the URL in it; `None` where something in it is
/// wrong, which was reported when it was read.
type Make = for<'a> fn(&mut Alikes, &Chosen<'a>, &Passage, &Url) -> Option<Service>;

/// What many rules have alike is there once.
#[derive(Debug, Default)]
pub(super) struct Alikes {
    networks: Alike<Network>,
    dialogues: Alike<Dialogue>,
    requests: Alike<Http>,
}

/// Makes probes of rules, and says what is wrong with them. What many rules inherit is said once.
pub(super) struct Builder<'a> {
    tree: &'a Tree,
    problems: &'a mut Problems,
    said: HashSet<(Span, Option<Span>, String)>,
    alikes: Alikes,
}

impl<'a> Builder<'a> {
    pub(super) fn new(tree: &'a Tree, problems: &'a mut Problems) -> Self {
        Self { tree, problems, said: HashSet::new(), alikes: Alikes::default() }
    }

    /// The probe of a rule whose `test` is this URL; `None` when something is wrong with it, which is reported.
    pub(super) fn probe(
        &mut self,
        id: NodeId,
        (protocol, rest): (&Protocol, &str),
        inherited: &Inherited,
    ) -> Option<Probe> {
        let tree = self.tree;
        let Protocol { scheme, service } = protocol;
        self.refuse_meaningless(id, Some(scheme));
        let chosen = Chosen { tree, id };
        let shortest = self.shortest_interval(&chosen, inherited);
        let refused = |key: &Key| matches!(key, Key::Setting(_) | Key::Interval | Key::IntervalFail);
        if tree.chain(id).any(|node| node.settings.refused.iter().any(refused)) {
            return None;
        }
        // Both have been judged when they were read.
        let url = Passage::from(&*tree.nodes[id].settings.test.as_ref()?.value);
        let parts = url::parse(scheme, rest).ok()?;
        let place = &parts.place;
        let timeout = self.timeout(&chosen, shortest?)?;
        let probe = Probe {
            url: url.clone(),
            peer: network::peer(&chosen, place)?,
            network: self.alikes.networks.share(match place {
                Place::Remote(..) => network::network(&chosen)?,
                Place::Local(_) => {
                    Network { proxy_protocol: network::proxy_protocol(&chosen), ..Network::default() }
                }
            }),
            timeout,
            service: service(&mut self.alikes, &chosen, &url, &parts)?,
            tls: match place {
                Place::Remote(host, _) if scheme.has(Feature::Tls) => {
                    Some(Box::new(network::tls(&chosen, host)?))
                }
                Place::Remote(..) | Place::Local(_) => None,
            },
        };
        contradictions::find(self, &chosen, scheme, &probe);
        Some(probe)
    }

    /// Refuses what is written on a rule itself and means nothing for it; `None` for a rule with a program.
    pub(super) fn refuse_meaningless(&mut self, id: NodeId, scheme: Option<&Scheme>) {
        let settings = &self.tree.nodes[id].settings;
        for property in PROPERTIES {
            let Some(place) = settings.place(property.key) else {
                continue;
            };
            let name = property.name;
            let (what, help) = match (property.concerns, scheme) {
                (Concerns::Probes | Concerns::ProbesWith(_), None) => (
                    "a rule that runs a program".to_owned(),
                    "it is a setting of native probes; at the root or in a group it counts for those alone"
                        .to_owned(),
                ),
                (Concerns::ProbesWith(feature), Some(scheme)) if !scheme.has(feature) => {
                    let others =
                        PROTOCOLS.iter().map(|other| other.scheme).filter(|other| other.has(feature));
                    let names: Vec<String> = others.map(|other| format!("{}://", other.name)).collect();
                    (format!("{}://", scheme.name), format!("it is a setting of {}", names.join(", ")))
                }
                (Concerns::Commands, Some(scheme)) => {
                    let help = match property.key == Key::TestArguments {
                        true => "a URL says everything: take it away",
                        false => "a native probe has 'timeout', the deadline of the whole run",
                    };
                    (format!("{}://", scheme.name), help.to_owned())
                }
                (Concerns::Every | Concerns::Commands | Concerns::Probes | Concerns::ProbesWith(_), _) => {
                    continue;
                }
            };
            let message = format!("'{name}' has no meaning for {what}");
            let error = Diagnostic::error(place, &self.tree.nodes[id].name, message).help(help);
            self.push(error);
        }
    }

    /// The shortest of the intervals, with its property. Without intervals a native probe would never rest.
    fn shortest_interval(&mut self, chosen: &Chosen<'_>, inherited: &Inherited) -> Option<(Duration, Key)> {
        let id = chosen.id;
        let refused = |key: Key| {
            let mut chain = self.tree.chain(id);
            chain.any(|node| node.settings.refused.contains(&key))
        };
        if refused(Key::Interval) || refused(Key::IntervalFail) {
            return None;
        }
        let intervals = [(inherited.interval, Key::Interval), (inherited.interval_fail, Key::IntervalFail)];
        if let Some((_, key)) = intervals.iter().find(|(interval, _)| interval.is_zero()) {
            let name = name_of(*key);
            let message = match self.tree.place(id, name) {
                Some(_) => format!("a native probe needs '{name}' above 0"),
                None => format!("a native probe needs '{name}'"),
            };
            let help = format!("write for example {name} = 1s, here or in the group");
            self.refuse(id, name, Wrong::new(message).help(help), None);
            return None;
        }
        let debounce = chosen.interval(Setting::IntervalDebounce);
        let debounce = debounce.map(|interval| (interval, Key::Setting(Setting::IntervalDebounce)));
        intervals.into_iter().chain(debounce).min_by_key(|(interval, _)| *interval)
    }

    fn timeout(&mut self, chosen: &Chosen<'_>, (shortest, key): (Duration, Key)) -> Option<Duration> {
        let timeout = chosen.interval(Setting::Timeout).unwrap_or(shortest);
        if timeout <= shortest {
            return Some(timeout);
        }
        let name = name_of(key);
        let (timeout, shortest) = (Seconds(timeout), Seconds(shortest));
        let message = format!("'timeout' is {timeout}, which is longer than '{name}', {shortest}");
        let help = format!(
            "a run must end before the next begins: make it {shortest} or less, or leave it out for {shortest}"
        );
        self.refuse(chosen.id, "timeout", Wrong::new(message).help(help), Some(name));
        None
    }

    /// Reports what is wrong with the value of a property that counts for a rule, and where the value of
    /// another one is that it does not go with.
    pub(super) fn refuse(&mut self, id: NodeId, name: &str, wrong: Wrong, with: Option<&str>) {
        let node = &self.tree.nodes[id];
        let with = with.filter(|with| self.tree.place(id, with).is_some());
        let mut error = wrong.at(self.tree.place_of(id, name), &node.name);
        if let Some(with) = with {
            error = error.note(self.tree.place_of(id, with), format!("'{with}' is here"));
        }
        if !self.is_new(&error) {
            return;
        }
        // Whoever sees none of the two on the rule itself wants to know which rule it is.
        let is_own = |name: &str| node.place_of(name).is_some();
        if self.tree.place(id, name).is_some() && !is_own(name) && !with.is_some_and(is_own) {
            let rule = node.rule.unwrap_or(node.place);
            error = error.note(rule, format!("the rule {} is here", quoted(&node.name)));
        }
        self.problems.push(error);
    }

    /// Takes in a diagnostic that has not been said of the same places before.
    fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_new(&diagnostic) {
            self.problems.push(diagnostic);
        }
    }

    fn is_new(&mut self, diagnostic: &Diagnostic) -> bool {
        let with = diagnostic.notes.first().map(|note| note.span);
        self.said.insert((diagnostic.span, with, diagnostic.message.clone()))
    }
}

impl Node {
    /// Where the property of this name is written on the node itself.
    fn place_of(&self, name: &str) -> Option<Span> {
        self.settings.place(properties::find(name)?.key)
    }
}

impl Tree {
    /// Where the property of this name is written that counts for a node: the closest.
    fn place(&self, id: NodeId, name: &str) -> Option<Span> {
        self.chain(id).find_map(|node| node.place_of(name))
    }

    /// The place to show when something is wrong with the value of this property that counts for a node: the
    /// value; the name of a property that has several; where nothing is written, the rule.
    pub(super) fn place_of(&self, id: NodeId, name: &str) -> Span {
        let setting = properties::find(name).and_then(Property::setting);
        let value = setting.and_then(|setting| self.given(id, setting)?.value.span());
        let node = &self.nodes[id];
        value.or_else(|| self.place(id, name)).or(node.rule).unwrap_or(node.place)
    }
}
