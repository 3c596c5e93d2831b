//! A directory for one test, a clock, and a look at what runs.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;

/// How long anything may take before a test gives up; far more than it should.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A directory, emptied at the start of its test.
#[derive(Debug)]
pub struct Place {
    pub path: PathBuf,
}

impl Place {
    pub fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dataplane-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory for the test");
        Self { path }
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test of real programs waits in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Asks again and again until it is so, or patience is at its end.
#[expect(clippy::disallowed_methods, reason = "a test of real programs waits in real time")]
pub fn patiently(mut is_so: impl FnMut() -> bool) -> bool {
    let until = now() + PATIENCE;
    while now() < until {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    is_so()
}

/// Whether a process of this number exists.
pub fn exists(pid: &str) -> bool {
    kill(Pid::from_raw(pid.trim().parse().expect("a pid")), None).is_ok()
}
