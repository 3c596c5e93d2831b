//! Files of many rules, as gateways have them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Instant, SystemTime};

use hfm::now::Now;

/// Rules that make a connection, or ask for a page, in turn, each in a line of its own.
pub(crate) fn rules(count: u32, interval: &str) -> String {
    let mut text = format!("interval = {interval}\ntimeout = 300ms\n");
    for rule in 0..count {
        let address = Ipv4Addr::from(0x0a00_0000 + rule);
        let url = if rule % 2 == 0 { format!("tcp://{address}:80") } else { format!("http://{address}/up") };
        let _ = writeln!(text, "r{rule} {{ test = \"{url}\" }}");
    }
    text
}

/// As many rules in groups of a hundred, every group with tables and settings of its own, which its rules take over.
pub(crate) fn groups(count: u32) -> String {
    let mut text = String::from("interval = 1s\ndataplane = memory\nmin_up = 1\n");
    for group in 0..count / 100 {
        let _ =
            writeln!(text, "group{group} {{\n    tables = \"web{group}\";\n    change_fail_debounce = 2;");
        for rule in 0..100 {
            let address = Ipv4Addr::from(0x0a00_0000 + group * 100 + rule);
            let _ = writeln!(text, "    r{rule} {{ test = \"http://{address}/up\" }}");
        }
        text.push_str("}\n");
    }
    text
}

/// Both clocks.
pub(crate) fn now() -> Now {
    Now { mono: Instant::now(), wall: SystemTime::UNIX_EPOCH }
}
