//! The thread as the reactor sees it: before a firewall that hangs.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::{Events, Poll, Token};

use super::*;
use crate::dataplane::{Change, Contents, Kill, Killed, Managed, TableError};
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

    fn how_to_make(&self, _: &str) -> String {
        unreachable!("it is there")
    }

    fn read(&mut self, _: Managed<'_>) -> Result<Contents, TableError> {
        self.hang("read".to_owned());
        Ok(Contents::of(self.contents.clone()))
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        for Change { add, remove, .. } in changes {
            if !add.is_empty() {
                self.hang(format!("add {}", add.len()));
                self.contents.extend(*add);
            }
            if !remove.is_empty() {
                self.hang(format!("remove {}", remove.len()));
                self.contents.retain(|address| !remove.contains(address));
            }
        }
        vec![Ok(()); changes.len()]
    }

    fn kill(&mut self, _: &[Prefix], _: Kill) -> Result<Killed, TableError> {
        unreachable!("nobody asks for it")
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
        kill_states: false,
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

/// A firewall whose connections take long to go through.
#[derive(Debug)]
struct Slow {
    called: Sender<String>,
    go_on: Arc<Mutex<Receiver<()>>>,
}

impl DataPlane for Slow {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn how_to_make(&self, _: &str) -> String {
        unreachable!("it is there")
    }

    fn is_sure(&self) -> bool {
        true
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        Ok(Contents::of(table.members.to_vec()))
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        for Change { remove, .. } in changes {
            self.called.send(format!("remove {remove:?}")).unwrap();
        }
        vec![Ok(()); changes.len()]
    }

    fn killer(&self) -> Option<Box<dyn DataPlane>> {
        Some(Box::new(Self { called: self.called.clone(), go_on: self.go_on.clone() }))
    }

    fn kill(&mut self, addresses: &[Prefix], _: Kill) -> Result<Killed, TableError> {
        self.called.send(format!("kill {addresses:?}")).unwrap();
        // Whoever has gone lets everything go on.
        let _ = self.go_on.lock().unwrap().recv();
        Ok(Killed::default())
    }
}

#[test]
fn a_kill_that_takes_long_holds_up_no_table_and_the_end_waits_for_it() {
    let mut poll = Poll::new().unwrap();
    let wake = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
    let (called, calls) = channel();
    let (go_on, waits) = channel();
    let members: Vec<Member> = (0..3)
        .map(|rule| Member {
            address: Prefix::host(std::net::Ipv4Addr::from(0x0a00_0000 + rule).into()),
            combine: Combine::All,
            backup: false,
            kill_states: true,
            rules: vec![RuleId(rule)],
        })
        .collect();
    let [first, second] = [members[0].address, members[1].address];
    let settings = Settings {
        tables: vec![Table { name: "web".into(), min_up: None, panic: None, members }].into(),
        rules: 3,
        plane: Box::new(Slow { called, go_on: Arc::new(Mutex::new(waits)) }),
        firewall: Firewall::default(),
        state_dir: None,
        rights: Rights::NONE,
    };
    let mut writer = Writer::start(settings, wake).unwrap();
    let mut say = |writer: &mut Writer, rule, contribution| {
        writer.say(RuleId(rule), Standing { contribution, since: now(), stale: false, settled: true });
        writer.flush();
        while !writer.pending.is_empty() {
            poll.poll(&mut Events::with_capacity(8), None).unwrap();
            writer.flush();
        }
    };
    let down = Contribution::Down { drained: false };
    say(&mut writer, 2, Contribution::Up);
    say(&mut writer, 0, down);
    assert_eq!(calls.recv().unwrap(), format!("remove [{first:?}]"));
    assert_eq!(calls.recv().unwrap(), format!("kill [{first:?}]"));
    // It has not come back from that, and the next one leaves all the same.
    say(&mut writer, 1, down);
    assert_eq!(calls.recv().unwrap(), format!("remove [{second:?}]"));
    writer.finish();
    writer.flush();
    go_on.send(()).unwrap();
    drop(go_on);
    let mut finished = false;
    while !finished {
        poll.poll(&mut Events::with_capacity(8), None).unwrap();
        writer.flush();
        while let Some(report) = writer.poll_report() {
            finished |= report == Report::Finished;
        }
    }
    assert_eq!(calls.recv().unwrap(), format!("kill [{second:?}]"));
}

/// A firewall that ends the thread with its first call.
#[derive(Debug)]
struct Panics;

impl DataPlane for Panics {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn how_to_make(&self, _: &str) -> String {
        unreachable!("it is there")
    }

    fn read(&mut self, _: Managed<'_>) -> Result<Contents, TableError> {
        panic!("a defect, planted by a test")
    }

    fn apply(&mut self, _: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        unreachable!("it is read first")
    }

    fn kill(&mut self, _: &[Prefix], _: Kill) -> Result<Killed, TableError> {
        unreachable!("nobody asks for it")
    }
}

/// A writer of one table of one address, and what wakes for it.
fn start(plane: Box<dyn DataPlane>) -> (Writer, Poll) {
    let poll = Poll::new().unwrap();
    let wake = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
    let member = Member {
        address: Prefix::host(std::net::Ipv4Addr::LOCALHOST.into()),
        combine: Combine::All,
        backup: false,
        kill_states: false,
        rules: vec![RuleId(0)],
    };
    let settings = Settings {
        tables: vec![Table { name: "web".into(), min_up: None, panic: None, members: vec![member] }].into(),
        rules: 1,
        plane,
        firewall: Firewall::default(),
        state_dir: None,
        rights: Rights::NONE,
    };
    (Writer::start(settings, wake).unwrap(), poll)
}

/// Waits for the next answer; every sleep in between has to be ended by the writer itself.
fn answer(writer: &mut Writer, poll: &mut Poll) -> (u64, Answer) {
    loop {
        writer.flush();
        while let Some(report) = writer.poll_report() {
            if let Report::Answer(ticket, answer) = report {
                return (ticket, answer);
            }
        }
        poll.poll(&mut Events::with_capacity(8), None).unwrap();
    }
}

#[test]
fn a_firewall_that_hangs_delays_answers_and_a_reload_withdraws_drains() {
    let (called, calls) = channel();
    let (go_on, waits) = channel();
    let (mut writer, mut poll) = start(Box::new(Hanging { contents: Vec::new(), called, go_on: waits }));
    assert_eq!(calls.recv().unwrap(), "read");
    writer.ask(1, Question::WouldDrain([RuleId(0)].into()));
    writer.flush();
    // One letter waits for the thread; these wait for it to be taken.
    writer.ask(2, Question::WouldDrain([RuleId(0)].into()));
    writer.ask(3, Question::Tables(Which::All));
    writer.flush();
    assert_eq!(writer.poll_report(), None);
    let tables: Vec<Table> = Vec::new();
    let reconcile = Duration::from_secs(10);
    writer.replace(Replacement { tables: tables.into(), carried: vec![true], reconcile });
    assert_eq!(answer(&mut writer, &mut poll), (2, Answer::Unanswered(RELOADED)), "before the firewall");
    go_on.send(()).unwrap();
    assert_eq!(answer(&mut writer, &mut poll), (1, Answer::WouldDrain(Vec::new())));
    assert_eq!(answer(&mut writer, &mut poll), (3, Answer::Tables(Box::default())), "after the reload");
    assert!(writer.unanswered.is_empty());
}

#[test]
fn nobody_waits_for_a_thread_that_is_gone() {
    let (mut writer, mut poll) = start(Box::new(Panics));
    // Whether it is there still when it is asked or not.
    writer.ask(1, Question::Reconcile);
    assert_eq!(answer(&mut writer, &mut poll), (1, Answer::Unanswered(GONE)));
    writer.ask(2, Question::Tables(Which::All));
    writer.ask(3, Question::Reconcile);
    assert_eq!(answer(&mut writer, &mut poll), (2, Answer::Unanswered(GONE)));
    assert_eq!(answer(&mut writer, &mut poll), (3, Answer::Unanswered(GONE)));
    writer.ask(4, Question::Reconcile);
    assert_eq!(answer(&mut writer, &mut poll), (4, Answer::Unanswered(GONE)));
    assert!(writer.pending.questions.is_empty());
    writer.finish();
    assert_eq!(writer.poll_report(), Some(Report::Finished));
}
