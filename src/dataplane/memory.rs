//! Tables in this process's memory: for trying out, and for tests.

use std::collections::{BTreeSet, HashMap};

use super::{Change, Contents, DataPlane, Kill, Killed, Managed, TableError};
use crate::rule::Prefix;

/// Tables that are made on first use, empty at the start, and gone at the end. `dataplane = memory`.
///
/// It never fails.
#[derive(Debug, Default)]
pub struct Memory {
    tables: HashMap<String, BTreeSet<Prefix>>,
}

impl Memory {
    /// Without any table.
    pub fn new() -> Self {
        Self::default()
    }

    fn table(&mut self, table: &str) -> &mut BTreeSet<Prefix> {
        // `entry` would copy the name each time.
        if !self.tables.contains_key(table) {
            self.tables.insert(table.to_owned(), BTreeSet::new());
        }
        self.tables.get_mut(table).expect("it is there or was just put there")
    }
}

impl DataPlane for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn how_to_make(&self, table: &str) -> String {
        format!("'{table}' is made when it is first used")
    }

    fn tables_at_once(&self) -> usize {
        usize::MAX
    }

    fn is_sure(&self) -> bool {
        true
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        Ok(Contents::of(self.table(table.name).iter().copied().collect()))
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        for Change { table, add, remove } in changes {
            let table = self.table(table.name);
            table.extend(*add);
            for address in *remove {
                table.remove(address);
            }
        }
        vec![Ok(()); changes.len()]
    }

    fn kill(&mut self, _: &[Prefix], _: Kill) -> Result<Killed, TableError> {
        Ok(Killed::default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::simply::Simply as _;
    use super::*;

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn tables_begin_empty_and_are_apart() {
        let mut memory = Memory::new();
        assert_eq!(memory.list("web"), Ok(vec![]));
        memory.add("web", &prefixes(&["10.0.0.2", "10.0.0.1", "2001:db8::/32"])).unwrap();
        memory.add("mail", &prefixes(&["10.0.0.9"])).unwrap();
        assert_eq!(memory.list("web"), Ok(prefixes(&["10.0.0.1", "10.0.0.2", "2001:db8::/32"])));
        assert_eq!(memory.list("mail"), Ok(prefixes(&["10.0.0.9"])));
        assert_eq!(memory.name(), "memory");
    }

    #[test]
    fn what_is_in_already_or_is_not_in_is_no_error() {
        let mut memory = Memory::new();
        memory.remove("web", &prefixes(&["10.0.0.1"])).unwrap();
        memory.add("web", &prefixes(&["10.0.0.1", "10.0.0.1"])).unwrap();
        memory.add("web", &prefixes(&["10.0.0.1", "10.0.0.0/24"])).unwrap();
        memory.remove("web", &prefixes(&["10.0.0.1", "10.0.0.7"])).unwrap();
        assert_eq!(memory.list("web"), Ok(prefixes(&["10.0.0.0/24"])));
    }
}
