//! The limit on open files.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};

/// Where an operator raises it.
#[cfg(target_os = "freebsd")]
pub const RAISED_BY: &str =
    "'openfiles' of hfm's class in login.conf(5), and the sysctl kern.maxfilesperproc";
/// Where an operator raises it.
#[cfg(not(target_os = "freebsd"))]
pub const RAISED_BY: &str = "LimitNOFILE= in hfm's systemd unit, or 'ulimit -n' where it is started by hand";

/// What the limit is after an attempt to raise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// In force now.
    pub limit: u64,
    /// What was asked for.
    pub needed: u64,
}

/// The limit on open files, as it is.
///
/// # Errors
/// As getrlimit(2).
#[allow(clippy::useless_conversion, reason = "rlim_t is u64 on Linux and i64 on FreeBSD")]
pub fn open_files() -> std::io::Result<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(u64::try_from(soft).unwrap_or(u64::MAX))
}

/// Raises the soft limit on open files to `needed` where it is lower and the hard limit allows, and no
/// further: children inherit it, and some close every descriptor up to it one by one.
///
/// # Errors
/// When the limits cannot be read.
#[allow(clippy::useless_conversion, reason = "rlim_t is u64 on Linux and i64 on FreeBSD")]
pub fn raise_open_files(needed: u64) -> std::io::Result<OpenFiles> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = rlim_t::try_from(needed).unwrap_or(RLIM_INFINITY);
    // As root the hard limit can be raised too; otherwise it goes as far as that allows.
    if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted)).is_err() {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard);
    }
    // A system may say yes and give less: FreeBSD goes no further than kern.maxfilesperproc (setrlimit(2)).
    Ok(OpenFiles { limit: open_files()?, needed })
}
