//! The device: the only place where pointers go into the structures, and where the kernel is called.

use std::ffi::c_void;
use std::fs::File;
use std::io;

use super::{
    DIOCGETLIMIT, DIOCGETSTATES, DIOCKILLSRCNODES, DIOCKILLSTATES, DIOCKILLSTATESNV, DIOCRADDADDRS,
    DIOCRDELADDRS, DIOCRGETADDRS, Errno, PfiocLimit, PfiocNv, PfiocSrcNodeKill, PfiocStateKill, PfiocStates,
    PfiocTable, PfrAddr,
};

/// Bytes that the answer to a list may have; it tells one number.
const ANSWER_BYTES_MAX: usize = 1024;

/// `net.pf.request_maxcount` where it is not said: how many addresses one call may take.
const REQUEST_MAX: usize = 65_535;

/// What may be done to a table's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableCall {
    /// Puts addresses in: DIOCRADDADDRS.
    Add,
    /// Takes addresses out: DIOCRDELADDRS.
    Delete,
    /// Gives all addresses: DIOCRGETADDRS.
    Get,
}

impl TableCall {
    /// The call's number.
    fn request(self) -> u64 {
        match self {
            Self::Add => DIOCRADDADDRS,
            Self::Delete => DIOCRDELADDRS,
            Self::Get => DIOCRGETADDRS,
        }
    }
}

/// /dev/pf. Who has opened it may go on writing after having given up root.
#[derive(Debug, Default)]
pub struct RealDevice {
    file: Option<File>,
}

impl RealDevice {
    /// Where it is.
    pub const PATH: &str = "/dev/pf";

    /// Not opened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens it for reading and writing; nothing happens if it is open.
    ///
    /// # Errors
    /// As open(2).
    pub fn open(&mut self) -> Result<(), Errno> {
        if self.file.is_none() {
            // The standard library closes it in children.
            let file =
                File::options().read(true).write(true).open(Self::PATH).map_err(|error| errno(&error))?;
            self.file = Some(file);
        }
        Ok(())
    }

    /// Another descriptor of the same; one that cannot be had is opened when it is needed.
    pub fn another(&self) -> Self {
        Self { file: self.file.as_ref().and_then(|file| file.try_clone().ok()) }
    }

    /// Closes it, so that it is opened anew.
    pub fn close(&mut self) {
        self.file = None;
    }

    /// A call on the addresses of a table. How many `addresses` there are, and of what size, is put into `io`
    /// here; afterwards `io.size` tells of [`TableCall::Get`] how many the table holds, which may be more than
    /// there was room for.
    ///
    /// # Errors
    /// As pf(4).
    pub fn table(
        &mut self,
        call: TableCall,
        io: &mut PfiocTable,
        addresses: &mut [PfrAddr],
    ) -> Result<(), Errno> {
        io.buffer = addresses.as_mut_ptr().cast();
        io.esize = i32::try_from(size_of::<PfrAddr>()).expect("twenty bytes");
        io.size = i32::try_from(addresses.len()).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the number is that of a call that takes a PfiocTable, and that reads and writes `size` times
        // `esize` bytes at `buffer`: these addresses.
        unsafe { self.call(call.request(), io) }
    }

    /// Kills source nodes.
    ///
    /// # Errors
    /// As pf(4).
    pub fn kill_source_nodes(&mut self, kill: &mut PfiocSrcNodeKill) -> Result<(), Errno> {
        // SAFETY: the number is that of a call that takes this structure, which it follows no pointer of.
        unsafe { self.call(DIOCKILLSRCNODES, kill) }
    }

    /// Kills states; until FreeBSD 14.
    ///
    /// # Errors
    /// As pf(4); ENODEV where the kernel does not know this call.
    pub fn kill_states(&mut self, kill: &mut PfiocStateKill) -> Result<(), Errno> {
        // SAFETY: as above.
        unsafe { self.call(DIOCKILLSTATES, kill) }
    }

