//! What a configuration was read from: every file and every pattern, so that it can be known beforehand whether
//! it could be read again.

use std::collections::{HashMap, HashSet};
use std::io;

use crate::probe::Files;
use crate::ucl::Loader;

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Files, by the names by which they were looked for, each once: the configuration, what it includes, what
    /// probes name.
    pub files: Vec<String>,
    /// Patterns of includes, and the files that matched each.
    pub patterns: Vec<(String, Vec<String>)>,
}

/// Takes down what is read through it.
pub(super) struct Recorder<'a> {
    pub(super) reads: Reads,
    loader: &'a mut dyn Loader,
    files: &'a mut dyn Files,
    /// The names that led to canonical paths.
    names: HashMap<String, String>,
    seen: HashSet<String>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(loader: &'a mut dyn Loader, files: &'a mut dyn Files) -> Self {
        Self { reads: Reads::default(), loader, files, names: HashMap::new(), seen: HashSet::new() }
    }

    fn add(&mut self, name: &str) {
        if self.seen.insert(name.to_owned()) {
            self.reads.files.push(name.to_owned());
        }
    }
}

impl Loader for Recorder<'_> {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let bytes = self.loader.read(path)?;
        let name = self.names.get(path).map_or(path, |name| name).to_owned();
        self.add(&name);
        Ok(bytes)
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        let canonical = self.loader.resolve(path)?;
        self.names.insert(canonical.clone(), path.to_owned());
        Ok(canonical)
    }

    fn glob(&mut self, pattern: &str) -> io::Result<Vec<String>> {
        let matches = self.loader.glob(pattern)?;
        self.reads.patterns.push((pattern.to_owned(), matches.clone()));
        Ok(matches)
    }
}

impl Files for Recorder<'_> {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let bytes = self.files.read(path)?;
        self.add(path);
        Ok(bytes)
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        self.files.system_roots()
    }
}
