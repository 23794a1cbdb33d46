//! Writes the outputs of a run to a file for later CI steps and jobs.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::destination::{Destination, FinishedRun, ResultFile};
use super::output_table::{OUTPUTS, Output};
use super::{escape, report_file};
use crate::ci::Runner;
use crate::deploy::Outcome;
use crate::diagnostic::{Diagnostic, display_path};
use crate::environment::Environment;
use crate::plan::Decision;

/// The size in bytes at which a GitLab dotenv report is too large and fails the job.
const GITLAB_SIZE_LIMIT: usize = 5 * 1024;

/// The maximum number of variables in a GitLab dotenv report with GitLab's default settings.
const MAX_GITLAB_VARIABLES: usize = 20;

/// The outputs that contain a JSON document.
const JSON_OUTPUTS: [&str; 2] = ["integrations", "matrix"];

/// The outputs to omit, one more at a time in this order, until the file is within GitLab's limits. If it still exceeds them, all
/// outputs are omitted.
const OMISSION_ORDER: [&str; 3] = ["integrations", "matrix", "reason"];

/// The file for outputs.
#[derive(Debug)]
struct OutputFile {
    file: ResultFile,
    format: OutputFormat,
}

#[derive(Debug)]
enum OutputFormat {
    /// The format of GitHub Actions, with each value between two delimiters.
    GitHub,
    /// Lines such as `name=value`.
    Dotenv,
    /// A dotenv report for a GitLab job.
    GitLab,
}

/// Returns the file for outputs, if `GITBOOK_OUTPUT_FILE` or `GITHUB_OUTPUT` names one.
pub(super) fn destination(environment: &Environment) -> Option<Box<dyn Destination>> {
    let runner = Runner::from_environment(environment);
    let github = runner.output_file.map(|path| ResultFile::new(environment, &path));
    let (file, format) = match (ResultFile::from_variable(environment, "GITBOOK_OUTPUT_FILE"), github) {
        (Some(file), Some(github)) if file.path() == github.path() => (file, OutputFormat::GitHub),
        (Some(file), _) if runner.is_gitlab => (file, OutputFormat::GitLab),
        (Some(file), _) => (file, OutputFormat::Dotenv),
        (None, github) => (github?, OutputFormat::GitHub),
    };
    Some(Box::new(OutputFile { file, format }))
}

impl Destination for OutputFile {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn write(&self, run: &FinishedRun<'_>) -> io::Result<Option<Diagnostic>> {
        let lines: Vec<_> = output_values(run)
            .into_iter()
            .map(|(name, value)| (name, self.format_line(name, &value)))
            .collect();
        if !matches!(self.format, OutputFormat::GitLab) {
            self.file.append(&lines.into_iter().map(|(_, line)| line).collect::<String>())?;
            return Ok(None);
        }
        let (text, omitted) = merge_dotenv(&self.file.read()?, &lines);
        self.file.write(&text)?;
        Ok((!omitted.is_empty()).then(|| self.omission_warning(&omitted)))
    }
}

impl OutputFile {
    fn format_line(&self, name: &str, value: &str) -> String {
        match self.format {
            OutputFormat::GitHub => delimited_output(name, value),
            OutputFormat::Dotenv => format!("{name}={}\n", escape::quoted_dotenv(value)),
            OutputFormat::GitLab if JSON_OUTPUTS.contains(&name) => {
                format!("{name}={}\n", escape::gitlab_dotenv_json(value))
            }
            OutputFormat::GitLab => format!("{name}={}\n", escape::gitlab_dotenv(value)),
        }
    }

    fn omission_warning(&self, omitted: &[&str]) -> Diagnostic {
        let names: Vec<_> = omitted.iter().map(|name| format!("`{name}`")).collect();
        let path = display_path(self.file.path());
        let message = format!(
            "omitted {} from `{path}`: GitLab limits dotenv reports to 5 KiB and {MAX_GITLAB_VARIABLES} variables",
            names.join(", ")
        );
        Diagnostic::warning(None, message)
            .with_hint("set `GITBOOK_REPORT_FILE` to get all results in a file".to_owned())
    }
}

/// Returns the names and values of all outputs.
fn output_values(finished: &FinishedRun<'_>) -> Vec<(&'static str, String)> {
    let FinishedRun { run, printer, .. } = *finished;
    let plan = run.plan.as_ref();
    let shard_plan = run.shard_plan;
    let mode = plan.map_or("", |plan| plan.decision.name());
    let reason = plan.map(|plan| printer.redact(&plan.reason)).unwrap_or_default();
    let commit = run.ci.as_ref().and_then(|ci| ci.commit.as_deref());
    let sha = commit.map(|sha| printer.redact(sha)).unwrap_or_default();
    let integration = |outcome: &Outcome| {
        let mut value = printer.redact_json(report_file::integration_object(outcome));
        (value["mode"], value["reason"], value["sha"]) =
            (mode.into(), reason.as_str().into(), sha.as_str().into());
        value
    };
    let integrations: Vec<_> = run.outcomes.iter().map(integration).collect();
    let first_value = |key: &str| {
        let value = integrations.first().and_then(|value| value[key].as_str());
        value.unwrap_or_default().to_owned()
    };
    let (name, url, version) = (first_value("name"), first_value("url"), first_value("version"));
    let integrations = Value::from(integrations).to_string();
    let is_preview =
        matches!(plan.map(|plan| &plan.decision), Some(Decision::Preview(_) | Decision::Delete(_)));
    let value = |output: Output| match output {
        Output::Mode => mode.to_owned(),
        Output::Reason => reason.clone(),
        Output::Sha => sha.clone(),
        Output::Result => finished.result().to_owned(),
        Output::Name => name.clone(),
        Output::Url => url.clone(),
        Output::Version => version.clone(),
        Output::Preview => is_preview.to_string(),
        Output::Integrations => integrations.clone(),
        Output::Matrix => shard_plan.map(|count| count.matrix().to_string()).unwrap_or_default(),
        Output::Count => shard_plan.map_or(run.outcomes.len(), |count| count.integrations).to_string(),
    };
    OUTPUTS.iter().map(|row| (row.name, value(row.output))).collect()
}

