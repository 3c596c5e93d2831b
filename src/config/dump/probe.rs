//! A native probe as the settings that make it.

use std::fmt::{self, Write};
use std::time::Duration;

use super::super::escape::escaped;
use super::super::native::{peer_of, status_text};
use super::super::scheme::Feature;
use super::super::target::{Target, classify};
use super::super::url;
use super::{Quoted, write_interval};
use crate::rule::{
    Close, Dialogue, DialogueStep, Family, HeaderPattern, Http, HttpVersion, Network, Patterns, Peer, Probe,
    ProxyVersion, Service, Tls, TlsVersion,
};

/// Writes `test` and everything that goes with it.
pub(super) fn write(out: &mut String, probe: &Probe) -> fmt::Result {
    text(out, "test", &probe.url)?;
    interval(out, "timeout", probe.timeout)?;
    if !matches!(probe.peer, Peer::Local(_)) {
        write_network(out, probe)?;
    }
    word(
        out,
        "proxy_protocol",
        match probe.network.proxy_protocol {
            None => "none",
            Some(ProxyVersion::V1) => "v1",
            Some(ProxyVersion::V2) => "v2",
        },
    )?;
    match &probe.service {
        Service::Dialogue(dialogue) => {
            if is_scripted(&probe.url) {
                write_script(out, dialogue)?;
            }
            write_patterns(out, &dialogue.patterns)?;
        }
        Service::Http(_, http) => write_http(out, http)?,
    }
    match &probe.tls {
        Some(tls) => write_tls(out, tls),
        None => Ok(()),
    }
}

/// Whether it is the file that says what is said; else the scheme does.
fn is_scripted(url: &str) -> bool {
    matches!(classify(url), Target::Probe(protocol, _) if protocol.scheme.has(Feature::Dialogue))
}

fn write_network(out: &mut String, probe: &Probe) -> fmt::Result {
    if let Target::Probe(protocol, rest) = classify(&probe.url)
        && let Ok(url) = url::parse(&protocol.scheme, rest)
        && peer_of(&url.place) != probe.peer
    {
        let place = match &probe.peer {
            Peer::Address(address, port) => std::net::SocketAddr::new(*address, *port).to_string(),
            Peer::Name(name, port) => format!("{name}:{port}"),
            Peer::Local(path) => path.to_string(),
        };
        text(out, "connect", &place)?;
    }
    let Network { family, resolve, source, interface, fib, mark, proxy_protocol: _, close } = &*probe.network;
    interval(out, "resolve", *resolve)?;
    word(
        out,
        "family",
        match family {
            Family::Any => "any",
            Family::V4 => "4",
            Family::V6 => "6",
        },
    )?;
    if let Some(source) = source {
        text(out, "source", &source.to_string())?;
    }
    if let Some(interface) = interface {
        text(out, "interface", interface)?;
    }
    if let Some(fib) = fib {
        word(out, "fib", &fib.to_string())?;
    }
    if let Some(mark) = mark {
        word(out, "mark", &mark.to_string())?;
    }
    word(
        out,
        "close",
        match close {
            Close::Reset => "reset",
            Close::Fin => "fin",
        },
    )
}

fn write_script(out: &mut String, dialogue: &Dialogue) -> fmt::Result {
    if !dialogue.send.is_empty() {
        text(out, "send", &escaped(&dialogue.send))?;
    }
    texts(
        out,
        "dialogue",
        dialogue.steps.iter().map(|step| match step {
            DialogueStep::Send(bytes) => format!("send {}", escaped(bytes)),
            DialogueStep::Expect(bytes) => format!("expect {}", escaped(bytes)),
            DialogueStep::ExpectRegex(regex) => format!("expect_regex {regex}"),
        }),
    )
}

fn write_http(out: &mut String, http: &Http) -> fmt::Result {
    text(out, "http_method", &http.method)?;
    word(
        out,
        "http_version",
        match http.version {
            HttpVersion::V10 => "1.0",
            HttpVersion::V11 => "1.1",
        },
    )?;
    texts(out, "http_headers", http.headers.iter().map(|(name, value)| format!("{name}: {value}")))?;
    if let Some(body) = &http.body {
        text(out, "http_body", body)?;
    }
    text(out, "http_status", &status_text(&http.status))?;
    let pattern = |of: &HeaderPattern| format!("{}: {}", of.name, of.regex);
    texts(out, "expect_header", http.expect_header.iter().map(pattern))?;
    texts(out, "reject_header", http.reject_header.iter().map(pattern))?;
    write_patterns(out, &http.patterns)?;
    boolean(out, "reuse", http.reuse)
}

fn write_patterns(out: &mut String, patterns: &Patterns) -> fmt::Result {
    texts(out, "expect", patterns.expect.iter())?;
    texts(out, "expect_regex", patterns.expect_regex.iter())?;
    texts(out, "reject", patterns.reject.iter())?;
    texts(out, "reject_regex", patterns.reject_regex.iter())?;
    word(out, "max_body", &patterns.bytes_max.to_string())
}

fn write_tls(out: &mut String, tls: &Tls) -> fmt::Result {
    boolean(out, "tls_verify", tls.verify)?;
    text(out, "tls_name", &tls.name)?;
    if let Some(ca) = &tls.ca {
        text(out, "tls_ca", ca)?;
    }
    texts(out, "tls_alpn", tls.alpn.iter())?;
    word(
        out,
        "tls_min",
        match tls.min {
            TlsVersion::V12 => "1.2",
            TlsVersion::V13 => "1.3",
        },
    )?;
    if let Some((cert, key)) = &tls.client {
        text(out, "tls_cert", cert)?;
        text(out, "tls_key", key)?;
    }
    interval(out, "tls_expiry", tls.expiry)?;
    boolean(out, "tls_resume", tls.resume)
}

/// Something that needs no quotes.
fn word(out: &mut String, name: &str, word: &str) -> fmt::Result {
    writeln!(out, "    {name} = {word};")
}

fn boolean(out: &mut String, name: &str, truth: bool) -> fmt::Result {
    word(out, name, if truth { "yes" } else { "no" })
}

fn interval(out: &mut String, name: &str, interval: Duration) -> fmt::Result {
    write_interval(out, name, interval)
}

fn text(out: &mut String, name: &str, text: &str) -> fmt::Result {
    writeln!(out, "    {name} = {};", Quoted(text))
}

/// A list; an empty one is left out.
fn texts<T: AsRef<str>>(out: &mut String, name: &str, texts: impl Iterator<Item = T>) -> fmt::Result {
    let texts: Vec<String> = texts.map(|text| Quoted(text.as_ref()).to_string()).collect();
    if texts.is_empty() {
        return Ok(());
    }
    writeln!(out, "    {name} = [{}];", texts.join(", "))
}
