//! What the kernel knows of sets.

use super::element::{Element, LIST};
use super::exchange::{Amount, Exchange, Failure};
use super::message::{Attributes, Malformed, Meaning, Message, Writer, number};
use super::name::Name;
use super::set::Description;
use crate::dataplane::TableError;
use crate::sys::netlink;

/// NFNL_SUBSYS_NFTABLES of linux/netfilter/nfnetlink.h.
const NFTABLES: u16 = 10 << 8;
/// NFT_MSG_GETTABLE, NFT_MSG_GETSET, NFT_MSG_GETSETELEM, NFT_MSG_NEWGEN and NFT_MSG_GETGEN of linux/netfilter/nf_tables.h.
const GET_TABLE: u16 = NFTABLES | 1;
const GET_SET: u16 = NFTABLES | 10;
const GET_ELEMENTS: u16 = NFTABLES | 13;
const NEW_GENERATION: u16 = NFTABLES | 15;
const GET_GENERATION: u16 = NFTABLES | 16;
/// NFTA_SET_TABLE and NFTA_SET_NAME, NFTA_SET_ELEM_LIST_TABLE and NFTA_SET_ELEM_LIST_SET.
const TABLE: u16 = 1;
const SET: u16 = 2;
/// NFTA_TABLE_FLAGS, and NFT_TABLE_F_OWNER of it.
const TABLE_FLAGS: u16 = 2;
const OWNED: u32 = 0x2;
/// NFTA_GEN_ID.
const GENERATION: u16 = 1;

/// How often something is read again that changed while it was being read.
const READS_MAX: usize = 8;

/// The generation of all rules and sets: another number after each transaction of anybody.
pub(super) fn generation(exchange: &mut Exchange) -> Result<u32, TableError> {
    let mut generation = None;
    let asked = exchange.ask(
        GET_GENERATION,
        0,
        Amount::One,
        |_| {},
        |message| {
            generation = Some(generation_of(message)?);
            Ok(())
        },
    );
    match asked {
        // The question is too simple for anything in it to be wrong.
        Err(Failure::Refused(refusal)) if refusal.errno == netlink::EINVAL => Err(TableError::Absent(
            "this kernel has no nf_tables (CONFIG_NF_TABLES; modprobe nf_tables)".to_owned(),
        )),
        asked => {
            asked.map_err(Failure::into_table_error)?;
            let missing = Failure::Malformed(Malformed("no generation"));
            generation.ok_or_else(|| missing.into_table_error())
        }
    }
}

/// The generation that a transaction has made, where a message tells of it.
pub(super) fn new_generation(message: &Message<'_>) -> Result<Option<u32>, Malformed> {
    (message.kind == NEW_GENERATION).then(|| generation_of(message)).transpose()
}

fn generation_of(message: &Message<'_>) -> Result<u32, Malformed> {
    number(attributes(message)?.find(GENERATION)?.ok_or(Malformed("a generation without its number"))?)
}

/// Whether a table belongs to a process: then it goes with that, and the generation stays what it was.
pub(super) fn is_owned(exchange: &mut Exchange, name: Name<'_>) -> Result<bool, TableError> {
    let mut flags = None;
    let question = |writer: &mut Writer| writer.text(TABLE, name.table);
    let asked = exchange.ask(GET_TABLE, name.family.number(), Amount::One, question, |message| {
        flags = attributes(message)?.find(TABLE_FLAGS)?.map(number).transpose()?;
        Ok(())
    });
    asked.map_err(of_table)?;
    Ok(flags.is_none_or(|flags| flags & OWNED != 0))
}

/// What a set is like.
pub(super) fn describe(exchange: &mut Exchange, name: Name<'_>) -> Result<Description, TableError> {
    let mut found = None;
    let question = |writer: &mut Writer| {
        writer.text(TABLE, name.table);
        writer.text(SET, name.set);
    };
    let asked = exchange.ask(GET_SET, name.family.number(), Amount::One, question, |message| {
        found = Some(Description::read(attributes(message)?)?);
        Ok(())
    });
    asked.map_err(of_table)?;
    found.ok_or(TableError::NoTable)
}

/// Everything in a set, each element by `gather`, and all of them by `whole`, which says `None` when some were told
/// twice. The kernel tells a large set in parts, each by how many came before it; when it puts a hash into another
/// order meanwhile, as it does some time after a large change, what is told twice stands for others that are not told.
pub(super) fn elements<T, W>(
    exchange: &mut Exchange,
    name: Name<'_>,
    gather: impl Fn(&Element<'_>) -> Result<T, Malformed>,
    whole: impl Fn(Vec<T>) -> Option<W>,
) -> Result<W, TableError> {
    let mut tries = 1;
    loop {
        let mut gathered = Vec::new();
        let question = |writer: &mut Writer| {
            writer.text(TABLE, name.table);
            writer.text(SET, name.set);
        };
        let asked = exchange.ask(GET_ELEMENTS, name.family.number(), Amount::All, question, |message| {
            let Some(list) = attributes(message)?.find(LIST)? else { return Ok(()) };
            for element in Element::all(Attributes(list)) {
                gathered.push(gather(&element?)?);
            }
            Ok(())
        });
        match asked.and_then(|()| whole(gathered).ok_or(Failure::Interrupted)) {
            Ok(whole) => return Ok(whole),
            Err(Failure::Interrupted) if tries < READS_MAX => tries += 1,
            Err(failure) => return Err(of_table(failure)),
        }
    }
}

fn attributes<'a>(message: &Message<'a>) -> Result<Attributes<'a>, Malformed> {
    match message.meaning()? {
        Meaning::Content { attributes, .. } => Ok(attributes),
        Meaning::Done | Meaning::Failed { .. } => Ok(Attributes::default()),
    }
}

fn of_table(failure: Failure) -> TableError {
    if let Failure::Refused(refusal) = &failure
        && refusal.errno == netlink::ENOENT
    {
        return TableError::NoTable;
    }
    failure.into_table_error()
}
