//! The value tree: what a UCL text says, and where it says it.
//!
//! Owns the data types alone. Every key and value keeps its [`Span`], and [`Sources`] keeps the
//! text of every file read, so that whoever judges the values can point at the place.

use std::sync::Arc;

/// Which of the files of a [`Sources`] a span lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A range of bytes in one source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte, counted from 0.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// One file that was read: the main one or an included one.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name it was opened by, for messages.
    pub name: Arc<str>,
    /// Its whole text.
    pub text: Arc<str>,
}

/// Every file read for one document, in the order of reading; the main file is the first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// A place as people count it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the file.
    pub name: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Sources {
    /// Adds a file and says by which id spans refer to it.
    ///
    /// # Panics
    /// After 2^32 files, which the bound on includes makes impossible.
    pub fn add(&mut self, name: &str, text: Arc<str>) -> SourceId {
        let id = u32::try_from(self.files.len()).expect("includes are bounded far below 2^32");
        self.files.push(Source { name: name.into(), text });
        SourceId(id)
    }

    /// The file of this id.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// The source text of a span, as written (quotes and escapes included).
    pub fn text(&self, span: Span) -> &str {
        &self.source(span.source).text[span.start as usize..span.end as usize]
    }

    /// The place of a span's first byte.
    pub fn place(&self, span: Span) -> Place {
        let source = self.source(span.source);
        let before = &source.text[..span.start as usize];
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Place {
            name: source.name.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// The whole line in which a span begins, without its line end.
    pub fn line(&self, span: Span) -> &str {
        let text = &self.source(span.source).text;
        let start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let end = text[span.start as usize..].find('\n').map_or(text.len(), |at| at + span.start as usize);
        text[start..end].trim_end_matches('\r')
    }

    /// All files, in the order of reading.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }
}

/// How a string was written; what escapes meant depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes, ended by a separator.
    Bare,
    /// `'...'`: nothing is unescaped but `\'`.
    SingleQuoted,
    /// `"..."`: JSON escapes; an unknown escape loses its backslash.
    DoubleQuoted,
    /// `<<EOD`: lines as they stand.
    Heredoc,
}

/// A value and its place. The span covers the value as written: with quotes, braces, suffixes.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it is written.
    pub span: Span,
}

/// The types of UCL.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true`, `yes`, `on` and their opposites, without quotes.
    Boolean(bool),
    /// A whole number, its suffix applied.
    Integer(i64),
    /// A number with a point, an exponent, or `nan`/`inf`.
    Float(f64),
    /// A number with a unit of time, in seconds.
    Time(f64),
    /// Text.
    String {
        /// After unescaping and expansion of variables.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// `[ ... ]`.
    Array(Vec<Value>),
    /// `{ ... }`, or the nesting of a named section.
    Object(Object),
}

impl Kind {
    /// The name of the type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Time(_) => "time",
            Self::String { .. } => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

/// The keys of an object in the order of their first appearance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// One entry for each different key.
    pub entries: Vec<Entry>,
}

/// One key and everything it was given; more than one item is UCL's implicit array.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, unescaped.
    pub key: Arc<str>,
    /// Its values in the order of the text; never empty.
    pub items: Vec<Item>,
}

/// One appearance of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where the key stands, quotes included.
    pub key_span: Span,
    /// What it was given there.
    pub value: Value,
}

/// A whole text with all its includes.
#[derive(Clone, Debug)]
pub struct Document {
    /// Every file read.
    pub sources: Sources,
    /// The root: an object or (JSON style) an array.
    pub root: Value,
}
