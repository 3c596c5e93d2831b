//! SYNs towards the targets, as they arrive on loopback.

use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, SystemTime};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use crate::trials::News;

/// ETH_P_IP of linux/if_ether.h: what arrives, and on loopback everything does once; before netfilter has a say.
const IPV4: u16 = 0x0800;
/// Where the targets are: 127.1.0.0/16.
const NETWORK: u32 = 0x7f01_0000;
const NETWORK_MASK: u32 = 0xffff_0000;
/// Where an IPv4 header says where it goes.
const DESTINATION_AT: usize = 16;
const RECEIVE_BYTES: usize = 4 << 20;

/// Tells of each SYN from now on, until nobody hears it any more.
pub(crate) fn watch(news: Sender<News>) {
    let protocol = Protocol::from(i32::from(IPV4.to_be()));
    let socket =
        Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol)).expect("run as root: a packet(7) socket");
    socket.attach_filter(&filter()).expect("a filter");
    socket.set_recv_buffer_size(RECEIVE_BYTES).expect("an option");
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true).expect("an option");
    thread::spawn(move || {
        while let Some((to, at)) = next(&socket) {
            if news.send(News::Syn { to, at }).is_err() {
                return;
            }
        }
    });
}

fn next(socket: &Socket) -> Option<(Ipv4Addr, SystemTime)> {
    let mut packet = [0; 64];
    let mut space = nix::cmsg_space!(nix::sys::time::TimeSpec);
    loop {
        let mut parts = [IoSliceMut::new(&mut packet)];
        let message =
            recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty()).ok()?;
        let stamp = message.cmsgs().ok()?.find_map(|of| {
            let ControlMessageOwned::ScmTimestampns(at) = of else { return None };
            Some(Duration::from(at))
        });
        if let (Some(stamp), Some(to)) = (stamp, packet[DESTINATION_AT..].first_chunk::<4>()) {
            return Some((Ipv4Addr::from(*to), SystemTime::UNIX_EPOCH + stamp));
        }
    }
}

/// SYNs to targets (linux/filter.h).
fn filter() -> [SockFilter; 11] {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_ABS;
    const EQUALS: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    const PROTOCOL_AT: u32 = 9;
    const TCP: u32 = 6;
    const FLAGS_AT: u32 = 13;
    const SYN: u32 = 0x02;
    const SYN_OR_ACK: u32 = 0x12;
    const TAKEN_BYTES: u32 = 64;
    let step = |code: u32, is: u8, is_not: u8, k: u32| {
        SockFilter::new(u16::try_from(code).expect("16 bits"), is, is_not, k)
    };
    let destination_at = u32::try_from(DESTINATION_AT).expect("a few bytes");
    [
        step(LOAD | libc::BPF_B, 0, 0, PROTOCOL_AT),
        step(EQUALS, 0, 8, TCP),
        step(LOAD | libc::BPF_W, 0, 0, destination_at),
        step(AND, 0, 0, NETWORK_MASK),
        step(EQUALS, 0, 5, NETWORK),
        // The length of the IPv4 header.
        step(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0),
        step(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, 0, 0, FLAGS_AT),
        step(AND, 0, 0, SYN_OR_ACK),
        step(EQUALS, 0, 1, SYN),
        step(RETURN, 0, 0, TAKEN_BYTES),
        step(RETURN, 0, 0, 0),
    ]
}
