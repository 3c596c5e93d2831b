//! Settings of one rule that do not go together, each good by itself.

use super::super::diagnose::{Diagnostic, Wrong};
use super::super::properties::Setting;
use super::super::scheme::{Feature, Scheme};
use super::Builder;
use super::chosen::Chosen;
use crate::rule::{Family, Http, Network, Peer, Probe, Service, Tls};

/// Reports everything in a probe that contradicts itself. The properties are reported by name, so that other
/// judges of a finished probe can report in the same way, with [`Builder::refuse`].
pub(super) fn find(builder: &mut Builder<'_>, chosen: &Chosen<'_>, scheme: &Scheme, probe: &Probe) {
    addresses(builder, chosen, &probe.peer, &probe.network);
    if scheme.has(Feature::Dialogue) {
        sends(builder, chosen);
    }
    if let Service::Http(_, http) = &probe.service {
        request(builder, chosen, http);
    }
    if let Some(tls) = &probe.tls {
        certificates(builder, chosen, tls);
        if matches!(probe.service, Service::Http(..)) && tls.alpn.iter().any(|protocol| &**protocol == "h2") {
            let message = "'tls_alpn' offers h2, and hfm speaks HTTP/1 alone";
            warn(builder, chosen, "tls_alpn", message, "offer \"http/1.1\", or nothing");
        }
    }
}

fn addresses(builder: &mut Builder<'_>, chosen: &Chosen<'_>, peer: &Peer, network: &Network) {
    let of_peer = if chosen.text(Setting::Connect).is_some() { "connect" } else { "test" };
    let family = match network.family {
        Family::Any => None,
        Family::V4 => Some("4"),
        Family::V6 => Some("6"),
    };
    if let Peer::Address(address, _) = peer {
        if let Some(family) = family.filter(|_| !network.family.admits(*address)) {
            let message = format!("'family' is {family}, and {address} in '{of_peer}' is of the other one");
            let help = "take 'family' away: an address has its own";
            builder.refuse(chosen.id, "family", Wrong::new(message).help(help), Some(of_peer));
        }
        if let Some(source) = network.source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
            let message = format!("from 'source' {source} there is no way to {address} in '{of_peer}'");
            let help = "both must be IPv4, or both IPv6; source = \"\" clears an inherited one";
            builder.refuse(chosen.id, "source", Wrong::new(message).help(help), Some(of_peer));
        }
    }
    if let Some(source) = network.source
        && let Some(family) = family.filter(|_| !network.family.admits(source))
    {
        let message = format!("'family' is {family}, and 'source' {source} is of the other one");
        let help = "make them agree; source = \"\" clears an inherited one";
        builder.refuse(chosen.id, "source", Wrong::new(message).help(help), Some("family"));
    }
}

fn sends(builder: &mut Builder<'_>, chosen: &Chosen<'_>) {
    if chosen.text(Setting::Send).is_some() && chosen.text(Setting::SendHex).is_some() {
        let message = "'send' and 'send_hex' are both given, and only one can be sent first";
        let help = "take one away, or clear an inherited one, as in send = \"\"";
        builder.refuse(chosen.id, "send_hex", Wrong::new(message).help(help), Some("send"));
    }
}

fn request(builder: &mut Builder<'_>, chosen: &Chosen<'_>, http: &Http) {
    if &*http.method == "HEAD" {
        let patterns = [
            (!http.patterns.expect.is_empty(), "expect"),
            (!http.patterns.expect_regex.is_empty(), "expect_regex"),
            (!http.patterns.reject.is_empty(), "reject"),
            (!http.patterns.reject_regex.is_empty(), "reject_regex"),
        ];
        for (_, name) in patterns.into_iter().filter(|(given, _)| *given) {
            let message = format!("'{name}' looks into the body, and a response to HEAD has none");
            let help = "use GET, or look into the head with expect_header and reject_header";
            builder.refuse(chosen.id, name, Wrong::new(message).help(help), Some("http_method"));
        }
    }
    let hosts = http.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Host")).count();
    if hosts > 1 {
        let message = "'http_headers' has Host more than once";
        builder.refuse(chosen.id, "http_headers", Wrong::new(message).help("keep one of them"), None);
    }
    if http.body.is_none() {
        return;
    }
    match &*http.method {
        "TRACE" => {
            let message = "a TRACE has no body (RFC 9110 section 9.3.8)";
            let help = "take 'http_body' away; http_body = \"\" clears an inherited one";
            builder.refuse(chosen.id, "http_body", Wrong::new(message).help(help), Some("http_method"));
        }
        method @ ("GET" | "HEAD") => {
            let message = format!("'http_body' is sent with {method}, which servers may refuse");
            let help = "write http_method = POST if that is meant; http_body = \"\" clears an inherited one";
            warn(builder, chosen, "http_body", &message, help);
        }
        _ => {}
    }
}

fn certificates(builder: &mut Builder<'_>, chosen: &Chosen<'_>, tls: &Tls) {
    let given = (chosen.text(Setting::TlsCert).is_some(), chosen.text(Setting::TlsKey).is_some());
    let (has, lacks) = match given {
        (true, false) => ("tls_cert", "tls_key"),
        (false, true) => ("tls_key", "tls_cert"),
        (true, true) | (false, false) => ("", ""),
    };
    if !has.is_empty() {
        let message = format!("'{has}' needs '{lacks}'");
        let help = format!("a client certificate is two files: write {lacks} = \"FILE\" too");
        builder.refuse(chosen.id, has, Wrong::new(message).help(help), None);
    }
    let (verify, ca) = (chosen.distance(Setting::TlsVerify), chosen.distance(Setting::TlsCa));
    if !tls.verify && ca == Some(0) && verify == ca {
        let message = "'tls_ca' has no effect, because 'tls_verify' is no";
        warn(builder, chosen, "tls_ca", message, "take one of the two away");
    }
}

fn warn(builder: &mut Builder<'_>, chosen: &Chosen<'_>, name: &str, message: &str, help: &str) {
    let place = builder.tree.place_of(chosen.id, name);
    let rule = &builder.tree.nodes[chosen.id].name;
    builder.push(Diagnostic::warning(place, rule, message).help(help));
}
