//! The last events, numbered, as each is sent to those who listen.

use std::collections::VecDeque;
use std::sync::Arc;

/// So many are kept,
const EVENTS_MAX: usize = 512;
/// of so many bytes together at most.
const BYTES_MAX: usize = 1024 * 1024;

/// Events, the oldest first, in the form of a stream of events (HTML Living Standard, section 9.2.6).
#[derive(Debug, Default)]
pub struct Recent {
    kept: VecDeque<Arc<[u8]>>,
    bytes: usize,
    /// The number of the last one; 0 before the first.
    last: u64,
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

impl Recent {
    /// Keeps an event: of an object of JSON all but the opening brace.
    pub fn push(&mut self, rest: &str) {
        self.last += 1;
        let event: Arc<[u8]> = format!("id: {}\ndata: {{{rest}\n\n", self.last).into_bytes().into();
        self.bytes += event.len();
        self.kept.push_back(event);
        while self.kept.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    /// So many were lost before they came here.
    pub fn lose(&mut self, count: u64) {
        if count > 0 {
            self.kept.clear();
            self.bytes = 0;
            self.last += count;
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
        let first = self.last - self.kept.len() as u64 + 1;
        if seen == self.last {
            (News::None, seen)
        } else if seen + 1 < first {
            (News::Missed(first - seen - 1), first - 1)
        } else {
            let index = usize::try_from(seen + 1 - first).unwrap_or(usize::MAX);
            match self.kept.get(index) {
                Some(event) => (News::Event(event.clone()), seen + 1),
                None => (News::None, seen),
            }
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
    fn a_number_from_before_a_restart_is_no_number_of_ours() {
        let mut recent = Recent::default();
        recent.push("}");
        assert!(matches!(recent.after(4711), (News::Event(_), 1)));
    }
}
