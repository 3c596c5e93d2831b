//! Targets that nothing but the kernel answers for: they are never late themselves, however busy the machine is.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, SockFilter, Socket, Type};

/// One that accepts, one that refuses and one that never answers, as long as this is kept.
pub(crate) struct Targets {
    accepting: Socket,
    refusing: Socket,
    silent: Socket,
}

impl Targets {
    pub(crate) fn new() -> Self {
        let (accepting, refusing, silent) = (bound(), bound(), bound());
        accepting.listen(4096).expect("a listener");
        // Bound, so that it is nobody else's meanwhile, and not listening: `refusing` needs no more.
        // For the kernel's packet filter: of every packet nothing is kept, so that no SYN arrives.
        let nothing =
            SockFilter::new(u16::try_from(libc::BPF_RET | libc::BPF_K).expect("two bytes"), 0, 0, 0);
        silent.attach_filter(&[nothing]).expect("a filter");
        silent.listen(1).expect("a listener");
        Self { accepting, refusing, silent }
    }

    /// Rules for them, so many of each kind: `up/...`, `down/...` and `gone/...`.
    pub(crate) fn rules(&self, [up, down, gone]: [usize; 3]) -> String {
        [("up", &self.accepting, up), ("down", &self.refusing, down), ("gone", &self.silent, gone)]
            .map(|(name, target, count)| {
                let port = target.local_addr().expect("an address").as_socket().expect("of IP").port();
                let address = |index| Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + index);
                let rule = |index| format!("x{index} {{ test = 'tcp://{}:{port}' }}\n", address(index));
                let count = u32::try_from(count).expect("a small number");
                format!("{name} {{\n{}}}\n", (0..count).map(rule).collect::<String>())
            })
            .concat()
    }
}

/// A socket at a free port, for every address of this machine.
fn bound() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).expect("a port");
    socket
}
