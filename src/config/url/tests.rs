use std::net::IpAddr;

use super::*;
use crate::config::target::{Target, classify};

/// A URL as one line: where it leads to, the Host header, the target; or what is wrong, and the help.
fn read(text: &str) -> Result<String, String> {
    let Target::Probe(protocol, rest) = classify(text) else {
        panic!("{text:?} is no URL of a native probe");
    };
    match parse(&protocol.scheme, rest) {
        Ok(Url { place, authority, target }) => {
            let place = match place {
                Place::Remote(Host::Address(IpAddr::V4(address)), port) => format!("4 {address} {port}"),
                Place::Remote(Host::Address(IpAddr::V6(address)), port) => format!("6 {address} {port}"),
                Place::Remote(Host::Name(name), port) => format!("name {name} {port}"),
                Place::Local(path) => format!("local {path}"),
            };
            Ok(format!("{place} | {authority} | {target}"))
        }
        Err(wrong) => Err(format!("{} | {}", wrong.message, wrong.help.unwrap_or_default())),
    }
}

const GOOD: &[(&str, &str)] = &[
    ("tcp://192.0.2.1:80", "4 192.0.2.1 80 | 192.0.2.1:80 | /"),
    ("TCP://192.0.2.1:80/", "4 192.0.2.1 80 | 192.0.2.1:80 | /"),
    ("tls://[2001:DB8::1]:443", "6 2001:db8::1 443 | [2001:DB8::1]:443 | /"),
    ("tls://[::ffff:192.0.2.1]:1", "6 ::ffff:192.0.2.1 1 | [::ffff:192.0.2.1]:1 | /"),
    ("tcp://a_b-c.example.:65535", "name a_b-c.example. 65535 | a_b-c.example.:65535 | /"),
    ("http://h", "name h 80 | h | /"),
    ("http://H/", "name H 80 | H | /"),
    ("http://h:80/x", "name h 80 | h | /x"),
    ("http://h:443/x", "name h 443 | h:443 | /x"),
    ("https://h:443/x", "name h 443 | h | /x"),
    ("https://h:80/x", "name h 80 | h:80 | /x"),
    ("http://h?x", "name h 80 | h | /?x"),
    ("http://h:8080?a=b&c=/d", "name h 8080 | h:8080 | /?a=b&c=/d"),
    ("http://h/a@b:c//d?e?f%20g;h,i*'()[]{}|", "name h 80 | h | /a@b:c//d?e?f%20g;h,i*'()[]{}|"),
    ("http://[::1]/", "6 ::1 80 | [::1] | /"),
    ("http://[::1]:8080/", "6 ::1 8080 | [::1]:8080 | /"),
    ("http://1.2.3.example/", "name 1.2.3.example 80 | 1.2.3.example | /"),
    ("http://0xg/", "name 0xg 80 | 0xg | /"),
    ("unix:///run/a.sock", "local /run/a.sock | localhost | /"),
    ("UNIX:///run/a b#c?d:/e", "local /run/a b#c?d:/e | localhost | /"),
    ("http+unix:///run/a.sock", "local /run/a.sock | localhost | /"),
    ("http+unix:///run/a.sock:/", "local /run/a.sock | localhost | /"),
    ("http+unix:///run/a.sock:/v1/x?y", "local /run/a.sock | localhost | /v1/x?y"),
    ("http+unix:///run/a:1.sock:/x:/y", "local /run/a:1.sock | localhost | /x:/y"),
];

