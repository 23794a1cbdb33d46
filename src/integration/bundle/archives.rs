//! Reads modules, including those in archives and at virtual paths of Yarn.

use std::path::{Path, PathBuf};

use pnp::fs::{LruZipCache, VPath, VPathInfo as _, ZipCache as _, open_zip_via_read_p};

use crate::integration::files::{self, FileError};

/// The maximum number of archives in memory.
const MAX_ARCHIVES: u64 = 50;

/// The archives of a repository, with a cache.
#[derive(Debug)]
pub(super) struct Archives {
    root: PathBuf,
    cache: LruZipCache<Vec<u8>>,
}

impl Archives {
    /// Creates the reader for the repository at `root`. Archives are read on demand.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), cache: LruZipCache::new(MAX_ARCHIVES, open_zip_via_read_p) }
    }

    /// Reads a module. Its path may be inside an archive or contain `__virtual__`, as paths of Yarn do.
    ///
    /// # Errors
    /// [`FileError::Outside`] if the file or archive is not in the repository or in a package.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        let is_module = |path: &Path| files::is_module(path, &self.root);
        if path.exists() {
            return files::read(path, is_module);
        }
        match VPath::from(path)? {
            VPath::Native(path) => files::read(&path, is_module),
            VPath::Virtual(found) => files::read(&found.physical_base_path(), is_module),
            VPath::Zip(found) => {
                let archive = found.physical_base_path();
                files::open(&archive, |archive| is_module(&archive.join(&found.zip_path)))?;
                Ok(self.cache.read(archive, found.zip_path)?)
            }
        }
    }
}
