//! What servers answer, drawn: well-formed, mutated, cut off, and garbage.

use std::fmt::Write;

use crate::asked::{Asked, AskedService};
use crate::random::Rng;

/// How the connection ends behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closes.
    Fin,
    /// The server says nothing more until the deadline.
    Silence,
}

/// An answer in full.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: End,
}

const WORDS: &[&str] = &[
    "ready",
    "error",
    "ok",
    "okay",
    "up",
    "go",
    "gone",
    "aaab",
    "café",
    " ",
    "\r\n",
    "\n",
    "\r",
    "0\r\n\r\n",
    "x",
];
const GARBAGE: &[&str] = &[
    "",
    "SSH-2.0-OpenSSH_9.9\r\n",
    "220 mail.example.com ESMTP ready\r\n",
    "\x15\x03\x01\x00\x02\x02\x46",
    "<html>ok</html>",
    "HTTP/1.1",
    "HTTP/2 200 OK\r\n\r\n",
    "-ERR unknown command\r\n+PONG\r\n",
];

impl Answer {
    pub(crate) fn draw(random: &mut Rng, asked: &Asked) -> Self {
        let mut bytes = match &asked.service {
            AskedService::Http(_) => http(random),
            AskedService::Dialogue { .. } => words(random),
        };
        match random.below(20) {
            0..4 => mutate(random, &mut bytes),
            4 | 5 => bytes.truncate(random.below(bytes.len() + 1)),
            6 => bytes = random.pick(GARBAGE).as_bytes().to_vec(),
            7 => bytes.extend_from_slice(random.pick(&["HTTP/1.1 200 OK\r\n\r\n", "x", "\r\n"]).as_bytes()),
            _ => {}
        }
        let closes = if asked.reuses() { 20 } else { 60 };
        Self { bytes, end: if random.percent(closes) { End::Fin } else { End::Silence } }
    }
}

fn words(random: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.below(14) {
        text.push_str(random.pick(WORDS));
    }
    if random.percent(15) {
        text.push_str(&"-".repeat(random.below(400)));
        text.push_str(random.pick(WORDS));
    }
    text.into_bytes()
}

fn http(random: &mut Rng) -> Vec<u8> {
    let eol = if random.percent(10) { "\n" } else { "\r\n" };
    let mut out = String::new();
    if random.percent(20) {
        for _ in 0..=random.below(2) {
            let status = random.pick(&["100 Continue", "103 Early Hints", "102", "101 Switching Protocols"]);
            // The writes below go to a String and cannot fail.
            let _ = write!(out, "HTTP/1.1 {status}{eol}{}{eol}", fields(random, eol));
        }
        if random.percent(3) {
            let _ = write!(out, "HTTP/1.1 103 ?{eol}A: {}{eol}{eol}", "x".repeat(40_000))
                .map(|()| out = out.repeat(2));
        }
    }
    let version = if random.percent(15) { "1.0" } else { "1.1" };
    let status = random.pick(&[
        "200 OK",
        "200 OK",
        "200 OK",
        "200",
        "204 No Content",
        "302 Found",
        "304 Not Modified",
        "404  Not Found",
        "503 ?",
    ]);
    let _ = write!(out, "HTTP/{version} {status}{eol}{}", fields(random, eol));
    match random.below(200) {
        0 => out.push_str(&format!("A: b{eol}").repeat(120 + random.below(12))),
        1 => {
            let _ = write!(out, "A: {}{eol}", "x".repeat(65_300 + random.below(300)));
        }
        _ => {}
    }
    let body = words(random);
    let mut bytes = out.into_bytes();
    framed(random, &body, eol, &mut bytes);
    bytes
}

fn fields(random: &mut Rng, eol: &str) -> String {
    let mut out = String::new();
    let fold = format!("X-State:{eol} up{eol}");
    let more = format!("X-State: up{eol}\tand down{eol}");
    for _ in 0..random.below(4) {
        out.push_str(random.pick(&[
            fold.as_str(),
            more.as_str(),
            &format!("X-State: up{eol}"),
            &format!("x-state:up \t{eol}"),
            &format!("X-State: down{eol}"),
            &format!("Warning: bad{eol}"),
            &format!("Warning : good{eol}"),
            &format!("Connection: close{eol}"),
            &format!("Connection: Keep-Alive{eol}"),
            &format!("Connection: upgrade, keep-alive{eol}"),
            &format!("Empty:{eol}"),
        ]));
    }
    out
}

