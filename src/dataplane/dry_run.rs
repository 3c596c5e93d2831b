//! A data plane that is read and never written.

use std::collections::{HashMap, HashSet};
use std::os::fd::RawFd;

use super::{Change, Contents, DataPlane, Kill, Killed, Managed, Notices, TableError};
use crate::rule::Prefix;

/// Another data plane, of which only the reading is done. `dry_run`.
///
/// What would have been written is reckoned with: reads show it as if it had been, until the data plane itself
/// agrees (because whoever this stands beside wrote the same); from then on it counts as it is. Changes always
/// succeed, and nothing is killed; who asks for them tells of it.
#[derive(Debug)]
pub struct DryRun {
    inner: Box<dyn DataPlane>,
    pretended: HashMap<String, Pretence>,
}

/// What would be otherwise in a table.
#[derive(Debug, Default)]
struct Pretence {
    /// Addresses that were to be written and are not so: whether each would be in.
    addresses: HashMap<Prefix, bool>,
    /// All of them would have their places.
    ordered: bool,
}

impl DryRun {
    /// Reads by `inner`.
    pub fn new(inner: Box<dyn DataPlane>) -> Self {
        Self { inner, pretended: HashMap::new() }
    }
}

impl DataPlane for DryRun {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn open(&mut self) -> Result<(), TableError> {
        self.inner.open()
    }

    fn how_to_make(&self, table: &str) -> String {
        self.inner.how_to_make(table)
    }

    fn tables_at_once(&self) -> usize {
        self.inner.tables_at_once()
    }

    fn is_sure(&self) -> bool {
        self.inner.is_sure()
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        let mut contents = self.inner.read(table)?;
        let Some(pretence) = self.pretended.get_mut(table.name) else { return Ok(contents) };
        // What has come true without us is not pretended any more.
        pretence.ordered &= contents.disordered;
        contents.disordered &= !pretence.ordered;
        let addresses = &mut contents.addresses;
        let found: HashSet<Prefix> = addresses.iter().copied().collect();
        pretence.addresses.retain(|address, is_in| found.contains(address) != *is_in);
        addresses.retain(|address| !pretence.addresses.contains_key(address));
        let pretended = pretence.addresses.iter();
        let mut added: Vec<Prefix> =
            pretended.filter(|(_, is_in)| **is_in).map(|(address, _)| *address).collect();
        added.sort_unstable();
        addresses.extend(added);
        Ok(contents)
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        for Change { table, add, remove } in changes {
            let pretence = self.pretended.entry(table.name.to_owned()).or_default();
            pretence.addresses.extend(add.iter().map(|address| (*address, true)));
            pretence.addresses.extend(remove.iter().map(|address| (*address, false)));
            pretence.ordered = true;
        }
        vec![Ok(()); changes.len()]
    }

    fn kill(&mut self, _: &[Prefix], _: Kill) -> Result<Killed, TableError> {
        Ok(Killed::default())
    }

    fn notices(&self) -> Option<RawFd> {
        self.inner.notices()
    }

    fn take_notices(&mut self) -> Notices {
        self.inner.take_notices()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::Memory;
    use super::super::simply::Simply as _;
    use super::*;

    /// A data plane that another writes to at the same time, and that tells when it is written.
    #[derive(Clone, Debug, Default)]
    struct Shared(Arc<Mutex<Memory>>);

    impl DataPlane for Shared {
        fn name(&self) -> &'static str {
            "shared"
        }

        fn how_to_make(&self, table: &str) -> String {
            self.0.lock().unwrap().how_to_make(table)
        }

        fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
            let mut contents = self.0.lock().unwrap().read(table)?;
            contents.disordered = table.name == "disordered";
            if table.name == "missing" { Err(TableError::NoTable) } else { Ok(contents) }
        }

        fn apply(&mut self, _: &[Change<'_>]) -> Vec<Result<(), TableError>> {
            panic!("a dry run changes nothing");
        }

        fn kill(&mut self, _: &[Prefix], _: Kill) -> Result<Killed, TableError> {
            panic!("a dry run kills nothing");
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
            let mut read = self.dry.list("web").unwrap();
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
        assert_eq!(scene.dry.list("mail"), Ok(vec![]), "other tables are not concerned");
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
        assert_eq!(scene.dry.list("missing"), Err(TableError::NoTable));
    }

    #[test]
    fn places_are_put_right_once() {
        let mut scene = Scene::new(&[]);
        let disordered = Managed { name: "disordered", members: &[] };
        assert!(scene.dry.read(disordered).unwrap().disordered);
        scene.dry.apply(&[Change { table: disordered, add: &[], remove: &[] }]);
        assert!(!scene.dry.read(disordered).unwrap().disordered);
    }

    #[test]
    fn nothing_is_killed() {
        let mut scene = Scene::new(&[]);
        assert_eq!(scene.dry.kill(&prefixes(&["10.0.0.1"]), Kill::States), Ok(Killed::default()));
    }
}
