//! A host behind gateways: Debian's haproxy with the file that is tried out, and an application behind it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::clock::patiently;
use super::namespace::Namespace;

const APPLICATION: &str = include_str!("app.cfg");

/// How long an answer is that is long; the buffer of a haproxy takes no more than 16 KiB.
const LARGE: usize = 12_000;

/// A process that is killed when this goes.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program; what it says goes into a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let sink = File::options().append(true).create(true).open(log).expect("a file for a log");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(sink).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) {
        self.0.wait().expect("a child");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.0.id()).expect("a pid")), signal).expect("it runs");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A host with its services.
#[derive(Debug)]
pub(crate) struct Host {
    name: String,
    directory: PathBuf,
    haproxy: Option<Process>,
    _application: Process,
}

impl Host {
    /// Starts everything on a host; `file` is that of its haproxy.
    pub(crate) fn start(name: &str, namespace: &Namespace, directory: &Path, file: &str) -> Self {
        let path = |suffix: &str| directory.join(format!("{name}.{suffix}"));
        let text = file
            .replace("/run/haproxy/admin.sock", &path("sock").to_string_lossy())
            .replace("/etc/haproxy/site.pem", &directory.join("site.pem").to_string_lossy())
            // Thousands of requests are nothing for this machine's own log.
            .replace("\tlog /dev/log local0\n", "");
        fs::write(path("cfg"), text).expect("a file for haproxy");
        let large = path("large.txt").to_string_lossy().into_owned();
        fs::write(&large, "x".repeat(LARGE)).expect("what is answered at length");
        let application = APPLICATION.replace("large.txt", &large);
        fs::write(path("app.cfg"), application).expect("a file for the application");
        let application = haproxy(name, namespace, &path("app.cfg"), &path("log"));
        let mut host = Self {
            name: name.to_owned(),
            directory: directory.to_owned(),
            haproxy: None,
            _application: application,
        };
        host.start_haproxy(namespace);
        host
    }

    pub(crate) fn start_haproxy(&mut self, namespace: &Namespace) {
        self.haproxy = Some(haproxy(&self.name, namespace, &self.path("cfg"), &self.path("log")));
    }

    /// Kills its haproxy, the application stays.
    pub(crate) fn kill_haproxy(&mut self) {
        self.haproxy = None;
    }

    /// Signals its haproxy, which runs.
    pub(crate) fn signal_haproxy(&self, signal: Signal) {
        self.haproxy.as_ref().expect("haproxy runs").signal(signal);
    }

    /// Waits until its haproxy, which was told to, has ended.
    pub(crate) fn wait_for_haproxy(&mut self) {
        self.haproxy.take().expect("haproxy ran").wait();
    }

    /// Waits until its haproxy can be told something.
    pub(crate) fn wait_until_ready(&self) {
        let ready = patiently(|| self.tell("show info").is_some_and(|said| said.contains("Pid:")));
        assert!(ready, "haproxy of {}: {:?}", self.name, fs::read_to_string(self.path("log")));
    }

    /// Turns the switch of haproxy.cfg, as its head says.
    pub(crate) fn switch(&self, is_on: bool) {
        let word = if is_on { "enable" } else { "disable" };
        let said = self.tell(&format!("{word} server switch/on"));
        assert_eq!(said.as_deref().map(str::trim), Some(""), "the switch of {}", self.name);
    }

    /// Tells its haproxy something; what it answers, unless nobody does.
    fn tell(&self, line: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.path("sock")).ok()?;
        stream.write_all(format!("{line}\n").as_bytes()).ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        Some(said)
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.directory.join(format!("{}.{suffix}", self.name))
    }
}

/// A haproxy on a machine of this name.
pub(crate) fn haproxy(name: &str, namespace: &Namespace, configuration: &Path, log: &Path) -> Process {
    namespace.run(|| {
        unshare(CloneFlags::CLONE_NEWUTS).expect("a host name of its own");
        fs::write("/proc/sys/kernel/hostname", name).expect("a host name");
        Process::start(Command::new("haproxy").arg("-db").arg("-f").arg(configuration), log)
    })
}

/// Makes the certificate of all hosts, and what it is verified by.
pub(crate) fn make_certificate(directory: &Path) {
    let name = "www.example.com".to_owned();
    let made = rcgen::generate_simple_self_signed([name]).expect("a certificate");
    let certificate = made.cert.pem();
    let both = format!("{certificate}{}", made.signing_key.serialize_pem());
    fs::write(directory.join("ca.pem"), certificate).expect("the certificate");
    fs::write(directory.join("site.pem"), both).expect("the certificate with its key");
}
