//! Reads modules, which Yarn keeps in archives and names by paths that do not exist.

use std::path::{Path, PathBuf};

use pnp::fs::{LruZipCache, VPath, VPathInfo as _, ZipCache as _, open_zip_via_read_p};

use crate::integration::files::{self, FileError};

/// The number of archives that are kept in memory.
const MAX_ARCHIVES: u64 = 50;

/// The repository with the archives that were read.
#[derive(Debug)]
pub(super) struct Archives {
    root: PathBuf,
    opened: LruZipCache<Vec<u8>>,
}

impl Archives {
    /// Prepares for the repository at `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), opened: LruZipCache::new(MAX_ARCHIVES, open_zip_via_read_p) }
    }

    /// Reads a module. Its path may lead into an archive or contain `__virtual__`, as those of Yarn do.
    ///
    /// # Errors
    /// [`FileError::Outside`] if the file or archive is not content of the repository or of a package.
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
                Ok(self.opened.read(archive, found.zip_path)?)
            }
        }
    }
}
