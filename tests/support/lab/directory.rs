//! A directory for files and sockets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One that everybody can reach, on a short way, gone with everything in it.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// A new and empty one, for the test of this name.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hfm-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        make(&path);
        Self(path)
    }

    /// Another one in it.
    pub(crate) fn within(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        make(&path);
        path
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn make(path: &Path) {
    fs::create_dir(path).expect("a directory for the test");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}
