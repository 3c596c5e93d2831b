//! Servers from the system's packages: on a free port, in a directory of the test's own, gone with it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::patiently;

/// Somebody else may take a port between our asking for it and its use: how often to ask again.
const TRIES_MAX: usize = 5;

/// A program that ends with the test.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a program is installed.
pub(crate) fn is_installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .any(|directory| Path::new(directory).join(program).exists())
}

/// Ports of 127.0.0.1 that nobody has at present.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let listeners: [TcpListener; COUNT] = std::array::from_fn(bind);
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// Starts a server that is to listen on these many ports; `command` is told which.
pub(crate) fn start<const COUNT: usize>(
    log: &Path,
    mut command: impl FnMut([u16; COUNT]) -> Command,
) -> (Program, [u16; COUNT]) {
    for _ in 0..TRIES_MAX {
        let ports = free_ports();
        let sink = std::fs::File::create(log).expect("a file for the log");
        let mut command = command(ports);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(sink);
        let mut program = Program(command.spawn().expect("an installed program"));
        let mut has_ended = false;
        let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let is_up = patiently(|| {
            has_ended = program.0.try_wait().expect("a child can be waited for").is_some();
            has_ended || ports.iter().all(listens)
        });
        if is_up && !has_ended {
            return (program, ports);
        }
    }
    panic!("it does not come up: {}", std::fs::read_to_string(log).unwrap_or_default());
}
