//! Where the book outlives the process: the file `overrides` in state_dir, and the thread that writes it.
//!
//! fsync(2) may take long, so the reactor never waits for it. It hands over the whole book, the newest waits, and
//! older ones that wait too are never written. Each is written as a whole: whenever the process is killed, the file is
//! that of before or the new one.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, TrySendError, channel, sync_channel,
};
use std::time::{Duration, Instant, SystemTime};

use log::Level;
use mio::Waker;

use super::Book;
use crate::line::{self, Field, Line, Value};
use crate::sys::privilege::Rights;
use crate::sys::state_dir::{Place, StateDir};
use crate::sys::threads;
use crate::wait::WakesAtEnd;

/// Its name in the directory.
const FILE: &str = "overrides";
/// When it is tried again to write it, after a failure.
const RETRY: Duration = Duration::from_secs(60);
/// How long the end waits for what is not written yet.
pub const FINISH_MAX: Duration = Duration::from_secs(2);
/// Nothing but a defect ends the thread before its time.
const GONE: &str = "the overrides thread is gone; restart hfm";
const DRY_RUN: &str = "dry_run writes nothing";
const SLOW: &str = "state_dir does not answer";

/// Why what was set is gone when the process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRemembered(Arc<str>);

impl fmt::Display for NotRemembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not remembered: {}", self.0)
    }
}

impl std::error::Error for NotRemembered {}

/// What has become of a book that was to be written, and of those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number that it was given.
    pub number: u64,
    /// Whether it outlives the process now. If not, it is tried again from time to time, and told of again.
    pub result: Result<(), NotRemembered>,
}

/// The reactor's end of the thread. Nothing in it ever waits, but for [`finish`](Self::finish).
#[derive(Debug)]
pub struct Store {
    thread: Result<Thread, NotRemembered>,
    /// The number of the newest.
    asked: u64,
    /// Up to here it is known what has become of them.
    done: u64,
    /// And this of the last of these.
    newest: Result<(), NotRemembered>,
    wake: Arc<Waker>,
}

#[derive(Debug)]
struct Thread {
    /// `None` once nothing more is to come.
    books: Option<SyncSender<(u64, Book)>>,
    written: Receiver<Written>,
    /// The newest, while another one waits already.
    pending: Option<(u64, Book)>,
}

/// What operators had set when the last process ended, without what is over by now. A damaged file is set aside with
/// a warning, and nothing of it is believed.
pub fn load(place: &Place, now: SystemTime) -> Book {
    let Ok(dir) = place else { return Book::default() };
    let mut book = match dir.load(FILE, Book::decode) {
        Ok(book) => book.unwrap_or_default(),
        Err(damage) => {
            tell(Level::Warn, "overrides-damaged", format_args!("{damage}"), Value::Bare(&damage));
            Book::default()
        }
    };
    for (rule, _) in book.expire(now) {
        let line = Line {
            event: "override-expired",
            sentence: format_args!(
                "'{}' has no override any more: it has ended while hfm was not running",
                rule.escape_debug()
            ),
            about: &[Field::hidden("rule", Value::Bare(&rule))],
            fields: &[],
        };
        line::tell(Level::Info, module_path!(), &line);
    }
    book
}

impl Store {
    /// Starts the thread, if there is a place to write to; `wake` is woken when there is something to
    /// [poll](Self::poll_written).
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(place: &Place, wake: Arc<Waker>) -> io::Result<Self> {
        let thread = match place {
            Ok(dir) if dir.is_read_only() => Err(NotRemembered(DRY_RUN.into())),
            Ok(dir) => Ok(Thread::start(dir.clone(), wake.clone())?),
            Err(why) => Err(NotRemembered(why.clone())),
        };
        Ok(Self { thread, asked: 0, done: 0, newest: Ok(()), wake })
    }

    /// Has a book written, in place of all that wait; by this number it is told what has become of it.
    pub fn write(&mut self, book: Book) -> u64 {
        self.asked += 1;
        match &mut self.thread {
            Ok(thread) => {
                thread.pending = Some((self.asked, book));
                if !thread.hand_over() {
                    let _ = self.wake.wake();
                }
            }
            // The answer is there already.
            Err(_) => _ = self.wake.wake(),
        }
        self.asked
    }

