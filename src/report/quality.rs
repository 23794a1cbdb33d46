//! Problems as GitLab's report of code quality has them, which it shows in the merge request.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Printer, escape};
use crate::diagnostic::{Diagnostic, Place, Severity, shown};
use crate::environment::Environment;

/// The file, and what its paths are about.
#[derive(Debug)]
pub(super) struct QualityFile {
    pub(super) path: PathBuf,
    /// The folder that the program was started in, and the repository's root.
    folder: PathBuf,
    root: PathBuf,
    /// Where variables are set.
    pipeline: String,
}

impl QualityFile {
    /// The one that the environment asks for.
    pub(super) fn of(environment: &Environment, checkout: &Path) -> Option<Self> {
        let folder = environment.folder().to_owned();
        let path = folder.join(environment.get("GITBOOK_CODE_QUALITY_FILE")?);
        let root =
            environment.get("CI_PROJECT_DIR").map(PathBuf::from).filter(|root| folder.starts_with(root));
        let root = root.unwrap_or_else(|| checkout.to_owned());
        // It may also be an address, or a file of another project.
        let own = environment.get("CI_CONFIG_PATH").filter(|path| !path.contains([':', '@']));
        let pipeline = own.unwrap_or(".gitlab-ci.yml").to_owned();
        Some(Self { path, folder, root, pipeline })
    }

    /// An entry for each problem. A fingerprint is the same in the next run, also when lines were added above.
    pub(super) fn document(&self, problems: &[Diagnostic], printer: &Printer) -> Value {
        let mut seen = BTreeMap::new();
        let entry = |problem: &Diagnostic| {
            let path = printer.redacted(&self.file(problem.place.as_ref()));
            let message = printer.redacted(&Self::message(problem));
            let hint = problem.hint.as_deref().map(|hint| format!(" ({})", printer.redacted(hint)));
            let number = seen.entry((path.clone(), problem.severity, message.clone())).or_insert(0_usize);
            *number += 1;
            json!({
                "description": escape::line(&format!("{message}{}", hint.unwrap_or_default())),
                "check_name": "gitbook-deploy",
                "fingerprint": fingerprint(&[&path, &problem.severity.to_string(), &message, &number.to_string()]),
                "severity": match problem.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "minor",
                },
                "location": { "path": path, "lines": { "begin": line(problem.place.as_ref()) } },
            })
        };
        problems.iter().map(entry).collect()
    }

    /// A variable's name is part of what is said of it: no path tells.
    fn message(problem: &Diagnostic) -> String {
        match problem.place.as_ref().and_then(Place::path) {
            Some(_) => problem.message.clone(),
            None => problem.to_string(),
        }
    }

    /// The path in the repository.
    fn file(&self, place: Option<&Place>) -> String {
        let Some(path) = place.and_then(Place::path) else { return self.pipeline.clone() };
        let path = self.folder.join(path);
        shown(path.strip_prefix(&self.root).unwrap_or(&path))
    }
}

/// In the file that sets a variable, it stands who knows where.
fn line(place: Option<&Place>) -> usize {
    let place = place.filter(|place| place.path().is_some());
    place.and_then(|place| place.position).map_or(1, |position| position.line)
}

fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::QualityFile;
    use crate::config::LogFormat;
    use crate::diagnostic::{Diagnostic, Place};
    use crate::environment::Environment;
    use crate::report::Printer;

    fn entries(variables: &[(&str, &str)], problems: &[Diagnostic]) -> Vec<(String, String, u64)> {
        let environment = Environment::of(&[&[("GITBOOK_CODE_QUALITY_FILE", "q.json")], variables].concat());
        let printer = Printer::new(LogFormat::Text, Box::new(std::io::sink()), &environment);
        let document =
            QualityFile::of(&environment, environment.folder()).unwrap().document(problems, &printer);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let entry = |entry: &serde_json::Value| {
            let location = &entry["location"];
            let line = location["lines"]["begin"].as_u64().unwrap();
            (text(&entry["fingerprint"]), text(&location["path"]), line)
        };
        document.as_array().unwrap().iter().map(entry).collect()
    }

    #[test]
    fn a_fingerprint_is_unique_and_does_not_move_with_its_line() {
        let at = |line| Diagnostic::error(Place::file("a/m.yaml").at(line, 1), "wrong");
        let before = entries(&[], &[at(1), at(2)]);
        let after = entries(&[], &[at(5), at(9)]);
        assert_ne!(before[0].0, before[1].0);
        let fingerprints =
            |entries: &[(String, String, u64)]| entries.iter().map(|e| e.0.clone()).collect::<Vec<_>>();
        assert_eq!(fingerprints(&before), fingerprints(&after));
        assert_eq!((after[1].1.as_str(), after[1].2), ("a/m.yaml", 9));
    }

    #[test]
    fn paths_are_those_of_the_repository() {
        let file = Diagnostic::error(Place::file("m.yaml"), "x");
        let variable = Diagnostic::error(Place::variable("GITBOOK_MODE").at(3, 1), "x");
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
