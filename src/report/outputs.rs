//! The file that the next step reads outputs from.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::escape;
use crate::symlinks::without_links;

/// A file of outputs in one of two forms.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    format: OutputFormat,
}

#[derive(Debug)]
enum OutputFormat {
    /// GitHub's, where a value stands between two delimiters.
    GitHub,
    /// `name=value` lines.
    Dotenv,
    /// The same as GitLab takes them for a report of a job.
    GitLab,
}

/// A file of GitLab's must be smaller than this. One that is not fails the job that has done its work.
const GITLABS_SIZE: usize = 5 * 1024;

/// Nor may it have more variables, where nobody has raised that.
const GITLABS_VARIABLES: usize = 20;

/// The outputs that are JSON.
const JSON: [&str; 2] = ["integrations", "matrix"];

/// What is left out of it first.
const DISPENSABLE: [&str; 3] = ["integrations", "matrix", "reason"];

impl OutputFile {
    pub(super) fn github(path: PathBuf) -> Self {
        Self { path, format: OutputFormat::GitHub }
    }

    pub(super) fn dotenv(path: PathBuf) -> Self {
        Self { path, format: OutputFormat::Dotenv }
    }

    pub(super) fn gitlab(path: PathBuf) -> Self {
        Self { path, format: OutputFormat::GitLab }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the outputs to the file, in one write, and tells which of them there is no room for.
    pub(super) fn write<'a>(
        &self,
        values: &[(&'a str, String)],
        checkout: &Path,
    ) -> io::Result<Vec<&'a str>> {
        let line = |(name, value): &(&str, String)| match self.format {
            OutputFormat::GitHub => between_delimiters(name, value),
            OutputFormat::Dotenv => format!("{name}={}\n", escape::quoted_dotenv(value)),
            OutputFormat::GitLab if JSON.contains(name) => {
                format!("{name}={}\n", escape::dotenv_json_of_gitlab(value))
            }
            OutputFormat::GitLab => format!("{name}={}\n", escape::dotenv_of_gitlab(value)),
        };
        let lines: Vec<_> = values.iter().map(|value| (value.0, line(value))).collect();
        if matches!(self.format, OutputFormat::GitLab) {
            return self.replace(&lines, checkout);
        }
        append(&self.path, &lines.into_iter().map(|(_, line)| line).collect::<String>(), checkout)?;
        Ok(Vec::new())
    }

    /// Puts the outputs in place of those that an earlier run has left in the file.
    fn replace<'a>(&self, lines: &[(&'a str, String)], checkout: &Path) -> io::Result<Vec<&'a str>> {
        let path = without_links(&self.path, checkout)?;
        // What is no file, such as a pipe, has nothing to be read, and might never end.
        let is_file = std::fs::metadata(&path).is_ok_and(|there| there.is_file());
        let there = if is_file { std::fs::read_to_string(&path)? } else { String::new() };
        let (text, left_out) = fitting(&there, lines);
        std::fs::write(&path, text)?;
        Ok(left_out)
    }
}

/// What others have written and as many of our lines as there is room for; and the names of those left out.
fn fitting<'a>(there: &str, lines: &[(&'a str, String)]) -> (String, Vec<&'a str>) {
    let name = |line: &'_ str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let is_ours = |line: &str| lines.iter().any(|(ours, _)| *ours == name(line));
    // An empty line would fail the job, too.
    let others: Vec<_> = there.lines().filter(|line| !line.trim().is_empty() && !is_ours(line)).collect();
    let others_text: String = others.iter().map(|line| format!("{line}\n")).collect();
    let others_names: BTreeSet<_> = others.iter().map(|line| name(line)).collect();
    for dropped in 0..=DISPENSABLE.len() {
        let is_kept = |name: &str| !DISPENSABLE[..dropped].contains(&name);
        let kept = lines.iter().filter(|(name, _)| is_kept(name));
        let ours: String = kept.clone().map(|(_, line)| line.as_str()).collect();
        let fits = others_text.len() + ours.len() < GITLABS_SIZE
            && others_names.len() + kept.count() <= GITLABS_VARIABLES;
        if fits {
            let left_out = lines.iter().map(|(name, _)| *name).filter(|name| !is_kept(name));
            return (others_text + &ours, left_out.collect());
        }
    }
    (others_text, lines.iter().map(|(name, _)| *name).collect())
}

/// A fresh random delimiter each time, so that no value can hold it.
fn between_delimiters(name: &str, value: &str) -> String {
    let delimiter = format!("ghadelimiter_{}", uuid::Uuid::new_v4());
    // No output has several lines, and no next step wants a control character: its process can't even be started with NUL.
    let value = escape::dotenv(value);
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

/// Adds to a file, which is made when it is not there.
pub(super) fn append(path: &Path, text: &str, checkout: &Path) -> io::Result<()> {
    let path = without_links(path, checkout)?;
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// Writes a file anew.
pub(super) fn write(path: &Path, text: &str, checkout: &Path) -> io::Result<()> {
    std::fs::write(without_links(path, checkout)?, text)
}

#[cfg(test)]
mod tests {
    use super::fitting;

    /// Our lines of so many bytes each.
    fn lines(lengths: &[(&'static str, usize)]) -> Vec<(&'static str, String)> {
        let line = |(name, length): &(&'static str, usize)| {
            (*name, format!("{name}={}\n", "x".repeat(length - name.len() - 2)))
        };
        lengths.iter().map(line).collect()
    }

    fn check(there: &str, ours: &[(&'static str, usize)], size: usize, expected: &[&str]) {
        let (text, left_out) = fitting(there, &lines(ours));
        assert_eq!((text.len(), &left_out[..]), (size, expected));
    }

    #[test]
    fn what_gitlab_would_refuse_is_left_out() {
        check("", &[("url", 100), ("integrations", 5019)], 5119, &[]);
        check("", &[("url", 100), ("integrations", 5020)], 100, &["integrations"]);
        check("", &[("url", 100), ("matrix", 2520), ("integrations", 2520)], 2620, &["integrations"]);
        check("", &[("url", 100), ("matrix", 5100), ("integrations", 15)], 100, &["matrix", "integrations"]);
        check("", &[("reason", 5120), ("url", 100)], 100, &["reason"]);
        check("", &[("url", 5120), ("name", 10)], 0, &["url", "name"]);
    }

    #[test]
    fn what_others_wrote_counts_and_stays() {
        let others = format!("A={}\n", "x".repeat(5000 - 3));
        check(&others, &[("url", 100), ("integrations", 100)], 5100, &["integrations"]);
        let many: String = (0..18).map(|number| format!("A{number}=\n")).collect();
        check(&many, &[("url", 10), ("name", 10)], many.len() + 20, &[]);
        check(&many, &[("url", 10), ("name", 10), ("reason", 10)], many.len() + 20, &["reason"]);
    }

    #[test]
    fn an_earlier_run_is_written_over() {
        let there = "A=1\nurl=old\n\n  \nname = old\nB=url=2";
        let (text, left_out) =
            fitting(there, &[("url", "url=new\n".to_owned()), ("name", "name=n\n".to_owned())]);
        assert_eq!((text.as_str(), left_out), ("A=1\nB=url=2\nurl=new\nname=n\n", vec![]));
    }
}
