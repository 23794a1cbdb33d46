//! Parses all outputs of a run as their systems do, and reports injections.

use serde_json::Value;

use super::{files, markdown, pies, runner, secrets, terminal};
use crate::support::Finished;

/// The outputs, in their order.
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

/// The format of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    GitHub,
    GitLab,
    Dotenv,
}

/// All outputs of a run.
pub(super) struct Written {
    /// The attempt, for error messages.
    pub(super) tried: String,
    pub(super) format: &'static str,
    pub(super) form: Form,
    pub(super) finished: Finished,
    /// The comments on the pull request.
    pub(super) comments: Vec<String>,
    /// The deployments on the forge.
    pub(super) deployments: Vec<fake_github::Deployment>,
    /// Files that the sandbox has stored.
    pub(super) kept: Vec<String>,
}

impl Written {
    pub(super) fn new(
        tried: impl Into<String>,
        format: &'static str,
        form: Form,
        finished: Finished,
    ) -> Self {
        let (comments, deployments, kept) = (Vec::new(), Vec::new(), Vec::new());
        Self { tried: tried.into(), format, form, finished, comments, deployments, kept }
    }

    /// Returns the number of outputs, and each injection with its output.
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
        let outcome = |(sink, effects): (&str, Vec<String>)| {
            effects
                .into_iter()
                .map(|act| format!("{sink} ({}), {}: {act}", self.format, self.tried))
                .collect::<Vec<_>>()
        };
        (count, sinks.into_iter().flat_map(outcome).collect())
    }

    fn log(&self, log: &str) -> Vec<String> {
        let mut effects = Vec::new();
        let may = |name: &str| match self.format {
            "github" => {
                ["error", "warning", "notice", "debug", "group", "endgroup", "add-mask"].contains(&name)
            }
            _ => name == "add-mask",
        };
        for command in runner::commands(log) {
            let own = match &*command.name {
                "add-mask" => secrets::is_to_be_masked(&command.data),
                "group" => !command.data.contains("pwned"),
                "endgroup" => command.data.is_empty(),
                _ => !command.data.trim_start().starts_with("pwned"),
            };
            let places = ["file", "line", "col", "endLine", "endColumn"];
            if !may(&command.name) || !own || command.properties.keys().any(|key| !places.contains(&&**key)) {
                effects.push(format!("{command:?}"));
            }
        }
        let sections = terminal::sections(log);
        let ours = |(at, section): (usize, &terminal::Section)| {
            section.opens == (at % 2 == 0) && section.name == format!("gitbook_deploy_{}", at / 2 + 1)
        };
        // Only GitLab looks for sections, and it never gets the log format of GitHub.
        if self.format != "github" && !sections.iter().enumerate().all(ours) {
            effects.push(format!("{sections:?}"));
        }
        let log = terminal::without_our_sections(log);
        effects
            .extend(terminal::control_characters(&log).into_iter().take(5).map(|c| format!("{c:?} is raw")));
        effects.extend(
            log.lines()
                .filter(|line| !self.is_line(line))
                .take(5)
                .map(|line| format!("the line {}", cut(line))),
        );
        effects
    }

    /// Returns true for a line that the program begins; no injected text can begin one.
    fn is_line(&self, line: &str) -> bool {
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
                WORDS.contains(&word) || is_excerpt(line) || self.is_title(line)
            }
            _ => !line.trim_start_matches('x').trim_start().starts_with("pwned"),
        }
    }

    /// Returns true for the title of a GitLab section.
    fn is_title(&self, line: &str) -> bool {
        let number = line.strip_prefix("publishing ").and_then(|rest| rest.split_once(" integration"));
        self.form == Form::GitLab
            && number
                .is_some_and(|(number, rest)| number.parse::<usize>().is_ok() && matches!(rest, "" | "s"))
    }

    fn outputs(&self) -> Vec<String> {
        let text = &self.finished.raw_outputs;
        let read = match self.form {
            Form::GitHub => files::github(text),
            Form::GitLab | Form::Dotenv if text.is_empty() => Ok(Vec::new()),
            Form::GitLab => files::shell(text).and_then(|_| files::gitlab(text)),
            Form::Dotenv => files::shell(text),
        };
        let outputs = match read {
            Ok(outputs) => outputs,
            Err(error) => return vec![error],
        };
        let mut effects = Vec::new();
        let names: Vec<_> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<_> = match self.form {
            // Outputs that exceed the limit are left out.
            Form::GitLab => OUTPUTS.into_iter().filter(|name| names.contains(name)).collect(),
            Form::GitHub | Form::Dotenv => OUTPUTS.to_vec(),
        };
        if names != expected {
            effects.push(format!("sets {names:?}"));
        }
        for (name, value) in &outputs {
            let is_right = match name.as_str() {
                "integrations" | "matrix" => value.is_empty() || serde_json::from_str::<Value>(value).is_ok(),
                // The sandbox's URL is the folder of the integration.
                "url" if value.starts_with("file:///") => !value.contains("pwned"),
                "url" => value.is_empty() || is_page(value),
                "version" => value.chars().all(|c| c.is_ascii_digit()),
                _ => true,
            };
            let expands = self.form == Form::GitLab && !files::expanded(value).is_empty();
            if !is_right || expands || value.chars().any(char::is_control) {
                effects.push(format!("{name}={}", cut(value)));
            }
        }
        effects
    }

    fn report(&self) -> Vec<String> {
        let keys: Vec<_> =
            self.finished.report.as_object().into_iter().flat_map(|report| report.keys()).collect();
        let known = keys.len() >= 8 && keys.iter().all(|key| !key.contains("pwned"));
        if known { Vec::new() } else { vec![format!("has {keys:?}")] }
    }

    /// GitLab shows descriptions as text, beside links to lines.
    fn quality(&self) -> Vec<String> {
        const KEYS: [&str; 5] = ["description", "check_name", "fingerprint", "severity", "location"];
        let text = &self.finished.quality;
        let entries: Vec<serde_json::Map<String, Value>> = match serde_json::from_str(text) {
            Ok(entries) => entries,
            // Modes without problems write no file.
            Err(_) if text.is_empty() => Vec::new(),
            Err(error) => return vec![error.to_string()],
        };
        let is_known =
            |entry: &&serde_json::Map<_, _>| entry.keys().eq(KEYS) && entry["check_name"] == "gitbook-deploy";
        let odd = entries.iter().filter(|entry| !is_known(entry)).map(|entry| format!("{entry:?}"));
        let texts = entries.iter().map(|entry| entry["description"].as_str().unwrap_or_default());
        odd.chain(texts.flat_map(terminal::control_characters).map(|c| format!("{c:?} is raw")))
            .take(5)
            .collect()
    }

    fn secrets(&self) -> Vec<String> {
        // The runner must receive each secret once to mask it; the masks were checked above.
        let unmasked = |log: &str| {
            let lines = log.lines().filter(|line| !line.starts_with("::add-mask::"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let Finished { stdout, stderr, raw_outputs, summary, report, quality, .. } = &self.finished;
        let (stdout, stderr) = (unmasked(stdout), unmasked(stderr));
        let deployments = self.deployments.iter().map(|record| format!("{record:?} {}", record.payload));
        let report = [format!("{report:#}"), strings(report)].concat();
        let texts = [stdout, stderr, raw_outputs.clone(), summary.clone(), report, quality.clone()];
        let texts =
            texts.into_iter().chain(self.comments.iter().chain(&self.kept).cloned()).chain(deployments);
        texts.flat_map(|text| secrets::secrets_in(&text)).map(|form| format!("`{form}` is told")).collect()
    }
}

/// Returns all texts of a document, as a program reads them.
fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(strings).collect(),
        Value::Object(entries) => entries.values().map(strings).collect(),
        _ => String::new(),
    }
}

