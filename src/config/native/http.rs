//! The request of an HTTP probe, and what its response has to be.

use std::ops::RangeInclusive;

use super::super::diagnose::Wrong;
use super::super::properties::Setting;
use super::super::render::quoted;
use super::super::scheme::{Feature, Scheme};
use super::super::url::Url;
use super::chosen::Chosen;
use super::{Alikes, Protocol, dialogue};
use crate::rule::{HeaderPattern, Http, HttpVersion, Page, Passage, Patterns, Service};

/// `http://host[:port]/path?query`
pub(super) const HTTP: Protocol = Protocol {
    scheme: Scheme { name: "http", default_port: Some(80), features: &[Feature::Network, Feature::Http] },
    service,
};

/// `https://host[:port]/path?query`
pub(super) const HTTPS: Protocol = Protocol {
    scheme: Scheme {
        name: "https",
        default_port: Some(443),
        features: &[Feature::Network, Feature::Tls, Feature::Http],
    },
    service,
};

/// `http+unix:///path:/uri`
pub(super) const HTTP_UNIX: Protocol = Protocol {
    scheme: Scheme { name: "http+unix", default_port: None, features: &[Feature::Http] },
    service,
};

/// Longest method, in bytes; the longest that is registered has 17.
const METHOD_BYTES_MAX: usize = 32;

/// The status codes that count as success when the file does not say.
const STATUS_DEFAULT: RangeInclusive<u16> = 200..=399;

/// Ranges of status codes at most; there are no more codes.
const RANGES_MAX: usize = 900;

fn service(alikes: &mut Alikes, chosen: &Chosen<'_>, url: &Passage, parts: &Url) -> Option<Service> {
    let page = Page::within(url, &parts.authority, &parts.target);
    Some(Service::Http(page, alikes.requests.share(http(chosen)?)))
}

/// The request of a rule, and what its response has to be.
fn http(chosen: &Chosen<'_>) -> Option<Http> {
    let owned = |(name, value): (&str, &str)| (Box::from(name), Box::from(value));
    let headers: Option<Vec<_>> =
        chosen.texts(Setting::HttpHeaders).iter().map(|text| header(&text.text).ok().map(owned)).collect();
    let patterns_of = |setting, name| -> Option<Vec<HeaderPattern>> {
        chosen.texts(setting).iter().map(|text| header_pattern(name, &text.text).ok()).collect()
    };
    let status = match chosen.text(Setting::HttpStatus) {
        Some(text) => status(text).ok()?,
        None => vec![STATUS_DEFAULT],
    };
    Some(Http {
        method: chosen.text(Setting::HttpMethod).unwrap_or("GET").into(),
        version: match chosen.text(Setting::HttpVersion) {
            Some(text) => version(text).ok()?,
            None => HttpVersion::V11,
        },
        headers: headers?,
        body: chosen.text(Setting::HttpBody).map(Box::from),
        status,
        expect_header: patterns_of(Setting::ExpectHeader, "expect_header")?,
        reject_header: patterns_of(Setting::RejectHeader, "reject_header")?,
        patterns: body_patterns(chosen),
        reuse: chosen.boolean(Setting::Reuse).unwrap_or_default(),
    })
}

/// Patterns on the body. A HEAD that is closer to the rule than they are does without them: its response has
/// none.
fn body_patterns(chosen: &Chosen<'_>) -> Patterns {
    let mut patterns = dialogue::patterns(chosen);
    if chosen.text(Setting::HttpMethod) != Some("HEAD") {
        return patterns;
    }
    let of_method = chosen.distance(Setting::HttpMethod);
    let drops = |setting| chosen.distance(setting) > of_method;
    for (setting, list) in [
        (Setting::Expect, &mut patterns.expect),
        (Setting::ExpectRegex, &mut patterns.expect_regex),
        (Setting::Reject, &mut patterns.reject),
        (Setting::RejectRegex, &mut patterns.reject_regex),
    ] {
        if drops(setting) {
            list.clear();
        }
    }
    patterns
}

/// A token (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

pub(super) fn method(text: &str) -> Result<(), Wrong> {
    if !is_token(text) || text.len() > METHOD_BYTES_MAX {
        let message = format!("{} is not a method", quoted(text));
        let help = format!("a method is a word such as GET or HEAD, of at most {METHOD_BYTES_MAX} letters");
        return Err(Wrong::new(message).help(help));
    }
    if text.eq_ignore_ascii_case("CONNECT") {
        let help = "it asks a proxy for a tunnel; probe the proxy's port with tcp:// and a dialogue instead";
        return Err(Wrong::new("the method CONNECT cannot be probed").help(help));
    }
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"];
    match KNOWN.iter().find(|known| known.eq_ignore_ascii_case(text) && **known != text) {
        Some(known) => {
            let message =
                format!("{} is not the method {known}: letter case counts in methods", quoted(text));
            Err(Wrong::new(message).help(format!("write {known}")))
        }
        None => Ok(()),
    }
}

