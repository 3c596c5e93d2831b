//! Giving up root: once, for the whole process, before any thread is started; and each thread, at its start, what
//! it has no use for.
//!
//! Ids change for all threads, Linux's capabilities for one at a time. So [`become_user`] keeps what any thread
//! will need, threads inherit that, and [`keep`] takes it away again from all but those that need it. Children
//! get nothing: what a thread keeps does not pass execve(2) of a user who is not root.
//!
//! PR_SET_NO_NEW_PRIVS is not set: a test may be a set-user-ID program such as ping(8), which it would break.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::{Gid, Uid, getegid, geteuid, getgroups, getresgid, getresuid};
use nix::unistd::{setgid, setgroups, setresgid, setresuid, setuid};

#[cfg(target_os = "linux")]
use super::capabilities;
use super::identity::Identity;

/// Rights over the network that go with no user (Linux; there are none of the kind elsewhere). None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// CAP_NET_ADMIN.
    pub net_admin: bool,
    /// CAP_NET_RAW.
    pub net_raw: bool,
}

impl Rights {
    /// Not any.
    pub const NONE: Self = Self { net_admin: false, net_raw: false };

    /// These and those.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self { net_admin: self.net_admin || others.net_admin, net_raw: self.net_raw || others.net_raw }
    }
}

/// Whether this process has given up root: from then on threads give up rights too.
static HAS_DROPPED: AtomicBool = AtomicBool::new(false);

/// Why a process has not become who it was to be. It must end then: part of it may be done.
#[derive(Debug)]
pub enum DropError {
    /// Only root may become another user.
    UserNotRoot,
    /// Only root may take another group.
    GroupNotRoot,
    /// The system refuses this call.
    Refused(&'static str, io::Error),
    /// Everything was done, and this is not as it should be.
    NotDone(&'static str),
}

impl DropError {
    /// Whether it is about the group that was asked for, and not about the user.
    pub fn is_of_group(&self) -> bool {
        match self {
            Self::GroupNotRoot => true,
            Self::UserNotRoot | Self::Refused(..) | Self::NotDone(_) => false,
        }
    }
}

impl fmt::Display for DropError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserNotRoot | Self::GroupNotRoot => {
                f.write_str("not started as root; start it as root, as that user and group, or leave it out")
            }
            Self::Refused(call, error) => {
                write!(
                    f,
                    "{call}: {error}; give root the right to it (CAP_SETUID, CAP_SETGID), or leave it out"
                )
            }
            Self::NotDone(what) => write!(f, "{what} afterwards; start it as that user and leave it out"),
        }
    }
}

impl std::error::Error for DropError {}

/// Makes the whole process run as someone for good, and keeps these rights for the calling thread and those that
/// it starts from now on. To be called once, while there is no other thread.
///
/// Who is not root can only stay what it is. A process that stays root keeps everything.
///
/// # Errors
/// When any of it cannot be done, or could be undone.
pub fn become_user(identity: &Identity, rights: Rights) -> Result<(), DropError> {
    let is_root = geteuid().is_root();
    if !is_root && identity.user.is_some_and(|user| user != geteuid()) {
        return Err(DropError::UserNotRoot);
    }
    let is_other_group = identity.group.is_some_and(|group| group != getegid());
    if !is_root && identity.group_is_given && is_other_group {
        return Err(DropError::GroupNotRoot);
    }
    let uid = identity.user.unwrap_or_else(geteuid);
    let gid = if is_root { identity.group } else { None }.unwrap_or_else(getegid);
    if !uid.is_root() {
        keep_over_change(true, rights)?;
    }
    if is_root && !identity.changes_nothing() {
        setgroups(&identity.groups).map_err(refused("setgroups"))?;
    }
    // The group first: who is no longer root may not.
    setresgid(gid, gid, gid).map_err(refused("setresgid"))?;
    setresuid(uid, uid, uid).map_err(refused("setresuid"))?;
    if !uid.is_root() {
        keep_over_change(false, rights)?;
        trim(rights).map_err(|error| DropError::Refused("capset", error))?;
        HAS_DROPPED.store(true, Ordering::SeqCst);
    }
    verify(uid, gid, (is_root && !identity.changes_nothing()).then_some(&identity.groups))
}

/// Has the calling thread give up all but these rights, if the process has given up root; to be the first thing
/// that it does.
///
/// # Errors
/// As capset(2), which does not refuse who gives up something.
pub fn keep(rights: Rights) -> io::Result<()> {
    if HAS_DROPPED.load(Ordering::SeqCst) { trim(rights) } else { Ok(()) }
}

/// Looks whether all is done and nothing of it can be undone.
fn verify(uid: Uid, gid: Gid, groups: Option<&Vec<Gid>>) -> Result<(), DropError> {
    let users = getresuid().map_err(refused("getresuid"))?;
    if [users.real, users.effective, users.saved] != [uid; 3] {
        return Err(DropError::NotDone("it is another user"));
    }
    let own = getresgid().map_err(refused("getresgid"))?;
    if [own.real, own.effective, own.saved] != [gid; 3] {
        return Err(DropError::NotDone("it is in another group"));
    }
    if let Some(groups) = groups {
        let found = getgroups().map_err(refused("getgroups"))?;
        if sorted(&found) != sorted(groups) {
            return Err(DropError::NotDone("it is in other groups"));
        }
    }
    if uid.is_root() {
        return Ok(());
    }
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(DropError::NotDone("it can become root again"));
    }
    let root = Gid::from_raw(0);
    if gid != root && setgid(root).is_ok() {
        return Err(DropError::NotDone("it can take root's group again"));
    }
    Ok(())
}

/// Each once: systems keep them in an order of their own, some with the effective one among them.
fn sorted(groups: &[Gid]) -> Vec<u32> {
    let mut groups: Vec<u32> = groups.iter().map(|group| group.as_raw()).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn refused(call: &'static str) -> impl Fn(nix::errno::Errno) -> DropError {
    move |errno| DropError::Refused(call, errno.into())
}

/// Has the permitted set outlive the change of the user, or not any more: only where something of it is needed.
#[cfg(target_os = "linux")]
fn keep_over_change(keep: bool, rights: Rights) -> Result<(), DropError> {
    if rights == Rights::NONE {
        return Ok(());
    }
    nix::sys::prctl::set_keepcaps(keep).map_err(refused("prctl(PR_SET_KEEPCAPS)"))
}

#[cfg(not(target_os = "linux"))]
fn keep_over_change(_: bool, _: Rights) -> Result<(), DropError> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn trim(rights: Rights) -> io::Result<()> {
    capabilities::keep_only(capabilities::bits(rights.net_admin, rights.net_raw))
}

#[cfg(not(target_os = "linux"))]
fn trim(_: Rights) -> io::Result<()> {
    Ok(())
}
