//! The messages of nfnetlink, as bytes: a writer, and a reader that trusts nothing.
//!
//! A message is a header, a smaller header with a family, and attributes, which may hold attributes. Each
//! begins with its length and is filled up to a multiple of four bytes. Everything in headers is in this
//! machine's order of bytes, and numbers in attributes are in that of the network.

/// NLM_F_REQUEST of linux/netlink.h: every message of ours is one.
pub(super) const REQUEST: u16 = 0x1;
/// NLM_F_ACK: the kernel says that it has done what is asked for.
pub(super) const ACK: u16 = 0x4;
/// NLM_F_ECHO: the kernel tells whoever has something changed what it tells all who listen.
pub(super) const ECHO: u16 = 0x8;
/// NLM_F_DUMP: everything there is.
pub(super) const DUMP: u16 = 0x300;
/// NLM_F_CREATE.
pub(super) const CREATE: u16 = 0x400;
/// NLM_F_DUMP_INTR: what is told has changed meanwhile, and may hold together or not.
const INTERRUPTED: u16 = 0x10;
/// NLM_F_CAPPED: an error does not repeat all of the message that it is about.
const CAPPED: u16 = 0x100;
/// NLM_F_ACK_TLVS: an error ends in attributes.
const ERROR_HAS_WORDS: u16 = 0x200;

/// NLMSG_ERROR: an error, or that something is done.
const ERROR: u16 = 2;
/// NLMSG_DONE: the end of everything there is.
const DONE: u16 = 3;
/// NLMSGERR_ATTR_MSG: what the kernel says of an error.
const ERROR_WORDS: u16 = 1;

/// NLA_F_NESTED: an attribute holds attributes.
const NESTED: u16 = 0x8000;
/// What of an attribute's kind is its kind: NLA_TYPE_MASK.
const KIND_MASK: u16 = 0x3fff;

/// Bytes of a message's header, struct nlmsghdr.
const HEADER_BYTES: usize = 16;
/// Bytes of the smaller one, struct nfgenmsg.
const FAMILY_HEADER_BYTES: usize = 4;
/// Bytes of an attribute's header, struct nlattr.
pub(super) const ATTRIBUTE_HEADER_BYTES: usize = 4;
const ALIGNED_TO: usize = 4;

/// Something is not what it should be; what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub &'static str);

/// A message's two headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The part of netfilter in the upper byte, and what it is to do.
    pub kind: u16,
    /// [`REQUEST`] goes without saying.
    pub flags: u16,
    /// What answers repeat.
    pub sequence: u32,
    /// NFPROTO_IPV4 and the like, 0 for none.
    pub family: u8,
    /// What means something in a few kinds alone.
    pub resource: u16,
}

/// Writes messages one after the other.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A message, the attributes of which `content` writes.
    ///
    /// # Panics
    /// When it is of more than 4 GiB.
    pub(super) fn message(&mut self, header: Header, content: impl FnOnce(&mut Self)) {
        let begin = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.bytes.extend(header.kind.to_ne_bytes());
        self.bytes.extend((header.flags | REQUEST).to_ne_bytes());
        self.bytes.extend(header.sequence.to_ne_bytes());
        // Which socket it comes from, the kernel knows by itself.
        self.bytes.extend([0; 4]);
        self.bytes.extend([header.family, 0]);
        self.bytes.extend(header.resource.to_be_bytes());
        content(self);
        let length = u32::try_from(self.bytes.len() - begin).expect("no message is of 4 GiB");
        self.bytes[begin..begin + 4].copy_from_slice(&length.to_ne_bytes());
    }

    /// An attribute.
    ///
    /// # Panics
    /// When it is of more than 65,531 bytes: whoever has so much to say splits it.
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let begin = self.begin(kind);
        self.bytes.extend(value);
        self.end(begin);
    }

    /// An attribute with a number.
    pub(super) fn number(&mut self, kind: u16, number: u32) {
        self.attribute(kind, &number.to_be_bytes());
    }

    /// An attribute with a text.
    ///
    /// # Panics
    /// As [`attribute`](Self::attribute).
    pub(super) fn text(&mut self, kind: u16, text: &str) {
        let begin = self.begin(kind);
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
        self.end(begin);
    }

    /// An attribute that holds those that `content` writes.
    ///
    /// # Panics
    /// As [`attribute`](Self::attribute).
    pub(super) fn nested(&mut self, kind: u16, content: impl FnOnce(&mut Self)) {
        let begin = self.begin(kind | NESTED);
        content(self);
        self.end(begin);
    }

    /// Attributes, as they were read.
    pub(super) fn raw(&mut self, attributes: &[u8]) {
        self.bytes.extend(attributes);
    }

    /// Everything that was written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Has the kernel answer the message that begins at this byte.
    pub(super) fn want_answer(&mut self, begin: usize) {
        const FLAGS_AT: usize = 6;
        let flags = &mut self.bytes[begin + FLAGS_AT..][..2];
        let wanted = u16::from_ne_bytes([flags[0], flags[1]]) | ACK;
        flags.copy_from_slice(&wanted.to_ne_bytes());
    }

    /// So that the same memory can be written anew.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    fn begin(&mut self, kind: u16) -> usize {
        let begin = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        begin
    }

    fn end(&mut self, begin: usize) {
        let length = u16::try_from(self.bytes.len() - begin).expect("attributes are split before 64 KiB");
        self.bytes[begin..begin + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNED_TO), 0);
    }
}

