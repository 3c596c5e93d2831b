//! Listening for connections over TCP.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;
/// What the system keeps of what a client does not take, in bytes (SO_SNDBUF, socket(7)).
const SEND_BUFFER_BYTES: usize = 128 * 1024;

/// What it keeps of what a client sends before that is read (SO_RCVBUF): a few heads.
const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

/// A socket that listens at this address, and never blocks. One for IPv6 takes no IPv4.
///
/// # Errors
/// As socket(2), bind(2) and listen(2).
pub fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    // What is left of connections of before a restart holds nobody up.
    socket.set_reuse_address(true)?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Those that are accepted have them from it; set later they would not count (tcp(7)).
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Who waited to be accepted.
#[derive(Debug)]
pub enum Accepted {
    /// This one; it never blocks.
    Client(TcpStream),
    /// One that has gone meanwhile.
    Gone,
    /// Nobody.
    Nobody,
}

/// The next connection.
///
/// # Errors
/// As accept(2), where it is this system's own trouble; the connection may still wait.
pub fn accept(listener: &TcpListener) -> io::Result<Accepted> {
    let stream = match listener.accept() {
        Ok((stream, _)) => stream,
        Err(error) => return of_one(error),
    };
    // One that was reset takes no options (FreeBSD, setsockopt(2)).
    let is_there = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).is_ok();
    Ok(if is_there { Accepted::Client(stream) } else { Accepted::Gone })
}

/// Trouble of one connection is none of those behind it (accept(2), of Linux and of FreeBSD).
fn of_one(error: io::Error) -> io::Result<Accepted> {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkDown, NetworkUnreachable,
        PermissionDenied, WouldBlock,
    };
    let kind = error.kind();
    if kind == WouldBlock {
        return Ok(Accepted::Nobody);
    }
    let is_its_own = matches!(
        kind,
        ConnectionAborted
            | ConnectionReset
            | Interrupted
            | PermissionDenied
            | HostUnreachable
            | NetworkDown
            | NetworkUnreachable
    );
    if is_its_own { Ok(Accepted::Gone) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn a_client_that_has_gone_keeps_nobody_behind_it_out() {
        let of = |errno: Errno| of_one(errno.into());
        for errno in [Errno::ECONNABORTED, Errno::ECONNRESET, Errno::EINTR, Errno::EHOSTUNREACH] {
            assert!(matches!(of(errno), Ok(Accepted::Gone)), "{errno}");
        }
        assert!(matches!(of(Errno::EAGAIN), Ok(Accepted::Nobody)));
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM] {
            assert!(of(errno).is_err(), "{errno}");
        }
    }
}
