//! What operators have set in place of rules' own words: the book of it, what the engine is told, and the file that
//! it outlives the process by.
//!
//! However many rules a client names, a bounded number of them is changed in a turn. It is told that all is done once
//! the book is written, so that what it was told of survives whatever happens to the process.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mio::Waker;

use super::Reactor;
use super::control::search::Found;
use crate::control::protocol::{OverrideRow, Reply};
use crate::engine::Set;
use crate::now::Now;
use crate::overrides::store::{self, Store};
use crate::overrides::{Book, Entry};
use crate::rule::RuleId;
use crate::standing::Override;
use crate::sys::control_socket::Peer;
use crate::sys::state_dir::Place;

/// Rules changed in one turn: some 200 us of work.
const CHANGES_PER_TURN: usize = 64;

/// The book, and what is still to be done about it.
#[derive(Debug)]
pub(super) struct Overrides {
    book: Book,
    store: Store,
    /// Changes under way, those asked for first in front.
    jobs: VecDeque<Job>,
    /// The book says something that has not been handed to the store.
    is_new: bool,
    /// Whom to tell once the book as it is has been written.
    done: Vec<Done>,
    /// The same, for the book that is being written.
    unwritten: Vec<Done>,
    writing: Option<u64>,
}

/// What a client wants of rules.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ticket: u64,
    pub(super) peer: Peer,
    /// Whom it says it acts for.
    pub(super) by: Option<String>,
    pub(super) wish: Wish,
    /// Those that are left; without a slot one that only the book knows.
    pub(super) rules: VecDeque<Found>,
    /// How many were changed.
    pub(super) changed: usize,
}

/// What is to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// This.
    Set {
        kind: Override,
        /// It ends by itself after this.
        lasts: Option<Duration>,
        reason: Option<String>,
    },
    /// Nothing.
    Clear,
}

/// A job that is done.
#[derive(Debug)]
struct Done {
    ticket: u64,
    text: String,
}

impl Job {
    fn text(&self) -> String {
        let rules = match self.changed {
            1 => "1 rule".to_owned(),
            count => format!("{count} rules"),
        };
        match &self.wish {
            Wish::Clear if self.changed == 0 => "nothing was set".to_owned(),
            Wish::Clear => format!("{rules} enabled"),
            Wish::Set { kind: kind @ (Override::Drained | Override::Disabled), .. } => {
                format!("{rules} {}", kind.word())
            }
            Wish::Set { kind: kind @ (Override::AlwaysFail | Override::AlwaysSuccess), .. } => {
                format!("{rules} set to {}", kind.word())
            }
        }
    }
}

impl Overrides {
    fn new(place: &Place, wake: Arc<Waker>, now: SystemTime) -> io::Result<Self> {
        Ok(Self {
            book: store::load(place, now),
            store: Store::start(place, wake)?,
            jobs: VecDeque::new(),
            is_new: false,
            done: Vec::new(),
            unwritten: Vec::new(),
            writing: None,
        })
    }

    /// All that is set.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Whether changes are under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Has something done to rules.
    pub(super) fn begin(&mut self, job: Job) {
        self.jobs.push_back(job);
    }

    /// Writes what is not written yet.
    fn finish(mut self) -> Result<(), store::NotRemembered> {
        if self.is_new {
            self.store.write(self.book);
        }
        self.store.finish()
    }
}

