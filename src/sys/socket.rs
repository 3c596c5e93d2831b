//! Stream sockets that never block: made, connected, read, written, and what the system says of each.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// How a connection is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// The local address.
    pub source: Option<IpAddr>,
    /// The network device (Linux, SO_BINDTODEVICE, socket(7)).
    pub interface: Option<&'a str>,
    /// The routing table (FreeBSD, SO_SETFIB, setsockopt(2)).
    pub fib: Option<u32>,
    /// The packet mark (Linux, SO_MARK, socket(7)).
    pub mark: Option<u32>,
    /// Closing sends RST and forgets what is not sent (SO_LINGER of 0): no TIME_WAIT stays.
    pub resets: bool,
    /// Our own side of TCP's handshake is held back where the system can (Linux, TCP_QUICKACK off,
    /// tcp(7)): a connection that is reset as soon as it is there never reaches the service, and what is said
    /// at once takes it along, a packet less.
    pub withholds_ack: bool,
    /// The socket is to serve other connections after this one, all of them to the same address.
    pub serves_again: bool,
}

impl Options<'_> {
    /// Whether the socket can serve again: nothing is asked of it that would stay with it and may be another matter
    /// by then.
    fn let_it_serve_again(&self) -> bool {
        let Self { source, interface, fib, mark, resets, withholds_ack: _, serves_again } = self;
        let is_common = source.is_none() && interface.is_none() && fib.is_none() && mark.is_none();
        *serves_again && is_common && *resets
    }
}

/// What the system says when something with a socket does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketError {
    /// The other side says no, or the local socket is not there.
    Refused(i32),
    /// The other side has ended the connection without ceremony.
    Reset,
    /// The system has given up waiting.
    TimedOut,
    /// No way there.
    Unreachable(i32),
    /// The queue of a local socket is full: again later.
    Full(i32),
    /// No descriptors left.
    Descriptors,
    /// No local port left.
    Ports,
    /// No memory left, or whatever else this machine lacks.
    Buffers(i32),
    /// The system does not allow it.
    Permission(i32),
    /// The local address is not one of this machine.
    NoSuchAddress,
    /// The device does not exist.
    NoSuchInterface,
}

impl SocketError {
    /// What the system says of a port that nobody listens at.
    pub const NOBODY_LISTENS: Self = Self::Refused(libc::ECONNREFUSED);
}

/// A stream socket that is connecting or connected.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    /// It can serve another connection.
    serves_again: bool,
}

/// A TCP socket that was connected once and is not now: another connection to the same address can be made of it,
/// without making, setting up, registering and closing one more. It stays registered where it was. To the same address
/// only: it goes on with its sequence numbers, which the other side knows; and one that was connected to IPv4 by an
/// IPv4-mapped address reaches nobody over IPv6 any more (net/ipv6/tcp_ipv6.c, tcp_v6_connect).
#[derive(Debug)]
pub struct Idle(Socket);

impl Stream {
    /// Begins to connect over TCP.
    ///
    /// # Errors
    /// What the system says at once.
    pub fn connect(to: SocketAddr, options: &Options<'_>) -> Result<Self, SocketError> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), Some(Protocol::TCP))
            .map_err(|error| of_making(&error))?;
        set_up(&socket, options)?;
        connect(&socket, to)?;
        Ok(Self { socket, serves_again: options.let_it_serve_again() })
    }

    /// Ends the connection with RST, if there is one, and gives the socket back for another one: where that was
    /// asked for and the system can (Linux, connect(2) to AF_UNSPEC). Otherwise it is closed.
    pub fn disconnect(self) -> Option<Idle> {
        (Idle::EXIST && self.serves_again && disconnect(&self.socket)).then_some(Idle(self.socket))
    }

