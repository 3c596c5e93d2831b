//! What is kept from one session to the next: where that is allowed the session itself, to resume it, and
//! otherwise no more than what makes the first message the right one.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

/// The newest session of a rule, and no other rule's: two rules may ask the same name of different servers.
/// One is enough, for a rule has one run at a time, and a ticket that a run takes is replaced by that run.
#[derive(Default)]
pub(super) struct Kept(Mutex<Newest>);

#[derive(Default)]
struct Newest {
    /// The group that the server chose, for a server that does not know the one that we would try first.
    group: Option<NamedGroup>,
    /// Used once, too: a run that comes to its end keeps it again, and one that does not is followed by a full
    /// handshake. A server that stumbles over a session would else fail in every run.
    tls12: Option<Box<Tls12ClientSessionValue>>,
    /// Used once (RFC 8446 appendix C.4).
    tls13: Option<Box<Tls13ClientSessionValue>>,
}

impl Kept {
    /// Nothing is left half done while it is locked.
    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions are secret.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// A rule has one name, so names need not be told apart.
impl ClientSessionStore for Kept {
    fn set_kx_hint(&self, _name: ServerName<'static>, group: NamedGroup) {
        self.newest().group = Some(group);
    }

    fn kx_hint(&self, _name: &ServerName<'_>) -> Option<NamedGroup> {
        self.newest().group
    }

    fn set_tls12_session(&self, _name: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.newest().tls12 = Some(Box::new(session));
    }

    fn tls12_session(&self, _name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.newest().tls12.take().map(|session| *session)
    }

    fn remove_tls12_session(&self, _name: &ServerName<'static>) {
        self.newest().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _name: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.newest().tls13 = Some(Box::new(ticket));
    }

    fn take_tls13_ticket(&self, _name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.newest().tls13.take().map(|ticket| *ticket)
    }
}

/// The groups of servers that do not know the one that we would try first, by name: a handshake that tries
/// the wrong one takes another round trip (RFC 8446 section 4.1.4). No session is kept with them.
#[derive(Debug)]
pub(super) struct Groups {
    first: NamedGroup,
    others: Mutex<HashMap<ServerName<'static>, NamedGroup>>,
}

impl Groups {
    /// `first` is tried where nothing is known.
    pub(super) fn new(first: NamedGroup) -> Self {
        Self { first, others: Mutex::default() }
    }

    fn others(&self) -> MutexGuard<'_, HashMap<ServerName<'static>, NamedGroup>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Groups {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        // Names are those of rules, so there are never more than rules.
        if group == self.first {
            self.others().remove(&name);
        } else {
            self.others().insert(name, group);
        }
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.others().get(name).copied()
    }

    fn set_tls12_session(&self, _name: ServerName<'static>, _session: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _name: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _name: ServerName<'static>, _ticket: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}
