//! What outlives every process of a test: a counter, a record, a file that is tracked.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hfm::demotion::ledger::{Counter, Files};
use hfm::demotion::protocol::Shares;
use nix::sys::signal::{Signal, raise};

/// A directory of a test's own.
pub(crate) struct World {
    pub(crate) path: PathBuf,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demotion-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("state")).expect("a directory");
        let world = Self { path };
        world.others_add(0);
        world
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path.join("state")
    }

    pub(crate) fn tracked(&self) -> PathBuf {
        self.path.join("tracked")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.state_dir().join("demotion")
    }

    /// What others do to the counter.
    pub(crate) fn others_add(&self, change: i64) {
        append(&self.path, "others", change).expect("the counter is a file");
    }

    /// What is in the counter by hfm, which only the test knows.
    pub(crate) fn ours(&self) -> i64 {
        entries(&self.path).iter().filter(|(who, _)| who == "hfm").map(|(_, change)| change).sum()
    }

    /// As a reboot leaves it.
    pub(crate) fn reset_counter(&self) {
        fs::write(self.path.join(COUNTER), "").expect("the counter is a file");
        self.others_add(0);
    }

    /// Who is not root cannot write it, from now on or no more.
    pub(crate) fn deny(&self, is_denied: bool) {
        let path = self.path.join(DENIED);
        if is_denied { fs::write(path, "") } else { fs::remove_file(path) }.expect("a file");
    }

    /// Files cannot be renamed any more, once the counter is changed next.
    pub(crate) fn fill_after_next_change(&self) {
        fs::write(self.path.join(FILLING), "").expect("a file");
    }

    /// They can again.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.path.join(FULL)).expect("the counter was changed");
    }

    pub(crate) fn tracked_text(&self) -> Option<String> {
        fs::read_to_string(self.tracked()).ok()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

pub(crate) fn shares(of: &[(&str, u8)]) -> Shares {
    of.iter().map(|(rule, share)| ((*rule).to_owned(), *share)).collect()
}

/// The counter: it is what its lines come to, and each is added in one write, as by one call of the kernel.
const COUNTER: &str = "counter";
/// While this file is there, nothing can be added.
const DENIED: &str = "denied";
/// While this file is there, nothing can be renamed;
const FULL: &str = "full";
/// and this one becomes it with the next change.
const FILLING: &str = "filling";

fn append(world: &Path, who: &str, change: i64) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(world.join(COUNTER))?;
    file.write_all(format!("{who} {change}\n").as_bytes())
}

fn entries(world: &Path) -> Vec<(String, i64)> {
    let text = fs::read_to_string(world.join(COUNTER)).expect("the counter is a file");
    let entry = |line: &str| {
        let (who, change) = line.split_once(' ').expect("two words");
        (who.to_owned(), change.parse().expect("a number"))
    };
    text.lines().map(entry).collect()
}

/// Kills this process at one of its steps.
#[derive(Clone, Debug)]
pub(crate) struct Fuse {
    at: Option<u64>,
    steps: std::rc::Rc<std::cell::Cell<u64>>,
}

impl Fuse {
    pub(crate) fn new(at: Option<u64>) -> Self {
        Self { at, steps: std::rc::Rc::default() }
    }

    fn step(&self) {
        self.steps.set(self.steps.get() + 1);
        if self.at == Some(self.steps.get()) {
            raise(Signal::SIGKILL).expect("everybody may kill themselves");
        }
    }
}

/// The counter, with a step before and after each change.
pub(crate) struct Fake {
    pub(crate) world: PathBuf,
    pub(crate) fuse: Fuse,
}

impl Counter for Fake {
    fn read(&mut self) -> io::Result<i64> {
        Ok(entries(&self.world).iter().map(|(_, change)| change).sum())
    }

    fn add(&mut self, delta: i32) -> io::Result<()> {
        if self.world.join(DENIED).exists() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.fuse.step();
        append(&self.world, "hfm", delta.into())?;
        let _ = fs::rename(self.world.join(FILLING), self.world.join(FULL));
        self.fuse.step();
        Ok(())
    }
}

/// The files of this machine, with steps between all that is done to them.
pub(crate) struct Fused<F> {
    pub(crate) files: F,
    pub(crate) world: PathBuf,
    pub(crate) fuse: Fuse,
}

impl<F: Files> Files for Fused<F> {
    fn read(&mut self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.fuse.step();
        self.files.read(path)
    }

    fn create(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.fuse.step();
        self.files.create(path, &bytes[..bytes.len() / 2], mode)?;
        self.fuse.step();
        self.files.create(path, bytes, mode)?;
        self.fuse.step();
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.world.join(FULL).exists() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.fuse.step();
        self.files.rename(from, to)?;
        self.fuse.step();
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.fuse.step();
        self.files.remove(path)?;
        self.fuse.step();
        Ok(())
    }
}
