//! Macros: `.include`, `.try_include` and `.priority`, and the files they bring in.
//!
//! Owns what all files of a document share: the tree, the stack of open sections, the search path
//! and the bounds on files.

use std::io;
use std::sync::Arc;

use super::Loader;
use super::cursor::{Cursor, is_space, is_value_end};
use super::error::{Fault, Parsed, UclError, fault};
use super::limits::{FILE_BYTES_MAX, INCLUDE_DEPTH_MAX, INCLUDES_MAX, TOTAL_BYTES_MAX};
use super::parser::{Frame, Opening, Parser};
use super::string;
use super::tree::{Manner, Strategy, Tree};
use super::value::{Kind, Object, SourceId, Sources, Span};
use super::variable::Variables;

/// A file that is being read.
pub(super) struct OpenFile {
    /// Its canonical path.
    pub(super) path: String,
    /// The macro that included it; none for the main file.
    pub(super) included_at: Option<Span>,
}

/// What all files of one document share.
pub(super) struct Reader<'l> {
    pub(super) loader: &'l mut dyn Loader,
    pub(super) sources: Sources,
    pub(super) tree: Tree,
    pub(super) stack: Vec<Frame>,
    /// The main file and the includes within each other that led to the text being read.
    pub(super) files: Vec<OpenFile>,
    search_path: Vec<String>,
    includes: usize,
    bytes: usize,
}

impl<'l> Reader<'l> {
    pub(super) fn new(loader: &'l mut dyn Loader) -> Self {
        Self {
            loader,
            sources: Sources::default(),
            tree: Tree::default(),
            stack: Vec::new(),
            files: Vec::new(),
            search_path: Vec::new(),
            includes: 0,
            bytes: 0,
        }
    }

    /// Takes the bytes of a file in as text, or says what is wrong with them.
    pub(super) fn admit(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        at: Option<Span>,
    ) -> Parsed<(SourceId, Arc<str>)> {
        let large = match bytes.len() {
            len if len > FILE_BYTES_MAX => Some(UclError::FileTooLarge),
            len if len > TOTAL_BYTES_MAX - self.bytes => Some(UclError::TotalTooLarge),
            _ => None,
        };
        if let Some(kind) = large {
            return Err(Box::new(Fault { span: at, kind }));
        }
        self.bytes += bytes.len();
        let (text, wrong): (Arc<str>, _) = match String::from_utf8(bytes) {
            Ok(text) => (text.into(), None),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into(), Some((start, UclError::NotUtf8)))
            }
        };
        let wrong = text.bytes().position(|b| b == 0).map(|at| (at, UclError::NulByte)).or(wrong);
        let source = self.sources.add(name, text.clone());
        match wrong {
            Some((start, kind)) => fault(Cursor { pos: start, ..Cursor::new(&text, source) }.here(), kind),
            None => Ok((source, text)),
        }
    }
}

/// Which macro a call is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Macro {
    Include,
    TryInclude,
    Priority,
}

impl Macro {
    fn name(self) -> &'static str {
        match self {
            Self::Include => "include",
            Self::TryInclude => "try_include",
            Self::Priority => "priority",
        }
    }
}

/// Whether a missing file is an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Refused,
    Ignored,
}

/// The settings of one include.
struct Arguments {
    missing: Missing,
    glob: bool,
    prefix: bool,
    key: Option<String>,
    array: bool,
    manner: Manner,
}

