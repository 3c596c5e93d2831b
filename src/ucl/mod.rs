//! UCL: text to a tree of values with places. Knows nothing of rules.
//!
//! The language is libucl's with default flags (reference: libucl 0.9.2). Files are reached only
//! through [`Loader`]. Whatever a text holds, the answer is a [`Document`] or a [`ReadError`], in
//! time linear in its size.
//!
//! Where the reference misreads or silently drops text, ours gives an error instead:
//! - text behind the end of the root; the words of a named section whose block never comes, or
//!   whose brace stands in a comment or a quoted string; a key at the end without a value;
//! - blanks between a comment and a value, which would become part of the value;
//! - a NUL byte, a byte order mark, text that is not UTF-8; `\u0000`, half a surrogate pair, `\u` in
//!   a bare string without four digits (a whole surrogate pair is its character);
//! - numbers that overflow through their unit; hexadecimal numbers with a unit of time and those
//!   with digits before the `0x`;
//! - a heredoc whose last line repeats the begin of its word;
//! - priorities outside 0 to 15; arguments of macros that are unknown, abbreviated, repeated or of
//!   the wrong type; macros without a value, and inside the name of a section;
//! - an included file that is an array or in braces, or closes what it has not opened; one merged
//!   into a section when another section of that name has the key.
//!
//! And ours reads what the reference refuses or loses for no reason: a root brace after a comment
//! and a blank line, `**/` as the end of a comment, `#` as the last byte, a number and a blank at
//! the end of arguments, a missing file of `.try_include`, a file in a later directory of the
//! search path, and the names of more than one file with `prefix`. `$CURDIR` and `$FILENAME` in the
//! arguments of a macro are those of the file, as everywhere else.

mod cursor;
mod error;
mod include;
mod limits;
mod macros;
mod number;
mod parser;
mod scalar;
mod string;
mod tree;
mod value;
mod variable;

use std::io;

pub use error::{ReadError, UclError};
pub use limits::{
    DEPTH_MAX, FILE_BYTES_MAX, HEREDOC_WORD_MAX, INCLUDE_DEPTH_MAX, INCLUDES_MAX, TOTAL_BYTES_MAX, VALUES_MAX,
};
pub use number::number;
pub use value::{Document, Entry, Item, Kind, Object, Place, Source, SourceId, Sources, Span, Style, Value};

use cursor::Cursor;
use error::{Fault, Parsed};
use include::{OpenFile, Reader};
use parser::Parser;
use tree::Manner;
use variable::Variables;

/// The only way to files: what the reader asks of whoever has them.
pub trait Loader {
    /// The content of a file.
    ///
    /// # Errors
    /// Whatever the system says; [`io::ErrorKind::NotFound`] for a file that is not there.
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>>;

    /// The canonical absolute path of a file: absolute, without links, `.` and `..`.
    ///
    /// # Errors
    /// Whatever the system says; [`io::ErrorKind::NotFound`] for a file that is not there.
    fn resolve(&mut self, path: &str) -> io::Result<String>;

    /// The paths that a pattern of glob(7) matches, sorted; empty when there are none.
    ///
    /// # Errors
    /// Whatever the system says.
    fn glob(&mut self, pattern: &str) -> io::Result<Vec<String>>;
}

/// Reads the file of this name with everything it includes.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn read(name: &str, loader: &mut dyn Loader) -> Result<Document, Box<ReadError>> {
    let loaded = loader.resolve(name).and_then(|path| loader.read(&path).map(|bytes| (path, bytes)));
    let reader = Reader::new(loader);
    match loaded {
        Ok((path, bytes)) => document(reader, name, path, bytes),
        Err(error) => Err(Box::new(ReadError {
            sources: Sources::default(),
            span: None,
            kind: UclError::Open { name: name.to_owned(), error },
            included_from: Vec::new(),
        })),
    }
}

/// Reads a text as if it were the file of this name.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(name: &str, text: &str, loader: &mut dyn Loader) -> Result<Document, Box<ReadError>> {
    let path = loader.resolve(name).unwrap_or_else(|_| name.to_owned());
    document(Reader::new(loader), name, path, text.as_bytes().to_vec())
}

fn document(
    mut reader: Reader<'_>,
    name: &str,
    path: String,
    bytes: Vec<u8>,
) -> Result<Document, Box<ReadError>> {
    match main_file(&mut reader, name, path, bytes) {
        Ok(root) => Ok(Document { sources: reader.sources, root }),
        Err(fault) => {
            let Fault { span, kind } = *fault;
            let included_from = reader.files.iter().rev().filter_map(|file| file.included_at).collect();
            Err(Box::new(ReadError { sources: reader.sources, span, kind, included_from }))
        }
    }
}

fn main_file(reader: &mut Reader<'_>, name: &str, path: String, bytes: Vec<u8>) -> Parsed<Value> {
    let (source, text) = reader.admit(name, bytes, None)?;
    let variables = Variables::of_file(&path);
    reader.files.push(OpenFile { path, included_at: None });
    let cursor = Cursor::new(&text, source);
    let root = reader.tree.add_null();
    Parser::new(reader, cursor, Manner::default(), variables, root).read_root()?;
    Ok(reader.tree.take(root, cursor.span(0, text.len())))
}
