use super::*;
use crate::remote::view::{Colour, Size};

const COLUMNS: &[Column] = &[
    Column::flexible("RULE", 8, 2, Place::Middle),
    Column::words("STATE"),
    Column::numbers("P50", 2),
    Column::numbers("NEXT", 1),
    Column::flexible("REASON", 6, 1, Place::End),
];

fn grid(rows: &[[&str; 5]]) -> Grid {
    let mut grid = Grid::new(COLUMNS, 0);
    for row in rows {
        grid.push(row.iter().map(Cell::plain).collect());
    }
    grid
}

fn terminal(columns: usize) -> View {
    View { terminal: Some(Size { columns, rows: 24 }), colour: Colour::Off }
}

const PIPE: View = View { terminal: None, colour: Colour::Off };
const ROW: [&str; 5] = ["gateway/backend-number-1", "down", "1.3ms", "0.4s", "timeout-connect"];

#[test]
fn columns_are_as_wide_as_what_is_in_them_and_no_line_ends_in_blanks() {
    assert_eq!(
        grid(&[["a", "up", "1us", "0.4s", "-"], ["bb/cc", "unknown", "12ms", "-", ""]]).render(PIPE),
        "RULE   STATE     P50  NEXT  REASON\n\
         a      up        1us  0.4s  -\n\
         bb/cc  unknown  12ms     -\n"
    );
}

#[test]
fn reasons_are_cut_first_then_names_then_numbers_go() {
    let grid = grid(&[ROW]);
    for (columns, expected) in [
        (80, "gateway/backend-number-1  down   1.3ms  0.4s  timeout-connect"),
        (55, "gateway/backend-number-1  down   1.3ms  0.4s  timeout-…"),
        (50, "gateway/bac…d-number-1  down   1.3ms  0.4s  timeo…"),
        (30, "gate…r-1  down   1.3ms  timeo…"),
        (24, "gate…r-1  down   timeo…"),
        (10, "gate…r-1"),
        (3, "g…1"),
    ] {
        let text = grid.render(terminal(columns));
        let row = text.lines().nth(1).expect("a row");
        assert_eq!(row, expected);
        assert!(text.lines().all(|line| width(line) <= columns), "{columns}: {text}");
    }
}

#[test]
fn a_pipe_gets_it_whole() {
    let long = "x".repeat(300);
    let text = grid(&[[&long, "up", "-", "-", &long]]).render(PIPE);
    assert_eq!(text.matches(&long).count(), 2);
}

#[test]
fn no_text_does_anything_to_a_terminal() {
    let text = grid(&[["a\x1b[2J\nb", "up\u{9b}31m", "\r", "\u{202e}", "\u{7}"]]).render(PIPE);
    assert_eq!(text.lines().count(), 2);
    assert!(!text.contains(|c: char| c != '\n' && crate::line::is_harmful(c)), "{text:?}");
    assert!(text.contains(r"a\u{1b}[2J\nb"), "{text}");
}

#[test]
fn colours_take_no_room() {
    let mut coloured = Grid::new(COLUMNS, 2);
    coloured.push(ROW.iter().map(|text| Cell::new(text, Paint::Bad)).collect());
    for columns in [80, 50, 20] {
        let plain = coloured.render(terminal(columns));
        let painted = coloured.render(View { colour: Colour::On, ..terminal(columns) });
        let stripped = painted.replace("\x1b[1;31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "");
        assert_eq!(stripped, plain);
        assert_ne!(painted, plain);
    }
}
