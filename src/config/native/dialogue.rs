//! `send`, `send_hex`, `dialogue` and the patterns: what is said on a plain connection.

use super::super::diagnose::Wrong;
use super::super::escape;
use super::super::properties::Setting;
use super::super::render::quoted;
use super::super::scheme::{Feature, Scheme};
use super::super::url::Url;
use super::chosen::Chosen;
use super::{Alikes, Protocol};
use crate::rule::{Dialogue, DialogueStep, Passage, Patterns, Service};

/// `tcp://host:port`
pub(super) const TCP: Protocol = Protocol {
    scheme: Scheme { name: "tcp", default_port: None, features: &[Feature::Network, Feature::Dialogue] },
    service,
};

/// `tls://host:port`
pub(super) const TLS: Protocol = Protocol {
    scheme: Scheme {
        name: "tls",
        default_port: None,
        features: &[Feature::Network, Feature::Tls, Feature::Dialogue],
    },
    service,
};

/// `unix:///path`
pub(super) const UNIX: Protocol =
    Protocol { scheme: Scheme { name: "unix", default_port: None, features: &[Feature::Dialogue] }, service };

/// Longest text to send or to expect, in bytes, escapes undone.
const BYTES_MAX: usize = 64 * 1024;

fn service(alikes: &mut Alikes, chosen: &Chosen<'_>, _url: &Passage, _parts: &Url) -> Option<Service> {
    Some(Service::Dialogue(alikes.dialogues.share(dialogue(chosen)?)))
}

/// What is said, of a rule.
fn dialogue(chosen: &Chosen<'_>) -> Option<Dialogue> {
    let steps: Option<Vec<DialogueStep>> =
        chosen.texts(Setting::Dialogue).iter().map(|text| step(&text.text).ok()).collect();
    let send = match (chosen.text(Setting::Send), chosen.text(Setting::SendHex)) {
        (Some(text), _) => escape::unescaped(text).ok()?,
        (None, Some(digits)) => escape::from_hex(digits).ok()?,
        (None, None) => Box::default(),
    };
    Some(Dialogue { send, steps: steps?, patterns: patterns(chosen) })
}

/// What the reply is searched for.
pub(super) fn patterns(chosen: &Chosen<'_>) -> Patterns {
    let bytes_max = chosen.number(Setting::MaxBody).and_then(|number| usize::try_from(number).ok());
    Patterns {
        expect: chosen.strings(Setting::Expect),
        expect_regex: chosen.strings(Setting::ExpectRegex),
        reject: chosen.strings(Setting::Reject),
        reject_regex: chosen.strings(Setting::RejectRegex),
        bytes_max: bytes_max.unwrap_or(Patterns::BYTES_MAX_DEFAULT),
    }
}

/// One step. A single blank ends its word; whatever else stands there belongs to the text.
pub(super) fn step(text: &str) -> Result<DialogueStep, Wrong> {
    const HELP: &str = "a step is \"send TEXT\", \"expect TEXT\" or \"expect_regex PATTERN\"";
    let Some((word, rest)) = text.split_once(' ').filter(|(_, rest)| !rest.is_empty()) else {
        return Err(Wrong::new(format!("{} is no step of a dialogue", quoted(text))).help(HELP));
    };
    let name = "dialogue";
    match word {
        "send" => Ok(DialogueStep::Send(bounded(name, escape::unescaped(rest)?)?)),
        "expect" => Ok(DialogueStep::Expect(bounded(name, escape::unescaped(rest)?)?)),
        "expect_regex" if rest.len() <= BYTES_MAX => Ok(DialogueStep::ExpectRegex(rest.into())),
        "expect_regex" => Err(Wrong::new(format!("'{name}' has a text longer than {BYTES_MAX} bytes"))),
        _ => Err(Wrong::new(format!("{} is no step of a dialogue", quoted(text))).help(HELP)),
    }
}

/// Bytes that are not too many.
pub(super) fn bounded(name: &str, bytes: Box<[u8]>) -> Result<Box<[u8]>, Wrong> {
    if bytes.len() > BYTES_MAX {
        return Err(Wrong::new(format!("'{name}' has a text longer than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}
