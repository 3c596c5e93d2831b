//! The hfm that is measured: its loop on one core, all else of it on the other.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::place::{Cores, bound};

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often new threads of it are looked for.
const HERD_EVERY: Duration = Duration::from_millis(5);

/// Where its log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    File,
    /// Whoever takes it reads it.
    Pipe,
}

/// One at work.
#[derive(Debug)]
pub(crate) struct Hfm {
    child: Child,
    directory: PathBuf,
    ended: Arc<AtomicBool>,
    shepherd: Option<JoinHandle<()>>,
}

/// How a rule stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) is_up: bool,
    pub(crate) runs: u64,
    pub(crate) failures: u64,
    pub(crate) inconclusive: u64,
    pub(crate) missed: u64,
}

impl Hfm {
    /// Starts it with this configuration, to which a control socket is added.
    pub(crate) fn start(directory: &Path, configuration: &str, log: Log, cores: Cores) -> Self {
        configure(directory, configuration);
        let mut command = bound(env!("CARGO_BIN_EXE_hfm"));
        command.arg("-config").arg(directory.join("hfm.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(match log {
            Log::File => Stdio::from(File::create(directory.join("log")).expect("a file for the log")),
            Log::Pipe => Stdio::piped(),
        });
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (pid, ended) = (child.id(), Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&ended);
        let shepherd = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                herd(pid, cores);
                sleep(HERD_EVERY);
            }
        });
        Self { child, directory: directory.to_owned(), ended, shepherd: Some(shepherd) }
    }

    /// Its log, if that goes into a pipe; once.
    pub(crate) fn log_pipe(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Its log, if that goes into a file.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    /// Panics if it runs no more.
    pub(crate) fn must_run(&mut self) {
        let status = self.child.try_wait().expect("a child of ours");
        assert!(status.is_none(), "hfm has ended ({status:?}):\n{}", self.log());
    }

    /// What it counts, as `hfmctl stats` tells it.
    pub(crate) fn stats(&self) -> HashMap<String, Value> {
        let answer = self.ask(&["--json", "stats"]);
        serde_json::from_str(answer.lines().next().expect("a line")).expect("an object of JSON")
    }

    /// How all rules stand, by name.
    pub(crate) fn standings(&self) -> Vec<(String, Standing)> {
        let answer = self.ask(&["--json", "status"]);
        let rows = answer.lines().map(|line| serde_json::from_str::<Value>(line).expect("an object of JSON"));
        rows.filter(|row| row["type"] == "rule").map(|row| standing(&row)).collect()
    }

    /// What hfmctl prints.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = hfmctl(&self.directory).args(arguments).output().expect("hfmctl");
        assert!(output.status.success(), "hfmctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Ends it.
    pub(crate) fn end(mut self) {
        kill(self.pid(), Signal::SIGTERM).expect("it runs");
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().expect("a child of ours").is_none() {
            assert!(Instant::now() < until, "hfm does not end");
            sleep(HERD_EVERY);
        }
    }
}

impl Drop for Hfm {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(shepherd) = self.shepherd.take() {
            let _ = shepherd.join();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An hfmctl that is to ask it.
pub(crate) fn hfmctl(directory: &Path) -> Command {
    let mut command = bound(env!("CARGO_BIN_EXE_hfmctl"));
    command.arg("-s").arg(directory.join("socket"));
    command
}

/// Writes its configuration, with the place of its control socket.
pub(crate) fn configure(directory: &Path, text: &str) {
    let places = format!(
        "control = \"{}\"\nstate_dir = \"{}\"\n",
        directory.join("socket").display(),
        directory.join("state").display()
    );
    let (new, file) = (directory.join("hfm.conf.new"), directory.join("hfm.conf"));
    fs::write(&new, places + text).expect("a configuration");
    fs::rename(&new, &file).expect("a configuration");
}

/// The main thread goes to one core, the others, from which children inherit it, to the other one.
fn herd(pid: u32, cores: Cores) {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return };
    for task in tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse::<u32>().ok()) {
        let mut set = CpuSet::new();
        let core = if task == pid { cores.checker } else { cores.target };
        // One that has ended meanwhile needs no place.
        let _ = set.set(core).and_then(|()| {
            sched_setaffinity(Pid::from_raw(i32::try_from(task).expect("a number of a thread")), &set)
        });
    }
}

fn standing(row: &Value) -> (String, Standing) {
    let number = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("no {name} in {row}"));
    let standing = Standing {
        is_up: row["state"] == "success",
        runs: number("runs"),
        failures: number("failures"),
        inconclusive: number("inconclusive"),
        missed: number("missed"),
    };
    (row["rule"].as_str().expect("a name").to_owned(), standing)
}
