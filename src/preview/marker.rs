//! The ownership mark: one HTML comment at the end of a preview's summary that says whose it is.

use std::fmt;

use crate::html_comment;

/// The kind of comment that a mark is; a summary of the user's own must not hold one.
const KIND: &str = "preview";

/// Who made a preview, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnershipMarker {
    /// The production name of the integration.
    pub integration: String,
    /// The repository, with its host.
    pub repository: String,
    /// The forge's id of the repository, if the CI system tells it.
    pub repository_id: Option<u64>,
    /// The true name of the branch, `owner:branch` for a fork's.
    pub branch: String,
    /// The pull request, where the preview's name tells two of one branch apart.
    pub pull_request: Option<u64>,
    /// The head commit.
    pub commit: String,
    /// The number of the CI run, higher for newer runs; 0 where the CI system gives none.
    pub run: u64,
    /// The source of the run number, such as a CI system; empty if unknown. Numbers of two counters cannot be compared.
    pub counter: String,
    /// SHA-256 of what was published, without the mark; empty when it is not known.
    pub hash: String,
    /// How long the script is, where that is known. No script has 4 GiB.
    pub script_bytes: Option<u32>,
}

impl OwnershipMarker {
    /// The mark that a summary ends with; `None` when there is none, or when it was tampered with.
    #[must_use]
    pub(crate) fn find(summary: &str) -> Option<Self> {
        let line = summary.trim_end().lines().last()?.trim();
        let values = html_comment::read(KIND, line)?;
        let mut mark = Self::default();
        for (key, value) in &values {
            let value = value.clone();
            match key.as_str() {
                "integration" => mark.integration = value,
                "repository" => mark.repository = value,
                "repository_id" => mark.repository_id = Some(value.parse().ok()?),
                "branch" => mark.branch = value,
                "pull_request" => mark.pull_request = Some(value.parse().ok()?),
                "commit" => mark.commit = value,
                "run" => mark.run = value.parse().ok()?,
                "counter" => mark.counter = value,
                "hash" => mark.hash = value,
                // Nothing depends on it, and earlier versions wrote none.
                "bytes" => mark.script_bytes = value.parse().ok(),
                // A later version may say more.
                _ => {}
            }
        }
        let complete =
            ["integration", "repository", "branch"].map(|key| values.iter().any(|(k, _)| k == key));
        (complete == [true; 3]).then_some(mark)
    }

    /// Whether a text holds what could be taken for a mark, anywhere in it.
    #[must_use]
    pub(crate) fn is_in(text: &str) -> bool {
        html_comment::is_in(text)
    }

    /// Returns whether the run of this mark is newer than the run of the other. Runs without a number, and runs of another
    /// counter, are neither newer nor older. A mark without a counter, as earlier versions wrote it, compares with any.
    #[must_use]
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        let is_comparable = self.counter.is_empty() || self.counter == other.counter;
        is_comparable && other.run != 0 && self.run > other.run
    }

    /// Returns whether the run of this mark is known to be older than the run of the other, or of the same commit.
    #[must_use]
    pub(crate) fn is_older_than(&self, other: &Self) -> bool {
        let is_comparable = !self.counter.is_empty() && self.counter == other.counter;
        self.commit == other.commit || is_comparable && self.run <= other.run
    }

    /// Returns whether both are of one integration, repository and branch.
    #[must_use]
    pub(crate) fn is_of_the_same_preview(&self, other: &Self) -> bool {
        (&self.integration, &self.branch) == (&other.integration, &other.branch)
            && self.is_of_repository(&other.repository, other.repository_id)
    }

    /// Returns whether this is of a repository. On one host, ids decide; without both of them, names do, whatever their
    /// case.
    #[must_use]
    pub(crate) fn is_of_repository(&self, name: &str, id: Option<u64>) -> bool {
        match self.repository_id.zip(id) {
            Some((ours, id)) => ours == id && host(&self.repository).eq_ignore_ascii_case(host(name)),
            None => self.repository.eq_ignore_ascii_case(name),
        }
    }

    /// Returns whether this may be of a repository under a name that it had before, or on a host where it was.
    #[must_use]
    pub(crate) fn may_be_of_former(&self, name: &str, id: Option<u64>) -> bool {
        let is_another =
            self.repository_id.zip(id).is_some() && host(&self.repository).eq_ignore_ascii_case(host(name));
        !is_another && !self.is_of_repository(name, id)
    }
}

