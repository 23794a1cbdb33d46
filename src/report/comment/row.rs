//! A row of the comment: table cells for readers, and the same values in an HTML comment for the next run.

use std::fmt;

use super::super::{Printer, escape, size};
use crate::html_comment;
use crate::repository::short_commit;

/// The word after `gitbook-deploy:` in the HTML comment that contains the values of a row.
const COMMENT_KIND: &str = "row";

/// The state of a preview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RowState {
    /// The run published the preview.
    #[default]
    Published,
    /// The preview was already up to date.
    Unchanged,
    /// The run failed to publish or delete the preview.
    Failed,
    /// The run deleted the preview.
    Removed,
}

/// The values of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The name of the preview; empty for a failure without a preview.
    pub(super) name: String,
    pub(super) state: RowState,
    /// The number of the run that wrote the row.
    pub(super) run: u64,
    /// The number of the attempt. If a run is repeated, its run number stays the same, and its attempt number is higher.
    pub(super) attempt: u64,
    /// The commit of the run.
    pub(super) commit: String,
    /// The commit that the existing preview was published from; empty if the preview does not exist.
    pub(super) published_commit: String,
    /// The time of the run.
    pub(super) updated_at: String,
    /// The size of the script.
    pub(super) bytes: Option<usize>,
    /// The size of the previous script.
    pub(super) bytes_before: Option<usize>,
    pub(super) version: Option<String>,
    pub(super) url: Option<String>,
    /// The reason for a failure.
    pub(super) note: String,
    /// The URL of the run's log; set only for a failure.
    pub(super) log_url: Option<String>,
}

impl RowState {
    const ALL: [(&str, Self); 4] = [
        ("published", Self::Published),
        ("unchanged", Self::Unchanged),
        ("failed", Self::Failed),
        ("removed", Self::Removed),
    ];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }
}

