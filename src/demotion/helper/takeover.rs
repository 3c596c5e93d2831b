//! One helper a directory, and one a file that is tracked: the newest has them, as its hfm alone has the directory.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::now;
use crate::sys::helper::{has_hung_up, wait_readable};
use crate::sys::process_lock::{self, Holder, ProcessLock};

/// The lock's name in state_dir.
const FILE: &str = "demotion.lock";
/// What the name of the lock of a tracked file has beyond its own.
const TRACKED_END: &str = ".lock";
/// How long one that was asked to leave may take, before it is killed, and then until it is gone. A kill does no harm:
/// what it was about to do is recorded.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether it has left, in milliseconds.
const LOOK_MILLISECONDS: i32 = 5;

/// That nobody else has the directory and the file, while this lives.
pub(super) struct Taken {
    state: ProcessLock,
    tracked: Option<ProcessLock>,
}

impl Taken {
    /// Whether there is another one that waits for it.
    pub(super) fn is_waited_for(&self) -> bool {
        self.state.is_waited_for() || self.tracked.as_ref().is_some_and(ProcessLock::is_waited_for)
    }
}

/// Has whoever holds the directory leave it, and takes it, for the hfm at the other end of a socket; and the file that
/// is tracked, which may be that of an hfm with another directory. If so nobody is sent away.
///
/// # Errors
/// Why it cannot be had, and what to do.
pub(super) fn take(state_dir: &Path, tracked: Option<&Path>, hfm: BorrowedFd<'_>) -> Result<Taken, String> {
    let state = Wanted::open(state_dir.join(FILE))?;
    let tracked = match tracked {
        Some(path) => {
            let mut lock = path.to_owned().into_os_string();
            lock.push(TRACKED_END);
            let wanted = Wanted::open(lock.into())?;
            wanted.take(
                hfm,
                |holder| Ok(state.lock.try_lock()? == holder),
                |who| {
                    format!(
                        "{} is written by another hfm{who}; end that one, or give each a file of its own",
                        path.display()
                    )
                },
            )?;
            Some(wanted.lock)
        }
        None => None,
    };
    state.take(hfm, |_| Ok(true), |who| {
        format!(
            "{} is locked by another process{who} that does not leave; end it, or give this hfm a state_dir of its own",
            state.path.display()
        )
    })?;
    Ok(Taken { state: state.lock, tracked })
}

/// A lock that is to be had.
struct Wanted {
    path: PathBuf,
    lock: ProcessLock,
}

impl Wanted {
    fn open(path: PathBuf) -> Result<Self, String> {
        match ProcessLock::open(&path) {
            Ok(lock) => Ok(Self { path, lock }),
            Err(error) => Err(cannot("write", &path, &error)),
        }
    }

    /// Has whoever holds it leave, and end if that one is ours to end.
    fn take(
        &self,
        hfm: BorrowedFd<'_>,
        is_ours_to_end: impl Fn(Holder) -> io::Result<bool>,
        refusal: impl Fn(&str) -> String,
    ) -> Result<(), String> {
        let lock = &self.lock;
        let cannot = |what: &'static str| move |error: io::Error| cannot(what, &self.path, &error);
        // Who has it, and since when that one is waited for; and whether it was killed since.
        let mut held_by = None;
        let (mut since, mut is_killed) = (now(), false);
        loop {
            let holder = match lock.try_lock().map_err(cannot("lock"))? {
                Holder::Us => return Ok(()),
                Holder::Other(holder) => Some(holder),
                Holder::Unknown => None,
            };
            // One whose hfm has ended by now may be late: another hfm can have this directory, and its helper too.
            if has_hung_up(hfm).map_err(cannot("wait for"))? {
                let is_left = self.is_left().map_err(cannot("lock"))?;
                return if is_left { Ok(()) } else { Err("its hfm has ended".to_owned()) };
            }
            if holder.is_some() && holder != held_by {
                (held_by, since, is_killed) = (holder, now(), false);
            }
            let is_late = now().saturating_duration_since(since) >= PATIENCE;
            match holder {
                Some(holder) if !is_late => {
                    // Again and again: it is not heeded while the hfm of that one is there still.
                    lock.wait_in_it().map_err(cannot("write"))?;
                    process_lock::ask_to_leave(holder).map_err(|error| {
                        format!(
                            "the helper of an hfm before this one (process {holder}) has {} and cannot be told to \
                             leave: {error}; end it",
                            self.path.display()
                        )
                    })?;
                }
                Some(holder)
                    if !is_killed && is_ours_to_end(Holder::Other(holder)).map_err(cannot("lock"))? =>
                {
                    process_lock::end(holder).map_err(cannot("have alone"))?;
                    (since, is_killed) = (now(), true);
                }
                Some(_) | None if is_late => {
                    let who = holder.map_or_else(String::new, |holder| format!(" (process {holder})"));
                    return Err(refusal(&who));
                }
                Some(_) | None => {}
            }
            wait_readable([], LOOK_MILLISECONDS).map_err(cannot("wait for"))?;
        }
    }

    /// Takes it if nobody has it any more: its holder may just have left, for this one. Who has it yet leaves for
    /// nobody from now on, or for another one.
    fn is_left(&self) -> io::Result<bool> {
        self.lock.wait_no_more()?;
        wait_readable([], LOOK_MILLISECONDS)?;
        Ok(self.lock.try_lock()? == Holder::Us)
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    let advice = if error.kind() == io::ErrorKind::PermissionDenied {
        "; it is another user's: have hfm run as that one, or remove it once no hfm runs there, or let hfm have the \
         capability CAP_DAC_OVERRIDE"
    } else {
        ""
    };
    format!("cannot {what} {}: {error}{advice}", path.display())
}
