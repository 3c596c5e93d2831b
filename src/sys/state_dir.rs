//! The directory of what is remembered: locked, and written so that a file is always whole.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::identity::Identity;
use super::whole_files;

/// The file that is locked (flock(2)); it stays.
const LOCK: &str = "lock";

/// Whether others are kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Nobody else may have it.
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
            Self::Io(what, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(f, "cannot {what}: {error}; it and its files must belong to the user that hfm runs as")
            }
            Self::Io(what, error) => write!(f, "cannot {what}: {error}"),
        }
    }
}

impl std::error::Error for StateDirError {}

/// Where things are remembered; or why nowhere, which the log was told.
pub type Place = Result<Arc<StateDir>, Arc<str>>;

/// Why a file of the directory was not taken in.
#[derive(Debug)]
pub struct Damage {
    path: PathBuf,
    why: String,
    fate: DamagedFate,
}

#[derive(Debug)]
enum DamagedFate {
    LeftAlone,
    SetAside(String),
    Stays(io::Error),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)?;
        match &self.fate {
            DamagedFate::LeftAlone => f.write_str("; it is left alone, because of dry_run"),
            DamagedFate::SetAside(aside) => write!(f, "; set aside as {aside}, starting without it"),
            DamagedFate::Stays(error) => write!(f, ", and cannot be set aside: {error}; starting without it"),
        }
    }
}

impl std::error::Error for Damage {}

/// A directory that is ours while this lives. Threads may share it: each file is one thread's alone.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// The lock goes with it.
    lock: Option<File>,
}

/// Makes a directory if only its last part is missing; it belongs to `owner` then. One that is there is left as it
/// is.
///
/// # Errors
/// When it cannot be made, or given away.
pub fn make(path: &str, owner: &Identity) -> Result<(), StateDirError> {
    match DirBuilder::new().mode(0o750).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(StateDirError::Io("make it", error)),
    }
    if owner.changes_nothing() {
        return Ok(());
    }
    // Not by its name: somebody may have put something else there meanwhile.
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let directory = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let (user, group) = (owner.user.map(|user| user.as_raw()), owner.group.map(|group| group.as_raw()));
    let given = directory.and_then(|directory| fchown(&directory, user, group));
    given.map_err(|error| StateDirError::Io("give it to the user that hfm runs as", error))
}

impl StateDir {
    /// Opens a directory. With [`Lock::Exclusive`] it is this process's alone.
    ///
    /// # Errors
    /// When it is locked, or cannot be opened. With [`Lock::None`] one that is missing is no error.
    pub fn open(path: &str, lock: Lock) -> Result<Self, StateDirError> {
        let path = PathBuf::from(path);
        if lock == Lock::None {
            return Ok(Self { path, lock: None });
        }
        let mut options = OpenOptions::new();
        // O_NONBLOCK: a FIFO of that name must not hold us.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        options.create(true).truncate(false).write(true).mode(0o600).custom_flags(flags);
        let file = options.open(path.join(LOCK)).map_err(|error| StateDirError::Io("write in it", error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, lock: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StateDirError::Locked),
            Err(TryLockError::Error(error)) => Err(StateDirError::Io("lock it", error)),
        }
    }

    /// What `decode` makes of a file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, or `decode` says why it cannot be used. It is moved out of the way then, if the
    /// directory is this process's alone.
    pub fn load<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, Damage> {
        let why = match self.read(name) {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => match decode(&bytes) {
                Ok(whole) => return Ok(Some(whole)),
                Err(why) => why,
            },
            Err(error) => format!("cannot be read: {error}"),
        };
        let fate = if self.is_read_only() {
            DamagedFate::LeftAlone
        } else {
            self.set_aside(name).map_or_else(DamagedFate::Stays, DamagedFate::SetAside)
        };
        Err(Damage { path: self.path.join(name), why, fate })
    }

    /// A whole file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file, or larger than 64 MiB.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        whole_files::read(&self.path.join(name))
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

    /// Whether nothing may be written: others may have it.
    pub fn is_read_only(&self) -> bool {
        self.lock.is_none()
    }

