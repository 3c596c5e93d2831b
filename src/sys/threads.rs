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

/// By how much a thread is nicer that stands back: it has a tenth of the weight, so that others of one core go before
/// it, and it still gets on where they never rest.
#[cfg(target_os = "linux")]
const NICER: libc::c_int = 10;

/// Has the calling thread stand back behind the others, where a thread can: what it does has time.
pub fn stand_back() {
    #[cfg(target_os = "linux")]
    // SAFETY: nice(2) takes a number and has no memory of ours; on Linux it is about the calling thread.
    unsafe {
        libc::nice(NICER);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// The niceness of the calling thread (proc_pid_stat(5), field 19).
    fn niceness() -> i32 {
        let text = std::fs::read_to_string("/proc/thread-self/stat").expect("the kernel's word");
        let after_name = text.rsplit_once(") ").expect("a name").1;
        after_name.split(' ').nth(16).and_then(|field| field.parse().ok()).expect("a number")
    }

    #[test]
    fn one_that_stands_back_leaves_the_others_where_they_are() {
        let before = niceness();
        let (told, niced) = sync_channel(1);
        let body = move || {
            stand_back();
            told.send(niceness()).expect("it is waited for");
        };
        start("nice", Rights::NONE, body).expect("a thread");
        assert_eq!(niced.recv().expect("a word"), (before + NICER).min(19));
        assert_eq!(niceness(), before);
    }
}
