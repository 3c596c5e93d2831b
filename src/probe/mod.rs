//! Native probes as pure state machines: bytes and moments in, bytes and a verdict out.
//!
//! No socket, clock or file comes in here. A [`Plan`] is what a rule asks for, compiled once; a
//! [`Conversation`] is the machine that goes through one run after the other by it:
//!
//! ```text
//!   begin --> (resolved) --> connected --> bytes ... --> Step::Done(verdict)
//!                                      '-> eof, broken, expired: the verdict at once
//! ```
//!
//! Every stream probe is the same small machine inside (`dialogue`, `http`); `tls` wraps either, and
//! `stream` adds the PROXY header, the stages and their times.

mod compile;
mod dialogue;
mod http;
mod patterns;
mod plan;
mod stream;
mod tls;

pub use compile::{CompileError, Compiler, Files, Plans};
pub use plan::{Kind, Plan};
pub use stream::{Conversation, Ends};
pub use tls::WallClock;

use crate::verdict::Verdict;

/// Bytes for the wire, appended to what is waiting already.
pub type Output = Vec<u8>;

/// What follows from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write what is in the output, read what comes.
    Continue,
    /// The outcome is certain. What is in the output is still worth writing.
    Done(Verdict),
}
