//! The built hfm with its page, and backends that come and go.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Daemon, patiently};
use crate::talk::{Home, Talk};

/// An hfm with a page at an address of its own.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) daemon: Daemon,
    home: Home,
    configuration: String,
}

/// An address on loopback that no other test has.
pub(crate) fn own_address(port: u16) -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [low, high, ..] = std::process::id().to_le_bytes();
    (Ipv4Addr::new(127, 1 + high % 250, low, NEXT.fetch_add(1, Ordering::Relaxed)), port).into()
}

impl Site {
    pub(crate) fn new(test: &str, rules: &str) -> Self {
        let address = own_address(9090);
        let configuration = format!("listen = \"{address}\"\n{rules}");
        let home = Home::new(test);
        let daemon = home.start(&configuration);
        assert!(patiently(|| TcpStream::connect(address).is_ok()), "{}", daemon.log());
        Self { address, daemon, home, configuration }
    }

    /// The same anew, once it was stopped: the same address, file and state.
    pub(crate) fn start_again(&mut self) {
        self.daemon = self.home.start(&self.configuration);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn talk(&self) -> Talk {
        self.home.talk()
    }

    /// What `/api/v1/status` says.
    pub(crate) fn status(&self) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Waits until the status has this number under this name in `counts`.
    pub(crate) fn wait_for(&self, name: &str, number: u64) {
        let is_so = patiently(|| self.status()["counts"][name] == number);
        assert!(is_so, "{name} is never {number}: {}\n{}", self.status(), self.daemon.log());
    }

    /// `hfmctl` with these arguments, run by this user.
    pub(crate) fn hfmctl(&self, user: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfmctl"));
        for variable in ["SUDO_USER", "DOAS_USER", "LOGNAME"] {
            command.env_remove(variable);
        }
        command.env("USER", user).arg("-s").arg(self.home.socket()).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output
    }
}

/// What a backend does with a connection.
pub(crate) type Serve = Arc<dyn Fn(TcpStream) + Send + Sync>;

/// A server at an address of its own, which it keeps when it is down for a while.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    serve: Serve,
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Backend {
    /// One that answers each request with these bytes.
    pub(crate) fn new(answer: &'static str) -> Self {
        Self::with(Arc::new(move |stream| drop(answer_http(stream, answer))))
    }

    pub(crate) fn with(serve: Serve) -> Self {
        let mut backend = Self { address: own_address(8080), serve, running: None };
        backend.start();
        backend
    }

    pub(crate) fn start(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let (is_over, serve) = (Arc::clone(&ends), Arc::clone(&self.serve));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                match stream {
                    Ok(stream) => serve(stream),
                    // Gone before it was taken.
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) => panic!("the backend: {error}"),
                }
            }
        });
        self.running = Some((ends, thread));
    }

    /// From now on nobody listens.
    pub(crate) fn stop(&mut self) {
        let Some((ends, thread)) = self.running.take() else { return };
        ends.store(true, Ordering::Relaxed);
        // Wakes the one that accepts.
        drop(TcpStream::connect(self.address));
        thread.join().unwrap();
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads a request, and answers it.
pub(crate) fn answer_http(mut stream: impl Read + Write, answer: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut part = [0; 1024];
        match stream.read(&mut part)? {
            0 => break,
            length => request.extend_from_slice(&part[..length]),
        }
    }
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

/// Waits as a person does who looks on.
#[expect(clippy::disallowed_methods, reason = "a test of the real program waits in real time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