    /// Moves a file out of the way, over one that was moved before; gives back its new name.
    fn set_aside(&self, name: &str) -> io::Result<String> {
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
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::sys::identity;

    fn place(name: &str) -> String {
        let path = std::env::temp_dir().join(format!("hfm-state-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path.to_str().expect("a plain path").to_owned()
    }

    /// Made for whoever runs this.
    fn made(name: &str) -> String {
        let path = place(name);
        make(&path, &nobody_else()).expect("it can be made");
        path
    }

    fn nobody_else() -> Identity {
        identity::look_up(None, None).expect("nobody to look up")
    }

    #[test]
    fn a_directory_belongs_to_one_alone() {
        let path = made("lock");
        let first = StateDir::open(&path, Lock::Exclusive).expect("nobody has it");
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
        let path = made("write");
        let dir = StateDir::open(&path, Lock::Exclusive).unwrap();
        assert_eq!(dir.read("file").unwrap(), None);
        fs::write(dir.path().join("file.new"), "half of").unwrap();
        dir.write("file", b"first").unwrap();
        dir.write("file", b"second").unwrap();
        assert_eq!(dir.read("file").unwrap().as_deref(), Some(&b"second"[..]));
        assert!(!dir.path().join("file.new").exists());
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn what_is_made_belongs_to_the_user_and_what_is_there_stays_as_it_is() {
        if !nix::unistd::getuid().is_root() {
            eprintln!("skipped: only root can give a directory away");
            return;
        }
        let owner_of =
            |path: &str| fs::metadata(path).map(|of| (of.uid(), of.gid(), of.mode() & 0o777)).unwrap();
        let stranger = identity::look_up(Some("54321"), Some("54322")).unwrap();
        let path = place("owner");
        make(&path, &stranger).unwrap();
        assert_eq!(owner_of(&path), (54321, 54322, 0o750));
        make(&path, &identity::look_up(Some("54323"), Some("54323")).unwrap()).unwrap();
        assert_eq!(owner_of(&path), (54321, 54322, 0o750));
        fs::remove_dir(&path).unwrap();
        // Only a group.
        make(&path, &identity::look_up(None, Some("54322")).unwrap()).unwrap();
        assert_eq!(owner_of(&path), (0, 54322, 0o750));
        fs::remove_dir(&path).unwrap();
    }

    #[test]
    fn a_damaged_file_is_set_aside_but_not_by_who_only_reads() {
        let path = made("damage");
        let dir = StateDir::open(&path, Lock::Exclusive).unwrap();
        let reader = StateDir::open(&path, Lock::None).unwrap();
        let bad = |_: &[u8]| Err::<(), _>("it is bad".to_owned());
        assert!(dir.load("file", bad).unwrap().is_none(), "there is none");
        dir.write("file", b"one").unwrap();
        let said = reader.load("file", bad).unwrap_err().to_string();
        assert_eq!(said, format!("{path}/file: it is bad; it is left alone, because of dry_run"));
        assert_eq!(dir.load("file", |bytes| Ok(bytes.to_vec())).unwrap().as_deref(), Some(&b"one"[..]));
        let said = dir.load("file", bad).unwrap_err().to_string();
        assert_eq!(said, format!("{path}/file: it is bad; set aside as file.corrupt, starting without it"));
        assert_eq!(dir.read("file").unwrap(), None);
        // What cannot be read is in the way of what is to be written.
        fs::create_dir(dir.path().join("other")).unwrap();
        let said = dir.load("other", bad).unwrap_err().to_string();
        assert!(said.contains("other: cannot be read: not a regular file"), "{said}");
        dir.write("other", b"two").unwrap();
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn files_of_two_threads_do_not_harm_each_other() {
        let path = made("threads");
        let dir = Arc::new(StateDir::open(&path, Lock::Exclusive).unwrap());
        let write = |name: &'static str| {
            let dir = dir.clone();
            std::thread::spawn(move || {
                for round in 0..50_usize {
                    let text = name.repeat(1 + round * 100);
                    dir.write(name, text.as_bytes()).unwrap();
                    assert_eq!(dir.read(name).unwrap().as_deref(), Some(text.as_bytes()));
                }
            })
        };
        for thread in [write("managed"), write("overrides")] {
            thread.join().unwrap();
        }
        let mut left: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["lock", "managed", "overrides"]);
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn links_fifos_and_directories_are_not_read() {
        let path = made("odd");
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
        let deeper = format!("{path}.d/deeper");
        let error = make(&deeper, &nobody_else()).expect_err("no parent").to_string();
        assert!(error.starts_with("cannot make it: "), "{error}");
        assert!(StateDir::open(&deeper, Lock::Exclusive).is_err());
        fs::remove_file(&path).unwrap();
    }
}