pub(super) fn version(text: &str) -> Result<HttpVersion, Wrong> {
    match text {
        "1.0" => Ok(HttpVersion::V10),
        "1.1" => Ok(HttpVersion::V11),
        _ => Err(Wrong::new(format!("{} is not a version of HTTP that is spoken", quoted(text)))
            .help("it is 1.0 or 1.1")),
    }
}

/// A field of the request: its name and its value.
pub(super) fn header(text: &str) -> Result<(&str, &str), Wrong> {
    let (name, value) = named(text, "value")?;
    let value = value.trim_end_matches([' ', '\t']);
    const OURS: [&str; 3] = ["Content-Length", "Transfer-Encoding", "Connection"];
    if let Some(ours) = OURS.iter().find(|ours| ours.eq_ignore_ascii_case(name)) {
        return Err(Wrong::new(format!("hfm sets the header {ours} itself")).help("take it away"));
    }
    if value.contains(|c: char| c.is_ascii_control()) {
        return Err(Wrong::new(format!("the value of the header {} has a control character", quoted(name))));
    }
    Ok((name, value))
}

/// `Name: REGEX`.
pub(super) fn header_pattern(property: &str, text: &str) -> Result<HeaderPattern, Wrong> {
    let (name, regex) = named(text, "REGEX").map_err(|wrong| {
        let help = format!("write {property} = 'Name: REGEX'");
        wrong.help(help)
    })?;
    Ok(HeaderPattern { name: name.into(), regex: regex.into() })
}

/// What stands before the first colon, a token, and what stands after it, without the blanks before that.
fn named<'t>(text: &'t str, what: &str) -> Result<(&'t str, &'t str), Wrong> {
    let form = format!("write it as \"Name: {what}\"");
    let Some((name, rest)) = text.split_once(':') else {
        return Err(Wrong::new(format!("{} has no ':' after the header's name", quoted(text))).help(form));
    };
    if !is_token(name) {
        return Err(Wrong::new(format!("{} is not the name of a header", quoted(name))).help(form));
    }
    Ok((name, rest.trim_start_matches([' ', '\t'])))
}

/// Codes and ranges of codes.
pub(super) fn status(text: &str) -> Result<Vec<RangeInclusive<u16>>, Wrong> {
    let parts = text.split([',', ' ', '\t']).filter(|part| !part.is_empty());
    let ranges = parts.map(range).collect::<Result<Vec<_>, _>>()?;
    match ranges.len() {
        0 => Err(Wrong::new("there is no status code").help("write codes and ranges, as in \"200,301-302\"")),
        1..=RANGES_MAX => Ok(ranges),
        _ => Err(Wrong::new(format!("there are more than {RANGES_MAX} ranges of status codes"))),
    }
}

fn range(part: &str) -> Result<RangeInclusive<u16>, Wrong> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (Some(first), Some(last)) = (code(first), code(last)) else {
        let wrong = Wrong::new(format!("{} is not a status code, nor a range of them", quoted(part)));
        let hundred = part.as_bytes().first().filter(|_| part.len() == 3 && part.ends_with("xx"));
        return Err(match hundred {
            Some(digit @ b'2'..=b'9') => {
                let digit = char::from(*digit);
                wrong.help(format!("write {digit}00-{digit}99"))
            }
            Some(_) | None => wrong.help("write codes from 200 to 999 and ranges, as in \"200,301-302\""),
        });
    };
    if first < 200 {
        let message = format!("{} has codes below 200, which never are the answer", quoted(part));
        return Err(Wrong::new(message).help("interim responses are skipped; begin at 200"));
    }
    if last < first {
        let message = format!("the range {} goes backwards", quoted(part));
        return Err(Wrong::new(message).help(format!("write {last}-{first}")));
    }
    Ok(first..=last)
}

/// Three digits.
fn code(text: &str) -> Option<u16> {
    let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|code| is_code && *code >= 100)
}

/// Ranges as [`status`] reads them.
pub(in crate::config) fn status_text(ranges: &[RangeInclusive<u16>]) -> String {
    let words: Vec<String> = ranges
        .iter()
        .map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        })
        .collect();
    words.join(",")
}
