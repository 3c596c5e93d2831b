//! What the demo shows: events in, text out. Pure: no clock, no terminal; whoever calls writes the text.
//!
//! Two forms behind one type: plain lines for a pipe, and a view that is redrawn in place for a terminal.
//! Both say the same sentences. How long detection took is worked out here, from the events alone: from a
//! breakage to the write of the table that lacks its address, and from healing to the one that has it again.

mod live;
mod story;
mod summary;
mod times;

use std::fmt::Write as _;
use std::time::Duration;

use super::behaviour::Behaviour;
use crate::health::State;
use crate::rule::Prefix;
use live::Live;
pub use live::{Colour, Glyphs, Size, View};
use story::Story;

/// A backend as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its rule's name.
    pub name: String,
    /// What the table holds while it is up.
    pub address: Prefix,
}

/// What is known before anything happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The backends; events name them by their place.
    pub backends: Vec<Shown>,
    /// The table's name.
    pub table: String,
    /// `min_up`: how many addresses stay in whatever happens.
    pub min_up: usize,
    /// When the demo ends by itself.
    pub until: Option<Duration>,
}

/// Something that happened. Times count from the start of the demo; a backend that there is not is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The backends are there, and are being tested from now on.
    Started,
    /// A backend was broken.
    Broke {
        /// Which.
        backend: usize,
        /// How.
        behaviour: Behaviour,
        /// When.
        at: Duration,
    },
    /// A backend was healed.
    Healed {
        /// Which.
        backend: usize,
        /// When.
        at: Duration,
    },
    /// hfm changed its mind about a backend.
    Changed {
        /// Which.
        backend: usize,
        /// Its state now.
        to: State,
        /// The reason's name, such as `http-status`.
        reason: &'static str,
        /// The reason in words.
        detail: String,
        /// When.
        at: Duration,
    },
    /// The table was written, or read, and holds this now.
    Written {
        /// All of it.
        contents: Vec<Prefix>,
        /// When.
        at: Duration,
    },
}

/// How things are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line an event.
    Plain,
    /// Redrawn in place.
    Live(View),
}

/// Turns events into text. What each call gives is to be written at once, and whole.
#[derive(Debug)]
pub struct Screen {
    story: Story,
    /// None for plain lines.
    live: Option<Live>,
}

impl Form {
    /// What suits a terminal of this size, by what the environment says of it; `None` for no terminal.
    ///
    /// `TERM=dumb` (or none) asks for plain lines, `NO_COLOR` (no-color.org) for no colour, and
    /// `LC_ALL`, `LC_CTYPE` or `LANG` tell whether the terminal writes UTF-8 (locale(7)).
    pub fn choose(terminal: Option<Size>, environment: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| environment(name).filter(|value| !value.is_empty());
        let (Some(size), Some(term)) = (terminal, set("TERM")) else { return Self::Plain };
        if term == "dumb" {
            return Self::Plain;
        }
        let colour = if set("NO_COLOR").is_some() { Colour::Off } else { Colour::On };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let glyphs = if is_utf8 { Glyphs::Unicode } else { Glyphs::Ascii };
        Self::Live(View { size, colour, glyphs })
    }
}

impl Screen {
    /// Nothing is shown before [`Event::Started`].
    pub fn new(form: Form, cast: Cast) -> Self {
        let live = match form {
            Form::Plain => None,
            Form::Live(view) => Some(Live::new(view, cast.backends.len())),
        };
        Self { story: Story::new(cast), live }
    }

    /// Something happened.
    pub fn take(&mut self, event: &Event) -> String {
        let told = self.story.take(event);
        match &mut self.live {
            Some(live) => {
                live.told(&told);
                live.draw(&self.story, self.story.at)
            }
            None => told.concat(),
        }
    }

    /// Time has passed. Worth calling some ten times a second in a live view; nothing otherwise.
    pub fn tick(&mut self, at: Duration) -> String {
        match &mut self.live {
            Some(live) => live.draw(&self.story, at),
            None => String::new(),
        }
    }

    /// The terminal's size is this now.
    pub fn resize(&mut self, size: Size, at: Duration) -> String {
        match &mut self.live {
            Some(live) if live.size() != size => live.resize(size) + &live.draw(&self.story, at),
            Some(_) | None => String::new(),
        }
    }

    /// The end: the terminal as it was, and what it all came to. Needed however the demo ends.
    pub fn end(&mut self, at: Duration) -> String {
        let mut out = match &mut self.live {
            Some(live) => live.draw(&self.story, at) + live.end(),
            None => String::new(),
        };
        out.push('\n');
        // Writing to a String cannot fail.
        let _ = write!(out, "{}", summary::Summary { story: &self.story, at });
        out
    }
}

#[cfg(test)]
mod tests;
