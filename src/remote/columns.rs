//! Tables of text: columns as wide as what is in them, and cut where a terminal has no room for that.
//!
//! What is not for a terminal is never cut: other programs look for names and reasons in it.

mod width;

pub(super) use width::{cut, width};

use super::view::{Paint, View};
use crate::line::Harmless;

/// Between two columns.
const GAP: usize = 2;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    side: Side,
    give: Give,
}

/// Where in a column its texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// What a column does where there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Give {
    /// It is left out; those of lower ranks first.
    Out { rank: u8 },
    /// It is cut, down to this width, before any is left out; those of lower ranks first.
    Cut { least: usize, rank: u8, place: Place },
    /// It stays as it is.
    Nothing,
}

/// Where a text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In its middle: names that differ do so at one of their ends.
    Middle,
    /// At its end.
    End,
}

/// What stands in a column of a row; nothing that could harm a terminal.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    paint: Paint,
}

/// Columns and rows.
#[derive(Debug)]
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

impl Column {
    /// Words; never cut.
    pub(super) const fn words(title: &'static str) -> Self {
        Self { title, side: Side::Left, give: Give::Nothing }
    }

    /// Numbers, left out where there is no room, lower ranks first.
    pub(super) const fn numbers(title: &'static str, rank: u8) -> Self {
        Self { title, side: Side::Right, give: Give::Out { rank } }
    }

    /// Texts that are cut where there is no room, lower ranks first.
    pub(super) const fn flexible(title: &'static str, least: usize, rank: u8, place: Place) -> Self {
        Self { title, side: Side::Left, give: Give::Cut { least, rank, place } }
    }
}

impl Cell {
    /// A text, whoever it is from.
    pub(super) fn new(text: impl std::fmt::Display, paint: Paint) -> Self {
        Self { text: Harmless(text).to_string(), paint }
    }

    /// A text of no colour.
    pub(super) fn plain(text: impl std::fmt::Display) -> Self {
        Self::new(text, Paint::Plain)
    }
}

impl Grid {
    /// No rows yet, and this many blanks before each.
    pub(super) fn new(columns: &[Column], indent: usize) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), indent }
    }

    /// Adds a row, a cell a column.
    pub(super) fn push(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// The line of titles.
    pub(super) fn head(&self, layout: &Layout, view: View) -> String {
        let titles: Vec<_> = self
            .columns
            .iter()
            .map(|column| Cell { text: column.title.to_owned(), paint: Paint::Head })
            .collect();
        self.line(&titles, layout, view)
    }

    /// A row as a line.
    pub(super) fn row(&self, row: usize, layout: &Layout, view: View) -> String {
        self.line(&self.rows[row], layout, view)
    }

    /// All rows as lines, under their titles.
    pub(super) fn render(&self, view: View) -> String {
        let layout = self.layout(view);
        let rows = (0..self.rows.len()).map(|row| self.row(row, &layout, view));
        std::iter::once(self.head(&layout, view)).chain(rows).collect()
    }

    /// How wide each column is.
    pub(super) fn layout(&self, view: View) -> Layout {
        let widths = self.columns.iter().enumerate().map(|(place, column)| {
            let cells = self.rows.iter().map(|row| width(&row[place].text));
            Some(cells.fold(width(column.title), usize::max))
        });
        let mut layout = Layout { widths: widths.collect() };
        if let Some(size) = view.terminal {
            self.squeeze(&mut layout, size.columns);
        }
        layout
    }

    /// Makes it fit: cuts first, then leaves out.
    fn squeeze(&self, layout: &mut Layout, room: usize) {
        let surplus = |layout: &Layout| (layout.total() + self.indent).saturating_sub(room);
        let ranked = |rank_of: fn(Give) -> Option<u8>| {
            let all = self.columns.iter().enumerate();
            let mut found: Vec<_> =
                all.filter_map(|(place, column)| Some((rank_of(column.give)?, place))).collect();
            found.sort_unstable();
            found.into_iter().map(|(_, place)| place)
        };
        for place in ranked(|give| match give {
            Give::Cut { rank, .. } => Some(rank),
            Give::Out { .. } | Give::Nothing => None,
        }) {
            let Give::Cut { least, .. } = self.columns[place].give else { continue };
            let surplus = surplus(layout);
            if let Some(width) = &mut layout.widths[place] {
                *width = width.saturating_sub(surplus).max(least.min(*width));
            }
        }
        for place in ranked(|give| match give {
            Give::Out { rank } => Some(rank),
            Give::Cut { .. } | Give::Nothing => None,
        }) {
            if surplus(layout) > 0 {
                layout.widths[place] = None;
            }
        }
    }

    /// One line, its end included. Whatever is still too wide for a terminal is cut.
    fn line(&self, cells: &[Cell], layout: &Layout, view: View) -> String {
        let mut out = " ".repeat(self.indent);
        let mut at = self.indent;
        let room = view.terminal.map_or(usize::MAX, |size| size.columns);
        let shown = self.columns.iter().zip(cells).zip(&layout.widths);
        let shown: Vec<_> =
            shown.filter_map(|((column, cell), width)| Some((column, cell, (*width)?))).collect();
        for (index, (column, cell, of_column)) in shown.iter().enumerate() {
            let place = match column.give {
                Give::Cut { place, .. } => place,
                Give::Out { .. } | Give::Nothing => Place::End,
            };
            let text = cut(&cell.text, (*of_column).min(room.saturating_sub(at)), place);
            let blanks = of_column.saturating_sub(width(&text)).min(room.saturating_sub(at));
            at += width(&text) + blanks + GAP;
            let painted = view.colour.paint(cell.paint, &text);
            let is_last = index + 1 == shown.len();
            match column.side {
                Side::Right => out.extend([" ".repeat(blanks), painted]),
                Side::Left if is_last => out.push_str(&painted),
                Side::Left => out.extend([painted, " ".repeat(blanks)]),
            }
            if !is_last && at < room {
                out.push_str(&" ".repeat(GAP));
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
        out
    }
}

/// How wide each column is; `None` for one that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    widths: Vec<Option<usize>>,
}

impl Layout {
    /// Of all columns with what is between them.
    fn total(&self) -> usize {
        let shown = self.widths.iter().flatten();
        shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests;
