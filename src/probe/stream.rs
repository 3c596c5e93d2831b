//! One run over a stream: the PROXY header, TLS if asked for, the service inside, and how far it has come.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::dialogue::Dialogue;
use super::http::Exchange;
use super::plan::{Kind, Plan, ServicePlan};
use super::tls::{self, Progress, Session};
use super::{Output, Step};
use crate::now::Now;
use crate::rule::ProxyVersion;
use crate::verdict::{Cause, Measured, Stage, Verdict};
use crate::wire::proxy;

/// The two ends of a connection, where they have addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// This machine's.
    pub local: SocketAddr,
    /// The target's.
    pub peer: SocketAddr,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The name has not been found yet.
    Resolving,
    Connecting,
    /// TLS is being agreed on.
    Securing,
    /// The session is open, and the server may still turn down the client's certificate.
    Awaiting,
    /// The service speaks.
    Speaking,
}

/// The machine of a run; goes through one after the other, for any rule whose plan is of its kind.
#[derive(Debug)]
pub struct Conversation {
    place: Place,
    service: Service,
    tls: Option<Box<Session>>,
    /// Plain text for the session, kept from run to run.
    plain: Output,
    measured: Measured,
    /// When the present phase began.
    mark: Instant,
    answered: bool,
}

#[derive(Debug)]
enum Service {
    Dialogue(Dialogue),
    Http(Exchange),
}

impl Conversation {
    /// A machine for runs of plans of this one's kind; call [`begin`](Self::begin) for each. `now` may be any moment.
    pub fn new(plan: &Plan, now: Instant) -> Self {
        let service = match plan.kind() {
            Kind::Dialogue => Service::Dialogue(Dialogue::default()),
            Kind::Http => Service::Http(Exchange::default()),
        };
        let (place, measured) = (Place::Connecting, Measured::default());
        Self { place, service, tls: None, plain: Vec::new(), measured, mark: now, answered: false }
    }

    /// A run begins, with an address or without one yet.
    pub fn begin(&mut self, has_address: bool, at: Instant) {
        self.place = if has_address { Place::Connecting } else { Place::Resolving };
        self.measured = Measured { certificate_left: None, ..Measured::default() };
        self.mark = at;
        self.tls = None;
        self.restart_service();
    }

    /// Whether the certificate of a kept session still lasts as long as it must; measures what is left of it.
    pub fn certificate_lasts(&mut self, plan: &Plan, now: Now) -> bool {
        let (Some(tls), Some(session)) = (&plan.tls, &mut self.tls) else { return true };
        let lasts = session.check_certificate(tls, now).is_ok();
        self.measured.certificate_left = session.certificate_left();
        lasts
    }

    /// Which plans it can go by.
    pub fn kind(&self) -> Kind {
        match self.service {
            Service::Dialogue(_) => Kind::Dialogue,
            Service::Http(_) => Kind::Http,
        }
    }

    /// The connection is gone: nothing is kept for it.
    pub fn release(&mut self) {
        self.tls = None;
        self.restart_service();
    }

    /// A run begins on the connection that the last one left: [`Step::Continue`] with a request to write.
    pub fn begin_again(&mut self, plan: &Plan, out: &mut Output, at: Instant) -> Step {
        let certificate_left = self.measured.certificate_left;
        self.measured = Measured { certificate_left, ..Measured::default() };
        self.mark = at;
        self.restart_service();
        self.speak(plan, out)
    }

    /// The connection of the last run was of no use: the same run goes on with a fresh one.
    pub fn connect_again(&mut self) {
        self.place = Place::Connecting;
        self.tls = None;
        self.restart_service();
    }

    /// The name has been found.
    pub fn resolved(&mut self, at: Instant) {
        self.measured.resolve = Some(self.lap(at));
        self.place = Place::Connecting;
    }

    /// The connection is there. `ends` are needed for a PROXY header only.
    pub fn connected(&mut self, plan: &Plan, ends: Option<Ends>, out: &mut Output, now: Now) -> Step {
        self.measured.connect = Some(self.lap(now.mono));
        match (plan.network.proxy_protocol, ends) {
            (Some(ProxyVersion::V1), Some(ends)) => proxy::v1(ends.local, ends.peer, out),
            (Some(ProxyVersion::V1), None) => proxy::v1_unknown(out),
            (Some(ProxyVersion::V2), _) => proxy::v2_local(out),
            (None, _) => {}
        }
        let Some(tls) = &plan.tls else { return self.speak(plan, out) };
        self.place = Place::Securing;
        match Session::begin(tls, out) {
            Ok(session) => {
                self.tls = Some(Box::new(session));
                Step::Continue
            }
            Err(verdict) => Step::Done(verdict),
        }
    }

