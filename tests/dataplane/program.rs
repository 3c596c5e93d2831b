//! Programs run to their end: their input, their output, their end, and what is left of them.

use std::time::Duration;

use hfm::sys::process::Exit;
use hfm::sys::program::{Finished, ProgramError, Runner, STDERR_BYTES_MAX, STDOUT_BYTES_MAX};

use crate::place::{PATIENCE, Place, exists, now, patiently};

fn sh(script: &str, input: &[u8], timeout: Duration) -> Result<Finished, ProgramError> {
    Runner::new(now).run("sh", &["-c", script], input, timeout)
}

fn done(script: &str, input: &[u8]) -> Finished {
    sh(script, input, PATIENCE).unwrap_or_else(|error| panic!("{script}: {error:?}"))
}

#[test]
fn output_errors_and_status_are_told_apart() {
    let finished = done("echo out; echo err >&2; exit 7", b"");
    assert_eq!(finished.stdout, b"out\n");
    assert_eq!(finished.stderr, b"err\n");
    assert_eq!(finished.exit, Exit::Status(7));
    assert_eq!(done("kill -TERM $$", b"").exit, Exit::Signal(15));
    assert_eq!(done("printf %s \"$LC_ALL\"", b"").stdout, b"C");
}

/// Far more than a pipe holds goes in and comes out at the same time.
#[test]
fn megabytes_go_through_a_program_unharmed() {
    let input: Vec<u8> = (0..4_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let finished = done("cat", &input);
    assert!(finished.stdout == input, "{} bytes of {}", finished.stdout.len(), input.len());
}

#[test]
fn a_program_that_does_not_read_its_input_is_no_error() {
    let input = vec![b'x'; 1_000_000];
    assert_eq!(done("exit 3", &input).exit, Exit::Status(3));
    assert_eq!(done("exec <&-; echo deaf", &input).stdout, b"deaf\n");
    assert_eq!(done("head -c 5", &input).stdout, b"xxxxx");
}

#[test]
fn a_program_that_closes_its_output_is_waited_for() {
    assert_eq!(done("exec >&- 2>&-; sleep 0.2; exit 4", b"").exit, Exit::Status(4));
}

#[test]
fn what_cannot_be_run_is_told_apart() {
    let run = |program: &str| Runner::new(now).run(program, &[], b"", PATIENCE);
    assert!(matches!(run("hfm-has-no-such-program"), Err(ProgramError::NotFound)));
    assert!(matches!(run("/dev/null/x"), Err(ProgramError::NotStarted(_))));
    assert!(matches!(run("/"), Err(ProgramError::NotPermitted)));
}

#[test]
fn what_prints_too_much_is_killed() {
    for (script, bytes_max) in
        [("echo $$ >&2; exec yes", STDOUT_BYTES_MAX), ("exec yes >&2", STDERR_BYTES_MAX)]
    {
        match sh(script, b"", PATIENCE) {
            Err(ProgramError::TooMuchOutput(max)) => assert_eq!(max, bytes_max),
            other => panic!("{script}: {:?}", other.map(|finished| finished.exit)),
        }
    }
    let most = done(&format!("head -c {STDOUT_BYTES_MAX} /dev/zero"), b"");
    assert_eq!(most.stdout.len(), STDOUT_BYTES_MAX);
}

/// At the deadline: one that hangs, what it started, one that has closed everything, one that drips, and one
/// that left its output to another.
#[test]
fn nothing_runs_after_the_deadline() {
    let place = Place::new("deadline");
    for (number, script) in [
        "trap '' INT TERM HUP; sleep 100 & echo $! >> pids; wait",
        "exec >&- 2>&- <&-; sleep 100 & echo $! >> pids; wait",
        "while :; do echo drip; sleep 0.01; done",
        "sleep 100 & echo $! >> pids; exit 0",
    ]
    .iter()
    .enumerate()
    {
        let script = format!("cd {}; echo $$ >> pids; {script}", place.path.display());
        let before = now();
        let result = sh(&script, &[b'x'; 200_000], Duration::from_millis(700));
        let took = now() - before;
        assert!(matches!(result, Err(ProgramError::Timeout)), "{number}: {result:?}");
        assert!(took >= Duration::from_millis(700) && took < Duration::from_secs(10), "{number}: {took:?}");
    }
    let pids = place.read("pids");
    assert_eq!(pids.lines().count(), 7, "{pids}");
    // Grandchildren are reaped by another, a moment later.
    assert!(patiently(|| !pids.lines().any(exists)), "{pids}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_gets_three_descriptors() {
    let ours = std::fs::read_dir("/proc/self/fd").expect("/proc");
    let ours: Vec<_> = ours.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok()).collect();
    let listed = String::from_utf8(done("ls -l /proc/self/fd", b"").stdout).expect("text");
    // And the directory that ls reads, and whatever this test itself was started with.
    let links = listed.lines().filter_map(|line| line.split_once(" -> ").map(|(_, to)| to));
    let own = links.filter(|to| to.starts_with("pipe:") && !ours.iter().any(|our| our.as_os_str() == *to));
    assert!(own.count() <= 3, "{listed}");
}
