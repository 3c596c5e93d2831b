//! The tree while it grows: nodes by number, so that an include can go on with a section that was
//! closed long before.
//!
//! Owns what happens when a key comes again: priorities, implicit arrays, merging.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{Parsed, UclError, fault};
use super::limits::VALUES_MAX;
use super::value::{Entry, Item, Kind, Object, Span, Value};

/// A node of the growing tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(usize);

/// What a repeated key means in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Same priority appends, higher replaces, lower is ignored.
    #[default]
    Append,
    /// As append, but objects and arrays go on growing.
    Merge,
    /// The last one wins.
    Rewrite,
    /// It is an error.
    Error,
}

/// How a file adds to the tree.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    pub(super) priority: u8,
    pub(super) strategy: Strategy,
}

struct Node {
    data: Data,
    span: Option<Span>,
}

enum Data {
    Leaf(Kind),
    Array(Vec<NodeId>),
    Object(Section),
}

#[derive(Default)]
struct Section {
    entries: Vec<Growing>,
    index: HashMap<Arc<str>, usize>,
    /// The sections of the same name that follow this one in an implicit array.
    followers: Vec<NodeId>,
}

struct Growing {
    key: Arc<str>,
    priority: u8,
    items: Vec<(Span, NodeId)>,
}

/// Most sections of one name that a merge searches for every key.
const FOLLOWERS_MAX: usize = 100;

/// Objects of fewer keys are searched one by one, without an index.
const INDEX_FROM: usize = 12;

impl Section {
    fn find(&self, key: &str) -> Option<usize> {
        if self.entries.len() < INDEX_FROM {
            return self.entries.iter().position(|entry| &*entry.key == key);
        }
        self.index.get(key).copied()
    }

    fn push(&mut self, entry: Growing) {
        self.entries.push(entry);
        if self.entries.len() == INDEX_FROM {
            self.index = self.entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
        } else if self.entries.len() > INDEX_FROM {
            let last = self.entries.len() - 1;
            self.index.insert(self.entries[last].key.clone(), last);
        }
    }
}

