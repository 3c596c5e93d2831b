//! The last events, numbered, as each is sent to those who listen.

use std::collections::VecDeque;
use std::sync::Arc;

/// So many are kept,
const EVENTS_MAX: usize = 512;
/// of so many bytes together at most;
const BYTES_MAX: usize = 1024 * 1024;
/// of those that come with the runs of a rule that goes on failing no more than this, so that they do not push out what
/// changed.
const FREQUENT_MAX: usize = 128;
/// Which these are, as they stand in a line: a quote inside of a text would be escaped (RFC 8259 section 7).
const FREQUENT: &[&str] = &[
    "\"event\":\"failed\"",
    "\"event\":\"debounced\"",
    "\"event\":\"output\"",
    "\"event\":\"overstayed\"",
    "\"event\":\"inconclusive\"",
    "\"event\":\"held-back\"",
];

/// Events, the oldest first, in the form of a stream of events (HTML Living Standard, section 9.2.6).
#[derive(Debug, Default)]
pub struct Recent {
    kept: VecDeque<Kept>,
    bytes: usize,
    frequent: usize,
    /// The number of the last one; 0 before the first.
    last: u64,
    /// Up to this number events are missing that are not frequent ones.
    missing_to: u64,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    is_frequent: bool,
    event: Arc<[u8]>,
}

/// What comes next for someone who listens.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// This one.
    Event(Arc<[u8]>),
    /// So many are not there any more.
    Missed(u64),
    /// Nothing at present.
    None,
}

/// Tells that so many are not there any more, the last of them with this number.
pub(super) fn missed(up_to: u64, count: u64) -> String {
    format!("id: {up_to}\nevent: missed\ndata: {{\"count\":{count}}}\n\n")
}

impl Recent {
    /// Keeps an event: of an object of JSON all but the opening brace.
    pub fn push(&mut self, rest: &str) {
        let event = format!("id: {}\ndata: {{{rest}\n\n", self.last + 1);
        self.keep(event, FREQUENT.iter().any(|of| rest.contains(of)));
    }

    /// Nobody was told for a while. How much happened is not known; who comes to this place hears that it was something.
    pub fn pause(&mut self) {
        self.keep(missed(self.last + 1, 1), false);
    }

    fn keep(&mut self, event: String, is_frequent: bool) {
        self.last += 1;
        let event: Arc<[u8]> = event.into_bytes().into();
        self.bytes += event.len();
        self.frequent += usize::from(is_frequent);
        self.kept.push_back(Kept { number: self.last, is_frequent, event });
        if self.frequent > FREQUENT_MAX
            && let Some(oldest) = self.kept.iter().position(|kept| kept.is_frequent)
        {
            self.drop_one(oldest);
        }
        while self.kept.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            self.drop_one(0);
        }
    }

    fn drop_one(&mut self, index: usize) {
        let Some(Kept { number, is_frequent, event }) = self.kept.remove(index) else { return };
        self.bytes -= event.len();
        if is_frequent {
            self.frequent -= 1;
        } else {
            self.missing_to = number;
        }
    }

    /// So many were lost before they came here.
    pub fn lose(&mut self, count: u64) {
        if count > 0 {
            self.last += count;
            *self = Self { last: self.last, missing_to: self.last, ..Self::default() };
        }
    }

    /// The number of the last one.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// What follows the event of this number, and the number up to which someone is told then.
    pub fn after(&self, seen: u64) -> (News, u64) {
        // A number that was not given yet is one of before a restart: everything is new then.
        let seen = if seen > self.last { 0 } else { seen };
        if seen < self.missing_to {
            return (News::Missed(self.missing_to - seen), self.missing_to);
        }
        let next = self.kept.partition_point(|kept| kept.number <= seen);
        match self.kept.get(next) {
            Some(Kept { number, event, .. }) => (News::Event(event.clone()), *number),
            None => (News::None, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(news: News) -> String {
        match news {
            News::Event(event) => String::from_utf8(event.to_vec()).expect("text"),
            other @ (News::Missed(_) | News::None) => panic!("{other:?}"),
        }
    }

    #[test]
    fn events_are_numbered_and_come_in_their_order() {
        let mut recent = Recent::default();
        assert_eq!(recent.after(0), (News::None, 0));
        recent.push("\"event\":\"a\"}");
        recent.push("\"event\":\"b\"}");
        let (first, seen) = recent.after(0);
        assert_eq!((text(first).as_str(), seen), ("id: 1\ndata: {\"event\":\"a\"}\n\n", 1));
        let (second, seen) = recent.after(seen);
        assert_eq!((text(second).as_str(), seen), ("id: 2\ndata: {\"event\":\"b\"}\n\n", 2));
        assert_eq!(recent.after(seen), (News::None, 2));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_not_is_counted() {
        let mut recent = Recent::default();
        (0..EVENTS_MAX + 10).for_each(|_| recent.push("}"));
        assert_eq!(recent.after(3), (News::Missed(7), 10));
        assert!(matches!(recent.after(10), (News::Event(_), 11)));
        recent.push(&"x".repeat(BYTES_MAX));
        assert_eq!(recent.after(10), (News::Missed(513), 523), "one that is too long for all");
        assert_eq!(recent.after(523), (News::None, 523));
        recent.push("}");
        recent.lose(4);
        assert_eq!(recent.after(523), (News::Missed(5), 528));
        recent.push("}");
        assert_eq!(text(recent.after(528).0), "id: 529\ndata: {}\n\n");
    }

    #[test]
    fn a_time_in_which_nobody_was_told_stands_in_its_place() {
        let mut recent = Recent::default();
        recent.push("\"event\":\"a\"}");
        recent.pause();
        recent.push("\"event\":\"b\"}");
        assert_eq!(text(recent.after(0).0), "id: 1\ndata: {\"event\":\"a\"}\n\n", "what was kept still is");
        assert_eq!(text(recent.after(1).0), "id: 2\nevent: missed\ndata: {\"count\":1}\n\n");
        assert_eq!(text(recent.after(2).0), "id: 3\ndata: {\"event\":\"b\"}\n\n");
    }

    #[test]
    fn a_number_from_before_a_restart_is_no_number_of_ours() {
        let mut recent = Recent::default();
        recent.push("}");
        assert!(matches!(recent.after(4711), (News::Event(_), 1)));
    }

    #[test]
    fn a_rule_that_goes_on_failing_does_not_push_out_what_changed() {
        let mut recent = Recent::default();
        recent.push("\"event\":\"change\"}");
        (0..5_000).for_each(|_| recent.push("\"message\":\"\\\"event\\\":\",\"event\":\"failed\"}"));
        let (first, seen) = recent.after(0);
        assert_eq!((text(first).as_str(), seen), ("id: 1\ndata: {\"event\":\"change\"}\n\n", 1));
        // Of the failures the last ones are there, and those before are no loss.
        let (next, seen) = recent.after(seen);
        assert_eq!(seen, 5_001 - FREQUENT_MAX as u64 + 1);
        assert!(text(next).contains("failed"));
        assert_eq!(recent.kept.len(), FREQUENT_MAX + 1);
        assert_eq!(recent.after(5_001), (News::None, 5_001));
    }
}
