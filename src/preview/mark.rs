//! The ownership mark: one HTML comment at the end of a preview's summary that says whose it is.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What every mark starts with; a summary of the user's own must not hold it.
const START: &str = "<!-- gitbook-deploy:preview";
const END: &str = " -->";

/// Everything that could end a value or the comment is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'/').remove(b':').remove(b'-');

/// Who made a preview, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The production name of the integration.
    pub integration: String,
    /// The repository, with its host.
    pub repository: String,
    /// The true name of the branch, `owner:branch` for a fork's.
    pub branch: String,
    /// The head commit.
    pub commit: String,
    /// The number of the CI run, higher for newer runs; 0 where the CI system gives none.
    pub run: u64,
    /// SHA-256 of what was published, without the mark; empty when it is not known.
    pub hash: String,
}

impl Mark {
    /// The mark that a summary ends with; `None` when there is none, or when it was tampered with.
    #[must_use]
    pub(crate) fn find(summary: &str) -> Option<Self> {
        let line = summary.trim_end().lines().last()?.trim();
        let values = line.strip_prefix(START)?.strip_suffix(END)?;
        let mut mark = Self::default();
        let mut seen = Vec::new();
        for pair in values.split_ascii_whitespace() {
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
            if seen.contains(&key) {
                return None;
            }
            seen.push(key);
            match key {
                "integration" => mark.integration = value,
                "repository" => mark.repository = value,
                "branch" => mark.branch = value,
                "commit" => mark.commit = value,
                "run" => mark.run = value.parse().ok()?,
                "hash" => mark.hash = value,
                // A later version may say more.
                _ => {}
            }
        }
        let complete = ["integration", "repository", "branch"].iter().all(|key| seen.contains(key));
        complete.then_some(mark)
    }

    /// Whether a text holds what could be taken for a mark, anywhere in it.
    #[must_use]
    pub(crate) fn is_in(text: &str) -> bool {
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        squeezed.to_lowercase().contains("<!--gitbook-deploy:")
    }

    /// Whether a newer run than the other's made it. Runs without a number are neither newer nor older.
    #[must_use]
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        other.run != 0 && self.run > other.run
    }

    /// Whether both are of one integration, repository and branch.
    #[must_use]
    pub(crate) fn is_of_the_same_preview(&self, other: &Self) -> bool {
        (&self.integration, &self.repository, &self.branch)
            == (&other.integration, &other.repository, &other.branch)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A comment must not hold two dashes in a row.
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string().replace("--", "-%2D");
        write!(f, "{START} integration={}", encode(&self.integration))?;
        write!(f, " repository={} branch={}", encode(&self.repository), encode(&self.branch))?;
        write!(f, " commit={} run={} hash={}{END}", encode(&self.commit), self.run, encode(&self.hash))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Mark;

    fn mark() -> Mark {
        Mark {
            integration: "hello".into(),
            repository: "github.com/acme/docs".into(),
            branch: "feature/x--y -->".into(),
            commit: "abc".into(),
            run: 12,
            hash: "00ff".into(),
        }
    }

    #[test]
    fn a_mark_is_one_comment() {
        insta::assert_snapshot!(mark(), @"<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/docs branch=feature/x-%2Dy%20-%2D%3E commit=abc run=12 hash=00ff -->");
    }

    #[test]
    fn only_a_whole_mark_at_the_end_counts() {
        let text = mark().to_string();
        assert_eq!(Mark::find(&format!("Hello.\n\n{text}\n")), Some(mark()));
        assert_eq!(Mark::find(&format!("{text}\nHello.")), None);
        assert_eq!(Mark::find(&text.replace(" branch=", " brunch=")), None);
        assert_eq!(Mark::find(&text.replace(" run=12", " run=12 run=13")), None);
        assert_eq!(Mark::find(&text.replace("run=12", "run=x")), None);
        assert_eq!(Mark::find(""), None);
    }

    #[test]
    fn an_imitation_is_noticed_however_it_is_spaced() {
        assert!(Mark::is_in(&mark().to_string()));
        assert!(Mark::is_in("x <!--\n GitBook-Deploy:preview"));
        assert!(!Mark::is_in("Deployed with gitbook-deploy: <!-- hi -->"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_value_survives_and_ends_nothing(integration in ".*", repository in ".*", branch in "\\PC*|[->!< \n]*", commit in ".*", run: u64, hash in ".*") {
            let mark = Mark { integration, repository, branch, commit, run, hash };
            let text = mark.to_string();
            prop_assert_eq!(Mark::find(&text), Some(mark));
            let inner = text.strip_prefix("<!--").unwrap().strip_suffix("-->").unwrap();
            prop_assert!(!inner.contains("--") && !inner.contains('>') && !inner.contains('\n'), "{}", text);
        }
    }
}
