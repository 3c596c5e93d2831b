//! The record of what is in the counter by us, from one helper to the next.
//!
//! A [`ledger`], `demotion` in state_dir:
//!
//! ```text
//! hfm-demotion 1
//! boot =6d2b6c3a-1a64-4f6e-9c0e-0f1d2c3b4a59
//! of =carp
//! in 20
//! share 20 =uplink
//! write 240 10
//! then 20 =uplink
//! then 10 =web/1
//! end 7
//! ```
//!
//! In which boot, of what, how much, and of which rules. While the counter is written: what it was before, what is added, and
//! whose the shares are then.

use std::collections::BTreeMap;

use super::protocol::Shares;
use crate::ledger::{self, Head};

const HEAD: Head = Head { name: "hfm-demotion", version: 1 };
/// What the counter takes of the sum of all shares at most: the worst that CARP can say of a machine.
pub const TOTAL_MAX: u8 = 240;
/// CARP's own changes of its counter are multiples of this, and pfsync's: the defaults of the sysctls
/// net.inet.carp.ifdown_demotion_factor, net.inet.carp.senderr_demotion_factor and net.pfsync.carp_demotion_factor. With
/// others, what became of a write is told less surely, and the remark on it says so.
const OTHERS_STEP: i64 = 240;

/// What is in the counter when these shares are.
pub fn total(shares: &Shares) -> u8 {
    shares.values().fold(0_u8, |sum, share| sum.saturating_add(*share)).min(TOTAL_MAX)
}

/// What was done, and what may have been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The boot of the system that it is true of.
    pub boot: String,
    /// What the shares are in: `carp`, or `file:` and a path.
    pub target: String,
    /// What is in the counter.
    pub shares: Shares,
    /// A write of which it is not known whether it was done.
    pub write: Option<Write>,
}

/// A write of the counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What the counter was before.
    pub before: i64,
    /// What is added to it.
    pub delta: i32,
    /// What is in the counter once it is done.
    pub shares: Shares,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was done.
    pub is_done: bool,
    /// Whether that is only the likelier of two.
    pub is_doubtful: bool,
}

impl Write {
    /// What became of it, when the counter is `now`.
    ///
    /// If others have changed the counter meanwhile, it is nowhere near what it should be after either. Then theirs is
    /// what remains, and that tells which of the two it was.
    pub fn outcome(&self, now: i64) -> Outcome {
        let if_not_done = now.saturating_sub(self.before);
        let if_done = if_not_done.saturating_sub(self.delta.into());
        let (is_done, is_doubtful) = if if_not_done == 0 {
            (false, false)
        } else if if_done == 0 {
            (true, false)
        } else {
            match (if_not_done % OTHERS_STEP == 0, if_done % OTHERS_STEP == 0) {
                (true, false) => (false, false),
                (false, true) => (true, false),
                (true, true) | (false, false) => (if_done.unsigned_abs() <= if_not_done.unsigned_abs(), true),
            }
        };
        Outcome { is_done, is_doubtful }
    }
}

impl Record {
    /// The whole record as text.
    pub fn encode(&self) -> String {
        let line = |word: &'static str| {
            move |(rule, share): (&String, &u8)| format!("{word} {share} {}", ledger::escaped(rule))
        };
        let head = [
            format!("boot {}", ledger::escaped(&self.boot)),
            format!("of {}", ledger::escaped(&self.target)),
            format!("in {}", total(&self.shares)),
        ];
        let shares = self.shares.iter().map(line("share"));
        let write = self.write.iter().flat_map(|write| {
            let what = format!("write {} {}", write.before, write.delta);
            std::iter::once(what).chain(write.shares.iter().map(line("then")))
        });
        ledger::encode(HEAD, head.into_iter().chain(shares).chain(write))
    }

    /// A record from its text.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (mut boot, mut target, mut sum) = (None, None, None);
        let mut shares = BTreeMap::new();
        let mut write: Option<Write> = None;
        for line in ledger::decode(HEAD, bytes, line)? {
            match line {
                Line::Boot(of) => boot = Some(of),
                Line::Of(of) => target = Some(of),
                Line::In(of) => sum = Some(of),
                Line::Share(share, rule) => _ = shares.insert(rule, share),
                Line::Write(before, delta) => write = Some(Write { before, delta, shares: BTreeMap::new() }),
                Line::Then(share, rule) => {
                    let write = write.as_mut().ok_or("it has a share of no write")?;
                    write.shares.insert(rule, share);
                }
            }
        }
        let boot = boot.ok_or("it does not name its boot")?;
        let target = target.ok_or("it does not say what its shares are in")?;
        let record = Self { boot, target, shares, write };
        if sum != Some(total(&record.shares)) {
            return Err("its shares do not come to what is in".to_owned());
        }
        if let Some(write) = &record.write
            && i32::from(total(&write.shares)) - i32::from(total(&record.shares)) != write.delta
        {
            return Err("what it adds is not what its shares come to".to_owned());
        }
        // Whatever else it may look like, it is none of ours if it is not written like one.
        if record.encode().as_bytes() != bytes {
            return Err("its lines are not those of a record".to_owned());
        }
        Ok(record)
    }
}

