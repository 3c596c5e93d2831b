//! Making changes: all of them in one transaction, as far as that is possible, and anew when others were faster.

use super::Nftables;
use super::batch::{Batch, Meant, Sent};
use super::change::Writing;
use super::exchange::{Failure, Refusal};
use super::kernel;
use crate::dataplane::{Change, TableError};
use crate::sys::netlink;

/// How often a transaction is made anew because of what others did at the same time, each time within well under a
/// millisecond.
pub(super) const TRIES_TOGETHER: usize = 6;
/// How often after that, each table by itself: its own look and write take less time than those of all.
const TRIES_ALONE: usize = 6;

impl Nftables {
    /// Makes changes, in one transaction as far as that is possible.
    pub(super) fn write(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        if let Some(results) = self.write_as_remembered(changes) {
            return results;
        }
        let mut outcomes = outcomes_of(changes);
        for _ in 0..TRIES_TOGETHER {
            let waiting = waiting(&outcomes);
            match self.try_to_write(changes, &mut outcomes, &waiting, Meant::ForGeneration) {
                Err(Failure::Io(error))
                    if error.raw_os_error() == Some(netlink::EMSGSIZE) && changes.len() > 1 =>
                {
                    let (one, other) = changes.split_at(changes.len() / 2);
                    let mut results = self.write(one);
                    results.extend(self.write(other));
                    return results;
                }
                tried => note(tried, &mut outcomes, &waiting),
            }
        }
        for owner in waiting(&outcomes) {
            for _ in 0..TRIES_ALONE {
                let tried = self.try_to_write(changes, &mut outcomes, &[owner], Meant::ForAny);
                note(tried, &mut outcomes, &[owner]);
            }
        }
        outcomes.into_iter().map(Outcome::result).collect()
    }