impl Reactor {
    /// Sets what operators had set when the process before this one ended, and remembers what they set from now on.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn remember_overrides(&mut self, place: &Place) -> io::Result<()> {
        let now = super::now();
        let overrides = Overrides::new(place, self.wake.clone(), now.wall)?;
        if !overrides.book.is_empty() {
            self.journal.remembered_overrides(overrides.book.len(), self.control.is_some());
        }
        self.overrides = Some(overrides);
        self.set_overrides_again(now);
        Ok(())
    }

    /// At the start, and after a reload: rules that begin are what an operator has set them to. Those that the engine
    /// knows to be set keep that, and their time.
    pub(super) fn set_overrides_again(&mut self, now: Now) {
        self.waiting.writer.rules_have_changed();
        let Some(overrides) = &mut self.overrides else { return };
        if overrides.book.is_empty() {
            return;
        }
        let rules = self.prober.engine.rules().clone();
        let slots: HashMap<&str, RuleId> = (0..)
            .map(RuleId)
            .zip(rules.iter())
            .filter(|(_, rule)| !rule.is_vacant())
            .map(|(slot, rule)| (&*rule.name, slot))
            .collect();
        let (mut over, mut waiting) = (Vec::new(), Vec::new());
        for (name, entry) in overrides.book.iter() {
            let slot = slots.get(&**name);
            if slot.is_some_and(|slot| self.prober.engine.override_of(*slot).is_some()) {
                continue;
            }
            // Not longer than it was to last, whatever the clock was when that was set.
            let left = entry.until.map(|until| {
                let lasts = until.duration_since(entry.since).unwrap_or_default();
                until.duration_since(now.wall).unwrap_or_default().min(lasts)
            });
            match slot {
                _ if left.is_some_and(|left| left.is_zero()) => over.push((name.clone(), entry.kind)),
                Some(slot) => {
                    let until = left.and_then(|left| now.mono.checked_add(left));
                    self.prober.engine.set_override(*slot, Some(Set { kind: entry.kind, until }), now);
                }
                None => waiting.push((name.clone(), entry.kind)),
            }
        }
        for (name, kind) in over {
            overrides.is_new |= overrides.book.clear(&name).is_some();
            self.journal.override_ended(&name, kind, false);
        }
        self.journal.overrides_wait(&waiting);
    }

    /// What an operator had set of a rule has ended by itself.
    pub(super) fn on_override_ended(&mut self, rule: RuleId) {
        let name = self.prober.engine.rules()[rule.index()].name.clone();
        let returns = self.prober.engine.view(rule).returning;
        let Some(overrides) = &mut self.overrides else { return };
        if let Some(entry) = overrides.book.clear(&name) {
            overrides.is_new = true;
            self.journal.override_ended(&name, entry.kind, returns);
        }
    }

    /// Goes on with what clients want of rules; says whether there is more that can be done at once.
    pub(super) fn go_on_with_overrides(&mut self, now: Now) -> bool {
        let mut left = CHANGES_PER_TURN;
        let mut waits = VecDeque::new();
        while let Some(mut job) = self.overrides.as_mut().and_then(|overrides| overrides.jobs.pop_front()) {
            // Lines of its answer that are not read yet hold up nothing but itself.
            while left > 0 && self.has_room_for(job.ticket) {
                let Some(found) = job.rules.pop_front() else { break };
                left -= 1;
                self.change_override(&mut job, &found, now);
            }
            if job.rules.is_empty() {
                self.end_job(&job, now);
            } else {
                waits.push_back(job);
            }
        }
        let has_more = left == 0 && !waits.is_empty();
        if let Some(overrides) = &mut self.overrides {
            overrides.jobs = waits;
        }
        self.write_overrides(now);
        has_more
    }

    fn end_job(&mut self, job: &Job, now: Now) {
        let (ticket, text) = (job.ticket, job.text());
        match &mut self.overrides {
            Some(overrides) if job.changed > 0 => overrides.done.push(Done { ticket, text }),
            // There is nothing to write.
            Some(_) | None => {
                let reply = match job.wish {
                    Wish::Clear => Reply::Done { text },
                    Wish::Set { .. } => {
                        Reply::Refused { text: "nothing was changed".to_owned(), details: Vec::new() }
                    }
                };
                self.answer(ticket, &reply, now.mono);
            }
        }
    }

    /// Sets or clears one rule's override, if the rule is still there.
    fn change_override(&mut self, job: &mut Job, found: &Found, now: Now) {
        let (slot, name) = (self.slot_of(found), &found.1);
        let engine = &mut self.prober.engine;
        let Some(overrides) = &mut self.overrides else { return };
        let before = overrides.book.get(name).map(|entry| entry.kind);
        match &job.wish {
            Wish::Set { kind, lasts, reason } => {
                let Some(slot) = slot else {
                    let text = format!("'{}' is gone: the configuration was reloaded", name.escape_debug());
                    return self.answer(job.ticket, &Reply::Warning { text }, now.mono);
                };
                let entry = Entry {
                    kind: *kind,
                    reason: reason.clone(),
                    uid: job.peer.uid,
                    by: job.by.clone(),
                    since: now.wall,
                    until: lasts.and_then(|lasts| now.wall.checked_add(lasts)),
                };
                if let Err(full) = overrides.book.set((&**name).into(), entry.clone()) {
                    let text = format!("'{}': {full}", name.escape_debug());
                    return self.answer(job.ticket, &Reply::Warning { text }, now.mono);
                }
                self.journal.override_set(name, &entry, &job.peer);
                let row = row(&entry);
                let until = lasts.and_then(|lasts| now.mono.checked_add(lasts));
                engine.set_override(slot, Some(Set { kind: *kind, until }), now);
                let note =
                    before.filter(|before| before != kind).map(|before| format!("was {}", before.word()));
                self.tell_changed(job, name, Some(row), note, now);
            }
            Wish::Clear => {
                if overrides.book.clear(name).is_none() {
                    return;
                }
                let note = match slot {
                    Some(slot) => {
                        engine.set_override(slot, None, now);
                        let returns = engine.view(slot).returning;
                        returns.then(|| "counts as down until its next success".to_owned())
                    }
                    None => Some("no rule has that name now".to_owned()),
                };
                self.journal.override_cleared(name, before, &job.peer, job.by.as_deref());
                self.tell_changed(job, name, None, note, now);
            }
        }
        job.changed += 1;
        if let Some(overrides) = &mut self.overrides {
            overrides.is_new = true;
        }
    }

    fn tell_changed(
        &mut self,
        job: &Job,
        name: &str,
        set: Option<OverrideRow>,
        note: Option<String>,
        now: Now,
    ) {
        self.answer(job.ticket, &Reply::Changed { rule: name.to_owned(), set, note }, now.mono);
    }

    /// Tells who waits for what was written, and hands the book to the store when it says something new. One book
    /// is on its way at a time, and none while a change goes on of which nobody waits yet to hear.
    fn write_overrides(&mut self, now: Now) {
        let Some(overrides) = &mut self.overrides else { return };
        // One that failed is told of again when it has been tried again.
        let written =
            overrides.store.poll_written().filter(|written| overrides.writing <= Some(written.number));
        let mut told = Vec::new();
        if written.is_some() {
            overrides.writing = None;
            told = std::mem::take(&mut overrides.unwritten);
        }
        let is_wanted = overrides.is_new && (overrides.jobs.is_empty() || !overrides.done.is_empty());
        if is_wanted && overrides.writing.is_none() {
            overrides.is_new = false;
            overrides.unwritten = std::mem::take(&mut overrides.done);
            overrides.writing = Some(overrides.store.write(overrides.book.clone()));
        } else if !overrides.is_new && overrides.writing.is_none() {
            // What they changed was written with what others did.
            told.append(&mut overrides.done);
        }
        let trouble = written.and_then(|written| written.result.err()).map(|error| error.to_string());
        for Done { ticket, text } in told {
            if let Some(text) = trouble.clone() {
                self.answer(ticket, &Reply::Warning { text }, now.mono);
            }
            self.answer(ticket, &Reply::Done { text }, now.mono);
        }
    }

    /// At the end: what was asked for is written, as far as that takes no long time.
    pub(super) fn finish_overrides(&mut self) {
        if let Some(Err(error)) = self.overrides.take().map(Overrides::finish) {
            self.journal.overrides_lost(&error);
        }
    }
}

/// An entry of the book as it is told.
pub(super) fn row(entry: &Entry) -> OverrideRow {
    use super::control::seconds;
    let Entry { kind, reason, uid, by, since, until } = entry;
    OverrideRow {
        kind: kind.word().to_owned(),
        reason: reason.clone(),
        uid: *uid,
        by: by.clone(),
        since: seconds(*since),
        until: until.map(seconds),
    }
}
