//! The control socket: a stream socket at a path, which belongs to one process alone, and who speaks on it.
//!
//! Whoever holds the lock of `PATH.lock` (flock(2)) decides what becomes of `PATH`, and holds it for as long as it
//! lives: so of two that start at the same moment one finds the other, and nobody takes a socket away between
//! another's bind(2) and listen(2). A lock goes with its process, however that ends; its file stays. (Binding to
//! another name and renaming it would leave both believing that they have won.)

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, getegid, geteuid, setegid, seteuid};
use socket2::{Domain, SockAddr, Socket, Type};

use super::identity::Identity;

/// What bind(2) leaves out of a mode for the socket to have 0660.
const UMASK: libc::mode_t = 0o117;
/// What others may do with the directory, when it has to be made.
const DIRECTORY_MODE: u32 = 0o755;

/// Why there is no control socket.
#[derive(Debug)]
pub enum BindError {
    /// Another process has it.
    InUse,
    /// What is there is no socket.
    NotASocket,
    /// The system does not let us.
    Io(&'static str, io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("another process uses it; end that one, or give each hfm a 'control' of its own")
            }
            Self::NotASocket => f.write_str("what is there is no socket; remove it, or give another path"),
            Self::Io(what, error) => write!(f, "cannot {what}: {error}"),
        }
    }
}

impl std::error::Error for BindError {}

/// A listening socket; its path is gone when this is, if it is still the same.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
    _lock: File,
}

/// Who is at the other end of a connection, as the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The process that connected, where the system tells.
    pub pid: Option<i32>,
    /// Its effective user then.
    pub uid: u32,
}

impl Peer {
    /// Whether it is root, or who this process is.
    pub fn is_root_or_us(&self) -> bool {
        self.uid == 0 || self.uid == geteuid().as_raw()
    }
}

impl ControlSocket {
    /// Makes the socket, of mode 0660, for the user and the group of `owner` where it names them; and its
    /// directory, if only that is missing. One that nobody listens on any more is replaced. To be called while
    /// there is no other thread: it changes the umask, and who the process is, for a moment.
    ///
    /// # Errors
    /// When it is in use, or something else is there, or the system does not let us.
    pub fn bind(path: &Path, owner: &Identity) -> Result<Self, BindError> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        make_directory(parent, owner).map_err(|error| BindError::Io("make its directory", error))?;
        // As its owner, where that may: in a directory of somebody else's, root could be made to give away
        // whatever is put in the socket's place.
        let outcome = as_owner(owner, || Self::bind_here(path))?;
        match outcome {
            Err(BindError::Io(_, error))
                if error.kind() == io::ErrorKind::PermissionDenied && is_ours_alone(parent) =>
            {
                let socket = Self::bind_here(path)?;
                let (user, group) = (owner.user.map(Uid::as_raw), owner.group.map(Gid::as_raw));
                std::os::unix::fs::lchown(path, user, group)
                    .map_err(|error| BindError::Io("give it to its owner", error))?;
                Ok(socket)
            }
            outcome => outcome,
        }
    }

    fn bind_here(path: &Path) -> Result<Self, BindError> {
        let lock = lock(path)?;
        remove_stale(path)?;
        let listener = {
            let _narrow = Umask::set(UMASK);
            UnixListener::bind(path).map_err(|error| BindError::Io("make it", error))?
        };
        let watched = |error| BindError::Io("look at it", error);
        listener.set_nonblocking(true).map_err(watched)?;
        let file = fs::symlink_metadata(path).map_err(watched)?;
        // BSD, and Linux in a directory with the set-group-ID bit, give it the directory's group.
        let group = Gid::effective().as_raw();
        if file.gid() != group {
            std::os::unix::fs::lchown(path, None, Some(group))
                .map_err(|error| BindError::Io("give it to its group", error))?;
        }
        Ok(Self { listener, path: path.to_owned(), file: (file.dev(), file.ino()), _lock: lock })
    }

    /// The next connection, which never blocks; `None` when nobody waits.
    ///
    /// # Errors
    /// As accept(2); the connection may still wait.
    pub fn accept(&self) -> io::Result<Option<(UnixStream, Peer)>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        let peer = peer(&stream)?;
        Ok(Some((stream, peer)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For the poll.
    pub fn fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }
}