    /// Something came. Bytes that come after the verdict are taken for the sake of the connection only.
    pub fn bytes(&mut self, plan: &Plan, input: &[u8], out: &mut Output, now: Now) -> Step {
        match &plan.tls {
            None => self.plain_bytes(plan, input, out, now),
            Some(tls) => self.secured_bytes(plan, tls, input, out, now),
        }
    }

    /// The target has closed its side.
    pub fn eof(&mut self, plan: &Plan, out: &mut Output) -> Step {
        match self.place {
            Place::Resolving | Place::Connecting => closed(Stage::Connect),
            Place::Securing => closed(Stage::Tls),
            // It took our leave, so it took the session.
            Place::Awaiting => Step::Done(Verdict::Success),
            Place::Speaking => match (&mut self.service, &plan.service) {
                (Service::Dialogue(dialogue), ServicePlan::Dialogue(plan)) => dialogue.eof(plan, out),
                (Service::Http(exchange), ServicePlan::Http(plan)) => exchange.eof(plan),
                (Service::Dialogue(_) | Service::Http(_), _) => unreachable!("a machine keeps its plan"),
            },
        }
    }

    /// How far the run had come, for a connection that broke.
    pub fn stage(&self) -> Stage {
        match self.place {
            Place::Resolving | Place::Connecting => Stage::Connect,
            Place::Securing | Place::Awaiting => Stage::Tls,
            Place::Speaking if self.received() == 0 => Stage::Request,
            Place::Speaking => Stage::Response,
        }
    }

    /// The deadline has come: the verdict, which is a success when what has come is as good as all.
    /// `None` while the name was not found: that is not the target's failure.
    pub fn expired(&mut self, plan: &Plan) -> Option<Verdict> {
        let limit = plan.timeout;
        let cause = match self.place {
            Place::Resolving => return None,
            Place::Connecting => Cause::TimeoutConnect(limit),
            Place::Securing => Cause::TimeoutTls(limit),
            Place::Awaiting => return Some(Verdict::Success),
            Place::Speaking => {
                let step = match (&mut self.service, &plan.service) {
                    (Service::Dialogue(dialogue), ServicePlan::Dialogue(plan)) => dialogue.expired(plan),
                    (Service::Http(exchange), ServicePlan::Http(plan)) => exchange.expired(plan),
                    (Service::Dialogue(_) | Service::Http(_), _) => unreachable!("a machine keeps its plan"),
                };
                if let Step::Done(verdict) = step {
                    return Some(verdict);
                }
                Cause::TimeoutResponse { limit, received: self.received() }
            }
        };
        Some(Verdict::Failure(cause))
    }

    /// What has been measured so far.
    pub fn measured(&self) -> Measured {
        self.measured
    }

    /// Whether any byte of this run's answer has come.
    pub fn has_answer(&self) -> bool {
        self.received() > 0
    }

    /// After the verdict: whether the connection can serve another run now.
    pub fn can_serve_again(&self) -> bool {
        // A session that the server has closed carries nothing more, even where the connection stays.
        self.tls.as_ref().is_none_or(|session| !session.is_over())
            && matches!(&self.service, Service::Http(exchange) if exchange.can_serve_again())
    }

    /// After the verdict: whether the connection is worth keeping, be it to read the rest of the answer.
    pub fn may_serve_again(&self) -> bool {
        matches!(&self.service, Service::Http(exchange) if exchange.may_serve_again())
    }

    fn restart_service(&mut self) {
        self.answered = false;
        match &mut self.service {
            Service::Dialogue(dialogue) => dialogue.restart(),
            Service::Http(exchange) => exchange.restart(),
        }
    }

    /// Bytes of this run's answer that have come.
    pub fn received(&self) -> u64 {
        match &self.service {
            Service::Dialogue(dialogue) => dialogue.received(),
            Service::Http(exchange) => exchange.received(),
        }
    }

    /// The time since the present phase began; the next begins now.
    fn lap(&mut self, at: Instant) -> Duration {
        let took = at.saturating_duration_since(self.mark);
        self.mark = at;
        took
    }

