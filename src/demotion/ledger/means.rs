//! What a ledger is kept with: a counter or a file for the shares, and files for the record.

use std::io;
use std::path::{Path, PathBuf};

/// What a record calls the counter.
const CARP: &str = "carp";

/// A counter that others change too: CARP's, or one like it.
///
/// It is used by another process than the one that made it, where no descriptor of before is open.
pub trait Counter {
    /// What it is.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&mut self) -> io::Result<i64>;

    /// Adds to it, all at once.
    ///
    /// # Errors
    /// When nothing was added.
    fn add(&mut self, delta: i32) -> io::Result<()>;
}

/// What is done to files, each of it all at once or not at all, but for [`create`](Self::create).
pub trait Files {
    /// A whole file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no plain file.
    fn read(&mut self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Makes a file, in place of what has that name.
    ///
    /// # Errors
    /// When it cannot be made, or only a part of it was written.
    fn create(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()>;

    /// Gives a file another name, in place of what had that.
    ///
    /// # Errors
    /// When it keeps its name.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, if there is one.
    ///
    /// # Errors
    /// When it is there still.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// What shares are put in.
pub enum Target {
    /// A counter, by adding.
    Counter(Box<dyn Counter>),
    /// A file that has nothing in it but their sum.
    File(PathBuf),
}

impl Target {
    /// What a record calls it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Counter(_) => CARP.to_owned(),
            Self::File(path) => format!("file:{}", path.display()),
        }
    }
}
