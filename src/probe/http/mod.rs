//! HTTP/1.x: one request, and a response of which as much is read as the outcome needs.
//!
//! ```text
//!   connected --> Head --- status not wanted, field missing, malformed --> failure
//!                  | ^         (known from the status line on)
//!                  | '-- interim response (1xx), skipped
//!                  |---- no patterns ------------------------------------> success
//!                  v
//!                 Body --- patterns certain, or the end of it -----------> success or failure
//! ```
//!
//! With `reuse` the rest of a response is read after the verdict, so that the connection can serve again.

mod body;
mod head;
mod request;

use std::fmt;
use std::ops::RangeInclusive;

use httparse::Header;
use regex::bytes::Regex;

use super::patterns::{Compiled, Found, Patterns, Search, Sight, keep, shown};
use super::{Output, Step};
use crate::rule::{self, HeaderPattern, Page};
use crate::verdict::{Cause, Stage, Text, Verdict};
use body::Framing;
use head::{Bounds, Extent, HEAD_BYTES_MAX, Head};
use request::Request;

/// Memory that a rule keeps for its next response.
const KEPT_BYTES_MAX: usize = 8 * 1024;
/// Switching Protocols (RFC 9110 section 15.2.2): an interim response after which no other comes.
const SWITCHING_PROTOCOLS: u16 = 101;

/// A request and what its response has to be, compiled.
#[derive(Debug)]
pub(super) struct Plan {
    request: Request,
    is_head_request: bool,
    status: Box<[RangeInclusive<u16>]>,
    /// `status` in words.
    wanted: Text,
    expect_header: Box<[PlannedHeader]>,
    reject_header: Box<[PlannedHeader]>,
    patterns: Patterns,
    pub(super) reuse: bool,
}

#[derive(Debug)]
struct PlannedHeader {
    name: Box<str>,
    regex: Regex,
    detail: Text,
}

/// What is wrong with what came, as HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Malformed {
    NotHttp,
    HeadTooLong,
    Head(httparse::Error),
    Length,
    ChunkSize,
    ChunkEnd,
    ChunkLine,
    Trailer,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("the answer does not begin with HTTP/1."),
            Self::HeadTooLong => {
                write!(f, "the response head is longer than {} KiB", HEAD_BYTES_MAX / 1024)
            }
            Self::Head(error) => write!(f, "the response head is malformed: {error}"),
            Self::Length => f.write_str("Content-Length is not one number"),
            Self::ChunkSize => f.write_str("the size of a chunk is not a hexadecimal number"),
            Self::ChunkEnd => f.write_str("a chunk is longer than its size"),
            Self::ChunkLine => f.write_str("the lines around the chunks are too long"),
            Self::Trailer => f.write_str("the end of the chunks is malformed"),
        }
    }
}

impl From<Malformed> for Verdict {
    fn from(malformed: Malformed) -> Self {
        Self::Failure(Cause::HttpProtocol(malformed.to_string().into()))
    }
}

impl Plan {
    pub(super) fn compile(
        http: &rule::Http,
        compiled: &mut Compiled,
    ) -> Result<Self, (&'static str, String)> {
        let mut headers = |list: &[HeaderPattern], property, fault: &str| -> Result<Box<[_]>, _> {
            let plan = |header: &HeaderPattern| {
                let regex = compiled.regex(&header.regex);
                let regex = regex.map_err(|why| (property, format!("{}: {why}", shown(&header.regex))))?;
                let detail = format!("{fault} header {}: {}", header.name, shown(&header.regex)).into();
                Ok(PlannedHeader { name: header.name.clone(), regex, detail })
            };
            list.iter().map(plan).collect()
        };
        let expect_header = headers(&http.expect_header, "expect_header", "no")?;
        let reject_header = headers(&http.reject_header, "reject_header", "rejected")?;
        let in_words = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
            (start, end) if start == end => start.to_string(),
            (start, end) => format!("{start}-{end}"),
        };
        Ok(Self {
            request: Request::new(http),
            is_head_request: &*http.method == "HEAD",
            status: http.status.clone().into(),
            wanted: http.status.iter().map(in_words).collect::<Vec<_>>().join(",").into(),
            expect_header,
            reject_header,
            patterns: Patterns::compile(&http.patterns, compiled)?,
            reuse: http.reuse,
        })
    }

    fn status_fault(&self, status: u16) -> Option<Cause> {
        let is_wanted = self.status.iter().any(|range| range.contains(&status));
        (!is_wanted).then(|| Cause::HttpStatus { seen: status, wanted: self.wanted.clone() })
    }

    /// What is wrong with a head.
    fn head_fault(&self, status: u16, fields: &[Header<'_>]) -> Option<Cause> {
        let matches = |header: &PlannedHeader| {
            let named = |field: &&Header<'_>| field.name.eq_ignore_ascii_case(&header.name);
            fields.iter().filter(named).any(|field| header.regex.is_match(&head::unfolded(field.value)))
        };
        let missing = || self.expect_header.iter().find(|header| !matches(header));
        let rejected = || self.reject_header.iter().find(|header| matches(header));
        self.status_fault(status)
            .or_else(|| missing().or_else(rejected).map(|header| Cause::Header(header.detail.clone())))
    }
}

