//! An hfm with a control socket, and one client's side of the protocol, as anybody may write it.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Daemon, Place, patiently};

/// A short way to a socket: the system takes no long ones. Gone after the test.
pub(crate) struct Home(pub(crate) Place);

impl Home {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hfm-c{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory for the test");
        Self(Place { path })
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.path.join("hfm.sock")
    }

    /// The configuration with the socket in it, and a directory of its own unless it names one, in its first line.
    pub(crate) fn configuration(&self, rules: &str) -> String {
        let state = format!("; state_dir = \"{}\"", self.0.path.join("state").display());
        let state = if rules.contains("state_dir") { "" } else { &state };
        format!("control = \"{}\"{state}\n{rules}", self.socket().display())
    }

    /// Starts hfm and waits until it can be asked.
    pub(crate) fn start(&self, rules: &str) -> Daemon {
        let mut daemon = self.0.start(&self.configuration(rules));
        daemon.wait_for("Loaded", 1);
        assert!(patiently(|| UnixStream::connect(self.socket()).is_ok()), "{}", daemon.log());
        daemon
    }

    pub(crate) fn talk(&self) -> Talk {
        Talk::to(&self.socket())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.path);
    }
}

/// A connection.
pub(crate) struct Talk(BufReader<UnixStream>);

impl Talk {
    pub(crate) fn to(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("hfm listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        stream.set_write_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        Self(BufReader::new(stream))
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        self.0.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("hfm reads");
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            // Closed with something of ours unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("no line: {error}"),
        }
        assert!(line.ends_with('\n'), "a whole line: {line:?}");
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}")))
    }

    /// The lines of an answer, the last one included.
    pub(crate) fn answer(&mut self) -> Vec<Value> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().unwrap_or_else(|| panic!("no end of an answer: {lines:?}"));
            let is_last = line["type"] == "done" || line["type"] == "refused";
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    /// Asks and gives back the answer.
    pub(crate) fn ask(&mut self, request: &str) -> Vec<Value> {
        self.send(format!("{request}\n").as_bytes());
        self.answer()
    }

    /// Asks for something that is to be done; what hfm says.
    pub(crate) fn done(&mut self, request: &str) -> String {
        let answer = self.ask(request);
        let last = answer.last().expect("a last line");
        assert_eq!(last["type"], "done", "{answer:?}");
        last["text"].as_str().expect("a text").to_owned()
    }

    /// Asks for something that is to be refused; why.
    pub(crate) fn refused(&mut self, request: &str) -> String {
        let answer = self.ask(request);
        let last = answer.last().expect("a last line");
        assert_eq!(last["type"], "refused", "{answer:?}");
        last["text"].as_str().expect("a text").to_owned()
    }

    /// `stats`.
    pub(crate) fn stats(&mut self) -> Value {
        self.ask(r#"{"command":"stats"}"#).swap_remove(0)
    }

    /// Whether hfm closes it; what it says before that is left aside.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// The names of the rules in an answer.
pub(crate) fn rules(answer: &[Value]) -> Vec<&str> {
    answer.iter().filter_map(|line| line["rule"].as_str()).collect()
}

/// Sends as much as hfm takes, and never waits.
pub(crate) fn send_what_goes(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    stream.set_nonblocking(true)?;
    let sent = (&*stream).write(bytes);
    stream.set_nonblocking(false)?;
    sent
}
