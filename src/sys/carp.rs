//! CARP's demotion counter, net.inet.carp.demotion: for all virtual hosts of this machine (or of its jail, if that has
//! its own network). What is written is added to it.

use std::io;
use std::ptr;

const NAME: &std::ffi::CStr = c"net.inet.carp.demotion";

/// What it is.
///
/// # Errors
/// ENOENT when the kernel has no CARP.
pub fn demotion() -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>();
    // SAFETY: the name ends in NUL, at most `length` bytes are written to `value`, and nothing is set.
    let result = unsafe {
        libc::sysctlbyname(NAME.as_ptr(), (&raw mut value).cast(), &raw mut length, ptr::null(), 0)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if length != size_of::<libc::c_int>() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "net.inet.carp.demotion is no int"));
    }
    Ok(value)
}

/// Adds to it, all at once.
///
/// # Errors
/// EPERM for who is not root, ENOENT when the kernel has no CARP.
pub fn demote(by: libc::c_int) -> io::Result<()> {
    // SAFETY: the name ends in NUL, nothing is written back, and so many bytes of `by` are read.
    let result = unsafe {
        libc::sysctlbyname(
            NAME.as_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
            (&raw const by).cast(),
            size_of::<libc::c_int>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