impl Row {
    /// Parses the values in a line of the comment. Returns `None` if the line is not a row.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let start = line.find(html_comment::START)?;
        let end = line.rfind(html_comment::END)? + html_comment::END.len();
        let mut row = Self::default();
        for (key, value) in html_comment::parse(COMMENT_KIND, line.get(start..end)?)? {
            match key.as_str() {
                "name" => row.name = value,
                "state" => row.state = RowState::ALL.into_iter().find(|(name, _)| *name == value)?.1,
                "run" => row.run = value.parse().ok()?,
                "attempt" => row.attempt = value.parse().ok()?,
                "commit" => row.commit = value,
                "shows" => row.published_commit = value,
                "at" => row.updated_at = value,
                "bytes" => row.bytes = Some(value.parse().ok()?),
                "before" => row.bytes_before = Some(value.parse().ok()?),
                "version" => row.version = Some(value),
                "url" => row.url = Some(value),
                "note" => row.note = value,
                "log" => row.log_url = Some(value),
                // A later version of this program may write more values.
                _ => {}
            }
        }
        Some(row)
    }

    /// Redacts all texts. The caller must escape the texts afterwards, not before.
    pub(super) fn redacted(self, printer: &Printer) -> Self {
        let redact = |text: String| printer.redact(&text);
        Self {
            name: redact(self.name),
            commit: redact(self.commit),
            published_commit: redact(self.published_commit),
            version: self.version.map(redact),
            url: self.url.map(redact),
            note: redact(self.note),
            log_url: self.log_url.map(redact),
            ..self
        }
    }

    /// Adds values from the previous row of the same preview. For example, a row for a failure keeps the values of the published
    /// preview.
    pub(super) fn with_previous_values(self, previous: Option<&Self>) -> Self {
        let Some(previous) = previous else { return self };
        let bytes_before = match self.state {
            _ if previous.state != RowState::Failed && previous.is_of_same_run(&self) => {
                previous.bytes_before
            }
            RowState::Unchanged => None,
            // This size comes from the marker of the replaced preview. The previous row may describe an older script.
            _ => self.bytes_before,
        };
        if self.state == RowState::Failed && previous.state != RowState::Removed {
            let Self { published_commit, bytes, version, url, bytes_before, .. } = previous.clone();
            return Self { published_commit, bytes, version, url, bytes_before, ..self };
        }
        Self { bytes_before: bytes_before.filter(|_| self.bytes.is_some()), ..self }
    }

    /// Returns true if the run of this row is newer than the run of `other`.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        other.run != 0 && self.run > other.run
    }

    /// Returns true if the row `later` contains nothing new. Ignores the run, the attempt, the time and the previous size, and
    /// treats `unchanged` after `published` as the same state. The row of a preview that is still removed never contains anything
    /// new.
    pub(super) fn is_repeated_by(&self, later: &Self) -> bool {
        if self.state == RowState::Removed && later.state == RowState::Removed {
            return true;
        }
        let state = match (self.state, later.state) {
            (RowState::Published, RowState::Unchanged) => RowState::Published,
            (_, state) => state,
        };
        let repeated = Self {
            state,
            run: self.run,
            attempt: self.attempt,
            updated_at: self.updated_at.clone(),
            bytes_before: self.bytes_before,
            ..later.clone()
        };
        *self == repeated
    }

    fn is_of_same_run(&self, other: &Self) -> bool {
        self.run == other.run && self.commit == other.commit && self.bytes == other.bytes
    }

    /// Returns the HTML comment with all values.
    fn values_comment(&self) -> String {
        let number = |number: Option<usize>| number.map(|number| number.to_string());
        let (run, bytes, before) = (self.run.to_string(), number(self.bytes), number(self.bytes_before));
        let attempt = (self.attempt > 1).then(|| self.attempt.to_string());
        let text = |text: &'_ str| (!text.is_empty()).then_some(text.to_owned());
        let values = [
            ("name", Some(self.name.clone())),
            ("state", Some(self.state.name().to_owned())),
            ("run", Some(run)),
            ("attempt", attempt),
            ("commit", text(&self.commit)),
            ("shows", text(&self.published_commit)),
            ("at", text(&self.updated_at)),
            ("bytes", bytes),
            ("before", before),
            ("version", self.version.clone()),
            ("url", self.url.clone()),
            ("note", text(&self.note)),
            ("log", self.log_url.clone()),
        ];
        let known_values: Vec<_> =
            values.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
        html_comment::write(COMMENT_KIND, &known_values)
    }

    fn state_text(&self) -> String {
        let version =
            self.version.as_deref().map(|version| format!(" v{}", escape::markdown_literal(version)));
        let version = version.unwrap_or_default();
        match self.state {
            RowState::Published => format!("✅ published{version}"),
            RowState::Unchanged => format!("✅ unchanged{version}"),
            RowState::Removed => "🗑️ deleted".to_owned(),
            RowState::Failed => {
                let log = self.log_url.as_deref().and_then(escape::link_target);
                let log = log.map(|url| format!(" ([log](<{url}>))")).unwrap_or_default();
                let published = if self.published_commit.is_empty() {
                    String::new()
                } else {
                    format!("<br>the preview still shows {}{version}", commit_link(&self.published_commit))
                };
                format!("❌ failed: {}{log}{published}", escape::markdown_literal(&self.note))
            }
        }
    }

    fn script_size_text(&self) -> String {
        self.bytes.map(|bytes| size::format_size(bytes, self.bytes_before)).unwrap_or_default()
    }
}

/// Writes the row as one line of Markdown.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "–".to_owned() } else { escape::markdown_literal(&self.name) };
        let name = match self.url.as_deref().and_then(escape::link_target) {
            Some(url) => format!("[{name}](<{url}>)"),
            None => name,
        };
        let (state, commit, script) = (self.state_text(), commit_link(&self.commit), self.script_size_text());
        let is_time_char = |c: char| c.is_ascii_digit() || " -:UTC".contains(c);
        let is_time = self.updated_at.starts_with(|c: char| c.is_ascii_digit())
            && self.updated_at.chars().all(is_time_char);
        let updated_at = if is_time || self.updated_at.is_empty() {
            self.updated_at.clone()
        } else {
            escape::markdown_literal(&self.updated_at)
        };
        write!(f, "| {name} | {state} | {commit} | {script} | {updated_at} {} |", self.values_comment())
    }
}

/// Returns the short form of a commit, which the forge turns into a link.
fn commit_link(commit: &str) -> String {
    escape::markdown_literal(&short_commit(commit))
}