    /// Connects to a local socket.
    ///
    /// # Errors
    /// What the system says; [`SocketError::Full`] when the service does not accept as fast as others come.
    pub fn connect_local(path: &str) -> Result<Self, SocketError> {
        let address = SockAddr::unix(path).map_err(|_| SocketError::Refused(libc::ENAMETOOLONG))?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None);
        let socket = socket.map_err(|error| of_making(&error))?;
        match socket.connect(&address) {
            Ok(()) => Ok(Self { socket, serves_again: false }),
            Err(error) => Err(match error.raw_os_error() {
                Some(libc::EINPROGRESS) => return Ok(Self { socket, serves_again: false }),
                Some(errno @ libc::EAGAIN) => SocketError::Full(errno),
                Some(
                    errno @ (libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EPROTOTYPE | libc::ENOTSOCK),
                ) => SocketError::Refused(errno),
                Some(_) | None => of_connecting(&error),
            }),
        }
    }

    /// Whether the connection is there, after the poll said something about it. Robust against being asked
    /// for nothing: first the socket's error, then whether it has a peer (connect(2)).
    ///
    /// # Errors
    /// Why it never will be.
    pub fn is_connected(&self) -> Result<bool, SocketError> {
        match self.socket.take_error() {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => return Err(of_peer(&error)),
        }
        Ok(self.socket.peer_addr().is_ok())
    }

    /// Reads; `None` when there is nothing at present, 0 at the end of what comes.
    ///
    /// # Errors
    /// What broke.
    pub fn read(&self, into: &mut [u8]) -> Result<Option<usize>, SocketError> {
        loop {
            match (&self.socket).read(into) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(of_peer(&error)),
            }
        }
    }

    /// Writes what it can; `None` when it can write nothing at present.
    ///
    /// # Errors
    /// What broke.
    pub fn write(&self, bytes: &[u8]) -> Result<Option<usize>, SocketError> {
        loop {
            match (&self.socket).write(bytes) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(of_peer(&error)),
            }
        }
    }

    /// The addresses of this side and the other, where there are any.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let local = self.socket.local_addr().ok()?.as_socket()?;
        let peer = self.socket.peer_addr().ok()?.as_socket()?;
        Some((local, peer))
    }

    /// For the poll.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Idle {
    /// Whether this system has any.
    pub const EXIST: bool = cfg!(target_os = "linux");

    /// Begins to connect again, as [`Stream::connect`] does, where it [can](Self::serves). A socket that cannot is
    /// closed: Linux before 6.1 leaves it at the local address that it was to have.
    ///
    /// # Errors
    /// What the system says at once.
    pub fn connect(self, to: SocketAddr, options: &Options<'_>) -> Result<Stream, SocketError> {
        if options.withholds_ack {
            // It does not outlive a connection.
            withhold_ack(&self.0);
        }
        connect(&self.0, to)?;
        Ok(Stream { socket: self.0, serves_again: true })
    }

    /// Whether such a socket can do what is asked for.
    pub fn serves(options: &Options<'_>) -> bool {
        options.let_it_serve_again()
    }
}

fn connect(socket: &Socket, to: SocketAddr) -> Result<(), SocketError> {
    match socket.connect(&to.into()) {
        Ok(()) => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        // No port left, or no address of ours from which there is a way there: a datagram socket, whose
        // ports are others, tells.
        Err(error) if error.raw_os_error() == Some(libc::EADDRNOTAVAIL) && !leads_to(to) => {
            Err(SocketError::Unreachable(libc::EADDRNOTAVAIL))
        }
        Err(error) => Err(of_connecting(&error)),
    }
}

/// Takes the connection away from a TCP socket; whether the system can (connect(2), net/ipv4/tcp.c tcp_disconnect: RST
/// for one that is there, all that was received or is to be sent is forgotten, and the local port is given back).
#[cfg(target_os = "linux")]
fn disconnect(socket: &Socket) -> bool {
    let nowhere = libc::sockaddr {
        sa_family: libc::sa_family_t::try_from(libc::AF_UNSPEC).unwrap_or_default(),
        sa_data: [0; 14],
    };
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr>()).unwrap_or_default();
    // SAFETY: the pointer and the length are those of `nowhere`, which outlives the call.
    unsafe { libc::connect(socket.as_raw_fd(), &raw const nowhere, length) == 0 }
}

/// A TCP socket serves one connection (FreeBSD, sys/netinet/tcp_usrreq.c).
#[cfg(not(target_os = "linux"))]
fn disconnect(_socket: &Socket) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn withhold_ack(socket: &Socket) {
    // Without it the service merely sees a connection that is reset.
    let _ = socket.set_tcp_quickack(false);
}

#[cfg(not(target_os = "linux"))]
fn withhold_ack(_socket: &Socket) {}

/// Whether this process may make connections so; also when something else keeps it from that at present.
pub fn permits(options: &Options<'_>) -> bool {
    let outcome = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))
        .map_err(|error| of_making(&error))
        .and_then(|socket| set_up(&socket, options));
    !matches!(outcome, Err(SocketError::Permission(_)))
}

fn set_up(socket: &Socket, options: &Options<'_>) -> Result<(), SocketError> {
    if options.resets {
        socket.set_linger(Some(Duration::ZERO)).map_err(|error| of_making(&error))?;
    }
    set_up_by_system(socket, options)?;
    let Some(source) = options.source else { return Ok(()) };
    socket.bind(&SocketAddr::new(source, 0).into()).map_err(|error| match error.raw_os_error() {
        // FreeBSD says the same when ports have run out.
        Some(libc::EADDRNOTAVAIL) if !is_ours(source) => SocketError::NoSuchAddress,
        Some(_) | None => of_connecting(&error),
    })
}

