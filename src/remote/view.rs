//! What stdout can show: how wide it is, and whether in colour.

use std::io;

use crate::sys::terminal;

/// Columns where nobody says how many there are.
const COLUMNS: usize = 80;
/// Rows where nobody says how many there are.
const ROWS: usize = 24;

/// What stdout can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Its columns and rows if it is a terminal.
    pub(super) terminal: Option<Size>,
    /// Whether in colour.
    pub(super) colour: Colour,
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Characters in a line.
    pub(super) columns: usize,
    /// Lines.
    pub(super) rows: usize,
}

/// Whether colours are used. Nothing is told by them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// What a text is, by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// As it should not be.
    Bad,
    /// To be looked at.
    Odd,
    /// A heading.
    Head,
}

impl View {
    /// That of stdout now. `NO_COLOR` (no-color.org) and `TERM=dumb` (or none) ask for no colour.
    pub(super) fn of_stdout(environment: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| environment(name).filter(|value| !value.is_empty());
        let terminal = terminal::size(&io::stdout()).map(|(columns, rows)| Size::new(columns, rows));
        let is_coloured =
            terminal.is_some() && set("NO_COLOR").is_none() && set("TERM").is_some_and(|term| term != "dumb");
        Self { terminal, colour: if is_coloured { Colour::On } else { Colour::Off } }
    }
}

/// Whether stdout is a terminal on which text can be written over.
pub(super) fn can_redraw(environment: impl Fn(&str) -> Option<String>) -> bool {
    let term = environment("TERM").filter(|term| !term.is_empty() && term != "dumb");
    terminal::size(&io::stdout()).is_some() && term.is_some()
}

impl Size {
    /// A size as the system tells it; 0 is as good as unknown.
    fn new(columns: u16, rows: u16) -> Self {
        let known = |number: u16, other| if number == 0 { other } else { usize::from(number) };
        Self { columns: known(columns, COLUMNS), rows: known(rows, ROWS) }
    }
}

impl Default for Size {
    /// That of the oldest ones.
    fn default() -> Self {
        Self { columns: COLUMNS, rows: ROWS }
    }
}

impl Colour {
    /// A text in its colour (ECMA-48, SGR), which ends with it.
    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match (self, paint) {
            (Self::Off, _) | (Self::On, Paint::Plain) => return text.to_owned(),
            (Self::On, Paint::Good) => "32",
            (Self::On, Paint::Bad) => "1;31",
            (Self::On, Paint::Odd) => "33",
            (Self::On, Paint::Head) => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