const BAD: &[(&str, &str)] = &[
    ("tcp://", "there is no host | "),
    ("http:///x", "there is no host | "),
    ("tcp://:80", "there is no host | "),
    ("tcp://h", "tcp:// needs a port | write tcp://h:PORT"),
    ("tls://[::1]/", "tls:// needs a port | write tls://[::1]:PORT"),
    ("tcp://h:1/x", "tcp:// takes no path, and '/x' is one | write tcp://h:1"),
    ("tls://h:1?x", "tls:// takes no path, and '?x' is one | write tls://h:1"),
    ("http://h:", "there is no port after ':' | "),
    ("http://h:0", "'0' is not a port | "),
    ("http://h:65536", "'65536' is not a port | "),
    ("http://h:+80", "'+80' is not a port | "),
    ("http://h:000080", "'000080' is not a port | "),
    ("http://h:http", "'http' is not a port | "),
    ("http://user@h/", "'user@h' has a user name, and none is taken | "),
    ("http://u:p@h/", "'u:p@h' has a user name, and none is taken | "),
    ("http://h/x#y", "'#y' is a fragment, and none is ever sent | "),
    ("http://h#y", "'#y' is a fragment, and none is ever sent | "),
    ("http://::1/", "the IPv6 address '::1' needs brackets | write [::1]"),
    ("http://::1:80/", "the IPv6 address '::1:80' needs brackets | write [::1:80], or [::1]:80 if 80 is"),
    (
        "http://2001:db8:0:0:0:0:0:1:80/",
        "'2001:db8:0:0:0:0:0:1:80' has more than one ':' | write [2001:db8:0",
    ),
    ("http://h:1:2/", "'h:1:2' has more than one ':' | "),
    ("http://[fe80::1%eth0]/", "'fe80::1%eth0' has an IPv6 zone, and none is taken | take '%' and what"),
    ("http://[fe80::1%25eth0]/", "'fe80::1%25eth0' has an IPv6 zone"),
    ("http://fe80::1%eth0/", "'fe80::1%eth0' has an IPv6 zone"),
    ("http://[::1/", "'[::1' has '[' without ']'"),
    ("http://[::1]x/", "'x' follows the address | "),
    ("http://[192.0.2.1]/", "'192.0.2.1' is not an IPv6 address | brackets are for IPv6"),
    ("http://[]/", "'' is not an IPv6 address"),
    ("http://10.0.0.256/", "'10.0.0.256' is not an IPv4 address | "),
    ("http://010.1.1.1/", "'010.1.1.1' is not an IPv4 address | "),
    ("http://1.2.3/", "'1.2.3' is not an IPv4 address | "),
    ("http://10.0.0.1./", "'10.0.0.1.' is not an IPv4 address | "),
    ("http://2130706433/", "'2130706433' is not an IPv4 address | "),
    ("http://0x7f.1/", "'0x7f.1' is not an IPv4 address | "),
    ("http://0x7f000001/", "'0x7f000001' is not an IPv4 address | "),
    ("http://a..b/", "the host 'a..b' has nothing between two dots"),
    ("http://./", "the host '.' has nothing between two dots"),
    ("http://.a/", "the host '.a' has nothing between two dots"),
    ("http://a%20b/", "the host 'a%20b' has '%' in it | "),
    ("http://a b/", "the host 'a b' has ' ' in it | "),
    ("http://bücher.example/", "the host 'bücher.example' has letters that no name has | "),
    ("http://h\\x/", "the host 'h\\x' has '\\' in it | "),
    ("http://h/a b", "' ' cannot stand in a URL | percent-encode it: %20"),
    ("http://h/é", "'é' cannot stand in a URL | percent-encode it: %C3%A9"),
    ("http://h/\u{7}", "'\\u{7}' cannot stand in a URL | percent-encode it: %07"),
    ("unix://", "there is no path of a socket | write unix:///PATH"),
    ("unix:///", "there is no path of a socket | write unix:///PATH"),
    ("unix://run/a", "the socket's path 'run/a' is not absolute | write unix:///PATH, with three slashes"),
    ("unix:///a\nb", "the socket's path has a control character in it | "),
    ("http+unix://", "there is no path of a socket | write http+unix:///PATH:/URI"),
    ("http+unix://:/x", "there is no path of a socket | write http+unix:///PATH:/URI"),
    ("http+unix:///a.sock:", "there is no URI after ':' | write http+unix:///PATH:/URI"),
    ("http+unix:///a.sock:/x y", "' ' cannot stand in a URL | percent-encode it: %20"),
    ("http+unix:///a.sock:/x#y", "'#y' is a fragment, and none is ever sent | "),
];

#[test]
fn good_urls_are_taken_apart() {
    for (text, parts) in GOOD {
        assert_eq!(read(text).as_deref(), Ok(*parts), "{text}");
    }
}

#[test]
fn bad_urls_say_what_is_wrong_and_what_to_do() {
    for (text, begin) in BAD {
        let wrong = read(text).expect_err(text);
        assert!(wrong.starts_with(begin), "{text}: {wrong}");
    }
}

#[test]
fn lengths_are_bounded() {
    let label = "a".repeat(63);
    let name = format!("{label}.{label}.{label}.{}", "b".repeat(61));
    assert_eq!(name.len(), 253);
    assert!(read(&format!("http://{name}/")).is_ok());
    assert!(read(&format!("http://{name}./")).is_ok());
    assert!(read(&format!("http://{name}c/")).is_err());
    assert!(read(&format!("http://{label}a/")).is_err());
    let path = format!("/{}", "s".repeat(102));
    assert!(read(&format!("unix://{path}")).is_ok());
    let wrong = read(&format!("unix://{path}s")).expect_err("one byte too many");
    assert!(
        wrong.starts_with("the socket's path has 104 bytes, and the system takes 103 at most | "),
        "{wrong}"
    );
    assert!(read(&format!("http+unix://{path}:/{}", "u".repeat(7_000))).is_ok());
    assert!(read(&format!("http://h/{}", "u".repeat(7_999))).is_ok());
    assert!(read(&format!("http://h/{}", "u".repeat(8_000))).is_err());
}

/// Numbers that look random and are the same in every run (Knuth's 64-bit congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

#[test]
fn no_cut_or_changed_url_panics_and_what_is_accepted_is_harmless() {
    let pieces = [
        "[", "]", ":", "/", "@", "#", "?", "%", "::", ".", "é", "\0", "\n", "\u{85}", "0", "999999", ":/",
        "日",
    ];
    let mut numbers = Numbers(1);
    let mut accepted = 0;
    for (text, _) in GOOD.iter().chain(BAD) {
        let (scheme, rest) = text.split_once("://").expect("they all have it");
        let chars: Vec<char> = rest.chars().collect();
        let cut = (0..=chars.len()).map(|end| chars[..end].iter().collect::<String>()).collect::<Vec<_>>();
        let changed = (0..1_000).map(|_| {
            let mut chars = chars.clone();
            for _ in 0..=numbers.below(2) {
                let at = numbers.below(chars.len() + 1);
                let end = (at + numbers.below(4)).min(chars.len());
                let piece = pieces[numbers.below(pieces.len())];
                chars.splice(at..end, piece.chars());
            }
            chars.into_iter().collect::<String>()
        });
        for rest in cut.into_iter().chain(changed) {
            let parts = match read(&format!("{scheme}://{rest}")) {
                Ok(parts) => parts,
                Err(wrong) => {
                    assert!(!wrong.contains(char::is_control), "{rest:?}: {wrong:?}");
                    continue;
                }
            };
            accepted += 1;
            assert!(!parts.contains(char::is_control), "{rest:?}: {parts:?}");
            let target = parts.rsplit(" | ").next().expect("three parts");
            assert!(target.starts_with('/') && target.is_ascii(), "{rest:?}: {parts:?}");
        }
    }
    assert!(accepted > 1_000, "only {accepted} were accepted");
}