    /// Makes changes to sets that are all remembered, without asking whether they are still as they were: the kernel
    /// refuses it if they are not, and then nothing of this counts.
    fn write_as_remembered(&mut self, changes: &[Change<'_>]) -> Option<Vec<Result<(), TableError>>> {
        let generation = self.remembered.generation_of(changes.iter().map(|change| change.table.name))?;
        let (mut outcomes, owners) = (outcomes_of(changes), Vec::from_iter(0..changes.len()));
        match self.write_at(generation, changes, &mut outcomes, &owners, Meant::ForGeneration) {
            Ok(Came::About) if waiting(&outcomes).is_empty() => {
                Some(outcomes.into_iter().map(Outcome::result).collect())
            }
            Ok(Came::About | Came::ToNothing) | Err(_) => None,
        }
    }

    /// Makes those of the changes `owners` of which nothing has come yet.
    fn try_to_write(
        &mut self,
        changes: &[Change<'_>],
        outcomes: &mut [Outcome],
        owners: &[usize],
        meant: Meant,
    ) -> Result<(), Failure> {
        let owners = owners.iter().copied().filter(|owner| outcomes[*owner].done.is_none());
        let owners: Vec<usize> = owners.collect();
        if owners.is_empty() {
            return Ok(());
        }
        let generation = match kernel::generation(&mut self.exchange) {
            Ok(generation) => generation,
            Err(error) => {
                owners.iter().for_each(|owner| outcomes[*owner].fails(&error));
                return Ok(());
            }
        };
        self.remembered.is_at(generation);
        self.write_at(generation, changes, outcomes, &owners, meant).map(drop)
    }

    /// Makes changes to sets as they are in this generation; with each error it is for its own table.
    fn write_at(
        &mut self,
        generation: u32,
        changes: &[Change<'_>],
        outcomes: &mut [Outcome],
        owners: &[usize],
        meant: Meant,
    ) -> Result<Came, Failure> {
        let mut batch = Batch::new(&mut self.exchange, generation);
        let mut written = Vec::new();
        for &owner in owners {
            let outcome = &mut outcomes[owner];
            let messages = batch.len();
            let mut writing = Writing {
                exchange: &mut self.exchange,
                batch: &mut batch,
                arrangements: &mut self.arrangements,
                remembered: &mut self.remembered,
                slots: self.slots,
                owner,
                reads_first: outcome.reads_first,
            };
            match writing.change(&changes[owner]) {
                Err(error) if !self.remembered.is_sure(&mut self.exchange, &error) => {}
                Err(error) => outcome.fails(&error),
                Ok(left) if batch.len() == messages => outcome.done = Some(left.map_or(Ok(()), Err)),
                Ok(left) => written.push((owner, left)),
            }
        }
        if batch.len() == 0 {
            self.remembered.settle(&mut self.exchange);
            return Ok(Came::ToNothing);
        }
        let refused = match batch.send(&mut self.exchange, meant) {
            Ok(Sent::Done { made }) => {
                self.remembered.is_written(made);
                for (owner, left) in written {
                    outcomes[owner].done = Some(left.map_or(Ok(()), Err));
                }
                return Ok(Came::About);
            }
            Ok(Sent::Refused(refused)) => refused,
            Err(failure) => {
                self.remembered.forget();
                return Err(failure);
            }
        };
        self.remembered.forget();
        for (owner, refusal) in refused {
            match owner {
                Some(owner) => outcomes[owner].refused(refusal),
                // Someone has changed something since: that is why each try begins anew.
                None if refusal.errno == netlink::ERESTART => {}
                None => return Err(Failure::Refused(refusal)),
            }
        }
        Ok(Came::ToNothing)
    }
}

/// What came of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// The kernel has made it.
    About,
    /// It has refused it, or there was none to be made.
    ToNothing,
}

fn outcomes_of(changes: &[Change<'_>]) -> Vec<Outcome> {
    changes.iter().map(|_| Outcome::default()).collect()
}

/// Those changes of which nothing has come yet.
fn waiting(outcomes: &[Outcome]) -> Vec<usize> {
    (0..outcomes.len()).filter(|owner| outcomes[*owner].done.is_none()).collect()
}

/// What all changes of a try have failed for.
fn note(tried: Result<(), Failure>, outcomes: &mut [Outcome], owners: &[usize]) {
    if let Err(failure) = tried {
        let error = failure.into_table_error();
        owners.iter().for_each(|owner| outcomes[*owner].fails(&error));
    }
}

/// What has come of a change so far.
#[derive(Debug, Default)]
struct Outcome {
    done: Option<Result<(), TableError>>,
    /// It was refused for what the set held, which has to be known for the next try.
    reads_first: bool,
    refused: Option<Refusal>,
}

impl Outcome {
    fn fails(&mut self, error: &TableError) {
        self.done.get_or_insert_with(|| Err(error.clone()));
    }

    /// Messages of it were refused, and so the whole transaction.
    fn refused(&mut self, refusal: Refusal) {
        match refusal.errno {
            // Elements or the set itself have come or gone: some go by themselves.
            netlink::ENOENT | netlink::EEXIST | netlink::EBUSY | netlink::ENOTEMPTY => {
                self.reads_first = true;
                self.refused = Some(refusal);
            }
            // Who may not change anything has been told so when it asked for the generation.
            netlink::EPERM => self.fails(&TableError::Other(
                "the table belongs to another program ('flags owner'), which alone may change it: make one of your \
                 own for hfm"
                    .to_owned(),
            )),
            netlink::ENFILE => self.fails(&TableError::Other(
                "the set is full: make it with a larger 'size', or without one".to_owned(),
            )),
            _ => self.fails(&refusal.into_table_error()),
        }
    }

    fn result(self) -> Result<(), TableError> {
        let tried_in_vain = || {
            let why = self.refused.map_or_else(
                || "others change the rules of nftables all the time".to_owned(),
                |refusal| refusal.to_string(),
            );
            let tries = TRIES_TOGETHER + TRIES_ALONE;
            Err(TableError::Other(format!("not written after {tries} tries: {why}")))
        };
        self.done.unwrap_or_else(tried_in_vain)
    }
}
