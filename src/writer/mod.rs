//! The writer: the thread that makes tables hold what they should.
//!
//! It owns the data plane, what is wanted of every table ([`desired`]), and the record of what is managed.
//! It is told what rules say of their addresses, the newest word of each, and decides nothing about rules.
//! A firewall that is slow, hangs or fails holds up this thread alone: words and questions wait on the
//! reactor's side, one word for each rule at most, and one letter of them at a time is on its way.

pub mod desired;
mod journal;
mod keeper;
mod kept;
mod killing;
mod record;
mod status;
mod thread;
mod writes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use log::Level;
use mio::Waker;

use crate::dataplane::DataPlane;
use crate::line::{self, Line};
use crate::rule::{Firewall, Prefix, RuleId, Table};
use crate::standing::Standing;
use crate::sys::privilege::Rights;
use crate::sys::state_dir::StateDir;
use crate::sys::threads;
use crate::wait::WakesAtEnd;
pub use status::{AddressStatus, Answer, Question, Reconciled, TableStatus, Which};
pub use writes::Writes;

/// Why a question is not answered that a reload has overtaken.
const RELOADED: &str = "the configuration was reloaded meanwhile; ask again";
/// Nothing but a defect ends the thread before it is told to.
const GONE: &str = "the writer thread is gone: tables are not kept any more; restart hfm";

/// What the writer is made of.
#[derive(Debug)]
pub struct Settings {
    /// Every table that a rule names.
    pub tables: Arc<[Table]>,
    /// The number of rules.
    pub rules: usize,
    /// What holds the tables.
    pub plane: Box<dyn DataPlane>,
    /// How they are kept.
    pub firewall: Firewall,
    /// Where it is remembered what is managed.
    pub state_dir: Option<Arc<StateDir>>,
    /// What the thread keeps of the rights of a process that has given up root.
    pub rights: Rights,
}

/// Other tables, for a configuration that was fitted into the slots of the one before.
#[derive(Debug)]
pub struct Replacement {
    /// Every table that a rule names.
    pub tables: Arc<[Table]>,
    /// By slot: the rule there is the same as before, unchanged or with another schedule only.
    pub carried: Vec<bool>,
    /// How often tables are read.
    pub reconcile: Duration,
}

/// What goes to the thread in one piece.
#[derive(Debug, Default)]
struct Letter {
    /// Before anything else: words of slots that are empty now mean nothing any more.
    replacement: Option<Replacement>,
    /// The newest word of each rule that has a new one.
    standings: BTreeMap<RuleId, Standing>,
    /// What is asked once all that is known, by its ticket.
    questions: Vec<(u64, Question)>,
    /// Log how all tables stand.
    summary: bool,
    /// Write what is to be written, then end.
    finish: bool,
}

impl Letter {
    fn is_empty(&self) -> bool {
        let Self { replacement, standings, questions, summary, finish } = self;
        let is_empty = standings.is_empty() && questions.is_empty();
        is_empty && replacement.is_none() && !summary && !finish
    }
}

/// Something that the thread did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A table was written.
    Written(Written),
    /// To the question of this ticket.
    Answer(u64, Answer),
    /// The thread ends, as it was told to.
    Finished,
}

/// What was written into one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The table's index in the configuration.
    pub table: usize,
    /// Addresses put in.
    pub added: Vec<Prefix>,
    /// Addresses taken out, after those were put in.
    pub removed: Vec<Prefix>,
    /// When the data plane had acknowledged all of it.
    pub at: Instant,
}

/// The reactor's end of the thread. Nothing in it ever waits.
#[derive(Debug)]
pub struct Writer {
    letters: SyncSender<Letter>,
    reports: Receiver<Report>,
    /// What could not be sent yet.
    pending: Letter,
    /// Tickets of questions that were not answered yet.
    unanswered: BTreeSet<u64>,
    /// Answers that are given on this side.
    answers: VecDeque<(u64, Answer)>,
    /// Tells the thread that there is a letter.
    bell: Arc<Waker>,
    /// And that there are none any more: after `letters`.
    _hangs_up: WakesAtEnd,
    /// The thread is to wake the reactor when it has taken a letter: another one waits.
    waits: Arc<AtomicBool>,
    /// Also, a waker that is gone when the thread ends takes its last wake with it.
    wake: Arc<Waker>,
    lost: bool,
    writes: Arc<Writes>,
    /// It was told to finish, and has not said that it did.
    finishing: bool,
}

