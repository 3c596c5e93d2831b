//! Who checks: hfm, haproxy and the floor, each told to check the same targets in the same way.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::certificate::NAME;
use super::place::{self, Cores, bound};
use super::rows::{FIRST, Kind, Row};
use super::target::port;
use super::words::{self, Words};

/// How long one may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Servers in one backend of haproxy's: reading them takes the square of their number.
const BACKEND_SERVERS: u32 = 1000;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Hfm,
    Haproxy,
    Floor,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Hfm, Self::Haproxy, Self::Floor];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Hfm => "hfm",
            Self::Haproxy => "haproxy",
            Self::Floor => "floor",
        }
    }
}

/// Where programs and files are.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) directory: PathBuf,
    pub(crate) cores: Cores,
    /// Whether the floor was compiled with OpenSSL.
    pub(crate) floor_speaks_tls: bool,
}

impl Bench {
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    fn floor(&self) -> PathBuf {
        self.directory.join("floor")
    }

    /// Whether a peer can be had for a row.
    pub(crate) fn has(&self, peer: Peer, kind: Kind) -> bool {
        peer != Peer::Floor || self.floor_speaks_tls || !kind.is_tls()
    }

    /// Who of these is not there, and why. Compiles the floor.
    pub(crate) fn lacks(&mut self, peer: Peer) -> Option<String> {
        match peer {
            Peer::Hfm => None,
            Peer::Haproxy => match Command::new("haproxy").arg("-v").stdout(Stdio::null()).status() {
                Ok(status) if status.success() => None,
                other => Some(format!("haproxy -v: {other:?}")),
            },
            Peer::Floor => {
                self.floor_speaks_tls = self.compile(&["-DWITH_OPENSSL", "-lssl", "-lcrypto"]).is_ok();
                if self.floor_speaks_tls { None } else { self.compile(&[]).err() }
            }
        }
    }

    fn compile(&self, more: &[&str]) -> Result<(), String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scale/floor.c");
        let done = Command::new("cc").args(["-O2", "-o"]).arg(self.floor()).arg(source).args(more).output();
        let done = done.map_err(|error| format!("cc: {error}"))?;
        if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
    }
}

/// One at work.
#[derive(Debug)]
pub(crate) struct Checker {
    peer: Peer,
    child: Child,
    /// What it prints.
    log: PathBuf,
    /// Where haproxy can be asked.
    socket: PathBuf,
}

