//! The local ports that connections are given.

/// How many there are, as far as the system tells.
#[cfg(target_os = "linux")]
pub fn count() -> Option<u32> {
    // ip(7); of the network namespace that this process is in.
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = text.split_whitespace().map(str::parse);
    let (Some(Ok(first)), Some(Ok(last))) = (ends.next(), ends.next()) else { return None };
    Some(between(first, last))
}

/// How many there are, as far as the system tells.
#[cfg(target_os = "freebsd")]
pub fn count() -> Option<u32> {
    // ip(4).
    let first = number(c"net.inet.ip.portrange.first")?;
    let last = number(c"net.inet.ip.portrange.last")?;
    Some(between(u32::try_from(first).ok()?, u32::try_from(last).ok()?))
}

/// How many there are, as far as the system tells.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
pub fn count() -> Option<u32> {
    None
}

/// Both ends are among them, and may be given in any order on FreeBSD.
fn between(first: u32, last: u32) -> u32 {
    first.abs_diff(last).saturating_add(1)
}

#[cfg(target_os = "freebsd")]
fn number(name: &std::ffi::CStr) -> Option<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>();
    // SAFETY: the name ends in NUL, at most `length` bytes are written to `value`, and nothing is set.
    let result = unsafe {
        libc::sysctlbyname(name.as_ptr(), (&raw mut value).cast(), &raw mut length, std::ptr::null(), 0)
    };
    (result == 0 && length == size_of::<libc::c_int>()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_ports() {
        assert_eq!(between(32_768, 60_999), 28_232);
        assert_eq!(between(65_535, 10_000), 55_536);
        assert_eq!(between(40_000, 40_000), 1);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    fn the_system_tells() {
        assert!(count().is_some_and(|count| (1..=65_536).contains(&count)), "{:?}", count());
    }
}