#[derive(Debug)]
enum Line {
    Boot(String),
    Of(String),
    In(u8),
    Share(u8, String),
    Write(i64, i32),
    Then(u8, String),
}

fn line(text: &str) -> Option<Line> {
    let (word, rest) = text.split_once(' ')?;
    let share = || {
        let (share, rule) = rest.split_once(' ')?;
        Some((share.parse().ok()?, ledger::plain(rule)?))
    };
    match word {
        "boot" => ledger::plain(rest).map(Line::Boot),
        "of" => ledger::plain(rest).map(Line::Of),
        "in" => rest.parse().ok().map(Line::In),
        "share" => share().map(|(share, rule)| Line::Share(share, rule)),
        "then" => share().map(|(share, rule)| Line::Then(share, rule)),
        "write" => {
            let (before, delta) = rest.split_once(' ')?;
            Some(Line::Write(before.parse().ok()?, delta.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(of: &[(&str, u8)]) -> Shares {
        of.iter().map(|(rule, share)| ((*rule).to_owned(), *share)).collect()
    }

    fn record() -> Record {
        let write = Write { before: 240, delta: 10, shares: shares(&[("uplink", 20), ("web 1\n", 10)]) };
        let target = "carp".to_owned();
        Record { boot: "a b".to_owned(), target, shares: shares(&[("uplink", 20)]), write: Some(write) }
    }

    #[test]
    fn what_is_written_reads_back_as_it_is_documented() {
        let text = "hfm-demotion 1\nboot =a\\20;b\nof =carp\nin 20\nshare 20 =uplink\nwrite 240 10\nthen 20 =uplink\nthen 10 \
                    =web\\20;1\\a;\nend 7\n";
        assert_eq!(record().encode(), text);
        for write in [record().write, None] {
            for shares in [shares(&[("uplink", 20)]), shares(&[("\u{0} \\", 19), ("", 1)])] {
                let record = Record { shares, write: write.clone(), ..record() };
                assert_eq!(Record::decode(record.encode().as_bytes()), Ok(record));
            }
        }
    }

    #[test]
    fn every_damage_is_seen() {
        let text = record().encode();
        for length in 0..text.len() {
            assert!(Record::decode(&text.as_bytes()[..length]).is_err(), "{:?}", &text[..length]);
        }
        for (from, to) in [
            ("demotion 1", "demotion 2"),
            ("in 20", "in 21"),
            ("share 20", "share 21"),
            ("share 20 =uplink", "share 020 =uplink"),
            ("share 20 =uplink", "share 20 uplink"),
            ("share 20 =uplink", "share 20 =up\\6c;ink"),
            ("then 10", "then 11"),
            ("write 240 10", "write 240 -10"),
            ("write 240 10", "write  10"),
            ("boot =", "boots ="),
            ("of =", "off ="),
            ("of =carp\nin 20\n", "in 20\nof =carp\n"),
            ("share 20 =uplink\nwrite 240 10\n", "write 240 10\nshare 20 =uplink\n"),
        ] {
            let damaged = text.replacen(from, to, 1);
            assert_ne!(damaged, text);
            assert!(Record::decode(damaged.as_bytes()).is_err(), "{damaged:?}");
        }
        for lines in [
            "in 0\nend 1\n",
            "boot =a\nin 0\nend 2\n",
            "of =carp\nin 0\nend 2\n",
            "boot =a\nof =carp\nend 2\n",
            "boot =a\nboot =a\nof =carp\nin 0\nend 4\n",
            "boot =a\nof =carp\nin 0\nthen 1 =b\nend 4\n",
            "boot =a\nof =carp\nin 1\nshare 1 =b\nshare 1 =b\nend 5\n",
        ] {
            assert!(Record::decode(format!("hfm-demotion 1\n{lines}").as_bytes()).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn a_sum_is_capped() {
        for (of, expected) in [
            (&[] as &[_], 0),
            (&[("a", 240)], 240),
            (&[("a", 239), ("b", 2)], 240),
            (&[("a", 255), ("b", 255)], 240),
        ] {
            assert_eq!(total(&shares(of)), expected, "{of:?}");
        }
    }

    #[test]
    fn what_became_of_a_write_is_told_by_what_remains() {
        // Delta, the counter's change, whether the write was done, whether there is doubt.
        for (delta, change, is_done, is_doubtful) in [
            (20, 0, false, false),
            (20, 20, true, false),
            (-20, 0, false, false),
            (-20, -20, true, false),
            // CARP's own.
            (20, 240, false, false),
            (20, 260, true, false),
            (20, -480, false, false),
            (20, -460, true, false),
            (-20, 220, true, false),
            (-20, -240, false, false),
            // Somebody's.
            (20, 1, false, true),
            (20, 21, true, true),
            (20, 119, true, true),
            (-20, -1, false, true),
            (-20, 5, false, true),
            // CARP's own, of a share as large: nobody could tell, but by which is less.
            (240, 480, true, true),
            (240, -240, false, true),
            (240, 240, true, false),
            (-240, 240, false, true),
        ] {
            let write = Write { before: -3, delta, shares: Shares::new() };
            assert_eq!(write.outcome(change - 3), Outcome { is_done, is_doubtful }, "{delta} {change}");
        }
    }
}
