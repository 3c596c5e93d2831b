//! What shares are put in, for real: CARP's counter on FreeBSD, and files.

use std::io;
use std::path::Path;

use super::ledger::{FILE as RECORD, Files, Target};
use super::record::Record;
use crate::rule::Demotion;
use crate::sys::whole_files;

/// What a record calls a file, before its path.
const FILE: &str = "file:";

/// Why it is not known what was demoted last, in words.
#[derive(Debug, PartialEq, Eq)]
pub enum NotRecorded {
    /// It cannot be seen whether anything was.
    Unseen(String),
    /// Something was, and cannot be taken back.
    Left(String),
}

impl Target {
    /// What a configuration means by it.
    ///
    /// # Errors
    /// When this system has none, with what to do instead.
    pub fn of(demotion: &Demotion) -> Result<Self, String> {
        match demotion {
            Demotion::Carp => carp(),
            Demotion::File(path) => Ok(Self::File(Path::new(&**path).to_owned())),
        }
    }

    /// What was demoted last by an hfm of this directory, if it has left a record of that.
    ///
    /// # Errors
    /// When it cannot be seen whether there is one, when it cannot be used, or this system has none of what it names.
    pub fn recorded(state_dir: &Path) -> Option<Result<Self, NotRecorded>> {
        let path = state_dir.join(RECORD);
        let bytes = match whole_files::read(&path) {
            Ok(None) => return None,
            Ok(Some(bytes)) => bytes,
            Err(error) => return Some(Err(NotRecorded::Unseen(format!("{}: {error}", path.display())))),
        };
        let record = Record::decode(&bytes).map_err(|why| format!("{}: {why}", path.display()));
        let target = record.and_then(|record| Self::by_name(&record.target));
        Some(target.map_err(NotRecorded::Left))
    }

    /// What a record means by it.
    ///
    /// # Errors
    /// When this system has none, or none of that name.
    pub(super) fn by_name(name: &str) -> Result<Self, String> {
        match name.strip_prefix(FILE) {
            Some(path) => Self::of(&Demotion::File(path.into())),
            None if name == "carp" => carp(),
            None => Err("it is not known what that is".to_owned()),
        }
    }
}

#[cfg(target_os = "freebsd")]
fn carp() -> Result<Target, String> {
    Ok(Target::Counter(Box::new(Carp)))
}

#[cfg(not(target_os = "freebsd"))]
fn carp() -> Result<Target, String> {
    Err("CARP is of FreeBSD; give demotion = \"file:/PATH\", and keepalived that file to track".to_owned())
}

/// net.inet.carp.demotion.
#[cfg(target_os = "freebsd")]
struct Carp;

#[cfg(target_os = "freebsd")]
impl super::ledger::Counter for Carp {
    fn read(&mut self) -> io::Result<i64> {
        crate::sys::carp::demotion().map(i64::from)
    }

    fn add(&mut self, delta: i32) -> io::Result<()> {
        crate::sys::carp::demote(delta)
    }
}

/// The files of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Files for Disk {
    fn read(&mut self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        whole_files::read(path)
    }

    fn create(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        whole_files::create(path, bytes, mode)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        whole_files::remove(path)
    }
}
