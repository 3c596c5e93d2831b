//! The children that are alive or not yet done with: by index, by pid, by run; which of them to watch, and
//! when one wants to be looked at.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};

use mio::{Registry, Token};
use slab::Slab;

use super::child::{Child, Role};
use crate::rule::{RuleId, RunId};
use crate::sys::process::{self, Exit};

/// A child that lives for this long has its output watched from then on.
const WATCHED_AFTER: Duration = Duration::from_millis(5);

/// Children's streams have two tokens each from here on; those below are the thread's own.
const STREAMS: usize = 3;

/// The token of a child's stdout (0) or stderr (1).
fn stream_token(index: usize, stream: usize) -> Token {
    Token(STREAMS + 2 * index + stream)
}

/// Whose stream a token is, and which.
pub(super) fn stream_of(token: Token) -> (usize, usize) {
    ((token.0 - STREAMS) / 2, (token.0 - STREAMS) % 2)
}

/// A table of children. An index is only valid until [`remove`](Self::remove).
#[derive(Debug, Default)]
pub(super) struct Children {
    slab: Slab<Child>,
    /// Those that are not reaped yet.
    by_pid: HashMap<u32, usize>,
    /// The pids of those that were made and killed at once because they were of no use; to be reaped too.
    strays: HashSet<u32>,
    by_run: HashMap<RunId, usize>,
    /// Children whose output is not watched yet, in the order of their starts, with their pids; those that
    /// are gone are passed over.
    unwatched: VecDeque<(Instant, usize, u32)>,
    /// Moments at which a child wants to be looked at; entries of children that are gone do no harm.
    deadlines: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    /// For each rule the last ended test whose output was still open, with its pid.
    lingering: HashMap<RuleId, (usize, u32)>,
}

impl Children {
    pub(super) fn insert(&mut self, child: Child) -> usize {
        let (pid, started) = (child.pid(), child.started);
        let run = match &child.role {
            Role::Test(run) => Some(*run),
            Role::Change(_) => None,
        };
        let index = self.slab.insert(child);
        self.by_pid.insert(pid, index);
        if let Some(run) = run {
            self.by_run.insert(run, index);
        }
        self.unwatched.push_back((started, index, pid));
        index
    }

    /// Has a child reaped that is of no other interest.
    pub(super) fn insert_stray(&mut self, pid: u32) {
        self.strays.insert(pid);
    }

    /// Reaps one that has ended: its index, and how it ended. Children that others of this process made are
    /// left to them.
    pub(super) fn reap_one(&mut self) -> Option<(usize, Exit)> {
        loop {
            let ended = process::ended_child()?;
            let (pid, exit) = if self.is_own(ended) {
                (ended, process::reap(ended).ok()??)
            } else {
                // Somebody else's. Until it is reaped it may hide some of ours: each is tried.
                let mut own = self.by_pid.keys().chain(&self.strays);
                own.find_map(|pid| Some((*pid, process::reap(*pid).ok()??)))?
            };
            if let Some(index) = self.reaped(pid) {
                return Some((index, exit));
            }
        }
    }

    fn is_own(&self, pid: u32) -> bool {
        self.by_pid.contains_key(&pid) || self.strays.contains(&pid)
    }

    /// The child of this pid has been reaped; its index, if it is no stray.
    fn reaped(&mut self, pid: u32) -> Option<usize> {
        self.strays.remove(&pid);
        let index = self.by_pid.remove(&pid)?;
        self.slab[index].reaped = true;
        if let Role::Test(run) = &self.slab[index].role {
            self.by_run.remove(run);
        }
        Some(index)
    }

