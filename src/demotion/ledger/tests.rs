//! The ledger in a world of its own, in which it is killed before every step that it takes, and again while the next
//! one takes over; and in which every step fails.

mod sentences;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;

const STATE_DIR: &str = "/state";
const TRACKED: &str = "/run/tracked";
const BOOT: &str = "this boot";

/// What outlives a process.
#[derive(Debug, Default)]
struct World {
    counter: i64,
    /// What others have added.
    foreign: i64,
    /// What others add whenever the counter was read.
    storm: i64,
    files: BTreeMap<PathBuf, Vec<u8>>,
    modes: BTreeMap<PathBuf, u32>,
    steps: usize,
    fault: Option<(usize, Fault)>,
    /// Where no file can be made, and why.
    closed: Vec<(PathBuf, io::ErrorKind)>,
}

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The process is killed before it.
    Kill,
    /// It is refused.
    Refuse(io::ErrorKind),
}

#[derive(Clone, Debug, Default)]
struct Shared(Rc<RefCell<World>>);

impl Shared {
    /// One step; an error if that is not done. Whoever is killed does nothing from then on.
    fn step(&self) -> Result<(), io::Error> {
        let mut world = self.0.borrow_mut();
        world.steps += 1;
        match world.fault {
            Some((at, Fault::Kill)) if world.steps >= at => Err(io::Error::other("killed")),
            Some((at, Fault::Refuse(kind))) if world.steps == at => Err(kind.into()),
            Some(_) | None => Ok(()),
        }
    }

    fn is_killed(&self) -> bool {
        let world = self.0.borrow();
        matches!(world.fault, Some((at, Fault::Kill)) if world.steps >= at)
    }

    /// The next process, at which this happens.
    fn fault(&self, fault: Option<(usize, Fault)>) {
        let mut world = self.0.borrow_mut();
        (world.steps, world.fault) = (0, fault);
    }

    fn others_add(&self, change: i64) {
        let mut world = self.0.borrow_mut();
        world.counter += change;
        world.foreign += change;
    }

    fn file(&self, path: &str) -> Option<String> {
        let world = self.0.borrow();
        world.files.get(Path::new(path)).map(|bytes| String::from_utf8(bytes.clone()).expect("text"))
    }

    /// From now on no file can be made there.
    fn close(&self, directory: &str, kind: io::ErrorKind) {
        self.0.borrow_mut().closed.push((directory.into(), kind));
    }

    fn put_file(&self, path: &str, text: &str) {
        self.0.borrow_mut().files.insert(path.into(), text.into());
    }

    fn record(&self) -> Option<String> {
        self.file("/state/demotion")
    }

    /// What is in the counter by us.
    fn ours(&self) -> i64 {
        let world = self.0.borrow();
        world.counter - world.foreign
    }

    fn target(&self, kind: Kind) -> Target {
        match kind {
            Kind::Counter => Target::Counter(Box::new(self.clone())),
            Kind::File => Target::File(TRACKED.into()),
        }
    }

    fn ledger(&self, boot: &str, kind: Kind) -> Ledger {
        let shared = self.clone();
        let open = move |name: &str| match name.strip_prefix("file:") {
            Some(path) => Ok(Target::File(path.into())),
            None if name == "carp" => Ok(shared.target(Kind::Counter)),
            None => Err("unknown".to_owned()),
        };
        let place = Place { state_dir: STATE_DIR.into(), boot: boot.to_owned(), open: Box::new(open) };
        Ledger::new(Box::new(self.clone()), self.target(kind), place)
    }

    fn begin_in(&self, boot: &str, kind: Kind, remarks: &mut Vec<String>) -> Result<Ledger, String> {
        let mut ledger = self.ledger(boot, kind);
        ledger.try_out()?;
        ledger.begin(remarks)?;
        Ok(ledger)
    }

