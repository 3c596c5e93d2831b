//! One client, byte by byte, in counted time.

use super::*;
use crate::control::protocol::{BY_CHARACTERS_MAX, FOR_MS_MAX, REASON_CHARACTERS_MAX, RULES_CHARACTERS_MAX};

/// A moment, by its distance from the first.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "any moment does; time is counted from it")]
    fn new() -> Self {
        Self(Instant::now())
    }

    fn at(self, seconds: f64) -> Instant {
        self.0 + Duration::from_secs_f64(seconds)
    }
}

/// Feeds as the system does: whatever there is room for. Answers each request with `done`; what was asked.
fn feed(client: &mut Client, mut bytes: &[u8], now: Instant) -> Vec<Request> {
    let mut asked = Vec::new();
    loop {
        let taken = bytes.len().min(client.room());
        client.handle_bytes(&bytes[..taken], now);
        bytes = &bytes[taken..];
        loop {
            match client.next(now) {
                Next::Request(request) => {
                    asked.push(request);
                    client.reply(&Reply::Done { text: "x".to_owned() }, now);
                }
                Next::Refused => {}
                Next::Nothing => break,
            }
        }
        if bytes.is_empty() || taken == 0 {
            return asked;
        }
    }
}

/// Everything that waits, read by the client.
fn replies(client: &mut Client, now: Instant) -> Vec<Reply> {
    let text = String::from_utf8(client.waiting().to_vec()).expect("UTF-8");
    client.written(text.len(), now);
    assert!(text.is_empty() || text.ends_with('\n'), "whole lines: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

/// The one reply of a line that is refused.
fn refusal(line: &[u8]) -> String {
    let now = Clock::new().at(0.0);
    let mut client = Client::new(now);
    assert_eq!(feed(&mut client, &[line, b"\n"].concat(), now), []);
    let replies = replies(&mut client, now);
    let [Reply::Refused { text, details }] = &replies[..] else { panic!("{replies:?}") };
    assert!(details.is_empty() && !text.contains(char::is_control), "{text:?}");
    assert!(!client.is_over());
    assert_eq!(feed(&mut client, b"{\"command\":\"stats\"}\n", now), [Request::Stats {}], "it stays open");
    text.clone()
}

#[test]
fn a_request_is_the_same_wherever_it_is_split() {
    let text = b"{\"command\":\"stats\"}\n{\"command\":\"status\",\"rules\":\"\xc3\xa9*\"}\r\n";
    let wanted = [Request::Stats {}, Request::Status { rules: Some("é*".to_owned()) }];
    for split in 0..text.len() {
        let now = Clock::new().at(0.0);
        let mut client = Client::new(now);
        let mut asked = feed(&mut client, &text[..split], now);
        asked.extend(feed(&mut client, &text[split..], now));
        assert_eq!(asked, wanted, "split at {split}");
        assert_eq!(replies(&mut client, now).len(), 2);
    }
    let now = Clock::new().at(0.0);
    let mut client = Client::new(now);
    let asked: Vec<Request> = text.iter().flat_map(|byte| feed(&mut client, &[*byte], now)).collect();
    assert_eq!(asked, wanted);
}

#[test]
fn one_request_is_answered_at_a_time() {
    let now = Clock::new().at(0.0);
    let mut client = Client::new(now);
    client.handle_bytes(b"{\"command\":\"stats\"}\n{\"command\":\"reload\"}\n", now);
    assert_eq!(client.next(now), Next::Request(Request::Stats {}));
    assert!(client.is_answered() && !client.may_ask());
    assert_eq!(client.next(now), Next::Nothing);
    client.reply(&Reply::Warning { text: "w".to_owned() }, now);
    assert_eq!(client.next(now), Next::Nothing);
    client.reply(&Reply::Done { text: "d".to_owned() }, now);
    assert!(client.may_ask());
    assert_eq!(client.next(now), Next::Request(Request::Reload {}));
    // Meanwhile it takes no more than a line.
    assert_eq!(client.room(), LINE_BYTES_MAX);
    client.handle_bytes(&vec![b'\n'; LINE_BYTES_MAX], now);
    assert_eq!(client.room(), 0);
}

#[test]
fn what_is_no_request_is_refused_in_words_and_forgotten() {
    for (line, words) in [
        (&b""[..], "an empty line is no request"),
        (b" \t\r", "an empty line is no request"),
        (b"stop", "a request is an object of JSON in one line"),
        (b"[\"stop\"]", "a request is an object of JSON in one line"),
        (b"{\"command\":\"stop\"", "not a request: EOF while parsing"),
        (b"{\"command\":\"stop\"}}", "not a request: trailing characters"),
        (b"{\"command\":\"flush\"}", "not a request: unknown variant `flush`"),
        (b"{\"command\":\"stop\",\"now\":1}", "not a request: unknown field `now`"),
        (b"{\"command\":\"stop\"}\0", "a line has a NUL byte in it"),
        (b"{\"command\":\"\xff\"}", "a line is not UTF-8: the first wrong byte is number 13"),
        (b"\xf0\x9f\x98", "a line is not UTF-8: the first wrong byte is number 1"),
    ] {
        let text = refusal(line);
        assert!(text.starts_with(words), "{}: {text}", line.escape_ascii());
    }
    let nested = "[".repeat(10_000);
    assert!(refusal(format!("{{\"command\":{nested}").as_bytes()).starts_with("not a request: "));
    let long = refusal(format!("{{\"command\":\"\\n\\u001b{}\"}}", "x".repeat(9000)).as_bytes());
    assert!(long.len() < 300 && long.contains("\\n\\u{1b}x") && long.ends_with("..."), "{long}");
}

#[test]
fn texts_and_times_are_bounded() {
    let drain = |more: &str| format!("{{\"command\":\"drain\",\"rules\":\"a\",{more}}}");
    let text = |member: &str, characters| drain(&format!("\"{member}\":\"{}\"", "é".repeat(characters)));
    let now = Clock::new().at(0.0);
    for good in [
        text("reason", REASON_CHARACTERS_MAX),
        text("by", BY_CHARACTERS_MAX),
        drain("\"for_ms\":1"),
        drain(&format!("\"for_ms\":{FOR_MS_MAX}")),
    ] {
        assert_eq!(feed(&mut Client::new(now), format!("{good}\n").as_bytes(), now).len(), 1, "{good}");
    }
    for (bad, words) in [
        (text("reason", REASON_CHARACTERS_MAX + 1), "'reason' is longer than 256 characters"),
        (text("by", BY_CHARACTERS_MAX + 1), "'by' is longer than 64 characters"),
        (drain("\"reason\":\"a\\nb\""), "'reason' has a control character in it: \\n"),
        (drain("\"by\":\"\\u0085\""), "'by' has a control character in it: \\u{85}"),
        (drain("\"for_ms\":0"), "'for_ms' is 0; leave it out for no end"),
        (drain(&format!("\"for_ms\":{}", FOR_MS_MAX + 1)), "'for_ms' is more than 316224000000, ten years"),
        (drain("\"for_ms\":1e99"), "not a request: "),
    ] {
        assert!(refusal(bad.as_bytes()).starts_with(words), "{bad}");
    }
    for command in ["disable", "set"] {
        let to = if command == "set" { ",\"to\":\"always-fail\"" } else { "" };
        let line = format!("{{\"command\":\"{command}\",\"rules\":\"a\"{to},\"for_ms\":0}}");
        assert!(refusal(line.as_bytes()).starts_with("'for_ms' is 0"));
    }
    assert!(
        refusal(b"{\"command\":\"enable\",\"rules\":\"a\",\"by\":\"\\u0007\"}")
            .starts_with("'by' has a control")
    );
    let long = "x".repeat(RULES_CHARACTERS_MAX + 1);
    for line in [
        format!("{{\"command\":\"status\",\"rules\":\"{long}\"}}"),
        format!("{{\"command\":\"run\",\"rules\":\"{long}\"}}"),
        format!("{{\"command\":\"tables\",\"tables\":\"{long}\"}}"),
    ] {
        assert!(refusal(line.as_bytes()).ends_with("is longer than 1024 characters"), "{line}");
    }
}

#[test]
fn a_line_that_is_too_long_closes() {
    let now = Clock::new().at(0.0);
    let request = |padding: usize| format!("{{\"command\":\"stats\"{}}}\n", " ".repeat(padding));
    let fits = LINE_BYTES_MAX - request(0).len();
    let mut client = Client::new(now);
    assert_eq!(feed(&mut client, request(fits).as_bytes(), now).len(), 1);
    let giant = request(fits + 1);
    for chunk in [1, 1000, giant.len()] {
        let mut client = Client::new(now);
        for part in giant.as_bytes().chunks(chunk) {
            assert_eq!(feed(&mut client, part, now), []);
        }
        assert!(!client.is_over(), "it is to be told first");
        let replies = replies(&mut client, now);
        let [Reply::Refused { text, .. }] = &replies[..] else { panic!("{replies:?}") };
        assert!(text.starts_with("a line is longer than 16384 bytes"), "{text}");
        assert!(client.is_over());
        assert_eq!(client.room(), 0, "nothing more is read");
    }
}

#[test]
fn after_its_end_what_was_asked_is_answered() {
    let now = Clock::new().at(0.0);
    let mut client = Client::new(now);
    client.handle_bytes(b"{\"command\":\"stats\"}\n{\"command\":\"reload\"}\n{\"comm", now);
    client.handle_end();
    assert_eq!((client.next(now), client.room()), (Next::Request(Request::Stats {}), 0));
    client.reply(&Reply::Done { text: String::new() }, now);
    assert_eq!(client.next(now), Next::Request(Request::Reload {}));
    client.reply(&Reply::Done { text: String::new() }, now);
    assert!(client.may_ask());
    assert_eq!(client.next(now), Next::Refused);
    let all = replies(&mut client, now);
    assert_eq!(all[2], Reply::Refused { text: "the last line has no end".to_owned(), details: Vec::new() });
    assert!(client.is_over());
    let mut silent = Client::new(now);
    silent.handle_end();
    assert!(silent.is_over());
}

#[test]
fn answers_are_bounded_and_go_on_when_there_is_room() {
    let clock = Clock::new();
    let mut client = Client::new(clock.at(0.0));
    client.handle_bytes(b"{\"command\":\"status\"}\n", clock.at(0.0));
    client.next(clock.at(0.0));
    let row = Reply::Warning { text: "x".repeat(1000) };
    let mut rows = 0;
    while client.has_room() {
        client.reply(&row, clock.at(0.0));
        rows += 1;
    }
    assert!((250..270).contains(&rows), "{rows}");
    let mut taken = client.waiting()[..100_000].to_vec();
    client.written(taken.len(), clock.at(1.0));
    assert!(client.has_room());
    client.reply(&row, clock.at(1.0));
    taken.extend(client.waiting());
    let lines: Vec<&[u8]> = taken.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), rows + 1);
    assert!(lines.windows(2).all(|two| two[0] == two[1]), "each line is whole");
}

