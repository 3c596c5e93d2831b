//! No hfm, or one that does not do as it should: exit status 2, where, why, and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Output;

use serde_json::json;

use crate::server::{Play, Server, done, hfmctl, rule, socket, stderr, stdout, text};
use crate::skip::skip;

fn is_no_answer(output: &Output, words: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn no_socket_and_nobody_behind_it_are_told_apart() {
    let path = socket("none");
    let run = || hfmctl(&["status", "-s"]).arg(&path).output().expect("hfmctl runs");
    let at = path.to_str().expect("a path in ASCII");
    is_no_answer(&run(), &["there is no socket", at, "Start hfm", "-s"]);
    drop(UnixListener::bind(&path).expect("a socket"));
    is_no_answer(&run(), &["nobody listens at", at, "Start it"]);
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, "").expect("a file");
    is_no_answer(&run(), &[at, "is not a socket"]);
    fs::remove_dir_all(path.parent().unwrap()).expect("it is there");
    let long = hfmctl(&["status", "-s", &"x".repeat(200)]).output().expect("hfmctl runs");
    is_no_answer(&long, &["too long for the path of a socket"]);
}

#[test]
fn whoever_may_not_is_told_whose_the_socket_is() {
    if !nix::unistd::getuid().is_root() {
        skip("hfmctl without permission: only root can become another user");
        return;
    }
    let path = socket("denied");
    let directory = path.parent().unwrap();
    let program = directory.join("hfmctl");
    // A copy, because the way to the built one may be closed.
    fs::copy(env!("CARGO_BIN_EXE_hfmctl"), &program).expect("a copy of hfmctl");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("a mode");
    let _listener = UnixListener::bind(&path).expect("a socket");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).expect("a mode");
    let run = || {
        let mut command = std::process::Command::new(&program);
        command.args(["stop", "-s"]).arg(&path).uid(54321).gid(54321).output().expect("hfmctl runs")
    };
    is_no_answer(&run(), &["you may not connect", "user root and group root", "you are not in its group"]);
    fs::set_permissions(directory, fs::Permissions::from_mode(0o711)).expect("a mode");
    fs::create_dir(directory.join("closed")).expect("a directory");
    fs::set_permissions(directory.join("closed"), fs::Permissions::from_mode(0o700)).expect("a mode");
    let mut command = std::process::Command::new(&program);
    command.args(["stop", "-s"]).arg(directory.join("closed/hfm.sock")).uid(54321).gid(54321);
    is_no_answer(&command.output().expect("hfmctl runs"), &["a directory on the way to it is closed to you"]);
    fs::remove_dir_all(directory).expect("it is there");
}

#[test]
fn a_connection_that_ends_before_the_answer_is_told() {
    let half = text(&[rule("a", "success"), rule("b", "success")]);
    let mut cut = half.clone();
    cut.truncate(half.len() - 10);
    for (name, play) in [
        ("closed-at-once", Play::Close),
        ("closed-silent", Play::SayAndClose(Vec::new())),
        ("closed-half", Play::SayAndClose(half)),
        ("closed-in-a-line", Play::SayAndClose(cut)),
    ] {
        let server = Server::new(name, vec![play]);
        let output = server.run(&["status"]);
        is_no_answer(&output, &["closed the connection before its answer was complete", "see its log"]);
        assert_eq!(stdout(&output), "", "no half of a table");
    }
}

#[test]
fn events_before_the_end_of_hfm_are_told() {
    let event = json!({"type": "event", "time": "x", "level": "info", "message": "going"});
    let server = Server::new("events-end", vec![Play::SayAndClose(text(std::slice::from_ref(&event)))]);
    let output = server.run(&["events"]);
    is_no_answer(&output, &["closed the connection"]);
    assert_eq!(stdout(&output), "x info         going\n");
    let server = Server::saying("events-done", &[event, done("hfm is stopping")]);
    assert_eq!(server.run(&["events"]).status.code(), Some(0));
}

#[test]
fn silence_ends_after_the_time_that_is_given_it() {
    for (name, bytes) in [("silent", Vec::new()), ("silent-in-a-line", b"{\"type\":\"do".to_vec())] {
        for command in [&["status"][..], &["events"], &["status", "-w"]] {
            let server = Server::new(name, vec![Play::Say(bytes.clone())]);
            let output = server.hfmctl(command).args(["--timeout", "0.2"]).output().expect("hfmctl runs");
            is_no_answer(&output, &["has said nothing for 0.2 s", "see its log"]);
        }
    }
}

#[test]
fn an_hfm_that_takes_no_connection_is_told() {
    if cfg!(not(target_os = "linux")) {
        skip("a full queue of connections is refused at once here");
        return;
    }
    let path = socket("full-queue");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).expect("a socket");
    let address = socket2::SockAddr::unix(&path).expect("an address");
    socket.bind(&address).expect("it is free");
    socket.listen(0).expect("it can be listened on");
    // Nobody takes the first, and there is no room for a second.
    let _first = std::os::unix::net::UnixStream::connect(&path).expect("a connection");
    let output = hfmctl(&["status", "--timeout", "0.2", "-s"]).arg(&path).output().expect("hfmctl runs");
    is_no_answer(&output, &["takes no connection within 0.2 s", "it may be stuck"]);
    fs::remove_dir_all(path.parent().unwrap()).expect("it is there");
}

#[test]
fn what_is_no_protocol_is_refused_and_harmless() {
    let huge = vec![b'x'; 2 * 1024 * 1024];
    let missing = b"{\"type\":\"rule\",\"rule\":\"a\"}\n".to_vec();
    for (name, bytes, word) in [
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "another version"),
        ("binary", vec![0xff, 0xfe, 0x00, b'\n'], "not UTF-8"),
        ("escapes", b"\x1b[2J\x9b\n".to_vec(), "not UTF-8"),
        ("escape", b"{\"type\":\"\x1b[2J\"}\n".to_vec(), "control character"),
        ("empty", b"\n".to_vec(), "EOF"),
        ("list", b"[]\n".to_vec(), "another version"),
        ("huge", huge, "longer than 1048576 bytes"),
        ("missing", missing, "missing field"),
    ] {
        let server = Server::new(name, vec![Play::Say(bytes)]);
        let output = server.run(&["--json", "status"]);
        is_no_answer(&output, &[word, "hfm of another version"]);
        assert_eq!(stdout(&output), "");
        assert!(!stderr(&output).contains(|c: char| c != '\n' && hfm::line::is_harmful(c)), "{output:?}");
    }
}
