//! `status -w`: in a pipe, and on a terminal that script(1) lends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::server::{Play, Running, Server, done, rule, stderr, stdout, text};

fn tables(states: &[&str]) -> Vec<Play> {
    states.iter().map(|state| Play::Say(text(&[rule("web/1", state), done("1 rule")]))).collect()
}

#[test]
fn in_a_pipe_table_follows_table_and_hfm_may_go_away() {
    let mut plays = tables(&["success", "fail"]);
    plays.push(Play::Close);
    plays.extend(tables(&["unknown"]));
    let server = Server::new("watch-pipe", plays);
    let mut child = Running(server.hfmctl(&["status", "-w", "0.1"]).spawn().expect("hfmctl runs"));
    let mut lines = BufReader::new(child.0.stdout.take().expect("its stdout")).lines();
    let mut line = || lines.next().expect("a line").expect("a line");
    for word in ["up", "down", "unknown"] {
        assert!(line().starts_with("RULE "));
        assert!(line().starts_with(&format!("web/1  {word} ")), "{word}");
        assert_eq!(line(), format!("1 rule: 1 {word}"));
        if word != "unknown" {
            assert_eq!(line(), "");
        }
    }
    kill(Pid::from_raw(child.0.id() as i32), Signal::SIGTERM).expect("it runs");
    assert_eq!(child.0.wait().expect("it ends").code(), Some(0));
    let mut complaints = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut complaints).expect("its stderr");
    assert!(complaints.contains("closed the connection before its answer was complete"), "{complaints}");
}

#[test]
fn no_hfm_at_first_or_a_refusal_is_told_as_without_it() {
    let refused = json!({"type": "refused", "text": "no rule matches 'x'"});
    let server = Server::saying("watch-refused", &[refused]);
    let output = server.run(&["status", "x", "-w"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    assert_eq!(stderr(&output), "hfmctl: refused: no rule matches 'x'\n");
    let output = crate::server::hfmctl(&["status", "-w", "-s", "/nonexistent/hfm.sock"]).output();
    assert_eq!(output.expect("hfmctl runs").status.code(), Some(2));
}

/// On a terminal, until what it draws has this in it; then Ctrl-C. All that it wrote.
fn on_a_terminal(server: &Server, environment: &str, until: &str) -> String {
    let (hfmctl, socket) = (env!("CARGO_BIN_EXE_hfmctl"), server.socket.display());
    // Its own number goes first, so that it can be told to end.
    let run = format!(
        "stty cols 60 rows 8; exec env {environment} sh -c 'echo $$; exec {hfmctl} -s {socket} status -w 0.1'"
    );
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &run, "/dev/null"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut script = Running(command.spawn().expect("script(1)"));
    let mut stdout = script.0.stdout.take().expect("its stdout");
    let (mut said, mut chunk) = (Vec::new(), [0; 4096]);
    let has = |said: &[u8]| String::from_utf8_lossy(said).contains(until);
    while !has(&said) {
        let length = stdout.read(&mut chunk).expect("its stdout");
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&said));
        said.extend(&chunk[..length]);
    }
    let text = String::from_utf8_lossy(&said);
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("it runs");
    stdout.read_to_end(&mut said).expect("its stdout");
    assert_eq!(script.0.wait().expect("it ends").code(), Some(0));
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn on_a_terminal_it_is_redrawn_in_place_and_the_terminal_is_given_back() {
    let mut rules: Vec<_> = (0..20).map(|number| rule(&format!("web/{number}"), "success")).collect();
    rules.push(rule("web/broken", "fail"));
    rules.push(done("21 rules"));
    let server = Server::new("watch-terminal", vec![Play::Say(text(&rules)); 2]);
    // After two answers nobody listens any more.
    let said = on_a_terminal(&server, "TERM=xterm NO_COLOR=", "nobody listens at");
    let (entered, left) = (said.find("\x1b[?1049h"), said.rfind("\x1b[?1049l"));
    assert!(entered.is_some() && entered < left, "{said:?}");
    assert_eq!(said.matches("\x1b[?1049h").count(), 1, "{said:?}");
    assert!(said.rfind("\x1b[?25l") < said.rfind("\x1b[?25h") && said.contains("\x1b[?7h"), "{said:?}");
    let frames: Vec<_> = said.split("\x1b[H").skip(1).collect();
    for frame in &frames {
        assert!(frame.lines().count() <= 8, "{frame:?}");
    }
    let first: Vec<_> = frames[0].lines().collect();
    assert!(first[0].contains("hfmctl status, every 0.1 s"), "{first:?}");
    assert!(first[3].contains("web/broken") && first[3].contains("\x1b[1;31mdown"), "{first:?}");
    assert!(first.iter().any(|line| line.contains("more, all up")), "{first:?}");
    assert!(first.iter().any(|line| line.contains("21 rules: 20 up, 1 down")), "{first:?}");
    // What was last known stays, below why it is no newer.
    let last = frames.last().unwrap();
    assert!(last.contains("last answer") && last.contains("web/broken"), "{last:?}");
}

#[test]
fn no_color_and_a_dumb_terminal_are_heeded() {
    let server = Server::new("watch-plain", tables(&["fail"]));
    let said = on_a_terminal(&server, "TERM=xterm NO_COLOR=1", "nobody listens at");
    assert!(said.contains("\x1b[?1049l") && !said.contains("\x1b[1;31m"), "{said:?}");
    let server = Server::new("watch-dumb", tables(&["fail", "fail"]));
    let said = on_a_terminal(&server, "TERM=dumb", "nobody listens at");
    assert!(!said.contains('\x1b') && said.matches("1 rule: 1 down").count() == 2, "{said:?}");
}
