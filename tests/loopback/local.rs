//! Local sockets.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::harness::pause;
use crate::own_trouble::Unprivileged;
use crate::probe::{self, AMPLE};
use crate::server::{ok, request, say};

/// A listener at a path that is short enough for the system (108 bytes).
fn listen(name: &str) -> (UnixListener, PathBuf) {
    let path = std::env::temp_dir().join(format!("hfm-{name}-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    (UnixListener::bind(&path).expect("a local socket"), path)
}

fn serve(listener: UnixListener, times: usize, serve: impl Fn(&mut UnixStream) + Send + 'static) {
    thread::spawn(move || {
        for _ in 0..times {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            serve(&mut stream);
        }
    });
}

#[test]
fn a_local_socket_is_probed_as_tcp_is() {
    let (listener, path) = listen("plain");
    let path = path.to_str().unwrap();
    probe::expect("connects", &format!("unix://{path}"), &[AMPLE], "ok");
    serve(listener, 3, |stream| {
        let mut asked = [0; 4];
        let _ = stream.read_exact(&mut asked);
        say(stream, if asked == *b"PING" { "PONG" } else { "EH?" });
    });
    let url = format!("unix://{path}");
    // The first accepted is the one that only connected.
    probe::expect("speaks", &url, &[AMPLE, "send=PING", "expect=PONG"], "ok");
    probe::expect("speaks", &url, &[AMPLE, "send=PANG", "expect=PONG"], "pattern-missing");
    let _ = std::fs::remove_file(path);
    probe::expect("gone", &url, &[AMPLE], "refused");
}

#[test]
fn http_over_a_local_socket() {
    let (listener, path) = listen("http");
    serve(listener, 2, |stream| {
        let asked = request(stream);
        let is_it = asked.starts_with("GET /_ping?x HTTP/1.1\r\nHost: localhost\r\n");
        say(stream, if is_it { ok("OK") } else { format!("HTTP/1.1 400 Bad\r\n\r\n{asked}") });
    });
    let path = path.to_str().unwrap();
    probe::expect("http", &format!("http+unix://{path}:/_ping?x"), &[AMPLE, "expect=OK"], "ok");
    probe::expect("http", &format!("http+unix://{path}:/other"), &[AMPLE], "http-status");
    let _ = std::fs::remove_file(path);
}

#[test]
fn a_local_socket_that_nobody_listens_on_refuses() {
    let (listener, path) = listen("left");
    drop(listener);
    let url = format!("unix://{}", path.display());
    assert_eq!(probe::expect("left", &url, &[AMPLE], "refused").detail, "Connection refused");
    let _ = std::fs::remove_file(&path);
    probe::expect("no file", &url, &[AMPLE], "refused");
    probe::expect("no directory", "unix:///nonexistent/a.sock", &[AMPLE], "refused");
}

#[test]
fn a_local_socket_that_we_may_not_use_says_nothing_of_the_service() {
    let Some(somebody) = Unprivileged::new("local-permission") else { return };
    let (_listener, path) = listen("closed");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("a mode");
    let url = format!("unix://{}", path.display());
    let told = probe::tell(somebody.probe(&[&url, "-json"]));
    let _ = std::fs::remove_file(&path);
    assert_eq!((&*told.only().verdict, &*told.only().reason), ("inconclusive", "permission"));
    assert!(told.only().detail.contains("closed"), "{told:?}");
}

/// A listener whose queue is full.
fn full(name: &str) -> (Socket, PathBuf, Vec<Socket>) {
    let path = std::env::temp_dir().join(format!("hfm-{name}-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let address = SockAddr::unix(&path).unwrap();
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(1).unwrap();
    let mut waiting = Vec::new();
    loop {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).unwrap();
        if socket.connect(&address).is_err() {
            return (listener, path, waiting);
        }
        waiting.push(socket);
        assert!(waiting.len() < 100, "a queue without end");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_queue_of_a_local_socket_is_waited_for() {
    let (listener, path, _waiting) = full("queue");
    let url = format!("unix://{}", path.display());
    let run = probe::expect("full", &url, &["timeout=500ms"], "timeout-connect");
    assert!(!run.reached("connect_us"));

    let listener = thread::spawn(move || {
        // Long enough for the probe to have found it full, as a rule.
        pause(Duration::from_millis(150));
        for _ in 0..4 {
            let (mut stream, _) = listener.accept().expect("a connection");
            say(&mut stream, "hello");
        }
    });
    probe::expect("frees up", &url, &[AMPLE, "expect=hello"], "ok");
    let _ = std::fs::remove_file(&path);
    drop(listener);
}
