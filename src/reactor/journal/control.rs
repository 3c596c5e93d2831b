//! Who asked for what over the control socket.

use std::fmt;

use log::Level;

use super::Journal;
use crate::line::{self, Field, Line, Value};
use crate::sys::control_socket::Peer;

impl Journal {
    /// A reload.
    pub(in crate::reactor) fn asked_to_reload(&self, peer: &Peer) {
        asked("control-reload", format_args!("control: reload"), peer, Value::Nothing);
    }

    /// To repair tables.
    pub(in crate::reactor) fn asked_to_reconcile(&self, peer: &Peer) {
        asked("control-reconcile", format_args!("control: reconcile"), peer, Value::Nothing);
    }

    /// The end.
    pub(in crate::reactor) fn asked_to_stop(&self, peer: &Peer) {
        asked("control-stop", format_args!("control: stop"), peer, Value::Nothing);
    }

    /// Another level of the log.
    pub(in crate::reactor) fn asked_to_log(&self, peer: &Peer, level: &str) {
        asked("control-log", format_args!("control: log {level}"), peer, Value::Bare(&level));
    }
}

/// A line about something that was asked for, with who did, and what was chosen where the sentence has that.
fn asked(event: &'static str, sentence: fmt::Arguments<'_>, peer: &Peer, chosen: Value<'_>) {
    let pid = peer.pid.and_then(|pid| u64::try_from(pid).ok());
    let fields = [
        Field::new("uid", Value::Number(peer.uid.into())),
        Field::new("pid", pid.map_or(Value::Nothing, Value::Number)),
        Field::hidden("chosen", chosen),
    ];
    line::tell(Level::Info, module_path!(), &Line { event, sentence, about: &[], fields: &fields });
}