impl Checker {
    /// Starts it on its core.
    pub(crate) fn start(bench: &Bench, peer: Peer, row: &Row) -> Self {
        let (log, socket) = (bench.directory.join("log"), bench.directory.join("haproxy.sock"));
        let mut command = match peer {
            Peer::Hfm => hfm(bench, row),
            Peer::Haproxy => haproxy(bench, row, &socket),
            Peer::Floor => floor(bench, row),
        };
        let sink = File::create(&log).expect("a file for what it prints");
        let also = sink.try_clone().expect("the same file");
        // What is started inherits the core.
        place::pin(bench.cores.checker).expect("the checker's core");
        let child = command.stdin(Stdio::null()).stdout(sink).stderr(also).spawn();
        place::pin(bench.cores.target).expect("the target's core");
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { peer, child, log, socket }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    /// What it says of itself, since its start.
    pub(crate) fn words(&self) -> Words {
        match self.peer {
            Peer::Hfm => {
                let before = words::summaries(&self.printed());
                kill(self.pid(), Signal::SIGUSR1).expect("hfm runs");
                let is_there = || words::summaries(&self.printed()) > before;
                assert!(patiently(is_there), "hfm gives no summary:\n{}", self.printed());
                words::of_hfm(&self.printed())
            }
            Peer::Haproxy => words::of_haproxy(&self.socket),
            Peer::Floor => Words::default(),
        }
    }

    /// Ends it; what it says at its end.
    pub(crate) fn end(mut self) -> Words {
        kill(self.pid(), Signal::SIGTERM).expect("it runs");
        let has_ended = || self.child.try_wait().expect("a child of ours").is_some();
        assert!(patiently(has_ended), "{} does not end", self.peer.word());
        match self.peer {
            Peer::Hfm | Peer::Haproxy => Words::default(),
            Peer::Floor => words::of_floor(&self.printed()),
        }
    }

    /// Panics if it runs no more.
    pub(crate) fn must_run(&mut self) {
        let status = self.child.try_wait().expect("a child of ours");
        assert!(status.is_none(), "{} has ended ({status:?}):\n{}", self.peer.word(), self.printed());
    }

    fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("its log")).into_owned()
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn patiently(mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if is_so() {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    is_so()
}

fn hfm(bench: &Bench, row: &Row) -> Command {
    let mut text = format!(
        "interval = {}ms\ntimeout = {}ms\ncontrol = \"\"\n",
        row.interval.as_millis(),
        row.timeout().as_millis()
    );
    let (scheme, path) = match row.kind {
        Kind::Tcp | Kind::Blackhole => ("tcp", ""),
        Kind::Http => ("http", "/"),
        Kind::HttpsFull | Kind::HttpsResumed => ("https", "/"),
    };
    if row.kind.is_tls() {
        let _ = writeln!(text, "tls_ca = \"{}\"\ntls_name = \"{NAME}\"", bench.ca_file().display());
    }
    if row.kind == Kind::HttpsResumed {
        text.push_str("tls_resume = true\n");
    }
    let port = port(row.kind);
    for index in 0..row.rules {
        let _ = writeln!(text, "r{index} {{ test = \"{scheme}://{}:{port}{path}\" }}", Row::address(index));
    }
    let mut command = bound(env!("CARGO_BIN_EXE_hfm"));
    command.arg("-config").arg(write(bench, "hfm.conf", &text));
    command
}

fn haproxy(bench: &Bench, row: &Row, socket: &Path) -> Command {
    let check = match row.kind {
        Kind::Tcp | Kind::Blackhole => "",
        Kind::Http | Kind::HttpsFull | Kind::HttpsResumed => " option httpchk GET /\n",
    };
    let secure = format!(
        " check-ssl check-sni {NAME} verify required verifyhost {NAME} ca-file {}",
        bench.ca_file().display()
    );
    let more = match row.kind {
        Kind::Tcp | Kind::Blackhole | Kind::Http => String::new(),
        Kind::HttpsFull => secure + " no-ssl-reuse",
        Kind::HttpsResumed => secure,
    };
    let (timeout, port) = (row.timeout().as_millis(), port(row.kind));
    let mut text = format!(
        "global\n no strict-limits\n maxconn 100\n nbthread 1\n spread-checks 0\n stats socket {}\n\
         defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect {timeout}ms\n \
         timeout check {timeout}ms\n\
         listen idle\n bind 127.0.0.1:9999\n http-request return status 200\n",
        socket.display()
    );
    for index in 0..row.rules {
        if index % BACKEND_SERVERS == 0 {
            let (backend, interval) = (index / BACKEND_SERVERS, row.interval.as_millis());
            let _ =
                writeln!(text, "backend b{backend}\n{check} default-server check inter {interval}ms{more}");
        }
        let _ = writeln!(text, " server s{index} {}:{port}", Row::address(index));
    }
    let mut command = bound("haproxy");
    command.arg("-db").arg("-f").arg(write(bench, "haproxy.cfg", &text));
    command
}

fn floor(bench: &Bench, row: &Row) -> Command {
    let mut command = bound(bench.floor());
    let kind = if row.kind == Kind::Blackhole { Kind::Tcp } else { row.kind };
    command.args([kind.word(), &row.rules.to_string()]);
    command.args([row.interval, row.timeout()].map(|time| time.as_micros().to_string()));
    command.args([FIRST.to_string(), port(row.kind).to_string()]);
    if row.kind.is_tls() {
        command.arg(NAME).arg(bench.ca_file());
    }
    command
}

fn write(bench: &Bench, name: &str, text: &str) -> PathBuf {
    let path = bench.directory.join(name);
    fs::write(&path, text).expect("a configuration");
    path
}
