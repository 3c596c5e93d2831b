//! A data plane of another operating system.

use super::{Change, Contents, DataPlane, Kill, Killed, Managed, TableError};
use crate::rule::Prefix;

/// Holds nothing: a file that names it may be read here, and serves elsewhere.
#[derive(Debug)]
pub(super) struct Elsewhere {
    name: &'static str,
    system: &'static str,
}

impl Elsewhere {
    /// Of this name, on this system.
    pub(super) fn new(name: &'static str, system: &'static str) -> Self {
        Self { name, system }
    }

    fn error(&self) -> TableError {
        TableError::Absent(format!("{} is there on {} alone", self.name, self.system))
    }
}

impl DataPlane for Elsewhere {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&mut self) -> Result<(), TableError> {
        Err(self.error())
    }

    fn how_to_make(&self, _: &str) -> String {
        format!("use it on {}", self.system)
    }

    fn read(&mut self, _: Managed<'_>) -> Result<Contents, TableError> {
        Err(self.error())
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        vec![Err(self.error()); changes.len()]
    }

    fn kill(&mut self, _: &[Prefix], _: Kill) -> Result<Killed, TableError> {
        Err(self.error())
    }
}
