//! What is done to hfm while its watched rules are: threads of the benchmark that go on until they are told to stop.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

use super::burdens::{Burden, configuration};
use super::hfm::{Hfm, configure, hfmctl};
use super::window::Bench;

/// The argument by which this program becomes a test that keeps a processor busy.
pub(crate) const HOG: &str = "--keep-busy-ms";
/// Where the targets listen that refuse by turns.
pub(crate) const FLAPPING_PORT: u16 = 8082;
/// How long they do the one and then the other: not a multiple of the interval, so that each rule meets both.
const FLAP_EVERY: Duration = Duration::from_millis(1100);
/// Clients that ask for the status.
const ASKERS: usize = 2;
/// How often it is reloaded.
const RELOAD_EVERY: Duration = Duration::from_secs(1);
/// How much of a log is read at a time, and how often.
const SIPPED_BYTES: usize = 1024;
const SIP_EVERY: Duration = Duration::from_millis(50);
/// How soon a thread here hears that it is to stop.
const PAUSE: Duration = Duration::from_millis(20);

/// How long this process is to keep a processor busy, if it is such a test.
pub(crate) fn is_hog() -> Option<Duration> {
    let mut arguments = std::env::args().skip(1);
    let is_told = arguments.next().is_some_and(|argument| argument == HOG);
    is_told
        .then(|| Duration::from_millis(arguments.next().and_then(|ms| ms.parse().ok()).unwrap_or_default()))
}

/// Does that.
pub(crate) fn keep_busy(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// Has this process and its children ask a server of names that never answers.
///
/// # Errors
/// What is not allowed.
pub(crate) fn silent_resolver(directory: &Path) -> Result<UdpSocket, String> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("no mount namespace: {error}"))?;
    let socket =
        UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 53), 53)).map_err(|error| format!("port 53: {error}"))?;
    let file = directory.join("resolv.conf");
    fs::write(&file, "nameserver 127.0.0.53\noptions timeout:20 attempts:3\n").expect("a file");
    let file = file.to_string_lossy();
    for arguments in [vec!["--make-rprivate", "/"], vec!["--bind", &file, "/etc/resolv.conf"]] {
        let done = Command::new("mount").args(&arguments).status();
        if !done.map_err(|error| format!("mount(8): {error}"))?.success() {
            return Err(format!("mount {arguments:?} does not work"));
        }
    }
    Ok(socket)
}

/// How much was done of something.
pub(crate) type Done = (&'static str, u64);

/// All that is done for a burden.
#[derive(Debug)]
pub(crate) struct Work {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Done>>,
}

impl Work {
    /// Begins it.
    pub(crate) fn begin(bench: &Bench<'_>, hfm: &mut Hfm, watched: u32, burden: Option<Burden>) -> Self {
        let mut work = Self { is_over: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        let has = |part| burden.is_some_and(|burden| burden.has(part));
        if has(Burden::Clients) {
            for _ in 0..ASKERS {
                let directory = bench.directory.to_owned();
                work.spawn(move |is_over| ("answers", ask(&directory, is_over)));
            }
        }
        if has(Burden::Clients) || has(Burden::Storm) {
            let directory = bench.directory.to_owned();
            work.spawn(move |is_over| ("events heard", listen(&directory, is_over)));
        }
        if has(Burden::Storm) {
            work.spawn(|is_over| ("turns of the targets", flap(is_over)));
            let log = hfm.log_pipe().expect("a log in a pipe");
            work.spawn(move |is_over| ("lines of the log read", sip(log, is_over)));
        }
        if has(Burden::Reloads) {
            let texts = [0, 1].map(|generation| configuration(bench, watched, burden, generation));
            let (directory, pid) = (bench.directory.to_owned(), hfm.pid());
            work.spawn(move |is_over| ("reloads asked for", reload(&directory, pid, &texts, is_over)));
        }
        work
    }

    fn spawn(&mut self, body: impl FnOnce(&AtomicBool) -> Done + Send + 'static) {
        let is_over = Arc::clone(&self.is_over);
        self.threads.push(thread::spawn(move || body(&is_over)));
    }

    /// Ends it; what was done.
    pub(crate) fn end(self) -> Vec<Done> {
        self.is_over.store(true, Ordering::Relaxed);
        let done = self.threads.into_iter().map(|thread| thread.join().expect("it ends by itself"));
        let mut all: Vec<Done> = Vec::new();
        for (what, count) in done {
            match all.iter_mut().find(|(of, _)| *of == what) {
                Some((_, sum)) => *sum += count,
                None => all.push((what, count)),
            }
        }
        all
    }
}

/// Asks for the status of all rules, again and again.
fn ask(directory: &Path, is_over: &AtomicBool) -> u64 {
    let mut answers = 0;
    while !is_over.load(Ordering::Relaxed) {
        let done = hfmctl(directory).args(["--json", "status"]).stdout(Stdio::null()).status();
        assert!(done.expect("hfmctl").success(), "hfmctl status");
        answers += 1;
    }
    answers
}

/// Listens to events; how many.
fn listen(directory: &Path, is_over: &AtomicBool) -> u64 {
    let mut client =
        hfmctl(directory).args(["--json", "events"]).stdout(Stdio::piped()).spawn().expect("hfmctl");
    let events = BufReader::new(client.stdout.take().expect("a pipe"));
    let count = thread::spawn(move || events.lines().map_while(Result::ok).count());
    while !is_over.load(Ordering::Relaxed) {
        sleep(PAUSE);
    }
    let _ = client.kill();
    client.wait().expect("it ends");
    count.join().expect("a count") as u64
}

/// Has targets accept and refuse by turns; how often.
fn flap(is_over: &AtomicBool) -> u64 {
    let mut turns = 0;
    while !is_over.load(Ordering::Relaxed) {
        let accepts = turns % 2 == 0;
        let listener = accepts.then(|| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.set_reuse_address(true).expect("an option");
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, FLAPPING_PORT)).into()).expect("a port");
            socket.listen(65_535).expect("a listener");
            socket
        });
        sleep_unless(FLAP_EVERY, is_over);
        drop(listener);
        turns += 1;
    }
    turns
}

/// Reads a log, slower than it is written; how many lines.
fn sip(mut log: ChildStderr, is_over: &AtomicBool) -> u64 {
    let mut bytes = [0; SIPPED_BYTES];
    let mut lines = 0;
    while !is_over.load(Ordering::Relaxed) {
        let length = log.read(&mut bytes).expect("a log");
        lines += bytes[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        sleep(SIP_EVERY);
    }
    lines
}

/// Has it read a file that is another one each time; how often.
fn reload(directory: &Path, pid: Pid, texts: &[String; 2], is_over: &AtomicBool) -> u64 {
    let mut reloads = 0;
    while !is_over.load(Ordering::Relaxed) {
        reloads += 1;
        configure(directory, &texts[usize::from(reloads % 2 == 1)]);
        kill(pid, Signal::SIGHUP).expect("it runs");
        sleep_unless(RELOAD_EVERY, is_over);
    }
    reloads
}

fn sleep_unless(time: Duration, is_over: &AtomicBool) {
    let until = Instant::now() + time;
    while Instant::now() < until && !is_over.load(Ordering::Relaxed) {
        sleep(PAUSE.min(until.saturating_duration_since(Instant::now())));
    }
}
