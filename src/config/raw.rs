//! As written: the groups and rules of a file with the properties of each, before anything is inherited.
//!
//! Knows the shape of a file (root, group, rule) and reports what breaks it. Sections of one name are
//! joined here, so that whoever reads the [`Tree`] sees each name once.

use std::collections::HashMap;
use std::sync::Arc;

use super::diagnose::{Diagnostic, Problems};
use super::properties;
use super::render::{clipped, quoted};
use super::section;
use super::settings::Settings;
use crate::ucl::{Item, Kind, Object, Sources, Span, Value};

/// Rules in one file at most: ten times what one machine was ever meant to test.
pub(super) const RULES_MAX: usize = 100_000;

/// Groups and rules in one file at most, those without a rule included.
const NODES_MAX: usize = 2 * RULES_MAX;

/// Longest name of a rule, in bytes: it goes into logs, metrics and the environment of commands.
const NAME_BYTES_MAX: usize = 1_000;

/// Index of a [`Node`] in its [`Tree`].
pub(super) type NodeId = usize;

/// The root, which is always there.
pub(super) const ROOT: NodeId = 0;

/// What the root is called in messages, and as a rule.
pub(super) const ROOT_NAME: &str = "default";

/// How deep a section stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Root,
    Group,
    Rule,
}

/// One group or rule, all sections of its name taken together.
#[derive(Debug)]
pub(super) struct Node {
    /// Whose settings it inherits; `None` for the root.
    pub(super) parent: Option<NodeId>,
    pub(super) level: Level,
    /// `lb1`, `lb1/haproxy`, or `default` for the root.
    pub(super) name: Arc<str>,
    /// The name of its first section.
    pub(super) place: Span,
    /// Where it became a rule; `None` for a group.
    pub(super) rule: Option<Span>,
    /// Whether more has been said of it than that it has no test: a section too deep in it, a name in use.
    reported: bool,
    pub(super) settings: Settings,
}

/// The file as written.
#[derive(Debug)]
pub(super) struct Tree {
    /// Every group and rule; the root is the first.
    pub(super) nodes: Vec<Node>,
    /// The rules in the order of the file.
    pub(super) rules: Vec<NodeId>,
}

/// Reads the shape of a file. Everything wrong with it goes to `problems`.
pub(super) fn collect(sources: &Sources, root: &Value, problems: &mut Problems) -> Tree {
    let name: Arc<str> = ROOT_NAME.into();
    let place = Span { end: root.span.start, ..root.span };
    let Kind::Object(object) = &root.kind else {
        let message = format!(
            "a configuration is a list of properties and sections, and this is an {}",
            root.kind.type_name()
        );
        problems.push(
            Diagnostic::error(root.span, &name, message).help("name the sections: lb1 { test = \"...\" }"),
        );
        return Tree { nodes: Vec::new(), rules: Vec::new() };
    };
    let root = Node {
        parent: None,
        level: Level::Root,
        name,
        place,
        rule: None,
        reported: false,
        settings: Settings::default(),
    };
    let mut collector = Collector {
        sources,
        problems,
        tree: Tree { nodes: vec![root], rules: Vec::new() },
        nodes_by_key: HashMap::new(),
        rules_by_name: HashMap::new(),
        full: false,
    };
    collector.section(ROOT, place, object);
    collector.miss_tests();
    collector.tree
}

struct Collector<'a> {
    sources: &'a Sources,
    problems: &'a mut Problems,
    tree: Tree,
    nodes_by_key: HashMap<(NodeId, Arc<str>), NodeId>,
    rules_by_name: HashMap<Arc<str>, Span>,
    /// Whether a bound was reached: the rest is not read.
    full: bool,
}

