//! Talking to the kernel's packet filter: netlink(7) sockets of NETLINK_NETFILTER.
//!
//! The kernel does what a message asks for while it is being sent, and has its answer ready before `send`
//! returns: nobody has to wait for one.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, connect, getsockname, recv,
    send, setsockopt, socket, sockopt,
};

/// Of errno(3), what the packet filter says.
pub use libc::{
    EACCES, EAFNOSUPPORT, EBUSY, EEXIST, EINVAL, EMSGSIZE, ENFILE, ENOBUFS, ENOENT, ENOTEMPTY, EOPNOTSUPP,
    EPERM, EPROTONOSUPPORT, ERESTART,
};

/// Bytes that the kernel takes in one go: a map of 65,536 IPv6 addresses deleted and made anew is 5 MiB.
const SEND_BYTES: usize = 8 << 20;
/// Bytes that may lie waiting for us, with what the kernel counts for each message: some ten thousand of them.
const RECEIVE_BYTES: usize = 8 << 20;
/// Bytes of a message that we take at most: the kernel makes none of more than 32 KiB by itself.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// A socket to the kernel.
#[derive(Debug)]
pub struct Socket {
    descriptor: OwnedFd,
    port: u32,
    buffer: Box<[u8]>,
}

impl Socket {
    /// Opens one that hears what is told to these groups, the first of which is 1.
    ///
    /// # Errors
    /// EPROTONOSUPPORT or EAFNOSUPPORT when the kernel has no such thing, EPERM when this process may not hear
    /// a group, and whatever else the system says.
    pub fn open(groups: &[u32]) -> io::Result<Self> {
        let descriptor = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkNetFilter,
        )?;
        // Without the right to go beyond what is common, as much as that allows.
        if setsockopt(&descriptor, sockopt::SndBufForce, &SEND_BYTES).is_err() {
            setsockopt(&descriptor, sockopt::SndBuf, &SEND_BYTES)?;
        }
        if setsockopt(&descriptor, sockopt::RcvBufForce, &RECEIVE_BYTES).is_err() {
            setsockopt(&descriptor, sockopt::RcvBuf, &RECEIVE_BYTES)?;
        }
        // An error comes with its words, and without all of the message that it is about.
        set(&descriptor, libc::NETLINK_EXT_ACK)?;
        set(&descriptor, libc::NETLINK_CAP_ACK)?;
        let mask = groups.iter().fold(0, |mask, group| mask | 1 << (group - 1));
        bind(descriptor.as_raw_fd(), &NetlinkAddr::new(0, mask))?;
        // From now on only the kernel can send us anything.
        connect(descriptor.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        let port = getsockname::<NetlinkAddr>(descriptor.as_raw_fd())?.pid();
        Ok(Self { descriptor, port, buffer: vec![0; MESSAGE_BYTES_MAX].into() })
    }

    /// What the kernel knows it by.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Sends all of it, and returns when the kernel has done what it says.
    ///
    /// # Errors
    /// EMSGSIZE when it is more than the kernel takes at once, and whatever else the system says.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        loop {
            match send(self.descriptor.as_raw_fd(), bytes, MsgFlags::empty()) {
                Ok(sent) if sent == bytes.len() => return Ok(()),
                Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What has come, one datagram with any number of messages; `None` when there is nothing at present.
    ///
    /// # Errors
    /// ENOBUFS when something was lost because we did not take it in time, and whatever else the system says.
    pub fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        let bytes = loop {
            match recv(self.descriptor.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_TRUNC) {
                Ok(bytes) => break bytes,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        };
        let received = self.buffer.get(..bytes);
        let too_long = || {
            let what = format!("a message of {bytes} bytes, {MESSAGE_BYTES_MAX} at most were expected");
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        received.map(Some).ok_or_else(too_long)
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

/// Switches on an option of netlink(7).
fn set(descriptor: &OwnedFd, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).expect("a number is short");
    // SAFETY: the descriptor is open, and the kernel reads `length` bytes from `on`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(descriptor.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), length)
    };
    Errno::result(result)?;
    Ok(())
}
