use std::time::Duration;

use super::{Cast, Colour, Event, Form, Glyphs, Screen, Shown, Size, View};
use crate::demo::Behaviour;
use crate::health::State;
use crate::rule::Prefix;

fn cast() -> Cast {
    let shown = |number: u8| Shown { name: format!("web{number}"), address: address(number) };
    Cast { backends: (1..=3).map(shown).collect(), table: "web".to_owned(), min_up: 2, until: None }
}

fn address(number: u8) -> Prefix {
    Prefix::host([192, 0, 2, number].into())
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn view(columns: u16, rows: u16, colour: Colour, glyphs: Glyphs) -> Form {
    Form::Live(View { size: Size::new(columns, rows), colour, glyphs })
}

fn broke(backend: usize, behaviour: Behaviour, at: u64) -> Event {
    Event::Broke { backend, behaviour, at: ms(at) }
}

fn healed(backend: usize, at: u64) -> Event {
    Event::Healed { backend, at: ms(at) }
}

fn up(backend: usize, at: u64) -> Event {
    let detail = "ok".to_owned();
    Event::Changed { backend, to: State::Success, reason: "ok", detail, at: ms(at) }
}

fn down(backend: usize, reason: &'static str, detail: &str, at: u64) -> Event {
    Event::Changed { backend, to: State::Fail, reason, detail: detail.to_owned(), at: ms(at) }
}

fn written(numbers: &[u8], at: u64) -> Event {
    Event::Written { contents: numbers.iter().map(|number| address(*number)).collect(), at: ms(at) }
}

/// One breakage from its beginning to its end.
fn one_breakage() -> Vec<Event> {
    vec![
        Event::Started,
        up(0, 12),
        up(1, 45),
        up(2, 78),
        written(&[1, 2, 3], 79),
        broke(1, Behaviour::Unavailable503, 3_204),
        down(1, "http-status", "status 503, wanted 200-399", 3_286),
        // In whatever order a table is read.
        written(&[3, 1], 3_287),
        healed(1, 5_204),
        up(1, 5_300),
        written(&[1, 2, 3], 5_301),
    ]
}

fn two_at_a_time() -> Vec<Event> {
    vec![
        broke(0, Behaviour::Refuses, 6_000),
        down(0, "refused", "Connection refused", 6_040),
        written(&[2, 3], 6_041),
        broke(1, Behaviour::Hangs, 6_700),
        down(1, "timeout-tls", "no TLS session within 80ms", 6_830),
        healed(0, 8_000),
        up(0, 8_050),
        // The first is back, so that the second can go: long after it was found out.
        written(&[1, 3], 8_051),
        healed(1, 8_700),
        up(1, 8_760),
        written(&[1, 2, 3], 8_761),
    ]
}

fn told(screen: &mut Screen, events: &[Event]) -> String {
    events.iter().map(|event| screen.take(event)).collect()
}

#[test]
fn plain_lines_tell_a_breakage_from_beginning_to_end() {
    let mut screen = Screen::new(Form::Plain, cast());
    let text = told(&mut screen, &one_breakage());
    assert_eq!(
        text,
        "  0.079 s  web1 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3\n  \
         0.079 s  web2 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3\n  \
         0.079 s  web3 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3\n  \
         3.204 s  web2 answers 503\n  \
         3.287 s  web2 left the table after 83 ms: http-status, status 503, wanted 200-399; \
         table web: 192.0.2.1 192.0.2.3\n  \
         5.204 s  web2 is healed\n  \
         5.301 s  web2 is back in the table after 97 ms; table web: 192.0.2.1 192.0.2.2 192.0.2.3\n"
    );
    assert_eq!(screen.tick(ms(5_400)), "");
    assert_eq!(screen.resize(Size::default(), ms(5_400)), "");
}

#[test]
fn what_min_up_holds_is_told_and_is_no_time_of_detection() {
    let mut screen = Screen::new(Form::Plain, cast());
    told(&mut screen, &one_breakage());
    assert_eq!(
        told(&mut screen, &two_at_a_time()),
        "  6.000 s  web1 refuses connections\n  \
         6.041 s  web1 left the table after 41 ms: refused, Connection refused; \
         table web: 192.0.2.2 192.0.2.3\n  \
         6.700 s  web2 hangs\n  \
         6.830 s  web2 is down after 130 ms, and stays in as min_up = 2: timeout-tls, no TLS session within 80ms\n  \
         8.000 s  web1 is healed\n  \
         8.051 s  web1 is back in the table after 51 ms; table web: 192.0.2.1 192.0.2.3\n  \
         8.051 s  web2 left the table: timeout-tls, no TLS session within 80ms; \
         table web: 192.0.2.1 192.0.2.3\n  \
         8.700 s  web2 is healed\n  \
         8.761 s  web2 is back in the table after 61 ms; table web: 192.0.2.1 192.0.2.2 192.0.2.3\n"
    );
    assert_eq!(
        screen.end(ms(9_000)),
        "\nbreakages in 9.0 s: 3; left table web: 2; held in by min_up = 2: 1\n\
         from the breakage to the table without its address:\n  \
         \x20                              times      min      p50      max\n  \
         refuses connections                1    41 ms    41 ms    41 ms\n  \
         answers 503                        1    83 ms    83 ms    83 ms\n  \
         back again, from healing           3    51 ms    61 ms    97 ms\n"
    );
}

#[test]
fn what_is_held_and_heals_has_never_left() {
    let mut screen = Screen::new(Form::Plain, cast());
    told(&mut screen, &[written(&[1, 3], 100), broke(0, Behaviour::Drips, 1_000)]);
    let text = told(
        &mut screen,
        &[
            down(0, "timeout-response", "no answer", 1_100),
            healed(0, 3_000),
            up(0, 3_050),
            written(&[1, 3], 3_051),
        ],
    );
    assert_eq!(
        text,
        "  1.100 s  web1 is down after 100 ms, and stays in as min_up = 2: timeout-response, no answer\n  \
         3.000 s  web1 is healed\n  \
         3.050 s  web1 is up again, and never left table web\n"
    );
}

#[test]
fn what_nobody_asked_for_and_what_nobody_noticed_are_told() {
    let mut screen = Screen::new(Form::Plain, cast());
    let text = told(
        &mut screen,
        &[
            written(&[1, 2, 3], 100),
            down(2, "reset", "reset \x1b[2J\nby peer", 900),
            written(&[1, 2], 901),
            up(2, 1_000),
            written(&[1, 2, 3], 1_001),
            broke(0, Behaviour::Drips, 2_000),
            healed(0, 2_010),
            broke(1, Behaviour::Expired, 3_000),
            // There are three.
            broke(3, Behaviour::Expired, 3_000),
            healed(3, 3_000),
            up(3, 3_000),
        ],
    );
    let (_, text) = text.split_at(text.find("  0.900").unwrap());
    assert_eq!(
        text,
        "  0.900 s  web3 fails unasked: reset, reset \\u{1b}[2J\\nby peer\n  \
         0.901 s  web3 left the table: reset, reset \\u{1b}[2J\\nby peer; table web: 192.0.2.1 192.0.2.2\n  \
         1.001 s  web3 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3\n  \
         2.000 s  web1 drips its answer\n  \
         2.010 s  web1 is healed\n  \
         3.000 s  web2 shows an expired certificate\n"
    );
    assert_eq!(
        screen.end(ms(3_001)),
        "\nbreakages in 3.0 s: 2; left table web: 0; not noticed: 1; not over yet: 1\n\
         failures of backends that were not broken: 1\n"
    );
}

const FRAME: &str = "\
hfm demo  backends break and heal; the table holds those that work

  backend  address    what is wrong        state      found in  lately
  web1     192.0.2.1                       ● up                 ████████
  web2     192.0.2.2  answers 503          ○ down        83 ms  ██████▁▁
  web3     192.0.2.3                       ● up                 ████████

  table web: 192.0.2.1 192.0.2.3

  0.079 s  web1 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3
  0.079 s  web2 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3
  0.079 s  web3 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3
  3.204 s  web2 answers 503
  3.287 s  web2 left the table after 83 ms: http-status, status 503, wanted 20…




  3.5 s so far; Ctrl-C ends it
";

/// The text of a frame, without what steers the terminal.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        out.push_str(before);
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).expect("an escape ends").1;
    }
    (out + rest).replace('\r', "")
}

