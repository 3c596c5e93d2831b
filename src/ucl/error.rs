//! What can be wrong with a text, and where.
//!
//! Owns the words of every message; knows nothing of how the text is read.

use std::fmt::{self, Write};
use std::io;

use super::limits::{
    DEPTH_MAX, FILE_BYTES_MAX, HEREDOC_WORD_MAX, INCLUDE_DEPTH_MAX, INCLUDES_MAX, TOTAL_BYTES_MAX, VALUES_MAX,
};
use super::value::{Sources, Span};

/// A text that could not be read: the cause, the place and the way there.
#[derive(Debug)]
pub struct ReadError {
    /// Every file read so far; the spans below refer to it.
    pub sources: Sources,
    /// The place, unless no file could be read at all.
    pub span: Option<Span>,
    /// The cause.
    pub kind: UclError,
    /// The `.include` macros that led to the file of `span`, the innermost first.
    pub included_from: Vec<Span>,
}

/// Widest part of a source line that a report shows, in characters.
const REPORT_WIDTH: usize = 160;

impl ReadError {
    /// The whole report: `FILE:LINE:COLUMN: message`, the source line, a caret, and one line for
    /// each `.include` on the way. Ends without a line end.
    pub fn report(&self) -> String {
        let mut out = self.to_string();
        if let UclError::Open { error, .. } | UclError::Include { error, .. } = &self.kind {
            let _ = write!(out, ": {error}");
        }
        if let Some(span) = self.span {
            let column = self.sources.place(span).column.saturating_sub(1) as usize;
            let (shown, pad) = excerpt(self.sources.line(span), column);
            let _ = write!(out, "\n{shown}\n{pad}^");
        }
        for span in &self.included_from {
            let place = self.sources.place(*span);
            let _ = write!(out, "\nincluded from {}:{}", place.name, place.line);
        }
        out
    }
}