    /// The output of this ended test stays open; the one of this rule that it was so for before, if that is
    /// there still.
    pub(super) fn linger(&mut self, rule: RuleId, index: usize) -> Option<usize> {
        let pid = self.slab[index].pid();
        let (earlier, pid) = self.lingering.insert(rule, (index, pid))?;
        let is_there = self.slab.get(earlier).is_some_and(|child| child.pid() == pid && child.reaped);
        (is_there && earlier != index).then_some(earlier)
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.slab.remove(index);
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Child> {
        self.slab.get_mut(index)
    }

    /// Asks that this child be looked at then.
    pub(super) fn look_at(&mut self, index: usize, at: Instant) {
        let pid = self.slab[index].pid();
        self.deadlines.push(Reverse((at, index, pid)));
    }

    /// A child that was to be looked at by now.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        while let Some(&Reverse((due, index, pid))) = self.deadlines.peek() {
            if due > now {
                break;
            }
            self.deadlines.pop();
            if self.slab.get(index).is_some_and(|child| child.pid() == pid) {
                return Some(index);
            }
        }
        None
    }

    /// When something is to be done here next.
    pub(super) fn wakes_at(&mut self) -> Option<Instant> {
        let deadline = self.deadlines.peek().map(|Reverse(entry)| entry.0);
        let watch = self.first_unwatched().map(|(started, _)| started + WATCHED_AFTER);
        [deadline, watch].into_iter().flatten().min()
    }

    /// Has the poll watch the output of all that have lived for long enough.
    pub(super) fn watch_those_that_live(&mut self, registry: &Registry, now: Instant) {
        while let Some((started, index)) = self.first_unwatched()
            && started + WATCHED_AFTER <= now
        {
            self.watch(registry, index);
        }
    }

    /// Has the poll watch a child's output. Where that fails the output is read at the child's end.
    pub(super) fn watch(&mut self, registry: &Registry, index: usize) {
        let child = &mut self.slab[index];
        if std::mem::replace(&mut child.watched, true) {
            return;
        }
        for (stream, capture) in [&mut child.stdout, &mut child.stderr].into_iter().enumerate() {
            if let Err(error) = capture.watch(registry, stream_token(index, stream)) {
                log::warn!("commands: cannot watch the output of a process: {error}");
            }
        }
    }

    pub(super) fn of_run(&self, run: RunId) -> Option<&Child> {
        self.by_run.get(&run).and_then(|index| self.slab.get(*index))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Child> {
        self.slab.iter().map(|(_, child)| child)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// The oldest child whose output is not watched: when it started, and which it is.
    fn first_unwatched(&mut self) -> Option<(Instant, usize)> {
        while let Some(&(started, index, pid)) = self.unwatched.front() {
            match self.slab.get(index) {
                Some(child) if child.pid() == pid && !child.watched => return Some((started, index)),
                Some(_) | None => self.unwatched.pop_front(),
            };
        }
        None
    }
}

impl Index<usize> for Children {
    type Output = Child;

    fn index(&self, index: usize) -> &Child {
        &self.slab[index]
    }
}

impl IndexMut<usize> for Children {
    fn index_mut(&mut self, index: usize) -> &mut Child {
        &mut self.slab[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::CommandLine;

    fn ends_with(status: i32) -> std::process::Command {
        let arguments = vec!["-c".into(), format!("exit {status}").into()];
        super::super::child::prepare(&CommandLine { program: "sh".into(), arguments })
    }

    #[expect(clippy::disallowed_methods, reason = "a test with real processes")]
    fn insert(children: &mut Children, status: i32) -> usize {
        let run = RunId { rule: RuleId(0), run: u64::from(status.unsigned_abs()) };
        let child = super::super::child::spawn(&mut ends_with(status), Role::Test(run), Instant::now());
        children.insert(child.unwrap())
    }

    #[expect(clippy::disallowed_methods, reason = "a test with real processes")]
    fn wait_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(found) = what() {
                return found;
            }
            assert!(Instant::now() < until, "it never came");
        }
    }

    /// The operating system names the same ended child again and again until it is reaped. Linux begins with
    /// those of the calling thread, which is why all are made by one here.
    #[test]
    #[expect(clippy::zombie_processes, reason = "who reaps is what is tested")]
    fn children_of_others_are_left_alone_and_hide_none_of_ours() {
        let mut children = Children::default();
        let mut other = ends_with(3).spawn().unwrap();
        wait_for(|| process::ended_child().filter(|pid| *pid == other.id()));
        let ours = insert(&mut children, 5);
        assert_eq!(wait_for(|| children.reap_one()), (ours, Exit::Status(5)));
        // A stray is reaped and not told of.
        let stray = ends_with(6).spawn().unwrap();
        children.insert_stray(stray.id());
        wait_for(|| {
            assert_eq!(children.reap_one(), None);
            children.strays.is_empty().then_some(())
        });
        assert!(process::reap(stray.id()).is_err());
        let ours = insert(&mut children, 7);
        assert_eq!(wait_for(|| children.reap_one()), (ours, Exit::Status(7)));
        assert_eq!(children.reap_one(), None);
        assert_eq!(other.wait().unwrap().code(), Some(3));
    }
}
