//! What an error of a socket says of a run: the target's failure, or this machine's own trouble.

use crate::probe::Plan;
use crate::rule::Peer;
use crate::sys::socket::SocketError;
use crate::verdict::{Cause, LocalCause, Stage, SystemWords, Verdict};

/// The verdict of a run that had come to `stage`.
pub(super) fn verdict(error: SocketError, stage: Stage, plan: &Plan) -> Verdict {
    let network = &plan.network;
    let local = match error {
        SocketError::Refused(errno) if stage == Stage::Connect => {
            return Verdict::Failure(Cause::Refused(errno));
        }
        SocketError::TimedOut if stage == Stage::Connect => {
            return Verdict::Failure(Cause::TimeoutConnect(plan.timeout));
        }
        SocketError::Refused(_) | SocketError::Reset | SocketError::TimedOut => {
            return Verdict::Failure(Cause::Reset(stage));
        }
        SocketError::Unreachable(errno) => return Verdict::Failure(Cause::Unreachable(errno)),
        SocketError::Descriptors => LocalCause::Descriptors,
        SocketError::Ports => LocalCause::Ports,
        SocketError::Full(errno) | SocketError::Buffers(errno) => LocalCause::Buffers(errno),
        SocketError::Permission(errno) => LocalCause::Permission(permission(plan, errno).into()),
        SocketError::NoSuchAddress => {
            let source = network.source.map(|source| source.to_string()).unwrap_or_default();
            LocalCause::Address(format!("source {source} is not an address of this machine").into())
        }
        SocketError::NoSuchInterface => {
            let name = network.interface.as_deref().unwrap_or_default();
            LocalCause::Interface(format!("interface {name} does not exist").into())
        }
    };
    Verdict::Inconclusive(local)
}

/// What is to be permitted, so that whoever reads it knows what to grant.
fn permission(plan: &Plan, errno: i32) -> String {
    let network = &plan.network;
    let words = SystemWords(errno);
    match (&plan.peer, network.mark, &network.interface, network.fib) {
        (Peer::Local(path), ..) => format!("connecting to {path}: {words}"),
        (_, Some(_), ..) => format!("setting the packet mark, which takes CAP_NET_ADMIN: {words}"),
        (_, _, Some(name), _) => format!("binding to {name}, which takes CAP_NET_RAW: {words}"),
        (_, _, _, Some(fib)) => format!("using routing table {fib}: {words}"),
        (..) => format!("connecting; a firewall of this machine may forbid it: {words}"),
    }
}
