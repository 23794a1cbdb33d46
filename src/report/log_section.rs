//! Sections of the log, which CI systems can fold. The lines of a phase are in a section, and problems are outside of sections.

use std::time::SystemTime;

use crate::ci::Runner;
use crate::config::LogFormat;
use crate::environment::Environment;

/// The minimum number of items for a phase to count as long. CI systems fold only the sections of long phases.
pub(super) const MIN_ITEMS_OF_LONG_PHASE: usize = 11;

/// The position of a line relative to sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinePlacement {
    /// A line in the section of the phase.
    InSection,
    /// A line that must stay visible, so an open section ends before it.
    OutsideSection,
    /// A command that the runner does not display, such as `::add-mask::`.
    RunnerOnly,
}

/// The syntax of section markers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MarkerSyntax {
    GitHub,
    GitLab,
}

/// The state of the sections in a log. A section starts only with its first line, so that no section is empty.
#[derive(Debug)]
pub(super) struct Sections {
    markers: Option<MarkerSyntax>,
    phase: Option<SectionPhase>,
    is_open: bool,
    /// The number of sections so far. GitLab needs a unique name for each section.
    number: usize,
}

#[derive(Debug)]
struct SectionPhase {
    title: String,
    is_long: bool,
}

impl Sections {
    /// Chooses the markers for the CI system. If the user has set the JSON format, uses no markers, because programs read the
    /// log.
    pub(super) fn new(format: LogFormat, environment: &Environment) -> Self {
        let is_json_requested = environment.get("GITBOOK_LOG_FORMAT").map(str::trim) == Some("json");
        let is_gitlab = Runner::from_environment(environment).is_gitlab;
        let markers = match format {
            LogFormat::GitHub => Some(MarkerSyntax::GitHub),
            LogFormat::Text | LogFormat::Json if is_gitlab && !is_json_requested => {
                Some(MarkerSyntax::GitLab)
            }
            LogFormat::Text | LogFormat::Json => None,
        };
        Self { markers, phase: None, is_open: false, number: 0 }
    }

    /// Starts a phase.
    pub(super) fn start_phase(&mut self, title: String, items: usize) {
        let is_long = items >= MIN_ITEMS_OF_LONG_PHASE;
        // GitHub folds every group, so a short phase has no group there: its lines should stay visible.
        self.phase = Some(SectionPhase { title, is_long })
            .filter(|_| is_long || self.markers == Some(MarkerSyntax::GitLab));
    }

    /// Ends the phase. Returns the marker to write, if any.
    pub(super) fn end_phase(&mut self) -> String {
        self.phase = None;
        self.close()
    }

    /// Returns the marker to write before a line, if any.
    pub(super) fn marker_before(&mut self, line: LinePlacement) -> String {
        match line {
            LinePlacement::InSection if !self.is_open => self.open(),
            LinePlacement::OutsideSection => self.close(),
            LinePlacement::InSection | LinePlacement::RunnerOnly => String::new(),
        }
    }

    fn open(&mut self) -> String {
        let Some((markers, SectionPhase { title, is_long })) = self.markers.zip(self.phase.as_ref()) else {
            return String::new();
        };
        self.is_open = true;
        self.number += 1;
        match markers {
            MarkerSyntax::GitHub => format!("::group::{title}\n"),
            MarkerSyntax::GitLab => {
                let collapsed = if *is_long { "[collapsed=true]" } else { "" };
                format!("{}{collapsed}\r\u{1b}[0K{title}\n", gitlab_marker("start", self.number))
            }
        }
    }

    fn close(&mut self) -> String {
        match self.markers.filter(|_| std::mem::take(&mut self.is_open)) {
            None => String::new(),
            Some(MarkerSyntax::GitHub) => "::endgroup::\n".to_owned(),
            Some(MarkerSyntax::GitLab) => format!("{}\r\u{1b}[0K\n", gitlab_marker("end", self.number)),
        }
    }
}

fn gitlab_marker(kind: &str, number: usize) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("\u{1b}[0Ksection_{kind}:{}:gitbook_deploy_{number}", now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{LinePlacement, Sections};
    use crate::config::LogFormat;
    use crate::environment::Environment;

    /// Returns the lines of a phase with their markers, and with `0` in place of each timestamp.
    fn with_markers(
        format: LogFormat,
        variables: &[(&str, &str)],
        items: usize,
        lines: &[LinePlacement],
    ) -> String {
        let mut sections = Sections::new(format, &Environment::of(variables));
        let mut text = sections.marker_before(LinePlacement::InSection);
        sections.start_phase("publishing".to_owned(), items);
        for line in lines {
            text.push_str(&sections.marker_before(*line));
            text.push_str(&format!("{line:?}\n"));
        }
        text.push_str(&sections.end_phase());
        text.push_str(&sections.marker_before(LinePlacement::InSection));
        let parts = text.split(':').map(|part| if part.parse::<u64>().is_ok() { "0" } else { part });
        parts.collect::<Vec<_>>().join(":").replace('\u{1b}', "ESC").replace('\r', "CR")
    }

    const GITLAB: &[(&str, &str)] = &[("GITLAB_CI", "true")];
    const LINES: &[LinePlacement] = &[
        LinePlacement::RunnerOnly,
        LinePlacement::InSection,
        LinePlacement::InSection,
        LinePlacement::OutsideSection,
        LinePlacement::InSection,
    ];

    #[test]
    fn closes_a_section_before_a_line_that_must_stay_visible() {
        insta::assert_snapshot!(with_markers(LogFormat::Text, GITLAB, 1, LINES), @"
        RunnerOnly
        ESC[0Ksection_start:0:gitbook_deploy_1CRESC[0Kpublishing
        InSection
        InSection
        ESC[0Ksection_end:0:gitbook_deploy_1CRESC[0K
        OutsideSection
        ESC[0Ksection_start:0:gitbook_deploy_2CRESC[0Kpublishing
        InSection
        ESC[0Ksection_end:0:gitbook_deploy_2CRESC[0K
        ");
        insta::assert_snapshot!(with_markers(LogFormat::Json, GITLAB, 11, LINES), @"
        RunnerOnly
        ESC[0Ksection_start:0:gitbook_deploy_1[collapsed=true]CRESC[0Kpublishing
        InSection
        InSection
        ESC[0Ksection_end:0:gitbook_deploy_1CRESC[0K
        OutsideSection
        ESC[0Ksection_start:0:gitbook_deploy_2[collapsed=true]CRESC[0Kpublishing
        InSection
        ESC[0Ksection_end:0:gitbook_deploy_2CRESC[0K
        ");
        insta::assert_snapshot!(with_markers(LogFormat::GitHub, &[], 11, LINES), @"
        RunnerOnly
        ::group::publishing
        InSection
        InSection
        ::endgroup::
        OutsideSection
        ::group::publishing
        InSection
        ::endgroup::
        ");
    }

    #[test]
    fn writes_no_markers_for_a_log_without_sections() {
        let plain = "RunnerOnly\nInSection\nInSection\nOutsideSection\nInSection\n";
        assert_eq!(with_markers(LogFormat::GitHub, &[], 10, LINES), plain);
        assert_eq!(with_markers(LogFormat::Text, &[], 11, LINES), plain);
        let json_requested = [GITLAB, &[("GITBOOK_LOG_FORMAT", "json")]].concat();
        assert_eq!(with_markers(LogFormat::Json, &json_requested, 11, LINES), plain);
        assert_eq!(
            with_markers(LogFormat::Text, GITLAB, 11, &[LinePlacement::OutsideSection]),
            "OutsideSection\n"
        );
    }
}
