//! What was read of sets, for as long as it is sure to be so still.
//!
//! The kernel takes its time to tell a large set, and a generation's number none. All that is remembered is of
//! one generation: when the kernel is at another, nothing is. It stays what it was with a transaction of our own,
//! of which the kernel tells that it has made the next one of that very generation; what was written is then
//! remembered as written. After anything else that was meant to change something nothing is known.
//!
//! What changes without a transaction is never remembered: see [`Description::is_steady`](super::set::Description::is_steady), and tables that belong
//! to a process.

use std::collections::HashMap;
use std::net::IpAddr;

use super::batch::is_settled;
use super::exchange::Exchange;
use super::found::{self, Edges, Singles};
use super::intervals::Joining;
use super::kernel;
use super::name::Name;
use super::set::{Shape, Version};
use crate::dataplane::TableError;

/// A set's shape, and what it holds.
#[derive(Debug)]
pub(super) enum Known {
    /// Single addresses.
    Singles(Version, Singles),
    /// Intervals.
    Intervals(Version, Joining, Edges),
    /// Where slots lead.
    Slots(Version, Vec<Option<IpAddr>>),
}

/// What a set was found to be.
#[derive(Debug)]
pub(super) struct Found {
    table: Box<str>,
    /// That.
    pub known: Known,
    /// Whether it stays so until someone makes another generation; then nothing of it expires.
    pub is_steady: bool,
}

/// What is known of sets, by the names of tables.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The kernel has none of number 0.
    generation: u32,
    sets: HashMap<Box<str>, Known>,
    /// Something was read or written since the generation was known for sure.
    is_in_doubt: bool,
}

impl Remembered {
    /// This is the generation now. What was known of another is forgotten.
    pub(super) fn is_at(&mut self, generation: u32) {
        if self.generation != generation || self.is_in_doubt {
            self.forget();
            self.generation = generation;
        }
    }

    /// The generation that is remembered of all of these tables, if it is.
    pub(super) fn generation_of<'a>(&self, tables: impl IntoIterator<Item = &'a str>) -> Option<u32> {
        let is_known = !self.is_in_doubt && tables.into_iter().all(|table| self.sets.contains_key(table));
        is_known.then_some(self.generation)
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.sets.clear();
        self.is_in_doubt = false;
    }

    /// What is known of a set, to be [kept](Self::keep) again.
    pub(super) fn take(&mut self, table: &str) -> Option<Found> {
        let (table, known) = self.sets.remove_entry(table)?;
        Some(Found { table, known, is_steady: true })
    }

    /// Reads a set of which nothing is known, to be [kept](Self::keep).
    pub(super) fn read(
        &mut self,
        exchange: &mut Exchange,
        table: &str,
        slots: u32,
    ) -> Result<Found, TableError> {
        let name = Name::parse(table)?;
        // Before all else, so that nothing is told of the generation before.
        let is_settled = is_settled(exchange, self.generation);
        let description = kernel::describe(exchange, name)?;
        let is_steady = is_settled && description.is_steady() && !kernel::is_owned(exchange, name)?;
        let known = match description.shape(slots).map_err(TableError::Other)? {
            Shape::Single { version, .. } => {
                Known::Singles(version, found::singles(exchange, name, version)?)
            }
            Shape::Intervals { version, joining } => {
                Known::Intervals(version, joining, Edges::read(exchange, name, version)?)
            }
            Shape::Slots(version) => Known::Slots(version, found::slots(exchange, name, version, slots)?),
        };
        let is_steady = is_steady && known.is_steady();
        self.is_in_doubt |= is_steady;
        Ok(Found { table: table.into(), known, is_steady })
    }

    /// Keeps what was found, unless it may change by itself.
    pub(super) fn keep(&mut self, found: Found) {
        if found.is_steady {
            self.sets.insert(found.table, found.known);
        }
    }

    /// Keeps what is found once that comes about which is being written.
    pub(super) fn keep_as_written(&mut self, found: Found) {
        self.is_in_doubt = true;
        self.keep(found);
    }

    /// Whether all that was read is of the generation that it was read for, and nothing else was done. If not, it
    /// is forgotten.
    pub(super) fn settle(&mut self, exchange: &mut Exchange) -> bool {
        if !self.is_in_doubt {
            return true;
        }
        let is_settled = is_settled(exchange, self.generation);
        if is_settled {
            self.is_in_doubt = false;
        } else {
            self.forget();
        }
        is_settled
    }

    /// Whether this is so, and not what a table looks like for a moment while others put another in its place.
    pub(super) fn is_sure(&self, exchange: &mut Exchange, error: &TableError) -> bool {
        *error != TableError::NoTable || is_settled(exchange, self.generation)
    }

    /// All that was to be written for the generation is, and this is the one that it has made, where that is known.
    pub(super) fn is_written(&mut self, made: Option<u32>) {
        match made {
            Some(made) => {
                self.generation = made;
                self.is_in_doubt = false;
            }
            None => self.forget(),
        }
    }
}

impl Known {
    fn is_steady(&self) -> bool {
        match self {
            Self::Singles(..) | Self::Slots(..) => true,
            Self::Intervals(_, _, edges) => edges.are_steady(),
        }
    }
}

#[cfg(test)]
mod tests;
