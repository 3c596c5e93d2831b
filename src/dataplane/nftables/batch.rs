//! One transaction: all of it comes about at the same moment, or nothing does.

use super::element::{LIST, Written};
use super::exchange::{Exchange, Failure, Refusal};
use super::kernel;
use super::message::{CREATE, ECHO, Header, Writer};
use super::name::Name;

/// NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END of linux/netfilter/nfnetlink.h.
const BEGIN: u16 = 0x10;
const END: u16 = 0x11;
/// NFNL_BATCH_GENID: the generation of the rules that it is meant for.
const GENERATION: u16 = 1;
/// NFNL_SUBSYS_NFTABLES, which a batch says in its begin and end.
const NFTABLES: u16 = 10;
/// NFT_MSG_NEWSETELEM and NFT_MSG_DELSETELEM of linux/netfilter/nf_tables.h.
const NEW_ELEMENTS: u16 = NFTABLES << 8 | 12;
const DELETE_ELEMENTS: u16 = NFTABLES << 8 | 14;
/// NFTA_SET_ELEM_LIST_TABLE and NFTA_SET_ELEM_LIST_SET.
const TABLE: u16 = 1;
const SET: u16 = 2;

/// Bytes of a list after which another is begun. An attribute holds 64 KiB less a header, and an element that the
/// kernel has told us of, with all that is said of it, was never more than 32 KiB.
const LIST_BYTES: usize = 30_000;

/// What is done with elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// They come; those that are in already stay as they are.
    Put,
    /// They leave; when one of them is not in, the whole batch fails.
    Take,
}

/// What a batch is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The generation in which the sets were looked at.
    ForGeneration,
    /// Any, unless it may not be.
    ForAny,
}

/// What has come of a batch.
#[derive(Debug)]
pub(super) enum Sent {
    /// All of it is done.
    Done {
        /// The generation that it has made of its own, where the kernel tells it: none of those that change nothing,
        /// nor of those that were meant for any.
        made: Option<u32>,
    },
    /// Nothing is done: what was refused, and for whom it was, where it was not the batch as such.
    Refused(Vec<(Option<usize>, Refusal)>),
}

/// Messages, and for whom each one is.
#[derive(Debug)]
pub(super) struct Batch {
    writer: Writer,
    begin: u32,
    generation: u32,
    /// Whether it may be done in this generation alone, and not even at a pinch in another.
    needs_generation: bool,
    /// A message that does nothing, and goes first: what the kernel tells of a whole transaction it tells whoever
    /// has the first message say so, along with what that has done.
    first: Writer,
    first_number: u32,
    /// For each message its number, where it begins, and for whom it is.
    messages: Vec<(u32, usize, usize)>,
}

impl Batch {
    /// One that is done only if nobody has changed any rule or set since this generation.
    pub(super) fn new(exchange: &mut Exchange, generation: u32) -> Self {
        let begin = exchange.next_sequence();
        let (writer, first) = (Writer::default(), Writer::default());
        Self {
            writer,
            begin,
            generation,
            needs_generation: false,
            first,
            first_number: begin,
            messages: Vec::new(),
        }
    }

    /// Has it done in its generation or not at all.
    pub(super) fn need_generation(&mut self) {
        self.needs_generation = true;
    }

    /// Adds messages for `owner`.
    pub(super) fn add<'a>(
        &mut self,
        exchange: &mut Exchange,
        owner: usize,
        act: Act,
        name: Name<'_>,
        elements: impl IntoIterator<Item = Written<'a>>,
    ) {
        let (kind, flags) = match act {
            Act::Put => (NEW_ELEMENTS, CREATE),
            Act::Take => (DELETE_ELEMENTS, 0),
        };
        let mut elements = elements.into_iter().peekable();
        if self.messages.is_empty() && elements.peek().is_some() {
            let sequence = exchange.next_sequence();
            let family = name.family.number();
            let header = Header { kind: NEW_ELEMENTS, flags: CREATE | ECHO, sequence, family, resource: 0 };
            self.first_number = sequence;
            self.first.message(header, |writer| {
                writer.text(TABLE, name.table);
                writer.text(SET, name.set);
                writer.nested(LIST, |_| {});
            });
        }
        while elements.peek().is_some() {
            let sequence = exchange.next_sequence();
            let begin = self.writer.bytes().len();
            self.messages.push((sequence, begin, owner));
            let header = Header { kind, flags, sequence, family: name.family.number(), resource: 0 };
            self.writer.message(header, |writer| {
                writer.text(TABLE, name.table);
                writer.text(SET, name.set);
                writer.nested(LIST, |writer| {
                    for place in 1.. {
                        let is_full = writer.bytes().len() - begin > LIST_BYTES;
                        let Some(element) = elements.next_if(|_| !is_full) else { break };
                        element.write(place, writer);
                    }
                });
            });
        }
    }

    /// Messages so far.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Has it done.
    pub(super) fn send(mut self, exchange: &mut Exchange, meant: Meant) -> Result<Sent, Failure> {
        let Some((last, last_begins, _)) = self.messages.last().copied() else {
            return Ok(Sent::Done { made: None });
        };
        self.writer.want_answer(last_begins);
        let mut batch = self.head(meant);
        batch.raw(self.writer.bytes());
        self.end(exchange, &mut batch);
        let mut made = None;
        let refused = exchange.tell(batch.bytes(), self.begin, last, |message| {
            made = made.or(kernel::new_generation(message)?);
            Ok(())
        })?;
        if refused.is_empty() {
            return Ok(Sent::Done { made });
        }
        let owner = |sequence: u32| {
            // What is wrong with the one that does nothing is wrong with the one behind it.
            let is_first = sequence == self.first_number;
            let of = self.messages.iter().find(|(of, ..)| is_first || *of == sequence)?;
            Some(of.2)
        };
        let of_whom = |(sequence, refusal)| (owner(sequence), refusal);
        Ok(Sent::Refused(refused.into_iter().map(of_whom).collect()))
    }

    fn head(&self, meant: Meant) -> Writer {
        let is_for_any = match meant {
            Meant::ForAny => !self.needs_generation,
            Meant::ForGeneration => false,
        };
        let mut head = Writer::default();
        let header = Header { kind: BEGIN, flags: 0, sequence: self.begin, family: 0, resource: NFTABLES };
        head.message(header, |writer| {
            if !is_for_any {
                writer.number(GENERATION, self.generation);
            }
        });
        // Which generation follows one that nobody knows says nothing.
        if !is_for_any {
            head.raw(self.first.bytes());
        }
        head
    }

    fn end(&self, exchange: &mut Exchange, batch: &mut Writer) {
        let sequence = exchange.next_sequence();
        let header = Header { kind: END, flags: 0, sequence, family: 0, resource: NFTABLES };
        batch.message(header, |_| {});
    }
}

/// Whether this is the generation, with nobody about to make another. The kernel shows the number of a new one a
/// moment before what is in it; but it begins a transaction, such as this one of nothing, when all others are over.
/// Where that cannot be asked it is not known, and whatever is asked next says what is wrong.
pub(super) fn is_settled(exchange: &mut Exchange, generation: u32) -> bool {
    let nothing = Batch::new(exchange, generation);
    let mut batch = nothing.head(Meant::ForGeneration);
    nothing.end(exchange, &mut batch);
    matches!(exchange.offer(batch.bytes(), nothing.begin), Ok(None))
}

#[cfg(test)]
mod tests;