impl Collector<'_> {
    /// Takes in one section of a group or rule, and the sections in it.
    fn section(&mut self, id: NodeId, place: Span, object: &Object) {
        let node = &self.tree.nodes[id];
        let (name, level) = (node.name.clone(), node.level);
        let settings = section::read(self.sources, self.problems, &name, level, object);
        let is_new = match section::test_place(object) {
            Some(test) => self.claim(id, if level == Level::Root { test } else { place }),
            None => true,
        };
        if is_new {
            self.tree.nodes[id].settings.merge(settings, &name, self.problems);
        }
        for (key, item) in in_order(object) {
            let Kind::Object(inner) = &item.value.kind else {
                continue;
            };
            if level == Level::Rule {
                self.tree.nodes[id].reported = true;
                self.refuse_depth(&name, key, item);
            } else if let Some(child) = self.child(id, key, item.key_span) {
                self.section(child, item.key_span, inner);
            }
            if self.full {
                return;
            }
        }
    }

    /// Makes the node a rule. Says whether its name was free.
    fn claim(&mut self, id: NodeId, place: Span) -> bool {
        let node = &mut self.tree.nodes[id];
        let name = node.name.clone();
        if let Some(first) = self.rules_by_name.get(&name) {
            let message = format!("a rule named {} is there already", quoted(&name));
            self.problems.push(
                Diagnostic::error(place, &name, message)
                    .note(*first, "the first one is here")
                    .help("give one of the two another name"),
            );
            self.tree.nodes[id].reported = true;
            return false;
        }
        if self.tree.rules.len() == RULES_MAX {
            self.full = true;
            self.problems.push(
                Diagnostic::error(place, &name, format!("more than {RULES_MAX} rules"))
                    .help("spread them over several hfm with files of their own"),
            );
            return true;
        }
        node.rule = Some(place);
        self.rules_by_name.insert(name, place);
        self.tree.rules.push(id);
        true
    }

    /// The group or rule that this key names, new or already known.
    fn child(&mut self, parent: NodeId, key: &Arc<str>, place: Span) -> Option<NodeId> {
        if let Some(known) = self.nodes_by_key.get(&(parent, key.clone())) {
            return Some(*known);
        }
        let up = &self.tree.nodes[parent];
        let (level, name) = match up.level {
            Level::Root => (Level::Group, key.clone()),
            Level::Group | Level::Rule => (Level::Rule, format!("{}/{key}", up.name).into()),
        };
        let refusal = if key.is_empty() {
            Some("the name of a group or rule must not be empty".to_owned())
        } else if name.len() > NAME_BYTES_MAX {
            Some(format!("the name of a group or rule must not be longer than {NAME_BYTES_MAX} bytes"))
        } else if key.contains(char::is_control) {
            Some("the name of a group or rule must not contain control characters".to_owned())
        } else {
            None
        };
        if let Some(message) = refusal {
            self.problems.push(Diagnostic::error(place, &name, message));
            return None;
        }
        let id = self.tree.nodes.len();
        if id == NODES_MAX {
            self.full = true;
            self.problems.push(Diagnostic::error(
                place,
                &name,
                format!("more than {NODES_MAX} groups and rules"),
            ));
            return None;
        }
        let parent_id = Some(parent);
        let settings = Settings::default();
        self.tree.nodes.push(Node {
            parent: parent_id,
            level,
            name,
            place,
            rule: None,
            reported: false,
            settings,
        });
        self.nodes_by_key.insert((parent, key.clone()), id);
        Some(id)
    }

    fn refuse_depth(&mut self, rule: &Arc<str>, key: &str, item: &Item) {
        let message = format!("section {} stands one level too deep", quoted(key));
        let help = not_a_property(key).unwrap_or_else(|| {
            "there are a root, groups, and rules in groups; a rule in a group has no sections".to_owned()
        });
        self.problems.push(Diagnostic::error(item.key_span, rule, message).help(help));
    }

    /// Reports the sections in groups that are no rules.
    fn miss_tests(&mut self) {
        for node in &self.tree.nodes {
            if node.level != Level::Rule || node.rule.is_some() || node.reported || self.full {
                continue;
            }
            let key = node.name.rsplit('/').next().unwrap_or("");
            let message = format!("section {} has no 'test'", quoted(key));
            let help = not_a_property(key)
                .unwrap_or_else(|| "a section in a group is a rule: give it test = \"PROGRAM\"".to_owned());
            self.problems.push(Diagnostic::error(node.place, &node.name, message).help(help));
        }
    }
}

/// What to say of a section that has the name of a property.
fn not_a_property(key: &str) -> Option<String> {
    let property = properties::find(key)?;
    Some(format!("for the property, write {} = VALUE, without braces", clipped(property.name)))
}

/// All items of an object in the order of the text.
///
/// The reader sorts them by key, in the order in which keys first appear. A further item of a key is put
/// behind the last first item of the same file that stands before it.
fn in_order(object: &Object) -> Vec<(&Arc<str>, &Item)> {
    let firsts = object.entries.iter().filter_map(|entry| Some((&entry.key, entry.items.first()?)));
    if object.entries.iter().all(|entry| entry.items.len() == 1) {
        return firsts.collect();
    }
    let mut starts: Vec<(Span, usize)> =
        firsts.clone().enumerate().map(|(rank, (_, item))| (item.key_span, rank)).collect();
    starts.sort_unstable_by_key(|(span, _)| (span.source, span.start));
    let mut ranked: Vec<_> = firsts.enumerate().map(|(rank, first)| ((rank, None), first)).collect();
    for (own_rank, entry) in object.entries.iter().enumerate() {
        for item in entry.items.iter().skip(1) {
            let place = (item.key_span.source, item.key_span.start);
            let before = starts.partition_point(|(span, _)| (span.source, span.start) <= place);
            let rank = match before.checked_sub(1).map(|last| starts[last]) {
                Some((span, rank)) if span.source == item.key_span.source => rank,
                Some(_) | None => own_rank,
            };
            ranked.push(((rank, Some(place)), (&entry.key, item)));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, item)| item).collect()
}
