//! Capabilities of the calling thread (Linux, capabilities(7)). They are per thread: the C library changes ids
//! for all threads, and these for one.

use std::io;

/// _LINUX_CAPABILITY_VERSION_3: two words of each set.
const VERSION_3: u32 = 0x2008_0522;
/// CAP_NET_ADMIN: SO_MARK, and netlink's writes.
const NET_ADMIN: u64 = 1 << 12;
/// CAP_NET_RAW: SO_BINDTODEVICE before Linux 5.7, raw sockets.
const NET_RAW: u64 = 1 << 13;

/// `struct __user_cap_header_struct`.
#[repr(C)]
struct Header {
    version: u32,
    /// 0: the calling thread.
    pid: libc::c_int,
}

/// `struct __user_cap_data_struct`: 32 of each set.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const _: () = assert!(size_of::<Header>() == 8 && size_of::<[Data; 2]>() == 24);

/// Which capabilities are meant.
pub(super) fn bits(net_admin: bool, net_raw: bool) -> u64 {
    (if net_admin { NET_ADMIN } else { 0 }) | (if net_raw { NET_RAW } else { 0 })
}

/// The sets of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sets {
    pub(super) effective: u64,
    pub(super) permitted: u64,
    pub(super) inheritable: u64,
}

/// Those of the calling thread.
pub(super) fn get() -> io::Result<Sets> {
    let mut header = Header { version: VERSION_3, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: version 3 reads one header and writes two elements of data, which both live through the call.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let [low, high] = data;
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    Ok(Sets {
        effective: join(low.effective, high.effective),
        permitted: join(low.permitted, high.permitted),
        inheritable: join(low.inheritable, high.inheritable),
    })
}

/// Gives up everything but these, and of these what the calling thread does not have anyway. Nothing is left to
/// be inherited: with the inheritable set the ambient one is emptied by the kernel.
///
/// The bounding set stays: it gives nothing by itself, and without it set-user-ID programs such as ping(8),
/// which a test may well be, could not do their work.
pub(super) fn keep_only(bits: u64) -> io::Result<()> {
    let kept = get()?.permitted & bits;
    let [low, high] = [kept & u64::from(u32::MAX), kept >> 32];
    let half = |half: u64| {
        let half = u32::try_from(half).unwrap_or_default();
        Data { effective: half, permitted: half, inheritable: 0 }
    };
    let mut header = Header { version: VERSION_3, pid: 0 };
    let data = [half(low), half(high)];
    // SAFETY: version 3 reads one header and two elements of data, which both live through the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, data.as_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if get()? != (Sets { effective: kept, permitted: kept, inheritable: 0 }) {
        return Err(io::Error::other("capabilities are not as they were set"));
    }
    Ok(())
}
