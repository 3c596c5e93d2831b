//! hfm, the High Frequency Monitor: tests every host of a gateway's tables on a strict interval, and keeps
//! the tables true.
//!
//! # The map of the house
//!
//! One process, few threads, one direction. Text becomes rules, the engine runs them, verdicts become
//! states, changes of state become actions. Each layer may name only those above it in this table, which
//! `tests/layers.rs` holds against the code:
//!
//! | layer | modules | what they do |
//! |---|---|---|
//! | 0 | [`now`], [`verdict`], [`histogram`], [`nearest`], [`ledger`], [`ucl`], [`wire`] | the moment, the ways a run can end, counting, "did you mean", what files remember, the language of the file, that of the network |
//! | 1 | [`rule`], [`standing`] | a rule as meant: validated, immutable; what it says of its addresses and of this gateway |
//! | 2 | [`health`], [`schedule`], [`timer`], [`probe`] | verdicts to states, dues on a grid, what comes next; protocols as machines |
//! | 3 | [`engine`], [`config`], [`writer::desired`], [`control`], [`status`], [`overrides`], [`demotion`], [`dataplane::slots`] | the decisions; from what was written to what was meant; who is in a table; what an operator asks, and has set; what browsers and Prometheus ask; whether this machine is the worse of two; who gets which clients |
//! | 4 | [`sys`], [`dataplane`], [`demotion::counter`], [`line`](mod@line) | what only the operating system can do; what holds the tables, and the demotion; a line of the log |
//! | 5 | [`reactor`], [`resolver`], [`commands`], [`writer`], [`overrides::store`], [`demotion::helper`], [`logging`], [`wait`] | the loops: the only ones that read a clock or wait |
//! | 6 | [`cli`], [`start`], [`probe_cli`], [`demo`], [`remote`], the binaries | wiring |
//!
//! Layers 0 to 3 are pure: no clock, thread, socket, file or log. Time reaches them as [`now::Now`], files
//! through [`ucl::Loader`]; what they want done or told comes out as values.
//!
//! # Threads
//!
//! - *main*: the [`reactor`]; owns the [`engine`] and every connection of a [`probe`]. Never blocks but in its
//!   poll.
//! - *resolver*: four that look up names ([`resolver`]), if any rule has one.
//! - *commands*: every child process ([`commands`]).
//! - *writer*: the tables ([`writer`]), if any rule has one; a slow firewall holds up this thread alone.
//! - *kills*: ends connections towards addresses that have left tables ([`writer`]), from the first time on.
//! - *loader*: a configuration that is read again ([`loader`]).
//! - *log*: the sink ([`logging`]); what it cannot take in time is dropped and counted.
//!
//! They talk by channels and wake each other's polls. After the program has given up root ([`start`]) each keeps
//! only the rights that it needs ([`sys::threads`]); children have none.
//!
//! And one process more, if any rule demotes: the helper that holds what was demoted and takes it back
//! ([`demotion`]), forked before any thread, and the only one that keeps the right to.
//!
//! # Systems
//!
//! FreeBSD and Linux; what differs between them is listed in [`sys`].
//!
//! # Words
//!
//! - *rule*: a test with everything that goes with it; *run*: one execution of its test; *probe*: a test
//!   that this program makes itself; *plan*: a probe, compiled; *lane*: a rule's connection and machine.
//! - *due*: when a run should start; *lateness*: start minus due; *slot*: from one due to the next.
//! - *verdict*: what a run found: success, failure, or inconclusive (this machine's own trouble).
//! - *state*: what verdicts add up to; *effective state*: with those of the rules that are required.
//! - *override*: what an operator sets in place of a rule's effective state; *returning*: an override that had the
//!   rule down is over, and it stays down until it succeeds.
//! - *extra run*: one that an operator asks for, beside the schedule; it changes nothing.
//! - *change*: a new effective state, for which a change command runs.
//! - *share*: what a failed rule adds to the demotion; *demotion*: the sum, by which a partner knows that it had better
//!   take over.
//! - *table*: the firewall's set of addresses; *managed*: named by a rule, and so ours; *standing*: what a rule
//!   says of its addresses and of this gateway; *wanted* and *actual*: who should be in a table, and who is.
//! - *slot*, of a table: one of the numbers that clients are hashed to; *places*: which slots lead to which address.
//! - *notice*: the firewall's word that others have changed a table; *repair*: putting that right.

pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod dataplane;
pub mod demo;
pub mod demotion;
pub mod engine;
pub mod health;
pub mod histogram;
pub mod ledger;
pub mod line;
pub mod loader;
pub mod logging;
pub mod nearest;
pub mod now;
pub mod overrides;
pub mod probe;
pub mod probe_cli;
pub mod reactor;
pub mod remote;
pub mod resolver;
pub mod rule;
pub mod schedule;
pub mod standing;
pub mod start;
pub mod status;
pub mod succession;
pub mod sys;
pub mod timer;
pub mod ucl;
pub mod verdict;
pub mod wait;
pub mod wire;
pub mod writer;
