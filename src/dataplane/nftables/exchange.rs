//! Asking the kernel and taking its answers, on one socket that stays open.

use std::fmt;
use std::io;

use super::message::{ACK, DUMP, Header, Malformed, Meaning, Message, Messages, Writer};
use crate::dataplane::TableError;
use crate::sys::netlink::{self, Socket};

/// The socket, opened when it is first needed, and anew after something went wrong with it.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    socket: Option<Socket>,
    sequence: u32,
    writer: Writer,
}

/// Why the kernel did not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What errno(3) calls it.
    pub errno: i32,
    /// What the kernel says beyond that; empty mostly.
    pub words: String,
}

/// Why there is no answer, or none that is of use.
#[derive(Debug)]
pub(super) enum Failure {
    /// The kernel says no.
    Refused(Refusal),
    /// What was asked for changed while it was being told: to be asked again.
    Interrupted,
    /// The system's trouble with the socket.
    Io(io::Error),
    /// The answer is not understood.
    Malformed(Malformed),
}

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// One thing.
    One,
    /// Everything there is.
    All,
}

impl Exchange {
    /// Opens the socket, if it is not open.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        if self.socket.is_none() {
            self.socket = Some(Socket::open(&[]).map_err(Failure::Io)?);
        }
        Ok(())
    }

    /// What the kernel knows the socket by, if it is open.
    pub(super) fn port(&self) -> Option<u32> {
        self.socket.as_ref().map(Socket::port)
    }

    /// A number that no message has had lately.
    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Asks for something of this kind; `each` is given what the kernel tells, with its family and attributes.
    pub(super) fn ask(
        &mut self,
        kind: u16,
        family: u8,
        amount: Amount,
        question: impl FnOnce(&mut Writer),
        mut each: impl FnMut(&Message<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Failure> {
        let sequence = self.next_sequence();
        let flags = match amount {
            Amount::One => ACK,
            Amount::All => DUMP,
        };
        let mut writer = std::mem::take(&mut self.writer);
        writer.clear();
        writer.message(Header { kind, flags, sequence, family, resource: 0 }, question);
        let mut interrupted = false;
        let mut refused = None;
        let result = self.converse(writer.bytes(), Heard::More, |message| {
            if message.sequence != sequence {
                return Ok(Heard::More);
            }
            interrupted |= message.is_interrupted();
            match message.meaning()? {
                Meaning::Content { .. } => each(message).map(|()| Heard::More),
                Meaning::Done => Ok(Heard::Last),
                Meaning::Failed { errno, words } => {
                    refused = Some(Refusal::new(errno, words));
                    Ok(Heard::Last)
                }
            }
        });
        self.writer = writer;
        result?;
        match refused {
            Some(refusal) => Err(Failure::Refused(refusal)),
            None if interrupted => Err(Failure::Interrupted),
            None => Ok(()),
        }
    }

    /// Sends messages that change something and have these numbers; the last asks for an [`ACK`]. What the kernel
    /// did not do, by the number of the message; `each` is given what it tells of what it did.
    pub(super) fn tell(
        &mut self,
        messages: &[u8],
        first: u32,
        last: u32,
        mut each: impl FnMut(&Message<'_>) -> Result<(), Malformed>,
    ) -> Result<Vec<(u32, Refusal)>, Failure> {
        let is_ours = |sequence: u32| sequence.wrapping_sub(first) <= last.wrapping_sub(first);
        let mut refused = Vec::new();
        // The last one's answer comes last, unless all is refused as one.
        self.converse(messages, Heard::More, |message| match message.meaning()? {
            _ if !is_ours(message.sequence) => Ok(Heard::More),
            Meaning::Failed { errno, words } => {
                refused.push((message.sequence, Refusal::new(errno, words)));
                Ok(if message.sequence == last { Heard::Last } else { Heard::Enough })
            }
            Meaning::Done if message.sequence == last => Ok(Heard::Last),
            Meaning::Done => Ok(Heard::More),
            Meaning::Content { .. } => each(message).map(|()| Heard::More),
        })?;
        Ok(refused)
    }

    /// Sends messages of which the first has this number, and which the kernel answers only if it refuses them as
    /// one.
    pub(super) fn offer(&mut self, messages: &[u8], first: u32) -> Result<Option<Refusal>, Failure> {
        let mut refused = None;
        self.converse(messages, Heard::Enough, |message| {
            if let (Meaning::Failed { errno, words }, true) = (message.meaning()?, message.sequence == first)
            {
                refused = Some(Refusal::new(errno, words));
            }
            Ok(Heard::Enough)
        })?;
        Ok(refused)
    }

    /// Sends, and gives each message that comes to `hear` until that has heard the last; `heard` says whether
    /// there must be any. With anything unforeseen the socket is closed: nobody knows what would come next.
    fn converse(
        &mut self,
        bytes: &[u8],
        heard: Heard,
        hear: impl FnMut(&Message<'_>) -> Result<Heard, Malformed>,
    ) -> Result<(), Failure> {
        self.open()?;
        let socket = self.socket.as_mut().expect("it was just opened");
        let result = converse(socket, bytes, heard, hear);
        if result.is_err() {
            self.socket = None;
        }
        result
    }
}

/// What to make of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// There must be more.
    More,
    /// There may be more.
    Enough,
    /// It was the last.
    Last,
}

fn converse(
    socket: &mut Socket,
    bytes: &[u8],
    mut heard: Heard,
    mut hear: impl FnMut(&Message<'_>) -> Result<Heard, Malformed>,
) -> Result<(), Failure> {
    socket.send(bytes).map_err(Failure::Io)?;
    while heard != Heard::Last {
        // The kernel has answered before `send` returned.
        let Some(datagram) = socket.receive().map_err(Failure::Io)? else {
            return match heard {
                Heard::More => Err(Failure::Malformed(Malformed("no end of the answer"))),
                Heard::Enough | Heard::Last => Ok(()),
            };
        };
        for message in Messages(datagram) {
            let message = message.map_err(Failure::Malformed)?;
            match hear(&message).map_err(Failure::Malformed)? {
                Heard::More => {}
                more @ (Heard::Enough | Heard::Last) => heard = more,
            }
        }
    }
    Ok(())
}

impl Refusal {
    fn new(errno: i32, words: &[u8]) -> Self {
        // What the kernel says is text, but nobody vouches for it.
        let words = String::from_utf8_lossy(words).chars().filter(|c| !c.is_control()).collect();
        Self { errno, words }
    }

    /// The error of whoever wanted something of a table.
    pub(super) fn into_table_error(self) -> TableError {
        match self.errno {
            netlink::EPERM | netlink::EACCES => TableError::NotPermitted(NEEDS_CAPABILITY.to_owned()),
            _ => TableError::Other(self.to_string()),
        }
    }
}

/// What an operator has to do about EPERM.
const NEEDS_CAPABILITY: &str = "changing nftables takes the capability CAP_NET_ADMIN in the network namespace: run it as \
     root, or give it that capability";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = io::Error::from_raw_os_error(self.errno);
        if self.words.is_empty() {
            return write!(f, "the kernel says: {error}");
        }
        write!(f, "the kernel says: {}: {error}", self.words)
    }
}

impl Failure {
    /// The error of whoever wanted something of a table.
    pub(super) fn into_table_error(self) -> TableError {
        match self {
            Self::Refused(refusal) => refusal.into_table_error(),
            Self::Interrupted => {
                TableError::Other("it changes faster than it can be read: who else writes it?".to_owned())
            }
            Self::Io(error) => match error.raw_os_error() {
                Some(netlink::EPERM | netlink::EACCES) => {
                    TableError::NotPermitted(NEEDS_CAPABILITY.to_owned())
                }
                Some(netlink::EPROTONOSUPPORT | netlink::EAFNOSUPPORT) => TableError::Absent(
                    "this kernel has no netlink of netfilter (CONFIG_NETFILTER_NETLINK; modprobe nfnetlink)"
                        .to_owned(),
                ),
                Some(netlink::EMSGSIZE) => TableError::Other(
                    "the kernel does not take so much at once: raise net.core.wmem_max, or give the capability \
                     CAP_NET_ADMIN in the first user namespace"
                        .to_owned(),
                ),
                Some(_) | None => TableError::Other(format!("netlink: {error}")),
            },
            Self::Malformed(Malformed(what)) => {
                TableError::Other(format!("netlink: the kernel's answer is not understood: {what}"))
            }
        }
    }
}
