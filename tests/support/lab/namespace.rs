//! Network namespaces: each is there for as long as something holds it, so nothing is left behind, whatever happens.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

/// One network namespace of the test's own, and its processes: those that are started in it.
#[derive(Debug)]
pub(crate) struct Namespace {
    file: File,
}

impl Namespace {
    /// A new one, in which only loopback is up.
    ///
    /// # Errors
    /// Where that is not allowed.
    pub(crate) fn new() -> io::Result<Self> {
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open("/proc/thread-self/ns/net")
        });
        let namespace = Self { file: made.join().expect("a thread that makes a namespace")? };
        // Addresses are there at once, without a look around for others who have them.
        namespace.set("net/ipv6/conf/all/accept_dad", "0");
        namespace.set("net/ipv6/conf/default/accept_dad", "0");
        namespace.ip("link set lo up");
        Ok(namespace)
    }

    /// Runs this inside, on a thread of its own; the processes that it starts stay inside.
    pub(crate) fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.enter();
                body()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Has the calling thread be inside from now on.
    pub(crate) fn enter(&self) {
        setns(&self.file, CloneFlags::CLONE_NEWNET).expect("a namespace can be entered");
    }

    /// What ip(8) knows it by.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// Sets something below /proc/sys.
    pub(crate) fn set(&self, what: &str, value: &str) {
        let path = format!("/proc/sys/{what}");
        self.run(|| std::fs::write(&path, value)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Has ip(8) do these, a line each; all of them have to work.
    pub(crate) fn ip(&self, lines: &str) {
        self.feed(Command::new("ip").args(["-batch", "-"]), lines);
    }

    /// Runs a program inside that reads this text and has to succeed; what it prints.
    pub(crate) fn feed(&self, command: &mut Command, text: &str) -> String {
        let (command, shown) = (command.stdin(Stdio::piped()).stdout(Stdio::piped()), text);
        let output = self.run(|| {
            let mut child = command.stderr(Stdio::piped()).spawn()?;
            child.stdin.take().expect("a pipe").write_all(text.as_bytes())?;
            child.wait_with_output()
        });
        let output = output.unwrap_or_else(|error| panic!("a program: {error}: {shown}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}\nof what was asked:\n{shown}");
        String::from_utf8(output.stdout).expect("text")
    }
}
