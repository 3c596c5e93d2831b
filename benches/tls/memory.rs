//! The memory of rules over TLS, as the system sees it: what a rule has at its start, and what it keeps.

use hfm::probe::{Compiler, Conversation};
use hfm::rule::Tls;
use rustls::ServerConnection;
use rustls::version::TLS13;

use crate::probe::{https, one, tls};
use crate::server::{House, Tickets, now};

const RULES: usize = 10_000;

/// The table of bytes for each rule.
pub(crate) fn table(house: &House) {
    if resident().is_none() {
        return;
    }
    println!(
        "\n{:12} {:>10} {:>14}   bytes a rule, of {RULES} of one name",
        "resume", "compiled", "after a run"
    );
    for resume in [false, true] {
        let probe = https(Tls { resume, ..tls() });
        let config = house.config(&TLS13, Tickets::Two);
        let mut compiler = Compiler::default();
        compiler.clock().set(now().wall);
        let mut rules = Vec::with_capacity(RULES);
        let before = resident().unwrap_or_default();
        for _ in 0..RULES {
            let plan = compiler.compile(&probe, &mut &*house).expect("a good probe");
            let conversation = Conversation::new(&plan, now().mono);
            rules.push((plan, conversation));
        }
        let compiled = resident().unwrap_or_default();
        for (plan, conversation) in &mut rules {
            let server = ServerConnection::new(config.clone()).expect("a good configuration");
            one(plan, conversation, server);
        }
        let after = resident().unwrap_or_default();
        let each = |bytes: usize| bytes.saturating_sub(before) / RULES;
        println!("{:12} {:>10} {:>14}", if resume { "yes" } else { "no" }, each(compiled), each(after));
    }
}

/// Bytes of this process in memory, where the system tells (proc(5)).
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok().map(|kib| kib * 1024)
}
