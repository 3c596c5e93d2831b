//! What an answer comes to, by the words of RFC 9110, RFC 9112 and the interface page: written over all of
//! its bytes at once, and knowing nothing of how they come or of the machines.

use crate::answer::{Answer, End};
use crate::asked::{Asked, AskedHttp, AskedService, Step};
use crate::fields::{Fields, fields, status_line};

/// Bytes of one head, and of the interim heads before it.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) reason: &'static str,
    /// Whether the connection can serve another run, once all of the answer has come and it stays open.
    pub(crate) serves_again: bool,
}

impl Outcome {
    fn of(reason: &'static str) -> Self {
        Self { reason, serves_again: false }
    }
}

fn unfinished(end: End) -> Outcome {
    Outcome::of(if end == End::Fin { "closed" } else { "timeout-response" })
}

/// What an HTTP answer comes to.
pub(crate) fn http(asked: &Asked, http: &AskedHttp, answer: &Answer) -> Outcome {
    let (mut rest, mut interim_bytes) = (answer.bytes.as_slice(), 0);
    loop {
        let beginning = b"HTTP/1.";
        let known = rest.len().min(beginning.len());
        if rest[..known] != beginning[..known] {
            return Outcome::of("http-protocol");
        }
        let Some(line_end) = line_end(rest, 0) else {
            return if rest.len() > HEAD_BYTES_MAX {
                Outcome::of("http-protocol")
            } else {
                unfinished(answer.end)
            };
        };
        let status = status_line(&rest[..line_end]).filter(|_| line_end <= HEAD_BYTES_MAX);
        let Some((minor, status)) = status else { return Outcome::of("http-protocol") };
        let is_interim = (100..200).contains(&status) && status != 101;
        if !is_interim && !http.status.contains(&status) {
            return Outcome::of("http-status");
        }
        let Some(head_end) = head_end(rest, line_end) else {
            return if rest.len() > HEAD_BYTES_MAX {
                Outcome::of("http-protocol")
            } else {
                unfinished(answer.end)
            };
        };
        let fields = fields(&rest[line_end..head_end]);
        let Some(fields) = fields.filter(|_| head_end <= HEAD_BYTES_MAX) else {
            return Outcome::of("http-protocol");
        };
        rest = &rest[head_end..];
        if is_interim {
            interim_bytes += head_end;
            if interim_bytes > HEAD_BYTES_MAX {
                return Outcome::of("http-protocol");
            }
            continue;
        }
        return after_head(asked, http, &fields, minor, status, rest, answer.end);
    }
}

fn line_end(text: &[u8], from: usize) -> Option<usize> {
    text[from..].iter().position(|byte| *byte == b'\n').map(|at| from + at + 1)
}

fn head_end(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let end = line_end(text, from)?;
        if matches!(&text[from..end], b"\n" | b"\r\n") {
            return Some(end);
        }
        from = end;
    }
}

/// How the length of a body is known (RFC 9112 section 6.3).
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

fn after_head(
    asked: &Asked,
    http: &AskedHttp,
    fields: &Fields,
    minor: u8,
    status: u16,
    rest: &[u8],
    end: End,
) -> Outcome {
    let Some(framing) = framing(http, fields, status) else { return Outcome::of("http-protocol") };
    let is_up = fields.lines("x-state").any(|value| value == b"up");
    let is_bad = fields.lines("warning").any(|value| value.windows(3).any(|text| text == b"bad"));
    if http.expects_state && !is_up || http.rejects_warning && is_bad {
        return Outcome::of("header");
    }
    let keeps = http.reuse && !matches!(framing, Framing::UntilClose) && keeps(fields, minor);
    let body = body(&framing, rest);
    let reason = body_reason(asked, &framing, &body, end);
    let ends_cleanly = body.ended == Ended::Complete && body.left == 0;
    Outcome { reason, serves_again: keeps && ends_cleanly }
}

fn framing(http: &AskedHttp, fields: &Fields, status: u16) -> Option<Framing> {
    if http.is_head || status < 200 || status == 204 || status == 304 {
        return Some(Framing::Length(0));
    }
    let codings = fields.members("transfer-encoding");
    if let Some(last) = codings.iter().rev().find(|coding| !coding.is_empty()) {
        let is_chunked = last.eq_ignore_ascii_case(b"chunked");
        return Some(if is_chunked { Framing::Chunked } else { Framing::UntilClose });
    }
    let lengths = fields.members("content-length");
    let Some(first) = lengths.first() else { return Some(Framing::UntilClose) };
    let number = |text: &[u8]| -> Option<u64> {
        let is_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        is_digits.then(|| std::str::from_utf8(text).expect("digits").parse().ok()).flatten()
    };
    let first = number(first)?;
    lengths.iter().all(|length| number(length) == Some(first)).then_some(Framing::Length(first))
}

