//! The control socket as a file: who gets it, who keeps it, what it never takes away. In a program of its own, for
//! making it changes the umask and the user of the whole process for a moment.

#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hfm::sys::control_socket::{BindError, ControlSocket};
use hfm::sys::identity::{self, Identity};
use nix::unistd::{Pid, getegid, geteuid};
use socket2::{Domain, SockAddr, Socket, Type};

#[path = "support/skip.rs"]
mod skip;

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

struct Place(PathBuf, #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Place {
    fn new(name: &str) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let path = std::env::temp_dir().join(format!("hfm-control-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path, alone)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("hfm.sock")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn nobody_in_particular() -> Identity {
    identity::look_up(None, None).unwrap()
}

fn bind(path: &Path) -> Result<ControlSocket, BindError> {
    ControlSocket::bind(path, &nobody_in_particular())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn it_is_made_with_its_mode_and_gone_afterwards() {
    let place = Place::new("made");
    let path = place.socket();
    let socket = bind(&path).unwrap();
    assert_eq!(mode(&path), 0o660);
    assert!(socket.accept().unwrap().is_none());
    let mut client = UnixStream::connect(&path).unwrap();
    let (mut stream, peer) = socket.accept().unwrap().expect("a connection");
    assert_eq!(peer.uid, geteuid().as_raw());
    if cfg!(target_os = "linux") {
        assert_eq!(peer.pid, Some(Pid::this().as_raw()));
    }
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    client.write_all(b"x").unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    drop(socket);
    assert!(!path.exists());
    drop(bind(&path).unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn the_umask_is_as_before() {
    let umask = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        status.lines().find(|line| line.starts_with("Umask:")).map(str::to_owned).expect("an umask")
    };
    let place = Place::new("umask");
    let before = umask();
    drop(bind(&place.socket()).unwrap());
    assert_eq!(umask(), before);
    bind(&place.0.join("x".repeat(120))).unwrap_err();
    assert_eq!(umask(), before);
}

#[test]
fn one_that_lives_is_left_alone() {
    let place = Place::new("lives");
    let path = place.socket();
    let first = bind(&path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::InUse)));
    // Even when its lock has been removed.
    fs::remove_file(place.0.join("hfm.sock.lock")).unwrap();
    assert!(matches!(bind(&path), Err(BindError::InUse)));
    assert!(UnixStream::connect(&path).is_ok());
    drop(first);
    drop(bind(&path).unwrap());
    // Nor is one of another program, of whatever kind, or one that does not accept.
    let other = UnixDatagram::bind(&path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::InUse)));
    drop(other);
    fs::remove_file(&path).unwrap();
    let full = UnixListener::bind(&path).unwrap();
    let address = SockAddr::unix(&path).unwrap();
    let connect = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).unwrap();
        socket.connect(&address).map(|()| socket)
    };
    let waiting: Vec<Socket> = std::iter::from_fn(|| connect().ok()).take(10_000).collect();
    assert!(waiting.len() < 10_000, "its queue is full");
    assert!(matches!(bind(&path), Err(BindError::InUse)));
    drop(full);
}

#[test]
fn one_that_nobody_listens_on_is_taken_over() {
    let place = Place::new("stale");
    let path = place.socket();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let socket = bind(&path).unwrap();
    assert!(UnixStream::connect(&path).is_ok());
    assert_eq!(mode(&path), 0o660);
    drop(socket);
}

#[test]
fn whoever_else_took_its_place_keeps_it() {
    let place = Place::new("replaced");
    let path = place.socket();
    let socket = bind(&path).unwrap();
    fs::rename(&path, place.0.join("moved")).unwrap();
    fs::write(&path, "a file").unwrap();
    drop(socket);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
}

#[test]
fn what_is_no_socket_is_never_removed_nor_followed() {
    let place = Place::new("other");
    let path = place.socket();
    let beside = place.0.join("beside");
    fs::write(&path, "a file").unwrap();
    assert!(matches!(bind(&path), Err(BindError::NotASocket)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::NotASocket)));
    fs::remove_dir(&path).unwrap();
    drop(UnixListener::bind(&beside).unwrap());
    symlink(&beside, &path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::NotASocket)));
    assert!(beside.exists() && path.is_symlink());
    fs::remove_file(&beside).unwrap();
    assert!(matches!(bind(&path), Err(BindError::NotASocket)), "one that leads nowhere");
    assert!(!beside.exists());
    fs::remove_file(&path).unwrap();
    // The lock's neither.
    fs::write(&beside, "").unwrap();
    let _ = fs::remove_file(place.0.join("hfm.sock.lock"));
    symlink(&beside, place.0.join("hfm.sock.lock")).unwrap();
    assert!(matches!(bind(&path), Err(BindError::Io(..))));
}

#[test]
fn only_the_last_part_of_its_directory_is_made() {
    let place = Place::new("directory");
    let path = place.0.join("new/hfm.sock");
    let socket = bind(&path).unwrap();
    assert_eq!(mode(&place.0.join("new")), 0o755);
    drop(socket);
    let error = bind(&place.0.join("far/away/hfm.sock")).unwrap_err().to_string();
    assert!(error.starts_with("cannot make its directory: "), "{error}");
    fs::write(place.0.join("file"), "").unwrap();
    assert!(bind(&place.0.join("file/hfm.sock")).is_err());
}

#[test]
fn a_path_that_is_too_long_is_said_to_be() {
    let place = Place::new("long");
    let error = bind(&place.0.join("x".repeat(120))).unwrap_err().to_string();
    assert!(error.starts_with("cannot make it: path must be shorter"), "{error}");
}

#[test]
fn as_root_it_is_made_for_its_owner() {
    if !geteuid().is_root() {
        return skip::skip("control socket: only root can make it for another user");
    }
    let owner = identity::look_up(Some("54321"), Some("54322")).unwrap();
    let of = |path: &Path| fs::symlink_metadata(path).map(|file| (file.uid(), file.gid())).unwrap();
    let place = Place::new("owner");
    // In a directory that is made, which is the owner's; and in one of root's.
    for path in [place.0.join("new/hfm.sock"), place.socket()] {
        let socket = ControlSocket::bind(&path, &owner).unwrap();
        assert_eq!((of(&path), mode(&path)), ((54321, 54322), 0o660));
        assert!(geteuid().is_root() && getegid().as_raw() == 0, "root again");
        drop(socket);
        assert!(!path.exists());
    }
    assert_eq!(of(&place.0.join("new")), (54321, 54322));
    // Of a group alone.
    let group = identity::look_up(None, Some("54322")).unwrap();
    let socket = ControlSocket::bind(&place.socket(), &group).unwrap();
    assert_eq!(of(&place.socket()), (0, 54322));
    drop(socket);
    // Where others could put something in its place, root does not help.
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o775)).unwrap();
    let error = ControlSocket::bind(&place.socket(), &owner).unwrap_err().to_string();
    assert!(error.contains("Permission denied"), "{error}");
    assert!(!place.socket().exists());
}
