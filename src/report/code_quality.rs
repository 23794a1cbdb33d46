//! The GitLab code quality report, which shows problems in the merge request.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::destination::{Destination, FinishedRun, ResultFile};
use super::{Printer, escape};
use crate::ci::Runner;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation, display_path};
use crate::environment::Environment;

/// The code quality file, and the data for the paths in it.
#[derive(Debug)]
struct CodeQualityFile {
    file: ResultFile,
    /// The working directory. The paths of problems are relative to it.
    folder: PathBuf,
    /// The root of the repository. The paths in the report are relative to it.
    root: PathBuf,
    /// The path of the pipeline file. In the report, it is the location of problems in variables.
    pipeline_file: String,
}

/// Returns the code quality file, if `GITBOOK_CODE_QUALITY_FILE` names one.
pub(super) fn destination(environment: &Environment) -> Option<Box<dyn Destination>> {
    Some(Box::new(CodeQualityFile::from_environment(environment)?))
}

impl Destination for CodeQualityFile {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn write(&self, run: &FinishedRun<'_>) -> io::Result<Option<Diagnostic>> {
        self.file.write(&format!("{:#}\n", self.report_json(&run.run.problems, run.printer)))?;
        Ok(None)
    }
}

impl CodeQualityFile {
    fn from_environment(environment: &Environment) -> Option<Self> {
        let file = ResultFile::from_variable(environment, "GITBOOK_CODE_QUALITY_FILE")?;
        let folder = environment.current_folder().to_owned();
        let runner = Runner::from_environment(environment);
        let root = runner.project_dir.filter(|root| folder.starts_with(root));
        let root = root.unwrap_or_else(|| file.checkout().to_owned());
        // The configured path may also be a URL or a file in another project.
        let configured = runner.pipeline_config_path.as_deref().filter(|path| !path.contains([':', '@']));
        let pipeline_file = configured.unwrap_or(".gitlab-ci.yml").to_owned();
        Some(Self { file, folder, root, pipeline_file })
    }

    /// Returns a document with an entry for each problem. A fingerprint does not depend on the line number, so it stays the same
    /// if lines are added above the problem.
    fn report_json(&self, problems: &[Diagnostic], printer: &Printer) -> Value {
        let mut occurrences = BTreeMap::new();
        let entry = |problem: &Diagnostic| {
            let location = problem.location.as_ref();
            let path = printer.redact(&self.path_in_repository(location));
            let message = printer.redact(&message_with_location(problem));
            let hint = problem.hint.as_deref().map(|hint| format!(" ({})", printer.redact(hint)));
            let key = (path.clone(), problem.severity, message.clone());
            let number = occurrences.entry(key).or_insert(0_usize);
            *number += 1;
            let fingerprint =
                fingerprint(&[&path, &problem.severity.to_string(), &message, &number.to_string()]);
            json!({
                "description": escape::log_line(&format!("{message}{}", hint.unwrap_or_default())),
                "check_name": "gitbook-deploy",
                "fingerprint": fingerprint,
                "severity": match problem.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "minor",
                },
                "location": { "path": path, "lines": { "begin": line_number(location) } },
            })
        };
        problems.iter().map(entry).collect()
    }

    /// Returns the path of a location, relative to the repository root.
    fn path_in_repository(&self, location: Option<&SourceLocation>) -> String {
        let Some(path) = location.and_then(SourceLocation::path) else { return self.pipeline_file.clone() };
        let path = self.folder.join(path);
        display_path(path.strip_prefix(&self.root).unwrap_or(&path))
    }
}

/// Returns the message of a problem. For a problem in a variable, the message begins with the name of the variable, since the
/// path of the entry is the pipeline file.
fn message_with_location(problem: &Diagnostic) -> String {
    match problem.location.as_ref().and_then(SourceLocation::path) {
        Some(_) => problem.message.clone(),
        None => problem.to_string(),
    }
}

/// Returns the line number of a problem in a file, or 1 for a problem in a variable, because its line in the pipeline file is
/// unknown.
fn line_number(location: Option<&SourceLocation>) -> usize {
    let location = location.filter(|location| location.path().is_some());
    location.and_then(|location| location.position).map_or(1, |position| position.line)
}

fn fingerprint(values: &[&str]) -> String {
    let mut hash = Sha256::new();
    for value in values {
        hash.update(value);
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::CodeQualityFile;
    use crate::config::LogFormat;
    use crate::diagnostic::{Diagnostic, SourceLocation};
    use crate::environment::Environment;
    use crate::report::Printer;

    fn entries(variables: &[(&str, &str)], problems: &[Diagnostic]) -> Vec<(String, String, u64)> {
        let environment = Environment::of(&[&[("GITBOOK_CODE_QUALITY_FILE", "q.json")], variables].concat());
        let printer = Printer::new(LogFormat::Text, Box::new(std::io::sink()), &environment);
        let document =
            CodeQualityFile::from_environment(&environment).unwrap().report_json(problems, &printer);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let entry = |entry: &serde_json::Value| {
            let location = &entry["location"];
            let line = location["lines"]["begin"].as_u64().unwrap();
            (text(&entry["fingerprint"]), text(&location["path"]), line)
        };
        document.as_array().unwrap().iter().map(entry).collect()
    }

    #[test]
    fn fingerprints_are_unique_and_independent_of_lines() {
        let at = |line| Diagnostic::error(SourceLocation::file("a/m.yaml").at(line, 1), "wrong");
        let before = entries(&[], &[at(1), at(2)]);
        let after = entries(&[], &[at(5), at(9)]);
        assert_ne!(before[0].0, before[1].0);
        let fingerprints =
            |entries: &[(String, String, u64)]| entries.iter().map(|e| e.0.clone()).collect::<Vec<_>>();
        assert_eq!(fingerprints(&before), fingerprints(&after));
        assert_eq!((after[1].1.as_str(), after[1].2), ("a/m.yaml", 9));
    }

    #[test]
    fn paths_are_relative_to_the_repository() {
        let file = Diagnostic::error(SourceLocation::file("m.yaml"), "x");
        let variable = Diagnostic::error(SourceLocation::variable("GITBOOK_MODE").at(3, 1), "x");
        let paths = |variables: &[(&str, &str)]| {
            let entries = entries(variables, &[file.clone(), variable.clone()]);
            entries.into_iter().map(|(_, path, line)| format!("{path}:{line}")).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[("CI_PROJECT_DIR", "/")]), ["repo/m.yaml:1", ".gitlab-ci.yml:1"]);
        assert_eq!(paths(&[("CI_PROJECT_DIR", "/elsewhere")]), ["m.yaml:1", ".gitlab-ci.yml:1"]);
        assert_eq!(paths(&[("CI_CONFIG_PATH", "ci/a.yml")]), ["m.yaml:1", "ci/a.yml:1"]);
        assert_eq!(paths(&[("CI_CONFIG_PATH", "a.yml@other/project")]), ["m.yaml:1", ".gitlab-ci.yml:1"]);
    }
}