    /// The way to the service is open.
    fn speak(&mut self, plan: &Plan, out: &mut Output) -> Step {
        self.place = Place::Speaking;
        self.plain.clear();
        let target = if self.tls.is_some() { &mut self.plain } else { &mut *out };
        let step = match (&mut self.service, &plan.service) {
            (Service::Dialogue(dialogue), ServicePlan::Dialogue(plan)) => dialogue.connected(plan, target),
            (Service::Http(exchange), ServicePlan::Http(http)) => {
                exchange.connected(http, plan.page(), target)
            }
            (Service::Dialogue(_) | Service::Http(_), _) => unreachable!("a machine keeps its plan"),
        };
        self.seal(out);
        step
    }

    fn plain_bytes(&mut self, plan: &Plan, input: &[u8], out: &mut Output, now: Now) -> Step {
        if !self.answered && !input.is_empty() {
            self.answered = true;
            self.measured.first_byte = Some(self.lap(now.mono));
        }
        match (&mut self.service, &plan.service) {
            (Service::Dialogue(dialogue), ServicePlan::Dialogue(plan)) => dialogue.bytes(plan, input, out),
            (Service::Http(exchange), ServicePlan::Http(plan)) => exchange.bytes(plan, input),
            (Service::Dialogue(_) | Service::Http(_), _) => unreachable!("a machine keeps its plan"),
        }
    }

    fn secured_bytes(
        &mut self,
        plan: &Plan,
        tls: &tls::Plan,
        mut input: &[u8],
        out: &mut Output,
        now: Now,
    ) -> Step {
        let mut step = Step::Continue;
        // After the verdict the rest is read only for the sake of a connection that is kept.
        while !input.is_empty() && (step == Step::Continue || plan.reuses()) {
            let before = input.len();
            let Some(session) = &mut self.tls else { return Step::Continue };
            if session.take(tls, &mut input, out) == Progress::Opened {
                let checked = session.check_certificate(tls, now);
                self.measured.certificate_left = session.certificate_left();
                self.measured.tls = Some(self.lap(now.mono));
                if let Err(cause) = checked {
                    return Step::Done(Verdict::Failure(cause));
                }
                step = self.opened(plan, out);
            }
            if self.place == Place::Awaiting && self.tls.as_ref().is_some_and(|tls| tls.was_taken()) {
                return Step::Done(Verdict::Success);
            }
            if step == Step::Continue || plan.reuses() {
                step = first(step, self.read_plain(plan, out, now));
            }
            let Some(session) = &self.tls else { return step };
            if session.is_over() {
                // What came before the end counts.
                return match (step, session.failure()) {
                    (done @ Step::Done(_), _) => done,
                    (Step::Continue, Some(cause)) => Step::Done(Verdict::Failure(cause.clone())),
                    (Step::Continue, None) => self.eof(plan, out),
                };
            }
            if input.len() == before {
                break;
            }
        }
        step
    }

    /// The session is open: the service speaks. Where it asks for no answer, the server may yet turn down
    /// the client's certificate.
    fn opened(&mut self, plan: &Plan, out: &mut Output) -> Step {
        let step = self.speak(plan, out);
        let Some(session) = self.tls.as_mut().filter(|session| session.may_yet_be_turned_down()) else {
            return step;
        };
        if step == Step::Done(Verdict::Success) {
            session.close(out);
            self.place = Place::Awaiting;
            return Step::Continue;
        }
        step
    }

    /// Hands what the session holds to the service.
    fn read_plain(&mut self, plan: &Plan, out: &mut Output, now: Now) -> Step {
        let mut scratch = tls::scratch();
        let mut step = Step::Continue;
        while step == Step::Continue || plan.reuses() {
            let Some(session) = &mut self.tls else { return step };
            let bytes = session.read(&mut scratch);
            if bytes == 0 {
                return step;
            }
            if self.place != Place::Speaking {
                // Of no use, but in the way of what is.
                continue;
            }
            let mut plain = std::mem::take(&mut self.plain);
            plain.clear();
            step = first(step, self.plain_bytes(plan, &scratch[..bytes], &mut plain, now));
            self.plain = plain;
            self.seal(out);
        }
        step
    }

    /// Puts what the service wants to say into the session.
    fn seal(&mut self, out: &mut Output) {
        if let Some(session) = &mut self.tls
            && !self.plain.is_empty()
        {
            session.write(&self.plain, out);
            self.plain.clear();
        }
    }
}

/// A verdict stands once it is given.
fn first(step: Step, next: Step) -> Step {
    if step == Step::Continue { next } else { step }
}

fn closed(stage: Stage) -> Step {
    Step::Done(Verdict::Failure(Cause::Closed(stage)))
}
