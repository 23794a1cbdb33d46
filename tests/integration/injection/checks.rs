//! Parses each output of a run like the system that reads it, and reports injections.

use serde_json::Value;

use super::{files, markdown, pies, runner, secrets, terminal};
use crate::support::Finished;

/// The names of the outputs in the order of the output file.
const OUTPUTS: [&str; 11] = [
    "mode",
    "reason",
    "sha",
    "result",
    "name",
    "url",
    "version",
    "preview",
    "integrations",
    "matrix",
    "count",
];

/// The format of the output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputFormat {
    GitHub,
    GitLab,
    Dotenv,
}

/// Everything that a run has written: logs, files, comments and deployments.
pub(super) struct Written {
    /// The purpose of the hostile strings, for error messages.
    pub(super) attempt: String,
    pub(super) format: &'static str,
    pub(super) output_format: OutputFormat,
    pub(super) finished: Finished,
    /// The comments on the pull request.
    pub(super) comments: Vec<String>,
    /// The deployments on the forge.
    pub(super) deployments: Vec<fake_github::Deployment>,
    /// The content of the files that the sandbox has stored.
    pub(super) sandbox_files: Vec<String>,
}

impl Written {
    pub(super) fn new(
        attempt: impl Into<String>,
        format: &'static str,
        output_format: OutputFormat,
        finished: Finished,
    ) -> Self {
        let (comments, deployments, sandbox_files) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            attempt: attempt.into(),
            format,
            output_format,
            finished,
            comments,
            deployments,
            sandbox_files,
        }
    }

    /// Returns the number of checked outputs, and a description of each injection.
    pub(super) fn check(&self) -> (usize, Vec<String>) {
        let sinks: Vec<(&str, Vec<String>)> = [
            ("standard output", self.log(&self.finished.stdout)),
            ("log", self.log(&self.finished.stderr)),
            ("outputs", self.outputs()),
            ("report", self.report()),
            ("code quality", self.quality()),
            ("summary", summary(&self.finished.summary)),
            ("secrets", self.secrets()),
        ]
        .into_iter()
        .chain(self.comments.iter().map(|comment| ("comment", self::comment(comment))))
        .chain(self.deployments.iter().map(|record| ("deployment", deployment(record))))
        .collect();
        let count = sinks.len();
        let described = |(sink, injections): (&str, Vec<String>)| {
            injections
                .into_iter()
                .map(|injection| format!("{sink} ({}), {}: {injection}", self.format, self.attempt))
                .collect::<Vec<_>>()
        };
        (count, sinks.into_iter().flat_map(described).collect())
    }

    fn log(&self, log: &str) -> Vec<String> {
        let mut injections = Vec::new();
        let is_allowed = |name: &str| match self.format {
            "github" => {
                ["error", "warning", "notice", "debug", "group", "endgroup", "add-mask"].contains(&name)
            }
            _ => name == "add-mask",
        };
        for command in runner::commands(log) {
            let is_own = match &*command.name {
                "add-mask" => secrets::must_be_masked(&command.data),
                "group" => !command.data.contains("pwned"),
                "endgroup" => command.data.is_empty(),
                _ => !command.data.trim_start().starts_with("pwned"),
            };
            let location_keys = ["file", "line", "col", "endLine", "endColumn"];
            if !is_allowed(&command.name)
                || !is_own
                || command.properties.keys().any(|key| !location_keys.contains(&&**key))
            {
                injections.push(format!("{command:?}"));
            }
        }
        let sections = terminal::sections(log);
        let is_own_section = |(at, section): (usize, &terminal::Section)| {
            section.opens == (at % 2 == 0) && section.name == format!("gitbook_deploy_{}", at / 2 + 1)
        };
        // Only GitLab parses sections, and GitLab jobs never use the log format `github`.
        if self.format != "github" && !sections.iter().enumerate().all(is_own_section) {
            injections.push(format!("{sections:?}"));
        }
        let log = terminal::without_own_sections(log);
        injections.extend(terminal::describe_control_characters(&log).take(5));
        injections.extend(
            log.lines()
                .filter(|line| !self.is_program_line(line))
                .take(5)
                .map(|line| format!("contains the line {}", shortened(line))),
        );
        injections
    }

    /// Returns true for a log line that begins with the program's own text and not with injected text.
    fn is_program_line(&self, line: &str) -> bool {
        const WORDS: [&str; 8] = ["error", "warning", "notice", "info", "debug", "trace", "cause", "hint"];
        if line.starts_with("::add-mask::") || line.is_empty() {
            return true;
        }
        match self.format {
            "json" => serde_json::from_str(line).is_ok_and(|value: Value| {
                let object = value.as_object();
                object.is_some_and(|object| {
                    object.contains_key("level")
                        && object.contains_key("message")
                        && !object.contains_key("pwned")
                })
            }),
            "text" => {
                let (word, _) = line.trim_start().split_once(": ").unwrap_or_default();
                WORDS.contains(&word) || is_excerpt(line) || self.is_section_title(line)
            }
            _ => !line.trim_start_matches('x').trim_start().starts_with("pwned"),
        }
    }

    /// Returns true for the title of a GitLab section.
    fn is_section_title(&self, line: &str) -> bool {
        let number = line.strip_prefix("publishing ").and_then(|rest| rest.split_once(" integration"));
        self.output_format == OutputFormat::GitLab
            && number
                .is_some_and(|(number, rest)| number.parse::<usize>().is_ok() && matches!(rest, "" | "s"))
    }

    fn outputs(&self) -> Vec<String> {
        let text = &self.finished.raw_outputs;
        let read = match self.output_format {
            OutputFormat::GitHub => files::github(text),
            OutputFormat::GitLab | OutputFormat::Dotenv if text.is_empty() => Ok(Vec::new()),
            OutputFormat::GitLab => files::shell(text).and_then(|_| files::gitlab(text)),
            OutputFormat::Dotenv => files::shell(text),
        };
        let outputs = match read {
            Ok(outputs) => outputs,
            Err(error) => return vec![error],
        };
        let mut injections = Vec::new();
        let names: Vec<_> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<_> = match self.output_format {
            // The program omits outputs that exceed GitLab's size limit.
            OutputFormat::GitLab => OUTPUTS.into_iter().filter(|name| names.contains(name)).collect(),
            OutputFormat::GitHub | OutputFormat::Dotenv => OUTPUTS.to_vec(),
        };
        if names != expected {
            injections.push(format!("sets the outputs {names:?}"));
        }
        for (name, value) in &outputs {
            let is_valid = match name.as_str() {
                "integrations" | "matrix" => value.is_empty() || serde_json::from_str::<Value>(value).is_ok(),
                // In the sandbox, the URL is a `file:` URL of the integration's folder.
                "url" if value.starts_with("file:///") => !value.contains("pwned"),
                "url" => value.is_empty() || is_web_url(value),
                "version" => value.chars().all(|c| c.is_ascii_digit()),
                _ => true,
            };
            let expands =
                self.output_format == OutputFormat::GitLab && !files::expanded_variables(value).is_empty();
            if !is_valid || expands || value.chars().any(char::is_control) {
                injections.push(format!("{name}={}", shortened(value)));
            }
        }
        injections
    }

    fn report(&self) -> Vec<String> {
        let keys: Vec<_> =
            self.finished.report.as_object().into_iter().flat_map(|report| report.keys()).collect();
        let is_report = keys.len() >= 8 && keys.iter().all(|key| !key.contains("pwned"));
        if is_report { Vec::new() } else { vec![format!("has the report keys {keys:?}")] }
    }

    /// Checks the code quality report. GitLab shows its descriptions as plain text.
    fn quality(&self) -> Vec<String> {
        const KEYS: [&str; 5] = ["description", "check_name", "fingerprint", "severity", "location"];
        let text = &self.finished.quality;
        let entries: Vec<serde_json::Map<String, Value>> = match serde_json::from_str(text) {
            Ok(entries) => entries,
            // Modes that cannot report problems write no file.
            Err(_) if text.is_empty() => Vec::new(),
            Err(error) => return vec![error.to_string()],
        };
        let is_known =
            |entry: &&serde_json::Map<_, _>| entry.keys().eq(KEYS) && entry["check_name"] == "gitbook-deploy";
        let unknown = entries.iter().filter(|entry| !is_known(entry)).map(|entry| format!("{entry:?}"));
        let texts = entries.iter().map(|entry| entry["description"].as_str().unwrap_or_default());
        unknown.chain(texts.flat_map(terminal::describe_control_characters)).take(5).collect()
    }

    fn secrets(&self) -> Vec<String> {
        // The runner must receive each secret once, in a masking command. `log` checks these commands.
        let unmasked = |log: &str| {
            let lines = log.lines().filter(|line| !line.starts_with("::add-mask::"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let Finished { stdout, stderr, raw_outputs, summary, report, quality, .. } = &self.finished;
        let (stdout, stderr) = (unmasked(stdout), unmasked(stderr));
        let deployments = self.deployments.iter().map(|record| format!("{record:?} {}", record.payload));
        let report = [format!("{report:#}"), all_strings(report)].concat();
        let texts = [stdout, stderr, raw_outputs.clone(), summary.clone(), report, quality.clone()];
        let texts = texts
            .into_iter()
            .chain(self.comments.iter().chain(&self.sandbox_files).cloned())
            .chain(deployments);
        texts
            .flat_map(|text| secrets::secrets_in(&text))
            .map(|encoding| format!("contains the secret `{encoding}`"))
            .collect()
    }
}

/// Returns all strings of a JSON value, without JSON escapes.
fn all_strings(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(all_strings).collect(),
        Value::Object(entries) => entries.values().map(all_strings).collect(),
        _ => String::new(),
    }
}

/// Returns true for a line of a diagnostic's excerpt: location, margin or hint.
fn is_excerpt(line: &str) -> bool {
    let line = line.trim_start();
    let margin = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    line.starts_with("--> ") || line.starts_with("= hint: ") || margin == "|" || margin.starts_with("| ")
}

fn summary(text: &str) -> Vec<String> {
    let mut page = markdown::page(text);
    let mut injections = pies::remove_pies(&mut page);
    injections.extend(unexpected(&page, &["<br>", "<code>", "</code>"], is_github_reference));
    let is_known = |block: &&String| matches!(block.as_str(), "paragraph" | "table" | "row 5" | "row 3");
    let has_heading = page.blocks.first().is_some_and(|first| first == "heading")
        && page.blocks[1..].iter().all(|block| is_known(&block));
    let tables = page.blocks.iter().filter(|block| *block == "table").count();
    // The second table lists the slowest integrations.
    let slowest = page.blocks.iter().filter(|block| *block == "row 3").count();
    if !has_heading || tables > 1 + usize::from(slowest > 0) || ![0, 6].contains(&slowest) {
        injections.push(format!("has the blocks {:?}", page.blocks));
    }
    // Only the mode is bold.
    injections.extend(page.markup.iter().filter(|markup| *markup != "strong").cloned());
    if text.len() > 1 << 20 {
        injections.push(format!("is too large for GitHub: {} bytes", text.len()));
    }
    injections.extend(terminal::describe_control_characters(text).take(5));
    injections
}

fn comment(text: &str) -> Vec<String> {
    let page = markdown::page(text);
    let mut injections = unexpected(&page, &["<br>", "<code>", "</code>"], |_| true);
    let is_known = |block: &&String| matches!(block.as_str(), "paragraph" | "row 5");
    let has_table = page.blocks.get(..2).is_some_and(|first| first == ["heading", "table"]);
    if !has_table || !page.blocks[2..].iter().all(|block| is_known(&block)) {
        injections.push(format!("has the blocks {:?}", page.blocks));
    }
    injections.extend(page.markup.iter().map(|markup| format!("contains the markup {markup}")));
    injections
        .extend(page.code.iter().map(|(info, _)| format!("contains a code block: {}", shortened(info))));
    // GitLab runs quick actions at the beginning of a line.
    injections.extend(
        text.split('\n')
            .filter(|line| line.starts_with('/'))
            .map(|line| format!("runs the quick action {}", shortened(line))),
    );
    if text.encode_utf16().count() > 65_536 {
        injections.push("is longer than 65536 characters".to_owned());
    }
    injections.extend(terminal::describe_control_characters(text).take(5));
    injections
}

/// Returns HTML, links, mentions and issue references that the program did not write.
fn unexpected(page: &markdown::Page, own: &[&str], is_effective: fn(&str) -> bool) -> Vec<String> {
    let is_own = |html: &&String| {
        let marker = html.strip_prefix("<!-- gitbook-deploy:").and_then(|rest| rest.strip_suffix(" -->"));
        own.contains(&html.as_str())
            || marker.is_some_and(|values| !values.contains(['<', '>', '\n']) && !values.contains("--"))
    };
    let html = page
        .html
        .iter()
        .filter(|html| !is_own(html))
        .map(|html| format!("contains the HTML {}", shortened(html)));
    let links = page
        .links
        .iter()
        .filter(|link| !is_web_url(link))
        .map(|link| format!("links to {}", shortened(link)));
    let references = page
        .references
        .iter()
        .filter(|reference| is_effective(reference))
        .map(|reference| format!("refers to {}", shortened(reference)));
    html.chain(links).chain(references).collect()
}

/// Returns true for a mention or issue reference of GitHub. Only GitHub shows summaries, so those of GitLab are harmless there.
fn is_github_reference(reference: &str) -> bool {
    reference.starts_with(['@', '#']) || reference.to_lowercase().starts_with("gh-")
}

fn deployment(record: &fake_github::Deployment) -> Vec<String> {
    let mut injections = Vec::new();
    for text in [&record.environment, &record.description] {
        injections.extend(terminal::describe_control_characters(text));
    }
    let urls = record.statuses.iter().flat_map(|status| [&status.environment_url, &status.log_url]);
    injections.extend(
        urls.filter(|url| !url.is_empty() && !is_web_url(url))
            .map(|url| format!("links to {}", shortened(url))),
    );
    injections
}

/// Returns true for an HTTP or HTTPS URL without spaces, control characters or markup.
fn is_web_url(url: &str) -> bool {
    let parsed = url::Url::parse(url);
    let is_separator = |c: char| c.is_whitespace() || c.is_control() || "<>\\`|\"".contains(c);
    parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) && !url.contains(is_separator)
}

fn shortened(text: &str) -> String {
    format!("{:?}", text.chars().take(160).collect::<String>())
}
