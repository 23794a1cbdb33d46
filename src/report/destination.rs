//! The files that the results of a run are written to.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Printer, RunReport};
use crate::ci;
use crate::diagnostic::Diagnostic;
use crate::environment::Environment;
use crate::error::Error;
use crate::symlinks;

/// A file that the results of a run are written to.
pub(super) trait Destination: fmt::Debug + Send + Sync {
    /// Returns the path of the file.
    fn path(&self) -> &Path;

    /// Writes the results. Returns a warning if the file cannot contain all of them.
    fn write(&self, run: &FinishedRun<'_>) -> io::Result<Option<Diagnostic>>;
}

/// The results of a finished run.
#[derive(Clone, Copy, Debug)]
pub(super) struct FinishedRun<'a> {
    pub(super) run: &'a RunReport,
    pub(super) error: Option<&'a Error>,
    pub(super) exit_code: u8,
    /// The printer, which redacts secrets.
    pub(super) printer: &'a Printer,
}

impl FinishedRun<'_> {
    /// Returns the value of the output `result`: the status of the first integration or, if there is no integration, the status
    /// of the run.
    pub(super) fn result(&self) -> &'static str {
        match (self.run.outcomes.first(), self.error) {
            (Some(first), _) => first.status_name(),
            (None, Some(_)) => "failed",
            (None, None) if self.run.shard_plan.is_some() => "checked",
            (None, None) => "skipped",
        }
    }
}

/// A file for results. Reads and writes never follow symbolic links inside the checkout.
#[derive(Debug)]
pub(super) struct ResultFile {
    path: PathBuf,
    checkout: PathBuf,
}

impl ResultFile {
    /// Returns the file that a variable names.
    pub(super) fn from_variable(environment: &Environment, name: &str) -> Option<Self> {
        environment.get(name).map(|path| Self::new(environment, Path::new(path)))
    }

    /// Returns the file at a path, which may be relative to the working directory.
    pub(super) fn new(environment: &Environment, path: &Path) -> Self {
        let folder = environment.current_folder();
        let checkout = symlinks::checkout_root(folder, ci::workspace(environment).as_deref());
        Self { path: folder.join(path), checkout }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the root of the checkout.
    pub(super) fn checkout(&self) -> &Path {
        &self.checkout
    }

    /// Appends text to the file. Creates a missing file.
    pub(super) fn append(&self, text: &str) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(self.resolve()?)?.write_all(text.as_bytes())
    }

    /// Replaces the content of the file. Creates a missing file.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        std::fs::write(self.resolve()?, text)
    }

    /// Returns the content of the file. Returns an empty text if the file is missing or not a regular file, because reading a
    /// pipe might never end.
    pub(super) fn read(&self) -> io::Result<String> {
        let path = self.resolve()?;
        let is_file = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_file { std::fs::read_to_string(&path) } else { Ok(String::new()) }
    }

    fn resolve(&self) -> io::Result<PathBuf> {
        symlinks::resolve_without_checkout_links(&self.path, &self.checkout)
    }
}
