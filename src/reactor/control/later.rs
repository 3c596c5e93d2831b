//! What is not there yet is refused by name.

use super::Asked;
use crate::control::protocol::{Reply, Request};
use crate::now::Now;
use crate::reactor::Reactor;

impl Reactor {
    /// What the engine is to do with rules: `drain`, `disable`, `enable`, `set`, `run`.
    pub(super) fn asked_of_engine(&mut self, asked: &Asked, now: Now) {
        self.not_yet(asked, now);
    }

    /// What the writer is to tell or do: `tables`, `reconcile`.
    pub(super) fn asked_of_writer(&mut self, asked: &Asked, now: Now) {
        self.not_yet(asked, now);
    }

    fn not_yet(&mut self, asked: &Asked, now: Now) {
        let name = match asked.request {
            Request::Drain { .. } => "drain",
            Request::Disable { .. } => "disable",
            Request::Enable { .. } => "enable",
            Request::Set { .. } => "set",
            Request::Run { .. } => "run",
            Request::Tables { .. } => "tables",
            Request::Reconcile {} => "reconcile",
            Request::Status { .. }
            | Request::Reload {}
            | Request::Events {}
            | Request::Stats {}
            | Request::Log { .. }
            | Request::Stop {} => return,
        };
        let text = format!("'{name}' is not supported yet");
        self.answer(asked.ticket, &Reply::Refused { text, details: Vec::new() }, now.mono);
    }
}
