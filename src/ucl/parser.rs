//! The grammar: keys, values, sections, and what closes them.
//!
//! Owns one text's way through three states (a key is due, a value is due, a value has ended) over
//! an explicit stack of open sections, so that the depth of a text never becomes depth of calls.
//! Includes alone recurse, and their depth is bounded.

use super::cursor::{Comments, Cursor, is_blank, is_key, is_key_start, is_value_end};
use super::error::{Parsed, UclError, fault};
use super::include::Reader;
use super::limits::DEPTH_MAX;
use super::string;
use super::tree::{Manner, NodeId};
use super::value::Span;
use super::variable::Variables;

/// How a section or an array was opened, which decides what closes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// By the start of the text: the end closes it.
    Text,
    /// By a brace or a bracket.
    Brace,
    /// By a word before another word's brace: closed together with that one.
    Word,
}

/// An open section or array.
pub(super) struct Frame {
    pub(super) node: NodeId,
    pub(super) opening: Opening,
    /// The brace or word that opened it.
    pub(super) at: Span,
}

pub(super) enum State {
    Key,
    Value,
    AfterValue,
    End,
}

/// Whether a key is followed by more words and a block, or by its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Words,
    Value,
}

/// What a text is: the arguments of a macro hold no macros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    File,
    Arguments,
}

/// One text on its way into the tree.
pub(super) struct Parser<'r, 'l, 't> {
    pub(super) reader: &'r mut Reader<'l>,
    pub(super) cursor: Cursor<'t>,
    pub(super) manner: Manner,
    pub(super) variables: Variables,
    pub(super) text_kind: TextKind,
    /// Frames below this one belong to the text that includes this one.
    base: usize,
    /// The text has a root of its own, at whose end it ends; an included one goes on after each section.
    has_root: bool,
    /// The last key was one of several words before a brace.
    follows: Follows,
    /// Where the line or the setting ends or a brace stands; behind the position, or outdated.
    next_stop: usize,
    /// Where the value of the last key goes.
    pub(super) target: NodeId,
}

impl<'r, 'l, 't> Parser<'r, 'l, 't> {
    pub(super) fn new(
        reader: &'r mut Reader<'l>,
        cursor: Cursor<'t>,
        manner: Manner,
        variables: Variables,
        target: NodeId,
    ) -> Self {
        let base = reader.stack.len();
        Self {
            reader,
            cursor,
            manner,
            variables,
            text_kind: TextKind::File,
            base,
            has_root: false,
            follows: Follows::Value,
            next_stop: 0,
            target,
        }
    }

    /// Reads a text of its own: its root is the target node.
    pub(super) fn read_root(mut self) -> Parsed<()> {
        if self.cursor.text.starts_with('\u{feff}') && self.cursor.pos == 0 {
            return fault(self.cursor.here(), UclError::ByteOrderMark);
        }
        self.has_root = true;
        self.cursor.skip_space_and_comments()?;
        let start = self.cursor.here();
        let (opening, first) = match self.cursor.peek() {
            Some(b'[') => (Opening::Brace, State::Value),
            Some(b'{') => (Opening::Brace, State::Key),
            Some(_) | None => (Opening::Text, State::Key),
        };
        match first {
            State::Value => self.reader.tree.open_array(self.target, start)?,
            State::Key | State::AfterValue | State::End => {
                self.reader.tree.open_object(self.target, start)?
            }
        }
        if opening == Opening::Brace {
            self.cursor.pos += 1;
        }
        self.reader.stack.push(Frame { node: self.target, opening, at: start });
        self.run(first)?;
        if opening == Opening::Text {
            self.reader.stack.pop();
        }
        Ok(())
    }

    /// Reads an included text: its keys go into the section that is open.
    pub(super) fn read_included(mut self) -> Parsed<()> {
        if self.cursor.text.starts_with('\u{feff}') {
            return fault(self.cursor.here(), UclError::ByteOrderMark);
        }
        self.cursor.skip_space_and_comments()?;
        if matches!(self.cursor.peek(), Some(b'{' | b'[')) {
            return fault(self.cursor.here(), UclError::IncludedRoot);
        }
        self.run(State::Key)
    }