/// Returns the host of a repository.
fn host(repository: &str) -> &str {
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

    fn mark() -> OwnershipMarker {
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
    fn a_mark_is_one_comment() {
        insta::assert_snapshot!(mark(), @"<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/docs branch=feature/x-%2Dy%20-%2D%3E commit=abc run=12 hash=00ff bytes=73152 -->");
    }

    #[test]
    fn only_a_whole_mark_at_the_end_counts() {
        let text = mark().to_string();
        assert_eq!(OwnershipMarker::find(&format!("Hello.\n\n{text}\n")), Some(mark()));
        assert_eq!(OwnershipMarker::find(&format!("{text}\nHello.")), None);
        assert_eq!(OwnershipMarker::find(&text.replace(" branch=", " brunch=")), None);
        assert_eq!(OwnershipMarker::find(&text.replace(" run=12", " run=12 run=13")), None);
        assert_eq!(OwnershipMarker::find(&text.replace("run=12", "run=x")), None);
        assert_eq!(OwnershipMarker::find(""), None);
    }

    #[test]
    fn a_length_that_can_not_be_is_none_and_harms_nothing() {
        let text = mark().to_string();
        for bytes in ["", "-1", "x", "1.5", "0x10", "4294967296", "99999999999999999999999"] {
            let found = OwnershipMarker::find(&text.replace("bytes=73152", &format!("bytes={bytes}")));
            assert_eq!(found, Some(OwnershipMarker { script_bytes: None, ..mark() }), "{bytes}");
        }
        let earlier = text.replace(" bytes=73152", "");
        assert_eq!(OwnershipMarker::find(&earlier), Some(OwnershipMarker { script_bytes: None, ..mark() }));
        assert_eq!(OwnershipMarker::find(&earlier).unwrap().to_string(), earlier);
    }

    #[test]
    fn a_newer_run_is_known_by_its_number() {
        let check = |run: u64, other: u64, expected: bool| {
            let of = |run| OwnershipMarker { run, ..mark() };
            assert_eq!(of(run).is_newer_than(&of(other)), expected, "{run} and {other}");
        };
        check(13, 12, true);
        check(12, 12, false);
        check(11, 12, false);
        let by = |counter: &str, run| OwnershipMarker { counter: counter.to_owned(), run, ..mark() };
        assert!(by("Jenkins", 13).is_newer_than(&by("Jenkins", 12)));
        assert!(!by("Jenkins", 13).is_newer_than(&by("Buildkite", 12)));
        assert!(by("", 13).is_newer_than(&by("Buildkite", 12)));
        // Without numbers nothing is known.
        check(13, 0, false);
        check(0, 12, false);
        check(0, 0, false);
    }

    #[test]
    fn a_preview_is_of_one_integration_repository_and_branch() {
        let check = |other: OwnershipMarker, expected: bool| {
            assert_eq!(mark().is_of_the_same_preview(&other), expected, "{other}");
        };
        check(mark(), true);
        check(OwnershipMarker { commit: "def".into(), run: 13, hash: String::new(), ..mark() }, true);
        check(OwnershipMarker { integration: "other".into(), ..mark() }, false);
        check(OwnershipMarker { repository: "github.com/acme/other".into(), ..mark() }, false);
        check(OwnershipMarker { branch: "other".into(), ..mark() }, false);
    }

    #[test]
    fn ids_tell_repositories_of_one_host_apart_and_without_them_names_do() {
        let check =
            |ours: (&str, Option<u64>), theirs: (&str, Option<u64>), same: bool, previous_version: bool| {
                let mark =
                    OwnershipMarker { repository: theirs.0.to_owned(), repository_id: theirs.1, ..mark() };
                let found = (mark.is_of_repository(ours.0, ours.1), mark.may_be_of_former(ours.0, ours.1));
                assert_eq!(found, (same, previous_version), "{ours:?} {theirs:?}");
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
    fn an_imitation_is_noticed_however_it_is_spaced() {
        assert!(OwnershipMarker::is_in(&mark().to_string()));
        assert!(OwnershipMarker::is_in("x <!--\n GitBook-Deploy:preview"));
        assert!(!OwnershipMarker::is_in("Deployed with gitbook-deploy: <!-- hi -->"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_value_survives_and_ends_nothing(integration in ".*", repository in ".*", repository_id: Option<u64>, branch in "\\PC*|[->!< \n]*", pull_request: Option<u64>, commit in ".*", run: u64, counter in ".*", hash in ".*", script_bytes: Option<u32>) {
            let mark = OwnershipMarker { integration, repository, repository_id, branch, pull_request, commit, run, counter, hash, script_bytes };
            let text = mark.to_string();
            prop_assert_eq!(OwnershipMarker::find(&text), Some(mark));
            let inner = text.strip_prefix("<!--").unwrap().strip_suffix("-->").unwrap();
            prop_assert!(!inner.contains("--") && !inner.contains('>') && !inner.contains('\n'), "{}", text);
        }
    }
}
