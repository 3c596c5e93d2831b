//! The hfm under test: its file, its process, what it says.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::target::{OTHERS_PORT, PORT, address_of};
use crate::trials::News;

/// How many of the rules have a target that can be lost; half of them are asked by http.
pub(crate) const TARGETS: usize = 100;
/// From start to start, whatever the state.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
/// Of a run.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(300);
/// Where everybody else listens.
pub(crate) const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 2, 0, 0);

/// A running hfm; it ends with this.
pub(crate) struct Monitor {
    child: Child,
    log: Option<ChildStderr>,
    directory: PathBuf,
}

impl Monitor {
    /// Starts it.
    pub(crate) fn start(others: u32) -> Self {
        let directory = std::env::temp_dir().join(format!("hfm-detect-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let config = directory.join("hfm.conf");
        let mut text = format!(
            "interval = {}s\ntimeout = {}ms\ndataplane = nftables\nlog_format = json\ncontrol = \"\"\nstate_dir = \"{}\"\n",
            INTERVAL.as_secs(),
            TIMEOUT.as_millis(),
            directory.join("state").display()
        );
        // The targets are among the others in the order of the file, and so in time.
        let mut others = 0..others;
        let share = others.len().div_ceil(TARGETS);
        for target in 0..TARGETS {
            let scheme = if target % 2 == 0 { "tcp" } else { "http" };
            let address = address_of(target);
            let _ = writeln!(
                text,
                "t{target} {{ test = \"{scheme}://{address}:{PORT}\"; tables = \"ip/bench/web\" }}"
            );
            for other in others.by_ref().take(share) {
                let address = Ipv4Addr::from(u32::from(ELSEWHERE) + other);
                let _ = writeln!(
                    text,
                    "o{other} {{ test = \"tcp://{address}:{OTHERS_PORT}\"; tables = \"ip/bench/others\" }}"
                );
            }
        }
        fs::write(&config, text).expect("hfm's file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
        command.arg("-config").arg(&config).env("RUST_LOG", "info");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("hfm");
        let log = child.stderr.take();
        Self { child, log, directory }
    }

    /// Tells of each change of a target's rule, until it ends.
    pub(crate) fn watch(&mut self, news: Sender<News>) {
        let log = self.log.take().expect("it is watched once");
        thread::spawn(move || {
            for text in BufReader::new(log).lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&text).expect("a line of its log is an object");
                if let Some(verdict) = verdict(&line)
                    && news.send(verdict).is_err()
                {
                    return;
                }
                if line["level"] == "error" || line["event"] == "summary-runs" {
                    println!("{text}");
                }
            }
        });
    }

    /// Has it say how it fares.
    pub(crate) fn ask_for_summary(&self) {
        self.signal(Signal::SIGUSR1);
        thread::sleep(Duration::from_millis(500));
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a process's number"));
        kill(pid, signal).expect("it runs");
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A change of a target's rule.
fn verdict(line: &Value) -> Option<News> {
    if line["event"] != "change" {
        return None;
    }
    let target: usize = line["rule"].as_str()?.strip_prefix('t')?.parse().ok()?;
    let at = moment(line["time"].as_str()?)?;
    let elapsed = Duration::try_from_secs_f64(line["elapsed_ms"].as_f64()? / 1e3).ok()?;
    Some(News::Verdict { to: address_of(target), is_up: line["state"] == "success", at, elapsed })
}

/// The moment that a text like `2026-11-21T08:02:42.017329Z` names.
fn moment(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Years that begin in March: then it is their end that leap days are at.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // From 0000-03-01 to 1970-01-01.
    let days = (year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1).checked_sub(719_468)?;
    let seconds = ((days * 24 + number(11, 13)?) * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    let since = Duration::from_secs(seconds) + Duration::from_micros(number(20, 26)?);
    Some(SystemTime::UNIX_EPOCH + since)
}
