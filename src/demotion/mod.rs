//! Demotion: while rules with `demote` are failed, this machine tells its peer that it is the worse one.
//!
//! hfm itself never touches what it is told by. A small process does ([`helper`]), forked before any thread is
//! started, with all rights that hfm began with: it is told which rules' shares are wanted ([`shares`], [`protocol`]), and takes
//! back what it holds when there is no hfm any more. What is held is recorded ([`record`]) before and after each
//! change ([`ledger`]), so that whoever is killed, at whatever moment, the next one knows what was done.
//!
//! ```text
//!            orders                      record, counter, record
//!   hfm ----------------> the helper ------------------------------> state_dir, CARP or a file
//!       <----------------
//!             news
//! ```

pub mod counter;
pub mod helper;
pub mod ledger;
pub mod protocol;
pub mod record;
pub mod shares;
