//! The timer queue: one entry per rule, the earliest moment at which it wants to be looked at.
//!
//! A binary heap that knows where each rule stands in it, so that setting, moving and clearing an entry
//! cost O(log n) and nothing stale is left behind. Entries of one instant come in the order of rules.

use std::time::Instant;

use crate::rule::RuleId;

const ABSENT: u32 = u32::MAX;

/// At most one instant per rule, the earliest first.
#[derive(Clone, Debug, Default)]
pub struct TimerQueue {
    heap: Vec<(Instant, RuleId)>,
    /// Where each rule stands in `heap`, or [`ABSENT`].
    position: Vec<u32>,
}

impl TimerQueue {
    /// An empty queue for rules 0 to `rules` - 1.
    pub fn new(rules: usize) -> Self {
        Self { heap: Vec::with_capacity(rules), position: vec![ABSENT; rules] }
    }

    /// Makes room for rules 0 to `rules` - 1; those that have an entry keep it.
    pub fn grow(&mut self, rules: usize) {
        if rules > self.position.len() {
            self.position.resize(rules, ABSENT);
            self.heap.reserve(rules - self.heap.len());
        }
    }

    /// Sets, moves or (with `None`) clears the entry of a rule.
    pub fn set(&mut self, rule: RuleId, at: Option<Instant>) {
        let position = self.position[rule.index()] as usize;
        match (at, position == ABSENT as usize) {
            (Some(at), true) => {
                self.heap.push((at, rule));
                let last = self.heap.len() - 1;
                self.place(last);
                self.sift_up(last);
            }
            (Some(at), false) => {
                self.heap[position].0 = at;
                self.sift_down(position);
                self.sift_up(position);
            }
            (None, true) => {}
            (None, false) => self.remove_at(position),
        }
    }

    /// Takes out the earliest entry if it is not after `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<RuleId> {
        let (at, rule) = *self.heap.first()?;
        if at > now {
            return None;
        }
        self.remove_at(0);
        Some(rule)
    }

    /// The earliest instant.
    pub fn first(&self) -> Option<Instant> {
        self.heap.first().map(|entry| entry.0)
    }

    /// How many rules have an entry.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn remove_at(&mut self, position: usize) {
        let (_, rule) = self.heap.swap_remove(position);
        self.position[rule.index()] = ABSENT;
        if position < self.heap.len() {
            self.place(position);
            self.sift_down(position);
            self.sift_up(position);
        }
    }

    fn sift_up(&mut self, mut child: usize) {
        while child > 0 {
            let parent = (child - 1) / 2;
            if self.heap[parent] <= self.heap[child] {
                return;
            }
            self.swap(parent, child);
            child = parent;
        }
    }

    fn sift_down(&mut self, mut parent: usize) {
        loop {
            let left = 2 * parent + 1;
            let right = left + 1;
            let Some(mut smallest) = self.heap.get(left).map(|_| left) else { return };
            if self.heap.get(right).is_some_and(|entry| *entry < self.heap[left]) {
                smallest = right;
            }
            if self.heap[parent] <= self.heap[smallest] {
                return;
            }
            self.swap(parent, smallest);
            parent = smallest;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.place(a);
        self.place(b);
    }

    fn place(&mut self, position: usize) {
        let rule = self.heap[position].1;
        self.position[rule.index()] =
            u32::try_from(position).expect("there are no more entries than rules, whose ids are 32 bits");
    }
}

#[cfg(test)]
mod tests;
