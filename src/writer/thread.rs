//! The loop of the writer thread: take what rules say, do one thing to one table, and again.
//!
//! Between two calls of the data plane it looks for newer words, so that a slow one is never told what is not
//! true any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use mio::Waker;

use super::keeper::{Keeper, Step};
use super::record::Record;
use super::{Letter, Report, Settings, now};
use crate::wait::WakesAtEnd;

/// How long it waits when nothing is due; any word ends that.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) struct WriterThread {
    settings: Settings,
    letters: Receiver<Letter>,
    reports: Sender<Report>,
    wake: Arc<Waker>,
    waits: Arc<AtomicBool>,
}

impl WriterThread {
    pub(super) fn new(
        settings: Settings,
        letters: Receiver<Letter>,
        reports: Sender<Report>,
        wake: Arc<Waker>,
        waits: Arc<AtomicBool>,
    ) -> Self {
        Self { settings, letters, reports, wake, waits }
    }

    /// Runs until it is told to finish, or the reactor is gone.
    pub(super) fn run(self) {
        let _wakes = WakesAtEnd::new(self.wake.clone());
        let Self { settings, letters, reports, wake, waits } = self;
        let record = Record::open(&settings);
        let mut keeper = Keeper::new(settings, record, now());
        let mut finish = false;
        let mut wake_at = now();
        loop {
            let wait = wake_at.saturating_duration_since(now());
            // Once it is to finish there is nothing more to wait for.
            let letter =
                if finish { letters.recv_timeout(Duration::ZERO) } else { letters.recv_timeout(wait) };
            match letter {
                Ok(letter) => {
                    if waits.swap(false, Ordering::SeqCst) {
                        let _ = wake.wake();
                    }
                    finish |= letter.finish;
                    take(&mut keeper, letter);
                    hand_over(&mut keeper, &reports, &wake);
                    // There may be another that makes this one old.
                    wake_at = now();
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let step = if finish { keeper.finish_step(&mut now) } else { keeper.step(&mut now) };
            for written in keeper.take_written() {
                let _ = reports.send(Report::Written(written));
                let _ = wake.wake();
            }
            if finish && step != Step::Did {
                keeper.answer_no_more();
            }
            hand_over(&mut keeper, &reports, &wake);
            wake_at = match step {
                Step::Did => now(),
                Step::Idle(_) if finish => {
                    let _ = reports.send(Report::Finished);
                    let _ = wake.wake();
                    return;
                }
                Step::Idle(at) => at.unwrap_or_else(|| idle_until(now())),
            };
        }
    }
}

/// Hands over the answers that can be given.
fn hand_over(keeper: &mut Keeper, reports: &Sender<Report>, wake: &Waker) {
    while let Some((ticket, answer)) = keeper.poll_answer() {
        let _ = reports.send(Report::Answer(ticket, answer));
        let _ = wake.wake();
    }
}

fn idle_until(now: Instant) -> Instant {
    now.checked_add(IDLE).unwrap_or(now)
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
