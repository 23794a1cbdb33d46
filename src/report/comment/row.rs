//! One row of the comment: what people see of a preview, and the same in a form that the next run reads.

use std::fmt;

use super::super::{Printer, escape, size};
use crate::html_comment;

/// The kind of comment in a row that its values stand in.
const KIND: &str = "row";

/// How a preview is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// It was published.
    #[default]
    Published,
    /// It was there already.
    Unchanged,
    /// It could not be published or deleted.
    Failed,
    /// It was deleted.
    Removed,
}

/// What is said of a preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The preview's name; empty for a failure of nothing in particular.
    pub(super) name: String,
    pub(super) state: State,
    /// The run that says it.
    pub(super) run: u64,
    /// Which of its attempts.
    pub(super) attempt: u64,
    /// The commit that it says it of.
    pub(super) commit: String,
    /// The commit that the preview shows; empty where there is none.
    pub(super) shows: String,
    /// When it was said.
    pub(super) at: String,
    /// The script's length.
    pub(super) bytes: Option<usize>,
    /// The length that it had before.
    pub(super) before: Option<usize>,
    pub(super) version: Option<String>,
    pub(super) url: Option<String>,
    /// Why it failed.
    pub(super) note: String,
    /// Where the run's log is.
    pub(super) log: Option<String>,
}

impl State {
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
    /// The row that a line holds.
    pub(super) fn read(line: &str) -> Option<Self> {
        let start = line.find(html_comment::START)?;
        let end = line.rfind(html_comment::END)? + html_comment::END.len();
        let mut row = Self::default();
        for (key, value) in html_comment::read(KIND, line.get(start..end)?)? {
            match key.as_str() {
                "name" => row.name = value,
                "state" => row.state = State::ALL.into_iter().find(|(name, _)| *name == value)?.1,
                "run" => row.run = value.parse().ok()?,
                "attempt" => row.attempt = value.parse().ok()?,
                "commit" => row.commit = value,
                "shows" => row.shows = value,
                "at" => row.at = value,
                "bytes" => row.bytes = Some(value.parse().ok()?),
                "before" => row.before = Some(value.parse().ok()?),
                "version" => row.version = Some(value),
                "url" => row.url = Some(value),
                "note" => row.note = value,
                "log" => row.log = Some(value),
                // A later version may say more.
                _ => {}
            }
        }
        Some(row)
    }

    /// Without secrets, which could not be found any more once it is written.
    pub(super) fn redacted(self, printer: &Printer) -> Self {
        let redacted = |text: String| printer.redacted(&text);
        Self {
            name: redacted(self.name),
            commit: redacted(self.commit),
            shows: redacted(self.shows),
            version: self.version.map(redacted),
            url: self.url.map(redacted),
            note: redacted(self.note),
            log: self.log.map(redacted),
            ..self
        }
    }

    /// The row as it is after another one: how the script has grown, and what still stands after a failure.
    pub(super) fn after(self, known: Option<&Self>) -> Self {
        let Some(known) = known else { return self };
        let before = match self.state {
            _ if known.state != State::Failed && known.is_of_the_same_run(&self) => known.before,
            State::Unchanged => None,
            // What the preview itself told. By the other row it may have been published again since.
            _ => self.before,
        };
        if self.state == State::Failed && known.state != State::Removed {
            let Self { shows, bytes, version, url, .. } = known.clone();
            return Self { shows, bytes, version, url, before: known.before, ..self };
        }
        Self { before: before.filter(|_| self.bytes.is_some()), ..self }
    }

    /// Whether a newer run has said it.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        other.run != 0 && self.run > other.run
    }

    /// Whether saying the other would be saying it again: nothing but the run and the time has changed. What is gone is
    /// gone, whatever the commit.
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        if self.state == State::Removed && other.state == State::Removed {
            return true;
        }
        let state = match (self.state, other.state) {
            (State::Published, State::Unchanged) => State::Published,
            (_, state) => state,
        };
        let said = Self {
            state,
            run: self.run,
            attempt: self.attempt,
            at: self.at.clone(),
            before: self.before,
            ..other.clone()
        };
        *self == said
    }

    fn is_of_the_same_run(&self, other: &Self) -> bool {
        self.run == other.run && self.commit == other.commit && self.bytes == other.bytes
    }

    fn values(&self) -> String {
        let number = |number: Option<usize>| number.map(|number| number.to_string());
        let (run, bytes, before) = (self.run.to_string(), number(self.bytes), number(self.before));
        let attempt = (self.attempt > 1).then(|| self.attempt.to_string());
        let text = |text: &'_ str| (!text.is_empty()).then_some(text.to_owned());
        let values = [
            ("name", Some(self.name.clone())),
            ("state", Some(self.state.name().to_owned())),
            ("run", Some(run)),
            ("attempt", attempt),
            ("commit", text(&self.commit)),
            ("shows", text(&self.shows)),
            ("at", text(&self.at)),
            ("bytes", bytes),
            ("before", before),
            ("version", self.version.clone()),
            ("url", self.url.clone()),
            ("note", text(&self.note)),
            ("log", self.log.clone()),
        ];
        let given: Vec<_> =
            values.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
        html_comment::write(KIND, &given)
    }

    fn state_text(&self) -> String {
        let version =
            self.version.as_deref().map(|version| format!(", version {}", escape::literal(version)));
        let version = version.unwrap_or_default();
        match self.state {
            State::Published => format!("✅ published{version}"),
            State::Unchanged => format!("✅ unchanged{version}"),
            State::Removed => "🗑️ removed".to_owned(),
            State::Failed => {
                let log = self.log.as_deref().and_then(escape::destination);
                let log = log.map(|url| format!(" ([log](<{url}>))")).unwrap_or_default();
                let stands = if self.shows.is_empty() {
                    String::new()
                } else {
                    format!("<br>the preview shows {}{version}", short(&self.shows))
                };
                format!("❌ failed: {}{log}{stands}", escape::literal(&self.note))
            }
        }
    }

    fn script_text(&self) -> String {
        self.bytes.map(|bytes| size::with_change(bytes, self.before)).unwrap_or_default()
    }
}

/// One line, which holds no secret that the values do not hold.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "–".to_owned() } else { escape::literal(&self.name) };
        let name = match self.url.as_deref().and_then(escape::destination) {
            Some(url) => format!("[{name}](<{url}>)"),
            None => name,
        };
        let (state, commit, script) = (self.state_text(), short(&self.commit), self.script_text());
        let is_of_time = |c: char| c.is_ascii_digit() || " -:UTC".contains(c);
        let is_time = self.at.starts_with(|c: char| c.is_ascii_digit()) && self.at.chars().all(is_of_time);
        let at = if is_time || self.at.is_empty() { self.at.clone() } else { escape::literal(&self.at) };
        write!(f, "| {name} | {state} | {commit} | {script} | {at} {} |", self.values())
    }
}

/// A commit as people know it, which the forge makes a link of.
fn short(commit: &str) -> String {
    escape::literal(&commit.chars().take(7).collect::<String>())
}
