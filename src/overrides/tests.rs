//! The book, and its text.

use std::time::Duration;

use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn entry(kind: Override) -> Entry {
    Entry { kind, reason: None, uid: 0, by: None, since: at(1000), until: None }
}

fn book(entries: impl IntoIterator<Item = (&'static str, Entry)>) -> Book {
    let mut book = Book::default();
    for (rule, entry) in entries {
        book.set(rule.into(), entry).unwrap();
    }
    book
}

fn all_kinds() -> Book {
    let mut drained = entry(Override::Drained);
    drained.reason = Some("kernel update".to_owned());
    drained.by = Some("ann".to_owned());
    drained.uid = 1000;
    drained.until = Some(at(2000) + Duration::from_nanos(500_000_001));
    book([
        ("web/1", drained),
        ("web/2", entry(Override::Disabled)),
        ("web/3", entry(Override::AlwaysFail)),
        ("web/4", entry(Override::AlwaysSuccess)),
    ])
}

#[test]
fn the_newest_word_on_a_rule_counts_until_it_is_cleared() {
    let mut book = all_kinds();
    book.set("web/1".into(), entry(Override::AlwaysFail)).unwrap();
    assert_eq!(book.len(), 4);
    assert_eq!(book.get("web/1"), Some(&entry(Override::AlwaysFail)));
    assert_eq!(book.clear("web/1").as_deref(), Some(&entry(Override::AlwaysFail)));
    assert_eq!((book.clear("web/1"), book.get("web/1"), book.len()), (None, None, 3));
    for rule in ["web/2", "web/3", "web/4"] {
        book.clear(rule).unwrap();
    }
    assert!(book.is_empty());
    assert_eq!(book, Book::default(), "no byte of it is left");
}

#[test]
fn a_clone_stays_as_it_was() {
    let mut book = all_kinds();
    let before = book.clone();
    book.clear("web/2");
    book.set("new".into(), entry(Override::Drained)).unwrap();
    assert_eq!(before, all_kinds());
}

#[test]
fn what_has_ended_by_now_is_over_and_nothing_else() {
    let until = |end| Entry { until: Some(at(end)), ..entry(Override::Drained) };
    let mut book =
        book([("a", until(2000)), ("b", until(2001)), ("c", entry(Override::Drained)), ("d", until(1))]);
    let over: Vec<_> = book.expire(at(2000)).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(over, ["a".into(), "d".into()]);
    let left: Vec<_> = book.iter().map(|(rule, _)| &**rule).collect();
    assert_eq!(left, ["b", "c"]);
    assert!(book.expire(at(2000)).is_empty());
}

#[test]
fn the_text_is_what_is_documented() {
    assert_eq!(
        all_kinds().encode(),
        "hfm-overrides 1\n\
         drained =web/1 1000 1000.000000000 2000.500000001 =ann =kernel\\20;update\n\
         disabled =web/2 0 1000.000000000 - - -\n\
         always-fail =web/3 0 1000.000000000 - - -\n\
         always-success =web/4 0 1000.000000000 - - -\n\
         end 4\n"
    );
}

#[test]
fn whatever_a_name_or_a_reason_is_it_reads_back() {
    let texts = [
        "",
        "-",
        "=",
        "end 1",
        " ",
        "a b",
        "\n",
        "\r\n",
        "\0",
        "\\",
        "\\20;",
        "\\;",
        "\u{85}",
        "\u{2028}",
        "\u{202e}x",
        "\u{feff}",
        "Zürich/éß",
        "日本",
        "🐿",
        "a\u{301}",
        "\u{10ffff}",
        "\t\u{7f}\u{a0}",
    ];
    let mut book = Book::default();
    for (number, name) in (0..).zip(texts) {
        let mut entry = entry(Override::Drained);
        entry.uid = u32::MAX - number;
        entry.reason = Some(texts[(number as usize + 1) % texts.len()].to_owned());
        entry.by = (number % 2 == 0).then(|| name.to_owned());
        book.set(name.into(), entry).unwrap();
    }
    let text = book.encode();
    assert_eq!(text.lines().count(), texts.len() + 2, "{text}");
    assert_eq!(Book::decode(text.as_bytes()), Ok(book));
}

#[test]
fn moments_read_back_to_the_nanosecond_and_none_is_before_1970() {
    for nanos in [0, 1, 999_999_999, 1_000_000_000, u64::MAX] {
        let mut one = entry(Override::Disabled);
        one.since = SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
        one.until = Some(one.since);
        let book = book([("a", one)]);
        assert_eq!(Book::decode(book.encode().as_bytes()), Ok(book));
    }
    let mut early = entry(Override::Disabled);
    early.since = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let read = Book::decode(book([("a", early)]).encode().as_bytes()).unwrap();
    assert_eq!(read.get("a").unwrap().since, SystemTime::UNIX_EPOCH);
}

#[test]
fn every_damage_is_seen() {
    let text = all_kinds().encode();
    for length in 0..text.len() {
        assert!(Book::decode(&text.as_bytes()[..length]).is_err(), "{:?}", &text[..length]);
    }
    for (from, to) in [
        ("overrides 1", "overrides 2"),
        ("hfm-overrides", "hfm-managed"),
        ("end 4", "end 5"),
        ("end 4\n", "end 4\nend 4\n"),
        ("drained", "draind"),
        ("=web/1", "web/1"),
        ("=web/2", "=web/1"),
        ("=web/2 0", "=web/2 4294967296"),
        ("=web/2 0", "=web/2 -1"),
        ("=web/2 0", "=web/2 00"),
        ("=web/2 0", "=web/2  0"),
        ("2000.500000001", "2000.5"),
        ("2000.500000001", "2000.1500000001"),
        ("2000.500000001", "99999999999999999999.000000000"),
        ("2000.500000001", "2000"),
        ("\\20;", "\\d800;"),
        ("\\20;", "\\20"),
        ("\\20;", "\\020;"),
        ("\\20;", "\\61;"),
        ("- - -", "- -"),
        ("- - -", "- - - -"),
        ("disabled =web/2 0 1000.000000000 - - -\n", ""),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from:?}");
        assert!(Book::decode(damaged.as_bytes()).is_err(), "{damaged:?}");
    }
    assert!(Book::decode(&[0xff; 40]).is_err());
}

#[test]
fn there_is_an_end_to_what_the_book_takes() {
    let mut book = Book::default();
    for number in 0..ENTRIES_MAX {
        book.set(number.to_string().into(), entry(Override::Drained)).unwrap();
    }
    assert_eq!(book.set("more".into(), entry(Override::Drained)), Err(Full));
    assert_eq!(book.get("more"), None);
    book.set("7".into(), entry(Override::Disabled)).expect("it is in the book");
    let text = book.encode();
    assert_eq!(Book::decode(text.as_bytes()), Ok(book.clone()));
    let over = text.replace("end 100000\n", "drained =more 0 1000.000000000 - - -\nend 100001\n");
    assert!(Book::decode(over.as_bytes()).is_err());
    book.clear("7").unwrap();
    book.set("more".into(), entry(Override::Drained)).expect("there is room again");
}

#[test]
fn there_is_an_end_to_its_bytes_too() {
    let large = || Entry { reason: Some(" ".repeat(BYTES_MAX / 4 / 2)), ..entry(Override::Drained) };
    let mut book = book([("a", large())]);
    assert_eq!(book.set("b".into(), large()), Err(Full));
    book.set("a".into(), large()).expect("it takes the place of itself");
    assert!(book.encode().len() < BYTES_MAX);
    book.clear("a");
    book.set("b".into(), large()).expect("there is room again");
}
