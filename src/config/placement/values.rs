//! One value at a time: tables, shares of their addresses, and what holds them.

use std::num::NonZeroU32;

use super::super::diagnose::Wrong;
use super::super::render::{clipped, quoted};
use super::prefix::prefix;
use crate::nearest::nearest;
use crate::rule::{Combine, Prefix, SLOTS_MAX, Share};

/// Anchors of names that begin so are pf's own (PF_RESERVED_ANCHOR in sys/net/pfvar.h).
const ANCHOR_RESERVED: &str = "_pf";

/// What stands in no name: pf and nft would take it for something else, or it ends a word.
const NOT_IN_NAMES: &str = "(){}<>!=#,\"'\\";

/// An element of `tables`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Element<'a> {
    /// The table, without a `/` at its front.
    pub(super) table: &'a str,
    /// Its own addresses; `None` for those of the rule. Never empty.
    pub(super) addresses: Option<Vec<Prefix>>,
}

/// Reads `NAME` or `NAME=ADDRESS[,ADDRESS]`.
pub(in crate::config) fn element(text: &str) -> Result<Element<'_>, Wrong> {
    let Some((name, addresses)) = text.split_once('=') else {
        return Ok(Element { table: table(text)?, addresses: None });
    };
    let table = table(name)?;
    if addresses.is_empty() {
        let message = format!("there is no address after '=' in {}", quoted(text));
        return Err(Wrong::new(message).help("give one, or take the '=' away for the rule's own addresses"));
    }
    let addresses = addresses.split(',').map(|text| match text {
        "" => {
            Err(Wrong::new("there is no address beside a ','").help("take the ',' away, or give an address"))
        }
        text => prefix(text),
    });
    let addresses: Result<Vec<Prefix>, Wrong> = addresses.collect();
    Ok(Element { table, addresses: Some(addresses?) })
}

/// The name of a table, with the anchors that it is in.
fn table(written: &str) -> Result<&str, Wrong> {
    let name = written.strip_prefix('/').unwrap_or(written);
    if name.is_empty() {
        let help = "give the name of a table; tables = [] clears inherited ones";
        return Err(Wrong::new("the name of a table is empty").help(help));
    }
    let is_odd = |c: char| !c.is_ascii_graphic() || NOT_IN_NAMES.contains(c);
    if let Some(odd) = name.chars().find(|c| is_odd(*c)) {
        let message = format!("the table {} has {} in its name", quoted(name), quoted(&odd.to_string()));
        return Err(Wrong::new(message).help(match odd {
            '<' | '>' => {
                let bare = name.replace(['<', '>'], "");
                format!("write it without < and >: {}", clipped(&bare))
            }
            ',' => "give each table as a string of its own: [ \"TABLE\", \"TABLE\" ]".to_owned(),
            ' ' | '\t' => "leave the blanks out: TABLE, or TABLE=ADDRESS,ADDRESS".to_owned(),
            _ => "a name has letters, digits, '_', '-', '.' and the like; '/' stands before the table in an anchor"
                .to_owned(),
        }));
    }
    if name.split('/').any(str::is_empty) {
        let message = format!("the table {} has nothing beside a '/'", quoted(written));
        return Err(Wrong::new(message).help("write TABLE or ANCHOR/TABLE"));
    }
    let (anchor, _) = name.rsplit_once('/').unwrap_or(("", name));
    if anchor.starts_with(ANCHOR_RESERVED) {
        let message = format!("the anchor {} is one of pf's own", quoted(anchor));
        return Err(Wrong::new(message)
            .help("pf keeps those that begin with _pf for itself: put the table into another one"));
    }
    Ok(name)
}

/// Reads `combine`.
pub(in crate::config) fn combine(text: &str) -> Result<Combine, Wrong> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Combine::All);
    }
    if text.eq_ignore_ascii_case("any") {
        return Ok(Combine::Any);
    }
    if let Some(rules) = whole(text).and_then(NonZeroU32::new) {
        return Ok(Combine::AtLeast(rules));
    }
    Err(Wrong::new(format!("unknown combine {}", quoted(text))).help(match nearest(text, ["all", "any"]) {
        Some(word) => format!("did you mean '{word}'?"),
        None => {
            "it is all, any, or how many rules of an address must be up: a whole number from 1".to_owned()
        }
    }))
}

/// Reads `min_up`.
pub(in crate::config) fn min_up(text: &str) -> Result<Share, Wrong> {
    let share = match text.strip_suffix('%') {
        Some(digits) => percent(digits).map(Share::Percent),
        None => whole(text).map(Share::Count),
    };
    share.ok_or_else(|| {
        let message =
            format!("'min_up' is a number of addresses or a share of them, and {} is none", quoted(text));
        Wrong::new(message).help(match without_blank(text) {
            Some(share) => format!("leave the blank out: min_up = {share}%"),
            None => "write a whole number as in min_up = 1, or 0% to 100% as in min_up = 50%".to_owned(),
        })
    })
}

/// Reads `panic`; percent.
pub(in crate::config) fn panic(text: &str) -> Result<u8, Wrong> {
    text.strip_suffix('%').and_then(percent).ok_or_else(|| {
        let message = format!("'panic' is a share of the addresses, and {} is none", quoted(text));
        Wrong::new(message).help(match (percent(text), without_blank(text)) {
            (Some(share), _) => format!("write it with a percent sign: panic = {share}%"),
            (None, Some(share)) => format!("leave the blank out: panic = {share}%"),
            (None, None) => "write 0% to 100%, as in panic = 50%".to_owned(),
        })
    })
}