    /// Takes over, without anything to be remarked.
    fn begin(&self, kind: Kind) -> Result<Ledger, String> {
        let mut remarks = Vec::new();
        let ledger = self.begin_in(BOOT, kind, &mut remarks)?;
        assert_eq!(remarks, [""; 0]);
        Ok(ledger)
    }
}

impl Counter for Shared {
    fn read(&mut self) -> io::Result<i64> {
        self.step()?;
        let (counter, storm) = (self.0.borrow().counter, self.0.borrow().storm);
        self.others_add(storm);
        Ok(counter)
    }

    fn add(&mut self, delta: i32) -> io::Result<()> {
        self.step()?;
        self.0.borrow_mut().counter += i64::from(delta);
        Ok(())
    }
}

impl Files for Shared {
    fn read(&mut self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.step()?;
        Ok(self.0.borrow().files.get(path).cloned())
    }

    fn create(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut step = self.step();
        let closed = self.0.borrow().closed.clone();
        for (_, kind) in closed.iter().filter(|(directory, _)| path.starts_with(directory)) {
            step = Err((*kind).into());
        }
        let written = if step.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let mut world = self.0.borrow_mut();
        world.files.insert(path.to_owned(), written.to_owned());
        world.modes.insert(path.to_owned(), mode);
        step
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let mut world = self.0.borrow_mut();
        let bytes = world.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        let mode = world.modes.get(from).copied().unwrap_or(0);
        world.files.insert(to.to_owned(), bytes);
        world.modes.insert(to.to_owned(), mode);
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.0.borrow_mut().files.remove(path);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    File,
}

const KINDS: [Kind; 2] = [Kind::Counter, Kind::File];

fn shares(of: &[(&str, u8)]) -> Shares {
    of.iter().map(|(rule, share)| ((*rule).to_owned(), *share)).collect()
}

/// What is wanted, one after the other; the last is that nothing is.
fn script() -> Vec<Shares> {
    vec![
        shares(&[("a", 10)]),
        shares(&[("a", 10), ("b", 20)]),
        // As much as before, by others.
        shares(&[("c", 30)]),
        shares(&[("c", 30)]),
        // More than there is room for.
        shares(&[("a", 200), ("c", 30), ("d", 240)]),
        shares(&[("a", 201), ("c", 30), ("d", 240)]),
        shares(&[("d", 7), ("never", 0)]),
        Shares::new(),
    ]
}

fn without_nothing(shares: &Shares) -> Shares {
    shares.iter().filter(|(_, share)| **share > 0).map(|(rule, share)| (rule.clone(), *share)).collect()
}

/// The counter, or the file, holds what a ledger says, and so does the record.
fn assert_true(world: &Shared, kind: Kind, ledger: &Ledger, when: &str) {
    let total = total(ledger.shares());
    match kind {
        Kind::Counter => assert_eq!(world.ours(), i64::from(total), "{when}"),
        Kind::File => assert_eq!(world.file(TRACKED), Some(format!("{total}\n")), "{when}"),
    }
}

/// Goes through the script until it is killed; gives back what had been done and what was being done.
fn go_until_killed(world: &Shared, kind: Kind, last: &Shares) -> (Shares, Shares) {
    let Ok(mut ledger) = world.begin(kind) else {
        assert!(world.is_killed());
        return (last.clone(), last.clone());
    };
    assert_eq!(ledger.shares(), last);
    let mut done = last.clone();
    for wanted in script() {
        let result = ledger.change(wanted.clone());
        if world.is_killed() {
            return (done, without_nothing(&wanted));
        }
        assert_eq!(result, Ok(total(&wanted)));
        done = without_nothing(&wanted);
        assert_true(world, kind, &ledger, "done");
    }
    let _ = ledger.release();
    (Shares::new(), Shares::new())
}

#[test]
fn whoever_is_killed_at_any_step_and_the_next_one_too_leaves_what_can_be_made_good() {
    let mut kills = 0;
    for kind in KINDS {
        for (storm, meanwhile) in [(0, 0), (0, 240), (0, -480), (240, 0), (-240, 960)] {
            for first in 1.. {
                let world = Shared::default();
                world.0.borrow_mut().storm = storm;
                // They never take more than they have put in.
                world.others_add(100_013);
                world.fault(Some((first, Fault::Kill)));
                let (done, doing) = go_until_killed(&world, kind, &Shares::new());
                if !world.is_killed() {
                    assert!(first > 40, "the script has steps");
                    break;
                }
                world.others_add(meanwhile);
                for second in 1.. {
                    // The same world again, as far as that.
                    let world = Shared(Rc::new(RefCell::new(copy(&world.0.borrow()))));
                    let when = format!("{kind:?} storm {storm} meanwhile {meanwhile} kills {first} {second}");
                    world.fault(Some((second, Fault::Kill)));
                    let again = world.begin(kind);
                    let is_killed = world.is_killed();
                    drop(again);
                    // A capped change is as large as one of others: then nobody can tell.
                    let is_clear =
                        (total(&done).abs_diff(total(&doing))) < 240 || storm == 0 && meanwhile == 0;
                    assert!(is_clear, "{when}: the script has no such change");
                    world.fault(None);
                    let mut ledger = world.begin(kind).expect("nothing is in its way");
                    assert!([&done, &doing].contains(&ledger.shares()), "{when}: {:?}", ledger.shares());
                    assert_true(&world, kind, &ledger, &when);
                    assert_eq!(ledger.change(shares(&[("z", 9)])), Ok(9), "{when}");
                    assert_true(&world, kind, &ledger, &when);
                    assert_eq!(ledger.release(), Ok(()), "{when}");
                    assert_true(&world, kind, &ledger, &when);
                    assert_eq!(world.record(), None, "{when}");
                    kills += 1;
                    if !is_killed {
                        break;
                    }
                }
            }
        }
    }
    assert!(kills > 2000, "{kills}");
}

fn copy(world: &World) -> World {
    let (files, modes) = (world.files.clone(), world.modes.clone());
    World { files, modes, fault: None, steps: 0, closed: world.closed.clone(), ..*world }
}

#[test]
fn whatever_is_refused_once_is_done_when_it_is_tried_again() {
    for kind in KINDS {
        for refused in 1.. {
            let world = Shared::default();
            world.fault(Some((refused, Fault::Refuse(io::ErrorKind::StorageFull))));
            let when = format!("{kind:?} step {refused}");
            let mut ledger = match world.begin_in(BOOT, kind, &mut Vec::new()) {
                Ok(ledger) => ledger,
                Err(why) => {
                    assert!(why.contains("torage"), "{when}: {why}");
                    world.begin(kind).expect("it is refused once")
                }
            };
            for wanted in script() {
                if let Err(why) = ledger.change(wanted.clone()) {
                    assert!(why.contains("torage"), "{when}: {why}");
                    if kind == Kind::Counter {
                        assert_true(&world, kind, &ledger, &when);
                    }
                    assert_eq!(ledger.change(wanted.clone()), Ok(total(&wanted)), "{when}");
                }
                assert_true(&world, kind, &ledger, &when);
                if ledger.is_behind() {
                    ledger.catch_up();
                }
                assert!(!ledger.is_behind(), "{when}");
                // Whoever comes now finds what is.
                let others = Shared(Rc::new(RefCell::new(copy(&world.0.borrow()))));
                let next = others.begin(kind).expect("it is refused once");
                assert_eq!(next.shares(), ledger.shares(), "{when}");
            }
            if ledger.release().is_err() {
                assert_eq!(ledger.release(), Ok(()), "{when}");
            }
            assert_eq!(world.record(), None, "{when}");
            if world.0.borrow().steps < refused {
                assert!(refused > 30, "the script has steps");
                break;
            }
        }
    }
}

/// How many steps an undisturbed start takes.
fn steps_of_begin(kind: Kind) -> usize {
    let world = Shared::default();
    let _ = world.begin(kind);
    world.0.borrow().steps
}
