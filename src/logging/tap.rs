//! The tap: events, as they are logged, also for those who listen while hfm runs.
//!
//! While it is open every line of at least level info that has an `event` goes into a bounded queue too, as JSON,
//! whatever the log itself is told to leave out. When the queue is full the line is counted. Whoever logs never
//! waits for it, and while it is closed it costs one look at a flag.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::SystemTime;

use log::kv::Key;
use log::{Level, LevelFilter, Metadata, Record};

use super::level::is_ours;
use super::{Timestamp, json};

/// Events that may wait to be taken.
const QUEUE_EVENTS: usize = 4096;
/// The key that tells an event from a remark.
const EVENT: &str = "event";

/// The end that lines go in at: there is one for the whole process, as there is one log.
static INLET: OnceLock<Inlet> = OnceLock::new();

struct Inlet {
    queue: SyncSender<String>,
    wake: Box<dyn Fn() + Send + Sync>,
    is_open: AtomicBool,
    /// Whoever takes has been woken and has not begun to take.
    is_woken: AtomicBool,
    overflowed: AtomicU64,
}

/// The end that events come out of.
pub struct Tap {
    events: Receiver<String>,
    inlet: &'static Inlet,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("is_open", &self.inlet.is_open).finish_non_exhaustive()
    }
}

impl Tap {
    /// Makes the tap, closed; `wake` is called, by whoever logs, when there is something to take. `None` when it
    /// has been made before.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Option<Self> {
        let (queue, events) = sync_channel(QUEUE_EVENTS);
        let inlet = Inlet {
            queue,
            wake: Box::new(wake),
            is_open: AtomicBool::new(false),
            is_woken: AtomicBool::new(false),
            overflowed: AtomicU64::new(0),
        };
        INLET.set(inlet).ok()?;
        Some(Self { events, inlet: INLET.get()? })
    }

    /// Has events come from now on.
    pub fn open(&self) {
        if !self.inlet.is_open.load(Ordering::Relaxed) {
            // Whoever was just logging when it was closed.
            self.forget();
        }
        self.inlet.is_open.store(true, Ordering::Relaxed);
        super::let_through();
    }

    /// Has none come any more; what waits is forgotten.
    pub fn close(&self) {
        self.inlet.is_open.store(false, Ordering::Relaxed);
        super::let_through();
        self.forget();
    }

    fn forget(&self) {
        self.begin();
        while self.events.try_recv().is_ok() {}
        self.inlet.overflowed.store(0, Ordering::Relaxed);
    }

    /// To be called before events are taken: from here on it wakes again.
    pub fn begin(&self) {
        self.inlet.is_woken.store(false, Ordering::SeqCst);
    }

    /// Whether it has woken since then: there is something to take.
    pub fn has_some(&self) -> bool {
        self.inlet.is_woken.load(Ordering::SeqCst)
    }

    /// The next event: of an object of JSON all but its opening brace.
    pub fn poll(&self) -> Option<String> {
        self.events.try_recv().ok()
    }

    /// How many found the queue full since the last call.
    pub fn take_overflowed(&self) -> u64 {
        self.inlet.overflowed.swap(0, Ordering::Relaxed)
    }
}

/// The least that the process must let through for it.
pub(super) fn level() -> LevelFilter {
    match INLET.get() {
        Some(inlet) if inlet.is_open.load(Ordering::Relaxed) => LevelFilter::Info,
        Some(_) | None => LevelFilter::Off,
    }
}

/// Whether it may want lines like this.
pub(super) fn enabled(metadata: &Metadata<'_>) -> bool {
    metadata.level() <= level() && is_ours(metadata.target())
}

/// Takes a line, if it is an event.
pub(super) fn offer(record: &Record<'_>, at: SystemTime) {
    let Some(inlet) = INLET.get() else { return };
    let is_event = || record.key_values().get(Key::from_str(EVENT)).is_some();
    if record.level() > Level::Info || !enabled(record.metadata()) || !is_event() {
        return;
    }
    let rest = json::rest(record, std::thread::current().name());
    if inlet.queue.try_send(format!("\"time\":\"{}\",{rest}", Timestamp(at))).is_err() {
        inlet.overflowed.fetch_add(1, Ordering::Relaxed);
    }
    if !inlet.is_woken.swap(true, Ordering::SeqCst) {
        (inlet.wake)();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::line::{Field, Line, Value};

    fn log(level: Level, target: &str, event: Option<&'static str>) {
        let number = [Field::new("n", Value::Number(7))];
        let line =
            event.map(|event| Line { event, sentence: format_args!("a 'b'"), about: &[], fields: &number });
        let mut record = Record::builder();
        record.level(level).target(target).args(format_args!("x"));
        if let Some(line) = &line {
            record.key_values(line);
        }
        offer(&record.build(), SystemTime::UNIX_EPOCH);
    }

    /// One test, for there is one tap, and one level, in a process.
    #[test]
    fn it_takes_events_while_it_is_open_and_never_waits() {
        let woken = Arc::new(AtomicU64::new(0));
        let count = woken.clone();
        let wake = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let tap = Tap::new(wake).expect("the first");
        assert!(Tap::new(|| ()).is_none(), "there is one");
        log(Level::Error, "hfm::engine", Some("e"));
        assert_eq!((tap.poll(), level()), (None, LevelFilter::Off));
        tap.open();
        assert_eq!(level(), LevelFilter::Info);
        assert!(log::max_level() >= LevelFilter::Info, "the process lets it through");
        tap.begin();
        log(Level::Info, "hfm::engine", Some("e"));
        log(Level::Debug, "hfm::engine", Some("e"));
        log(Level::Warn, "hfm::engine", None);
        log(Level::Warn, "rustls::client", Some("e"));
        log(Level::Warn, "hfmctl", Some("e"));
        log(Level::Error, "hfm", Some("e2"));
        assert_eq!(woken.load(Ordering::SeqCst), 1, "once until it is looked at");
        assert!(tap.has_some());
        let first = tap.poll().expect("an event");
        assert!(first.starts_with("\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"info\","), "{first}");
        assert!(first.ends_with("\"message\":\"a 'b'\",\"event\":\"e\",\"n\":7}"), "{first}");
        assert!(tap.poll().expect("another").contains("\"event\":\"e2\""));
        assert_eq!((tap.poll(), tap.take_overflowed()), (None, 0));
        tap.begin();
        assert!(!tap.has_some());
        for _ in 0..QUEUE_EVENTS + 10 {
            log(Level::Info, "hfm::engine", Some("e"));
        }
        assert_eq!(woken.load(Ordering::SeqCst), 2);
        assert_eq!((tap.take_overflowed(), tap.take_overflowed()), (10, 0));
        log(Level::Info, "hfm::engine", Some("e"));
        // The log's own level and what the process lets through are two things.
        for level in LevelFilter::iter() {
            crate::logging::set_level(level);
            assert_eq!((crate::logging::level(), log::max_level()), (level, level.max(LevelFilter::Info)));
        }
        tap.close();
        for level in LevelFilter::iter() {
            crate::logging::set_level(level);
            assert_eq!((crate::logging::level(), log::max_level()), (level, level));
        }
        log(Level::Info, "hfm::engine", Some("e"));
        assert_eq!((tap.poll(), tap.take_overflowed(), level()), (None, 0, LevelFilter::Off));
    }
}
