//! A control socket that answers as a test has it.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long anything may take before a test gives up; far more than it should.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a server does on one connection.
#[derive(Clone, Debug)]
pub enum Play {
    /// Reads a request, says this, reads on until the client closes.
    Say(Vec<u8>),
    /// Reads a request, says this, closes.
    SayAndClose(Vec<u8>),
    /// Closes at once.
    Close,
}

/// A server, and a directory of its own.
pub struct Server {
    pub socket: PathBuf,
    requests: Receiver<String>,
}

impl Server {
    /// Plays these, a connection each; nobody listens any more then.
    pub fn new(test: &str, plays: Vec<Play>) -> Self {
        let socket = socket(test);
        let listener = UnixListener::bind(&socket).expect("a socket for the test");
        let (requested, requests) = channel();
        std::thread::spawn(move || {
            for play in plays {
                let Ok((stream, _)) = listener.accept() else { return };
                perform(play, stream, |request| drop(requested.send(request)));
            }
        });
        Self { socket, requests }
    }

    /// Answers one request by these lines.
    pub fn saying(test: &str, lines: &[Value]) -> Self {
        Self::new(test, vec![Play::Say(text(lines))])
    }

    /// The next request that came, as it came.
    pub fn request(&self) -> String {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    /// hfmctl, told of this socket, and nobody's.
    pub fn hfmctl(&self, arguments: &[&str]) -> Command {
        let mut command = hfmctl(arguments);
        command.arg("-s").arg(&self.socket);
        command
    }

    /// What it says, to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.hfmctl(arguments).output().expect("hfmctl runs")
    }
}

fn perform(play: Play, mut stream: UnixStream, requested: impl Fn(String)) {
    let (bytes, is_closed) = match play {
        Play::Say(bytes) => (bytes, false),
        Play::SayAndClose(bytes) => (bytes, true),
        Play::Close => return,
    };
    let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
    let mut request = String::new();
    if matches!(reader.read_line(&mut request), Ok(length) if length > 0) {
        requested(request);
        // A client that has gone is no matter of the server.
        let _ = stream.write_all(&bytes);
    }
    if !is_closed {
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    }
}

/// hfmctl, as if run by somebody of whom nothing is known.
pub fn hfmctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfmctl"));
    for variable in ["SUDO_USER", "DOAS_USER", "USER", "LOGNAME", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Where a test may put its socket; nothing is there. A short path: sockets have no long ones.
pub fn socket(test: &str) -> PathBuf {
    let directory = Path::new("/tmp").join(format!("hfmctl-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).expect("a directory for the test");
    directory.join("hfm.sock")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.socket.parent().expect("it is in a directory"));
    }
}

/// Lines of the protocol.
pub fn text(lines: &[Value]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

pub fn done(text: &str) -> Value {
    json!({"type": "done", "text": text})
}

/// A rule, in this state.
pub fn rule(name: &str, state: &str) -> Value {
    json!({
        "type": "rule", "rule": name, "state": state, "own": state, "since": 1e9, "verdict": "success",
        "reason": "ok", "detail": null, "blame": null, "p50_us": 214, "p99_us": 1290, "availability": 100.0,
        "runs": 7, "failures": 0, "inconclusive": 0, "missed": 0, "next": null, "running": true, "stale": false,
        "ended": null, "override": null,
    })
}

/// A process that is killed when the test is over.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
