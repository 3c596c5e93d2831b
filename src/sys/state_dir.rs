//! The directory of what is remembered: locked, and written so that a file is always whole.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The file that is locked (flock(2)); it stays.
const LOCK: &str = "lock";

/// Whether others are kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Nobody else may have it; made when it is not there.
    Exclusive,
    /// Only to read.
    None,
}

/// Why a directory cannot be used.
#[derive(Debug)]
pub enum StateDirError {
    /// Another process has it.
    Locked,
    /// It cannot be made, opened or locked.
    Io(&'static str, io::Error),
}

impl fmt::Display for StateDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => f.write_str("another hfm uses it; give each a state_dir of its own"),
            Self::Io(what, error) => write!(f, "cannot {what}: {error}"),
        }
    }
}

impl std::error::Error for StateDirError {}

/// A directory that is ours while this lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// The lock goes with it.
    _lock: Option<File>,
}

impl StateDir {
    /// Opens a directory. With [`Lock::Exclusive`] it is made if only its last part is missing, and is this
    /// process's alone.
    ///
    /// # Errors
    /// When it is locked, or cannot be made or opened. With [`Lock::None`] one that is missing is no error.
    pub fn open(path: &str, lock: Lock) -> Result<Self, StateDirError> {
        let path = PathBuf::from(path);
        if lock == Lock::None {
            return Ok(Self { path, _lock: None });
        }
        match DirBuilder::new().mode(0o750).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StateDirError::Io("make it", error));
            }
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(path.join(LOCK)).map_err(|error| StateDirError::Io("write in it", error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _lock: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StateDirError::Locked),
            Err(TryLockError::Error(error)) => Err(StateDirError::Io("lock it", error)),
        }
    }

    /// A whole file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file, or larger than 64 MiB.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        // O_NONBLOCK: a FIFO of that name must not hold us.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(self.path.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file, or too large"));
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Replaces a file as a whole: after a crash there is the old one or the new one.
    ///
    /// # Errors
    /// When it cannot be written; the old one stays then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join(format!("{name}.new"));
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(name))?;
        // The new name lasts only once the directory does.
        File::open(&self.path)?.sync_all()
    }

    /// Moves a file out of the way, over one that was moved before; gives back its new name.
    ///
    /// # Errors
    /// As rename(2).
    pub fn set_aside(&self, name: &str) -> io::Result<String> {
        let aside = format!("{name}.corrupt");
        fs::rename(self.path.join(name), self.path.join(&aside))?;
        Ok(aside)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> String {
        let path = std::env::temp_dir().join(format!("hfm-state-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path.to_str().expect("a plain path").to_owned()
    }

    #[test]
    fn a_directory_is_made_and_belongs_to_one_alone() {
        let path = place("lock");
        let first = StateDir::open(&path, Lock::Exclusive).expect("it can be made");
        assert!(matches!(StateDir::open(&path, Lock::Exclusive), Err(StateDirError::Locked)));
        let reader = StateDir::open(&path, Lock::None).expect("reading needs no lock");
        first.write("file", b"one").unwrap();
        assert_eq!(reader.read("file").unwrap().as_deref(), Some(&b"one"[..]));
        drop(first);
        drop(StateDir::open(&path, Lock::Exclusive).expect("it is free again"));
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_whatever_was_left_behind() {
        let path = place("write");
        let dir = StateDir::open(&path, Lock::Exclusive).unwrap();
        assert_eq!(dir.read("file").unwrap(), None);
        fs::write(dir.path().join("file.new"), "half of").unwrap();
        dir.write("file", b"first").unwrap();
        dir.write("file", b"second").unwrap();
        assert_eq!(dir.read("file").unwrap().as_deref(), Some(&b"second"[..]));
        assert!(!dir.path().join("file.new").exists());
        assert_eq!(dir.set_aside("file").unwrap(), "file.corrupt");
        assert_eq!(dir.read("file").unwrap(), None);
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn links_fifos_and_directories_are_not_read() {
        let path = place("odd");
        let dir = StateDir::open(&path, Lock::Exclusive).unwrap();
        fs::create_dir(dir.path().join("directory")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("fifo")).status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        for name in ["directory", "fifo", "link"] {
            assert!(dir.read(name).is_err(), "{name}");
        }
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn what_is_no_directory_is_said_to_be() {
        let path = place("file");
        fs::write(&path, "").unwrap();
        let error = StateDir::open(&path, Lock::Exclusive).expect_err("a file is no directory").to_string();
        assert!(error.starts_with("cannot write in it: "), "{error}");
        let error =
            StateDir::open(&format!("{path}.d/deeper"), Lock::Exclusive).expect_err("no parent").to_string();
        assert!(error.starts_with("cannot make it: "), "{error}");
        fs::remove_file(&path).unwrap();
    }
}
