//! An hfm that does nothing but start a helper and pass on what is said: this test program, started once more.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Once;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use hfm::demotion::counter::Disk;
use hfm::demotion::helper::{self, Target};
use hfm::demotion::protocol::{self, News, Order, Shares};
use hfm::sys::process;
use hfm::sys::state_dir::{Lock, StateDir, StateDirError};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::world::{Fake, Fuse, Fused, World};

/// What makes this program a daemon: what it is to be.
const SPEC: &str = "HFM_TEST_DEMOTION";
/// The test that becomes one.
const TEST: &str = "kills::whoever_is_killed_the_counter_is_where_it_should_be_in_the_end";
/// Whatever takes this long does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// A grace that does not end while a test runs.
pub(crate) const FOREVER: Duration = Duration::from_secs(100_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    File,
}

/// What a daemon is to be.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) grace: Duration,
    /// At which of its steps the helper kills itself.
    pub(crate) fuse: Option<u64>,
    /// It does not wait until it alone has the directory.
    pub(crate) is_rash: bool,
    /// It was started by someone who does not want to know how children end.
    pub(crate) ignores_children: bool,
}

impl Spec {
    pub(crate) fn new(kind: Kind, grace: Duration) -> Self {
        Self { kind, grace, fuse: None, is_rash: false, ignores_children: false }
    }
}

/// Becomes a daemon, if that is what this program was started for.
pub(crate) fn run_if_asked() {
    let Ok(spec) = std::env::var(SPEC) else { return };
    let words: Vec<&str> = spec.split(' ').collect();
    let [kind, grace, fuse, lock, ..] = words[..] else { panic!("{spec}") };
    let world = PathBuf::from(std::env::var(format!("{SPEC}_WORLD")).expect("a path"));
    let fuse = Fuse::new(fuse.parse().ok());
    let target = match kind {
        "Counter" => Target::Counter(Box::new(Fake { world: world.clone(), fuse: fuse.clone() })),
        _ => Target::File(world.join("tracked")),
    };
    // Descriptors of hfm, with room for a socket's two among them.
    let mut open: Vec<File> = (0..6).map(|_| File::open("/dev/zero").expect("every system has it")).collect();
    open.drain(2..4);
    process::leave_child_signals().expect("a mask");
    umask(Mode::from_bits_truncate(0o777));
    let files = Box::new(Fused { files: Disk, world: world.clone(), fuse });
    let grace = Duration::from_micros(grace.parse().expect("a number"));
    let helper = helper::start_on(target, grace, files).expect("a helper");
    drop(open);
    umask(Mode::from_bits_truncate(0o022));
    let _alone = (lock == "false").then(|| alone(world.join("state").to_str().expect("a plain path")));
    let mut out = io::stderr();
    writeln!(out, "{}", helper.pid).expect("somebody reads");
    let mut said = helper.socket.try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        let _ = io::copy(&mut said, &mut io::stderr());
        let _ = writeln!(io::stderr(), "gone");
    });
    let mut socket = helper.socket;
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = io::stdin().read(&mut bytes) {
        // A helper that is gone hears nothing, and is told of.
        let _ = socket.write_all(&bytes[..length]);
    }
    std::process::exit(0);
}

