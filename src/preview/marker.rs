//! The ownership marker: an HTML comment at the end of a preview's summary.

use std::fmt;

use crate::html_comment;

/// The kind of the HTML comment, which the comment contains: `<!-- gitbook-deploy:preview … -->`.
const KIND: &str = "preview";

/// The owner of a preview and the source that it was published from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnershipMarker {
    /// The production name of the integration.
    pub integration: String,
    /// The repository with its host, such as `github.com/owner/name`.
    pub repository: String,
    /// The forge's ID of the repository, if the CI system provides it.
    pub repository_id: Option<u64>,
    /// The full name of the branch; `owner:branch` for a fork.
    pub branch: String,
    /// The number of the pull request, if the preview's name contains this number.
    pub pull_request: Option<u64>,
    /// The ID of the published commit.
    pub commit: String,
    /// The number of the CI run, higher for newer runs; 0 if the CI system provides no number.
    pub run: u64,
    /// The scope in which run numbers increase, such as a CI system; empty if unknown. Numbers from different scopes cannot
    /// be compared.
    pub counter: String,
    /// The SHA-256 of the published content without the marker; empty if unknown.
    pub hash: String,
    /// The size of the script, if known. Scripts are smaller than 4 GiB.
    pub script_bytes: Option<u32>,
}

impl OwnershipMarker {
    /// Returns the marker at the end of a summary, or `None` if it is missing or damaged.
    #[must_use]
    pub(crate) fn parse(summary: &str) -> Option<Self> {
        let line = summary.trim_end().lines().last()?.trim();
        let values = html_comment::parse(KIND, line)?;
        let mut marker = Self::default();
        for (key, value) in &values {
            let value = value.clone();
            match key.as_str() {
                "integration" => marker.integration = value,
                "repository" => marker.repository = value,
                "repository_id" => marker.repository_id = Some(value.parse().ok()?),
                "branch" => marker.branch = value,
                "pull_request" => marker.pull_request = Some(value.parse().ok()?),
                "commit" => marker.commit = value,
                "run" => marker.run = value.parse().ok()?,
                "counter" => marker.counter = value,
                "hash" => marker.hash = value,
                // The size is only informative, so an invalid value does not make the marker invalid.
                "bytes" => marker.script_bytes = value.parse().ok(),
                // Later versions may add keys.
                _ => {}
            }
        }
        let required_keys_exist =
            ["integration", "repository", "branch"].map(|key| values.iter().any(|(k, _)| k == key));
        (required_keys_exist == [true; 3]).then_some(marker)
    }

    /// Returns true if a text contains a comment that resembles one of this program.
    #[must_use]
    pub(crate) fn resembles(text: &str) -> bool {
        html_comment::resembles_own_comment(text)
    }

    /// Returns true if this marker is from a newer run than `other`. Returns false if a run has no number, or if the counters
    /// differ. If this marker has no counter, because an earlier version wrote it, compares the numbers without regard to the
    /// counters.
    #[must_use]
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        let is_comparable = self.counter.is_empty() || self.counter == other.counter;
        is_comparable && other.run != 0 && self.run > other.run
    }

    /// Returns true if both markers have the same commit, or if they have the same counter and this marker's run number is not
    /// higher.
    #[must_use]
    pub(crate) fn has_same_commit_or_older_run(&self, other: &Self) -> bool {
        let is_comparable = !self.counter.is_empty() && self.counter == other.counter;
        self.commit == other.commit || is_comparable && self.run <= other.run
    }

    /// Returns true if both markers have the same integration, repository and branch.
    #[must_use]
    pub(crate) fn is_same_preview(&self, other: &Self) -> bool {
        (&self.integration, &self.branch) == (&other.integration, &other.branch)
            && self.belongs_to_repository(&other.repository, other.repository_id)
    }

    /// Returns true if the preview belongs to a repository. Compares IDs and hosts if both IDs are known; otherwise compares
    /// names, ignoring case.
    #[must_use]
    pub(crate) fn belongs_to_repository(&self, name: &str, id: Option<u64>) -> bool {
        match self.repository_id.zip(id) {
            Some((own_id, id)) => {
                own_id == id && host_of(&self.repository).eq_ignore_ascii_case(host_of(name))
            }
            None => self.repository.eq_ignore_ascii_case(name),
        }
    }

    /// Returns true if the preview may belong to this repository under an earlier name or host.
    #[must_use]
    pub(crate) fn may_belong_to_renamed_repository(&self, name: &str, id: Option<u64>) -> bool {
        let is_other_repository = self.repository_id.zip(id).is_some()
            && host_of(&self.repository).eq_ignore_ascii_case(host_of(name));
        !is_other_repository && !self.belongs_to_repository(name, id)
    }
}