/// Returns true for a line of an excerpt: the location, the margin or the hint.
fn is_excerpt(line: &str) -> bool {
    let line = line.trim_start();
    let margin = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    line.starts_with("--> ") || line.starts_with("= hint: ") || margin == "|" || margin.starts_with("| ")
}

fn summary(text: &str) -> Vec<String> {
    let mut page = markdown::page(text);
    let mut effects = pies::taken_from(&mut page);
    effects.extend(unexpected(&page, &["<br>", "<code>", "</code>"], is_githubs));
    let is_known = |block: &&String| matches!(block.as_str(), "paragraph" | "table" | "row 5" | "row 3");
    let own = page.blocks.first().is_some_and(|first| first == "heading")
        && page.blocks[1..].iter().all(|block| is_known(&block));
    let tables = page.blocks.iter().filter(|block| *block == "table").count();
    // The second table is that of the slowest integrations.
    let slowest = page.blocks.iter().filter(|block| *block == "row 3").count();
    if !own || tables > 1 + usize::from(slowest > 0) || ![0, 6].contains(&slowest) {
        effects.push(format!("has {:?}", page.blocks));
    }
    // The mode is bold.
    effects.extend(page.markup.iter().filter(|markup| *markup != "strong").cloned());
    if text.len() > 1 << 20 {
        effects.push(format!("is too large for GitHub: {} bytes", text.len()));
    }
    effects.extend(terminal::control_characters(text).into_iter().take(5).map(|c| format!("{c:?} is raw")));
    effects
}

