//! Configuration: a UCL tree into rules.
//!
//! As written and as meant are two steps: `raw` collects what each group and rule says, with places;
//! `resolve` adds inheritance, defaults, bounds and references. Every error is found and reported with its
//! place, never only the first. Files are reached through [`Loader`] alone.

mod circles;
mod control;
mod demotion;
mod depend;
mod diagnose;
mod dump;
mod escape;
mod given;
mod host;
mod inherit;
mod listen;
mod native;
mod number;
mod placement;
pub mod properties;
mod raw;
mod reads;
mod render;
mod resolve;
mod run_as;
mod scheme;
mod section;
mod settings;
mod target;
mod typed;
mod url;

use std::sync::Arc;

pub use diagnose::{Diagnostic, Note, Report, Severity};
pub use dump::dump;
pub use native::{PROTOCOLS, Protocol};
pub use placement::own_address;
pub use reads::Reads;
pub use run_as::RunAsPlaces;
pub use scheme::{Feature, Scheme};

use crate::probe::{Files, Plans};
use crate::rule::Configuration;
use crate::ucl::{self, Document, Loader, ReadError, UclError};
use diagnose::Problems;
use reads::Recorder;
use typed::QUOTE_URL_HELP;

/// A file that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub configuration: Configuration,
    /// How its native probes are run.
    pub plans: Plans,
    /// What may not be as it was meant; empty when there is nothing to say.
    pub warnings: Report,
    /// What it was read from.
    pub reads: Reads,
    /// Where `user` and `group` stand.
    pub run_as_places: RunAsPlaces,
    /// Where `control` stands, as `FILE:LINE:COLUMN`; `None` when the file does not say.
    pub control_place: Option<String>,
    /// Why it can be judged on this system and not be run, in words that begin with the place, if that is so.
    pub elsewhere: Option<String>,
}

/// Reads a configuration file and all that it includes; `files` gives what probes name: certificates, keys.
///
/// # Errors
/// All that is wrong with it, as a text for people.
pub fn load(path: &str, loader: &mut dyn Loader, files: &mut dyn Files) -> Result<Loaded, Box<Report>> {
    let mut recorder = Recorder::new(loader, files);
    match ucl::read(path, &mut recorder) {
        Ok(document) => judge(document, recorder),
        Err(error) => Err(Box::new(unreadable(path, *error))),
    }
}

/// Judges a text that has been read.
fn judge(document: Document, mut recorder: Recorder<'_>) -> Result<Loaded, Box<Report>> {
    let mut problems = Problems::default();
    let tree = raw::collect(&document.sources, &document.root, &mut problems);
    let resolved = resolve::resolve(&tree, &mut recorder, &mut problems);
    let run_as_places = run_as::places(&tree, &document.sources);
    let control_place = control::place(&tree, &document.sources);
    let elsewhere = resolved
        .as_ref()
        .and_then(|(configuration, _)| placement::elsewhere(&tree, &document.sources, configuration));
    let report = problems.into_report(document.sources);
    match resolved {
        Some((configuration, plans)) => {
            let reads = recorder.reads;
            Ok(Loaded {
                configuration,
                plans,
                warnings: report,
                reads,
                run_as_places,
                control_place,
                elsewhere,
            })
        }
        None => Err(Box::new(report)),
    }
}

/// A text that is not even UCL, in the form of every other error.
fn unreadable(path: &str, error: ReadError) -> Report {
    let mut message = error.kind.to_string();
    if let UclError::Open { error, .. } | UclError::Include { error, .. } = &error.kind {
        message = format!("{message}: {error}");
    }
    let mut sources = error.sources;
    let (span, rule) = match error.span {
        Some(span) => (span, None),
        None => {
            let source = sources.add(path, Arc::from(""));
            (ucl::Span { source, start: 0, end: 0 }, None)
        }
    };
    let notes = error.included_from.iter();
    let notes = notes.map(|span| Note { span: *span, message: "included here".to_owned() }).collect();
    let severity = Severity::Error;
    let help = if is_bare_url(sources.line(span)) { vec![QUOTE_URL_HELP.to_owned()] } else { Vec::new() };
    Report::single(sources, Diagnostic { severity, span, rule, message, notes, help })
}

/// Whether a line has a URL without quotes, which UCL cuts at the first `;` or `/*`.
fn is_bare_url(line: &str) -> bool {
    let Some((before, _)) = line.split_once("://") else {
        return false;
    };
    let before = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '+');
    before.ends_with(['=', ':', ' ', '\t'])
}
