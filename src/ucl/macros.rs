//! Macros: `.include`, `.try_include` and `.priority`, their arguments and their values.

use super::cursor::{Cursor, is_space, is_value_end};
use super::error::{Parsed, UclError, fault};
use super::parser::{Parser, TextKind};
use super::string;
use super::tree::{Manner, Strategy};
use super::value::{Kind, Object, Span, Value};

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
pub(super) enum Missing {
    Refused,
    Ignored,
}

/// The settings of one include.
pub(super) struct Arguments {
    pub(super) missing: Missing,
    pub(super) glob: bool,
    pub(super) prefix: bool,
    pub(super) key: Option<String>,
    pub(super) array: bool,
    pub(super) manner: Manner,
}

impl Parser<'_, '_, '_> {
    /// Reads a macro and does what it says; the cursor is on its dot.
    pub(super) fn macro_call(&mut self) -> Parsed<()> {
        if self.text_kind == TextKind::Arguments {
            return fault(self.cursor.here(), UclError::MacroArguments);
        }
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
        let cursor = Cursor { pos: open + 1, end: close, ..self.cursor };
        let (tree, stack) = (std::mem::take(&mut self.reader.tree), std::mem::take(&mut self.reader.stack));
        let root = self.reader.tree.add_null();
        let variables = self.variables.clone();
        let mut parser = Parser::new(self.reader, cursor, Manner::default(), variables, root);
        parser.text_kind = TextKind::Arguments;
        let read = parser.read_root();
        let mut arguments = std::mem::replace(&mut self.reader.tree, tree);
        self.reader.stack = stack;
        read?;
        self.cursor.pos = close + 1;
        self.cursor.skip_space_and_comments()?;
        match arguments.take(root, span).kind {
            Kind::Object(object) => Ok(object),
            Kind::Array(_)
            | Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::String { .. } => fault(span, UclError::MacroArguments),
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
                // The escapes must be right, but they stay as they are.
                string::unescape_json(&self.cursor, raw)?;
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
        let text = self.cursor.text[raw].to_owned();
        Ok((self.expand(text, span)?, span))
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
                    self.reader.search_path = values.iter().map(directory).collect::<Parsed<_>>()?;
                }
                (argument, _) => return fault(span, refused(call, argument)),
            }
        }
        Ok(settings)
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

/// One directory of a search path.
fn directory(value: &Value) -> Parsed<String> {
    if let Kind::String { text, style: _ } = &value.kind {
        return Ok(text.clone());
    }
    fault(value.span, wants("path", "an array of strings"))
}