#[test]
fn lines_that_are_refused_do_not_pile_up() {
    let now = Clock::new().at(0.0);
    let mut client = Client::new(now);
    for _ in 0..100 {
        let room = client.room();
        client.handle_bytes(&vec![b'\n'; room], now);
        while client.next(now) == Next::Refused {}
    }
    assert!(client.waiting().len() < 257 * 1024, "{}", client.waiting().len());
    assert_eq!(client.room(), 0);
    assert!(!client.may_ask());
    let waiting = client.waiting().len();
    client.written(waiting, now);
    assert!(client.may_ask());
}

#[test]
fn events_without_room_are_counted_and_told() {
    let now = Clock::new().at(0.0);
    let mut client = Client::new(now);
    assert_eq!(feed_events(&mut client, now), Next::Request(Request::Events {}));
    assert!(client.wants_events() && client.room() == 0);
    let event = format!("{{\"type\":\"event\",\"text\":\"{}\"}}", "x".repeat(1000));
    for _ in 0..1000 {
        client.event(&event, now);
    }
    let told = client.waiting().iter().filter(|byte| **byte == b'\n').count();
    assert!(told < 270, "{told}");
    let all = replies(&mut client, now);
    assert_eq!(all.len(), told);
    // There is room: it is told at once what it missed, before anything else.
    client.event("{\"type\":\"event\"}", now);
    client.missed(5, now);
    let missed = Reply::Missed { count: 1000 - told as u64 };
    assert_eq!(replies(&mut client, now), [missed, Reply::Other, Reply::Missed { count: 5 }]);
    client.event("{\"type\":\"event\"}", now);
    assert_eq!(replies(&mut client, now), [Reply::Other]);
}