/// All nodes of one text.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    fn add(&mut self, data: Data) -> NodeId {
        self.nodes.push(Node { data, span: None });
        NodeId(self.nodes.len() - 1)
    }

    /// A new node that is null until something is put there.
    pub(super) fn add_null(&mut self) -> NodeId {
        self.add(Data::Leaf(Kind::Null))
    }

    /// Adds an element to an array node.
    pub(super) fn push(&mut self, array: NodeId, at: Span) -> Parsed<NodeId> {
        self.refuse_many(at)?;
        let element = self.add_null();
        if let Data::Array(elements) = &mut self.nodes[array.0].data {
            elements.push(element);
        }
        Ok(element)
    }

    /// Puts a value where a node stands.
    pub(super) fn set(&mut self, node: NodeId, kind: Kind, span: Span) {
        self.nodes[node.0] = Node { data: Data::Leaf(kind), span: Some(span) };
    }

    /// Sets how far the node of a section or an array reaches, unless it has been closed before.
    pub(super) fn close(&mut self, node: NodeId, span: Span) {
        self.nodes[node.0].span.get_or_insert(span);
    }

    /// Makes a node an object; one that is an object already goes on.
    pub(super) fn open_object(&mut self, node: NodeId, span: Span) -> Parsed<()> {
        match self.nodes[node.0].data {
            Data::Leaf(_) => self.nodes[node.0].data = Data::Object(Section::default()),
            Data::Object(_) => {}
            Data::Array(_) => return fault(span, UclError::MergeTypes),
        }
        Ok(())
    }

    /// Makes a node an array; one that is an array already goes on.
    pub(super) fn open_array(&mut self, node: NodeId, span: Span) -> Parsed<()> {
        match self.nodes[node.0].data {
            Data::Leaf(_) => self.nodes[node.0].data = Data::Array(Vec::new()),
            Data::Array(_) => {}
            Data::Object(_) => return fault(span, UclError::MergeTypes),
        }
        Ok(())
    }

    /// The node for the value of a key, in the object or beside it when it is to be ignored.
    pub(super) fn insert(&mut self, object: NodeId, key: &str, at: Span, manner: Manner) -> Parsed<NodeId> {
        self.refuse_many(at)?;
        self.refuse_ambiguous(object, key, at)?;
        let new = self.add_null();
        let Some(section) = self.section_mut(object) else { return Ok(new) };
        let Some(found) = section.find(key) else {
            section.push(Growing { key: key.into(), priority: manner.priority, items: vec![(at, new)] });
            return Ok(new);
        };
        let entry = &section.entries[found];
        let first = entry.items[0].1;
        let old = entry.priority;
        match manner.strategy {
            Strategy::Error => return fault(at, UclError::DuplicateKey(key.to_owned())),
            Strategy::Merge if self.is_container(first) => return Ok(first),
            Strategy::Append | Strategy::Merge if old > manner.priority => return Ok(new),
            Strategy::Append | Strategy::Merge if old == manner.priority => {
                self.append(object, found, (at, new))
            }
            Strategy::Append | Strategy::Merge | Strategy::Rewrite => {
                if let Some(section) = self.section_mut(object) {
                    let entry = &mut section.entries[found];
                    entry.items = vec![(at, new)];
                    entry.priority = manner.priority;
                }
            }
        }
        Ok(new)
    }

    fn append(&mut self, object: NodeId, found: usize, item: (Span, NodeId)) {
        let Some(section) = self.section_mut(object) else { return };
        let entry = &mut section.entries[found];
        entry.items.push(item);
        let first = entry.items[0].1;
        if let Some(section) = self.section_mut(first) {
            section.followers.push(item.1);
        }
    }

    fn refuse_many(&self, at: Span) -> Parsed<()> {
        if self.nodes.len() > VALUES_MAX { fault(at, UclError::TooManyValues) } else { Ok(()) }
    }

    /// A key that a following section of the same name has would go there in the reference.
    fn refuse_ambiguous(&self, object: NodeId, key: &str, at: Span) -> Parsed<()> {
        let Data::Object(section) = &self.nodes[object.0].data else { return Ok(()) };
        let many = section.followers.len() > FOLLOWERS_MAX;
        let elsewhere = many
            || section.followers.iter().any(|follower| match &self.nodes[follower.0].data {
                Data::Object(section) => section.find(key).is_some(),
                Data::Leaf(_) | Data::Array(_) => false,
            });
        if elsewhere { fault(at, UclError::AmbiguousMerge(key.to_owned())) } else { Ok(()) }
    }

    /// The object under a key of an object, made when it is not there: where an include with a
    /// key puts its settings.
    pub(super) fn descend(&mut self, object: NodeId, key: &str, at: Span, manner: Manner) -> Parsed<NodeId> {
        if let Some(old) = self.first(object, key) {
            return match self.nodes[old.0].data {
                Data::Object(_) => Ok(old),
                Data::Leaf(_) | Data::Array(_) => fault(at, UclError::IncludeTarget(key.to_owned())),
            };
        }
        let append = Manner { strategy: Strategy::Append, ..manner };
        let new = self.insert(object, key, at, append)?;
        self.open_object(new, at)?;
        Ok(new)
    }

    /// A new object at the end of the array under a key of an object. Another value that stands
    /// there becomes the first element.
    pub(super) fn descend_array(
        &mut self,
        object: NodeId,
        key: &str,
        at: Span,
        manner: Manner,
    ) -> Parsed<NodeId> {
        let array = match self.first(object, key) {
            None => {
                let append = Manner { strategy: Strategy::Append, ..manner };
                let array = self.insert(object, key, at, append)?;
                self.open_array(array, at)?;
                array
            }
            Some(old) if matches!(self.nodes[old.0].data, Data::Array(_)) => old,
            Some(old) => self.wrap(object, key, old, at)?,
        };
        self.close(array, at);
        let element = self.push(array, at)?;
        self.open_object(element, at)?;
        Ok(element)
    }

    fn wrap(&mut self, object: NodeId, key: &str, old: NodeId, at: Span) -> Parsed<NodeId> {
        let array = self.add(Data::Array(vec![old]));
        let Some(section) = self.section_mut(object) else { return Ok(array) };
        let Some(found) = section.find(key) else { return Ok(array) };
        let entry = &mut section.entries[found];
        if entry.items.len() > 1 {
            return fault(at, UclError::IncludeTarget(key.to_owned()));
        }
        entry.items[0].1 = array;
        entry.priority = 0;
        Ok(array)
    }

    /// The whole tree from a node down.
    pub(super) fn take(&mut self, node: NodeId, whole: Span) -> Value {
        let Node { data, span } =
            std::mem::replace(&mut self.nodes[node.0], Node { data: Data::Leaf(Kind::Null), span: None });
        let kind = match data {
            Data::Leaf(kind) => kind,
            Data::Array(elements) => {
                Kind::Array(elements.into_iter().map(|element| self.take(element, whole)).collect())
            }
            Data::Object(section) => {
                let mut entry = |growing: Growing| Entry {
                    key: growing.key,
                    items: growing
                        .items
                        .into_iter()
                        .map(|(key_span, node)| Item { key_span, value: self.take(node, whole) })
                        .collect(),
                };
                Kind::Object(Object { entries: section.entries.into_iter().map(&mut entry).collect() })
            }
        };
        Value { kind, span: span.unwrap_or(whole) }
    }

    fn section_mut(&mut self, node: NodeId) -> Option<&mut Section> {
        match &mut self.nodes[node.0].data {
            Data::Object(section) => Some(section),
            Data::Leaf(_) | Data::Array(_) => None,
        }
    }

    fn first(&self, object: NodeId, key: &str) -> Option<NodeId> {
        let Data::Object(section) = &self.nodes[object.0].data else { return None };
        section.find(key).map(|found| section.entries[found].items[0].1)
    }

    fn is_container(&self, node: NodeId) -> bool {
        matches!(self.nodes[node.0].data, Data::Array(_) | Data::Object(_))
    }

    pub(super) fn is_array(&self, node: NodeId) -> bool {
        matches!(self.nodes[node.0].data, Data::Array(_))
    }
}
