//! The thread as the reactor sees it: before a firewall that hangs.

use std::sync::mpsc::{Receiver, Sender, channel};

use mio::{Events, Poll, Token};

use super::*;
use crate::dataplane::TableError;
use crate::rule::{Combine, Member};
use crate::standing::Contribution;

/// Tells of each call, and answers none before it is told to.
#[derive(Debug)]
struct Hanging {
    contents: Vec<Prefix>,
    called: Sender<String>,
    go_on: Receiver<()>,
}

impl Hanging {
    fn hang(&self, call: String) {
        self.called.send(call).unwrap();
        // Whoever has gone lets everything go on.
        let _ = self.go_on.recv();
    }
}

impl DataPlane for Hanging {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn read(&mut self, _: &str) -> Result<Vec<Prefix>, TableError> {
        self.hang("read".to_owned());
        Ok(self.contents.clone())
    }

    fn add(&mut self, _: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        self.hang(format!("add {}", addresses.len()));
        self.contents.extend(addresses);
        Ok(())
    }

    fn remove(&mut self, _: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        self.hang(format!("remove {}", addresses.len()));
        self.contents.retain(|address| !addresses.contains(address));
        Ok(())
    }
}

const RULES: u32 = 1000;

#[test]
fn a_firewall_that_hangs_holds_up_no_reactor_and_grows_no_queue() {
    let poll = Poll::new().unwrap();
    let wake = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
    let (called, calls) = channel();
    let (go_on, waits) = channel();
    let members = (0..RULES).map(|rule| Member {
        address: Prefix::host(std::net::Ipv4Addr::from(0x0a00_0000 + rule).into()),
        combine: Combine::All,
        backup: false,
        rules: vec![RuleId(rule)],
    });
    let table = Table { name: "web".into(), min_up: None, panic: None, members: members.collect() };
    let settings = Settings {
        tables: vec![table].into(),
        rules: RULES as usize,
        plane: Box::new(Hanging { contents: Vec::new(), called, go_on: waits }),
        firewall: Firewall::default(),
        state_dir: None,
        rights: Rights::NONE,
    };
    let mut writer = Writer::start(settings, wake).unwrap();
    assert_eq!(calls.recv().unwrap(), "read");
    // The reactor goes on all the same: this returns although nobody takes a letter.
    let mut last = Contribution::Unknown;
    for round in 0..100 {
        last = if round % 2 == 0 { Contribution::Down { drained: false } } else { Contribution::Up };
        for rule in 0..RULES {
            let standing = Standing { contribution: last, since: now(), stale: false, settled: true };
            writer.say(RuleId(rule), standing);
        }
        writer.flush();
        assert!(writer.pending.standings.len() <= RULES as usize);
    }
    assert_eq!(last, Contribution::Up);
    assert!(!writer.pending.is_empty(), "one letter waits, and what came after it is merged");
    go_on.send(()).unwrap();
    // The letter that waited is taken, and the reactor is woken for the next; all that was said in between is
    // never heard of by the firewall.
    let mut poll = poll;
    while !writer.pending.is_empty() {
        poll.poll(&mut Events::with_capacity(8), None).unwrap();
        writer.flush();
    }
    let mut heard = Vec::new();
    writer.finish();
    writer.flush();
    drop(go_on);
    let mut finished = false;
    while !finished {
        poll.poll(&mut Events::with_capacity(8), None).unwrap();
        writer.flush();
        while let Some(report) = writer.poll_report() {
            finished |= report == Report::Finished;
        }
    }
    heard.extend(calls.try_iter().filter(|call| call != "read"));
    assert_eq!(heard.last().map(String::as_str), Some("add 1000"), "{heard:?}");
    assert!(heard.len() <= 3, "{heard:?}");
}
