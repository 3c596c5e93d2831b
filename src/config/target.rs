//! What the text of a `test` asks for: a program, or a probe by URL.

use super::native::{PROTOCOLS, Protocol};
use crate::nearest::nearest;

/// The schemes of the interface. Those that are not built yet are refused by name.
const PROMISED: &[&str] = &[
    "tcp",
    "tls",
    "http",
    "https",
    "icmp",
    "udp",
    "dns",
    "redis",
    "rediss",
    "memcached",
    "smtp",
    "smtps",
    "mysql",
    "postgres",
    "ldap",
    "ssh",
    "grpc",
    "grpcs",
    "agent",
    "unix",
    "http+unix",
    "file",
];

/// What a `test` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// A program to run.
    Program,
    /// A native probe: its protocol, and what follows `://`.
    Probe(&'static Protocol, &'a str),
    /// `word://...` with a scheme of the interface, which is not built yet.
    NotYet(&'static str),
    /// `word://...` with a scheme that nobody knows.
    Unknown {
        /// As written.
        scheme: &'a str,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
}

/// Tells a program from a URL. Schemes match in any letter case, as in RFC 3986 section 3.1.
pub(super) fn classify(test: &str) -> Target<'_> {
    let Some((scheme, rest)) = test.split_once("://") else {
        return Target::Program;
    };
    let starts_with_letter = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts_with_letter || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c)) {
        return Target::Program;
    }
    if let Some(built) = PROTOCOLS.iter().find(|built| built.scheme.name.eq_ignore_ascii_case(scheme)) {
        return Target::Probe(built, rest);
    }
    match PROMISED.iter().find(|known| known.eq_ignore_ascii_case(scheme)) {
        Some(known) => Target::NotYet(known),
        None => {
            let built = PROTOCOLS.iter().map(|built| built.scheme.name);
            Target::Unknown { scheme, meant: nearest(scheme, PROMISED.iter().copied().chain(built)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_before_colon_slash_slash_is_a_scheme_and_all_else_a_program() {
        for program in [
            "true",
            "/bin/true",
            "./a://b",
            "a b://c",
            "://x",
            "1x://y",
            "http:",
            "http:/x",
            "//x",
            "a/b://c",
        ] {
            assert_eq!(classify(program), Target::Program, "{program}");
        }
    }

    #[test]
    fn every_scheme_of_the_interface_is_known_in_any_letter_case() {
        assert_eq!(PROMISED.len(), 22);
        for scheme in PROMISED {
            let expected = match PROTOCOLS.iter().find(|built| built.scheme.name == *scheme) {
                Some(built) => Target::Probe(built, "h"),
                None => Target::NotYet(scheme),
            };
            assert_eq!(classify(&format!("{scheme}://h")), expected);
            assert_eq!(classify(&format!("{}://h", scheme.to_uppercase())), expected);
        }
    }

    #[test]
    fn every_scheme_that_is_built_is_found() {
        for built in PROTOCOLS {
            let name = built.scheme.name;
            assert_eq!(classify(&format!("{name}://h")), Target::Probe(built, "h"));
            let same = PROTOCOLS.iter().filter(|other| other.scheme.name.eq_ignore_ascii_case(name));
            assert_eq!(same.count(), 1, "{name}");
        }
    }

    #[test]
    fn an_unknown_scheme_gets_the_nearest_known_one() {
        assert_eq!(classify("htps://h"), Target::Unknown { scheme: "htps", meant: Some("https") });
        assert_eq!(classify("zzz://h"), Target::Unknown { scheme: "zzz", meant: None });
    }
}
