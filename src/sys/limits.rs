//! The limit on open files.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};

/// What the limit is after an attempt to raise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// In force now.
    pub limit: u64,
    /// What was asked for.
    pub needed: u64,
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
    let raised = if soft >= wanted {
        soft
    } else if setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted)).is_ok() {
        // As root the hard limit can be raised too,
        wanted
    } else {
        // otherwise go as far as it allows.
        let most = wanted.min(hard);
        setrlimit(Resource::RLIMIT_NOFILE, most, hard).map(|()| most).unwrap_or(soft)
    };
    Ok(OpenFiles { limit: u64::try_from(raised).unwrap_or(u64::MAX), needed })
}