    /// What has become of books that were to be written, if that is known.
    pub fn poll_written(&mut self) -> Option<Written> {
        let thread = match &mut self.thread {
            Ok(thread) => thread,
            Err(why) => {
                let why = why.clone();
                return self.all_failed(why);
            }
        };
        let written = thread.written.try_recv();
        thread.hand_over();
        match written {
            Ok(written) => {
                self.note(&written);
                Some(written)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => self.all_failed(NotRemembered(GONE.into())),
        }
    }

    /// Has the thread write what is not written yet, and end; waits for that for [`FINISH_MAX`] at most.
    ///
    /// # Errors
    /// When the newest book is not written.
    pub fn finish(mut self) -> Result<(), NotRemembered> {
        let until = now().checked_add(FINISH_MAX).unwrap_or_else(now);
        loop {
            let thread = match &mut self.thread {
                Ok(thread) => thread,
                Err(_) if self.asked == 0 => return Ok(()),
                Err(why) => return Err(why.clone()),
            };
            thread.hand_over();
            if thread.pending.is_none() {
                // Nothing more comes: the thread ends once it has done what it can.
                thread.books = None;
            }
            match thread.written.recv_timeout(until.saturating_duration_since(now())) {
                Ok(written) => self.note(&written),
                Err(RecvTimeoutError::Timeout) => return Err(NotRemembered(SLOW.into())),
                Err(RecvTimeoutError::Disconnected) if self.done < self.asked => {
                    return Err(NotRemembered(GONE.into()));
                }
                Err(RecvTimeoutError::Disconnected) => return self.newest,
            }
        }
    }

    fn note(&mut self, written: &Written) {
        self.done = written.number;
        self.newest = written.result.clone();
    }

    fn all_failed(&mut self, why: NotRemembered) -> Option<Written> {
        if self.done == self.asked {
            return None;
        }
        let written = Written { number: self.asked, result: Err(why) };
        self.note(&written);
        Some(written)
    }
}

impl Thread {
    fn start(dir: Arc<StateDir>, wake: Arc<Waker>) -> io::Result<Self> {
        // One on its way: what comes meanwhile takes the place of what waits behind it.
        let (books, receiver) = sync_channel(1);
        let (sender, written) = channel();
        threads::start("overrides", Rights::NONE, move || run(&dir, receiver, sender, &wake))?;
        Ok(Self { books: Some(books), written, pending: None })
    }

    /// Hands over what is pending, if there is room; there will be, when the next [`Written`] has come. Says whether
    /// the thread is there.
    fn hand_over(&mut self) -> bool {
        let Some(pending) = self.pending.take() else { return true };
        match self.books.as_ref().map(|books| books.try_send(pending)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(pending))) => {
                self.pending = Some(pending);
                true
            }
            Some(Err(TrySendError::Disconnected(_))) | None => false,
        }
    }
}

/// The thread: until nobody is there any more who could hand over a book.
fn run(dir: &StateDir, books: Receiver<(u64, Book)>, written: Sender<Written>, wake: &Arc<Waker>) {
    let _wakes = WakesAtEnd::new(wake.clone());
    // Let go of before that.
    let (books, written) = (books, written);
    // Which one could not be written, and is tried again.
    let mut failed: Option<(u64, Book)> = None;
    loop {
        let next = match failed {
            None => books.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => books.recv_timeout(RETRY),
        };
        let end = next.as_ref().err() == Some(&RecvTimeoutError::Disconnected);
        let newest = match next {
            Ok(first) => Some(books.try_iter().last().unwrap_or(first)),
            Err(_) => failed.clone(),
        };
        if let Some((number, book)) = newest {
            let result = write(dir, number, book, &mut failed);
            let _ = written.send(Written { number, result });
            let _ = wake.wake();
        }
        if end {
            return;
        }
    }
}

/// Writes a book; `failed` is the last one, if that could not be written.
fn write(
    dir: &StateDir,
    number: u64,
    book: Book,
    failed: &mut Option<(u64, Book)>,
) -> Result<(), NotRemembered> {
    let path = dir.path().join(FILE);
    match dir.write(FILE, book.encode().as_bytes()) {
        Ok(()) => {
            if failed.take().is_some() {
                let sentence = format_args!("state_dir: {} is written again", path.display());
                tell(Level::Info, "overrides-written", sentence, Value::Nothing);
            }
            Ok(())
        }
        Err(error) => {
            if failed.replace((number, book)).is_none() {
                let sentence = format_args!(
                    "state_dir: cannot write {}: {error}; overrides are not remembered",
                    path.display()
                );
                tell(Level::Warn, "overrides-failed", sentence, Value::Bare(&error));
            }
            Err(NotRemembered(format!("cannot write {}: {error}", path.display()).into()))
        }
    }
}

fn tell(level: Level, event: &'static str, sentence: fmt::Arguments<'_>, detail: Value<'_>) {
    let fields = [Field::hidden("file", Value::Bare(&FILE)), Field::hidden("detail", detail)];
    line::tell(level, module_path!(), &Line { event, sentence, about: &[], fields: &fields });
}

#[expect(clippy::disallowed_methods, reason = "the end of the process waits for a bounded time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
