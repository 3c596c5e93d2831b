//! The pages are well formed, and refer to each other by names that are there.

use std::process::Command;

use crate::page::{Page, path};
use crate::skip::skip;

/// All pages.
const PAGES: [&str; 3] = ["hfm.8", "hfm.conf.5", "hfmctl.8"];

#[test]
fn mandoc_finds_nothing_wrong_with_the_pages() {
    for name in PAGES {
        let Ok(output) = Command::new("mandoc").args(["-Tlint", "-Wall"]).arg(path(name)).output() else {
            skip("the manual pages: mandoc is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        // What other pages this machine has is no matter of ours.
        let wrong: Vec<&str> =
            said.lines().filter(|line| !line.contains("referenced manual not found")).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

#[test]
fn every_page_is_there_and_named_as_it_is_called() {
    let mut found: Vec<String> = std::fs::read_dir(path(""))
        .expect("the pages")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name of ours"))
        .collect();
    found.sort();
    assert_eq!(found, PAGES);
    for name in PAGES {
        let (title, section) = name.rsplit_once('.').expect("a section");
        let page = Page::read(name);
        assert!(page.text().contains(&format!("\n.Dt {} {section}\n", title.to_uppercase())), "{name}");
        assert!(page.text().contains(&format!("\n.Sh NAME\n.Nm {title}\n")), "{name}");
    }
}

#[test]
fn the_pages_refer_to_each_other_and_to_none_that_is_not_there() {
    for name in PAGES {
        let page = Page::read(name);
        let references: Vec<String> = page
            .text()
            .lines()
            .filter_map(|line| line.strip_prefix(".Xr ").or_else(|| line.strip_prefix(".Xr ( ")))
            .map(|rest| rest.split(' ').take(2).collect::<Vec<_>>().join("."))
            .collect();
        for other in PAGES.iter().filter(|other| **other != name) {
            assert!(references.iter().any(|reference| reference == other), "{name} does not name {other}");
        }
        for reference in references.iter().filter(|reference| reference.starts_with("hfm")) {
            assert!(PAGES.contains(&reference.as_str()), "{name} names {reference}");
        }
    }
}
