//! Every flag of hfm, and every command and option of hfmctl, is in its page, and no other.

use std::collections::BTreeMap;
use std::ffi::OsString;

use hfm::remote::command_line::{self, COMMANDS, SPELLINGS};
use hfm::{cli, demo, probe_cli};

use crate::page::{Page, unescaped};

/// The flags of a usage, and whether each takes a value: lines such as `  -c COUNT   runs`.
fn of_usage(usage: &str) -> BTreeMap<String, bool> {
    let flags = usage.lines().filter_map(|line| line.strip_prefix("  -"));
    flags
        .map(|line| {
            let mut words = line.split("  ").next().unwrap_or_default().split(' ');
            (words.next().unwrap_or_default().to_owned(), words.next().is_some())
        })
        .collect()
}

/// The flags that a part of hfm(8) lists, and whether each takes a value.
fn of_page(page: &Page, subsection: &str) -> BTreeMap<String, bool> {
    let items = page.items();
    let of_part = items.iter().filter(|item| (item.section, item.subsection) == ("DESCRIPTION", subsection));
    let flags = of_part.filter_map(|item| item.head.strip_prefix("Fl "));
    let mut found = BTreeMap::new();
    for head in flags {
        let (name, value) = head.split_once(' ').unwrap_or((head, ""));
        assert!(found.insert(name.to_owned(), !value.is_empty()).is_none(), "-{name} is there twice");
    }
    found
}

#[test]
fn every_flag_of_hfm_is_documented_with_whether_it_takes_a_value() {
    let page = Page::read("hfm.8");
    for (subsection, usage) in [
        ("", cli::usage()),
        ("hfm probe", probe_cli::usage().to_owned()),
        ("hfm demo", demo::usage().to_owned()),
    ] {
        let known = of_usage(&usage);
        assert!(!known.is_empty(), "no flag is found in\n{usage}");
        assert_eq!(of_page(&page, subsection), known, "{subsection}");
        let synopsis = page.text().split("\n.Sh ").find(|part| part.starts_with("SYNOPSIS")).expect("it");
        for name in known.keys() {
            let stands = synopsis.lines().any(|line| {
                line.split_once("Fl ").is_some_and(|(_, flags)| flags.split(' ').any(|word| word == name))
            });
            assert!(stands, "-{name} is not in the synopsis");
        }
    }
}

#[test]
fn every_command_of_hfmctl_is_documented_once_with_the_options_that_it_alone_takes() {
    let page = Page::read("hfmctl.8");
    let items = page.items();
    let documented: Vec<&str> = items
        .iter()
        .filter_map(|item| item.head.strip_prefix("Cm "))
        .map(|head| head.split(' ').next().unwrap_or_default())
        .collect();
    let mut known: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let mut sorted = documented.clone();
    sorted.sort_unstable();
    known.sort_unstable();
    assert_eq!(sorted, known);
    for command in COMMANDS {
        let item =
            items.iter().find(|item| item.head.split(' ').nth(1) == Some(command.name)).expect("it is there");
        for spelling in SPELLINGS {
            let option = spelling.long.strip_prefix('-').expect("an option");
            let is_named = unescaped(item.head).split([' ', '|']).any(|word| word == option);
            assert_eq!(is_named, command.flags.contains(&spelling.flag), "{} and -{option}", command.name);
        }
        assert!(item.explains(), "{}", command.name);
    }
}

#[test]
fn every_option_of_hfmctl_is_documented() {
    let page = Page::read("hfmctl.8");
    let items = page.items();
    for spelling in SPELLINGS {
        let option = spelling.long.strip_prefix('-').expect("an option");
        let item = items
            .iter()
            .find(|item| unescaped(item.head).split(' ').any(|word| word == option))
            .unwrap_or_else(|| panic!("-{option} is in no item"));
        if let Some(short) = spelling.short {
            let short = short.strip_prefix('-').expect("an option");
            assert!(
                item.head.split(' ').any(|word| word == short),
                "-{short} does not stand beside -{option}"
            );
        }
    }
}

/// The words of a command as a shell has them, up to a pipe: blanks part them but in single quotes.
fn words(line: &str) -> Vec<OsString> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '|' if !is_quoted => break,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.into_iter().filter(|word| !word.is_empty()).map(OsString::from).collect()
}

#[test]
fn every_command_line_that_is_an_example_can_be_followed() {
    let mut followed = 0;
    for name in ["hfm.8", "hfmctl.8"] {
        for display in Page::read(name).displays() {
            for line in display.text.lines() {
                let words = words(line);
                let is_followed = match words.first().and_then(|word| word.to_str()) {
                    Some("hfm") => cli::parse(words.into_iter().skip(1)).is_ok(),
                    Some("hfmctl") => command_line::parse(words.into_iter().skip(1), None).is_ok(),
                    Some(_) | None => continue,
                };
                assert!(is_followed, "{name}: {line}");
                followed += 1;
            }
        }
    }
    assert!(followed >= 7, "{followed} examples are found");
}