/// The part of a line around a column, and what stands below it up to the caret.
fn excerpt(line: &str, column: usize) -> (String, String) {
    let skipped = if column < REPORT_WIDTH { 0 } else { column - REPORT_WIDTH / 2 };
    let shown: String = line
        .chars()
        .skip(skipped)
        .take(REPORT_WIDTH)
        .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
        .collect();
    let pad =
        shown.chars().take(column - skipped).map(|c| if c == '\t' { '\t' } else { ' ' }).collect::<String>();
    (shown, pad)
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = self.span {
            let place = self.sources.place(span);
            write!(f, "{}:{}:{}: ", place.name, place.line, place.column)?;
        }
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

/// Every cause for which a text is refused.
#[derive(Debug)]
pub enum UclError {
    /// The main file cannot be opened or read.
    Open {
        /// The file as it was named.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// An included file cannot be opened or read.
    Include {
        /// The file as the macro names it.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// One file is above the bound.
    FileTooLarge,
    /// All files together, their variables expanded, are above the bound.
    TotalTooLarge,
    /// A byte that is not UTF-8.
    NotUtf8,
    /// A NUL byte.
    NulByte,
    /// A byte order mark at the start; libucl takes it into the first key.
    ByteOrderMark,
    /// Sections or arrays nested too deep.
    TooDeep,
    /// More keys and elements than the bound.
    TooManyValues,
    /// `/*` without its `*/`.
    UnfinishedComment,
    /// Something that cannot begin a key.
    KeyStart(char),
    /// Something that cannot stand in a key without quotes.
    KeyCharacter(char),
    /// The text ends where a key wants its value.
    UnfinishedKey,
    /// `""` as a key.
    EmptyKey,
    /// A second `=` or `:` after a key.
    SecondSeparator(char),
    /// A line end inside double quotes.
    NewlineInString,
    /// A control character inside double quotes.
    ControlInString(char),
    /// A string without its closing quote.
    UnfinishedString(char),
    /// `\u` without four hexadecimal digits.
    UnicodeEscape,
    /// `\u0000`.
    NulEscape,
    /// Half a surrogate pair.
    LoneSurrogate,
    /// A heredoc without its last line.
    UnfinishedHeredoc(String),
    /// A word of a heredoc above the bound.
    HeredocWord,
    /// Nothing where a value is wanted.
    EmptyValue,
    /// The text ends where a value is wanted; libucl takes null.
    MissingValue,
    /// Blanks between a comment and a value; libucl takes them into the value.
    BlankAfterComment,
    /// A number that no 64 bits hold.
    NumberRange,
    /// A hexadecimal number of which libucl silently drops a part.
    HexNumber,
    /// Two values without a separator.
    MissingSeparator,
    /// A closing brace or bracket too many, or one that closes something of another file.
    Unopened(char),
    /// `}` where `]` is wanted or the other way round.
    Mismatched(char),
    /// A brace or bracket without its partner.
    Unclosed(char),
    /// Words that began a named section whose block never came.
    SectionWithoutBlock,
    /// The brace that makes a line a named section stands in a comment.
    BraceInComment,
    /// The brace that makes a line a named section stands in a quoted string.
    BraceInString,
    /// Text behind the end of the root; libucl drops it.
    TextAfterRoot,
    /// An included file that is an array or is wrapped in braces.
    IncludedRoot,
    /// A macro that we do not have.
    UnknownMacro(String),
    /// A macro that is cut short.
    UnfinishedMacro(String),
    /// A macro between the words of a named section.
    MacroInSection,
    /// Arguments of a macro that are no list of settings.
    MacroArguments,
    /// An argument that the macro does not take.
    UnknownArgument {
        /// The macro.
        name: &'static str,
        /// The argument.
        argument: String,
    },
    /// An argument with a value it cannot have.
    ArgumentValue {
        /// The argument.
        argument: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// `.priority` without a number from 0 to 15.
    Priority(String),
    /// A file that includes itself, directly or not.
    IncludeLoop(String),
    /// Includes nested too deep.
    IncludeDepth,
    /// Too many includes.
    IncludeCount,
    /// A pattern that matches no file.
    NoMatch(String),
    /// A file that is in no directory of the search path.
    NotInPath(String),
    /// A key repeated in a file included with `duplicate=error`.
    DuplicateKey(String),
    /// An object merged with an array.
    MergeTypes,
    /// `key` or `prefix` of an include names something that is no section.
    IncludeTarget(String),
    /// A merge into one of several sections of the same name, another of which has the key.
    AmbiguousMerge(String),
}

impl fmt::Display for UclError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { name, .. } => write!(f, "cannot read {}", Quoted(name)),
            Self::Include { name, .. } => write!(f, "cannot include '{}'", Quoted(name)),
            Self::FileTooLarge => write!(f, "the file is larger than {FILE_BYTES_MAX} bytes"),
            Self::TotalTooLarge => write!(f, "all files with their variables expanded are larger than {TOTAL_BYTES_MAX} bytes"),
            Self::NotUtf8 => f.write_str("the text is not valid UTF-8 here; save the file as UTF-8"),
            Self::NulByte => f.write_str("a NUL byte; this is no text file"),
            Self::ByteOrderMark => f.write_str("a byte order mark; save the file without it"),
            Self::TooDeep => write!(f, "nested deeper than {DEPTH_MAX} levels"),
            Self::TooManyValues => write!(f, "more than {VALUES_MAX} keys and array elements"),
            Self::HeredocWord => write!(f, "the word of a heredoc is longer than {HEREDOC_WORD_MAX} bytes"),
            Self::UnfinishedComment => f.write_str(
                "this comment has no end; every /* inside it wants its own */, and a */ between double quotes does not count",
            ),
            Self::KeyStart(c) => write!(f, "a key cannot begin with {}; put it in double quotes", Shown(*c)),
            Self::KeyCharacter('{' | '[') => f.write_str("a blank is missing between the key and its brace"),
            Self::KeyCharacter('\n' | '\r') => f.write_str("a key without a value"),
            Self::KeyCharacter(c) => write!(f, "{} cannot stand in a key; put the key in double quotes", Shown(*c)),
            Self::UnfinishedKey | Self::MissingValue => f.write_str("the text ends where a value is wanted"),
            Self::EmptyKey => f.write_str("a key cannot be empty"),
            Self::SecondSeparator(c) => {
                write!(f, "a second separator '{c}'; if it belongs to the value, put the value in quotes")
            }
            Self::NewlineInString => f.write_str("a string in double quotes ends on its own line; write \\n or a heredoc"),
            Self::ControlInString(c) => {
                write!(f, "{} inside double quotes; write it as an escape", Shown(*c))
            }
            Self::UnfinishedString(c) => write!(f, "this string has no closing {c}"),
            Self::UnicodeEscape => f.write_str("\\u wants four hexadecimal digits"),
            Self::NulEscape => f.write_str("\\u0000 is not allowed in a string"),
            Self::LoneSurrogate => f.write_str("half a surrogate pair; write both halves, or the character itself"),
            Self::UnfinishedHeredoc(word) => write!(
                f,
                "this heredoc has no end: '{}' alone on a line below the text, with a line end after it",
                Quoted(word)
            ),
            Self::EmptyValue => f.write_str("a value is missing here; an empty one is written \"\""),
            Self::BlankAfterComment => {
                f.write_str("blanks between this comment and the value would become part of the value; move the comment")
            }
            Self::NumberRange => f.write_str("this number is out of range"),
            Self::HexNumber => {
                f.write_str("libucl would read only a part of this hexadecimal number; put the value in quotes")
            }
            Self::MissingSeparator => f.write_str("a separator is missing before this; begin a new line or write ';' or ','"),
            Self::Unopened(c) => write!(f, "this '{c}' closes nothing that was opened in this file"),
            Self::Mismatched(c) => write!(f, "'{c}' where '{}' is wanted", if *c == '}' { ']' } else { '}' }),
            Self::Unclosed(c) => write!(f, "this '{c}' is never closed"),
            Self::SectionWithoutBlock => f.write_str(
                "libucl takes this for the name of a section, because a brace follows on the line, but its block never comes; write '=' after the key and quote the value",
            ),
            Self::BraceInComment => f.write_str(
                "a brace in a comment makes this line a named section; write '=' after the key or move the comment",
            ),
            Self::BraceInString => f.write_str("a brace in this string makes the line a named section; write '=' after the key"),
            Self::TextAfterRoot => f.write_str("text after the end of the root would be ignored; remove it"),
            Self::IncludedRoot => f.write_str("an included file holds bare settings; remove the outer braces"),
            Self::UnknownMacro(name) => {
                write!(f, "macro '.{}' is not supported; there are .include, .try_include and .priority", Quoted(name))
            }
            Self::UnfinishedMacro(name) => write!(f, "macro '.{}' is cut short; its value is missing", Quoted(name)),
            Self::MacroInSection => f.write_str("a macro cannot stand between the name of a section and its brace"),
            Self::MacroArguments => f.write_str("the arguments of a macro are settings: (key=value, key=value)"),
            Self::UnknownArgument { name, argument } => {
                write!(f, "argument '{}' of '.{name}' is not supported", Quoted(argument))
            }
            Self::ArgumentValue { argument, expected } => write!(f, "argument '{argument}' wants {expected}"),
            Self::Priority(text) => write!(f, "a priority is a number from 0 to 15, not '{}'", Quoted(text)),
            Self::IncludeLoop(name) => write!(f, "'{}' includes itself", Quoted(name)),
            Self::IncludeDepth => write!(f, "includes nested deeper than {INCLUDE_DEPTH_MAX} files"),
            Self::IncludeCount => write!(f, "more than {INCLUDES_MAX} includes"),
            Self::NoMatch(pattern) => write!(f, "no file matches '{}'", Quoted(pattern)),
            Self::NotInPath(name) => write!(f, "'{}' is in no directory of the search path", Quoted(name)),
            Self::DuplicateKey(key) => write!(f, "key '{}' is there already, and duplicate=error forbids that", Quoted(key)),
            Self::MergeTypes => f.write_str("cannot merge an object with an array"),
            Self::IncludeTarget(key) => write!(f, "cannot include into '{}': it is not a single section", Quoted(key)),
            Self::AmbiguousMerge(key) => {
                write!(f, "key '{}' is in another section of the same name; merge these sections by hand", Quoted(key))
            }
        }
    }
}

impl std::error::Error for UclError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Open { error, .. } | Self::Include { error, .. } = self { Some(error) } else { None }
    }
}

/// A character for a message: quoted, or by number when it cannot be seen.
struct Shown(char);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_control() {
            write!(f, "character U+{:04X}", u32::from(self.0))
        } else {
            write!(f, "'{}'", self.0)
        }
    }
}

/// A piece of text for a message: its front, on one line.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(REPORT_WIDTH) {
            f.write_char(if c.is_control() { '\u{fffd}' } else { c })?;
        }
        if chars.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

/// An error on its way up, before the sources join it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Option<Span>,
    pub(super) kind: UclError,
}

/// What the parts of the reader return.
pub(super) type Parsed<T> = Result<T, Box<Fault>>;

/// An error at a place.
pub(super) fn fault<T>(span: Span, kind: UclError) -> Parsed<T> {
    Err(Box::new(Fault { span: Some(span), kind }))
}
