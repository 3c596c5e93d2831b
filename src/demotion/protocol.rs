//! What hfm and its helper say to each other: a JSON object a line, each way.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest line, in bytes, its end included: the shares of every rule that there may sensibly be, by long names.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Shares by the names of their rules.
pub type Shares = BTreeMap<String, u8>;

/// What hfm tells its helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// First of all, once hfm alone has the directory: to take over what was left by whoever was before.
    Begin {
        /// Where shares are recorded.
        state_dir: String,
    },
    /// These shares and no others. Their sum may be larger than what the counter takes at most.
    Want {
        /// By which the answer names this order.
        ticket: u64,
        /// Those of the rules that are failed.
        shares: Shares,
    },
    /// To take everything back at once, and end.
    Release,
}

/// What the helper tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "kebab-case", deny_unknown_fields)]
pub enum News {
    /// It has taken over.
    Began {
        /// These are recorded, and in the counter.
        shares: Shares,
        /// What an operator should know, a sentence each.
        remarks: Vec<String>,
    },
    /// It cannot, and ends.
    CannotBegin {
        /// Why, and what to do.
        why: String,
    },
    /// The shares are in the counter.
    Done {
        /// Of this order.
        ticket: u64,
        /// Their sum, as far as the counter takes it.
        total: u16,
    },
    /// They are not, and nothing has changed as far as is known: to be tried again.
    Failed {
        /// Of this order.
        ticket: u64,
        /// Why, and what to do.
        why: String,
    },
    /// All is taken back, and the helper ends.
    Released,
}

/// An order or news as a line, its end included.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    // Names of rules are the only keys, and those are texts.
    let mut line = serde_json::to_vec(message).expect("it has nothing in it that JSON could not express");
    line.push(b'\n');
    line
}

/// What was received cannot be used, nor what follows it.
#[derive(Debug)]
pub enum Malformed {
    /// It goes on for more than [`LINE_BYTES_MAX`].
    TooLong,
    /// It means nothing.
    Meaningless(serde_json::Error),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a line is longer than {LINE_BYTES_MAX} bytes"),
            Self::Meaningless(error) => write!(f, "a line means nothing: {error}"),
        }
    }
}

impl std::error::Error for Malformed {}

/// Makes messages of bytes, however these come.
#[derive(Debug)]
pub struct Lines<T> {
    bytes: Vec<u8>,
    /// So many of them have no end of a line.
    searched: usize,
    message: PhantomData<T>,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self { bytes: Vec::new(), searched: 0, message: PhantomData }
    }
}

impl<T: DeserializeOwned> Lines<T> {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is here as a whole.
    ///
    /// # Errors
    /// When it cannot be used. There is no going on then.
    pub fn poll_message(&mut self) -> Result<Option<T>, Malformed> {
        let Some(end) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return if self.searched >= LINE_BYTES_MAX { Err(Malformed::TooLong) } else { Ok(None) };
        };
        let end = self.searched + end;
        if end >= LINE_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let message = serde_json::from_slice(&self.bytes[..end]).map_err(Malformed::Meaningless)?;
        self.bytes.drain(..=end);
        self.searched = 0;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(of: &[(&str, u8)]) -> Shares {
        of.iter().map(|(rule, share)| ((*rule).to_owned(), *share)).collect()
    }

    #[test]
    fn lines_read_as_they_are_documented() {
        for (order, line) in [
            (
                Order::Begin { state_dir: "/var/db/hfm".to_owned() },
                r#"{"order":"begin","state_dir":"/var/db/hfm"}"#,
            ),
            (
                Order::Want { ticket: 7, shares: shares(&[("uplink", 100), ("web/1\n\"", 1)]) },
                r#"{"order":"want","ticket":7,"shares":{"uplink":100,"web/1\n\"":1}}"#,
            ),
            (Order::Release, r#"{"order":"release"}"#),
        ] {
            assert_eq!(encode(&order), format!("{line}\n").into_bytes());
        }
        for (news, line) in [
            (
                News::Began { shares: shares(&[("a", 1)]), remarks: vec!["b".to_owned()] },
                r#"{"news":"began","shares":{"a":1},"remarks":["b"]}"#,
            ),
            (News::CannotBegin { why: "c".to_owned() }, r#"{"news":"cannot-begin","why":"c"}"#),
            (News::Done { ticket: 1, total: 240 }, r#"{"news":"done","ticket":1,"total":240}"#),
            (News::Failed { ticket: 2, why: "d".to_owned() }, r#"{"news":"failed","ticket":2,"why":"d"}"#),
            (News::Released, r#"{"news":"released"}"#),
        ] {
            assert_eq!(encode(&news), format!("{line}\n").into_bytes());
        }
    }

    #[test]
    fn messages_come_out_whole_however_their_bytes_come() {
        let orders = [
            Order::Begin { state_dir: "/a\u{e9}".to_owned() },
            Order::Want { ticket: u64::MAX, shares: shares(&[("", 255), ("\u{0}\u{2028}", 0)]) },
            Order::Release,
        ];
        let bytes: Vec<u8> = orders.iter().flat_map(encode).collect();
        for size in 1..=bytes.len() {
            let mut lines = Lines::<Order>::default();
            let mut found = Vec::new();
            for part in bytes.chunks(size) {
                lines.push(part);
                while let Some(order) = lines.poll_message().expect("they mean something") {
                    found.push(order);
                }
            }
            assert_eq!(found, orders, "in parts of {size}");
        }
    }

    #[test]
    fn half_a_line_is_none_and_nonsense_is_seen() {
        let mut lines = Lines::<Order>::default();
        lines.push(br#"{"order":"release"}"#);
        assert!(lines.poll_message().expect("it may go on").is_none());
        for nonsense in [
            "\n",
            "{}\n",
            "{\"order\":\"release\"} {}\n",
            "{\"order\":\"begin\",\"state_dir\":\"/a\",\"more\":1}\n",
            "{\"order\":\"resign\"}\n",
            "{\"order\":\"want\",\"ticket\":1,\"shares\":{\"a\":256}}\n",
            "{\"order\":\"want\",\"ticket\":-1,\"shares\":{}}\n",
            "\u{feff}{\"order\":\"release\"}\n",
        ] {
            let mut lines = Lines::<Order>::default();
            lines.push(nonsense.as_bytes());
            assert!(matches!(lines.poll_message(), Err(Malformed::Meaningless(_))), "{nonsense:?}");
        }
    }

    #[test]
    fn a_line_is_bounded_with_and_without_its_end() {
        let mut lines = Lines::<Order>::default();
        lines.push(&vec![b' '; LINE_BYTES_MAX - 1]);
        assert!(lines.poll_message().expect("it may end yet").is_none());
        lines.push(b" ");
        assert!(matches!(lines.poll_message(), Err(Malformed::TooLong)));
        let mut lines = Lines::<Order>::default();
        lines.push(&vec![b' '; LINE_BYTES_MAX]);
        lines.push(b"\n");
        assert!(matches!(lines.poll_message(), Err(Malformed::TooLong)));
    }
}
