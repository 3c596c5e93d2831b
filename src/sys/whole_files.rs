//! Small files that are read, made and renamed as wholes, in directories that may belong to somebody else: no link and
//! no FIFO that was put there leads anywhere.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A whole file; `None` when there is none.
///
/// # Errors
/// When it cannot be read, or is no regular file, or larger than 64 MiB.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file, or too large"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Makes a file in place of what has that name, with exactly this mode.
///
/// # Errors
/// When it cannot be made or written; it may be there in part then.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    remove(path)?;
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let mut file: File = options.open(path)?;
    file.write_all(bytes)?;
    // Whatever the mask of this process.
    file.set_permissions(Permissions::from_mode(mode))
}

/// Removes a file, if there is one.
///
/// # Errors
/// When it is there still.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
