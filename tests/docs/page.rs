//! A document: its fences, its commands within sentences, its links and its headings.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    /// `DOCUMENT:LINE` of what opens it.
    pub(crate) place: String,
    /// The word behind the backquotes.
    pub(crate) tag: String,
    /// The words of `<!-- world: ... -->` above it.
    pub(crate) world: Vec<String>,
    /// What is in it, without the indentation of the fence.
    pub(crate) text: String,
}

/// A document.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its path in the repository.
    pub(crate) path: String,
    pub(crate) fences: Vec<Fence>,
    /// What stands in backquotes in sentences, with its line.
    pub(crate) spans: Vec<(usize, String)>,
    /// Where links lead to, with their lines.
    pub(crate) links: Vec<(usize, String)>,
    /// What headings are called in a link.
    pub(crate) anchors: BTreeSet<String>,
}

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README and all of docs/.
pub(crate) fn pages() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md")];
    let folder = fs::read_dir(repository().join("docs")).expect("docs/ is there");
    let names = folder.map(|entry| entry.expect("a readable folder").file_name());
    paths.extend(names.map(|name| Path::new("docs").join(name)));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.iter().map(|path| read(path.to_str().expect("names are UTF-8"))).collect()
}

/// One of them.
pub(crate) fn read(path: &str) -> Page {
    let text = fs::read_to_string(repository().join(path)).expect("a document");
    parse(path, &text)
}

/// Takes a text apart.
pub(crate) fn parse(path: &str, text: &str) -> Page {
    let mut page = Page {
        path: path.to_owned(),
        fences: Vec::new(),
        spans: Vec::new(),
        links: Vec::new(),
        anchors: BTreeSet::new(),
    };
    let mut open: Option<(Fence, usize)> = None;
    let mut world = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let bare = line.trim_start();
        if let Some((mut fence, indent)) = open.take() {
            if bare == "```" {
                page.fences.push(fence);
            } else {
                fence.text.push_str(line.get(indent..).unwrap_or(bare));
                fence.text.push('\n');
                open = Some((fence, indent));
            }
        } else if let Some(tag) = bare.strip_prefix("```") {
            let place = format!("{path}:{number}");
            let fence =
                Fence { place, tag: tag.to_owned(), world: std::mem::take(&mut world), text: String::new() };
            open = Some((fence, line.len() - bare.len()));
        } else if let Some(words) = bare.strip_prefix("<!-- world:") {
            let words = words.strip_suffix("-->").unwrap_or_else(|| panic!("{path}:{number}: no end of it"));
            world = words.split_whitespace().map(str::to_owned).collect();
        } else {
            assert!(
                world.is_empty() || bare.is_empty(),
                "{path}:{number}: a world without a block of commands"
            );
            sentence(&mut page, number, line);
        }
    }
    assert!(open.is_none(), "{path}: a fence is not closed");
    page
}

fn sentence(page: &mut Page, number: usize, line: &str) {
    if line.starts_with('#') {
        page.anchors.insert(anchor(line.trim_start_matches('#')));
    }
    // Every second piece is between backquotes.
    let pieces: Vec<&str> = line.split('`').collect();
    let spans = pieces.iter().skip(1).step_by(2).take((pieces.len() - 1) / 2);
    page.spans.extend(spans.map(|span| (number, span.replace("\\|", "|"))));
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        rest = &rest[at + 2..];
        let end = rest.find(')').unwrap_or_else(|| panic!("{}:{number}: a link has no end", page.path));
        page.links.push((number, rest[..end].to_owned()));
    }
    for attribute in ["src=\"", "srcset=\""] {
        let pictures = line.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
        page.links.extend(pictures.map(|path| (number, path.to_owned())));
    }
}

/// How a heading is named in a link: small letters, a hyphen for a blank, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn a_text_is_taken_apart() {
    let page = parse(
        "a.md",
        "# One two: three\n`hfm -n` and [x](b.md#c)\n<img src=\"c.png\" alt=\"c\">\n\n  <!-- world: gateway lb1=dead -->\n  ```sh\n  true\n    so\n  ```\n",
    );
    assert!(page.anchors.contains("one-two-three"));
    assert_eq!(page.spans, [(2, "hfm -n".to_owned())]);
    assert_eq!(page.links, [(2, "b.md#c".to_owned()), (3, "c.png".to_owned())]);
    let fence = &page.fences[0];
    assert_eq!((fence.tag.as_str(), fence.text.as_str()), ("sh", "true\n  so\n"));
    assert_eq!(fence.world, ["gateway", "lb1=dead"]);
    assert_eq!(fence.place, "a.md:6");
}
