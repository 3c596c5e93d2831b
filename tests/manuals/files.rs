//! Where examples are read from: nothing of this machine.

use std::io;
use std::path::{Path, PathBuf};

use hfm::config::{Loaded, load};
use hfm::probe::Files;
use hfm::ucl::Loader;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A file of this text; what it includes is empty.
struct One<'t>(&'t str);

const NAME: &str = "/hfm.conf";

impl Loader for One<'_> {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        Ok(if path == NAME { self.0.as_bytes().to_vec() } else { b"# nothing\n".to_vec() })
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        Ok(path.to_owned())
    }

    fn glob(&mut self, pattern: &str) -> io::Result<Vec<String>> {
        Ok(vec![pattern.replace('*', "a")])
    }
}

/// Every certificate and every key is the same one.
struct AnyFiles;

fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/tls").join(name)
}

impl Files for AnyFiles {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(tls(if path.ends_with(".key") { "any.key" } else { "any.crt" }))
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let pem = std::fs::read(tls("any.crt")).expect("it is there");
        Ok(vec![CertificateDer::from_pem_slice(&pem).expect("it is PEM").to_vec()])
    }
}

/// What becomes of a configuration; warnings are errors here.
pub(crate) fn judged(text: &str) -> Result<Loaded, String> {
    let loaded = load(NAME, &mut One(text), &mut AnyFiles).map_err(|report| report.to_string())?;
    let warnings = loaded.warnings.to_string();
    if warnings.is_empty() { Ok(loaded) } else { Err(warnings) }
}
