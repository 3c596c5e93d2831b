//! What pf's refusals mean, and what to do about them.

use super::Device;
use crate::dataplane::TableError;
use crate::sys::pf::{Errno, PF_LIMIT_TABLE_ENTRIES, PfiocLimit, RealDevice};

/// What to do where this kernel's pf takes none of the calls that are known here.
const OTHER_WAY: &str = "write 'dataplane = pfctl' into the configuration";

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// Reading a table.
    Read,
    /// Adding to a table.
    Add,
    /// Removing from a table.
    Remove,
    /// Killing source nodes.
    KillSourceNodes,
    /// Reading or killing states.
    KillStates,
}

/// The device could not be opened.
#[expect(clippy::wildcard_enum_match_arm, reason = "the operating system's errors are more than these")]
pub(super) fn not_opened(errno: Errno) -> TableError {
    let path = RealDevice::PATH;
    match errno {
        Errno::ENOENT | Errno::ENXIO | Errno::ENODEV => TableError::Absent(format!(
            "{path}: no such device (load pf by 'kldload pf', or at each boot by pf_enable=\"YES\" in \
             /etc/rc.conf; in a jail, its devfs ruleset must show it)"
        )),
        Errno::EACCES | Errno::EPERM => TableError::NotPermitted(format!(
            "{path} may not be opened for writing (is hfm started as root?)"
        )),
        errno => TableError::Other(format!("{path} cannot be opened: {}", errno.desc())),
    }
}

/// A call was refused.
pub(super) fn refused(doing: Doing, errno: Errno, device: &mut dyn Device) -> TableError {
    let path = RealDevice::PATH;
    match (errno, doing) {
        (Errno::ESRCH, Doing::Read | Doing::Add | Doing::Remove) => TableError::NoTable,
        // pfr_add_addrs and pfr_del_addrs refuse a constant table so, and nothing else: even with a high
        // securelevel addresses may be changed.
        (Errno::EPERM, Doing::Add | Doing::Remove) => {
            TableError::Other("the table is const: take that word out of pf.conf and load it".to_owned())
        }
        (Errno::EPERM, Doing::KillSourceNodes | Doing::KillStates) => TableError::NotPermitted(
            "pf lets nobody kill states or source nodes while kern.securelevel is 3".to_owned(),
        ),
        (Errno::EACCES, _) => TableError::NotPermitted(format!("{path} is open for reading only")),
        (Errno::ENOMEM, Doing::Add) => full(device),
        (Errno::EINVAL, Doing::Read | Doing::Add | Doing::Remove) => {
            TableError::Syntax("pf takes the table's name, or one of its addresses, for none".to_owned())
        }
        // Of a call or a structure that the kernel does not know.
        (Errno::ENODEV | Errno::ENOTTY, _) => {
            TableError::Absent(format!("a pf that knows the calls of FreeBSD 13 to 15 ({OTHER_WAY})"))
        }
        (Errno::ENXIO | Errno::EBADF, _) => {
            // The module has gone; it may come back.
            device.close();
            TableError::Absent(format!("{path} has gone (was pf unloaded?)"))
        }
        (errno, doing) => TableError::Other(format!("pf refuses {}: {}", words(doing), errno.desc())),
    }
}

/// More addresses than pf holds.
fn full(device: &mut dyn Device) -> TableError {
    let mut limit = PfiocLimit { index: PF_LIMIT_TABLE_ENTRIES, limit: 0 };
    let held = match device.limit(&mut limit) {
        Ok(()) => format!("pf holds {} addresses at most in all its tables", limit.limit),
        Err(_) => "pf holds no more addresses in its tables".to_owned(),
    };
    TableError::Other(format!("{held}: raise 'set limit table-entries' in pf.conf and load it"))
}

fn words(doing: Doing) -> &'static str {
    match doing {
        Doing::Read => "to show the table",
        Doing::Add => "to add to the table",
        Doing::Remove => "to remove from the table",
        Doing::KillSourceNodes => "to kill source nodes",
        Doing::KillStates => "to kill states",
    }
}
