//! Listening for connections over TCP.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;
/// What the system keeps of what a client does not take, in bytes (SO_SNDBUF, socket(7)).
const SEND_BUFFER_BYTES: usize = 128 * 1024;

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
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The next connection, which never blocks; `None` when nobody waits.
///
/// # Errors
/// As accept(2); the connection may still wait.
pub fn accept(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    let stream = match listener.accept() {
        Ok((stream, _)) => stream,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES)?;
    Ok(Some(stream))
}