/// Returns the host of a repository such as `github.com/owner/name`.
fn host_of(repository: &str) -> &str {
    repository.split('/').next().unwrap_or_default()
}

impl fmt::Display for OwnershipMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run.to_string();
        let id = self.repository_id.map(|id| id.to_string());
        let number = self.pull_request.map(|number| number.to_string());
        let bytes = self.script_bytes.map(|bytes| bytes.to_string());
        let mut values = vec![("integration", self.integration.as_str()), ("repository", &self.repository)];
        values.extend(id.as_deref().map(|id| ("repository_id", id)));
        values.push(("branch", &self.branch));
        values.extend(number.as_deref().map(|number| ("pull_request", number)));
        values.extend([("commit", self.commit.as_str()), ("run", &run)]);
        values.extend((!self.counter.is_empty()).then_some(("counter", self.counter.as_str())));
        values.push(("hash", &self.hash));
        values.extend(bytes.as_deref().map(|bytes| ("bytes", bytes)));
        f.write_str(&html_comment::write(KIND, &values))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::OwnershipMarker;

    fn marker() -> OwnershipMarker {
        OwnershipMarker {
            integration: "hello".into(),
            repository: "github.com/acme/docs".into(),
            repository_id: None,
            branch: "feature/x--y -->".into(),
            pull_request: None,
            commit: "abc".into(),
            run: 12,
            counter: String::new(),
            hash: "00ff".into(),
            script_bytes: Some(73_152),
        }
    }

    #[test]
    fn formats_a_marker_as_one_comment() {
        insta::assert_snapshot!(marker(), @"<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/docs branch=feature/x-%2Dy%20-%2D%3E commit=abc run=12 hash=00ff bytes=73152 -->");
    }

    #[test]
    fn parses_only_a_complete_marker_at_the_end() {
        let text = marker().to_string();
        assert_eq!(OwnershipMarker::parse(&format!("Hello.\n\n{text}\n")), Some(marker()));
        assert_eq!(OwnershipMarker::parse(&format!("{text}\nHello.")), None);
        assert_eq!(OwnershipMarker::parse(&text.replace(" branch=", " brunch=")), None);
        assert_eq!(OwnershipMarker::parse(&text.replace(" run=12", " run=12 run=13")), None);
        assert_eq!(OwnershipMarker::parse(&text.replace("run=12", "run=x")), None);
        assert_eq!(OwnershipMarker::parse(""), None);
    }

    #[test]
    fn ignores_an_invalid_script_size() {
        let text = marker().to_string();
        for bytes in ["", "-1", "x", "1.5", "0x10", "4294967296", "99999999999999999999999"] {
            let found = OwnershipMarker::parse(&text.replace("bytes=73152", &format!("bytes={bytes}")));
            assert_eq!(found, Some(OwnershipMarker { script_bytes: None, ..marker() }), "{bytes}");
        }
        let earlier = text.replace(" bytes=73152", "");
        assert_eq!(
            OwnershipMarker::parse(&earlier),
            Some(OwnershipMarker { script_bytes: None, ..marker() })
        );
        assert_eq!(OwnershipMarker::parse(&earlier).unwrap().to_string(), earlier);
    }

    #[test]
    fn compares_runs_by_number() {
        let check = |run: u64, other: u64, expected: bool| {
            let with_run = |run| OwnershipMarker { run, ..marker() };
            assert_eq!(with_run(run).is_newer_than(&with_run(other)), expected, "{run} and {other}");
        };
        check(13, 12, true);
        check(12, 12, false);
        check(11, 12, false);
        let with_counter =
            |counter: &str, run| OwnershipMarker { counter: counter.to_owned(), run, ..marker() };
        assert!(with_counter("Jenkins", 13).is_newer_than(&with_counter("Jenkins", 12)));
        assert!(!with_counter("Jenkins", 13).is_newer_than(&with_counter("Buildkite", 12)));
        assert!(with_counter("", 13).is_newer_than(&with_counter("Buildkite", 12)));
        // Runs without numbers cannot be compared.
        check(13, 0, false);
        check(0, 12, false);
        check(0, 0, false);
    }

    #[test]
    fn the_same_preview_has_the_same_integration_repository_and_branch() {
        let check = |other: OwnershipMarker, expected: bool| {
            assert_eq!(marker().is_same_preview(&other), expected, "{other}");
        };
        check(marker(), true);
        check(OwnershipMarker { commit: "def".into(), run: 13, hash: String::new(), ..marker() }, true);
        check(OwnershipMarker { integration: "other".into(), ..marker() }, false);
        check(OwnershipMarker { repository: "github.com/acme/other".into(), ..marker() }, false);
        check(OwnershipMarker { branch: "other".into(), ..marker() }, false);
    }

    #[test]
    fn compares_repositories_by_id_or_else_by_name() {
        let check =
            |this: (&str, Option<u64>), other: (&str, Option<u64>), is_same: bool, is_renamed: bool| {
                let marker =
                    OwnershipMarker { repository: other.0.to_owned(), repository_id: other.1, ..marker() };
                let found = (
                    marker.belongs_to_repository(this.0, this.1),
                    marker.may_belong_to_renamed_repository(this.0, this.1),
                );
                assert_eq!(found, (is_same, is_renamed), "{this:?} {other:?}");
            };
        let (docs, other) = ("github.com/acme/docs", "github.com/acme/other");
        check((docs, Some(1)), (docs, Some(1)), true, false);
        check((docs, Some(1)), (other, Some(1)), true, false);
        check((docs, Some(1)), (docs, Some(2)), false, false);
        check((docs, Some(1)), ("gitlab.com/acme/docs", Some(1)), false, true);
        check((docs, Some(1)), ("GitHub.com/acme/docs", Some(1)), true, false);
        check((docs, None), (docs, Some(2)), true, false);
        check((docs, Some(1)), ("github.com/Acme/Docs", None), true, false);
        check((docs, Some(1)), (other, None), false, true);
        check((docs, None), (other, None), false, true);
    }

    #[test]
    fn detects_a_text_that_differs_from_a_marker_in_whitespace() {
        assert!(OwnershipMarker::resembles(&marker().to_string()));
        assert!(OwnershipMarker::resembles("x <!--\n GitBook-Deploy:preview"));
        assert!(!OwnershipMarker::resembles("Deployed with gitbook-deploy: <!-- hi -->"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_value_is_parsed_back_and_does_not_end_the_comment(integration in ".*", repository in ".*", repository_id: Option<u64>, branch in "\\PC*|[->!< \n]*", pull_request: Option<u64>, commit in ".*", run: u64, counter in ".*", hash in ".*", script_bytes: Option<u32>) {
            let marker = OwnershipMarker { integration, repository, repository_id, branch, pull_request, commit, run, counter, hash, script_bytes };
            let text = marker.to_string();
            prop_assert_eq!(OwnershipMarker::parse(&text), Some(marker));
            let inner = text.strip_prefix("<!--").unwrap().strip_suffix("-->").unwrap();
            prop_assert!(!inner.contains("--") && !inner.contains('>') && !inner.contains('\n'), "{}", text);
        }
    }
}
