//! Users and groups: what their names stand for on this machine (passwd(5), group(5)).

use std::ffi::CString;
use std::fmt;
use std::io;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, gethostname};

/// The name of this machine (gethostname(3)); empty where it has none.
pub fn host_name() -> String {
    gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whom a process is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user; `None` to stay what it is.
    pub(super) user: Option<Uid>,
    /// The group; `None` only without a user.
    pub(super) group: Option<Gid>,
    /// The group was asked for by itself, and is not only the user's own.
    pub(super) group_is_given: bool,
    /// All groups, that one included.
    pub(super) groups: Vec<Gid>,
}

impl Identity {
    /// Whether everything stays as it is.
    pub fn changes_nothing(&self) -> bool {
        self.user.is_none() && self.group.is_none()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.user {
            write!(f, "uid={user} ")?;
        }
        if let Some(group) = self.group {
            write!(f, "gid={group} ")?;
        }
        let groups: Vec<String> = self.groups.iter().map(Gid::to_string).collect();
        write!(f, "groups=[{}]", groups.join(","))
    }
}

/// Why a name stands for nothing.
#[derive(Debug)]
pub enum LookUpError {
    /// There is no such user.
    NoUser,
    /// There is no such group.
    NoGroup,
    /// A number of a user who is in no list, so that its group is not known.
    NoGroupOfUser,
    /// The user's list of groups cannot be had.
    NoGroups(io::Error),
    /// The list of users cannot be read.
    Users(io::Error),
    /// The list of groups cannot be read.
    Groups(io::Error),
}

impl LookUpError {
    /// Whether it is about the group that was asked for, and not about the user.
    pub fn is_of_group(&self) -> bool {
        match self {
            Self::NoGroup | Self::Groups(_) => true,
            Self::NoUser | Self::NoGroupOfUser | Self::NoGroups(_) | Self::Users(_) => false,
        }
    }
}

impl fmt::Display for LookUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str("there is no such user on this machine; make it, or name another"),
            Self::NoGroup => f.write_str("there is no such group on this machine; make it, or name another"),
            Self::NoGroupOfUser => {
                f.write_str("nobody has this number, so its group is not known; give 'group' too")
            }
            Self::NoGroups(error) => write!(f, "cannot find out which groups it is in: {error}"),
            Self::Users(error) => write!(f, "cannot look up users: {error}"),
            Self::Groups(error) => write!(f, "cannot look up groups: {error}"),
        }
    }
}

impl std::error::Error for LookUpError {}

/// Looks up a user and a group, each a name or a number; digits alone are a number. Without a group it is the
/// user's own. A number needs no entry, but for a user without a group.
///
/// # Errors
/// When there is none, or when that cannot be found out.
pub fn look_up(user: Option<&str>, group: Option<&str>) -> Result<Identity, LookUpError> {
    let given = group.map(find_group).transpose()?;
    let Some(user) = user else {
        let groups = given.into_iter().collect();
        return Ok(Identity { user: None, group: given, group_is_given: given.is_some(), groups });
    };
    let (uid, entry) = find_user(user)?;
    let group = given.or(entry.as_ref().map(|entry| entry.gid)).ok_or(LookUpError::NoGroupOfUser)?;
    let groups = match entry {
        Some(entry) => {
            let name = CString::new(entry.name).map_err(|error| LookUpError::NoGroups(error.into()))?;
            let groups = nix::unistd::getgrouplist(&name, group);
            groups.map_err(|errno| LookUpError::NoGroups(errno.into()))?
        }
        None => vec![group],
    };
    Ok(Identity { user: Some(uid), group: Some(group), group_is_given: given.is_some(), groups })
}

fn find_user(text: &str) -> Result<(Uid, Option<User>), LookUpError> {
    let number = number(text).map(Uid::from_raw);
    let found = match number {
        Some(uid) => User::from_uid(uid),
        None => User::from_name(text),
    };
    let entry = known(found).map_err(LookUpError::Users)?;
    let uid = number.or(entry.as_ref().map(|entry| entry.uid)).ok_or(LookUpError::NoUser)?;
    Ok((uid, entry))
}

fn find_group(text: &str) -> Result<Gid, LookUpError> {
    if let Some(number) = number(text) {
        return Ok(Gid::from_raw(number));
    }
    let entry = known(Group::from_name(text)).map_err(LookUpError::Groups)?;
    entry.map(|entry| entry.gid).ok_or(LookUpError::NoGroup)
}

/// getpwnam_r(3) may answer "not found" by errors too.
fn known<T>(found: nix::Result<Option<T>>) -> io::Result<Option<T>> {
    match found {
        Ok(entry) => Ok(entry),
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// A number in digits alone; the last one means "as it is" to setresuid(2).
fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_name_and_by_number() {
        let by_name = look_up(Some("root"), None).unwrap();
        assert_eq!(by_name.user, Some(Uid::from_raw(0)));
        assert_eq!(by_name.group, Some(Gid::from_raw(0)));
        assert!(by_name.groups.contains(&Gid::from_raw(0)));
        assert_eq!(look_up(Some("0"), None).unwrap(), by_name);
    }

    #[test]
    fn a_group_by_itself_is_the_only_one() {
        let identity = look_up(None, Some("54321")).unwrap();
        assert_eq!((identity.user, identity.group), (None, Some(Gid::from_raw(54321))));
        assert_eq!(identity.groups, [Gid::from_raw(54321)]);
        assert!(look_up(None, None).unwrap().changes_nothing());
    }

    #[test]
    fn numbers_without_an_entry_need_a_group() {
        assert!(matches!(look_up(Some("54321"), None), Err(LookUpError::NoGroupOfUser)));
        let identity = look_up(Some("54321"), Some("54322")).unwrap();
        assert_eq!(identity.user, Some(Uid::from_raw(54321)));
        assert_eq!(identity.groups, [Gid::from_raw(54322)]);
    }

    #[test]
    fn what_is_not_there_is_said_to_be() {
        assert!(matches!(look_up(Some("no-such-user-hfm"), None), Err(LookUpError::NoUser)));
        assert!(matches!(look_up(Some("root"), Some("no-such-group-hfm")), Err(LookUpError::NoGroup)));
        // It would leave everything as it is.
        assert!(look_up(Some("4294967295"), Some("0")).is_err());
    }
}