fn feed_events(client: &mut Client, now: Instant) -> Next {
    client.handle_bytes(b"{\"command\":\"events\"}\n", now);
    client.next(now)
}

#[test]
fn a_client_has_so_long_and_no_longer() {
    let clock = Clock::new();
    let due = |client: &Client| client.poll_timeout();
    let mut client = Client::new(clock.at(0.0));
    assert_eq!(due(&client), Some(clock.at(600.0)), "to ask something");
    assert_eq!(client.overdue(clock.at(599.9)), None);
    client.handle_bytes(b"{\"comm", clock.at(100.0));
    assert_eq!(due(&client), Some(clock.at(110.0)), "to end the line");
    client.handle_bytes(b"and\":\"stats\"", clock.at(109.0));
    assert_eq!(client.next(clock.at(109.0)), Next::Nothing);
    assert_eq!(due(&client), Some(clock.at(110.0)), "a byte more does not help");
    assert_eq!(client.overdue(clock.at(110.0)), Some("it does not end the line that it began"));
    client.handle_bytes(b"}\n{", clock.at(109.5));
    client.next(clock.at(109.5));
    assert_eq!(due(&client), None, "the answer is ours to give");
    client.reply(&Reply::Warning { text: String::new() }, clock.at(200.0));
    assert_eq!(due(&client), Some(clock.at(210.0)), "to read");
    client.reply(&Reply::Done { text: String::new() }, clock.at(205.0));
    client.written(1, clock.at(209.0));
    assert_eq!(due(&client), Some(clock.at(219.0)), "it reads");
    let rest = client.waiting().len();
    client.written(rest, clock.at(210.0));
    assert_eq!(due(&client), Some(clock.at(220.0)), "the line that was begun before counts from here");
    let mut client = Client::new(clock.at(0.0));
    feed_events(&mut client, clock.at(0.0));
    assert_eq!(due(&client), None, "nothing may happen for days");
    client.event("{}", clock.at(1000.0));
    client.event("{}", clock.at(1030.0));
    assert_eq!(due(&client), Some(clock.at(1060.0)));
    assert_eq!(client.overdue(clock.at(1060.0)), Some("it takes none of the events that wait for it"));
}

#[test]
fn whatever_comes_it_stays_within_its_bounds() {
    // Bytes of every kind, with what means something among them, by a generator whose numbers keep their meaning.
    let now = Clock::new().at(0.0);
    let pieces: &[&[u8]] =
        &[b"{\"command\":\"stats\"}\n", b"\n", b"{", b"\0", b"\xff", b"\"", b"events", b"}\n"];
    let mut number: u64 = 1;
    let mut draw = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(number >> 33).expect("31 bits") % below
    };
    let mut asked = 0;
    for _ in 0..200 {
        let mut client = Client::new(now);
        for _ in 0..200 {
            let piece = match draw(4) {
                0 => vec![u8::try_from(draw(256)).expect("a byte"); 1 + draw(9000)],
                _ => pieces[draw(pieces.len())].to_vec(),
            };
            asked += feed(&mut client, &piece, now).len();
            assert!(client.room() <= LINE_BYTES_MAX && client.waiting().len() < 257 * 1024);
            if draw(3) == 0 {
                let all = client.waiting().len();
                client.written(draw(all + 1), now);
            }
        }
    }
    assert!(asked > 100, "{asked}");
}
