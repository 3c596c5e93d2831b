//! One thing at a time, for tests.

use super::{Change, DataPlane, Managed, TableError};
use crate::rule::Prefix;

/// Reads and writes one table whose addresses have no places.
pub(super) trait Simply: DataPlane {
    fn list(&mut self, name: &str) -> Result<Vec<Prefix>, TableError> {
        Ok(self.read(Managed { name, members: &[] })?.addresses)
    }

    fn add(&mut self, name: &str, add: &[Prefix]) -> Result<(), TableError> {
        let table = Managed { name, members: &[] };
        self.apply(&[Change { table, add, remove: &[] }]).remove(0)
    }

    fn remove(&mut self, name: &str, remove: &[Prefix]) -> Result<(), TableError> {
        let table = Managed { name, members: &[] };
        self.apply(&[Change { table, add: &[], remove }]).remove(0)
    }
}

impl<P: DataPlane> Simply for P {}
