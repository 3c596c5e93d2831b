//! The log: one event, one line, and a sink that can never hold up the thread that logs.
//!
//! A line is handed to a bounded queue and written by a thread of its own, to stderr or to syslog. When
//! the queue is full the line is dropped and counted; the count is logged as soon as there is room.
//! Which levels are logged: info and graver, or what the environment variable RUST_LOG says.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use log::{Level, Log, Metadata, Record};

use crate::sys::clock::local_time;
use crate::sys::privilege::Rights;
use crate::sys::syslog::{self, Facility, Severity};
use crate::sys::threads;

/// Lines that may wait to be written; at 200 bytes a line under 2 MB.
const QUEUE_LINES: usize = 8192;
/// How long the end of the process waits for lines to be written.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To stderr, each with its time.
    Stderr,
    /// To syslog, under this facility.
    Syslog(Facility),
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Lines dropped so far because the sink did not keep up.
pub fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

struct Line {
    at: SystemTime,
    level: Level,
    text: String,
}

enum Entry {
    Line(Line),
    /// Answer when all before has been written.
    Flush(SyncSender<()>),
}

struct QueueLogger {
    filter: env_logger::Logger,
    queue: SyncSender<Entry>,
}

impl Log for QueueLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the time of a line is when it was logged, not when it is written"
    )]
    fn log(&self, record: &Record<'_>) {
        if !self.filter.matches(record) {
            return;
        }
        let line = Line { at: SystemTime::now(), level: record.level(), text: record.args().to_string() };
        if self.queue.try_send(Entry::Line(line)).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// Hands over what is still queued when the process ends.
#[derive(Debug)]
pub struct Flusher {
    queue: Mutex<SyncSender<Entry>>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Line(_) => "Line",
            Self::Flush(_) => "Flush",
        })
    }
}

impl Flusher {
    /// Waits until everything logged so far is written, at most 2 s: a sink that is stuck does
    /// not keep the process.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        let Ok(queue) = self.queue.lock() else { return };
        if queue.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_MAX);
        }
    }
}

/// Starts the log. To be called once.
///
/// # Errors
/// When the thread cannot be started or there is a log already.
pub fn start(destination: Destination) -> Result<Flusher, Box<dyn std::error::Error>> {
    let spec = std::env::var("RUST_LOG").unwrap_or_default();
    let misread = env_filter::Builder::new().try_parse(&spec).err();
    let mut builder = env_logger::Builder::new();
    builder.filter_level(log::LevelFilter::Info);
    // It would print what it does not understand to stderr by itself.
    if misread.is_none() && !spec.is_empty() {
        builder.parse_filters(&spec);
    }
    let filter = builder.build();
    let level = filter.filter();
    let (queue, entries) = sync_channel(QUEUE_LINES);
    if let Destination::Syslog(facility) = destination {
        syslog::open(c"hfm", facility);
    }
    threads::start("log", Rights::NONE, move || write_lines(&entries, destination))?;
    log::set_boxed_logger(Box::new(QueueLogger { filter, queue: queue.clone() }))?;
    log::set_max_level(level);
    if let Some(error) = misread {
        log::warn!("RUST_LOG is ignored: {error}");
    }
    Ok(Flusher { queue: Mutex::new(queue) })
}

/// The logger thread.
fn write_lines(entries: &Receiver<Entry>, destination: Destination) {
    /// Lines written to stderr in one go, in bytes.
    const BATCH_BYTES: usize = 64 * 1024;
    /// How often drops are looked for while nothing is logged.
    const IDLE: Duration = Duration::from_secs(1);
    let mut batch = String::new();
    let mut reported = 0;
    loop {
        let mut next = match entries.recv_timeout(IDLE) {
            Ok(entry) => Some(entry),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut flushes = Vec::new();
        let mut last = None;
        while let Some(entry) = next {
            match entry {
                Entry::Line(line) => {
                    last = Some(line.at);
                    write_line(&mut batch, &line, destination);
                }
                Entry::Flush(done) => flushes.push(done),
            }
            next = if batch.len() < BATCH_BYTES { entries.try_recv().ok() } else { None };
        }
        let dropped = dropped_lines();
        if dropped > reported {
            let text = format!("log: {} lines dropped, the sink does not keep up", dropped - reported);
            let at = last.unwrap_or(SystemTime::UNIX_EPOCH);
            write_line(&mut batch, &Line { at, level: Level::Error, text }, destination);
            reported = dropped;
        }
        // A stderr that is closed or broken takes no complaint either.
        let _ = std::io::stderr().lock().write_all(batch.as_bytes());
        batch.clear();
        for done in flushes {
            let _ = done.try_send(());
        }
    }
}

fn write_line(batch: &mut String, line: &Line, destination: Destination) {
    match destination {
        Destination::Stderr => {
            let at = local_time(line.at);
            let _ = writeln!(
                batch,
                "{:04}/{:02}/{:02} {:02}:{:02}:{:02} {}",
                at.year, at.month, at.day, at.hour, at.minute, at.second, line.text
            );
        }
        Destination::Syslog(_) => {
            let severity = match line.level {
                Level::Error => Severity::Error,
                Level::Warn => Severity::Warning,
                Level::Info => Severity::Info,
                Level::Debug | Level::Trace => Severity::Debug,
            };
            syslog::send(severity, &line.text);
        }
    }
}
