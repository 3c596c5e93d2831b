//! Planted bugs: each stands between the player and a sound machine and makes the pair behave as a machine
//! with that bug would.

use std::time::Instant;

use hfm::now::Now;
use hfm::probe::{Conversation, Plan, Step};
use hfm::rule::{Probe, Service};
use hfm::verdict::{Cause, Stage, Verdict};

use crate::asked::Asked;

macro_rules! saboteurs {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Saboteur { $($name),* }
        pub(crate) const ALL: &[Saboteur] = &[$(Saboteur::$name),*];
    };
}

saboteurs! {
    StatusIgnored, ExpectHeaderIgnored, RejectHeaderIgnored, ExpectIgnored, RejectIgnored, RegexIgnored,
    RejectRegexIgnored, MaxBodyIgnored, MaxBodyOneLess, HeadAnsweredAsGet, SendForgotten, StepForgotten,
    ProxyForgotten, EofUnseen, EofIsSuccess, DeadlineIsEof, DeadlineIsSuccess, NeverBeginsAnew,
    PieceLost, PieceTwice, ChunkedUnknown, LengthUnknown, InterimIsFinal, BareLfRefused, FirstByteIsSuccess,
    SuccessSticks, AlwaysServesAgain, NeverServesAgain, RequestForgotten, RejectedIsMissing,
    FoldRefused, ConnectionFieldUnseen,
}

/// A machine, tampered with.
pub(crate) struct Machine {
    conversation: Conversation,
    plan: Plan,
    saboteur: Option<Saboteur>,
    pieces: usize,
    has_succeeded: bool,
    has_begun: bool,
}

impl Machine {
    /// The probe that the machine is made of.
    pub(crate) fn alter(saboteur: Option<Saboteur>, asked: &Asked) -> Probe {
        let mut probe = asked.probe();
        if saboteur == Some(Saboteur::ProxyForgotten) {
            probe.network.proxy_protocol = None;
        }
        let patterns = match &mut probe.service {
            Service::Dialogue(dialogue) => &mut dialogue.patterns,
            Service::Http(_, http) => &mut http.patterns,
        };
        match saboteur {
            Some(Saboteur::ExpectIgnored) => patterns.expect.clear(),
            Some(Saboteur::RejectIgnored) => patterns.reject.clear(),
            Some(Saboteur::RegexIgnored) => patterns.expect_regex.clear(),
            Some(Saboteur::RejectRegexIgnored) => patterns.reject_regex.clear(),
            Some(Saboteur::MaxBodyIgnored) => patterns.bytes_max = usize::MAX / 4,
            Some(Saboteur::MaxBodyOneLess) => patterns.bytes_max -= 1,
            _ => {}
        }
        match (saboteur, &mut probe.service) {
            (Some(Saboteur::StatusIgnored), Service::Http(_, http)) => http.status = vec![200..=999],
            (Some(Saboteur::ExpectHeaderIgnored), Service::Http(_, http)) => http.expect_header.clear(),
            (Some(Saboteur::RejectHeaderIgnored), Service::Http(_, http)) => http.reject_header.clear(),
            (Some(Saboteur::HeadAnsweredAsGet), Service::Http(_, http)) => http.method = "GET".into(),
            (Some(Saboteur::SendForgotten), Service::Dialogue(dialogue)) => dialogue.send = Box::default(),
            (Some(Saboteur::StepForgotten), Service::Dialogue(dialogue)) => drop(dialogue.steps.pop()),
            _ => {}
        }
        probe
    }

    pub(crate) fn new(saboteur: Option<Saboteur>, plan: Plan, now: Instant) -> Self {
        let conversation = Conversation::new(&plan, now);
        Self { conversation, plan, saboteur, pieces: 0, has_succeeded: false, has_begun: false }
    }

    fn is(&self, saboteur: Saboteur) -> bool {
        self.saboteur == Some(saboteur)
    }

    pub(crate) fn begin(&mut self, at: Instant) {
        self.pieces = 0;
        if !(self.is(Saboteur::NeverBeginsAnew) && self.has_begun) {
            self.conversation.begin(true, at);
        }
        self.has_begun = true;
    }

    pub(crate) fn begin_again(&mut self, out: &mut Vec<u8>, at: Instant) -> Step {
        self.pieces = 0;
        let step = self.conversation.begin_again(&self.plan, out, at);
        if self.is(Saboteur::RequestForgotten) {
            out.clear();
        }
        step
    }

