//! Finds a `package.json` that is a device or a pipe, which the bundler's resolver would read without end.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::{Diagnostic, Place};

/// The folders that were checked, of one run of the bundler.
#[derive(Debug, Default)]
pub(super) struct Devices(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    checked: HashSet<PathBuf>,
    found: Option<PathBuf>,
}

impl Devices {
    /// Checks the folders that an import of a file in `folder` is resolved in, before that is done.
    ///
    /// # Errors
    /// A `package.json` that is not a file, of this import or of one before.
    pub(super) fn check(&self, specifier: &str, folder: &Path) -> Result<(), Box<Diagnostic>> {
        // Held while folders are checked, so that no other import is resolved before the result is known.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.look_in(&folder.join(specifier));
        for ancestor in folder.ancestors().filter(|_| !specifier.starts_with('.')) {
            state.look_in(&ancestor.join("node_modules").join(specifier));
        }
        state.found.as_deref().map_or(Ok(()), |path| {
            let problem = Diagnostic::error(Place::file(path), "`package.json` is not a file");
            Err(Box::new(problem.hint("replace the link with a file".to_owned())))
        })
    }
}

impl State {
    /// Checks a folder and those above it.
    fn look_in(&mut self, folder: &Path) {
        for folder in folder.ancestors() {
            if !self.checked.insert(folder.to_owned()) {
                break;
            }
            let path = folder.join("package.json");
            if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
                self.found = Some(path);
            }
        }
    }
}