/// A message that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// The part of netfilter in the upper byte, and what it tells.
    pub kind: u16,
    flags: u16,
    /// That of the message that it answers.
    pub sequence: u32,
    /// The socket that it goes back to, or whose doing is told.
    pub port: u32,
    body: &'a [u8],
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// Something of netfilter's.
    Content {
        /// NFPROTO_IPV4 and the like, 0 for none.
        family: u8,
        /// Everything else.
        attributes: Attributes<'a>,
    },
    /// It is done, or everything there is has been told.
    Done,
    /// It failed.
    Failed {
        /// Why; above 0.
        errno: i32,
        /// What the kernel says beyond that; not always text, and empty mostly.
        words: &'a [u8],
    },
}

impl<'a> Message<'a> {
    /// Whether what it belongs to was changed while it was being told.
    pub(super) fn is_interrupted(&self) -> bool {
        self.flags & INTERRUPTED != 0
    }

    /// What it is.
    ///
    /// # Errors
    /// When it is too short for that.
    pub(super) fn meaning(&self) -> Result<Meaning<'a>, Malformed> {
        match self.kind {
            ERROR | DONE => {
                let errno = self.body.first_chunk().ok_or(Malformed("an end without its cause"))?;
                match i32::from_ne_bytes(*errno).checked_neg() {
                    // A dump may end with a number of its own choice that is no error.
                    Some(errno) if errno > 0 => Ok(Meaning::Failed { errno, words: self.error_words() }),
                    Some(_) | None => Ok(Meaning::Done),
                }
            }
            _ => {
                let short = Malformed("a message without its family");
                let (header, rest) = self.body.split_first_chunk::<FAMILY_HEADER_BYTES>().ok_or(short)?;
                Ok(Meaning::Content { family: header[0], attributes: Attributes(rest) })
            }
        }
    }

    /// What the kernel says of an error, behind its number and what it repeats of the message.
    fn error_words(&self) -> &'a [u8] {
        let repeated = match self.body.get(4..) {
            Some(_) if self.kind == DONE => 0,
            Some(_) if self.flags & CAPPED != 0 => HEADER_BYTES,
            Some([a, b, c, d, ..]) => u32::from_ne_bytes([*a, *b, *c, *d]) as usize,
            Some(_) | None => return &[],
        };
        let attributes = repeated.checked_next_multiple_of(ALIGNED_TO).and_then(|past| past.checked_add(4));
        let Some(rest) = attributes.and_then(|at| self.body.get(at..)) else { return &[] };
        if self.flags & ERROR_HAS_WORDS == 0 {
            return &[];
        }
        let mut words = Attributes(rest).map_while(Result::ok).filter(|(kind, _)| *kind == ERROR_WORDS);
        words.next().map_or(&[], |(_, words)| without_end(words))
    }
}

/// The messages of one datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Some(Err(Malformed("a message cut off in its header")));
        };
        let number =
            |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = number(0) as usize;
        let Some(body) = bytes.get(HEADER_BYTES..length) else {
            return Some(Err(Malformed("a message of a length that is wrong")));
        };
        self.0 = bytes.get(length.next_multiple_of(ALIGNED_TO)..).unwrap_or_default();
        Some(Ok(Message {
            kind: u16::from_ne_bytes([header[4], header[5]]),
            flags: u16::from_ne_bytes([header[6], header[7]]),
            sequence: number(8),
            port: number(12),
            body,
        }))
    }
}

/// Attributes one after the other: each one's kind and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes<'a>(pub &'a [u8]);

impl<'a> Attributes<'a> {
    /// The first of a kind.
    ///
    /// # Errors
    /// When one of those before it is cut off.
    pub(super) fn find(self, kind: u16) -> Result<Option<&'a [u8]>, Malformed> {
        for attribute in self {
            let (of, value) = attribute?;
            if of == kind {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// All that are of none of these kinds, to be written again as they are; empty when one is cut off.
    pub(super) fn without(self, kinds: &[u16]) -> Vec<u8> {
        let mut kept = Vec::new();
        let mut at = self;
        loop {
            let before = at.0;
            match at.next() {
                None => return kept,
                Some(Err(_)) => return Vec::new(),
                Some(Ok((kind, _))) if kinds.contains(&kind) => {}
                Some(Ok(_)) => {
                    kept.extend(&before[..before.len() - at.0.len()]);
                    // Where the last one is not filled up.
                    kept.resize(kept.len().next_multiple_of(ALIGNED_TO), 0);
                }
            }
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let Some([a, b, c, d]) = bytes.first_chunk::<ATTRIBUTE_HEADER_BYTES>() else {
            return Some(Err(Malformed("an attribute cut off in its header")));
        };
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        let Some(value) = bytes.get(ATTRIBUTE_HEADER_BYTES..length) else {
            return Some(Err(Malformed("an attribute of a length that is wrong")));
        };
        self.0 = bytes.get(length.next_multiple_of(ALIGNED_TO)..).unwrap_or_default();
        Some(Ok((u16::from_ne_bytes([*c, *d]) & KIND_MASK, value)))
    }
}

/// An attribute's number.
///
/// # Errors
/// When it is of another length.
pub(super) fn number(value: &[u8]) -> Result<u32, Malformed> {
    let bytes: [u8; 4] = value.try_into().map_err(|_| Malformed("a number that is not of four bytes"))?;
    Ok(u32::from_be_bytes(bytes))
}

/// An attribute's text, without the NUL at its end.
///
/// # Errors
/// When it is none.
pub(super) fn text(value: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(without_end(value)).map_err(|_| Malformed("a text that is none"))
}

fn without_end(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
