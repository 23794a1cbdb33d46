//! Reads modules, including those in Yarn's ZIP archives and at Yarn's virtual paths.

use std::path::{Path, PathBuf};

use pnp::fs::{LruZipCache, VPath, VPathInfo as _, ZipCache as _, open_zip_via_read_p};

use crate::integration::files::{self, FileError};

/// The maximum number of ZIP archives that are kept in memory.
const MAX_CACHED_ARCHIVES: u64 = 50;

/// A reader for the modules of a repository, with a cache of opened ZIP archives.
#[derive(Debug)]
pub(super) struct ModuleReader {
    root: PathBuf,
    cache: LruZipCache<Vec<u8>>,
}

impl ModuleReader {
    /// Creates the reader for the repository at `root`. Archives are read on demand.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), cache: LruZipCache::new(MAX_CACHED_ARCHIVES, open_zip_via_read_p) }
    }

    /// Reads a module. Like Yarn, accepts a path that leads into a ZIP archive or contains `__virtual__`.
    ///
    /// # Errors
    /// Returns [`FileError::Outside`] if the file or archive is neither in the repository nor in a package.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        let is_repository_or_package_file =
            |path: &Path| files::is_repository_or_package_file(path, &self.root);
        if path.exists() {
            return files::read(path, is_repository_or_package_file);
        }
        match VPath::from(path)? {
            VPath::Native(path) => files::read(&path, is_repository_or_package_file),
            VPath::Virtual(virtual_path) => {
                files::read(&virtual_path.physical_base_path(), is_repository_or_package_file)
            }
            VPath::Zip(entry) => {
                let archive = entry.physical_base_path();
                files::open(&archive, |archive| {
                    is_repository_or_package_file(&archive.join(&entry.zip_path))
                })?;
                Ok(self.cache.read(archive, entry.zip_path)?)
            }
        }
    }
}
