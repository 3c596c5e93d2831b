//! The status page: one file, made of its parts when the program starts, and the policy that lets a browser run
//! these parts and nothing else.
//!
//! The parts are in `page/`. It holds no data: what it shows it reads from `/api/v1/status` and
//! `/api/v1/events`, and puts into the page as text alone.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

/// The frame, with a place for the style and one for the scripts.
const FRAME: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
/// In this order, in one scope: a script may use what those before it define, and in its functions what any does.
const SCRIPTS: &[&str] = &[
    include_str!("page/words.js"),
    include_str!("page/dom.js"),
    include_str!("page/graphs.js"),
    include_str!("page/model.js"),
    include_str!("page/head.js"),
    include_str!("page/rows.js"),
    include_str!("page/rules.js"),
    include_str!("page/detail.js"),
    include_str!("page/tables.js"),
    include_str!("page/events.js"),
    include_str!("page/live.js"),
    include_str!("page/main.js"),
];
const STYLE_PLACE: &str = "@STYLE@";
const SCRIPT_PLACE: &str = "@SCRIPT@";

/// The page as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The file: HTML in UTF-8.
    pub body: Box<[u8]>,
    /// The value of its `Content-Security-Policy` (CSP level 3): only its own style and script, by their hashes,
    /// and requests to where it came from.
    pub policy: String,
}

/// Makes the page of its parts; always the same.
pub fn page() -> Page {
    let style = pack(STYLE);
    let mut script = "(()=>{\"use strict\";\n".to_owned();
    for part in SCRIPTS {
        script.push_str(&pack(part));
    }
    script.push_str("})();");
    let mut policy = "default-src 'none'".to_owned();
    // A String takes everything.
    let _ = write!(policy, "; script-src '{}'; style-src '{}'", hash(&script), hash(&style));
    policy.push_str(
        "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    let body = pack(FRAME).replace(STYLE_PLACE, &style).replace(SCRIPT_PLACE, &script);
    Page { body: body.into_bytes().into_boxed_slice(), policy }
}

/// A part without indentation, empty lines and lines of comment: a third less to send. No text in the parts goes
/// over several lines.
fn pack(part: &str) -> String {
    let mut packed = String::with_capacity(part.len());
    for line in part.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        packed.push_str(line);
        packed.push('\n');
    }
    packed
}

/// The hash of a style or script, as a policy names it (CSP level 3, section 2.3.1).
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests;
