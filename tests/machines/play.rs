//! Plays answers to one machine, run after run, and holds each verdict against the model.

use std::time::{Duration, Instant};

use hfm::now::Now;
use hfm::probe::{Compiler, Step};
use hfm::rule::ProxyVersion;
use hfm::verdict::Verdict;

use crate::answer::{Answer, End, split};
use crate::asked::{Asked, AskedService};
use crate::certificates::wall;
use crate::oracle::{self, Outcome};
use crate::peer::{Peer, in_order};
use crate::random::Rng;
use crate::sabotage::{Machine, Saboteur};

/// Pieces of a reply on a stream at most, where the outcome depends on them: above, not each is searched.
const PIECES_MAX: usize = 28;

/// Every instant of all histories is this one plus a duration.
pub(crate) fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

/// What a history came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Played {
    pub(crate) runs: usize,
    pub(crate) successes: usize,
    pub(crate) reused: usize,
}

struct Player {
    asked: Asked,
    machine: Machine,
    out: Vec<u8>,
    now: Now,
    peer: Option<Peer>,
    /// The first request, as all have to be.
    request: Option<Vec<u8>>,
}

/// Plays a history; what is wrong with it, if anything.
pub(crate) fn play(
    seed: u64,
    base: Instant,
    saboteur: Option<Saboteur>,
    trace: &mut String,
) -> Result<Played, String> {
    let mut random = Rng::new(seed);
    let asked = Asked::draw(&mut random, seed.is_multiple_of(16));
    trace.push_str(&format!("{asked:#?}\n"));
    let mut compiler = Compiler::default();
    compiler.clock().set(wall());
    let now = Now { mono: base, wall: wall() };
    let altered = Machine::alter(saboteur, &asked);
    let plan = compiler.compile(&altered, &mut in_order().1.clone()).map_err(|error| error.to_string())?;
    let machine = Machine::new(saboteur, plan, base);
    let mut player = Player { asked, machine, out: Vec::new(), now, peer: None, request: None };
    let mut played = Played::default();
    let mut serves_again = false;
    for _ in 0..=random.below(5) {
        let answer = Answer::draw(&mut random, &player.asked);
        trace.push_str(&format!("{:?} in {:?}\n", String::from_utf8_lossy(&answer.bytes), answer.end));
        let began = player.begin(serves_again)?;
        played.reused += usize::from(serves_again);
        let (expected, seen, can) = match (began, player.asked.is_secured) {
            (Some(seen), _) => (player.at_once(&answer), seen, false),
            (None, false) => player.plain(&mut random, &answer)?,
            (None, true) => player.secured(&mut random, &answer)?,
        };
        trace.push_str(&format!("-> {seen}, can serve again: {can}; wanted {expected:?}\n"));
        let reason = seen.reason();
        if reason != expected.reason {
            return Err(format!("'{reason}' ({seen}) instead of '{}'", expected.reason));
        }
        let is_open = answer.end == End::Silence && seen == Verdict::Success;
        if is_open && can != expected.serves_again {
            return Err(format!("the connection can serve again: {can}, expected the contrary"));
        }
        serves_again = is_open && can && player.asked.reuses();
        played.runs += 1;
        played.successes += usize::from(seen == Verdict::Success);
    }
    Ok(played)
}

fn done(step: Step) -> Option<Verdict> {
    match step {
        Step::Continue => None,
        Step::Done(verdict) => Some(verdict),
    }
}

impl Player {
    fn tick(&mut self) {
        self.now.mono += Duration::from_millis(1);
    }

    /// Begins a run, be it on the connection of the last one; its verdict if that is certain at once.
    fn begin(&mut self, again: bool) -> Result<Option<Verdict>, String> {
        self.tick();
        self.out.clear();
        if again {
            let step = self.machine.begin_again(&mut self.out, self.now.mono);
            if step != Step::Continue {
                return Err("a request for which nothing has come yet is over".to_owned());
            }
            if !self.asked.is_secured {
                self.check_request()?;
            }
            return Ok(None);
        }
        self.peer = None;
        self.machine.begin(self.now.mono);
        self.tick();
        let step = self.machine.connected(&mut self.out, self.now);
        let header: &[u8] = match self.asked.proxy {
            None => b"",
            Some(ProxyVersion::V1) => b"PROXY UNKNOWN\r\n",
            Some(ProxyVersion::V2) => b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        };
        if !self.out.starts_with(header) {
            return Err("there is no PROXY header first".to_owned());
        }
        self.out.drain(..header.len());
        if self.asked.is_secured {
            if step != Step::Continue {
                return Err("over before a handshake".to_owned());
            }
            return self.shake_hands();
        }
        if matches!(self.asked.service, AskedService::Http(_)) {
            self.check_request()?;
        }
        Ok(done(step))
    }

