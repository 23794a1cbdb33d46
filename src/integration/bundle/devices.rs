//! Detects a `package.json` that is a device or a pipe, because the bundler's resolver could read that file forever.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::{Diagnostic, SourceLocation};

/// A check for devices and pipes among the `package.json` files that the resolver may read in one bundler run.
#[derive(Debug, Default)]
pub(super) struct SpecialFileCheck(Mutex<CheckedFolders>);

#[derive(Debug, Default)]
struct CheckedFolders {
    checked: HashSet<PathBuf>,
    /// A `package.json` that is a device or a pipe.
    device: Option<PathBuf>,
}

impl SpecialFileCheck {
    /// Checks the folders in which the resolver will search for `specifier`, which a file in `folder` imports. Call this before
    /// the import is resolved.
    ///
    /// # Errors
    /// Returns an error if this check or an earlier one found a `package.json` that is a device or a pipe.
    pub(super) fn check(&self, specifier: &str, folder: &Path) -> Result<(), Box<Diagnostic>> {
        // Hold the lock during the check, so that no other import is resolved before the result is known.
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        folders.check_with_ancestors(&folder.join(specifier));
        for ancestor in folder.ancestors().filter(|_| !specifier.starts_with('.')) {
            folders.check_with_ancestors(&ancestor.join("node_modules").join(specifier));
        }
        folders.device.as_deref().map_or(Ok(()), |path| {
            let problem = Diagnostic::error(SourceLocation::file(path), "`package.json` is not a file");
            Err(Box::new(problem.with_hint("replace the link with a file".to_owned())))
        })
    }
}

impl CheckedFolders {
    /// Checks a folder and its ancestors. Skips folders that have been checked before.
    fn check_with_ancestors(&mut self, folder: &Path) {
        for folder in folder.ancestors() {
            if !self.checked.insert(folder.to_owned()) {
                break;
            }
            let path = folder.join("package.json");
            if path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
                self.device = Some(path);
            }
        }
    }
}
