//! Which boot of the system this is: what the kernel holds is gone with the next one, what files hold is not.

use std::io;

/// The name that the kernel gave to this boot, at random; another one after each.
///
/// # Errors
/// When it cannot be read.
#[cfg(target_os = "linux")]
pub fn identity() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// The name that the kernel gave to this boot, at random; another one after each. Not the time of the boot: that moves
/// when the clock is set.
///
/// # Errors
/// When it cannot be read.
#[cfg(target_os = "freebsd")]
pub fn identity() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    let mut length = bytes.len();
    // SAFETY: the name ends in NUL, at most `length` bytes are written to `bytes`, and nothing is set.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.boot_id".as_ptr(),
            bytes.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null(),
            0,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if length != bytes.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "kern.boot_id is of an unknown kind"));
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_boot_has_one_name() {
        let name = super::identity().expect("every system has one");
        assert!(name.len() >= 32, "{name:?}");
        assert_eq!(super::identity().expect("as before"), name);
    }
}
