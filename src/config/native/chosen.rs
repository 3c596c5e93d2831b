//! The values that count for one rule, by their kinds.

use std::time::Duration;

use crate::config::given::{Given, Text};
use crate::config::properties::Setting;
use crate::config::raw::{NodeId, Tree};

/// A native rule, and access to what counts for it.
#[derive(Clone, Copy)]
pub(in crate::config) struct Chosen<'t> {
    pub(super) tree: &'t Tree,
    pub(super) id: NodeId,
}

impl<'t> Chosen<'t> {
    fn given(&self, setting: Setting) -> Option<&'t Given> {
        self.tree.given(self.id, setting).map(|written| &written.value)
    }

    /// How many steps up the value is written that counts: 0 for the rule itself.
    pub(super) fn distance(&self, setting: Setting) -> Option<usize> {
        self.tree.chain(self.id).position(|node| node.settings.given.contains_key(&setting))
    }

    pub(super) fn word(&self, setting: Setting) -> Option<&'static str> {
        if let Some(Given::Word(word)) = self.given(setting) { Some(word) } else { None }
    }

    /// A text; an empty one stands for none, so that an inherited one can be cleared.
    pub(super) fn text(&self, setting: Setting) -> Option<&'t str> {
        let Some(Given::Text(text)) = self.given(setting) else {
            return None;
        };
        Some(&*text.text).filter(|text| !text.is_empty())
    }

    pub(super) fn texts(&self, setting: Setting) -> &'t [Text] {
        if let Some(Given::Texts(texts)) = self.given(setting) { texts } else { &[] }
    }

    /// The same without their places.
    pub(super) fn strings(&self, setting: Setting) -> Vec<Box<str>> {
        self.texts(setting).iter().map(|text| text.text.clone()).collect()
    }

    pub(super) fn interval(&self, setting: Setting) -> Option<Duration> {
        self.tree.interval(self.id, setting)
    }

    pub(super) fn number(&self, setting: Setting) -> Option<u32> {
        if let Some(Given::Number(number)) = self.given(setting) { Some(*number) } else { None }
    }

    pub(super) fn boolean(&self, setting: Setting) -> Option<bool> {
        if let Some(Given::Boolean(truth)) = self.given(setting) { Some(*truth) } else { None }
    }
}