impl Parser<'_, '_, '_> {
    /// Reads a macro and does what it says; the cursor is on its dot.
    pub(super) fn macro_call(&mut self) -> Parsed<()> {
        let start = self.cursor.pos;
        self.cursor.pos += 1;
        let rest = &self.cursor.text[self.cursor.pos..self.cursor.end];
        let len = rest.find(|c: char| c == '(' || (c.is_ascii() && is_space(c as u8)));
        let name = &rest[..len.unwrap_or(rest.len())];
        self.cursor.pos += name.len();
        let at = self.cursor.span(start, self.cursor.pos);
        let call = match name {
            "include" => Macro::Include,
            "try_include" => Macro::TryInclude,
            "priority" => Macro::Priority,
            _ if self.cursor.is_end() => return fault(at, UclError::UnfinishedMacro(name.to_owned())),
            _ => return fault(at, UclError::UnknownMacro(name.to_owned())),
        };
        self.cursor.skip_space_and_comments()?;
        let arguments = if self.cursor.peek() == Some(b'(') { Some(self.arguments(call)?) } else { None };
        let (value, value_span) = self.macro_value(call, at)?;
        let whole = Span { end: value_span.end.max(at.end), ..at };
        match call {
            Macro::Include | Macro::TryInclude => {
                let missing = if call == Macro::Include { Missing::Refused } else { Missing::Ignored };
                let settings = self.include_arguments(call, arguments.as_ref(), missing)?;
                self.include(&value, &settings, whole)
            }
            Macro::Priority => self.set_priority(&value, arguments.as_ref(), whole),
        }
    }

    /// Reads `(key=value, ...)` as a text of its own.
    fn arguments(&mut self, call: Macro) -> Parsed<Object> {
        let open = self.cursor.pos;
        let bytes = self.cursor.bytes();
        let (mut depth, mut quoted, mut at) = (0_usize, false, open);
        let close = loop {
            match self.cursor.byte(at) {
                None => return fault(self.cursor.here(), UclError::UnfinishedMacro(call.name().to_owned())),
                Some(b'"') if !quoted || bytes[at - 1] != b'\\' => quoted = !quoted,
                Some(b'(') if !quoted => depth += 1,
                Some(b')') if !quoted && depth == 1 => break at,
                Some(b')') if !quoted => depth -= 1,
                Some(_) => {}
            }
            at += 1;
        };
        let span = self.cursor.span(open, close + 1);
        if self.cursor.text[open..close].contains("\n.")
            || self.cursor.text[open + 1..close].trim_start().starts_with('.')
        {
            return fault(span, UclError::MacroArguments);
        }
        let cursor = Cursor { pos: open + 1, end: close, ..self.cursor };
        let (tree, stack) = (std::mem::take(&mut self.reader.tree), std::mem::take(&mut self.reader.stack));
        let root = self.reader.tree.add_null();
        let variables = self.variables.clone();
        let read = Parser::new(self.reader, cursor, Manner::default(), variables, root).read_root();
        let mut arguments = std::mem::replace(&mut self.reader.tree, tree);
        self.reader.stack = stack;
        read?;
        self.cursor.pos = close + 1;
        self.cursor.skip_space_and_comments()?;
        match arguments.take(root, span).kind {
            Kind::Object(object) => Ok(object),
            _ => fault(span, UclError::MacroArguments),
        }
    }

    /// Reads what a macro is given: in quotes, in braces or bare; and the separators behind it.
    fn macro_value(&mut self, call: Macro, at: Span) -> Parsed<(String, Span)> {
        let cut_short = || fault(at, UclError::UnfinishedMacro(call.name().to_owned()));
        let start = self.cursor.pos;
        let mut raw = match self.cursor.peek() {
            None => return cut_short(),
            Some(b'"') => {
                let raw = string::double_quoted(&mut self.cursor)?;
                raw.start..raw.end
            }
            Some(b'{') => {
                self.cursor.pos += 1;
                self.cursor.skip_space();
                let from = self.cursor.pos;
                let rest = &self.cursor.bytes()[from..self.cursor.end];
                let Some(len) = rest.iter().position(|b| *b == b'}') else { return cut_short() };
                self.cursor.pos = from + len + 1;
                from..from + len
            }
            Some(_) => {
                while self.cursor.peek().is_some_and(|b| !is_value_end(b)) {
                    self.cursor.pos += 1;
                }
                start..self.cursor.pos
            }
        };
        let span = self.cursor.span(start, self.cursor.pos);
        while self.cursor.peek().is_some_and(|b| is_space(b) || b == b';') {
            self.cursor.pos += 1;
        }
        raw.end = raw.end.max(raw.start);
        Ok((self.variables.expand(self.cursor.text[raw].to_owned()), span))
    }

    fn set_priority(&mut self, value: &str, arguments: Option<&Object>, at: Span) -> Parsed<()> {
        let mut text = value.to_owned();
        for entry in arguments.iter().flat_map(|object| &object.entries) {
            match (&*entry.key, entry.items.as_slice()) {
                ("priority", [item]) => {
                    if let Kind::Integer(number) = item.value.kind {
                        if text.is_empty() {
                            text = number.to_string();
                        }
                        continue;
                    }
                    return fault(item.value.span, wants("priority", "a number from 0 to 15"));
                }
                (argument, _) => {
                    let argument = argument.to_owned();
                    return fault(
                        entry.items[0].key_span,
                        UclError::UnknownArgument { name: "priority", argument },
                    );
                }
            }
        }
        match text.trim_start().parse::<u8>() {
            Ok(priority @ 0..=15) => {
                self.manner.priority = priority;
                Ok(())
            }
            Ok(_) | Err(_) => fault(at, UclError::Priority(text)),
        }
    }

    fn include_arguments(
        &mut self,
        call: Macro,
        given: Option<&Object>,
        missing: Missing,
    ) -> Parsed<Arguments> {
        let mut settings = Arguments {
            missing,
            glob: false,
            prefix: false,
            key: None,
            array: false,
            manner: Manner::default(),
        };
        for entry in given.iter().flat_map(|object| &object.entries) {
            let item = &entry.items[entry.items.len() - 1];
            let span = if entry.items.len() > 1 { item.key_span } else { item.value.span };
            let value = if entry.items.len() > 1 { &Kind::Null } else { &item.value.kind };
            match (&*entry.key, value) {
                ("try", Kind::Boolean(yes)) => {
                    settings.missing = if *yes { Missing::Ignored } else { Missing::Refused };
                }
                ("glob", Kind::Boolean(yes)) => settings.glob = *yes,
                ("prefix", Kind::Boolean(yes)) => settings.prefix = *yes,
                ("key", Kind::String { text, style: _ }) if !text.is_empty() => {
                    settings.key = Some(text.clone())
                }
                ("target", Kind::String { text, style: _ }) if text.eq_ignore_ascii_case("array") => {
                    settings.array = true;
                }
                ("target", Kind::String { text, style: _ }) if text.eq_ignore_ascii_case("object") => {
                    settings.array = false;
                }
                ("priority", Kind::Integer(number @ 0..=15)) => {
                    settings.manner.priority = u8::try_from(*number).unwrap_or(0);
                }
                ("duplicate", Kind::String { text, style: _ }) => {
                    settings.manner.strategy = strategy(text).map_or_else(
                        || fault(span, wants("duplicate", "append, merge, rewrite or error, once")),
                        Ok,
                    )?;
                }
                ("path", Kind::Array(values)) => {
                    let paths = values.iter().map(|value| match &value.kind {
                        Kind::String { text, style: _ } => Ok(text.clone()),
                        _ => fault(value.span, wants("path", "an array of strings")),
                    });
                    self.reader.search_path = paths.collect::<Parsed<_>>()?;
                }
                (argument, _) => return fault(span, refused(call, argument)),
            }
        }
        Ok(settings)
    }

    fn include(&mut self, name: &str, settings: &Arguments, at: Span) -> Parsed<()> {
        if self.reader.search_path.is_empty() {
            let found = self.include_pattern(name, settings, at)?;
            return if found || settings.missing == Missing::Ignored {
                Ok(())
            } else {
                fault(at, UclError::NoMatch(name.to_owned()))
            };
        }
        let mut found = false;
        for dir in self.reader.search_path.clone() {
            // A file missing here may be in the next directory.
            let here = Arguments { missing: Missing::Ignored, key: settings.key.clone(), ..*settings };
            found |= self.include_pattern(&format!("{dir}/{name}"), &here, at)?;
            if found && !settings.glob {
                break;
            }
        }
        if found || settings.missing == Missing::Ignored {
            Ok(())
        } else {
            fault(at, UclError::NotInPath(name.to_owned()))
        }
    }

    /// Includes one file, or all that a pattern matches; says whether there was any.
    fn include_pattern(&mut self, name: &str, settings: &Arguments, at: Span) -> Parsed<bool> {
        if !settings.glob || !name.contains(['*', '?']) {
            return self.include_file(name, settings, at);
        }
        let files = match self.reader.loader.glob(name) {
            Ok(files) => files,
            Err(error) => return fault(at, UclError::Include { name: name.to_owned(), error }),
        };
        let mut found = false;
        for file in files {
            found |= self.include_file(&file, settings, at)?;
        }
        Ok(found)
    }

    fn include_file(&mut self, name: &str, settings: &Arguments, at: Span) -> Parsed<bool> {
        self.reader.includes += 1;
        if self.reader.includes > INCLUDES_MAX {
            return fault(at, UclError::IncludeCount);
        }
        let loaded = match self.reader.loader.resolve(name) {
            Ok(path) if self.reader.files.iter().any(|file| file.path == path) => {
                return fault(at, UclError::IncludeLoop(path));
            }
            Ok(path) => self.reader.loader.read(&path).map(|bytes| (path, bytes)),
            Err(error) => Err(error),
        };
        let (path, bytes) = match loaded {
            Ok(loaded) => loaded,
            Err(error) if settings.missing == Missing::Ignored && is_missing(&error) => return Ok(false),
            Err(error) => return fault(at, UclError::Include { name: name.to_owned(), error }),
        };
        if self.reader.files.len() >= INCLUDE_DEPTH_MAX {
            return fault(at, UclError::IncludeDepth);
        }
        let (source, text) = self.reader.admit(&path, bytes, Some(at))?;
        let depth = self.reader.stack.len();
        self.descend(&path, settings, at)?;
        let variables = Variables::of_file(&path);
        self.reader.files.push(OpenFile { path, included_at: Some(at) });
        let target = self.reader.stack[self.reader.stack.len() - 1].node;
        let cursor = Cursor::new(&text, source);
        Parser::new(self.reader, cursor, settings.manner, variables, target).read_included()?;
        self.reader.files.pop();
        self.reader.stack.truncate(depth);
        Ok(true)
    }

    /// Opens the section into which an include with `key` or `prefix` puts its settings.
    fn descend(&mut self, path: &str, settings: &Arguments, at: Span) -> Parsed<()> {
        let key = match &settings.key {
            Some(key) => key.as_str(),
            None if settings.prefix => {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.strip_suffix(".conf").or_else(|| name.strip_suffix(".ucl")).unwrap_or(name)
            }
            None => return Ok(()),
        };
        if self.reader.stack.len() >= super::limits::DEPTH_MAX {
            return fault(at, UclError::TooDeep);
        }
        let object = self.reader.stack[self.reader.stack.len() - 1].node;
        let node = match settings.array {
            true => self.reader.tree.descend_array(object, key, at, settings.manner)?,
            false => self.reader.tree.descend(object, key, at, settings.manner)?,
        };
        self.reader.tree.close(node, at);
        self.reader.stack.push(Frame { node, opening: Opening::Text, at });
        Ok(())
    }
}

fn strategy(name: &str) -> Option<Strategy> {
    match name {
        "append" => Some(Strategy::Append),
        "merge" => Some(Strategy::Merge),
        "rewrite" => Some(Strategy::Rewrite),
        "error" => Some(Strategy::Error),
        _ => None,
    }
}

fn wants(argument: &'static str, expected: &'static str) -> UclError {
    UclError::ArgumentValue { argument, expected }
}

/// Why an argument of an include is refused: it has a wrong value, or is none of ours.
fn refused(call: Macro, argument: &str) -> UclError {
    match argument {
        "try" => wants("try", "a boolean, once"),
        "glob" => wants("glob", "a boolean, once"),
        "prefix" => wants("prefix", "a boolean, once"),
        "key" => wants("key", "a string that is not empty, once"),
        "target" => wants("target", "object or array, once"),
        "priority" => wants("priority", "a number from 0 to 15, once"),
        "duplicate" => wants("duplicate", "append, merge, rewrite or error, once"),
        "path" => wants("path", "an array of strings, once"),
        _ => UclError::UnknownArgument { name: call.name(), argument: argument.to_owned() },
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