    pub(crate) fn connected(&mut self, out: &mut Vec<u8>, now: Now) -> Step {
        self.conversation.connected(&self.plan, None, out, now)
    }

    pub(crate) fn bytes(&mut self, input: &[u8], out: &mut Vec<u8>, now: Now) -> Step {
        self.pieces += 1;
        let is_bare = |(at, byte): (usize, &u8)| *byte == b'\n' && at > 0 && input[at - 1] != b'\r';
        let malformed = || Step::Done(Verdict::Failure(Cause::HttpProtocol("planted".into())));
        let is_http = input.starts_with(b"HTTP/1.") && self.plan_is_plain();
        let input = match self.saboteur {
            Some(Saboteur::PieceLost) if self.pieces == 5 => return Step::Continue,
            Some(Saboteur::BareLfRefused) if is_http && input.iter().enumerate().any(is_bare) => {
                return malformed();
            }
            Some(Saboteur::FoldRefused) if is_http && input.windows(2).any(|two| two == b"\n ") => {
                return malformed();
            }
            Some(Saboteur::FirstByteIsSuccess) => return Step::Done(Verdict::Success),
            Some(Saboteur::ChunkedUnknown) => replaced(input, b"Transfer-Encoding", b"Xransfer-Encoding"),
            Some(Saboteur::LengthUnknown) => replaced(input, b"Content-Length", b"Xontent-Length"),
            Some(Saboteur::InterimIsFinal) => replaced(input, b"HTTP/1.1 103", b"HTTP/1.1 200"),
            Some(Saboteur::ConnectionFieldUnseen) => replaced(input, b"Connection", b"Xonnection"),
            _ => input.to_vec(),
        };
        if self.is(Saboteur::PieceTwice) && self.pieces == 3 {
            let step = self.conversation.bytes(&self.plan, &input, out, now);
            if step != Step::Continue {
                return self.verdict(step);
            }
        }
        let step = self.conversation.bytes(&self.plan, &input, out, now);
        self.verdict(step)
    }

    /// Whether what comes is the service's own bytes.
    fn plan_is_plain(&self) -> bool {
        !self.plan.is_connection_only()
    }

    fn verdict(&mut self, step: Step) -> Step {
        let Step::Done(verdict) = step else { return step };
        Step::Done(match (self.saboteur, verdict) {
            (Some(Saboteur::SuccessSticks), verdict) => {
                self.has_succeeded |= verdict == Verdict::Success;
                if self.has_succeeded { Verdict::Success } else { verdict }
            }
            (Some(Saboteur::RejectedIsMissing), Verdict::Failure(Cause::PatternRejected(text))) => {
                Verdict::Failure(Cause::PatternMissing(text))
            }
            (_, verdict) => verdict,
        })
    }

    pub(crate) fn eof(&mut self, out: &mut Vec<u8>) -> Step {
        match self.saboteur {
            Some(Saboteur::EofUnseen) => Step::Done(self.expired()),
            Some(Saboteur::EofIsSuccess) => Step::Done(Verdict::Success),
            _ => {
                let step = self.conversation.eof(&self.plan, out);
                self.verdict(step)
            }
        }
    }

    pub(crate) fn expired(&mut self) -> Verdict {
        match self.saboteur {
            Some(Saboteur::DeadlineIsSuccess) => return Verdict::Success,
            Some(Saboteur::DeadlineIsEof) => {
                if let Step::Done(verdict) = self.conversation.eof(&self.plan, &mut Vec::new()) {
                    return verdict;
                }
            }
            _ => {}
        }
        self.conversation.expired(&self.plan).unwrap_or(Verdict::Failure(Cause::AlwaysFail))
    }

    pub(crate) fn stage(&self) -> Stage {
        self.conversation.stage()
    }

    pub(crate) fn may_serve_again(&self) -> bool {
        self.conversation.may_serve_again()
    }

    pub(crate) fn can_serve_again(&self) -> bool {
        match self.saboteur {
            Some(Saboteur::AlwaysServesAgain) => true,
            Some(Saboteur::NeverServesAgain) => false,
            _ => self.conversation.can_serve_again(),
        }
    }
}

/// The same bytes with all of one text replaced by another of its length.
fn replaced(input: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut input = input.to_vec();
    for at in 0..input.len() {
        if input[at..].starts_with(from) {
            input[at..at + from.len()].copy_from_slice(to);
        }
    }
    input
}