    /// All requests of a rule are one.
    fn check_request(&mut self) -> Result<(), String> {
        let request = std::mem::take(&mut self.out);
        if !request.ends_with(b"\r\n\r\n") || *self.request.get_or_insert_with(|| request.clone()) != request
        {
            return Err(format!("the request is {:?}", String::from_utf8_lossy(&request)));
        }
        Ok(())
    }

    fn shake_hands(&mut self) -> Result<Option<Verdict>, String> {
        let mut peer = Peer::new(&in_order().0);
        peer.hear(&mut self.out).map_err(|error| error.to_string())?;
        let mut verdict = None;
        for piece in peer.wire().chunks(97) {
            self.tick();
            let step = self.machine.bytes(piece, &mut self.out, self.now);
            verdict = verdict.or(done(step));
        }
        peer.hear(&mut self.out).map_err(|error| error.to_string())?;
        self.peer = Some(peer);
        Ok(verdict)
    }

    /// What a probe that waits for no answer comes to.
    fn at_once(&self, answer: &Answer) -> Outcome {
        match &self.asked.service {
            AskedService::Http(_) => Outcome { reason: "not at once", serves_again: false },
            AskedService::Dialogue { .. } => oracle::dialogue(&self.asked, &[], answer.end).0,
        }
    }

    fn plain(&mut self, random: &mut Rng, answer: &Answer) -> Result<(Outcome, Verdict, bool), String> {
        let is_dialogue = matches!(self.asked.service, AskedService::Dialogue { .. });
        let counts_pieces = is_dialogue && !self.asked.patterns.are_monotone();
        let pieces_max = if counts_pieces { PIECES_MAX } else { usize::MAX };
        let pieces = split(random, &answer.bytes, pieces_max);
        let (seen, can) = self.feed(&pieces, answer.end);
        let expected = match &self.asked.service {
            AskedService::Http(http) => oracle::http(&self.asked, http, answer),
            AskedService::Dialogue { .. } => {
                let (expected, sent) = oracle::dialogue(&self.asked, &pieces, answer.end);
                if sent != self.out {
                    let sent = String::from_utf8_lossy(&self.out);
                    return Err(format!("it said {sent:?}"));
                }
                if self.asked.patterns.are_monotone() {
                    let (whole, _) = oracle::dialogue(&self.asked, &[&answer.bytes], answer.end);
                    assert_eq!(whole, expected, "the model itself depends on the pieces");
                }
                expected
            }
        };
        Ok((expected, seen, can))
    }

    fn secured(&mut self, random: &mut Rng, answer: &Answer) -> Result<(Outcome, Verdict, bool), String> {
        let mut peer = self.peer.take().expect("hands were shaken");
        peer.hear(&mut self.out).map_err(|error| error.to_string())?;
        if matches!(self.asked.service, AskedService::Http(_)) {
            self.out = peer.heard();
            self.check_request()?;
        }
        peer.say(&split(random, &answer.bytes, 40));
        let says_goodbye = answer.end == End::Fin && random.percent(60);
        let hangs_up = !says_goodbye || random.percent(50);
        if says_goodbye {
            peer.connection.send_close_notify();
        }
        let wire = peer.wire();
        // A session that is closed is closed, whether the connection is or not.
        let end = if hangs_up { answer.end } else { End::Silence };
        let (seen, can) = self.feed(&split(random, &wire, usize::MAX), end);
        self.peer = Some(peer);
        let expected = match &self.asked.service {
            AskedService::Http(http) => oracle::http(&self.asked, http, answer),
            AskedService::Dialogue { .. } => oracle::dialogue(&self.asked, &[&answer.bytes], answer.end).0,
        };
        Ok((expected, seen, can))
    }

    /// Feeds pieces and an end; the verdict, and whether the connection can serve again. Behind a success
    /// the rest is read for the sake of the connection, as the loop does.
    fn feed(&mut self, pieces: &[&[u8]], end: End) -> (Verdict, bool) {
        let mut verdict = None;
        for piece in pieces {
            self.tick();
            let step = self.machine.bytes(piece, &mut self.out, self.now);
            verdict = verdict.or(done(step));
            let goes_on = verdict == Some(Verdict::Success) && self.asked.reuses();
            if verdict.is_some() && !(goes_on && self.machine.may_serve_again()) {
                break;
            }
        }
        let can = self.machine.can_serve_again();
        let verdict = verdict.unwrap_or_else(|| match end {
            End::Fin => done(self.machine.eof(&mut self.out)).unwrap_or(Verdict::Failure(
                // As the loop does with a machine that leaves it open.
                hfm::verdict::Cause::Closed(self.machine.stage()),
            )),
            End::Silence => self.machine.expired(),
        });
        (verdict, can)
    }
}