/// Whether this machine has an address and a route for a target.
fn leads_to(target: SocketAddr) -> bool {
    let socket = Socket::new(Domain::for_address(target), Type::DGRAM, None);
    !socket.is_ok_and(|socket| is_not_available(socket.connect(&target.into())))
}

/// Whether an address is one of this machine's.
fn is_ours(address: IpAddr) -> bool {
    let address = SocketAddr::new(address, 0);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None);
    !socket.is_ok_and(|socket| is_not_available(socket.bind(&address.into())))
}

fn is_not_available(outcome: io::Result<()>) -> bool {
    outcome.is_err_and(|error| error.raw_os_error() == Some(libc::EADDRNOTAVAIL))
}

#[cfg(target_os = "linux")]
fn set_up_by_system(socket: &Socket, options: &Options<'_>) -> Result<(), SocketError> {
    if options.withholds_ack {
        withhold_ack(socket);
    }
    if let Some(mark) = options.mark {
        socket.set_mark(mark).map_err(|error| of_making(&error))?;
    }
    if let Some(interface) = options.interface {
        socket.bind_device(Some(interface.as_bytes())).map_err(|error| match error.raw_os_error() {
            Some(libc::ENODEV) => SocketError::NoSuchInterface,
            Some(_) | None => of_making(&error),
        })?;
    }
    if options.source.is_some() {
        share_ports(socket);
    }
    Ok(())
}

/// Lets a bound address wait for its port until the target is known, so that one port serves many targets
/// (IP_BIND_ADDRESS_NO_PORT, ip(7)). Without it ports run out sooner.
#[cfg(target_os = "linux")]
fn share_ports(socket: &Socket) {
    let on: libc::c_int = 1;
    // SAFETY: the pointer and the length are those of `on`, which outlives the call.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or_default(),
        );
    }
}

#[cfg(target_os = "freebsd")]
fn set_up_by_system(socket: &Socket, options: &Options<'_>) -> Result<(), SocketError> {
    match options.fib {
        Some(fib) => socket.set_fib(fib).map_err(|error| of_making(&error)),
        None => Ok(()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn set_up_by_system(_socket: &Socket, _options: &Options<'_>) -> Result<(), SocketError> {
    Ok(())
}

/// Our own side only: nothing has gone out.
fn of_making(error: &io::Error) -> SocketError {
    match error.raw_os_error().unwrap_or_default() {
        libc::EMFILE | libc::ENFILE => SocketError::Descriptors,
        errno @ (libc::EPERM | libc::EACCES) => SocketError::Permission(errno),
        errno @ (libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT) => SocketError::Unreachable(errno),
        errno => SocketError::Buffers(errno),
    }
}

/// What connect(2) says at once.
fn of_connecting(error: &io::Error) -> SocketError {
    match error.raw_os_error().unwrap_or_default() {
        libc::EADDRNOTAVAIL | libc::EADDRINUSE => SocketError::Ports,
        errno @ (libc::EPERM | libc::EACCES) => SocketError::Permission(errno),
        // None of them comes from outside or says anything of the way there.
        errno @ (libc::EAGAIN | libc::EINTR | libc::EALREADY | libc::EISCONN) => SocketError::Buffers(errno),
        _ => of_peer(error),
    }
}

/// What came from outside, or is known of the way there.
fn of_peer(error: &io::Error) -> SocketError {
    match error.raw_os_error().unwrap_or_default() {
        errno @ libc::ECONNREFUSED => SocketError::Refused(errno),
        libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED | libc::ENOTCONN => SocketError::Reset,
        libc::ETIMEDOUT => SocketError::TimedOut,
        errno @ (libc::ENOBUFS | libc::ENOMEM) => SocketError::Buffers(errno),
        // ENETUNREACH, EHOSTUNREACH, and EHOSTDOWN, which is what FreeBSD says of a neighbour that does not answer.
        errno => SocketError::Unreachable(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_there_is_unreachable_in_the_words_of_every_system() {
        for errno in [libc::ENETDOWN, libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EHOSTDOWN] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(of_peer(&error), SocketError::Unreachable(errno), "{error}");
            assert_eq!(of_connecting(&error), SocketError::Unreachable(errno), "{error}");
        }
    }
    #[test]
    fn what_says_nothing_of_the_way_there_is_our_own_trouble() {
        for errno in [libc::ENOBUFS, libc::EAGAIN, libc::EINTR, libc::EALREADY, libc::EISCONN] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(of_connecting(&error), SocketError::Buffers(errno), "{error}");
        }
    }
}