impl Drop for ControlSocket {
    /// Takes the path away while the lock is held. Where this process may not any more, the next one takes over.
    fn drop(&mut self) {
        let is_same =
            fs::symlink_metadata(&self.path).is_ok_and(|file| (file.dev(), file.ino()) == self.file);
        if is_same {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the directory if it is missing.
fn make_directory(path: &Path, owner: &Identity) -> io::Result<()> {
    match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        outcome => outcome?,
    }
    let directory =
        OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_DIRECTORY).open(path)?;
    // Whatever the umask is.
    directory.set_permissions(fs::Permissions::from_mode(DIRECTORY_MODE))?;
    std::os::unix::fs::fchown(&directory, owner.user.map(Uid::as_raw), owner.group.map(Gid::as_raw))
}

/// Whether nobody but this user can replace what it puts into a directory.
fn is_ours_alone(directory: &Path) -> bool {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    fs::metadata(directory).is_ok_and(|directory| {
        let mode = directory.mode();
        directory.uid() == geteuid().as_raw() && (mode & WRITABLE_BY_OTHERS == 0 || mode & STICKY != 0)
    })
}

/// The lock that goes with a path.
fn lock(path: &Path) -> Result<File, BindError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    // O_NONBLOCK: a FIFO of that name must not hold us.
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options.open(name).map_err(|error| BindError::Io("open its lock beside it (.lock)", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BindError::InUse),
        Err(TryLockError::Error(error)) => Err(BindError::Io("lock it", error)),
    }
}

/// Removes a socket on which nobody listens; nothing else.
fn remove_stale(path: &Path) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BindError::Io("look at what is there", error)),
        Ok(file) if !file.file_type().is_socket() => return Err(BindError::NotASocket),
        Ok(_) => {}
    }
    let unknown = |error| BindError::Io("find out whether it is in use", error);
    let address = SockAddr::unix(path).map_err(unknown)?;
    // One that does not accept as fast as others come must not hold us.
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(unknown)?;
    match socket.connect(&address) {
        Err(error) if error.raw_os_error() == Some(libc::ECONNREFUSED) => fs::remove_file(path)
            .map_err(|error| BindError::Io("remove the one that nobody uses any more", error)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(unknown(error)),
        // Connected, or it would be, or it is of another kind that somebody has.
        Ok(()) | Err(_) => Err(BindError::InUse),
    }
}

/// Does something as the owner, as far as this process may become that for a moment.
fn as_owner<T>(owner: &Identity, action: impl FnOnce() -> T) -> Result<T, BindError> {
    let (uid, gid) = (geteuid(), getegid());
    if !uid.is_root() {
        return Ok(action());
    }
    let failed = |errno: nix::errno::Errno| BindError::Io("become its owner for a moment", errno.into());
    setegid(owner.group.unwrap_or(gid)).map_err(failed)?;
    if let Err(errno) = seteuid(owner.user.unwrap_or(uid)) {
        setegid(gid).map_err(failed)?;
        return Err(failed(errno));
    }
    let outcome = action();
    seteuid(uid).and_then(|()| setegid(gid)).map_err(failed)?;
    Ok(outcome)
}

/// Another umask (umask(2)), until this is dropped.
struct Umask(libc::mode_t);

impl Umask {
    fn set(mask: libc::mode_t) -> Self {
        // SAFETY: umask(2) takes any number and cannot fail.
        Self(unsafe { libc::umask(mask) })
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        // SAFETY: as in `set`.
        unsafe { libc::umask(self.0) };
    }
}

/// Who connected (SO_PEERCRED, unix(7)).
#[cfg(target_os = "linux")]
fn peer(stream: &UnixStream) -> io::Result<Peer> {
    let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or_default();
    // SAFETY: the pointers are of `found` and `length`, which outlive the call; the length is that of `found`.
    let outcome = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut length,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    // 0 for a process outside of our own namespace of them.
    Ok(Peer { pid: Some(found.pid).filter(|pid| *pid > 0), uid: found.uid })
}

/// Who connected (getpeereid(3)), which does not tell the process.
#[cfg(not(target_os = "linux"))]
fn peer(stream: &UnixStream) -> io::Result<Peer> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the pointers are of `uid` and `gid`, which outlive the call.
    if unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut uid, &raw mut gid) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Peer { pid: None, uid })
}