    fn run(&mut self, first: State) -> Parsed<()> {
        let mut state = first;
        loop {
            state = match state {
                State::Key => self.key()?,
                State::Value => self.value()?,
                State::AfterValue => self.after_value()?,
                State::End => break,
            };
        }
        for frame in self.reader.stack[self.base..].iter().rev() {
            match frame.opening {
                Opening::Text => {}
                Opening::Word => return fault(frame.at, UclError::SectionWithoutBlock),
                Opening::Brace => {
                    let open = if self.reader.tree.is_array(frame.node) { '[' } else { '{' };
                    return fault(frame.at, UclError::Unclosed(open));
                }
            }
        }
        Ok(())
    }

    /// Reads a key up to its value, a macro, or the end of the section.
    fn key(&mut self) -> Parsed<State> {
        self.cursor.skip_space_and_comments()?;
        let first = match self.cursor.peek() {
            None => return Ok(State::End),
            Some(b'}') => return Ok(State::AfterValue),
            Some(b'.') => {
                if self.follows == Follows::Words {
                    return fault(self.cursor.here(), UclError::MacroInSection);
                }
                self.macro_call()?;
                return Ok(State::Key);
            }
            Some(first) => first,
        };
        let start = self.cursor.pos;
        let key = match first {
            b'"' => {
                let raw = string::double_quoted(&mut self.cursor)?;
                self.unescaped(raw)?
            }
            _ if is_key_start(first) => self.bare_key()?,
            _ => return fault(self.cursor.here(), UclError::KeyStart(self.cursor.char())),
        };
        let at = self.cursor.span(start, self.cursor.pos);
        if self.cursor.is_end() {
            return fault(at, UclError::UnfinishedKey);
        }
        if self.separator(at)? == Separator::None {
            self.follows = self.what_follows()?;
        }
        if key.is_empty() {
            return fault(at, UclError::EmptyKey);
        }
        let object = self.reader.stack[self.reader.stack.len() - 1].node;
        self.target = self.reader.tree.insert(object, &key, at, self.manner)?;
        match self.follows {
            Follows::Value => Ok(State::Value),
            Follows::Words => {
                self.open(Opening::Word, at)?;
                Ok(State::Key)
            }
        }
    }

    fn bare_key(&mut self) -> Parsed<String> {
        let start = self.cursor.pos;
        while self.cursor.peek().is_some_and(is_key) {
            self.cursor.pos += 1;
        }
        match self.cursor.peek() {
            None | Some(b' ' | b'\t' | b':' | b'=') => {
                Ok(self.cursor.text[start..self.cursor.pos].to_owned())
            }
            Some(_) => fault(self.cursor.here(), UclError::KeyCharacter(self.cursor.char())),
        }
    }

    /// Passes over `=` or `:` with the blanks and comments around it.
    fn separator(&mut self, key: Span) -> Parsed<Separator> {
        let mut seen = Separator::None;
        loop {
            match self.cursor.peek() {
                None => return fault(key, UclError::UnfinishedKey),
                Some(byte @ (b'=' | b':')) => {
                    if seen == Separator::Seen {
                        return fault(self.cursor.here(), UclError::SecondSeparator(char::from(byte)));
                    }
                    seen = Separator::Seen;
                    self.cursor.pos += 1;
                }
                Some(byte) if is_blank(byte) => self.cursor.skip_blanks(),
                Some(_) if self.cursor.skip_comments()? == Comments::Some => {}
                Some(_) => return Ok(seen),
            }
        }
    }