/// RFC 9112 section 9.3, and 6.1 for codings in HTTP/1.0.
fn keeps(fields: &Fields, minor: u8) -> bool {
    let options = fields.members("connection");
    let has = |wanted: &[u8]| options.iter().any(|option| option.eq_ignore_ascii_case(wanted));
    let is_doubtful = minor == 0 && !fields.members("transfer-encoding").is_empty();
    !has(b"close") && !is_doubtful && (minor == 1 || has(b"keep-alive"))
}

/// What of a body has come.
pub(crate) struct Body {
    pub(crate) content: Vec<u8>,
    pub(crate) ended: Ended,
    /// Bytes behind it.
    pub(crate) left: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Complete,
    Open,
    Malformed,
}

fn body(framing: &Framing, rest: &[u8]) -> Body {
    match framing {
        Framing::UntilClose => Body { content: rest.to_vec(), ended: Ended::Open, left: 0 },
        Framing::Length(length) => {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            let ended = if rest.len() >= length { Ended::Complete } else { Ended::Open };
            let content = rest[..rest.len().min(length)].to_vec();
            Body { left: rest.len() - content.len(), content, ended }
        }
        Framing::Chunked => crate::chunks::decode(rest),
    }
}

fn body_reason(asked: &Asked, framing: &Framing, body: &Body, end: End) -> &'static str {
    let patterns = &asked.patterns;
    if patterns.is_empty() {
        return "ok";
    }
    let seen = &body.content[..body.content.len().min(patterns.bytes_max)];
    let closes_it = matches!(framing, Framing::UntilClose) && end == End::Fin;
    if body.ended == Ended::Complete || seen.len() == patterns.bytes_max || closes_it {
        return patterns.judge_whole(seen);
    }
    if patterns.is_certainly_rejected(seen) {
        return "pattern-rejected";
    }
    let is_there = |pattern: &crate::pattern::Pattern| !pattern.speaks_of_the_end() && pattern.is_in(seen);
    if patterns.reject.is_empty() && patterns.expect.iter().all(is_there) {
        return "ok";
    }
    match (body.ended, end) {
        (Ended::Malformed, _) => "http-protocol",
        (_, End::Fin) => "closed",
        (_, End::Silence) => "timeout-response",
    }
}

/// What a dialogue comes to, whose reply arrives in these pieces, and what was sent by then.
pub(crate) fn dialogue(asked: &Asked, pieces: &[&[u8]], end: End) -> (Outcome, Vec<u8>) {
    let AskedService::Dialogue { send, steps } = &asked.service else { unreachable!("it is a dialogue") };
    let patterns = &asked.patterns;
    let (mut sent, mut reply, mut next, mut from) = (send.as_bytes().to_vec(), Vec::new(), 0, 0);
    for piece in [&[][..]].iter().chain(pieces) {
        reply.extend_from_slice(piece);
        reply.truncate(patterns.bytes_max);
        let is_full = reply.len() == patterns.bytes_max;
        while let Some(step) = steps.get(next) {
            match step {
                Step::Send(text) => sent.extend_from_slice(text.as_bytes()),
                Step::Expect(pattern) => match pattern.find(&reply, from) {
                    Some(found) => from = found,
                    None => break,
                },
            }
            next += 1;
        }
        if next < steps.len() {
            if is_full {
                return (Outcome::of("pattern-missing"), sent);
            }
            continue;
        }
        if patterns.is_empty() {
            return (Outcome::of("ok"), sent);
        }
        if reply.is_empty() {
            continue;
        }
        let whole = patterns.judge_whole(&reply);
        let is_missing = !patterns.expect.iter().all(|pattern| pattern.is_in(&reply));
        let is_open = is_missing && !is_full && !patterns.is_certainly_rejected(&reply);
        if !is_open {
            return (Outcome::of(whole), sent);
        }
    }
    let reason = match end {
        End::Silence => "timeout-response",
        End::Fin if reply.is_empty() || next < steps.len() => "closed",
        End::Fin => patterns.judge_whole(&reply),
    };
    (Outcome::of(reason), sent)
}
