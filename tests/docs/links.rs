//! Whether links lead anywhere.

use std::path::{Component, Path, PathBuf};

use crate::page::{Page, pages, read, repository};

/// A path without `..` in it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => plain.push(part),
        }
    }
    plain
}

/// Why a link of this document leads nowhere.
fn trouble(page: &Page, link: &str) -> Option<String> {
    if link.starts_with("https://") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        PathBuf::from(&page.path)
    } else {
        plain(&Path::new(&page.path).parent().expect("a folder").join(path))
    };
    if !repository().join(&target).exists() {
        return Some(format!("there is no {}", target.display()));
    }
    let is_known = anchor.is_empty() || read(target.to_str().expect("UTF-8")).anchors.contains(anchor);
    (!is_known).then(|| format!("{} has no heading '{anchor}'", target.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        for (number, link) in &page.links {
            if let Some(why) = trouble(&page, link) {
                wrong.push(format!("{}:{number}: {link}: {why}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_of_the_repository_that_is_named_is_there() {
    const FOLDERS: &[&str] =
        &["src/", "tests/", "benches/", "config/", "docs/", "man/", "contrib/", "rc.d/", ".ci/"];
    let mut wrong = Vec::new();
    for page in pages() {
        for (number, span) in &page.spans {
            let is_path =
                FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains([' ', '*', '<']);
            // A name in capitals stands for any, and some files are what a reader makes.
            let is_meant = !span.contains("NAME") && !YOURS.contains(&span.as_str());
            if is_path && is_meant && !repository().join(span).exists() {
                wrong.push(format!("{}:{number}: there is no {span}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that docs/adding-a-probe.md has its reader make.
const YOURS: &[&str] = &["src/config/native/memcached.rs", "tests/config/probe_memcached.conf"];

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page =
        crate::page::parse("docs/a.md", "[x](../README.md#measured) [y](no.md) [z](../README.md#no)\n");
    let found: Vec<_> = page.links.iter().map(|(_, link)| trouble(&page, link)).collect();
    assert_eq!(found[0], None);
    assert_eq!(found[1].as_deref(), Some("there is no docs/no.md"));
    assert_eq!(found[2].as_deref(), Some("README.md has no heading 'no'"));
}
