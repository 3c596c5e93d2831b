//! What a probe asks for, drawn.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hfm::rule::{
    Dialogue, DialogueStep, HeaderPattern, Http, HttpVersion, Network, Page, Peer, Probe, ProxyVersion,
    Service, Tls, TlsVersion,
};

use crate::pattern::{Pattern, Patterns};
use crate::random::Rng;

/// A probe of which the model knows what it asks.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) service: AskedService,
    pub(crate) patterns: Patterns,
    pub(crate) proxy: Option<ProxyVersion>,
    pub(crate) is_secured: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum AskedService {
    Http(AskedHttp),
    Dialogue { send: &'static str, steps: Vec<Step> },
}

#[derive(Clone, Debug)]
pub(crate) struct AskedHttp {
    pub(crate) is_head: bool,
    pub(crate) status: Vec<u16>,
    /// `X-State: ^up$`
    pub(crate) expects_state: bool,
    /// `Warning: bad`
    pub(crate) rejects_warning: bool,
    pub(crate) reuse: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Send(&'static str),
    Expect(Pattern),
}

impl Asked {
    pub(crate) fn draw(random: &mut Rng, is_secured: bool) -> Self {
        let mut patterns = Patterns::draw(random);
        let service = if random.percent(70) {
            AskedService::Http(AskedHttp {
                is_head: random.percent(10),
                status: if random.percent(90) { vec![200, 204, 302, 304] } else { vec![404, 503] },
                expects_state: random.percent(10),
                rejects_warning: random.percent(10),
                reuse: random.percent(40),
            })
        } else {
            // Of records that come at once a dialogue sees one reply: only the order of bytes counts there.
            while is_secured && !patterns.are_monotone() {
                patterns = Patterns::draw(random);
            }
            let steps = (0..random.below(4)).map(|_| Step::draw(random)).collect();
            AskedService::Dialogue { send: random.pick(&["", "hello\r\n"]), steps }
        };
        let proxy = match random.below(10) {
            0 => Some(ProxyVersion::V1),
            1 => Some(ProxyVersion::V2),
            _ => None,
        };
        Self { service, patterns, proxy, is_secured }
    }

    pub(crate) fn probe(&self) -> Probe {
        let service = match &self.service {
            AskedService::Http(http) => {
                Service::Http(Page::new("web.example.com", "/"), self.http(http).into())
            }
            AskedService::Dialogue { send, steps } => Service::Dialogue(
                Dialogue {
                    send: send.as_bytes().into(),
                    steps: steps.iter().map(|step| step.rule()).collect(),
                    patterns: self.patterns.rule(),
                }
                .into(),
            ),
        };
        Probe {
            url: "test".into(),
            peer: Peer::Address(IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
            network: Network { proxy_protocol: self.proxy, ..Network::default() }.into(),
            timeout: Duration::from_secs(1),
            service,
            tls: self.is_secured.then(tls).map(Box::new),
        }
    }

    fn http(&self, asked: &AskedHttp) -> Http {
        let header = |name: &str, regex: &str, wanted: bool| -> Vec<HeaderPattern> {
            let pattern = HeaderPattern { name: name.into(), regex: regex.into() };
            wanted.then_some(pattern).into_iter().collect()
        };
        Http {
            method: if asked.is_head { "HEAD" } else { "GET" }.into(),
            version: HttpVersion::V11,
            headers: Vec::new(),
            body: None,
            status: asked.status.iter().map(|status| *status..=*status).collect(),
            expect_header: header("X-State", "^up$", asked.expects_state),
            reject_header: header("warning", "bad", asked.rejects_warning),
            patterns: self.patterns.rule(),
            reuse: asked.reuse,
        }
    }

    pub(crate) fn reuses(&self) -> bool {
        matches!(&self.service, AskedService::Http(http) if http.reuse)
    }
}

impl Step {
    fn draw(random: &mut Rng) -> Self {
        match random.below(5) {
            0 | 1 => Self::Send(random.pick(&["HELO\r\n", "PING"])),
            2 => Self::Expect(Pattern::Class),
            _ => Self::Expect(Pattern::text(random)),
        }
    }

    fn rule(self) -> DialogueStep {
        match self {
            Self::Send(text) => DialogueStep::Send(text.as_bytes().into()),
            Self::Expect(Pattern::Text(text)) => DialogueStep::Expect(text.as_bytes().into()),
            Self::Expect(pattern) => DialogueStep::ExpectRegex(pattern.written().into()),
        }
    }
}

/// TLS as all servers here that are in order speak it.
pub(crate) fn tls() -> Tls {
    Tls {
        verify: true,
        name: "web.example.com".into(),
        ca: Some("ca.pem".into()),
        alpn: Vec::new(),
        min: TlsVersion::V12,
        client: None,
        expiry: Duration::ZERO,
        resume: false,
        contents: 0,
    }
}
