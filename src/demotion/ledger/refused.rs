//! Why something could not be done, in words for who has to see to it.

use std::io;
use std::path::Path;

/// Why something could not be done, and what to do.
#[derive(Debug)]
pub(super) struct Refused {
    /// In words.
    pub(super) why: String,
    /// What kind of error it was.
    pub(super) kind: io::ErrorKind,
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        refused.why
    }
}

/// What could not be done with a file.
pub(super) fn of_file(what: &str, path: &Path, error: &io::Error) -> Refused {
    let kind = error.kind();
    let path = path.display();
    let advice = if kind == io::ErrorKind::NotFound {
        "; make its directory"
    } else if kind == io::ErrorKind::PermissionDenied {
        "; its directory is another user's: let hfm have the capability CAP_DAC_OVERRIDE, or give it a directory of \
         its own"
    } else {
        ""
    };
    Refused { why: format!("cannot {what} {path}: {error}{advice}"), kind }
}

/// What could not be done with the counter.
pub(super) fn of_counter(error: &io::Error) -> Refused {
    let kind = error.kind();
    let advice = if kind == io::ErrorKind::NotFound {
        "; the kernel has no CARP: load it by `kldload carp`, and at boot by carp_load=\"YES\" in /boot/loader.conf"
    } else if kind == io::ErrorKind::PermissionDenied {
        "; only root may write it: start hfm as root, and give `user`"
    } else {
        ""
    };
    Refused { why: format!("net.inet.carp.demotion: {error}{advice}"), kind }
}
