//! The local ports that connections are given.

use std::ops::RangeInclusive;

/// How many there are, as far as the system tells.
pub fn count() -> Option<u32> {
    range().map(|range| u32::from(*range.end() - *range.start()) + 1)
}

/// From which to which they are, as far as the system tells.
#[cfg(target_os = "linux")]
pub fn range() -> Option<RangeInclusive<u16>> {
    // ip(7); of the network namespace that this process is in.
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = text.split_whitespace().map(str::parse);
    let (Some(Ok(first)), Some(Ok(last))) = (ends.next(), ends.next()) else { return None };
    Some(between(first, last))
}

/// From which to which they are, as far as the system tells.
#[cfg(target_os = "freebsd")]
pub fn range() -> Option<RangeInclusive<u16>> {
    // ip(4).
    let first = number(c"net.inet.ip.portrange.first")?;
    let last = number(c"net.inet.ip.portrange.last")?;
    Some(between(u16::try_from(first).ok()?, u16::try_from(last).ok()?))
}

/// From which to which they are, as far as the system tells.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
pub fn range() -> Option<RangeInclusive<u16>> {
    None
}

/// Both ends are among them, and may be given in any order on FreeBSD.
fn between(first: u16, last: u16) -> RangeInclusive<u16> {
    first.min(last)..=first.max(last)
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
    fn both_ends_are_ports_in_any_order() {
        assert_eq!(between(32_768, 60_999), 32_768..=60_999);
        assert_eq!(between(65_535, 10_000), 10_000..=65_535);
        assert_eq!(between(40_000, 40_000), 40_000..=40_000);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    fn the_system_tells() {
        let range = range().unwrap();
        assert_eq!(count(), Some(u32::from(*range.end()) - u32::from(*range.start()) + 1));
    }
}
