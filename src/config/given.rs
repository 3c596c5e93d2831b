//! The values of settings that have no field of their own: a few kinds, read and judged the same way for all.

use std::time::Duration;

use super::diagnose::Diagnostic;
use super::listen;
use super::native;
use super::properties::{Key, Setting, Takes};
use super::render::{clipped, quoted};
use super::typed::{Judge, article, quote_help};
use crate::nearest::nearest;
use crate::ucl::{self, Kind, Span, Style, Value};

/// Elements of one array at most.
const TEXTS_MAX: usize = 1_000;

/// A value as written, of the kind that its property takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// One of the words in the table.
    Word(&'static str),
    /// A string, or a scalar of which the source text counts.
    Text(Text),
    /// One or more strings.
    Texts(Vec<Text>),
    /// A time.
    Interval(Duration),
    /// A whole number.
    Number(u32),
    /// Yes or no.
    Boolean(bool),
}

impl Given {
    /// Where it stands, if it is a single text.
    pub(super) fn span(&self) -> Option<Span> {
        match self {
            Self::Text(text) => Some(text.span),
            Self::Texts(texts) => match &texts[..] {
                [text] => Some(text.span),
                _ => None,
            },
            Self::Word(_) | Self::Interval(_) | Self::Number(_) | Self::Boolean(_) => None,
        }
    }
}

/// A text, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: Box<str>,
    pub(super) span: Span,
}

impl PartialEq for Text {
    /// Two texts are alike when they say the same, wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Judge<'_> {
    /// A value of the kind that the table names.
    pub(super) fn given(&mut self, setting: Setting, value: &Value) -> Option<Given> {
        let given = match self.property.takes {
            Takes::Words(words) => Given::Word(self.word(value, words)?),
            Takes::Text => Given::Text(self.text(value)?),
            Takes::Texts | Takes::RuleNames => Given::Texts(self.several(value)?),
            Takes::Interval => Given::Interval(self.interval(value)?),
            Takes::Integer { .. } => Given::Number(self.integer(value)?.into()),
            Takes::Bytes { min, max } => Given::Number(self.bytes(value, min, max)?),
            Takes::Boolean => Given::Boolean(self.boolean(value)?),
            Takes::Written => Given::Text(self.written(value)?),
        };
        let wrongs = native::judge(setting, self.property.name, &given);
        for (span, wrong) in &wrongs {
            self.problems.push(wrong.clone().at(span.unwrap_or(value.span), self.rule));
        }
        wrongs.is_empty().then_some(given)
    }

