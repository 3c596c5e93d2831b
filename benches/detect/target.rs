//! A target: this program, started again, as a small server that can be killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// The word by which the program is asked to be a target.
const WORD: &str = "--be-target";
/// Where targets listen, each at its own address,
pub(crate) const PORT: u16 = 80;
/// and where one listens at all addresses that nothing befalls.
pub(crate) const OTHERS_PORT: u16 = 81;
const BACKLOG: i32 = 8192;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// The address of a target.
pub(crate) fn address_of(number: usize) -> Ipv4Addr {
    let number = u32::try_from(number).expect("a few hundred");
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number)
}

/// Starts one; it listens when this returns.
pub(crate) fn start(address: impl Into<SocketAddr>) -> Child {
    let address = address.into();
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([WORD, &address.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("a process");
    let mut line = String::new();
    let said = BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line);
    assert!(said.is_ok() && line == "listens\n", "the target at {address} does not come up");
    child
}

/// Where this process is to be a target, if it was started for that.
pub(crate) fn asked_to_be() -> Option<SocketAddr> {
    let mut arguments = std::env::args().skip_while(|argument| argument != WORD);
    arguments.next()?;
    Some(arguments.next()?.parse().expect("an address"))
}

/// Answers one after the other, until it is killed or whoever started it is gone.
pub(crate) fn be(address: SocketAddr) {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).expect("a signal for orphans");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.bind(&address.into()).expect("a free port");
    socket.listen(BACKLOG).expect("a listener");
    println!("listens");
    for stream in TcpListener::from(socket).incoming() {
        // One that was reset at once has gone already.
        let _ = stream.and_then(answer);
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut request = [0; 1024];
    if stream.read(&mut request)? > 0 {
        stream.write_all(ANSWER)?;
    }
    Ok(())
}
