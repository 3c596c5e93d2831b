//! What a watch draws: the whole picture each time, over the one before, in one write. It stands on the
//! terminal's other screen, so that everything is back when it ends (xterm's 1049).

use std::fmt::Write as _;
use std::time::Duration;

use super::super::columns::{Place, cut};
use super::super::command_line::Task;
use super::super::render::Renderer;
use super::super::times::{self, Local};
use super::super::view::{Paint, Size, View};
use crate::control::protocol::Request;
use crate::line::Harmless;
use crate::now::Now;

/// The other screen, no cursor, no wrapping, nothing on it.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Trouble takes no more than one line out of so many.
const TROUBLE_SHARE: usize = 4;

/// What there is to draw.
#[derive(Debug)]
pub(super) struct Shown {
    /// The last answer that there was.
    pub(super) renderer: Renderer,
    /// When it came.
    pub(super) at: Now,
    /// What is wrong since then.
    pub(super) trouble: Option<String>,
}

/// The terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    is_entered: bool,
}

impl Screen {
    /// What is to be written, whole, for this to be seen.
    pub(super) fn draw(
        &mut self,
        shown: &Shown,
        task: &Task,
        every: Duration,
        view: View,
        now: Now,
    ) -> String {
        let mut out = String::new();
        if !self.is_entered {
            self.is_entered = true;
            out.push_str(ENTER);
        }
        let size = view.terminal.unwrap_or_default();
        // Not the last column: erasing the rest of a line would erase it too.
        let size = Size { columns: size.columns.saturating_sub(1).max(1), rows: size.rows };
        let view = View { terminal: Some(size), ..view };
        let mut lines =
            vec![view.colour.paint(Paint::Head, &cut(&title(task, every, shown), size.columns, Place::End))];
        let trouble = shown.trouble.as_deref().unwrap_or_default();
        for line in trouble
            .lines()
            .flat_map(|line| wrapped(line, size.columns))
            .take(size.rows.div_ceil(TROUBLE_SHARE))
        {
            lines.push(view.colour.paint(Paint::Bad, &line));
        }
        lines.push(String::new());
        let room = size.rows.saturating_sub(lines.len());
        let body = shown.renderer.excerpt(times::seconds(now), view, room);
        lines.extend(body.lines().map(str::to_owned));
        lines.truncate(size.rows);
        out.push_str("\x1b[H");
        for (index, line) in lines.iter().enumerate() {
            let end = if index + 1 < lines.len() { "\r\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(out, "{line}\x1b[K{end}");
        }
        out.push_str("\x1b[J");
        out
    }

    /// What is to be written for the terminal to be as it was.
    pub(super) fn leave(&mut self) -> &'static str {
        if std::mem::take(&mut self.is_entered) { LEAVE } else { "" }
    }
}

fn title(task: &Task, every: Duration, shown: &Shown) -> String {
    let mut rules = String::new();
    if let Request::Status { rules: Some(asked) } = &task.request {
        rules = format!(" {}", Harmless(asked));
    }
    let since = if shown.trouble.is_some() { "last answer" } else { "at" };
    format!("hfmctl status{rules}, every {} s, {since} {}", every.as_secs_f64(), Local(shown.at.wall))
}

/// A text in lines of no more than so many characters.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is one at least");
        let length = last.chars().count();
        if length > 0 && length + 1 + word.chars().count() > columns {
            lines.push(cut(word, columns, Place::End));
        } else {
            let blank = if length > 0 { " " } else { "" };
            *last = cut(&format!("{last}{blank}{word}"), columns, Place::End);
        }
    }
    lines
}
