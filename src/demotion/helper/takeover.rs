//! One helper a directory: the newest has it, as its hfm alone has the directory.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use super::now;
use crate::sys::helper::{has_hung_up, wait_readable};
use crate::sys::process_lock::{self, Holder, ProcessLock};

/// The lock's name in state_dir.
const FILE: &str = "demotion.lock";
/// How long one that was asked to leave may take, before it is killed, and then until it is gone. A kill does no harm:
/// what it was about to do is recorded.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether it has left, in milliseconds.
const LOOK_MILLISECONDS: i32 = 5;

/// That nobody else has the directory, while this lives.
pub(super) struct Taken(ProcessLock);

impl Taken {
    /// Whether there is another one that waits for it.
    pub(super) fn is_waited_for(&self) -> bool {
        self.0.is_waited_for()
    }
}

/// Has whoever holds the directory leave it, and takes it, for the hfm at the other end of a socket.
///
/// # Errors
/// Why it cannot be had, and what to do.
pub(super) fn take(state_dir: &Path, hfm: BorrowedFd<'_>) -> Result<Taken, String> {
    let path = state_dir.join(FILE);
    let cannot = |what: &str, error: &io::Error| {
        let advice = if error.kind() == io::ErrorKind::PermissionDenied {
            "; it is another user's: have hfm run as that one, or remove it once no hfm runs there, or let hfm have the \
             capability CAP_DAC_OVERRIDE"
        } else {
            ""
        };
        format!("cannot {what} {}: {error}{advice}", path.display())
    };
    let lock = ProcessLock::open(&path).map_err(|error| cannot("write", &error))?;
    // Who has it, and since when that one is waited for; and whether it was killed since.
    let mut held_by = None;
    let (mut since, mut is_killed) = (now(), false);
    loop {
        let holder = match lock.try_lock().map_err(|error| cannot("lock", &error))? {
            Holder::Us => return Ok(Taken(lock)),
            Holder::Other(holder) => Some(holder),
            Holder::Unknown => None,
        };
        // One whose hfm has ended by now may be late: another hfm can have this directory, and its helper too.
        if has_hung_up(hfm).map_err(|error| cannot("wait for", &error))? {
            return take_if_left(lock)
                .map_err(|error| cannot("lock", &error))?
                .ok_or("its hfm has ended".to_owned());
        }
        if holder.is_some() && holder != held_by {
            (held_by, since, is_killed) = (holder, now(), false);
        }
        let is_late = now().saturating_duration_since(since) >= PATIENCE;
        match holder {
            Some(holder) if !is_late => {
                // Again and again: it is not heeded while the hfm of that one is there still.
                lock.wait_in_it().map_err(|error| cannot("write", &error))?;
                process_lock::ask_to_leave(holder).map_err(|error| {
                    format!(
                        "the helper of an hfm before this one (process {holder}) has {} and cannot be told to \
                         leave: {error}; end it",
                        path.display()
                    )
                })?;
            }
            Some(holder) if !is_killed => {
                process_lock::end(holder).map_err(|error| cannot("have alone", &error))?;
                (since, is_killed) = (now(), true);
            }
            Some(_) | None if is_late => {
                let who = holder.map_or_else(String::new, |holder| format!(" (process {holder})"));
                return Err(format!(
                    "{} is locked by another process{who} that does not leave; end it, or give this hfm a state_dir \
                     of its own",
                    path.display()
                ));
            }
            Some(_) | None => {}
        }
        wait_readable([], LOOK_MILLISECONDS).map_err(|error| cannot("wait for", &error))?;
    }
}

/// Takes the directory if nobody has it any more: its helper may just have left, for this one. Who has it yet leaves for
/// nobody from now on, or for another one.
fn take_if_left(lock: ProcessLock) -> io::Result<Option<Taken>> {
    lock.wait_no_more()?;
    wait_readable([], LOOK_MILLISECONDS)?;
    Ok((lock.try_lock()? == Holder::Us).then_some(Taken(lock)))
}