/// The fields that frame a body, and the body in that framing.
fn framed(random: &mut Rng, body: &[u8], eol: &str, out: &mut Vec<u8>) {
    let length = body.len();
    let chunked = |random: &mut Rng, out: &mut Vec<u8>, fields: String| {
        out.extend_from_slice(fields.as_bytes());
        out.extend_from_slice(eol.as_bytes());
        chunks(random, body, eol, out);
    };
    match random.below(16) {
        0..6 => out.extend_from_slice(format!("Content-Length: {length}{eol}{eol}").as_bytes()),
        6 | 7 => out.extend_from_slice(eol.as_bytes()),
        8..11 => return chunked(random, out, format!("Transfer-Encoding: chunked{eol}")),
        11 => {
            return chunked(
                random,
                out,
                format!("Content-Length: 3{eol}transfer-encoding: gzip, Chunked{eol}"),
            );
        }
        12 => out.extend_from_slice(format!("Transfer-Encoding: chunked, gzip{eol}{eol}").as_bytes()),
        13 => {
            let other = random.pick(&["5", "18446744073709551616", "-1", "", "x"]);
            let fields = format!("Content-Length: {length}{eol}Content-Length: {other}{eol}{eol}");
            out.extend_from_slice(fields.as_bytes());
        }
        14 => {
            let fields = format!("Content-Length: {length}{eol}Content-Length: {length},{length}{eol}{eol}");
            out.extend_from_slice(fields.as_bytes());
        }
        _ => {
            let length = (length + random.below(7)).saturating_sub(3);
            out.extend_from_slice(format!("Content-Length: {length}{eol}{eol}").as_bytes());
        }
    }
    out.extend_from_slice(body);
}

fn chunks(random: &mut Rng, body: &[u8], eol: &str, out: &mut Vec<u8>) {
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(1 + random.below(rest.len()));
        let extension = random.pick(&["", "", "", ";a=b", " ; a=\"b;c\"", "  "]);
        let zeros = random.pick(&["", "", "000"]);
        out.extend_from_slice(format!("{zeros}{:x}{extension}{eol}", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(eol.as_bytes());
        rest = after;
    }
    let trailers = if random.percent(20) { format!("Ready: ready{eol}") } else { String::new() };
    out.extend_from_slice(format!("0{eol}{trailers}{eol}").as_bytes());
}

fn mutate(random: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let byte = match random.below(3) {
            0 => u8::try_from(random.below(256)).expect("a byte"),
            1 => random.pick(&["\r", "\n", " ", ":", "0", ",", "\0", "f", ";"]).as_bytes()[0],
            _ => bytes.get(random.below(bytes.len().max(1))).copied().unwrap_or_default(),
        };
        match (random.below(3), at < bytes.len()) {
            (0, true) => bytes[at] = byte,
            (1, true) => drop(bytes.remove(at)),
            _ => bytes.insert(at, byte),
        }
    }
}

/// The same bytes in pieces: whole, one byte at a time, or anyhow; `pieces_max` bounds their number.
pub(crate) fn split<'b>(random: &mut Rng, bytes: &'b [u8], pieces_max: usize) -> Vec<&'b [u8]> {
    match random.below(3) {
        0 if !bytes.is_empty() => vec![bytes],
        1 if bytes.len() <= pieces_max.min(3_000) => bytes.chunks(1).collect(),
        _ => {
            let (mut pieces, mut rest) = (Vec::new(), bytes);
            while !rest.is_empty() {
                let most = if random.percent(50) { 8 } else { rest.len() };
                let len = if pieces.len() + 1 >= pieces_max {
                    rest.len()
                } else {
                    (1 + random.below(most)).min(rest.len())
                };
                let (piece, after) = rest.split_at(len);
                pieces.push(piece);
                rest = after;
            }
            pieces
        }
    }
}
