//! Runs `hfm probe` to its end and checks what holds for every such run.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::harness::{patiently, pause};
use crate::json::{self, Object, Value};

/// No probe may ever take more memory than this, in KiB.
const PEAK_KIB_MAX: u64 = 40 * 1024;
/// A run that this machine held up says nothing: it is made again at most this often.
const TRIES_MAX: usize = 20;

/// A `timeout` for runs that are to succeed whatever else this machine does.
pub(crate) const AMPLE: &str = "timeout=20s";

/// A member of each line of a run, in this order.
const MEMBERS: [&str; 9] = [
    "target",
    "verdict",
    "reason",
    "detail",
    "resolve_us",
    "connect_us",
    "tls_us",
    "first_byte_us",
    "total_us",
];
/// Those of the last line.
const TOTALS: [&str; 9] =
    ["runs", "failures", "inconclusive", "min_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us"];

/// What a program left behind.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What one run came to.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) verdict: String,
    pub(crate) reason: String,
    pub(crate) detail: String,
    line: Object,
}

/// What `hfm probe -json` told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) runs: Vec<Run>,
    pub(crate) status: i32,
}

impl Run {
    /// Whether this phase was reached.
    pub(crate) fn reached(&self, phase: &str) -> bool {
        let value = self.line.iter().find(|(name, _)| name == phase).map(|(_, value)| value);
        matches!(value.unwrap_or_else(|| panic!("no {phase}")), Value::Number(_))
    }
}

impl Told {
    /// The only run.
    pub(crate) fn only(&self) -> &Run {
        assert_eq!(self.runs.len(), 1, "{:?}", self.runs);
        &self.runs[0]
    }

    /// The reasons, one after the other.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.runs.iter().map(|run| &*run.reason).collect()
    }

    pub(crate) fn all_ok(&self) -> bool {
        self.status == 0
    }
}

/// `hfm probe` with these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
    command.arg("probe").args(arguments);
    command
}

/// Runs a program to its end, and looks at its memory meanwhile.
pub(crate) fn run(mut command: Command) -> Ended {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = read_all(child.stdout.take().expect("a pipe"));
    let stderr = read_all(child.stderr.take().expect("a pipe"));
    let mut status = None;
    let mut peak_kib = 0;
    patiently(|| {
        peak_kib = peak_kib.max(peak_kib_of(&child).unwrap_or_default());
        status = child.try_wait().expect("a child can be waited for");
        status.is_some()
    });
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let Some(status) = status else { panic!("{command:?} does not end: {stdout}{stderr}") };
    assert!(peak_kib < PEAK_KIB_MAX, "{command:?} took {peak_kib} KiB");
    let status = status.code().unwrap_or_else(|| panic!("{command:?}: {status}\n{stderr}"));
    Ended { status, stdout, stderr }
}

fn read_all(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("what hfm prints is UTF-8");
        text
    })
}

/// Nothing for the moment in which a child still has our memory, and so our command line.
fn peak_kib_of(child: &Child) -> Option<u64> {
    let line_of = |process: &str| std::fs::read(format!("/proc/{process}/cmdline")).ok();
    let line = line_of(&child.id().to_string())?;
    if Some(&line) == line_of("self").as_ref() { None } else { peak_kib(child.id()) }
}

/// The most memory that a process has ever had, where the system tells.
pub(crate) fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Runs `hfm probe ... -json` as this command and reads what it tells.
pub(crate) fn tell(command: Command) -> Told {
    let ended = run(command);
    let text = &ended.stdout;
    assert_eq!(ended.stderr, "", "{text}");
    let mut lines: Vec<Object> = text.lines().map(json::object).collect();
    let totals = lines.pop().unwrap_or_else(|| panic!("nothing was told, status {}", ended.status));
    let runs: Vec<Run> = lines.into_iter().map(run_of).collect();
    check_totals(&totals, &runs);
    let all_ok = runs.iter().all(|run| run.verdict == "success");
    assert_eq!(ended.status, i32::from(!all_ok), "{text}");
    Told { runs, status: ended.status }
}

fn run_of(line: Object) -> Run {
    let names: Vec<&str> = line.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, MEMBERS);
    let text = |at: usize| match &line[at].1 {
        Value::Text(text) => text.clone(),
        other @ (Value::Null | Value::Truth(_) | Value::Number(_) | Value::Texts(_)) => {
            panic!("{} is {other:?}", MEMBERS[at])
        }
    };
    let (verdict, reason, detail) = (text(1), text(2), text(3));
    assert!(["success", "failure", "inconclusive"].contains(&&*verdict), "{verdict}");
    assert_eq!(verdict == "success", reason == "ok", "{verdict} {reason}");
    assert!(!detail.is_empty(), "{reason} without words");
    assert!(matches!(line[8].1, Value::Number(_)), "a run without its time");
    Run { verdict, reason, detail, line }
}

fn check_totals(totals: &Object, runs: &[Run]) {
    let names: Vec<&str> = totals.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, TOTALS);
    let count = |verdict: &str| runs.iter().filter(|run| run.verdict == verdict).count() as f64;
    assert_eq!(totals[0].1, Value::Number(runs.len() as f64));
    assert_eq!(totals[1].1, Value::Number(count("failure")));
    assert_eq!(totals[2].1, Value::Number(count("inconclusive")));
    let times = totals[3..].iter().map(|(_, value)| value);
    if count("failure") + count("success") == 0.0 {
        assert!(times.into_iter().all(|time| *time == Value::Null), "{totals:?}");
        return;
    }
    let times: Vec<f64> = times.map(number).collect();
    assert!(times.is_sorted(), "{totals:?}");
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other @ (Value::Null | Value::Truth(_) | Value::Text(_) | Value::Texts(_)) => {
            panic!("{other:?} is no number")
        }
    }
}

/// Probes a URL once, or as `arguments` say; again when this machine was too slow for a verdict.
pub(crate) fn probe(url: &str, arguments: &[&str]) -> Told {
    for _ in 0..TRIES_MAX {
        let mut all = vec![url, "-json"];
        all.extend(arguments);
        let told = tell(command(&all));
        if !told.runs.iter().any(|run| run.reason == "late") {
            return told;
        }
        pause(Duration::from_millis(200));
    }
    panic!("this machine is too slow for {url} {arguments:?}");
}

/// Probes a URL once and checks the verdict and the reason.
#[track_caller]
pub(crate) fn expect(what: &str, url: &str, properties: &[&str], reason: &str) -> Run {
    let run = probe(url, properties).only().clone();
    assert_eq!(run.reason, reason, "{what}: {url} {properties:?}: {run:?}");
    let verdict = match reason {
        "ok" => "success",
        "unresolved" | "descriptors" | "ports" | "buffers" | "permission" | "address" | "interface" => {
            "inconclusive"
        }
        _ => "failure",
    };
    assert_eq!(run.verdict, verdict, "{what}: {run:?}");
    run
}
