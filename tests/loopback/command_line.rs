//! `hfm probe` as a command: what it takes, prints and exits with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::pause;
use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, answer, http_url, ok};

fn healthy() -> Server {
    Server::new(V4, |stream, _| answer(stream, ok("hello")))
}

#[test]
fn so_many_runs_are_made_as_asked_for() {
    let server = healthy();
    let url = http_url(server.address);
    assert_eq!(probe::probe(&url, &[AMPLE]).runs.len(), 1);
    assert_eq!(probe::probe(&url, &[AMPLE, "-c", "37"]).runs.len(), 37);
    assert_eq!(probe::probe(&url, &[AMPLE, "-c", "37", "-j", "8"]).runs.len(), 37);
    assert_eq!(probe::probe(&url, &["-c", "5", "-i", "100ms"]).runs.len(), 5);
    assert_eq!(probe::probe(&url, &["--c=3", "--j=9", "-i=100ms"]).runs.len(), 3);
    assert_eq!(server.accepted(), 1 + 37 + 37 + 5 + 3);
}

#[test]
fn so_many_runs_go_on_at_a_time_as_asked_for() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let server = Server::new(V4, move |stream, _| {
        let count = now.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(count, Ordering::SeqCst);
        // Nobody is answered before all are there.
        let all = crate::harness::patiently(|| most.load(Ordering::SeqCst) >= 6);
        answer(stream, if all { ok("hello") } else { String::new() });
        now.fetch_sub(1, Ordering::SeqCst);
    });
    assert!(probe::probe(&http_url(server.address), &[AMPLE, "-c", "12", "-j", "6"]).all_ok());
    pause(std::time::Duration::from_millis(20));
    assert!(seen.load(Ordering::SeqCst) >= 6);
}

#[test]
fn one_run_that_does_not_succeed_is_status_1() {
    let server = Server::new(V4, |stream, number| {
        answer(stream, if number == 2 { "HTTP/1.1 500 Oh\r\n\r\n".to_owned() } else { ok("") });
    });
    let url = http_url(server.address);
    let told = probe::probe(&url, &[AMPLE, "-c", "5"]);
    assert_eq!(told.status, 1);
    assert_eq!(told.reasons(), ["ok", "ok", "http-status", "ok", "ok"]);
    assert_eq!(probe::probe(&url, &[AMPLE, "-c", "5"]).status, 0);
    // Nor is one that says nothing a success.
    assert_eq!(probe::probe(&url, &["source=192.0.2.1"]).status, 1);
}

#[test]
fn bad_arguments_are_status_2_and_connect_to_nobody() {
    let server = healthy();
    let url = http_url(server.address);
    let arguments: [&[&str]; 12] = [
        &[],
        &["-c", "3"],
        &[&url, "-c", "0"],
        &[&url, "-c"],
        &[&url, "-x"],
        &[&url, "another"],
        &[&url, "expct=x"],
        &[&url, "timeout=0"],
        &[&url, "expect_regex='('"],
        &[&url, "tables='filter/x'"],
        &["/bin/true"],
        &["gopher://127.0.0.1/"],
    ];
    for arguments in arguments {
        let ended = probe::run(probe::command(arguments));
        assert_eq!(ended.status, 2, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(server.accepted(), 0);
    let help = probe::run(probe::command(&["-h"]));
    assert_eq!(help.status, 0);
    assert!(help.stdout.starts_with("Usage: hfm probe URL"));
}

#[test]
fn the_text_has_a_line_a_run_and_one_that_adds_up() {
    let server = Server::new(V4, |stream, number| {
        answer(stream, if number == 1 { "HTTP/1.1 500 Oh\r\n\r\n".to_owned() } else { ok("hello") });
    });
    let ended = probe::run(probe::command(&[&http_url(server.address), AMPLE, "-c", "3"]));
    assert_eq!(ended.status, 1, "{}{}", ended.stdout, ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ended.stdout);
    for line in [lines[0], lines[2]] {
        assert!(line.starts_with("success ok connect="), "{line}");
        assert!(line.contains(" first_byte=") && line.contains(" total="), "{line}");
        assert!(!line.contains("detail") && !line.contains("tls="), "{line}");
    }
    assert!(lines[1].starts_with("failure http-status connect="), "{}", lines[1]);
    assert!(lines[1].ends_with(" detail=\"status 500, wanted 200-399\""), "{}", lines[1]);
    assert!(lines[3].starts_with("runs=3 failures=1 inconclusive=0 min="), "{}", lines[3]);
    for name in ["p50", "p90", "p99", "p99.9", "max"] {
        assert!(lines[3].contains(&format!(" {name}=")), "{}", lines[3]);
    }
}

#[test]
fn whoever_reads_no_more_hears_no_complaint() {
    let server = healthy();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "\"$@\" | head -n 1; :", "sh", env!("CARGO_BIN_EXE_hfm"), "probe"]);
    command.args([&*http_url(server.address), AMPLE, "-c", "200"]);
    let ended = probe::run(command);
    assert!(ended.stdout.starts_with("success ok "), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
    // It ends when it notices, which may be before the last run.
    assert!((1..=200).contains(&server.accepted()), "{}", server.accepted());
}

#[test]
fn it_ends_when_nobody_reads_its_output_any_more() {
    use std::io::{BufRead, BufReader};
    let server = healthy();
    let mut child = probe::command(&[&http_url(server.address), AMPLE, "-c", "1000000000"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("hfm runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("success"), "{line}");
    let ended = crate::harness::patiently(|| child.try_wait().expect("a child can be waited for").is_some());
    if !ended {
        let _ = child.kill();
        let _ = child.wait();
    }
    assert!(ended, "it makes runs that nobody sees");
}
