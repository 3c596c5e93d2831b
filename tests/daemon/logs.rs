//! Where the log goes, and a log that nobody reads.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Place, now, patiently, pause};
use crate::skip::skip;

/// There is one /dev/log.
pub(crate) static ALONE_WITH_SYSLOG: Mutex<()> = Mutex::new(());

fn end(child: &Child) {
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("it runs");
}

#[test]
fn lines_begin_with_date_and_time() {
    let (_, log) = Place::new("stamps").run("a { test = \"true\"; runs = 1 }");
    for line in log.lines() {
        let stamp: String = line.chars().take(20).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(stamp, "9999/99/99 99:99:99 ", "{line}");
    }
}

#[test]
fn a_rust_log_that_is_not_understood_is_told_and_ignored() {
    let place = Place::new("rust-log");
    for (value, why) in
        [("garbage==", "error parsing"), ("debugg", "'debugg' is no level: write error, warn,")]
    {
        let mut command = place.hfm("a { test = \"true\"; runs = 1 }");
        command.env("RUST_LOG", value);
        let mut daemon = place.start_command(command);
        assert!(daemon.wait().success());
        assert!(daemon.tells(&format!("RUST_LOG is ignored: {why}")), "{}", daemon.log());
        assert!(daemon.tells("Loaded 1 rules."), "{}", daemon.log());
    }
}

#[test]
fn syslog_gets_facility_severity_and_the_same_sentences() {
    const SOCKET: &str = "/dev/log";
    let _alone = ALONE_WITH_SYSLOG.lock();
    if std::path::Path::new(SOCKET).exists() {
        return skip("logs::syslog: /dev/log belongs to a system logger");
    }
    let Ok(socket) = UnixDatagram::bind(SOCKET) else {
        return skip("logs::syslog: no right to make /dev/log");
    };
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let place = Place::new("syslog");
    let mut command = place.hfm("a { test = \"false\"; runs = 1 }");
    let mut daemon = command.args(["-log", "Syslog", "-facility", "cron"]).spawn().expect("hfm starts");
    let mut lines = Vec::new();
    let mut buffer = [0; 4096];
    while !lines.iter().any(|line: &String| line.contains("completed execution.")) {
        let length = socket.recv(&mut buffer).expect("a message");
        lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    std::fs::remove_file(SOCKET).expect("it is ours");
    assert!(daemon.wait().expect("it ends").success());
    // cron is facility 9; info is severity 6, warning 4 (RFC 5424, 6.2.1).
    let has = |priority: &str, text: &str| lines.iter().any(|l| l.starts_with(priority) && l.contains(text));
    assert!(has("<78>", &format!("hfm[{}]: Loaded 1 rules.", daemon.id())), "{lines:?}");
    assert!(has("<76>", "changed state to: RuleStateFail"), "{lines:?}");
}

#[test]
fn a_log_that_falls_behind_says_how_many_lines_were_dropped() {
    let place = Place::new("dropped");
    let mut configuration = String::new();
    // Runs that cost little: also a machine that is busy with other things makes many lines.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let target = listener.local_addr().expect("an address");
    for rule in 0..20 {
        configuration += &format!("r{rule} {{ test = \"tcp://{target}\"; interval = 2ms }}\n");
    }
    let mut command = place.hfm(&configuration);
    let mut child = command
        .env("RUST_LOG", "debug")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("hfm starts");
    let mut log = child.stderr.take().expect("a pipe");
    let mut text = String::new();
    let mut buffer = [0; 65536];
    let mut is_told = false;
    for _ in 0..8 {
        // Nobody reads: the pipe and then the queue fill up, a line a run; on a busy machine that takes its time.
        pause(Duration::from_secs(12));
        let reading = now();
        while !is_told && now().saturating_duration_since(reading) < Duration::from_secs(2) {
            let length = log.read(&mut buffer).expect("the log");
            assert!(length > 0, "the log ended without a word of drops");
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
            is_told = text.contains(" lines dropped, the sink does not keep up");
        }
        if is_told {
            break;
        }
    }
    assert!(is_told, "{} bytes without a word of drops", text.len());
    end(&child);
    let mut rest = Vec::new();
    log.read_to_end(&mut rest).expect("the log");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_log_that_nobody_reads_delays_nothing_and_drops_are_counted() {
    let place = Place::new("stuck-log");
    let mut command = place.hfm(
        "interval = 10ms\n\
         loud { test = sh; test_arguments = [-c, 'head -c 12000 /dev/zero | tr \"\\\\0\" x; echo run >> @DIR@/runs'] }",
    );
    let mut child =
        command.stderr(Stdio::piped()).stdout(Stdio::null()).env("RUST_LOG", "trace").spawn().expect("hfm");
    // The pipe holds 64 KiB: it is full after a few lines. Runs must go on all the same.
    assert!(patiently(|| place.read("runs").lines().count() > 150), "{}", place.read("runs").lines().count());
    let mut log = child.stderr.take().expect("a pipe");
    end(&child);
    let mut text = Vec::new();
    log.read_to_end(&mut text).expect("the log");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(text.len() > 64 * 1024);
}

#[test]
fn a_log_that_is_never_read_does_not_keep_it_from_ending() {
    let place = Place::new("never-read-log");
    let mut command = place.hfm("interval = 10ms\nloud { test = seq; test_arguments = [\"1\", \"5000\"] }");
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("hfm");
    pause(Duration::from_secs(2));
    end(&child);
    let mut status = None;
    assert!(patiently(|| {
        status = child.try_wait().expect("it can be waited for");
        status.is_some()
    }));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}
