//! The file that the next step reads outputs from.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::escape;

/// A file of outputs in one of two forms.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// GitHub's, where a value stands between two delimiters.
    GitHub,
    /// `name=value` lines.
    Dotenv,
}

impl OutputFile {
    pub(super) fn github(path: PathBuf) -> Self {
        Self { path, form: Form::GitHub }
    }

    pub(super) fn dotenv(path: PathBuf) -> Self {
        Self { path, form: Form::Dotenv }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the outputs to the file, in one write.
    pub(super) fn write(&self, values: &[(&str, String)]) -> io::Result<()> {
        let line = |(name, value): &(&str, String)| match self.form {
            Form::GitHub => between_delimiters(name, value),
            Form::Dotenv => format!("{name}={}\n", escape::dotenv(value)),
        };
        append(&self.path, &values.iter().map(line).collect::<String>())
    }
}

/// A fresh random delimiter each time, so that no value can hold it.
fn between_delimiters(name: &str, value: &str) -> String {
    let delimiter = format!("ghadelimiter_{}", uuid::Uuid::new_v4());
    // A lone CR would end a line for the runner.
    let value = value.replace('\r', "");
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

/// Adds to a file, which is made when it is not there.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}
