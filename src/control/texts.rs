//! What a client may write into a request, beyond what the types say; and its text in our own words.

use std::fmt;

use super::protocol::{BY_CHARACTERS_MAX, FOR_MS_MAX, REASON_CHARACTERS_MAX, RULES_CHARACTERS_MAX, Request};

/// Judges the texts and times of a request.
///
/// # Errors
/// The first that cannot be taken, in words.
pub(super) fn judge(request: &Request) -> Result<(), String> {
    match request {
        Request::Drain { rules, for_ms, reason, by, force: _ }
        | Request::Disable { rules, for_ms, reason, by }
        | Request::Set { rules, to: _, for_ms, reason, by } => {
            name("rules", Some(rules))?;
            text("reason", reason.as_deref(), REASON_CHARACTERS_MAX)?;
            text("by", by.as_deref(), BY_CHARACTERS_MAX)?;
            time(*for_ms)
        }
        Request::Enable { rules, by } => {
            name("rules", Some(rules))?;
            text("by", by.as_deref(), BY_CHARACTERS_MAX)
        }
        Request::Status { rules } => name("rules", rules.as_deref()),
        Request::Run { rules } => name("rules", Some(rules)),
        Request::Tables { tables } => name("tables", tables.as_deref()),
        Request::Reload {}
        | Request::Reconcile {}
        | Request::Events {}
        | Request::Stats {}
        | Request::Log { .. }
        | Request::Stop {} => Ok(()),
    }
}

/// A name or a glob. Control characters are let through: no rule has any, so it matches none.
fn name(member: &str, text: Option<&str>) -> Result<(), String> {
    match text {
        Some(text) if text.chars().count() > RULES_CHARACTERS_MAX => {
            Err(format!("'{member}' is longer than {RULES_CHARACTERS_MAX} characters"))
        }
        Some(_) | None => Ok(()),
    }
}

fn text(member: &str, text: Option<&str>, characters_max: usize) -> Result<(), String> {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > characters_max {
        return Err(format!("'{member}' is longer than {characters_max} characters"));
    }
    match text.chars().find(|character| character.is_control()) {
        Some(odd) => Err(format!("'{member}' has a control character in it: {}", odd.escape_default())),
        None => Ok(()),
    }
}

fn time(for_ms: Option<u64>) -> Result<(), String> {
    match for_ms {
        Some(0) => Err("'for_ms' is 0; leave it out for no end".to_owned()),
        Some(FOR_MS_MAX..) if for_ms != Some(FOR_MS_MAX) => {
            Err(format!("'for_ms' is more than {FOR_MS_MAX}, ten years; leave it out for no end"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Text of a client in a sentence of ours: the beginning, control characters escaped.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

/// Characters of it that are shown.
const SHOWN_CHARACTERS: usize = 200;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(SHOWN_CHARACTERS) {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        if self.0.chars().nth(SHOWN_CHARACTERS).is_some() { f.write_str("...") } else { Ok(()) }
    }
}