/// A live screen in the middle of a breakage.
fn in_the_middle(form: Form) -> Screen {
    let mut screen = Screen::new(form, cast());
    for (event, tick) in one_breakage().iter().take(8).zip([0, 12, 45, 78, 79, 3_204, 3_286, 3_287]) {
        screen.tick(ms(tick));
        screen.take(event);
    }
    screen
}

#[test]
fn a_frame_says_it_all() {
    let mut screen = in_the_middle(view(80, 24, Colour::Off, Glyphs::Unicode));
    let frame = screen.tick(ms(3_500));
    assert_eq!(without_escapes(&frame), FRAME);
    let plain = |text: &str| {
        let swap = |c| match c {
            '●' => '+',
            '○' => '-',
            '█' => '#',
            '▁' => '_',
            '…' => '~',
            other => other,
        };
        text.chars().map(swap).collect::<String>()
    };
    let mut screen = in_the_middle(view(80, 24, Colour::Off, Glyphs::Ascii));
    let ascii = screen.tick(ms(3_500));
    assert!(ascii.is_ascii());
    assert_eq!(without_escapes(&ascii), plain(FRAME));
}

#[test]
fn frames_are_drawn_over_each_other_and_the_terminal_is_given_back() {
    let mut screen = Screen::new(view(80, 24, Colour::Off, Glyphs::Ascii), cast());
    let first = screen.take(&Event::Started);
    assert!(first.starts_with("\x1b[?25l\x1b[?7l\rhfm demo"), "{first:?}");
    assert!(first.ends_with("\x1b[K\r\n\x1b[J"), "{first:?}");
    let lines = first.matches('\n').count();
    for at in 0..100 {
        let next = screen.tick(ms(at * 70));
        assert!(next.starts_with(&format!("\x1b[{lines}A\rhfm demo")), "{next:?}");
        assert_eq!(next.matches('\n').count(), lines);
    }
    let end = screen.end(ms(7_000));
    let (_, after) = end.rsplit_once("\x1b[J").unwrap();
    assert_eq!(after, "\x1b[0m\x1b[?7h\x1b[?25h\nbreakages in 7.0 s: 0; left table web: 0\n");
    // Whatever comes after the end draws nothing.
    assert_eq!(screen.tick(ms(7_100)), "");
    assert!(!screen.end(ms(7_100)).contains('\x1b'));
}

