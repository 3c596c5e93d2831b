//! The native half of the world: probes, which the loop itself carries and which always start.

use std::time::Duration;

use hfm::engine::Event;
use hfm::rule::RunId;
use hfm::verdict::{Cause, LocalCause, Measured, Stage, Verdict};

use crate::model::MS;
use crate::random::Random;
use crate::world::{Mood, World};

/// A probe under way.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) run: RunId,
    start: u64,
    /// When its answer is there; never, perhaps.
    ends: Option<u64>,
    /// When the loop is told.
    pub(crate) told: Option<u64>,
    verdict: Verdict,
}

impl World {
    /// The probe of a run starts, and may have its answer at once.
    pub(crate) fn probe(&mut self, run: RunId, now: u64) -> Vec<Event> {
        let rule = run.rule.index();
        let started = Event::Started { run, at: self.at(now) };
        let verdict = self.found(rule);
        let takes = self.takes(rule, &verdict);
        if takes == Some(0) {
            let measured = measured(&mut self.random);
            return vec![started, Event::Concluded { run, at: self.at(now), verdict, measured }];
        }
        let ends = takes.map(|takes| now + takes);
        let news = if self.random.once_in(25) { self.random.below(20 * MS) } else { 0 };
        self.attempts.push(Attempt { run, start: now, ends, told: ends.map(|ends| ends + news), verdict });
        vec![started]
    }

    /// The deadline of a probe has come: it ends with what is there. `None` when it has ended before.
    pub(crate) fn expire(&mut self, run: RunId, now: u64) -> Option<Event> {
        let place = self.attempts.iter().position(|attempt| attempt.run == run)?;
        let attempt = self.attempts.swap_remove(place);
        if attempt.ends.is_some_and(|ends| ends <= now) {
            return Some(self.concluded(attempt.run, attempt.start, attempt.verdict, now));
        }
        let limit = self.timeouts[run.rule.index()].expect("only probes expire");
        let random = &mut self.random;
        let verdict = match random.below(24) {
            0 => Verdict::Success,
            1 => Verdict::Inconclusive(LocalCause::Unresolved("no answer".into())),
            2 => Verdict::Failure(Cause::Closed(Stage::Response)),
            3..9 => Verdict::Failure(Cause::TimeoutConnect(limit)),
            9..15 => Verdict::Failure(Cause::TimeoutTls(limit)),
            _ => Verdict::Failure(Cause::TimeoutResponse { limit, received: random.below(3) }),
        };
        if random.once_in(8) {
            // What it would have found comes all the same.
            let late = attempt.ends.unwrap_or(now).max(now) + random.below(self.scale);
            let event = self.concluded(run, attempt.start, Verdict::Success, late);
            self.arrive(event, late);
        }
        Some(self.concluded(run, attempt.start, verdict, now))
    }

    /// The probes that the loop is told of by now have ended.
    pub(crate) fn take_concluded(&mut self, now: u64) -> Vec<Event> {
        let told = |attempt: &mut Attempt| attempt.told.is_some_and(|told| told <= now);
        let told: Vec<Attempt> = self.attempts.extract_if(.., told).collect();
        let ended = |attempt: Attempt| self.concluded(attempt.run, attempt.start, attempt.verdict, now);
        told.into_iter().map(ended).collect()
    }

    /// Mostly the loop hands on at once what it saw.
    fn concluded(&mut self, run: RunId, start: u64, verdict: Verdict, now: u64) -> Event {
        let before = if self.random.once_in(8) { self.random.below(20 * MS) } else { 0 };
        let at = self.at(now.saturating_sub(before).max(start));
        Event::Concluded { run, at, verdict, measured: measured(&mut self.random) }
    }

    fn found(&mut self, rule: usize) -> Verdict {
        let target = &self.targets[rule];
        let (mood, trouble) = (target.mood, target.trouble);
        let random = &mut self.random;
        let own_trouble = trouble > 0 && random.once_in(trouble);
        let well = match mood {
            Mood::Well => !random.once_in(15),
            Mood::Failing | Mood::Hanging => random.once_in(10),
            Mood::Flapping => random.percent(50),
            Mood::Unstartable => false,
        };
        if own_trouble || matches!(mood, Mood::Unstartable) {
            Verdict::Inconclusive(local_cause(random))
        } else if well {
            Verdict::Success
        } else {
            Verdict::Failure(cause(random))
        }
    }

    /// How long the answer takes; for ever, perhaps.
    fn takes(&mut self, rule: usize, verdict: &Verdict) -> Option<u64> {
        let timeout = crate::model::ns_of(self.timeouts[rule].expect("it is a native rule"));
        let (random, interval) = (&mut self.random, self.intervals[rule]);
        let hangs = matches!(self.targets[rule].mood, Mood::Hanging) && !random.once_in(4);
        if hangs && verdict.is_conclusive() {
            return if random.percent(70) { None } else { Some(timeout + random.below(2 * interval)) };
        }
        Some(match random.below(24) {
            0..5 => 0,
            5..14 => random.below(timeout / 4 + 1),
            14..19 => random.below(timeout + 1),
            19 => timeout,
            20 => timeout.saturating_sub(random.below(MS)),
            21 => timeout + random.below(MS),
            22 => interval,
            _ => timeout + random.below(interval),
        })
    }
}

fn cause(random: &mut Random) -> Cause {
    let stage = random.pick(&[Stage::Connect, Stage::Tls, Stage::Request, Stage::Response]);
    match random.below(20) {
        0..3 => Cause::Reset(stage),
        3..6 => Cause::Closed(stage),
        6..9 => Cause::HttpStatus { seen: 408, wanted: "200-399".into() },
        9..11 => Cause::HttpStatus { seen: 503, wanted: "200-399".into() },
        11..14 => Cause::Refused(111),
        14 => Cause::Unreachable(113),
        15 => Cause::TlsAlert("handshake_failure".into()),
        16 => Cause::TlsExpired("expired".into()),
        17 => Cause::TlsExpiry { left: Duration::from_secs(60), wanted: Duration::from_secs(3600) },
        18 => Cause::HttpProtocol("no status line".into()),
        _ => Cause::PatternMissing("expected \"ok\"".into()),
    }
}

fn local_cause(random: &mut Random) -> LocalCause {
    match random.below(7) {
        0 => LocalCause::Descriptors,
        1 => LocalCause::Ports,
        2 => LocalCause::Buffers(105),
        3 => LocalCause::Permission("not permitted".into()),
        4 => LocalCause::Address("not ours".into()),
        5 => LocalCause::Interface("no such device".into()),
        _ => LocalCause::Unresolved("no such name".into()),
    }
}

fn measured(random: &mut Random) -> Measured {
    let connect = Duration::from_nanos(1 + random.below(50 * MS));
    let further = |wanted: bool| wanted.then_some(connect / 2);
    let bits = random.next();
    Measured {
        resolve: further(bits & 1 > 0),
        connect: Some(connect),
        tls: further(bits & 2 > 0),
        first_byte: further(bits & 4 > 0),
        certificate_left: None,
    }
}