/// As hfm does: nobody else has the directory from then on.
fn alone(path: &str) -> StateDir {
    let since = now();
    loop {
        match StateDir::open(path, Lock::Exclusive) {
            Ok(dir) => return dir,
            Err(StateDirError::Locked) if now() - since < PATIENCE => pause(),
            Err(error) => panic!("{path}: {error}"),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a test of processes waits for them")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "a test of processes waits for them")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}

/// A daemon, seen from outside.
pub(crate) struct Daemon {
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<String>,
    pub(crate) helper: Helper,
    ticket: u64,
    /// Where its helper is to begin.
    state_dir: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    News(News),
    /// The helper has closed its end.
    Gone,
    /// The daemon is dead, and everything that could be heard through it was.
    Silence,
}

impl Daemon {
    /// Starts one, and waits until it has a helper.
    pub(crate) fn start(world: &World, spec: &Spec) -> Self {
        static ORPHANS: Once = Once::new();
        // Helpers that have no parent are waited for by this process.
        ORPHANS.call_once(|| nix::sys::prctl::set_child_subreaper(true).expect("Linux 3.4"));
        let Spec { kind, grace, fuse, is_rash, ignores_children } = spec;
        let fuse = fuse.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(if *ignores_children { "env".as_ref() } else { program.as_os_str() });
        if *ignores_children {
            // A shell would not pass that on.
            command.arg("--ignore-signal=CHLD").arg(&program);
        }
        let mut child = command
            .args(["--exact", TEST, "--nocapture"])
            .env(SPEC, format!("{kind:?} {} {fuse} {is_rash}", grace.as_micros()))
            .env(format!("{SPEC}_WORLD"), &world.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped"));
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while let Ok(1..) = lines.read_line(&mut line) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let pid = said.recv_timeout(PATIENCE).expect("it has a helper");
        let pid = Pid::from_raw(pid.trim().parse().unwrap_or_else(|_| panic!("the daemon says: {pid}")));
        let input = child.stdin.take();
        let state_dir = world.state_dir().to_str().expect("a plain path").to_owned();
        Self { child, input, said, helper: Helper { pid, ended: None }, ticket: 0, state_dir }
    }

    /// Starts one that has begun with these.
    pub(crate) fn begun(world: &World, spec: &Spec, shares: &Shares) -> Self {
        let mut daemon = Self::start(world, spec);
        let said = daemon.begin();
        assert_eq!(said, Said::News(News::Began { shares: shares.clone(), remarks: Vec::new() }));
        daemon
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn begin(&mut self) -> Said {
        self.tell(&Order::Begin { state_dir: self.state_dir.clone() });
        self.hear()
    }

    /// Says what is wanted, and waits for nothing; gives back the ticket.
    pub(crate) fn want(&mut self, shares: &Shares) -> u64 {
        self.ticket += 1;
        self.tell(&Order::Want { ticket: self.ticket, shares: shares.clone() });
        self.ticket
    }

    /// Says what is wanted, and hears that it is done.
    pub(crate) fn have(&mut self, shares: &Shares, total: u16) {
        let ticket = self.want(shares);
        assert_eq!(self.hear(), Said::News(News::Done { ticket, total }));
    }

    pub(crate) fn tell(&mut self, order: &Order) {
        self.tell_bytes(&protocol::encode(order));
    }

    /// Whether anybody hears them is not known.
    pub(crate) fn tell_bytes(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(bytes).and_then(|()| input.flush());
        }
    }

    pub(crate) fn hear(&mut self) -> Said {
        match self.said.recv_timeout(PATIENCE) {
            Ok(line) if line == "gone\n" => Said::Gone,
            Ok(line) => {
                let news = serde_json::from_str(&line);
                Said::News(news.unwrap_or_else(|_| panic!("the daemon says: {line}")))
            }
            Err(RecvTimeoutError::Disconnected) => Said::Silence,
            Err(RecvTimeoutError::Timeout) => panic!("nothing is heard"),
        }
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        assert_eq!(self.child.wait().expect("it is ours").signal(), Some(9));
    }

    /// Has it end as a program should.
    pub(crate) fn stop(&mut self) {
        self.input = None;
        assert_eq!(self.child.wait().expect("it is ours").code(), Some(0));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Whatever a test has left, by number, and before anybody has waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.helper.is_there() {
            self.helper.signal(Signal::SIGKILL);
            self.helper.wait();
        }
    }
}

/// A helper, seen from outside.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) pid: Pid,
    ended: Option<End>,
}

/// How a helper has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    ByItself,
    Killed,
}

impl Helper {
    pub(crate) fn signal(&self, signal: Signal) {
        assert_eq!(self.ended, None);
        kill(self.pid, signal).expect("it was not waited for");
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_there(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => None,
                Ok(WaitStatus::Exited(_, 0)) => Some(End::ByItself),
                Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)) => Some(End::Killed),
                // Its parent has only just ended.
                Err(Errno::ECHILD) => None,
                other => panic!("it has ended by {other:?}"),
            };
        }
        self.ended.is_none()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> End {
        let since = now();
        while self.is_there() {
            assert!(now() - since < PATIENCE, "the helper does not end");
            pause();
        }
        self.ended.expect("it has ended")
    }
}