    /// One of these words, in any letter case, quoted or not; a number counts as it is written.
    fn word(&mut self, value: &Value, words: &'static [&'static str]) -> Option<&'static str> {
        let list = words.join(", ");
        let Some(text) = self.scalar(value) else {
            self.wrong_type(value, &format!("one of {list}"), None);
            return None;
        };
        if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(&text)) {
            return Some(word);
        }
        let help = match nearest(&text, words.iter().copied()) {
            Some(word) => format!("did you mean '{word}'?"),
            None => format!("it is one of {list}"),
        };
        self.error(value.span, format!("unknown {} {}", self.property.name, quoted(&text)), Some(help));
        None
    }

    /// A string.
    fn text(&mut self, value: &Value) -> Option<Text> {
        if !matches!(value.kind, Kind::String { .. }) {
            self.wrong_type(value, "a string", self.text_help(value));
            return None;
        }
        self.written(value)
    }

    /// What to write instead of a value that is no string.
    fn text_help(&self, value: &Value) -> Option<String> {
        match (self.property.key, &value.kind) {
            (Key::Setting(Setting::Listen), _) => Some(listen::HELP.to_owned()),
            (Key::Setting(Setting::Control), Kind::Boolean(_)) => {
                Some("give the whole path of the socket, or \"\" for none".to_owned())
            }
            _ => quote_help(self.sources, value),
        }
    }

    /// A scalar as it is written.
    fn written(&mut self, value: &Value) -> Option<Text> {
        let Some(text) = self.scalar(value) else {
            self.wrong_type(value, "a string or a number", None);
            return None;
        };
        if !matches!(value.kind, Kind::String { .. }) {
            return Some(Text { text, span: value.span });
        }
        self.cut_by_comment(value);
        self.escapes_hold(value).then_some(Text { text, span: value.span })
    }

    /// A string or an array of strings.
    fn several(&mut self, value: &Value) -> Option<Vec<Text>> {
        let name = self.property.name;
        match &value.kind {
            Kind::String { .. } => Some(vec![self.written(value)?]),
            Kind::Array(items) if items.len() > TEXTS_MAX => {
                self.error(value.span, format!("'{name}' has more than {TEXTS_MAX} elements"), None);
                None
            }
            Kind::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    if matches!(item.kind, Kind::String { .. }) {
                        texts.extend(self.written(item));
                        continue;
                    }
                    let message =
                        format!("'{name}' may hold strings only, and this is {}", article(&item.kind));
                    self.error(item.span, message, quote_help(self.sources, item));
                }
                (texts.len() == items.len()).then_some(texts)
            }
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::Object(_) => {
                self.wrong_type(value, "a string or an array of strings", quote_help(self.sources, value));
                None
            }
        }
    }

    /// A number of bytes.
    fn bytes(&mut self, value: &Value, min: u32, max: u32) -> Option<u32> {
        let kind = match &value.kind {
            Kind::String { text, style: Style::Bare } => ucl::number(text),
            Kind::Integer(number) => Some(Kind::Integer(*number)),
            Kind::String { .. }
            | Kind::Null
            | Kind::Boolean(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::Array(_)
            | Kind::Object(_) => None,
        };
        let Some(Kind::Integer(number)) = kind else {
            let help = "write it as in 65536, 64kb (65536) or 1mb: no quotes, and no blank before the unit";
            self.wrong_type(value, "a number of bytes", Some(help.to_owned()));
            return None;
        };
        if self.sources.text(value.span).contains('.') {
            let message = format!("'{}' has a fraction, which UCL cuts off", self.property.name);
            self.error(value.span, message, Some("write a whole number, as in 1536kb".to_owned()));
            return None;
        }
        let fitting = u32::try_from(number).ok().filter(|number| (min..=max).contains(number));
        if fitting.is_none() {
            let name = self.property.name;
            let message = format!("'{name}' must be from {min} to {max} bytes, and this is {number}");
            self.error(value.span, message, None);
        }
        fitting
    }

    /// The text of a string, and of any other scalar as its source has it.
    fn scalar(&self, value: &Value) -> Option<Box<str>> {
        match &value.kind {
            Kind::String { text, .. } => Some(text.as_str().into()),
            Kind::Boolean(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Time(_) => {
                Some(self.sources.text(value.span).into())
            }
            Kind::Null | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// Whether no backslash was lost: in double quotes and without quotes UCL drops those it does not know.
    fn escapes_hold(&mut self, value: &Value) -> bool {
        let how = match &value.kind {
            Kind::String { style: Style::DoubleQuoted, .. } => "in double quotes",
            Kind::String { style: Style::Bare, .. } => "without quotes",
            Kind::String { .. }
            | Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::Array(_)
            | Kind::Object(_) => return true,
        };
        let name = self.property.name;
        let is_pattern = name.ends_with("_regex") || name.ends_with("_header");
        let source = self.sources.text(value.span);
        let mut chars = source.chars();
        while let Some(c) = chars.next() {
            let Some(escaped) = (c == '\\').then(|| chars.next()).flatten() else {
                continue;
            };
            let message = match escaped {
                '"' | '\\' | '/' | 'n' | 'r' | 't' | 'u' => continue,
                // A control character in any other text may well be meant; in a pattern \b is the end of a word.
                'b' | 'f' if !is_pattern => continue,
                'b' | 'f' => format!("'\\{escaped}' is a control character {how}"),
                lost => format!("the backslash of '\\{}' is lost {how}", clipped(&lost.to_string())),
            };
            let help = format!("use single quotes, in which it stays: {name} = '...'");
            self.problems.push(Diagnostic::error(value.span, self.rule, message).help(help));
            return false;
        }
        true
    }
}
