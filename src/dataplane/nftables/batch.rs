//! One transaction: all of it comes about at the same moment, or nothing does.

use super::element::{LIST, Written};
use super::exchange::{Exchange, Failure, Refusal};
use super::message::{CREATE, Header, Writer};
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

/// Messages, and for whom each one is.
#[derive(Debug)]
pub(super) struct Batch {
    writer: Writer,
    begin: u32,
    generation: u32,
    /// Whether it may be done in this generation alone, and not even at a pinch in another.
    needs_generation: bool,
    /// For each message its number, where it begins, and for whom it is.
    messages: Vec<(u32, usize, usize)>,
}

impl Batch {
    /// One that is done only if nobody has changed any rule or set since this generation.
    pub(super) fn new(exchange: &mut Exchange, generation: u32) -> Self {
        let begin = exchange.next_sequence();
        Self { writer: Writer::default(), begin, generation, needs_generation: false, messages: Vec::new() }
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

    /// Has it done; what was refused, and for whom it was, where it was not the batch as such. With anything
    /// refused nothing at all is done.
    pub(super) fn send(
        mut self,
        exchange: &mut Exchange,
        meant: Meant,
    ) -> Result<Vec<(Option<usize>, Refusal)>, Failure> {
        let Some((last, last_begins, _)) = self.messages.last().copied() else { return Ok(Vec::new()) };
        self.writer.want_answer(last_begins);
        let mut batch = self.head(meant);
        batch.raw(self.writer.bytes());
        self.end(exchange, &mut batch);
        let refused = exchange.tell(batch.bytes(), self.begin, last)?;
        let owner = |sequence: u32| {
            let place = self.messages.iter().position(|(of, ..)| *of == sequence)?;
            Some(self.messages[place].2)
        };
        Ok(refused.into_iter().map(|(sequence, refusal)| (owner(sequence), refusal)).collect())
    }

    fn head(&self, meant: Meant) -> Writer {
        let mut head = Writer::default();
        let header = Header { kind: BEGIN, flags: 0, sequence: self.begin, family: 0, resource: NFTABLES };
        head.message(header, |writer| match meant {
            Meant::ForAny if !self.needs_generation => {}
            Meant::ForAny | Meant::ForGeneration => writer.number(GENERATION, self.generation),
        });
        head
    }

    fn end(&self, exchange: &mut Exchange, batch: &mut Writer) {
        let sequence = exchange.next_sequence();
        let header = Header { kind: END, flags: 0, sequence, family: 0, resource: NFTABLES };
        batch.message(header, |_| {});
    }
}

#[cfg(test)]
mod tests;