/// Reads `slots`.
pub(in crate::config) fn slots(text: &str) -> Result<u32, Wrong> {
    whole(text).filter(|slots| (1..=SLOTS_MAX).contains(slots)).ok_or_else(|| {
        let message = format!("'slots' is a number of slots, and {} is none", quoted(text));
        Wrong::new(message).help(format!(
            "write a whole number from 1 to {SLOTS_MAX}, the one that stands behind 'mod' in the map"
        ))
    })
}

/// Reads `state_dir`.
pub(in crate::config) fn state_dir(text: &str) -> Result<(), Wrong> {
    const HELP: &str = "give the whole path of a directory, as in /var/db/hfm";
    let message = match text {
        "" => "'state_dir' is empty".to_owned(),
        _ if text.contains(char::is_control) => "'state_dir' has a control character in it".to_owned(),
        _ if !text.starts_with('/') => format!("'state_dir' {} is not absolute", quoted(text)),
        _ => return Ok(()),
    };
    Err(Wrong::new(message).help(HELP))
}

/// `combine` as in a file.
pub(in crate::config) fn combine_text(combine: Combine) -> String {
    match combine {
        Combine::All => "all".to_owned(),
        Combine::Any => "any".to_owned(),
        Combine::AtLeast(rules) => rules.to_string(),
    }
}

/// `min_up` as in a file.
pub(in crate::config) fn share_text(share: Share) -> String {
    match share {
        Share::Count(addresses) => addresses.to_string(),
        Share::Percent(share) => percent_text(share),
    }
}

/// `panic` as in a file.
pub(in crate::config) fn percent_text(share: u8) -> String {
    format!("{share}%")
}

/// `backup` as in a file.
pub(in crate::config) fn boolean_text(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

/// A whole number in digits alone.
fn whole(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// 0 to 100 in digits alone.
fn percent(text: &str) -> Option<u8> {
    whole(text).and_then(|share| u8::try_from(share).ok()).filter(|share| *share <= 100)
}

/// The number of a share with a blank before its sign.
fn without_blank(text: &str) -> Option<u8> {
    percent(text.strip_suffix('%')?.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Option<&str> {
        element(text).ok().map(|element| element.table)
    }

    #[test]
    fn slots_are_counted_from_1() {
        for (text, count) in [("1", Some(1)), ("65536", Some(65_536)), ("256", Some(256))] {
            assert_eq!(slots(text).ok(), count, "{text}");
        }
        for text in ["", "0", "65537", "-1", "+1", "1k", "4294967296", "256 "] {
            assert!(slots(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_printable_and_a_slash_at_the_front_is_left_out() {
        for (text, name) in [
            ("web", "web"),
            ("/web", "web"),
            ("hfm/lb/web", "hfm/lb/web"),
            ("/hfm/web", "hfm/web"),
            ("inet/filter/web-4.x_y:z", "inet/filter/web-4.x_y:z"),
            ("_pf", "_pf"),
            ("a/_pf", "a/_pf"),
            ("web=10.0.0.1", "web"),
        ] {
            assert_eq!(names(text), Some(name), "{text}");
        }
        for text in [
            "",
            "/",
            "//web",
            "a//b",
            "a/",
            "=10.0.0.1",
            "<web>",
            "(self)",
            "{a}",
            "a b",
            "a\tb",
            "!web",
            "#a",
            "a,b",
            "a\"",
            "a'",
            "a\\",
            "wéb",
            "a\u{7f}",
            "_pf/web",
            "_pfx/web",
            "/_pf/a/web",
        ] {
            assert_eq!(names(text), None, "{text:?}");
        }
    }

    #[test]
    fn addresses_stand_behind_the_first_equals_sign() {
        let of = |text| element(text).ok().and_then(|element| element.addresses);
        let prefix = |text: &str| text.parse::<Prefix>().unwrap();
        assert_eq!(of("web"), None);
        assert_eq!(of("web=10.0.0.1,::1/128"), Some(vec![prefix("10.0.0.1"), prefix("::1")]));
        for text in
            ["web=", "web=,", "web=10.0.0.1,", "web=,10.0.0.1", "web=10.0.0.1, 10.0.0.2", "web=a=10.0.0.1"]
        {
            assert!(element(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_and_counts_are_told_apart() {
        for (text, share) in [
            ("0", Some(Share::Count(0))),
            ("4294967295", Some(Share::Count(u32::MAX))),
            ("0%", Some(Share::Percent(0))),
            ("100%", Some(Share::Percent(100))),
            ("101%", None),
            ("4294967296", None),
            ("-1", None),
            ("+1", None),
            ("50 %", None),
            ("%", None),
            ("", None),
            ("1k", None),
            ("0.5", None),
        ] {
            assert_eq!(min_up(text).ok(), share, "{text}");
        }
        assert_eq!(panic("100%").ok(), Some(100));
        for text in ["", "%", "50", "101%", "-1%", "+1%", "1.5%", "50%%"] {
            assert!(panic(text).is_err(), "{text}");
        }
        for (text, found) in
            [("ALL", Some(Combine::All)), ("Any", Some(Combine::Any)), ("0", None), ("1%", None)]
        {
            assert_eq!(combine(text).ok(), found, "{text}");
        }
        assert_eq!(combine("1").ok(), NonZeroU32::new(1).map(Combine::AtLeast));
    }
}