#[test]
fn nothing_is_undone_that_was_never_done() {
    let mut screen = Screen::new(view(80, 24, Colour::On, Glyphs::Unicode), cast());
    let resized = screen.resize(Size::new(10, 10), ms(0));
    assert!(!resized.contains("\x1b[2J"), "{resized:?}");
    let mut plain = Screen::new(Form::Plain, cast());
    assert!(!plain.end(ms(0)).contains('\x1b'));
}

#[test]
fn no_line_is_wider_and_no_frame_higher_than_the_terminal() {
    for columns in [1, 2, 7, 20, 40, 60, 79, 80, 81, 132, 500] {
        for rows in [1, 2, 5, 10, 15, 19, 20, 24, 60] {
            let mut screen = in_the_middle(view(columns, rows, Colour::On, Glyphs::Unicode));
            let frame = screen.tick(ms(70_000));
            let text = without_escapes(&frame);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(columns - 1).max(1), "{widest} of {columns}");
            let lines = text.lines().count();
            assert!(lines <= usize::from(rows - 1).max(1), "{lines} of {rows}");
        }
    }
}

#[test]
fn a_low_terminal_keeps_the_newest_events_and_the_footer() {
    let mut screen = in_the_middle(view(80, 14, Colour::Off, Glyphs::Unicode));
    let text = without_escapes(&screen.tick(ms(3_500)));
    assert_eq!(text.lines().count(), 13);
    assert!(text.contains("3.204 s  web2") && !text.contains("0.079 s"), "{text}");
    assert!(text.ends_with("\n\n  3.5 s so far; Ctrl-C ends it\n"), "{text}");
}

