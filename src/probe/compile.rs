//! From a probe as meant to a plan that can run: patterns compiled, files read, the request written.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::patterns::Compiled;
use super::plan::{Plan, ServicePlan};
use super::tls::{self, WallClock};
use super::{dialogue, http};
use crate::rule::{Dialogue, Http, Probe, Service, Shared};

/// Where files come from.
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>>;

    /// The certificates that this system trusts, in DER.
    ///
    /// # Errors
    /// What keeps them from being read, in words.
    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String>;
}

/// What is wrong with a probe, by the property that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The property's name.
    pub property: &'static str,
    /// What is wrong with its value.
    pub message: String,
}

impl CompileError {
    pub(super) fn new(property: &'static str, message: String) -> Self {
        Self { property, message }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.message)
    }
}

impl std::error::Error for CompileError {}

impl From<(&'static str, String)> for CompileError {
    fn from((property, message): (&'static str, String)) -> Self {
        Self { property, message }
    }
}

/// The plans of a whole configuration.
#[derive(Debug, Default)]
pub struct Plans {
    /// By rule; `None` for those that run a command.
    pub plans: Vec<Option<Plan>>,
    /// The clock by which they judge certificates.
    pub clock: Arc<WallClock>,
}

/// Compiles probes; what is alike in them is made once and shared.
#[derive(Debug)]
pub struct Compiler {
    clock: Arc<WallClock>,
    patterns: Compiled,
    dialogues: HashMap<Shared<Dialogue>, Arc<dialogue::Plan>>,
    requests: HashMap<Shared<Http>, Arc<http::Plan>>,
    tls: tls::Compiler,
}

impl Default for Compiler {
    fn default() -> Self {
        let clock = Arc::new(WallClock::default());
        Self {
            tls: tls::Compiler::new(clock.clone()),
            clock,
            patterns: Compiled::default(),
            dialogues: HashMap::new(),
            requests: HashMap::new(),
        }
    }
}

impl Compiler {
    /// The clock by which all its plans judge certificates.
    pub fn clock(&self) -> Arc<WallClock> {
        self.clock.clone()
    }

    /// Compiles one probe.
    ///
    /// # Errors
    /// A pattern that is none, a file that cannot be used.
    pub fn compile(&mut self, probe: &Probe, files: &mut dyn Files) -> Result<Plan, CompileError> {
        let service = match &probe.service {
            Service::Dialogue(dialogue) => ServicePlan::Dialogue(self.dialogue(dialogue)?),
            Service::Http(_, http) => ServicePlan::Http(self.request(http)?),
        };
        let tls = match &probe.tls {
            Some(tls) => Some(Box::new(self.tls.compile(tls, files)?)),
            None => None,
        };
        let mut probe = probe.clone();
        if let (Some(asked), Some(tls)) = (&mut probe.tls, &tls) {
            asked.contents = tls.contents;
        }
        Ok(Plan::new(probe.into(), tls, service))
    }

    fn dialogue(&mut self, dialogue: &Shared<Dialogue>) -> Result<Arc<dialogue::Plan>, CompileError> {
        if let Some(known) = self.dialogues.get(dialogue) {
            return Ok(known.clone());
        }
        let made = Arc::new(dialogue::Plan::compile(dialogue, &mut self.patterns)?);
        self.dialogues.insert(dialogue.clone(), made.clone());
        Ok(made)
    }

    fn request(&mut self, http: &Shared<Http>) -> Result<Arc<http::Plan>, CompileError> {
        if let Some(known) = self.requests.get(http) {
            return Ok(known.clone());
        }
        let made = Arc::new(http::Plan::compile(http, &mut self.patterns)?);
        self.requests.insert(http.clone(), made.clone());
        Ok(made)
    }
}
