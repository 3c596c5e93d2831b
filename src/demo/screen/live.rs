//! The view that is redrawn in place. It uses a handful of the oldest escapes (ECMA-48: CUU, EL, ED, SGR;
//! DEC: cursor and wrapping off), keeps within the terminal's size, and tells nothing by colour alone.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use super::story::{Backend, Story};
use super::times::Took;
use crate::health::State;

/// Events shown.
const EVENTS_MAX: usize = 8;
/// Lines of the view beside the backends and the events.
const FRAME_LINES: usize = 8;
/// A cell of a backend's history stands for this long.
const CELL: Duration = Duration::from_millis(500);
/// Cells kept; on a wide terminal a minute.
const CELLS_MAX: usize = 120;

const BEGIN: &str = "\x1b[?25l\x1b[?7l";
const END: &str = "\x1b[0m\x1b[?7h\x1b[?25h";
const CLEAR: &str = "\x1b[H\x1b[2J";

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Its size.
    pub size: Size,
    /// Whether it is to be coloured.
    pub colour: Colour,
    /// What it can write.
    pub glyphs: Glyphs,
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    columns: usize,
    rows: usize,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// Characters that a terminal can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Those of UTF-8.
    Unicode,
    /// Those of ASCII.
    Ascii,
}

impl Size {
    /// A size as the system tells it; 0 is as good as unknown.
    pub fn new(columns: u16, rows: u16) -> Self {
        let known = |number: u16, other| if number == 0 { other } else { usize::from(number) };
        Self { columns: known(columns, 80), rows: known(rows, 24) }
    }
}

impl Default for Size {
    /// That of the oldest ones: 80 by 24.
    fn default() -> Self {
        Self::new(0, 0)
    }
}

/// The view, and what is on the terminal now.
#[derive(Debug)]
pub(super) struct Live {
    view: View,
    /// Lines above the cursor that are ours.
    drawn: usize,
    stage: Stage,
    events: VecDeque<String>,
    /// States of each backend, the newest last.
    histories: Vec<VecDeque<Mark>>,
    /// Cells that the histories have had so far.
    cells: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Running,
    Over,
}

/// What there is to say of a backend's state, in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Unknown,
    Up,
    Down,
    /// Down, and still in the table.
    Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    Plain,
    Bold,
    Dim,
    Of(Mark),
}

/// A line in parts, each with its paint.
type Line = Vec<(Paint, String)>;

impl Live {
    pub(super) fn new(view: View, backends: usize) -> Self {
        let histories = vec![VecDeque::new(); backends];
        Self { view, drawn: 0, stage: Stage::Before, events: VecDeque::new(), histories, cells: 0 }
    }