impl Writer {
    /// Starts the thread; `wake` is woken when there are reports, or room for another letter.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(settings: Settings, wake: Arc<Waker>) -> io::Result<Self> {
        // One letter on its way: what comes meanwhile is merged into the next.
        let (letters, receiver) = sync_channel(1);
        let (sender, reports) = channel();
        let waits = Arc::new(AtomicBool::new(false));
        let rights = settings.rights;
        let (thread, bell, writes) =
            thread::WriterThread::new(settings, receiver, sender, wake.clone(), waits.clone())?;
        let hangs_up = WakesAtEnd::new(bell.clone());
        threads::start("writer", rights, move || thread.run())?;
        Ok(Self {
            letters,
            reports,
            pending: Letter::default(),
            unanswered: BTreeSet::new(),
            answers: VecDeque::new(),
            bell,
            _hangs_up: hangs_up,
            waits,
            wake,
            lost: false,
            writes,
            finishing: false,
        })
    }

    /// What a rule says of its addresses is now this; sent by the next [`flush`](Self::flush).
    pub fn say(&mut self, rule: RuleId, standing: Standing) {
        self.pending.standings.insert(rule, standing);
    }

    /// Asks something, after all that was said until now. The answer comes as a [`Report::Answer`] with this
    /// ticket, which is nobody else's: not before the firewall has let go of the thread, and at once when the
    /// thread is gone.
    pub fn ask(&mut self, ticket: u64, question: Question) {
        self.unanswered.insert(ticket);
        if self.lost {
            // Nothing else may happen that has reports looked at.
            let _ = self.wake.wake();
        } else {
            self.pending.questions.push((ticket, question));
        }
    }

    /// Has the thread go over to other tables. Words said from now on are about them.
    pub fn replace(&mut self, replacement: Replacement) {
        self.withdraw_drains();
        let carried = match self.pending.replacement.take() {
            None => replacement.carried,
            // What was not carried over once has not been carried over.
            Some(earlier) => {
                let before = earlier.carried.into_iter().chain(std::iter::repeat(false));
                replacement.carried.into_iter().zip(before).map(|(now, before)| now && before).collect()
            }
        };
        self.pending.standings.retain(|rule, _| carried.get(rule.index()).copied().unwrap_or(false));
        self.pending.replacement = Some(Replacement { carried, ..replacement });
    }

    /// Rules that somebody wanted to drain are not what they were.
    fn withdraw_drains(&mut self) {
        let Self { pending, answers, wake, .. } = self;
        pending.questions.retain(|(ticket, question)| match question {
            Question::Tables(_) | Question::Reconcile => true,
            Question::WouldDrain(_) => {
                answers.push_back((*ticket, Answer::Unanswered(RELOADED)));
                let _ = wake.wake();
                false
            }
        });
    }

    /// Has the thread log how all tables stand.
    pub fn summary(&mut self) {
        self.pending.summary = true;
    }

    /// Has the thread write what is to be written, once, then end with [`Report::Finished`].
    pub fn finish(&mut self) {
        self.pending.finish = true;
        self.finishing = true;
    }

    /// Hands over what is new, if the thread has taken what it was sent before; if not, the reactor is woken
    /// when it has.
    pub fn flush(&mut self) {
        if self.pending.is_empty() || self.lost || self.hand_over() {
            return;
        }
        self.waits.store(true, Ordering::SeqCst);
        // It may have taken the letter just before it could see that.
        if self.hand_over() {
            self.waits.store(false, Ordering::SeqCst);
        }
    }

    /// How its writes went since the start.
    pub fn writes(&self) -> &Writes {
        &self.writes
    }

    /// The next report, if one has come.
    pub fn poll_report(&mut self) -> Option<Report> {
        if let Some((ticket, answer)) = self.answers.pop_front() {
            self.unanswered.remove(&ticket);
            return Some(Report::Answer(ticket, answer));
        }
        match self.reports.try_recv() {
            Ok(report) => {
                match &report {
                    Report::Finished => self.finishing = false,
                    Report::Answer(ticket, _) => _ = self.unanswered.remove(ticket),
                    Report::Written(_) => {}
                }
                Some(report)
            }
            // A thread that is gone has no answers, and nothing more to finish.
            Err(TryRecvError::Disconnected) => match self.unanswered.pop_first() {
                Some(ticket) => Some(Report::Answer(ticket, Answer::Unanswered(GONE))),
                None => std::mem::take(&mut self.finishing).then_some(Report::Finished),
            },
            Err(TryRecvError::Empty) => None,
        }
    }

    /// Whether nothing is left to wait for.
    fn hand_over(&mut self) -> bool {
        match self.letters.try_send(std::mem::take(&mut self.pending)) {
            Ok(()) => {
                // One that is not heard is heard with the next, or when the thread wakes by itself.
                let _ = self.bell.wake();
                true
            }
            Err(TrySendError::Full(letter)) => {
                self.pending = letter;
                false
            }
            Err(TrySendError::Disconnected(letter)) => {
                if !letter.finish {
                    let line = Line {
                        event: "writer-gone",
                        sentence: format_args!("{GONE}"),
                        about: &[],
                        fields: &[],
                    };
                    line::tell(Level::Error, module_path!(), &line);
                }
                self.lost = true;
                let _ = self.wake.wake();
                true
            }
        }
    }
}

/// Reads the clock, for data planes that measure their own time.
#[expect(clippy::disallowed_methods, reason = "the one place where the writer thread reads the clock")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