    /// Without a separator, a brace further on the line makes this a named section.
    fn what_follows(&mut self) -> Parsed<Follows> {
        let start = self.cursor.pos;
        // Kept from key to key, because a line may hold many keys with comments between them.
        if self.next_stop < start {
            let rest = &self.cursor.bytes()[start..self.cursor.end];
            let stop = rest.iter().position(|b| matches!(b, b',' | b';' | b'\n' | b'\r' | b'{' | b'['));
            self.next_stop = stop.map_or(self.cursor.end, |stop| start + stop);
        }
        let stop = self.next_stop;
        if stop == start || !matches!(self.cursor.byte(stop), Some(b'{' | b'[')) {
            return Ok(Follows::Value);
        }
        let brace = self.cursor.span(stop, stop + 1);
        // The brace counts wherever it stands; inside a string or a comment it was not meant.
        let mut walk = self.cursor;
        while walk.pos < stop {
            if walk.peek() == Some(b'"') {
                let _ = string::double_quoted(&mut walk);
                if walk.pos > stop {
                    return fault(brace, UclError::BraceInString);
                }
            } else if walk.starts_comment() {
                if walk.skip_comments().is_err() || walk.pos > stop {
                    return fault(brace, UclError::BraceInComment);
                }
            } else {
                walk.pos += 1;
            }
        }
        Ok(Follows::Words)
    }

    /// What stands after a value: separators, and everything that closes here.
    fn after_value(&mut self) -> Parsed<State> {
        let mut separated = false;
        while let Some(byte) = self.cursor.peek() {
            if is_blank(byte) {
                self.cursor.pos += 1;
            } else if self.cursor.skip_comments()? == Comments::Some {
                separated = true;
            } else if matches!(byte, b'}' | b']') {
                self.close(byte)?;
                separated = true;
                if self.has_root && self.reader.stack.len() == self.base {
                    return self.after_root();
                }
            } else if is_value_end(byte) {
                self.cursor.pos += 1;
                separated = true;
            } else if !separated {
                return fault(self.cursor.here(), UclError::MissingSeparator);
            } else {
                break;
            }
        }
        Ok(match (self.cursor.is_end(), self.top_is_array()) {
            (true, _) => State::End,
            (false, true) => State::Value,
            (false, false) => State::Key,
        })
    }

    fn after_root(&mut self) -> Parsed<State> {
        loop {
            let here = self.cursor.here();
            if self.cursor.skip_space_and_comments().is_err() {
                return fault(here, UclError::TextAfterRoot);
            }
            match self.cursor.peek() {
                Some(b';' | b',') => self.cursor.pos += 1,
                Some(_) | None => break,
            }
        }
        if self.cursor.is_end() { Ok(State::End) } else { fault(self.cursor.here(), UclError::TextAfterRoot) }
    }

    pub(super) fn open(&mut self, opening: Opening, at: Span) -> Parsed<()> {
        if self.reader.stack.len() >= DEPTH_MAX {
            return fault(at, UclError::TooDeep);
        }
        let is_array = opening == Opening::Brace && self.cursor.peek() == Some(b'[');
        match is_array {
            true => self.reader.tree.open_array(self.target, at)?,
            false => self.reader.tree.open_object(self.target, at)?,
        }
        self.reader.stack.push(Frame { node: self.target, opening, at });
        Ok(())
    }

    /// Closes what `}` or `]` closes: the frame it belongs to and the words before its brace.
    fn close(&mut self, byte: u8) -> Parsed<()> {
        let here = self.cursor.here();
        let closes = char::from(byte);
        let frame = match self.reader.stack.last() {
            Some(frame) if self.reader.stack.len() > self.base => frame,
            Some(_) | None => return fault(here, UclError::Unopened(closes)),
        };
        match frame.opening {
            Opening::Brace if self.top_is_array() != (byte == b']') => {
                return fault(here, UclError::Mismatched(closes));
            }
            Opening::Brace => {}
            Opening::Text => return fault(here, UclError::Unopened(closes)),
            Opening::Word => return fault(frame.at, UclError::SectionWithoutBlock),
        }
        self.cursor.pos += 1;
        let mut popped = self.reader.stack.pop();
        while let Some(frame) = popped {
            let span = Span { end: here.end, ..frame.at };
            self.reader.tree.close(frame.node, span);
            let next = self.reader.stack.last();
            let word =
                self.reader.stack.len() > self.base && next.is_some_and(|f| f.opening == Opening::Word);
            popped = if word { self.reader.stack.pop() } else { None };
        }
        Ok(())
    }

    pub(super) fn top_is_array(&self) -> bool {
        self.reader.stack.last().is_some_and(|frame| self.reader.tree.is_array(frame.node))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Seen,
    None,
}
