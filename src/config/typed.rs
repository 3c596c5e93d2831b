//! A UCL value against the type of its property: the value as a Rust type, or what is wrong with it.

use std::sync::Arc;

use super::diagnose::{Diagnostic, Problems};
use super::properties::{Property, STATUS_WORDS};
use super::render::{clipped, quoted};
use super::scheme::Scheme;
use super::settings::Mention;
use super::target::{self, Target};
use super::url;
use crate::nearest::nearest;
use crate::rule::Status;
use crate::ucl::{Kind, Sources, Span, Style, Value};

/// Why a URL is quoted.
pub(super) const QUOTE_URL_HELP: &str = "quote the URL: without quotes it ends at ';', ',', '#' and '/*'";

/// Judges the values of one property of one section.
pub(super) struct Judge<'a> {
    pub(super) sources: &'a Sources,
    pub(super) problems: &'a mut Problems,
    /// Name of the group or rule.
    pub(super) rule: &'a Arc<str>,
    pub(super) property: &'static Property,
}

impl Judge<'_> {
    /// One of hfm's four words.
    pub(super) fn status(&mut self, value: &Value) -> Option<Status> {
        let words = STATUS_WORDS.join(", ");
        let Kind::String { text, .. } = &value.kind else {
            let help = match value.kind {
                Kind::Boolean(true) => Some("did you mean 'enabled'?".to_owned()),
                Kind::Boolean(false) => Some("did you mean 'disabled'?".to_owned()),
                Kind::Null
                | Kind::Integer(_)
                | Kind::Float(_)
                | Kind::Time(_)
                | Kind::String { .. }
                | Kind::Array(_)
                | Kind::Object(_) => None,
            };
            self.wrong_type(value, &format!("one of {words}"), help);
            return None;
        };
        let statuses = [Status::Enabled, Status::Disabled, Status::AlwaysFail, Status::AlwaysSuccess];
        let known = STATUS_WORDS.iter().zip(statuses).find(|(word, _)| word.eq_ignore_ascii_case(text));
        if let Some((_, status)) = known {
            return Some(status);
        }
        let help = match nearest(text, STATUS_WORDS.iter().copied()) {
            Some(word) => format!("did you mean '{word}'?"),
            None => format!("it is one of {words}"),
        };
        self.error(value.span, format!("unknown {} {}", self.property.name, quoted(text)), Some(help));
        None
    }

    /// What to run: a program, or a probe by URL. Both are kept as written.
    pub(super) fn test(&mut self, value: &Value) -> Option<Box<str>> {
        let test = self.program(value)?;
        if test.is_empty() {
            let help = "give the program to run, or take the line away to make this a group".to_owned();
            self.error(value.span, "'test' is empty".to_owned(), Some(help));
            return None;
        }
        let (message, help) = match target::classify(&test) {
            Target::Program => return Some(test),
            Target::Probe(protocol, rest) => {
                return self.url(&protocol.scheme, rest, value).then_some(test);
            }
            Target::NotYet(scheme) => (format!("test scheme '{scheme}' is not supported yet"), None),
            Target::Unknown { scheme, meant } => {
                let help = match meant {
                    Some(meant) => format!("did you mean '{meant}'?"),
                    None => "write ./ before a program whose name looks like a URL".to_owned(),
                };
                (format!("unknown test scheme {}", quoted(scheme)), Some(help))
            }
        };
        let quote = self.is_cut(value, &['#', ';', ',']).then(|| QUOTE_URL_HELP.to_owned());
        self.problems.push(Diagnostic::error(value.span, self.rule, message).help_if(help).help_if(quote));
        None
    }

    /// Judges the URL of a native probe. One that a comment cuts would probe something else in silence.
    fn url(&mut self, scheme: &Scheme, rest: &str, value: &Value) -> bool {
        if self.is_cut(value, &['#']) {
            let message = "the URL ends here, where a comment begins".to_owned();
            self.error(value.span, message, Some(QUOTE_URL_HELP.to_owned()));
            return false;
        }
        match url::parse(scheme, rest) {
            Ok(_) => true,
            Err(wrong) => {
                self.problems.push(wrong.at(value.span, self.rule));
                false
            }
        }
    }

    /// Whether a value without quotes ends at one of these marks, or a comment, as if in the middle of a word.
    fn is_cut(&self, value: &Value, marks: &[char]) -> bool {
        let rest = self.after(value);
        let at_mark = rest.starts_with(marks) && !rest[1..].starts_with([' ', '\t', '\r', '\n', '}']);
        is_bare(value) && (at_mark || rest.starts_with("/*"))
    }

    /// A program: a string that is not empty and can be handed to the system.
    pub(super) fn program(&mut self, value: &Value) -> Option<Box<str>> {
        let Kind::String { text, .. } = &value.kind else {
            self.wrong_type(value, "a string", quote_help(self.sources, value));
            return None;
        };
        self.cut_by_comment(value);
        if let Some((program, rest)) = text.split_once([' ', '\t'])
            && (!program.contains('/') || rest.trim_start().starts_with('-'))
            && !text.contains("://")
        {
            let name = self.property.name;
            let help = format!("write {name} = \"{}\" and the rest in {name}_arguments", clipped(program));
            let message = format!("'{name}' is the name of a program alone, and this one has spaces in it");
            self.problems.push(Diagnostic::warning(value.span, self.rule, message).help(help));
        }
        self.transportable(text, value.span)
    }

    /// A string, or an array of strings.
    pub(super) fn texts(&mut self, value: &Value) -> Option<Vec<Box<str>>> {
        match &value.kind {
            Kind::String { text, .. } => {
                self.cut_by_comment(value);
                Some(vec![self.transportable(text, value.span)?])
            }
            Kind::Array(items) => {
                let texts: Vec<_> = items.iter().filter_map(|item| self.array_text(item)).collect();
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

    /// A list of names of rules.
    pub(super) fn mentions(&mut self, value: &Value) -> Option<Vec<Mention>> {
        let names = self.texts(value)?;
        let spans: Vec<Span> = match &value.kind {
            Kind::Array(items) => items.iter().map(|item| item.span).collect(),
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::String { .. }
            | Kind::Object(_) => vec![value.span],
        };
        Some(names.into_iter().zip(spans).map(|(name, span)| Mention { name, span }).collect())
    }

    /// A boolean, or the same word quoted.
    pub(super) fn boolean(&mut self, value: &Value) -> Option<bool> {
        let word = match &value.kind {
            Kind::Boolean(truth) => return Some(*truth),
            Kind::String { text, .. } => text.as_str(),
            Kind::Null
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::Array(_)
            | Kind::Object(_) => "",
        };
        let is = |words: [&str; 3]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        if is(["yes", "true", "on"]) {
            return Some(true);
        }
        if is(["no", "false", "off"]) {
            return Some(false);
        }
        self.wrong_type(value, "yes or no", None);
        None
    }

    /// What follows a value in its file.
    pub(super) fn after(&self, value: &Value) -> &str {
        self.sources.source(value.span.source).text.get(value.span.end as usize..).unwrap_or("")
    }

    /// One string of an array.
    fn array_text(&mut self, item: &Value) -> Option<Box<str>> {
        let Kind::String { text, .. } = &item.kind else {
            let name = self.property.name;
            let message = format!("'{name}' may hold strings only, and this is {}", article(&item.kind));
            self.error(item.span, message, quote_help(self.sources, item));
            return None;
        };
        self.cut_by_comment(item);
        self.transportable(text, item.span)
    }

    /// Refuses what cannot be handed to a program (execve(2) takes strings that end at a NUL).
    fn transportable(&mut self, text: &str, span: Span) -> Option<Box<str>> {
        if text.contains('\0') {
            let name = self.property.name;
            self.error(
                span,
                format!("'{name}' contains a NUL character, which no program can be given"),
                None,
            );
            return None;
        }
        Some(text.into())
    }

    /// Warns of a value without quotes that ends where a comment begins: the comment was likely meant as text.
    pub(super) fn cut_by_comment(&mut self, value: &Value) {
        if !is_bare(value) {
            return;
        }
        let rest = self.after(value);
        let mark = if rest.starts_with('#') {
            "#"
        } else if rest.starts_with("/*") {
            "/*"
        } else {
            return;
        };
        let message = format!("the value ends before '{mark}', which begins a comment");
        let help = format!("quote the value if '{mark}' belongs to it; else put a space before '{mark}'");
        self.problems.push(Diagnostic::warning(value.span, self.rule, message).help(help));
    }

    pub(super) fn wrong_type(&mut self, value: &Value, wanted: &str, help: Option<String>) {
        let what = article(&value.kind);
        let message = match &value.kind {
            Kind::String { text, .. } => {
                format!("'{}' must be {wanted}, and {} is {what}", self.property.name, quoted(text))
            }
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Time(_)
            | Kind::Array(_)
            | Kind::Object(_) => format!("'{}' must be {wanted}, and this is {what}", self.property.name),
        };
        self.error(value.span, message, help);
    }

    pub(super) fn error(&mut self, span: Span, message: String, help: Option<String>) {
        self.problems.push(Diagnostic::error(span, self.rule, message).help_if(help));
    }
}

fn is_bare(value: &Value) -> bool {
    matches!(value.kind, Kind::String { style: Style::Bare, .. })
}

/// The name of the type with its article.
pub(super) fn article(kind: &Kind) -> String {
    match kind {
        Kind::Null => "null".to_owned(),
        Kind::Integer(_) | Kind::Array(_) | Kind::Object(_) => format!("an {}", kind.type_name()),
        Kind::Boolean(_) | Kind::Float(_) | Kind::Time(_) | Kind::String { .. } => {
            format!("a {}", kind.type_name())
        }
    }
}

/// How to make a string of a scalar that UCL took for something else.
pub(super) fn quote_help(sources: &Sources, value: &Value) -> Option<String> {
    match value.kind {
        Kind::Boolean(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Time(_) => {
            Some(format!("quote it: \"{}\"", clipped(sources.text(value.span))))
        }
        Kind::Null | Kind::String { .. } | Kind::Array(_) | Kind::Object(_) => None,
    }
}
