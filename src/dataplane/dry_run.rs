//! A data plane that is read and never written.

use std::collections::{HashMap, HashSet};

use super::{DataPlane, TableError};
use crate::rule::Prefix;

/// Another data plane, of which only the reading is done. `dry_run`.
///
/// What would have been written is reckoned with: reads show it as if it had been, until the data plane itself
/// agrees (because whoever this stands beside wrote the same); from then on it counts as it is. Adding and
/// removing always succeed; who calls them tells of it.
#[derive(Debug)]
pub struct DryRun {
    inner: Box<dyn DataPlane>,
    /// For each table what was to be written and is not so: whether the address would be in it.
    pretended: HashMap<String, HashMap<Prefix, bool>>,
}

impl DryRun {
    /// Reads by `inner`.
    pub fn new(inner: Box<dyn DataPlane>) -> Self {
        Self { inner, pretended: HashMap::new() }
    }

    fn pretend(&mut self, table: &str, addresses: &[Prefix], is_in: bool) {
        let pretended = self.pretended.entry(table.to_owned()).or_default();
        pretended.extend(addresses.iter().map(|address| (*address, is_in)));
    }
}

impl DataPlane for DryRun {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn read(&mut self, table: &str) -> Result<Vec<Prefix>, TableError> {
        let mut addresses = self.inner.read(table)?;
        let Some(pretended) = self.pretended.get_mut(table) else { return Ok(addresses) };
        let found: HashSet<Prefix> = addresses.iter().copied().collect();
        pretended.retain(|address, is_in| found.contains(address) != *is_in);
        addresses.retain(|address| !pretended.contains_key(address));
        let mut added: Vec<Prefix> =
            pretended.iter().filter(|(_, is_in)| **is_in).map(|(address, _)| *address).collect();
        added.sort_unstable();
        addresses.extend(added);
        Ok(addresses)
    }

    fn add(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        self.pretend(table, addresses, true);
        Ok(())
    }

    fn remove(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        self.pretend(table, addresses, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::Memory;
    use super::*;

    /// A data plane that another writes to at the same time, and that tells when it is written.
    #[derive(Clone, Debug, Default)]
    struct Shared(Arc<Mutex<Memory>>);

    impl DataPlane for Shared {
        fn name(&self) -> &'static str {
            "shared"
        }

        fn read(&mut self, table: &str) -> Result<Vec<Prefix>, TableError> {
            if table == "missing" { Err(TableError::NoTable) } else { self.0.lock().unwrap().read(table) }
        }

        fn add(&mut self, _: &str, _: &[Prefix]) -> Result<(), TableError> {
            panic!("a dry run adds nothing");
        }

        fn remove(&mut self, _: &str, _: &[Prefix]) -> Result<(), TableError> {
            panic!("a dry run removes nothing");
        }
    }

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    struct Scene {
        dry: DryRun,
        real: Shared,
    }

    impl Scene {
        fn new(addresses: &[&str]) -> Self {
            let real = Shared::default();
            real.0.lock().unwrap().add("web", &prefixes(addresses)).unwrap();
            Self { dry: DryRun::new(Box::new(real.clone())), real }
        }

        fn really_add(&self, addresses: &[&str]) {
            self.real.0.lock().unwrap().add("web", &prefixes(addresses)).unwrap();
        }

        fn really_remove(&self, addresses: &[&str]) {
            self.real.0.lock().unwrap().remove("web", &prefixes(addresses)).unwrap();
        }

        fn shows(&mut self, addresses: &[&str]) {
            let mut read = self.dry.read("web").unwrap();
            read.sort();
            assert_eq!(read, prefixes(addresses));
        }
    }

    #[test]
    fn reads_show_what_would_have_been_written() {
        let mut scene = Scene::new(&["10.0.0.1", "10.0.0.2"]);
        scene.shows(&["10.0.0.1", "10.0.0.2"]);
        scene.dry.add("web", &prefixes(&["10.0.0.3", "10.0.0.1"])).unwrap();
        scene.dry.remove("web", &prefixes(&["10.0.0.2", "10.0.0.9"])).unwrap();
        scene.shows(&["10.0.0.1", "10.0.0.3"]);
        scene.dry.add("web", &prefixes(&["10.0.0.2"])).unwrap();
        scene.shows(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        assert_eq!(scene.dry.read("mail"), Ok(vec![]), "other tables are not concerned");
        assert_eq!(scene.dry.name(), "shared");
    }

    #[test]
    fn what_others_write_is_seen_beside_it() {
        let mut scene = Scene::new(&["10.0.0.1"]);
        scene.dry.remove("web", &prefixes(&["10.0.0.1"])).unwrap();
        scene.really_add(&["192.0.2.1"]);
        scene.shows(&["192.0.2.1"]);
    }

    #[test]
    fn what_has_come_true_counts_as_it_is_from_then_on() {
        let mut scene = Scene::new(&["10.0.0.1"]);
        scene.dry.remove("web", &prefixes(&["10.0.0.1"])).unwrap();
        scene.dry.add("web", &prefixes(&["10.0.0.2"])).unwrap();
        scene.really_remove(&["10.0.0.1"]);
        scene.really_add(&["10.0.0.2"]);
        scene.shows(&["10.0.0.2"]);
        scene.really_add(&["10.0.0.1"]);
        scene.really_remove(&["10.0.0.2"]);
        scene.shows(&["10.0.0.1"]);
    }

    #[test]
    fn a_table_that_is_missing_stays_missing() {
        let mut scene = Scene::new(&[]);
        scene.dry.add("missing", &prefixes(&["10.0.0.1"])).unwrap();
        assert_eq!(scene.dry.read("missing"), Err(TableError::NoTable));
    }
}
