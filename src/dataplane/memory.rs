//! Tables in this process's memory: for trying out, and for tests.

use std::collections::{BTreeSet, HashMap};

use super::{DataPlane, TableError};
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

    fn read(&mut self, table: &str) -> Result<Vec<Prefix>, TableError> {
        Ok(self.table(table).iter().copied().collect())
    }

    fn add(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        self.table(table).extend(addresses);
        Ok(())
    }

    fn remove(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        let table = self.table(table);
        for address in addresses {
            table.remove(address);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn tables_begin_empty_and_are_apart() {
        let mut memory = Memory::new();
        assert_eq!(memory.read("web"), Ok(vec![]));
        memory.add("web", &prefixes(&["10.0.0.2", "10.0.0.1", "2001:db8::/32"])).unwrap();
        memory.add("mail", &prefixes(&["10.0.0.9"])).unwrap();
        assert_eq!(memory.read("web"), Ok(prefixes(&["10.0.0.1", "10.0.0.2", "2001:db8::/32"])));
        assert_eq!(memory.read("mail"), Ok(prefixes(&["10.0.0.9"])));
        assert_eq!(memory.name(), "memory");
    }

    #[test]
    fn what_is_in_already_or_is_not_in_is_no_error() {
        let mut memory = Memory::new();
        memory.remove("web", &prefixes(&["10.0.0.1"])).unwrap();
        memory.add("web", &prefixes(&["10.0.0.1", "10.0.0.1"])).unwrap();
        memory.add("web", &prefixes(&["10.0.0.1", "10.0.0.0/24"])).unwrap();
        memory.remove("web", &prefixes(&["10.0.0.1", "10.0.0.7"])).unwrap();
        assert_eq!(memory.read("web"), Ok(prefixes(&["10.0.0.0/24"])));
    }
}