#[test]
fn colours_are_used_only_when_they_are_wanted() {
    let mut off = in_the_middle(view(80, 24, Colour::Off, Glyphs::Unicode));
    assert!(!off.tick(ms(3_500)).contains("\x1b[0"));
    let mut on = in_the_middle(view(80, 24, Colour::On, Glyphs::Unicode));
    let frame = on.tick(ms(3_500));
    assert!(frame.contains("\x1b[0;31m○ down"), "{frame:?}");
    assert!(frame.contains("\x1b[0;32m● up"), "{frame:?}");
    assert_eq!(without_escapes(&frame), FRAME, "the same words");
    for line in frame.lines().filter(|line| line.contains("\x1b[0;")) {
        let (_, after) = line.rsplit_once("\x1b[0").unwrap();
        assert!(after.starts_with('m'), "no paint runs over its line: {line:?}");
    }
}

#[test]
fn another_size_begins_anew() {
    let mut screen = in_the_middle(view(80, 24, Colour::Off, Glyphs::Unicode));
    let frame = screen.resize(Size::new(40, 24), ms(3_500));
    assert!(frame.starts_with("\x1b[H\x1b[2J\rhfm demo"), "{frame:?}");
    let next = screen.tick(ms(3_600));
    assert!(next.starts_with("\x1b[19A\r"), "{next:?}");
    assert_eq!(screen.resize(Size::new(40, 24), ms(3_700)), "", "the same again");
}

#[test]
fn a_short_failure_stays_visible_in_the_history() {
    let mut screen = Screen::new(view(80, 24, Colour::Off, Glyphs::Ascii), cast());
    told(&mut screen, &[Event::Started, up(0, 10), written(&[1, 2, 3], 11)]);
    screen.tick(ms(1_010));
    told(&mut screen, &[down(0, "reset", "reset", 1_100), up(0, 1_200)]);
    let text = without_escapes(&screen.tick(ms(1_600)));
    let row = text.lines().find(|line| line.contains("web1")).unwrap().to_owned();
    assert!(row.ends_with("##_#"), "{row}");
}

#[test]
fn the_form_suits_the_terminal() {
    let choose = |terminal: Option<Size>, environment: &[(&str, &str)]| {
        Form::choose(terminal, |name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    };
    let size = Some(Size::new(100, 30));
    for plain in [&[][..], &[("TERM", "")], &[("TERM", "dumb")]] {
        assert_eq!(choose(size, plain), Form::Plain, "{plain:?}");
    }
    assert_eq!(choose(None, &[("TERM", "xterm"), ("LANG", "C.UTF-8")]), Form::Plain);
    for (environment, colour, glyphs) in [
        (&[("TERM", "xterm")][..], Colour::On, Glyphs::Ascii),
        (&[("TERM", "xterm"), ("NO_COLOR", "")], Colour::On, Glyphs::Ascii),
        (&[("TERM", "xterm"), ("NO_COLOR", "1"), ("LANG", "de_DE.UTF-8")], Colour::Off, Glyphs::Unicode),
        (&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "C.UTF-8")], Colour::On, Glyphs::Ascii),
        (&[("TERM", "xterm"), ("LC_ALL", ""), ("LC_CTYPE", "en_GB.utf8")], Colour::On, Glyphs::Unicode),
    ] {
        assert_eq!(choose(size, environment), view(100, 30, colour, glyphs), "{environment:?}");
    }
}
