//! What is wrong with a file, and where: the diagnostics, their collection, and the report.
//!
//! Collecting never stops at the first error. Both the number that is kept and the number that is shown
//! are bounded, so that a hopeless file costs neither memory nor a screen.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::render;
use crate::ucl::{Sources, Span};

/// Diagnostics of one severity kept at most; further ones are only counted.
const KEPT_MAX: usize = 2_000;

/// Diagnostics shown at most; nobody reads more, and each costs a search for its line.
const SHOWN_MAX: usize = 100;

/// Whether a file with it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but it may not do what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the file can be used.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// The group or rule concerned; `default` for the root, `None` for the file as a text.
    pub rule: Option<Arc<str>>,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
    /// Other places that have to do with it.
    pub notes: Vec<Note>,
    /// What to do about it.
    pub help: Vec<String>,
}

/// A second place of a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub span: Span,
    /// What is there.
    pub message: String,
}

impl Diagnostic {
    /// An error at a place of the group or rule of this name.
    pub(super) fn error(span: Span, rule: &Arc<str>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, rule, message.into())
    }

    /// A warning at a place of the group or rule of this name.
    pub(super) fn warning(span: Span, rule: &Arc<str>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, rule, message.into())
    }

    fn new(severity: Severity, span: Span, rule: &Arc<str>, message: String) -> Self {
        Self { severity, span, rule: Some(rule.clone()), message, notes: Vec::new(), help: Vec::new() }
    }

    /// Adds a second place.
    pub(super) fn note(mut self, span: Span, message: impl Into<String>) -> Self {
        self.notes.push(Note { span, message: message.into() });
        self
    }

    /// Adds a line that says what to do.
    pub(super) fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Adds a line that says what to do, if there is one.
    pub(super) fn help_if(self, line: Option<String>) -> Self {
        match line {
            Some(line) => self.help(line),
            None => self,
        }
    }
}

/// What is wrong with a text, by whoever does not know where the text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What is wrong, in lower case, without a full stop.
    pub(super) message: String,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl Wrong {
    /// This is wrong.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Says what to do.
    pub(super) fn help(self, line: impl Into<String>) -> Self {
        Self { help: Some(line.into()), ..self }
    }

    /// At this place of the group or rule of this name.
    pub(super) fn at(self, span: Span, rule: &Arc<str>) -> Diagnostic {
        Diagnostic::error(span, rule, self.message).help_if(self.help)
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    errors: Kept,
    warnings: Kept,
}

#[derive(Debug, Default)]
struct Kept {
    diagnostics: Vec<Diagnostic>,
    dropped: usize,
}

impl Problems {
    /// Takes one in.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let kept = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if kept.diagnostics.len() < KEPT_MAX {
            kept.diagnostics.push(diagnostic);
        } else {
            kept.dropped += 1;
        }
    }

    /// Whether a further error would be kept; when not, a costly search for help can be spared.
    pub(super) fn keeps_errors(&self) -> bool {
        self.errors.diagnostics.len() < KEPT_MAX
    }

    /// Errors so far, those that are not kept included.
    pub(super) fn errors(&self) -> usize {
        self.errors.diagnostics.len() + self.errors.dropped
    }

    /// Whether the file must be refused.
    pub(super) fn any_error(&self) -> bool {
        !self.errors.diagnostics.is_empty()
    }

    /// The errors alone if there are any, else the warnings.
    pub(super) fn into_report(self, sources: Sources) -> Report {
        let (severity, kept) = if self.any_error() {
            (Severity::Error, self.errors)
        } else {
            (Severity::Warning, self.warnings)
        };
        Report::new(sources, severity, kept.diagnostics, kept.dropped)
    }
}

/// What is to be said about a file: all its errors, or, when it has none, its warnings.
///
/// Its `Display` is the text for people; it ends with a newline unless it is empty.
#[derive(Clone, Debug)]
pub struct Report {
    sources: Sources,
    severity: Severity,
    diagnostics: Vec<Diagnostic>,
    dropped: usize,
}

impl Report {
    fn new(sources: Sources, severity: Severity, mut diagnostics: Vec<Diagnostic>, dropped: usize) -> Self {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.start));
        let mut seen = HashSet::new();
        diagnostics.retain(|diagnostic| {
            let with = diagnostic.notes.first().map(|note| note.span);
            seen.insert((diagnostic.span, with, diagnostic.message.clone()))
        });
        Self { sources, severity, diagnostics, dropped }
    }

    /// A report of a single error.
    pub(super) fn single(sources: Sources, diagnostic: Diagnostic) -> Self {
        Self::new(sources, diagnostic.severity, vec![diagnostic], 0)
    }

    /// The diagnostics, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// How many there are, those that are not kept included.
    pub fn total(&self) -> usize {
        self.diagnostics.len() + self.dropped
    }

    /// Each as a single line (`FILE:LINE:COLUMN: RULE: warning: MESSAGE`), for a log.
    pub fn headlines(&self) -> impl Iterator<Item = String> {
        self.diagnostics.iter().take(SHOWN_MAX).map(|diagnostic| {
            let mut line = String::new();
            // A String takes everything.
            let _ = render::headline(&mut line, &self.sources, diagnostic);
            line
        })
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self.diagnostics.iter().take(SHOWN_MAX) {
            render::diagnostic(f, &self.sources, diagnostic)?;
        }
        let rest = self.diagnostics.len().saturating_sub(SHOWN_MAX) + self.dropped;
        if rest > 0 {
            let what = match (self.severity, rest) {
                (Severity::Error, 1) => "error",
                (Severity::Error, _) => "errors",
                (Severity::Warning, 1) => "warning",
                (Severity::Warning, _) => "warnings",
            };
            writeln!(f, "and {rest} more {what}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
