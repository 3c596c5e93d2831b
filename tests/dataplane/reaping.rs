//! The commands thread and others of this process each reap their own children.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hfm::commands::{Commands, Report, Request, StartNews};
use hfm::engine::Event;
use hfm::rule::{CommandLine, RuleId, RunId};
use hfm::sys::process::{self, Exit};
use hfm::sys::program::Runner;
use hfm::verdict::Ending;
use mio::{Events, Poll, Token, Waker};

use crate::place::{PATIENCE, now, patiently};

const RULES: u32 = 40;
const RUNS: u64 = 25;

/// Each test of rule n exits with status n.
fn exit_with(rule: u32) -> CommandLine {
    CommandLine { program: "sh".into(), arguments: vec!["-c".into(), format!("exit {rule}").into()] }
}

/// A thousand children of the commands thread, while three other threads run programs: waiting for whichever
/// child ended first would take the exit status of somebody else's.
#[test]
fn no_status_goes_to_another() {
    process::leave_child_signals().expect("a signal mask");
    run_a_thousand();
    // And while one that nobody reaps may hide all others.
    let mut left = Command::new("true").spawn().expect("a program");
    assert!(patiently(|| process::ended_child().is_some()));
    run_a_thousand();
    assert!(left.wait().expect("its status is there still").success());
}

fn run_a_thousand() {
    let mut poll = Poll::new().expect("a poll");
    let wake = Arc::new(Waker::new(poll.registry(), Token(0)).expect("a waker"));
    let tests = (0..RULES).map(|rule| (RuleId(rule), exit_with(rule))).collect();
    let mut commands = Commands::start(tests, 1, wake).expect("the commands thread");

    let over = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (100..103)
        .map(|status| {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                let mut runner = Runner::new(now);
                let script = format!("cat; exit {status}");
                let mut runs = 0;
                while !over.load(Ordering::Relaxed) || runs < 50 {
                    let finished = runner.run("sh", &["-c", &script], b"what goes in", PATIENCE);
                    let finished = finished.unwrap_or_else(|error| panic!("run {runs}: {error:?}"));
                    assert_eq!(finished.exit, Exit::Status(status), "run {runs}");
                    assert_eq!(finished.stdout, b"what goes in", "run {runs}");
                    runs += 1;
                }
            })
        })
        .collect();

    let start = |commands: &mut Commands, rule: u32, run: u64| {
        commands.request(Request::StartTest(RunId { rule: RuleId(rule), run }, StartNews::WithNext));
        commands.flush();
    };
    for rule in 0..RULES {
        start(&mut commands, rule, 1);
    }
    let mut left = u64::from(RULES) * RUNS;
    let until = now() + PATIENCE;
    let mut events = Events::with_capacity(8);
    while left > 0 {
        assert!(now() < until, "{left} runs have not ended");
        poll.poll(&mut events, Some(std::time::Duration::from_millis(100))).expect("a poll");
        while let Some(report) = commands.poll_report() {
            let Report::Test(event) = report else { panic!("{report:?}") };
            match event {
                Event::Exited { run, ending, .. } => {
                    assert_eq!(ending, Ending::Exited(run.rule.0.try_into().expect("small")), "{run:?}");
                    left -= 1;
                    if run.run < RUNS {
                        start(&mut commands, run.rule.0, run.run + 1);
                    }
                }
                Event::Started { .. } => {}
                other @ (Event::NotStarted { .. } | Event::Signaled { .. } | Event::Concluded { .. }) => {
                    panic!("{other:?}")
                }
            }
        }
    }
    over.store(true, Ordering::Relaxed);
    for other in others {
        other.join().expect("every program told its own status");
    }
}
