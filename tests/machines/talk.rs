//! One machine and one TLS server, with the wire between them in hand.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hfm::now::Now;
use hfm::probe::{Compiler, Conversation, Files, Plan, Step, WallClock};
use hfm::rule::{Dialogue, Http, HttpVersion, Network, Page, Patterns, Peer as Place, Probe, Service, Tls};
use hfm::verdict::Verdict;
use rustls::{HandshakeKind, ServerConfig};

use crate::certificates::{Shelf, wall};
use crate::peer::Peer;
use crate::play::base;

/// A probe over TLS.
pub(crate) fn probe(tls: Tls, service: Service) -> Probe {
    Probe {
        url: "test".into(),
        peer: Place::Name("web.example.com".into(), 443),
        network: Network::default().into(),
        timeout: Duration::from_secs(1),
        service,
        tls: Some(tls.into()),
    }
}

/// The handshake alone.
pub(crate) fn bare() -> Service {
    Service::Dialogue(Dialogue::default().into())
}

/// Something that is sent and asks for no answer.
pub(crate) fn send_only() -> Service {
    Service::Dialogue(Dialogue { send: b"hello"[..].into(), ..Dialogue::default() }.into())
}

/// A GET whose body must have a text in it, if any.
pub(crate) fn https(expect: &[&str], reuse: bool) -> Service {
    let http = Http {
        method: "GET".into(),
        version: HttpVersion::V11,
        headers: Vec::new(),
        body: None,
        status: vec![200..=399],
        expect_header: Vec::new(),
        reject_header: Vec::new(),
        patterns: Patterns {
            expect: expect.iter().map(|text| Box::from(*text)).collect(),
            ..Patterns::default()
        },
        reuse,
    };
    Service::Http(Page::new("web.example.com", "/"), http.into())
}

/// A machine and a server.
pub(crate) struct Talk {
    pub(crate) conversation: Conversation,
    pub(crate) plan: Plan,
    pub(crate) peer: Peer,
    pub(crate) verdict: Option<Verdict>,
    /// What the machine has put on the wire and the server has not heard.
    pub(crate) out: Vec<u8>,
    clock: Arc<WallClock>,
    config: Arc<ServerConfig>,
    now: Now,
    /// Bytes of the server's that the machine is given at a time.
    piece: usize,
}

impl Talk {
    /// A run that has just connected.
    pub(crate) fn new(probe: &Probe, shelf: &Shelf, config: ServerConfig, piece: usize) -> Self {
        Self::with(&mut Compiler::default(), probe, shelf, config, piece)
    }

    /// The same by a compiler that may know such a probe already.
    pub(crate) fn with(
        compiler: &mut Compiler,
        probe: &Probe,
        shelf: &Shelf,
        config: ServerConfig,
        piece: usize,
    ) -> Self {
        let files: &mut dyn Files = &mut shelf.clone();
        let plan = compiler.compile(probe, files).expect("a good probe");
        let (base, clock, config): (Instant, _, _) = (base(), compiler.clock(), Arc::new(config));
        clock.set(wall());
        let mut talk = Self {
            conversation: Conversation::new(&plan, base),
            plan,
            peer: Peer::new(&config),
            verdict: None,
            out: Vec::new(),
            clock,
            config,
            now: Now { mono: base, wall: wall() },
            piece,
        };
        talk.connect();
        talk
    }

    /// The next run, on a connection of its own.
    pub(crate) fn connect(&mut self) {
        self.peer = Peer::new(&self.config);
        self.out.clear();
        self.verdict = None;
        self.conversation.begin(true, self.now.mono);
        let step = self.conversation.connected(&self.plan, None, &mut self.out, self.now);
        assert_eq!(step, Step::Continue, "a handshake comes first");
    }

    /// The next run meets another server.
    pub(crate) fn meet(&mut self, config: ServerConfig) -> &mut Self {
        self.config = Arc::new(config);
        self.connect();
        self.settle()
    }

    /// The wall clock is put forward or back.
    pub(crate) fn clock_is_set(&mut self, wall: SystemTime) {
        self.now.wall = wall;
        self.clock.set(wall);
    }

    pub(crate) fn time_passes(&mut self, time: Duration) {
        self.now = Now { mono: self.now.mono + time, wall: self.now.wall + time };
        self.clock.set(self.now.wall);
    }

    /// Whether the session that was kept may serve another run, by its certificate.
    pub(crate) fn certificate_lasts(&mut self) -> bool {
        self.conversation.certificate_lasts(&self.plan, self.now)
    }

    /// Gives the machine what came over the wire, up to its verdict, as the loop does.
    pub(crate) fn feed(&mut self, wire: &[u8]) {
        for piece in wire.chunks(self.piece) {
            if self.verdict.is_some() && !self.plan.reuses() {
                return;
            }
            let step = self.conversation.bytes(&self.plan, piece, &mut self.out, self.now);
            self.note(step);
        }
    }

    fn note(&mut self, step: Step) {
        if let (None, Step::Done(verdict)) = (&self.verdict, step) {
            self.verdict = Some(verdict);
        }
    }

    /// Lets both speak until neither has anything to say.
    pub(crate) fn settle(&mut self) -> &mut Self {
        loop {
            let spoke = !self.out.is_empty();
            // A server that fails says so on the wire.
            let _ = self.peer.hear(&mut self.out);
            let wire = self.peer.wire();
            if !spoke && wire.is_empty() {
                return self;
            }
            self.feed(&wire);
        }
    }

    pub(crate) fn say(&mut self, text: &str) -> &mut Self {
        self.peer.say(&[text.as_bytes()]);
        self.settle()
    }

    pub(crate) fn say_goodbye(&mut self) -> &mut Self {
        self.peer.connection.send_close_notify();
        self.settle()
    }

    pub(crate) fn fin(&mut self) -> &mut Self {
        if self.verdict.is_none() {
            let step = self.conversation.eof(&self.plan, &mut self.out);
            self.note(step);
        }
        self
    }

    pub(crate) fn deadline(&mut self) -> &mut Self {
        if self.verdict.is_none() {
            self.verdict = self.conversation.expired(&self.plan);
        }
        self
    }

    /// The reason, or `open`.
    pub(crate) fn reason(&self) -> &'static str {
        self.verdict.as_ref().map_or("open", Verdict::reason)
    }

    pub(crate) fn detail(&self) -> String {
        self.verdict.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    pub(crate) fn handshake(&self) -> Option<HandshakeKind> {
        self.peer.connection.handshake_kind()
    }
}
