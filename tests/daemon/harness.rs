//! Runs the built hfm on a file of a test's own and looks at what it says and does.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take before a test gives up; far more than it should.
const PATIENCE: Duration = Duration::from_secs(30);

/// The configuration file of a test.
const CONFIGURATION: &str = "hfm.conf";

/// A directory for one test, emptied at its start.
pub struct Place {
    pub path: PathBuf,
}

impl Place {
    pub fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("daemon-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory for the test");
        Self { path }
    }

    /// Writes a file. A configuration that says nothing of the control socket is to have none, and what it has
    /// remembered is the test's own: those of all tests would be at one place. It says so after everything else, so
    /// that places in it stay what they are.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        let mut text = text.to_owned();
        if name == CONFIGURATION && !text.contains("control") {
            text.push_str("\ncontrol = \"\"\n");
        }
        if name == CONFIGURATION && !text.contains("state_dir") {
            text.push_str(&format!("\nstate_dir = \"{}/state\"\n", self.path.display()));
        }
        fs::File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("a file of the test");
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_default()
    }

    /// The command to run hfm on this configuration; `@DIR@` in it stands for this directory.
    pub fn hfm(&self, configuration: &str) -> Command {
        let config = self.write(CONFIGURATION, &configuration.replace("@DIR@", &self.path.to_string_lossy()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
        command.arg("-config").arg(config).stdin(Stdio::null()).env_remove("RUST_LOG");
        command
    }

    /// Starts hfm, its log in a file.
    pub fn start(&self, configuration: &str) -> Daemon {
        self.start_command(self.hfm(configuration))
    }

    pub fn start_command(&self, mut command: Command) -> Daemon {
        let log = self.path.join("log");
        let sink = fs::File::create(&log).expect("a file for the log");
        let child = command.stderr(sink).stdout(Stdio::null()).spawn().expect("hfm starts");
        Daemon { child, log }
    }

    /// Runs hfm to its end; its exit status and its log.
    pub fn run(&self, configuration: &str) -> (ExitStatus, String) {
        let mut daemon = self.start(configuration);
        let status = daemon.wait();
        (status, daemon.log())
    }
}

/// A running hfm; killed when the test is over, whatever happened.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("hfm runs");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("hfm can be waited for").is_none()
    }

    /// Waits until the log has this text this many times.
    pub fn wait_for(&mut self, text: &str, times: usize) {
        let found = patiently(|| self.log().matches(text).count() >= times);
        assert!(found, "no {times} times {text:?} in the log:\n{}", self.log());
    }

    /// Whether the log has this text, or gets it before patience is at its end: lines are written by a thread of their own.
    pub fn tells(&self, text: &str) -> bool {
        patiently(|| self.log().contains(text))
    }

    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        let ended = patiently(|| {
            status = self.child.try_wait().expect("hfm can be waited for");
            status.is_some()
        });
        assert!(ended, "hfm does not end; its log:\n{}", self.log());
        status.expect("it has ended")
    }

    /// Ends it by SIGTERM.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Its open descriptors.
    #[cfg(target_os = "linux")]
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count)
    }

    /// Its children, as `(pid, state letter)`.
    #[cfg(target_os = "linux")]
    pub fn children(&self) -> Vec<(u32, char)> {
        let processes = fs::read_dir("/proc").expect("/proc");
        let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        pids.filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?.chars().next()?;
            (fields.next()?.parse::<u32>().ok()? == self.pid()).then_some((pid, state))
        })
        .collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until it is so, or patience is at its end.
pub fn patiently(mut is_so: impl FnMut() -> bool) -> bool {
    let until = now() + PATIENCE;
    while now() < until {
        if is_so() {
            return true;
        }
        pause(Duration::from_millis(10));
    }
    is_so()
}

#[expect(clippy::disallowed_methods, reason = "a test of the real program waits in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a test of the real program waits in real time")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Whether a process of this number exists.
pub fn exists(pid: u32) -> bool {
    kill(Pid::from_raw(pid as i32), None).is_ok()
}