fn comment(text: &str) -> Vec<String> {
    let page = markdown::page(text);
    let mut effects = unexpected(&page, &["<br>", "<code>", "</code>"], |_| true);
    let is_known = |block: &&String| matches!(block.as_str(), "paragraph" | "row 5");
    let begins = page.blocks.get(..2).is_some_and(|first| first == ["heading", "table"]);
    if !begins || !page.blocks[2..].iter().all(|block| is_known(&block)) {
        effects.push(format!("has {:?}", page.blocks));
    }
    effects.extend(page.markup.iter().map(|markup| format!("has {markup}")));
    effects.extend(page.code.iter().map(|(info, _)| format!("has code: {}", cut(info))));
    // GitLab runs quick actions at the beginning of a line.
    effects.extend(
        text.split('\n').filter(|line| line.starts_with('/')).map(|line| format!("runs {}", cut(line))),
    );
    if text.encode_utf16().count() > 65_536 {
        effects.push("is too long".to_owned());
    }
    effects.extend(terminal::control_characters(text).into_iter().take(5).map(|c| format!("{c:?} is raw")));
    effects
}

/// Returns HTML, links and references that are not the program's own.
fn unexpected(page: &markdown::Page, own: &[&str], effects: fn(&str) -> bool) -> Vec<String> {
    let is_own = |html: &&String| {
        let marker = html.strip_prefix("<!-- gitbook-deploy:").and_then(|rest| rest.strip_suffix(" -->"));
        own.contains(&html.as_str())
            || marker.is_some_and(|values| !values.contains(['<', '>', '\n']) && !values.contains("--"))
    };
    let html = page.html.iter().filter(|html| !is_own(html)).map(|html| format!("has {}", cut(html)));
    let links = page.links.iter().filter(|link| !is_page(link)).map(|link| format!("links {}", cut(link)));
    let references = page
        .references
        .iter()
        .filter(|reference| effects(reference))
        .map(|reference| format!("calls {}", cut(reference)));
    html.chain(links).chain(references).collect()
}

/// Only GitHub shows summaries, so references of other systems are harmless.
fn is_githubs(reference: &str) -> bool {
    reference.starts_with(['@', '#']) || reference.to_lowercase().starts_with("gh-")
}

fn deployment(record: &fake_github::Deployment) -> Vec<String> {
    let mut effects = Vec::new();
    for text in [&record.environment, &record.description] {
        effects.extend(terminal::control_characters(text).into_iter().map(|c| format!("{c:?} is raw")));
    }
    let urls = record.statuses.iter().flat_map(|status| [&status.environment_url, &status.log_url]);
    effects
        .extend(urls.filter(|url| !url.is_empty() && !is_page(url)).map(|url| format!("links {}", cut(url))));
    effects
}

/// Returns true for a URL that only opens a page.
fn is_page(url: &str) -> bool {
    let parsed = url::Url::parse(url);
    let blank = |c: char| c.is_whitespace() || c.is_control() || "<>\\`|\"".contains(c);
    parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) && !url.contains(blank)
}

fn cut(text: &str) -> String {
    format!("{:?}", text.chars().take(160).collect::<String>())
}
