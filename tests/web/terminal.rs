//! As much of a terminal as the demo needs: its text with its colours, and these as a page to be photographed.

use std::fmt::Write as _;

/// What a cell shows, and how: the class of its colour.
type Cell = (char, &'static str);

const BLANK: Cell = (' ', "");
/// What ends each drawing of the view.
const WHOLE: &[u8] = b"\x1b[J";

const HEAD: &str = "<!doctype html><meta charset=utf-8><style>body { margin: 0; background: #0e1217 } \
    pre { margin: 0; display: inline-block; padding: 18px 22px; background: #0e1217; color: #c9d1da; \
    font: 15px/1.25 'DejaVu Sans Mono', monospace } \
    .bold { color: #fff; font-weight: bold } .dim { color: #7d8996 } .red { color: #ff7b72 } \
    .green { color: #56c288 } .amber { color: #e2b551 }</style><pre>";

/// A screen of so many columns and rows, and where its cursor stands.
pub(crate) struct Terminal {
    cells: Vec<Vec<Cell>>,
    columns: usize,
    row: usize,
    column: usize,
    style: &'static str,
    /// What has come, but not yet as whole characters or escapes.
    rest: Vec<u8>,
    is_whole: bool,
}

impl Terminal {
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        let cells = vec![vec![BLANK; columns]; rows];
        Self { cells, columns, row: 0, column: 0, style: "", rest: Vec::new(), is_whole: false }
    }

    /// Takes what a program has written.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        self.is_whole = self.rest.ends_with(WHOLE);
        let whole = std::mem::take(&mut self.rest);
        let text = match std::str::from_utf8(&whole) {
            Ok(text) => text,
            Err(error) => {
                self.rest = whole[error.valid_up_to()..].to_vec();
                std::str::from_utf8(&whole[..error.valid_up_to()]).unwrap()
            }
        };
        let mut left = text;
        while let Some(c) = left.chars().next() {
            left = &left[c.len_utf8()..];
            match c {
                '\r' => self.column = 0,
                '\n' => self.feed_line(),
                '\x1b' => {
                    let Some(end) = left.find(|c: char| c.is_ascii_alphabetic()) else {
                        self.rest.splice(0..0, format!("\x1b{left}").into_bytes());
                        return;
                    };
                    let escape = &left[..=end];
                    left = &left[end + 1..];
                    self.escape(escape.strip_prefix('[').expect("a control sequence"));
                }
                // Wrapping is off while it matters.
                c if self.column < self.columns => {
                    self.cells[self.row][self.column] = (c, self.style);
                    self.column += 1;
                }
                _ => {}
            }
        }
    }

    /// Whether what came last ends a drawing.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(crate) fn text(&self) -> String {
        let lines = self.cells.iter().map(|row| row.iter().map(|(c, _)| *c).collect::<String>());
        lines.map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// The same as a page.
    pub(crate) fn html(&self) -> String {
        let mut html = HEAD.to_owned();
        for row in &self.cells {
            for run in row.chunk_by(|one, other| one.1 == other.1) {
                let text: String = run.iter().map(|(c, _)| *c).collect();
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                // A String takes everything.
                let _ = write!(html, "<span class='{}'>{text}</span>", run[0].1);
            }
            html.push('\n');
        }
        html + "</pre>"
    }

    fn feed_line(&mut self) {
        if self.row + 1 < self.cells.len() {
            self.row += 1;
        } else {
            self.cells.remove(0);
            self.cells.push(vec![BLANK; self.columns]);
        }
    }

    /// A control sequence of ECMA-48 without its introducer.
    fn escape(&mut self, sequence: &str) {
        let (parameters, action) = sequence.split_at(sequence.len() - 1);
        let number = parameters.parse::<usize>().unwrap_or(1);
        match action {
            "A" => self.row = self.row.saturating_sub(number),
            "H" => (self.row, self.column) = (0, 0),
            "K" => self.cells[self.row][self.column..].fill(BLANK),
            "J" if parameters == "2" => self.cells.iter_mut().for_each(|row| row.fill(BLANK)),
            "J" => {
                self.cells[self.row][self.column..].fill(BLANK);
                self.cells[self.row + 1..].iter_mut().for_each(|row| row.fill(BLANK));
            }
            "m" => {
                self.style = match parameters {
                    "0;1" => "bold",
                    "0;2" => "dim",
                    "0;31" => "red",
                    "0;32" => "green",
                    "0;33" => "amber",
                    _ => "",
                }
            }
            // The cursor, and wrapping.
            "h" | "l" => {}
            other => panic!("{parameters}{other} is not known here"),
        }
    }
}
