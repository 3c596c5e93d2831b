//! What operators have set outlives a process that is killed: the file is the one of before or the new one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hfm::overrides::store::{self, Store};
use hfm::overrides::{Book, Entry};
use hfm::standing::Override;
use hfm::sys::state_dir::{Lock, Place, StateDir};
use mio::{Events, Poll, Token, Waker};

/// Where the one that is to be killed writes.
const WRITE_TO: &str = "HFM_TEST_OVERRIDES";
const ROUNDS: u32 = 20;
const RULES: u32 = 2000;

/// All entries are of the same moment: a mixture of two books is seen.
fn book(moment: u64) -> Book {
    let mut book = Book::default();
    for rule in 0..RULES {
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(moment);
        let entry = Entry { kind: Override::Drained, reason: None, uid: 0, by: None, since, until: None };
        book.set(format!("pool/web{rule}").into(), entry).expect("there is room");
    }
    book
}

fn place(path: &Path) -> Place {
    let path = path.to_str().expect("a plain path");
    Ok(Arc::new(StateDir::open(path, Lock::Exclusive).expect("nobody else has it")))
}

/// Another one with each write.
fn written_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path.join("overrides")).ok()?.modified().ok()
}

/// Writes one book after the other, until it is killed.
fn write_for_ever(path: &Path) -> ! {
    let mut poll = Poll::new().expect("a poll");
    let wake = Arc::new(Waker::new(poll.registry(), Token(0)).expect("a waker"));
    let mut store = Store::start(&place(path), wake).expect("a thread");
    for moment in 1.. {
        let number = store.write(book(moment));
        while store.poll_written().is_none_or(|written| written.number < number) {
            poll.poll(&mut Events::with_capacity(8), None).expect("a poll");
        }
    }
    unreachable!("there is no end to numbers")
}

#[test]
fn whenever_the_process_is_killed_the_file_is_whole() {
    if let Some(path) = std::env::var_os(WRITE_TO) {
        write_for_ever(&PathBuf::from(path));
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("overrides-killed");
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    for round in 0..ROUNDS {
        let this = std::env::current_exe().expect("this program");
        let mut child = Command::new(this)
            .args(["--exact", "whenever_the_process_is_killed_the_file_is_whole", "--nocapture"])
            .env(WRITE_TO, &path)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        // Killed once it has written something, at another point of a later write each time.
        let before = written_at(&path);
        while written_at(&path) == before {
            let ended = child.try_wait().expect("it can be waited for");
            assert!(ended.is_none(), "it ended by itself: {ended:?}");
            std::thread::yield_now();
        }
        for _ in 0..round * 20_000 {
            std::hint::spin_loop();
        }
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        // The lock is gone with it.
        let book = store::load(&place(&path), SystemTime::UNIX_EPOCH);
        assert!(!path.join("overrides.corrupt").exists(), "round {round}");
        let mut all = book.iter().map(|(_, entry)| entry.since);
        let first = all.next().expect("what was whole is left");
        assert_eq!(book.len(), RULES as usize, "round {round}");
        assert!(all.all(|since| since == first), "round {round}: of two books");
    }
}