    /// Takes over what an event added.
    pub(super) fn told(&mut self, lines: &[String]) {
        self.events.extend(lines.iter().map(|line| line.trim_end().to_owned()));
        let surplus = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..surplus);
    }

    /// The whole view over what is there of it.
    pub(super) fn draw(&mut self, story: &Story, at: Duration) -> String {
        let mut out = String::new();
        match self.stage {
            Stage::Before => out.push_str(BEGIN),
            Stage::Running => {}
            Stage::Over => return out,
        }
        self.stage = Stage::Running;
        self.remember(story, at);
        if self.drawn > 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, "\x1b[{}A", self.drawn);
        }
        let mut lines = self.compose(story, at);
        // The cursor stands on the line below; what is above the terminal could not be drawn again.
        lines.truncate(self.view.size.rows.saturating_sub(1).max(1));
        for line in &lines {
            out.push('\r');
            self.render(line, &mut out);
            out.push_str("\x1b[K\r\n");
        }
        out.push_str("\x1b[J");
        self.drawn = lines.len();
        out
    }

    pub(super) fn size(&self) -> Size {
        self.view.size
    }

    /// What has to be done before a view of another size is drawn.
    pub(super) fn resize(&mut self, size: Size) -> String {
        self.view.size = size;
        if self.stage != Stage::Running {
            return String::new();
        }
        // Where a terminal put the lines that it broke anew is not known.
        self.drawn = 0;
        CLEAR.to_owned()
    }

    /// The terminal as it was before.
    pub(super) fn end(&mut self) -> &'static str {
        let was = std::mem::replace(&mut self.stage, Stage::Over);
        if was == Stage::Running { END } else { "" }
    }

    /// Fills the histories up to now with the states of now.
    fn remember(&mut self, story: &Story, at: Duration) {
        let wanted = at.as_nanos() / CELL.as_nanos() + 1;
        let new = wanted.saturating_sub(self.cells);
        self.cells = self.cells.max(wanted);
        let new = usize::try_from(new).unwrap_or(CELLS_MAX).min(CELLS_MAX);
        for (history, backend) in self.histories.iter_mut().zip(&story.backends) {
            let mark = mark(backend);
            if new == 0
                && let Some(last) = history.back_mut()
            {
                *last = worse(*last, mark);
            }
            history.extend(std::iter::repeat_n(mark, new));
            let surplus = history.len().saturating_sub(CELLS_MAX);
            history.drain(..surplus);
        }
    }

    fn compose(&self, story: &Story, at: Duration) -> Vec<Line> {
        let mut lines = vec![
            vec![
                (Paint::Bold, "hfm demo".to_owned()),
                (Paint::Plain, "  backends break and heal; the table holds those that work".to_owned()),
            ],
            Line::new(),
        ];
        self.compose_backends(story, &mut lines);
        lines.extend([Line::new(), vec![(Paint::Bold, format!("  {}", story.table()))], Line::new()]);
        // Where there is little room, the older events go first.
        let room = self.view.size.rows.saturating_sub(1 + FRAME_LINES + story.backends.len());
        let shown = room.min(EVENTS_MAX);
        let skipped = self.events.len().saturating_sub(shown);
        lines.extend(self.events.iter().skip(skipped).map(|event| vec![(Paint::Plain, event.clone())]));
        lines.extend((self.events.len() - skipped..shown).map(|_| Line::new()));
        let end = match story.cast.until {
            Some(until) => format!("of {:.1} s; Ctrl-C ends it sooner", until.as_secs_f64()),
            None => "so far; Ctrl-C ends it".to_owned(),
        };
        lines.extend([Line::new(), vec![(Paint::Dim, format!("  {:.1} s {end}", at.as_secs_f64()))]]);
        lines
    }

    fn compose_backends(&self, story: &Story, lines: &mut Vec<Line>) {
        let rows = story.cast.backends.iter().map(|shown| (shown.name.as_str(), shown.address.to_string()));
        let rows: Vec<_> = rows.collect();
        let widest = |least: usize, widths: &mut dyn Iterator<Item = usize>| {
            widths.map(|width| width.min(40)).max().unwrap_or_default().max(least)
        };
        let name_width = widest(7, &mut rows.iter().map(|(name, _)| name.chars().count()));
        let address_width = widest(7, &mut rows.iter().map(|(_, address)| address.len()));
        let columns = |name: &str, address: &str, trouble: &str| {
            format!("  {name:<name_width$}  {address:<address_width$}  {trouble:<19}  ")
        };
        let header = columns("backend", "address", "what is wrong");
        lines.push(vec![(Paint::Dim, format!("{header}{:<9}  {:>8}  lately", "state", "found in"))]);
        for (((name, address), backend), history) in rows.iter().zip(&story.backends).zip(&self.histories) {
            let mark = mark(backend);
            let state = format!("{} {}", self.glyph(mark), word(mark));
            let found = backend.detected.map_or_else(String::new, |took| Took(took).to_string());
            let mut line = vec![
                (Paint::Plain, columns(name, address, backend.behaviour.trouble())),
                (Paint::Of(mark), format!("{state:<9}")),
                (Paint::Plain, format!("  {found:>8}  ")),
            ];
            let used: usize = line.iter().map(|(_, text)| text.chars().count()).sum();
            let room = self.width().saturating_sub(used);
            let skipped = history.len().saturating_sub(room);
            for cell in history.iter().skip(skipped) {
                line.push((Paint::Of(*cell), self.cell(*cell).to_string()));
            }
            lines.push(line);
        }
    }

    /// Columns that are written to: not the last, where erasing the rest of a line would erase it too.
    fn width(&self) -> usize {
        self.view.size.columns.saturating_sub(1).max(1)
    }

    /// A line as the terminal gets it, cut where it would be too wide.
    fn render(&self, line: &Line, out: &mut String) {
        let whole: usize = line.iter().map(|(_, text)| text.chars().count()).sum();
        let is_cut = whole > self.width();
        let mut room = self.width() - usize::from(is_cut);
        let mut last = Paint::Plain;
        for (paint, text) in line {
            let part: String = text.chars().take(room).collect();
            room -= part.chars().count();
            if part.is_empty() {
                continue;
            }
            if self.view.colour == Colour::On && *paint != last {
                out.push_str(escape(*paint));
                last = *paint;
            }
            out.push_str(&part);
        }
        if last != Paint::Plain {
            out.push_str(escape(Paint::Plain));
        }
        if is_cut {
            out.push(self.of(('…', '~')));
        }
    }

    fn glyph(&self, mark: Mark) -> char {
        self.of(match mark {
            Mark::Unknown => ('?', '?'),
            Mark::Up => ('●', '+'),
            Mark::Down => ('○', '-'),
            Mark::Held => ('◐', '!'),
        })
    }

    fn cell(&self, mark: Mark) -> char {
        self.of(match mark {
            Mark::Unknown => ('·', '.'),
            Mark::Up => ('█', '#'),
            Mark::Down => ('▁', '_'),
            Mark::Held => ('▄', '!'),
        })
    }

    fn of(&self, (unicode, ascii): (char, char)) -> char {
        match self.view.glyphs {
            Glyphs::Unicode => unicode,
            Glyphs::Ascii => ascii,
        }
    }
}

fn mark(backend: &Backend) -> Mark {
    match backend.state {
        State::Unknown => Mark::Unknown,
        State::Success => Mark::Up,
        State::Fail if backend.is_held => Mark::Held,
        State::Fail => Mark::Down,
    }
}

/// Of two states within one cell, the one that must not go unseen.
fn worse(one: Mark, other: Mark) -> Mark {
    match (one, other) {
        (Mark::Down, _) | (_, Mark::Down) => Mark::Down,
        (Mark::Held, _) | (_, Mark::Held) => Mark::Held,
        (Mark::Up, _) | (_, Mark::Up) => Mark::Up,
        (Mark::Unknown, Mark::Unknown) => Mark::Unknown,
    }
}

fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Unknown => "unknown",
        Mark::Up => "up",
        Mark::Down => "down",
        Mark::Held => "held in",
    }
}

/// Each begins with a reset, so that none depends on the one before.
fn escape(paint: Paint) -> &'static str {
    match paint {
        Paint::Plain => "\x1b[0m",
        Paint::Bold => "\x1b[0;1m",
        Paint::Dim => "\x1b[0;2m",
        Paint::Of(Mark::Up) => "\x1b[0;32m",
        Paint::Of(Mark::Down) => "\x1b[0;31m",
        Paint::Of(Mark::Held | Mark::Unknown) => "\x1b[0;33m",
    }
}