    /// Kills states; since FreeBSD 13.1. A packed list says which, and is replaced by the answer.
    ///
    /// # Errors
    /// As pf(4); ENODEV where the kernel does not know this call.
    pub fn kill_states_listed(&mut self, list: &mut Vec<u8>) -> Result<(), Errno> {
        let len = list.len();
        list.resize(len.max(ANSWER_BYTES_MAX), 0);
        let mut io = PfiocNv { data: list.as_mut_ptr().cast::<c_void>(), len, size: list.len() };
        // SAFETY: the number is that of a call that takes a PfiocNv, reads `len` bytes at `data` and writes
        // `size` at most there: the list's.
        unsafe { self.call(DIOCKILLSTATESNV, &mut io)? };
        list.truncate(io.len);
        Ok(())
    }

    /// Puts as many states into `buffer` as there is room for, each as
    /// [`STATE_SIZE`](super::STATE_SIZE) bytes, and says how many bytes that makes; without any room, how many
    /// it would make.
    ///
    /// # Errors
    /// As pf(4).
    pub fn states(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let len = i32::try_from(buffer.len()).map_err(|_| Errno::EINVAL)?;
        let mut io = PfiocStates { len, buffer: buffer.as_mut_ptr().cast() };
        // SAFETY: the number is that of a call that takes a PfiocStates and writes `len` bytes at most at
        // `buffer`, none with a `len` of zero.
        unsafe { self.call(DIOCGETSTATES, &mut io)? };
        usize::try_from(io.len).map_err(|_| Errno::EIO)
    }

    /// One of pf's limits.
    ///
    /// # Errors
    /// As pf(4).
    pub fn limit(&mut self, limit: &mut PfiocLimit) -> Result<(), Errno> {
        // SAFETY: the number is that of a call that takes this structure, which has no pointer.
        unsafe { self.call(DIOCGETLIMIT, limit) }
    }

    /// How many addresses one call may take: `net.pf.request_maxcount`.
    pub fn request_max(&self) -> usize {
        request_maxcount().unwrap_or(REQUEST_MAX)
    }

    /// Calls the kernel.
    ///
    /// # Safety
    /// `request` must be that of a call that takes a `T`, and what `argument` points to must be what that call
    /// reads and writes.
    unsafe fn call<T>(&self, request: u64, argument: &mut T) -> Result<(), Errno> {
        let file = self.file.as_ref().ok_or(Errno::EBADF)?;
        // SAFETY: who calls this has seen to it.
        unsafe { ioctl(file, request, argument) }
    }
}

/// Makes a call of a device.
///
/// # Safety
/// As [`RealDevice::call`].
#[cfg(target_os = "freebsd")]
unsafe fn ioctl<T>(file: &File, request: u64, argument: &mut T) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;

    let argument: *mut T = argument;
    // SAFETY: who calls this has seen to it.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), request as libc::c_ulong, argument) };
    Errno::result(result).map(drop)
}

/// Whatever has the device's name elsewhere knows none of the calls, and is not asked.
#[cfg(not(target_os = "freebsd"))]
unsafe fn ioctl<T>(_: &File, _: u64, _: &mut T) -> Result<(), Errno> {
    Err(Errno::ENODEV)
}

/// The number of an error of the operating system's.
fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}

/// The sysctl of that name, where there is one.
#[cfg(target_os = "freebsd")]
fn request_maxcount() -> Option<usize> {
    let mut value: libc::c_ulong = 0;
    let mut size = size_of::<libc::c_ulong>();
    let value_at: *mut libc::c_ulong = &mut value;
    // SAFETY: the name ends in a zero, and `size` bytes of `value` may be written.
    let result = unsafe {
        libc::sysctlbyname(
            c"net.pf.request_maxcount".as_ptr(),
            value_at.cast(),
            &mut size,
            std::ptr::null(),
            0,
        )
    };
    let is_whole = result == 0 && size == size_of::<libc::c_ulong>();
    is_whole.then(|| usize::try_from(value).unwrap_or(usize::MAX))
}

/// There is none.
#[cfg(not(target_os = "freebsd"))]
fn request_maxcount() -> Option<usize> {
    None
}