/// Merges outputs into the text of an existing dotenv report. Replaces existing outputs of the same name. Omits outputs if the
/// report would exceed GitLab's limits.
///
/// Returns the new text and the names of the omitted outputs.
fn merge_dotenv<'a>(existing: &str, outputs: &[(&'a str, String)]) -> (String, Vec<&'a str>) {
    let name = |line: &'_ str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let is_output = |line: &str| outputs.iter().any(|(output, _)| *output == name(line));
    // GitLab rejects a report that contains empty lines.
    let other_lines: Vec<_> =
        existing.lines().filter(|line| !line.trim().is_empty() && !is_output(line)).collect();
    let other_text: String = other_lines.iter().map(|line| format!("{line}\n")).collect();
    let other_names: BTreeSet<_> = other_lines.iter().map(|line| name(line)).collect();
    for omitted_count in 0..=OMISSION_ORDER.len() {
        let is_kept = |name: &str| !OMISSION_ORDER[..omitted_count].contains(&name);
        let kept = outputs.iter().filter(|(name, _)| is_kept(name));
        let text: String = kept.clone().map(|(_, line)| line.as_str()).collect();
        let fits = other_text.len() + text.len() < GITLAB_SIZE_LIMIT
            && other_names.len() + kept.count() <= MAX_GITLAB_VARIABLES;
        if fits {
            let omitted = outputs.iter().map(|(name, _)| *name).filter(|name| !is_kept(name));
            return (other_text + &text, omitted.collect());
        }
    }
    (other_text, outputs.iter().map(|(name, _)| *name).collect())
}

/// Returns an output with its value between random delimiters, which no value can contain.
fn delimited_output(name: &str, value: &str) -> String {
    let delimiter = format!("ghadelimiter_{}", uuid::Uuid::new_v4());
    // No output needs line breaks. Control characters could break later steps: for example, a process cannot start if an
    // environment variable contains NUL.
    let value = escape::output_value(value);
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use super::merge_dotenv;

    /// Returns output lines of the given lengths in bytes.
    fn lines(lengths: &[(&'static str, usize)]) -> Vec<(&'static str, String)> {
        let line = |(name, length): &(&'static str, usize)| {
            (*name, format!("{name}={}\n", "x".repeat(length - name.len() - 2)))
        };
        lengths.iter().map(line).collect()
    }

    fn check(existing: &str, outputs: &[(&'static str, usize)], size: usize, expected: &[&str]) {
        let (text, omitted) = merge_dotenv(existing, &lines(outputs));
        assert_eq!((text.len(), &omitted[..]), (size, expected));
    }

    #[test]
    fn omits_outputs_over_gitlabs_limits() {
        check("", &[("url", 100), ("integrations", 5019)], 5119, &[]);
        check("", &[("url", 100), ("integrations", 5020)], 100, &["integrations"]);
        check("", &[("url", 100), ("matrix", 2520), ("integrations", 2520)], 2620, &["integrations"]);
        check("", &[("url", 100), ("matrix", 5100), ("integrations", 15)], 100, &["matrix", "integrations"]);
        check("", &[("reason", 5120), ("url", 100)], 100, &["reason"]);
        check("", &[("url", 5120), ("name", 10)], 0, &["url", "name"]);
    }

    #[test]
    fn keeps_variables_of_other_programs_and_counts_them() {
        let others = format!("A={}\n", "x".repeat(5000 - 3));
        check(&others, &[("url", 100), ("integrations", 100)], 5100, &["integrations"]);
        let many: String = (0..18).map(|number| format!("A{number}=\n")).collect();
        check(&many, &[("url", 10), ("name", 10)], many.len() + 20, &[]);
        check(&many, &[("url", 10), ("name", 10), ("reason", 10)], many.len() + 20, &["reason"]);
    }

    #[test]
    fn replaces_outputs_of_an_earlier_run() {
        let existing = "A=1\nurl=old\n\n  \nname = old\nB=url=2";
        let (text, omitted) =
            merge_dotenv(existing, &[("url", "url=new\n".to_owned()), ("name", "name=n\n".to_owned())]);
        assert_eq!((text.as_str(), omitted), ("A=1\nB=url=2\nurl=new\nname=n\n", vec![]));
    }
}
