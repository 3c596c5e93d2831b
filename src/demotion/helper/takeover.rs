//! One helper a directory: the newest has it, as its hfm alone has the directory.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::now;
use crate::sys::helper::wait_readable;
use crate::sys::process_lock::{self, Holder, ProcessLock};

/// The lock's name in state_dir.
const FILE: &str = "demotion.lock";
/// How long one that was asked to leave may take, before it is killed, and then until it is gone. A kill does no harm:
/// what it was about to do is recorded.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether it has left, in milliseconds.
const LOOK_MILLISECONDS: i32 = 5;

/// That nobody else has the directory, while this lives.
pub(super) struct Taken {
    _lock: ProcessLock,
}

/// Has whoever holds the directory leave it, and takes it.
///
/// # Errors
/// Why it cannot be had, and what to do.
pub(super) fn take(state_dir: &str) -> Result<Taken, String> {
    let path = Path::new(state_dir).join(FILE);
    let cannot = |what: &str, error: &io::Error| format!("cannot {what} {}: {error}", path.display());
    let lock = ProcessLock::open(&path).map_err(|error| cannot("write", &error))?;
    let mut asked = None;
    // Who, and since when it has been waited for; and whether that is to be over.
    let (mut since, mut is_killed) = (now(), false);
    loop {
        let holder = match lock.try_lock().map_err(|error| cannot("lock", &error))? {
            Holder::Us => return Ok(Taken { _lock: lock }),
            Holder::Other(holder) => Some(holder),
            Holder::Unknown => None,
        };
        let late = |since: Instant| now().saturating_duration_since(since) >= PATIENCE;
        match holder {
            Some(holder) if asked != Some(holder) => {
                let refused = |error: io::Error| {
                    format!(
                        "the helper of an hfm before this one (process {holder}) has {} and cannot be told to \
                         leave: {error}; end it",
                        path.display()
                    )
                };
                process_lock::ask_to_leave(holder).map_err(refused)?;
                (asked, since, is_killed) = (Some(holder), now(), false);
            }
            Some(holder) if late(since) && !is_killed => {
                process_lock::end(holder).map_err(|error| cannot("have alone", &error))?;
                (since, is_killed) = (now(), true);
            }
            Some(_) | None if late(since) => {
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
