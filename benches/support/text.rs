//! A configuration from a text, without any file.

use std::io;

use hfm::config::{self, Loaded};
use hfm::probe::Files;
use hfm::ucl::Loader;

/// What this text says.
pub(crate) fn load(text: &str) -> Loaded {
    let loaded = config::load("bench", &mut Text(text), &mut NoFiles);
    loaded.unwrap_or_else(|report| panic!("{report}"))
}

/// Text as a file that includes nothing.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Loader for Text<'_> {
    fn read(&mut self, _: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        Ok(path.to_owned())
    }

    fn glob(&mut self, _: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Ok(Vec::new())
    }
}
