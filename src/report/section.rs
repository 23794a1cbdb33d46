//! Sections of the log: a phase each, which the CI system folds where it is long. What went wrong stands outside.

use std::time::SystemTime;

use crate::ci::Runner;
use crate::config::LogFormat;
use crate::environment::Environment;

/// From so many items on a phase is long.
pub(super) const MANY: usize = 11;

/// What a line is to the section that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Part of it.
    Folds,
    /// To be seen in any case.
    Stands,
    /// For the runner only.
    Unseen,
}

/// How the CI system is told where a section begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Markers {
    GitHub,
    GitLab,
}

/// The section that the log is in. It begins with its first line, so that none is empty.
#[derive(Debug)]
pub(super) struct Sections {
    markers: Option<Markers>,
    phase: Option<OpenPhase>,
    /// Which section is open; GitLab needs each to have a name of its own.
    open: bool,
    number: usize,
}

#[derive(Debug)]
struct OpenPhase {
    title: String,
    is_long: bool,
}

impl Sections {
    /// Those that fit the format and the system. Who asks for JSON by name reads it by machine.
    pub(super) fn new(format: LogFormat, environment: &Environment) -> Self {
        let is_asked_for = environment.get("GITBOOK_LOG_FORMAT").map(str::trim) == Some("json");
        let on_gitlab = Runner::from_environment(environment).is_gitlab;
        let markers = match format {
            LogFormat::GitHub => Some(Markers::GitHub),
            LogFormat::Text | LogFormat::Json if on_gitlab && !is_asked_for => Some(Markers::GitLab),
            LogFormat::Text | LogFormat::Json => None,
        };
        Self { markers, phase: None, open: false, number: 0 }
    }

    /// A phase begins, of so many items.
    pub(super) fn begin(&mut self, title: String, items: usize) {
        let is_long = items >= MANY;
        // GitHub folds every group, and what is short is to be seen at a glance.
        self.phase =
            Some(OpenPhase { title, is_long }).filter(|_| is_long || self.markers == Some(Markers::GitLab));
    }

    /// The phase is over: what is to be written then.
    pub(super) fn end(&mut self) -> String {
        self.phase = None;
        self.close()
    }

    /// What is to be written before a line.
    pub(super) fn before(&mut self, line: Line) -> String {
        match line {
            Line::Folds if !self.open => self.open(),
            Line::Stands => self.close(),
            Line::Folds | Line::Unseen => String::new(),
        }
    }

    fn open(&mut self) -> String {
        let Some((markers, OpenPhase { title, is_long })) = self.markers.zip(self.phase.as_ref()) else {
            return String::new();
        };
        self.open = true;
        self.number += 1;
        match markers {
            Markers::GitHub => format!("::group::{title}\n"),
            Markers::GitLab => {
                let collapsed = if *is_long { "[collapsed=true]" } else { "" };
                format!("{}{collapsed}\r\u{1b}[0K{title}\n", marker("start", self.number))
            }
        }
    }

    fn close(&mut self) -> String {
        match self.markers.filter(|_| std::mem::take(&mut self.open)) {
            None => String::new(),
            Some(Markers::GitHub) => "::endgroup::\n".to_owned(),
            Some(Markers::GitLab) => format!("{}\r\u{1b}[0K\n", marker("end", self.number)),
        }
    }
}

fn marker(which: &str, number: usize) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("\u{1b}[0Ksection_{which}:{}:gitbook_deploy_{number}", now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{Line, Sections};
    use crate::config::LogFormat;
    use crate::environment::Environment;

    /// What is written around some lines of a phase of so many items, with `0` for each time.
    fn around(format: LogFormat, variables: &[(&str, &str)], items: usize, lines: &[Line]) -> String {
        let mut sections = Sections::new(format, &Environment::of(variables));
        let mut text = sections.before(Line::Folds);
        sections.begin("publishing".to_owned(), items);
        for line in lines {
            text.push_str(&sections.before(*line));
            text.push_str(&format!("{line:?}\n"));
        }
        text.push_str(&sections.end());
        text.push_str(&sections.before(Line::Folds));
        let parts = text.split(':').map(|part| if part.parse::<u64>().is_ok() { "0" } else { part });
        parts.collect::<Vec<_>>().join(":").replace('\u{1b}', "ESC").replace('\r', "CR")
    }

    const GITLAB: &[(&str, &str)] = &[("GITLAB_CI", "true")];
    const LINES: &[Line] = &[Line::Unseen, Line::Folds, Line::Folds, Line::Stands, Line::Folds];

    #[test]
    fn what_went_wrong_stands_between_two_sections() {
        insta::assert_snapshot!(around(LogFormat::Text, GITLAB, 1, LINES), @"
        Unseen
        ESC[0Ksection_start:0:gitbook_deploy_1CRESC[0Kpublishing
        Folds
        Folds
        ESC[0Ksection_end:0:gitbook_deploy_1CRESC[0K
        Stands
        ESC[0Ksection_start:0:gitbook_deploy_2CRESC[0Kpublishing
        Folds
        ESC[0Ksection_end:0:gitbook_deploy_2CRESC[0K
        ");
        insta::assert_snapshot!(around(LogFormat::Json, GITLAB, 11, LINES), @"
        Unseen
        ESC[0Ksection_start:0:gitbook_deploy_1[collapsed=true]CRESC[0Kpublishing
        Folds
        Folds
        ESC[0Ksection_end:0:gitbook_deploy_1CRESC[0K
        Stands
        ESC[0Ksection_start:0:gitbook_deploy_2[collapsed=true]CRESC[0Kpublishing
        Folds
        ESC[0Ksection_end:0:gitbook_deploy_2CRESC[0K
        ");
        insta::assert_snapshot!(around(LogFormat::GitHub, &[], 11, LINES), @"
        Unseen
        ::group::publishing
        Folds
        Folds
        ::endgroup::
        Stands
        ::group::publishing
        Folds
        ::endgroup::
        ");
    }

    #[test]
    fn nothing_is_written_where_nothing_is_to_be_folded() {
        let plain = "Unseen\nFolds\nFolds\nStands\nFolds\n";
        assert_eq!(around(LogFormat::GitHub, &[], 10, LINES), plain);
        assert_eq!(around(LogFormat::Text, &[], 11, LINES), plain);
        let by_name = [GITLAB, &[("GITBOOK_LOG_FORMAT", "json")]].concat();
        assert_eq!(around(LogFormat::Json, &by_name, 11, LINES), plain);
        assert_eq!(around(LogFormat::Text, GITLAB, 11, &[Line::Stands]), "Stands\n");
    }
}