/// One exchange under way.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    place: Place,
    /// What has come of the head.
    head: Vec<u8>,
    bounds: Bounds,
    /// Bytes of interim heads.
    interim_bytes: usize,
    /// What has come of the body, as far as patterns look at it.
    body: Vec<u8>,
    search: Search,
    /// Bytes of the answer, all told.
    received: u64,
    /// Whether the server lets the connection stay.
    keeps: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Head,
    Body(Framing),
    Complete,
    /// Nothing more can be made of this connection.
    Broken,
}

impl Exchange {
    /// Begins anew.
    pub(super) fn restart(&mut self) {
        self.place = Place::Head;
        self.bounds = Bounds::default();
        self.interim_bytes = 0;
        self.search.restart();
        self.received = 0;
        self.keeps = false;
        for buffer in [&mut self.head, &mut self.body] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES_MAX);
        }
    }

    #[expect(clippy::unused_self, reason = "one of three calls that every machine has")]
    pub(super) fn connected(&mut self, plan: &Plan, page: &Page, out: &mut Output) -> Step {
        plan.request.write(page, out);
        Step::Continue
    }

    pub(super) fn bytes(&mut self, plan: &Plan, input: &[u8]) -> Step {
        self.received += input.len() as u64;
        let step = match self.place {
            Place::Head => self.take_head(plan, input),
            Place::Body(_) => self.take_body(plan, input),
            Place::Complete | Place::Broken => {
                self.place = Place::Broken;
                Ok(Step::Continue)
            }
        };
        step.unwrap_or_else(|malformed| {
            self.place = Place::Broken;
            Step::Done(malformed.into())
        })
    }

    pub(super) fn eof(&mut self, plan: &Plan) -> Step {
        let closed = |stage| Step::Done(Verdict::Failure(Cause::Closed(stage)));
        match std::mem::replace(&mut self.place, Place::Broken) {
            Place::Head if self.received == 0 => closed(Stage::Request),
            Place::Body(Framing::UntilClose) => self.search_body(plan, Sight::Whole),
            Place::Body(_) => match self.settle(plan) {
                Step::Continue => closed(Stage::Response),
                done @ Step::Done(_) => done,
            },
            Place::Head | Place::Complete | Place::Broken => closed(Stage::Response),
        }
    }

    /// The deadline has come: what is in the body by now may be enough.
    pub(super) fn expired(&mut self, plan: &Plan) -> Step {
        match self.place {
            Place::Body(_) => self.settle(plan),
            Place::Head | Place::Complete | Place::Broken => Step::Continue,
        }
    }

    /// Bytes of the answer received so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// After the verdict: whether the connection can serve another exchange.
    pub(super) fn can_serve_again(&self) -> bool {
        self.place == Place::Complete && self.keeps
    }

    /// After the verdict: whether it is worth reading the rest of the answer.
    pub(super) fn may_serve_again(&self) -> bool {
        self.keeps && matches!(self.place, Place::Body(_) | Place::Complete)
    }

    fn take_head(&mut self, plan: &Plan, input: &[u8]) -> Result<Step, Malformed> {
        self.head.extend_from_slice(input);
        loop {
            match self.bounds.look(&self.head)? {
                Extent::Beginning | Extent::Fields => return Ok(Step::Continue),
                Extent::StatusLine(bytes) => {
                    let status = head::status(&self.head[..bytes])?;
                    let is_interim = (100..200).contains(&status) && status != SWITCHING_PROTOCOLS;
                    if let Some(cause) = plan.status_fault(status).filter(|_| !is_interim) {
                        return Ok(self.fails(cause));
                    }
                }
                Extent::Whole(bytes) => {
                    let look = |status, fields: &[Header<'_>]| plan.head_fault(status, fields);
                    let (head, fault) = head::read(&self.head[..bytes], plan.is_head_request, look)?;
                    if (100..200).contains(&head.status) && head.status != SWITCHING_PROTOCOLS {
                        self.interim_bytes += head.bytes;
                        if self.interim_bytes > HEAD_BYTES_MAX {
                            return Err(Malformed::HeadTooLong);
                        }
                        self.head.drain(..bytes);
                        self.bounds = Bounds::default();
                        continue;
                    }
                    return match fault {
                        Some(cause) => Ok(self.fails(cause)),
                        None => self.begin_body(plan, head, bytes),
                    };
                }
            }
        }
    }

    fn begin_body(&mut self, plan: &Plan, head: Head, bytes: usize) -> Result<Step, Malformed> {
        self.keeps = head.keeps && plan.reuse;
        let Some(framing) = head.framing else {
            // More than there may be: what follows would be taken for the next answer.
            self.place = if self.head.len() == bytes { Place::Complete } else { Place::Broken };
            return Ok(self.search_body(plan, Sight::Whole));
        };
        self.place = Place::Body(framing);
        let all = std::mem::take(&mut self.head);
        let step = self.take_body(plan, &all[bytes..]);
        self.head = all;
        // Without patterns the outcome is certain now; the rest is only read for the sake of the connection.
        if plan.patterns.is_empty() { Ok(Step::Done(Verdict::Success)) } else { step }
    }

    fn take_body(&mut self, plan: &Plan, input: &[u8]) -> Result<Step, Malformed> {
        let Place::Body(framing) = &mut self.place else { return Ok(Step::Continue) };
        let bytes_max = if plan.patterns.is_empty() { 0 } else { plan.patterns.bytes_max };
        let body = &mut self.body;
        let taken = match framing.take(input, &mut |content| keep(body, content, bytes_max)) {
            Ok(taken) => taken,
            Err(malformed) => {
                self.place = Place::Broken;
                return match self.settle(plan) {
                    Step::Continue => Err(malformed),
                    done @ Step::Done(_) => Ok(done),
                };
            }
        };
        if taken.complete {
            self.place = if taken.bytes == input.len() { Place::Complete } else { Place::Broken };
        }
        let is_whole = taken.complete || self.body.len() == bytes_max;
        Ok(self.search_body(plan, if is_whole { Sight::Whole } else { Sight::Growing }))
    }

    /// Of this body nothing more comes, and it is not whole: the outcome may be certain all the same, from
    /// bytes that have not been searched yet.
    fn settle(&mut self, plan: &Plan) -> Step {
        if plan.patterns.is_empty() {
            return Step::Continue;
        }
        let is_full = self.body.len() == plan.patterns.bytes_max;
        let sight = if is_full { Sight::Whole } else { Sight::Growing };
        match self.search.look_now(&plan.patterns, &self.body, sight) {
            Found::Open => Step::Continue,
            Found::Holds => Step::Done(Verdict::Success),
            Found::Fails(cause) => self.fails(cause),
        }
    }

    fn search_body(&mut self, plan: &Plan, sight: Sight) -> Step {
        if plan.patterns.is_empty() {
            return Step::Done(Verdict::Success);
        }
        match self.search.look(&plan.patterns, &self.body, sight) {
            Found::Open => Step::Continue,
            Found::Holds => Step::Done(Verdict::Success),
            Found::Fails(cause) => self.fails(cause),
        }
    }

    fn fails(&mut self, cause: Cause) -> Step {
        self.keeps = false;
        Step::Done(Verdict::Failure(cause))
    }
}

#[cfg(test)]
mod tests;
