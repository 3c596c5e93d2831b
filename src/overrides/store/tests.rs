//! The file and its thread: before a disk that fails, and before none.

use std::fs;
use std::os::unix::fs::symlink;

use mio::{Events, Poll, Token};

use super::*;
use crate::overrides::Entry;
use crate::standing::Override;
use crate::sys::identity;
use crate::sys::state_dir::{self, Lock};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn book(rules: usize) -> Book {
    let mut book = Book::default();
    for rule in 0..rules {
        let (reason, by) = (Some("kernel update".to_owned()), None);
        let until = Some(at(1000 + rule as u64));
        let entry = Entry { kind: Override::Drained, reason, uid: 7, by, since: at(1), until };
        book.set(format!("web/{rule}").into(), entry).unwrap();
    }
    book
}

/// A state_dir of a test's own, gone after it.
struct Dir {
    path: String,
    place: Place,
}

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hfm-overrides-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let path = path.to_str().expect("a plain path").to_owned();
        state_dir::make(&path, &identity::look_up(None, None).unwrap()).unwrap();
        let place = Ok(Arc::new(StateDir::open(&path, Lock::Exclusive).unwrap()));
        Self { path, place }
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// What the next process would find.
    fn load(&self, now: u64) -> Book {
        load(&self.place, at(now))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A store, and the poll of a reactor that does nothing else.
struct Bench {
    store: Store,
    poll: Poll,
}

impl Bench {
    fn new(place: &Place) -> Self {
        let poll = Poll::new().unwrap();
        let wake = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        Self { store: Store::start(place, wake).unwrap(), poll }
    }

    /// Waits for the next word; every sleep has to be ended by the store itself.
    fn written(&mut self) -> Written {
        loop {
            if let Some(written) = self.store.poll_written() {
                return written;
            }
            self.poll.poll(&mut Events::with_capacity(8), None).unwrap();
        }
    }
}

#[test]
fn what_was_written_is_there_for_the_next_process() {
    let dir = Dir::new("written");
    let mut bench = Bench::new(&dir.place);
    let number = bench.store.write(book(3));
    assert_eq!(bench.written(), Written { number, result: Ok(()) });
    assert_eq!(bench.store.poll_written(), None);
    assert_eq!(dir.load(0), book(3));
    bench.store.write(Book::default());
    assert_eq!(bench.store.finish(), Ok(()));
    assert!(dir.load(0).is_empty());
}

#[test]
fn the_newest_is_written_whatever_came_before_it_and_all_are_done_with_it() {
    let dir = Dir::new("newest");
    let mut bench = Bench::new(&dir.place);
    let mut last = 0;
    for rules in 0..=500 {
        let number = bench.store.write(book(rules));
        assert!(number > last);
        last = number;
    }
    let (mut before, mut count) = (0, 0);
    while before < last {
        let Written { number, result } = bench.written();
        assert_eq!(result, Ok(()));
        assert!(number > before);
        (before, count) = (number, count + 1);
    }
    assert_eq!(dir.load(0), book(500));
    assert!(count <= 501, "{count}");
    assert_eq!(bench.store.poll_written(), None);
}

#[test]
fn the_end_waits_for_what_was_asked() {
    let dir = Dir::new("end");
    let mut bench = Bench::new(&dir.place);
    for rules in 0..100 {
        bench.store.write(book(rules));
    }
    assert_eq!(bench.store.finish(), Ok(()));
    assert_eq!(dir.load(0), book(99));
}

#[test]
fn without_a_place_it_is_said_at_once_why() {
    let nowhere: Place = Err("state_dir /x: another hfm uses it".into());
    let mut bench = Bench::new(&nowhere);
    assert_eq!(bench.store.poll_written(), None, "nothing was asked");
    bench.store.write(book(1));
    bench.store.write(book(2));
    let Written { number, result } = bench.written();
    assert_eq!(number, 2);
    let why = result.unwrap_err().to_string();
    assert_eq!(why, "not remembered: state_dir /x: another hfm uses it");
    assert_eq!(bench.store.poll_written(), None, "once");
    bench.store.write(book(3));
    assert_eq!(bench.store.finish().unwrap_err().to_string(), why);
    assert!(load(&nowhere, at(0)).is_empty());
}

#[test]
fn dry_run_reads_and_writes_nothing() {
    let dir = Dir::new("dry");
    let mut bench = Bench::new(&dir.place);
    bench.store.write(book(1));
    bench.store.finish().unwrap();
    let reader: Place = Ok(Arc::new(StateDir::open(&dir.path, Lock::None).unwrap()));
    assert_eq!(load(&reader, at(0)), book(1));
    let mut bench = Bench::new(&reader);
    bench.store.write(book(2));
    let Written { number, result } = bench.written();
    assert_eq!(
        (number, result.unwrap_err().to_string()),
        (1, "not remembered: dry_run writes nothing".to_owned())
    );
    assert_eq!(dir.load(0), book(1));
    // Not even aside.
    fs::write(dir.file(FILE), "hfm-overrides 1\n").unwrap();
    assert!(load(&reader, at(0)).is_empty());
    assert!(fs::exists(dir.file(FILE)).unwrap());
}

#[test]
fn what_cannot_be_written_is_said_and_made_good_at_the_latest_at_the_end() {
    let dir = Dir::new("failing");
    // Stands where the new one is to be written.
    let in_the_way = dir.file("overrides.new");
    fs::create_dir(&in_the_way).unwrap();
    let mut bench = Bench::new(&dir.place);
    bench.store.write(book(1));
    let Written { number, result } = bench.written();
    let why = result.unwrap_err().to_string();
    assert!(
        number == 1 && why.starts_with("not remembered: cannot write ") && why.contains("/overrides: "),
        "{why}"
    );
    assert!(dir.load(0).is_empty());
    // Nothing more is asked for: the end tries once more what could not be written.
    let mut hopeless = Bench::new(&dir.place);
    hopeless.store.write(book(2));
    hopeless.written();
    assert!(hopeless.store.finish().is_err());
    fs::remove_dir(in_the_way).unwrap();
    assert_eq!(bench.store.finish(), Ok(()));
    assert_eq!(dir.load(0), book(1));
}

#[test]
fn overrides_that_are_over_are_not_there_any_more() {
    let dir = Dir::new("over");
    let mut bench = Bench::new(&dir.place);
    bench.store.write(book(5));
    bench.store.finish().unwrap();
    let left: Vec<_> = dir.load(1002).iter().map(|(rule, _)| rule.to_string()).collect();
    assert_eq!(left, ["web/3", "web/4"]);
}

#[test]
fn a_damaged_file_is_set_aside_and_nothing_of_it_is_believed() {
    let dir = Dir::new("damaged");
    let text = book(2).encode();
    fs::write(dir.file(FILE), &text[..text.len() - 1]).unwrap();
    assert!(dir.load(0).is_empty());
    assert!(!fs::exists(dir.file(FILE)).unwrap());
    assert_eq!(fs::read_to_string(dir.file("overrides.corrupt")).unwrap(), text[..text.len() - 1]);
    // What a killed process has left half written is never looked at.
    fs::write(dir.file("overrides.new"), &text[..20]).unwrap();
    fs::write(dir.file(FILE), &text).unwrap();
    assert_eq!(dir.load(0), book(2));
    fs::remove_file(dir.file(FILE)).unwrap();
    symlink("/etc/passwd", dir.file(FILE)).unwrap();
    assert!(dir.load(0).is_empty());
    let mut bench = Bench::new(&dir.place);
    bench.store.write(book(1));
    assert_eq!(bench.store.finish(), Ok(()));
    assert_eq!(dir.load(0), book(1));
}
