//! Who came when: the SYNs that reach lo, by the kernel's time.
//!
//! A packet socket sees what comes in before TCP does, so that blackholes are seen too, and targets that never accept.
//! It is drained every few milliseconds and nobody sleeps in it: a checker's SYN wakes no one up here.

use std::io::IoSliceMut;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::rows::FIRST;

/// How often the socket is drained.
const PAUSE: Duration = Duration::from_millis(4);

/// Bytes that may wait in it: seconds of SYNs.
const QUEUE_BYTES: usize = 256 << 20;

/// Bytes of a packet that are of interest: the two headers without options.
const HEADERS_BYTES: u32 = 60;

/// A visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Nanoseconds since 1970.
    pub(crate) at: u64,
    /// Of which target.
    pub(crate) index: u32,
}

/// What was seen since the book was last emptied.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) arrivals: Vec<Arrival>,
    /// Targets that were seen at all.
    pub(crate) targets: usize,
    /// SYNs that were sent again, and are no arrivals.
    pub(crate) again: u64,
    /// Packets that found the queue full; since the start.
    pub(crate) dropped: u32,
    /// The newest SYN of each target: its port and sequence number.
    newest: Vec<Option<(u16, u32)>>,
}

/// The watcher at work.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals(Arc<Mutex<Book>>);

impl Arrivals {
    /// Starts watching in the namespace of the calling thread.
    ///
    /// # Errors
    /// No packet socket.
    pub(crate) fn watch() -> Result<Self, String> {
        let socket = open().map_err(|error| format!("a packet socket: {error}"))?;
        let book = Arc::new(Mutex::new(Book::default()));
        let shared = Arc::clone(&book);
        thread::spawn(move || {
            let mut batch = Vec::new();
            loop {
                let dropped = drain(&socket, &mut batch);
                let mut book = lock(&shared);
                book.dropped = book.dropped.max(dropped);
                batch.drain(..).for_each(|syn| book.take(syn));
                drop(book);
                thread::sleep(PAUSE);
            }
        });
        Ok(Self(book))
    }

    /// Forgets everything; so many targets from now on.
    pub(crate) fn forget(&self, targets: u32) {
        let mut book = lock(&self.0);
        *book = Book { dropped: book.dropped, newest: vec![None; targets as usize], ..Book::default() };
    }

    /// What has been seen up to now, as soon as it is all in the book.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0)
    }

    /// Waits until all that has come is in the book.
    pub(crate) fn settle() {
        thread::sleep(10 * PAUSE);
    }
}

/// The clock that arrivals are told by.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    u64::try_from(since.as_nanos()).expect("it is before 2554")
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn take(&mut self, syn: Syn) {
        let index = syn.address.wrapping_sub(FIRST.to_bits());
        let Some(newest) = self.newest.get_mut(index as usize) else { return };
        let this = Some((syn.port, syn.sequence));
        if *newest == this {
            self.again += 1;
            return;
        }
        self.targets += usize::from(newest.is_none());
        *newest = this;
        self.arrivals.push(Arrival { at: syn.at, index });
    }
}

/// The first packet of a connection.
#[derive(Clone, Copy, Debug)]
struct Syn {
    at: u64,
    address: u32,
    port: u16,
    sequence: u32,
}

/// A socket that takes what comes in over IPv4 (and not what goes out, which on lo is the same), SYNs only.
fn open() -> std::io::Result<Socket> {
    let protocol = i32::from(u16::try_from(libc::ETH_P_IP).expect("two bytes").to_be());
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(protocol)))?;
    socket.attach_filter(&only_syns())?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, sockopt::RcvBufForce, &QUEUE_BYTES)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(&socket, sockopt::RxqOvfl, &1)?;
    Ok(socket)
}

/// For the kernel's packet filter: TCP, the first fragment, SYN without ACK.
fn only_syns() -> [SockFilter; 10] {
    let of = |parts: u32, yes: u8, no: u8, value: u32| {
        SockFilter::new(u16::try_from(parts).expect("two bytes"), yes, no, value)
    };
    [
        of(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, 9),
        of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 7, 6),
        of(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, 0, 0, 6),
        of(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 5, 0, 0x1fff),
        // X is the length of the first header; byte 13 of the second one has the flags.
        of(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0),
        of(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, 0, 0, 13),
        of(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, 0x12),
        of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, 0x02),
        of(libc::BPF_RET | libc::BPF_K, 0, 0, HEADERS_BYTES),
        of(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
    ]
}

/// Takes everything out of the socket; how many packets it has dropped.
fn drain(socket: &Socket, batch: &mut Vec<Syn>) -> u32 {
    let mut dropped = 0;
    let mut control = cmsg_space!(TimeSpec, u32);
    loop {
        let mut packet = [0; HEADERS_BYTES as usize];
        let mut parts = [IoSliceMut::new(&mut packet)];
        let (at, length) =
            match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()) {
                Ok(message) => {
                    let mut at = None;
                    for one in message.cmsgs().expect("control messages fit") {
                        if let ControlMessageOwned::ScmTimestampns(time) = one {
                            at = Some(time);
                        } else if let ControlMessageOwned::RxqOvfl(count) = one {
                            dropped = count;
                        }
                    }
                    (at.expect("a time"), message.bytes)
                }
                Err(Errno::EAGAIN) => return dropped,
                Err(error) => panic!("arrivals cannot be read: {error}"),
            };
        batch.extend(parse(&packet[..length], at));
    }
}

fn parse(packet: &[u8], at: TimeSpec) -> Option<Syn> {
    let word = |from: usize| Some(u32::from_be_bytes(packet.get(from..from + 4)?.try_into().ok()?));
    let second = usize::from(packet.first()? & 0xf) * 4;
    let port = u16::from_be_bytes(packet.get(second..second + 2)?.try_into().ok()?);
    let seconds = u64::try_from(at.tv_sec()).ok()?;
    let at = seconds * 1_000_000_000 + u64::try_from(at.tv_nsec()).ok()?;
    Some(Syn { at, address: word(16)?, port, sequence: word(second + 4)? })
}
