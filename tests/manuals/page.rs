//! A manual page as its source has it: sections, the items of their lists, and what is displayed as it stands. Knows as
//! much of mdoc(7) as these pages use.

use std::path::{Path, PathBuf};

/// A page.
pub(crate) struct Page {
    text: String,
}

/// An item of a list: what stands between its `.It` and the next, or the end of the list.
pub(crate) struct Item<'p> {
    /// The section that it stands in.
    pub(crate) section: &'p str,
    /// The subsection, or empty.
    pub(crate) subsection: &'p str,
    /// What follows `.It`.
    pub(crate) head: &'p str,
    /// Its lines.
    pub(crate) lines: Vec<&'p str>,
}

/// Something displayed as it stands.
pub(crate) struct Display {
    /// The property whose item it stands in, if it does.
    pub(crate) property: Option<String>,
    /// Its text.
    pub(crate) text: String,
    /// The line of the page that it begins on.
    pub(crate) line: usize,
}

/// Where a page is.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man").join(name)
}

impl Page {
    pub(crate) fn read(name: &str) -> Self {
        let path = path(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { text }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The items of all lists, in their order. No list stands in another.
    pub(crate) fn items(&self) -> Vec<Item<'_>> {
        let (mut section, mut subsection) = ("", "");
        let mut items: Vec<Item<'_>> = Vec::new();
        let mut is_open = false;
        for line in self.text.lines() {
            if let Some(title) = line.strip_prefix(".Sh ") {
                (section, subsection) = (title, "");
            } else if let Some(title) = line.strip_prefix(".Ss ") {
                subsection = title;
            } else if let Some(head) = line.strip_prefix(".It") {
                items.push(Item { section, subsection, head: head.trim(), lines: Vec::new() });
                is_open = true;
            } else if line == ".El" {
                is_open = false;
            } else if let Some(item) = items.last_mut().filter(|_| is_open) {
                item.lines.push(line);
            }
        }
        items
    }

    /// Everything that is displayed as it stands.
    pub(crate) fn displays(&self) -> Vec<Display> {
        let mut displays = Vec::new();
        let mut property = None;
        let mut open: Option<Display> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            if let Some(head) = line.strip_prefix(".It ") {
                property = head.strip_prefix("Ic ").filter(|name| !name.contains(' ')).map(unescaped);
            } else if line == ".El" {
                property = None;
            } else if line.starts_with(".Bd -literal") {
                open = Some(Display { property: property.clone(), text: String::new(), line: number + 1 });
            } else if line == ".Ed" {
                displays.extend(open.take());
            } else if let Some(display) = &mut open {
                display.text.push_str(&unescaped(line));
                display.text.push('\n');
            }
        }
        assert!(open.is_none(), "a display has no end");
        displays
    }
}

impl Item<'_> {
    /// The names of an item such as `.It Cm one , two`.
    pub(crate) fn names(&self, macro_name: &str) -> Vec<String> {
        let Some(names) = self.head.strip_prefix(macro_name).and_then(|rest| rest.strip_prefix(' ')) else {
            return Vec::new();
        };
        names.split_whitespace().filter(|word| *word != ",").map(unescaped).collect()
    }

    /// The first paragraph, as plain text on one line.
    pub(crate) fn first_paragraph(&self) -> String {
        let lines = self.lines.iter().take_while(|line| **line != ".Pp" && !line.starts_with(".Bd"));
        let mut text = String::new();
        for line in lines {
            let plain = plain(line);
            let closes = plain.starts_with(['.', ',', ';', ':']);
            if !text.is_empty() && !closes {
                text.push(' ');
            }
            text.push_str(&plain);
        }
        text
    }

    /// Whether it says something of what it names, in words.
    pub(crate) fn explains(&self) -> bool {
        self.lines
            .iter()
            .filter(|line| !line.starts_with('.'))
            .any(|line| line.split_whitespace().count() > 1)
    }
}

/// A line as plain text: `.Ql a ,` is `a,`.
fn plain(line: &str) -> String {
    let Some(call) = line.strip_prefix('.') else { return unescaped(line) };
    let mut words = call.split(' ').skip(1);
    let mut text = unescaped(words.next().unwrap_or_default());
    for word in words {
        if !matches!(word, "." | "," | ";" | ":") {
            text.push(' ');
        }
        text.push_str(&unescaped(word));
    }
    text
}

/// The characters that a source writes otherwise (mandoc_char(7)).
pub(crate) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let known = [
            ("(aq", "'"),
            ("(dq", "\""),
            ("(ha", "^"),
            ("(ti", "~"),
            ("(ga", "`"),
            ("e", "\\"),
            ("-", "-"),
            ("&", ""),
        ];
        let (name, meant) = known
            .into_iter()
            .find(|(name, _)| after.starts_with(name))
            .unwrap_or_else(|| panic!("an escape that is not known here: \\{after}"));
        out.push_str(meant);
        rest = &after[name.len()..];
    }
    out + rest
}

#[test]
fn a_page_is_read_as_it_is_meant() {
    let text = ".Sh ONE\n.Bl -tag\n.It Ic first\nTakes\n.Ql a\\-b ,\nor more.\n.Pp\nLong words.\n.Bd -literal\n\
                \\&.x = \\(aq\\e\\(aq\n.Ed\n.It Cm second , third\n.El\n.Ss Two\n.Bl -tag\n.It Fl f Ar path\n.El\n";
    let page = Page { text: text.to_owned() };
    let items = page.items();
    assert_eq!(items.len(), 3);
    assert_eq!(items[0].names("Ic"), ["first"]);
    assert_eq!(items[0].first_paragraph(), "Takes a-b, or more.");
    assert!(items[0].explains() && !items[1].explains());
    assert_eq!(items[1].names("Cm"), ["second", "third"]);
    assert!(items[1].names("Ic").is_empty());
    assert_eq!((items[2].section, items[2].subsection), ("ONE", "Two"));
    let displays = page.displays();
    assert_eq!(displays.len(), 1);
    assert_eq!((displays[0].property.as_deref(), displays[0].line), (Some("first"), 10));
    assert_eq!(displays[0].text, ".x = '\\'\n");
}
