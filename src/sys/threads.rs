//! Starting threads: each gives up at once what rights it has no use for.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use super::privilege::{self, Rights};

/// Starts a thread that keeps these rights and no others, and waits until it has given up the rest.
///
/// # Errors
/// When no thread can be had, or one that does not give up rights: nothing of `body` runs then.
pub fn start(name: &str, rights: Rights, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let (told, given_up) = sync_channel(1);
    Builder::new().name(name.to_owned()).spawn(move || {
        let outcome = privilege::keep(rights);
        let may_go_on = outcome.is_ok();
        // Who started it waits for this.
        let _ = told.send(outcome);
        if may_go_on {
            body();
        }
    })?;
    let gone = |_| io::Error::other("a new thread has ended");
    given_up.recv().map_err(gone).flatten()
}
