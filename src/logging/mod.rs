//! The log: one event, one line, and a sink that can never hold up the thread that logs.
//!
//! A line is handed to a bounded queue and written by a thread of its own, to stderr or to syslog. When
//! the queue is full the line is dropped and counted; the count is logged as soon as there is room.
//! Which levels are logged: info and graver, or what the environment variable RUST_LOG says, until
//! [`set_level`] says otherwise.
//!
//! Here, and nowhere else, a line is made harmless: whatever text came into it, it stays one line, and shows
//! every character that would do more than be read.

mod asked;
mod json;
mod level;
mod tap;

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use asked::Asked;
use level::{Chosen, Levels};
use log::{Level, LevelFilter, Log, Metadata, Record};
pub use tap::Tap;

use crate::line::{Field, Harmless, Line, Value};
use crate::rule::LogFormat;
use crate::sys::clock::{local_time, utc_time};
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
    /// Nowhere: only who listens by the [`Tap`] hears of them.
    Nowhere,
}

static DROPPED: AtomicU64 = AtomicU64::new(0);
static CHOSEN: Chosen = Chosen::none();
/// The most that the filter of the start lets through of our own lines, once there is one.
static START: Chosen = Chosen::none();
/// And of anyone's.
static START_OF_ALL: Chosen = Chosen::none();
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Lines dropped so far because the sink did not keep up.
pub fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Logs this level and graver from now on, whatever RUST_LOG said at the start; of other programs' parts no more
/// than warnings, whose debugging lines are for their makers.
pub fn set_level(level: LevelFilter) {
    CHOSEN.choose(level);
    let_through();
}

/// The level that is logged: the one that was chosen, or the most that RUST_LOG lets through of our own lines.
pub fn level() -> LevelFilter {
    CHOSEN.level().unwrap_or_else(|| START.level().unwrap_or(LevelFilter::Off))
}

/// Has the process make all lines that the log or the tap wants, and no others.
fn let_through() {
    let wanted = CHOSEN.level().or(START_OF_ALL.level()).unwrap_or(LevelFilter::Off);
    log::set_max_level(wanted.max(tap::level()));
}

/// Gives every line this form from now on.
pub fn set_format(format: LogFormat) {
    IS_JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

fn format() -> LogFormat {
    if IS_JSON.load(Ordering::Relaxed) { LogFormat::Json } else { LogFormat::Text }
}

/// A line on its way to the sink.
struct Entry {
    at: SystemTime,
    level: Level,
    format: LogFormat,
    /// Harmless: of text, all but the time; of JSON, what follows the time.
    text: String,
}

enum Message {
    Line(Entry),
    /// Answer when all before has been written.
    Flush(SyncSender<()>),
}

struct QueueLogger {
    levels: Levels<'static>,
    queue: SyncSender<Message>,
}

impl Log for QueueLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.levels.enabled(metadata) || tap::enabled(metadata)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the time of a line is when it was logged, not when it is written"
    )]
    fn log(&self, record: &Record<'_>) {
        let is_wanted = self.levels.matches(record);
        if !is_wanted && !tap::enabled(record.metadata()) {
            return;
        }
        let at = SystemTime::now();
        tap::offer(record, at);
        if !is_wanted {
            return;
        }
        let line = entry(record, format(), at);
        if self.queue.try_send(Message::Line(line)).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// A record in the form that it is written in.
fn entry(record: &Record<'_>, format: LogFormat, at: SystemTime) -> Entry {
    let text = match format {
        LogFormat::Text => Harmless(record.args()).to_string(),
        LogFormat::Json => json::rest(record, std::thread::current().name()),
    };
    Entry { at, level: record.level(), format, text }
}

/// Hands over what is still queued when the process ends.
#[derive(Debug)]
pub struct Flusher {
    queue: Mutex<SyncSender<Message>>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        if queue.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_MAX);
        }
    }
}

/// Starts the log. To be called once.
///
/// # Errors
/// When the thread cannot be started or there is a log already.
pub fn start(
    destination: Destination,
    format: LogFormat,
) -> Result<Flusher, Box<dyn std::error::Error + Send + Sync>> {
    let Asked { filter, level, misread } = Asked::of(&std::env::var("RUST_LOG").unwrap_or_default());
    START.choose(level);
    START_OF_ALL.choose(filter.filter());
    let levels = Levels::new(filter, &CHOSEN);
    let (queue, entries) = sync_channel(QUEUE_LINES);
    set_format(format);
    if let Destination::Syslog(facility) = destination {
        syslog::open(c"hfm", facility);
    }
    threads::start("log", Rights::NONE, move || write_lines(&entries, destination))?;
    log::set_boxed_logger(Box::new(QueueLogger { levels, queue: queue.clone() }))?;
    let_through();
    if let Some(why) = misread {
        log::warn!("RUST_LOG is ignored: {why}");
    }
    Ok(Flusher { queue: Mutex::new(queue) })
}

/// The logger thread.
fn write_lines(entries: &Receiver<Message>, destination: Destination) {
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
                Message::Line(line) => {
                    last = Some(line.at);
                    write_line(&mut batch, &line, destination);
                }
                Message::Flush(done) => flushes.push(done),
            }
            next = if batch.len() < BATCH_BYTES { entries.try_recv().ok() } else { None };
        }
        let dropped = dropped_lines();
        if dropped > reported {
            let at = last.unwrap_or(SystemTime::UNIX_EPOCH);
            write_line(&mut batch, &drops(dropped - reported, format(), at), destination);
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

/// The line that tells of lines that were dropped.
fn drops(count: u64, format: LogFormat, at: SystemTime) -> Entry {
    let line = Line {
        event: "lines-dropped",
        sentence: format_args!("log: {count} lines dropped, the sink does not keep up"),
        about: &[],
        fields: &[Field::hidden("lines", Value::Number(count))],
    };
    let mut record = Record::builder();
    record.level(Level::Error).key_values(&line);
    entry(&record.args(format_args!("{line}")).build(), format, at)
}

fn write_line(batch: &mut String, line: &Entry, destination: Destination) {
    let whole = match line.format {
        LogFormat::Text => None,
        LogFormat::Json => Some(format!("{{\"time\":\"{}\",{}", Timestamp(line.at), line.text)),
    };
    match destination {
        Destination::Stderr => {
            if let Some(whole) = whole {
                batch.push_str(&whole);
                batch.push('\n');
                return;
            }
            let at = local_time(line.at);
            let _ = writeln!(
                batch,
                "{:04}/{:02}/{:02} {:02}:{:02}:{:02} {}",
                at.year, at.month, at.day, at.hour, at.minute, at.second, line.text
            );
        }
        Destination::Nowhere => {}
        Destination::Syslog(_) => {
            let severity = match line.level {
                Level::Error => Severity::Error,
                Level::Warn => Severity::Warning,
                Level::Info => Severity::Info,
                Level::Debug | Level::Trace => Severity::Debug,
            };
            syslog::send(severity, whole.as_ref().unwrap_or(&line.text));
        }
    }
}

/// A moment in UTC, to the microsecond (RFC 3339).
struct Timestamp(SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = utc_time(self.0);
        let micros = self.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_micros();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}Z",
            at.year, at.month, at.day, at.hour, at.minute, at.second
        )
    }
}

#[cfg(test)]
mod tests;
