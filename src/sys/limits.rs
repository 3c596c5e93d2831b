//! The limit on open files.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

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
pub fn raise_open_files(needed: u64) -> std::io::Result<OpenFiles> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= needed {
        return Ok(OpenFiles { limit: soft, needed });
    }
    // As root the hard limit can be raised too; otherwise go as far as it allows.
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, needed, hard.max(needed)) {
        Ok(()) => needed,
        Err(_) => {
            let most = needed.min(hard);
            setrlimit(Resource::RLIMIT_NOFILE, most, hard).map(|()| most).unwrap_or(soft)
        }
    };
    Ok(OpenFiles { limit, needed })
}
