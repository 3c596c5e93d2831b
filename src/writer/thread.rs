//! The loop of the writer thread: take what rules say, do one thing to the tables, and again.
//!
//! Between two calls of the data plane it looks for newer words, so that a slow one is never told what is not
//! true any more. While there is nothing to do it waits for words, for what others do to the tables where the
//! data plane tells of it, and for the next time that something is due.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use log::Level;
use mio::unix::SourceFd;
use mio::{Events, Interest, Token, Waker};

use super::keeper::{Keeper, Step};
use super::record::Record;
use super::{Letter, Report, Settings, Writes, now};
use crate::line::{self, Field, Line, Value};
use crate::wait::{Waiter, WakesAtEnd};

/// How long it waits when nothing is due; any word ends that.
const IDLE: Duration = Duration::from_secs(3600);
/// What it does when it cannot wait for events at all: it looks this often whether there is something.
const BLIND: Duration = Duration::from_millis(10);

const ALARM: Token = Token(0);
const LETTERS: Token = Token(1);
const NOTICES: Token = Token(2);

pub(super) struct WriterThread {
    settings: Settings,
    letters: Receiver<Letter>,
    reports: Sender<Report>,
    wake: Arc<Waker>,
    waits: Arc<AtomicBool>,
    waiter: Waiter,
    bell: Arc<Waker>,
    writes: Arc<Writes>,
}

impl WriterThread {
    /// The thread, what tells it that there is a letter, and where it counts.
    pub(super) fn new(
        settings: Settings,
        letters: Receiver<Letter>,
        reports: Sender<Report>,
        wake: Arc<Waker>,
        waits: Arc<AtomicBool>,
    ) -> io::Result<(Self, Arc<Waker>, Arc<Writes>)> {
        let waiter = Waiter::new(ALARM)?;
        let bell = Arc::new(Waker::new(waiter.registry(), LETTERS)?);
        let writes = Arc::new(Writes::default());
        let thread = Self {
            settings,
            letters,
            reports,
            wake,
            waits,
            waiter,
            bell: bell.clone(),
            writes: writes.clone(),
        };
        Ok((thread, bell, writes))
    }

    /// Runs until it is told to finish, or the reactor is gone.
    pub(super) fn run(self) {
        let _wakes = WakesAtEnd::new(self.wake.clone());
        let Self { settings, letters, reports, wake, waits, waiter, bell, writes } = self;
        let record = Record::open(&settings);
        let mut keeper = Keeper::new(settings, record, now());
        keeper.kill_beside(bell);
        keeper.count_in(writes);
        let mut waiting = Waiting { waiter, events: Events::with_capacity(8), hears_notices: false };
        let mut finish = false;
        loop {
            match letters.try_recv() {
                Ok(letter) => {
                    if waits.swap(false, Ordering::SeqCst) {
                        let _ = wake.wake();
                    }
                    finish |= letter.finish;
                    take(&mut keeper, letter);
                    hand_over(&mut keeper, &reports, &wake);
                    // There may be another that makes this one old.
                    continue;
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            let step = if finish { keeper.finish_step(&mut now) } else { keeper.step(&mut now) };
            let written = keeper.take_written();
            if !written.is_empty() {
                for written in written {
                    let _ = reports.send(Report::Written(written));
                }
                let _ = wake.wake();
            }
            if finish && step != Step::Did {
                keeper.answer_no_more();
            }
            hand_over(&mut keeper, &reports, &wake);
            match step {
                Step::Did => waiting.look(&mut keeper),
                Step::Idle(_) if finish => {
                    let _ = reports.send(Report::Finished);
                    let _ = wake.wake();
                    return;
                }
                Step::Idle(at) => waiting.wait(&mut keeper, at),
            }
        }
    }
}

/// Waiting for letters, for notices, and for time to pass.
struct Waiting {
    waiter: Waiter,
    events: Events,
    hears_notices: bool,
}

impl Waiting {
    /// Until something happens, or until then.
    fn wait(&mut self, keeper: &mut Keeper, until: Option<Instant>) {
        let from = now();
        let until = until.or_else(|| from.checked_add(IDLE));
        self.listen(keeper);
        if let Err(error) = self.waiter.wait(&mut self.events, until, from) {
            cannot_wait(&error);
        }
        self.take_notice(keeper);
    }

    /// Only as far as it has happened.
    fn look(&mut self, keeper: &mut Keeper) {
        self.listen(keeper);
        if let Err(error) = self.waiter.look(&mut self.events) {
            cannot_wait(&error);
        }
        self.take_notice(keeper);
    }

    /// What there is to be taken notice of is not always open from the beginning.
    fn listen(&mut self, keeper: &mut Keeper) {
        if self.hears_notices {
            return;
        }
        let Some(fd) = keeper.notices() else { return };
        // What was told before that counts, too: nobody would tell it again.
        match self.waiter.registry().register(&mut SourceFd(&fd), NOTICES, Interest::READABLE) {
            Ok(()) => self.hears_notices = true,
            Err(error) => cannot_wait(&error),
        }
        keeper.on_notices(now());
    }

    fn take_notice(&self, keeper: &mut Keeper) {
        if self.events.iter().any(|event| event.token() == NOTICES) {
            keeper.on_notices(now());
        }
    }
}

/// It goes on, at a slower pace than it should.
#[expect(clippy::disallowed_methods, reason = "there is nothing that could be waited for")]
fn cannot_wait(error: &io::Error) {
    let line = Line {
        event: "writer-blind",
        sentence: format_args!("the writer cannot wait for events: {error}; it looks again and again"),
        about: &[],
        fields: &[Field::hidden("detail", Value::Bare(error))],
    };
    line::tell(Level::Error, module_path!(), &line);
    std::thread::sleep(BLIND);
}

/// Hands over the answers that can be given.
fn hand_over(keeper: &mut Keeper, reports: &Sender<Report>, wake: &Waker) {
    while let Some((ticket, answer)) = keeper.poll_answer() {
        let _ = reports.send(Report::Answer(ticket, answer));
        let _ = wake.wake();
    }
}

fn take(keeper: &mut Keeper, letter: Letter) {
    if let Some(replacement) = letter.replacement {
        keeper.replace(replacement, now());
    }
    for (rule, standing) in letter.standings {
        keeper.on_standing(rule, standing);
    }
    for (ticket, question) in letter.questions {
        keeper.ask(ticket, question, now());
    }
    if letter.summary {
        keeper.log_summary(now());
    }
}
