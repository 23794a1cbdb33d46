//! Parses `GITBOOK_PRODUCTION_BRANCH`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::from_variable::{FromVariable, InvalidValue};
use crate::integration::split_list;
use crate::repository::Branch;

/// Branch names or globs that include or exclude branches.
#[derive(Clone, Debug)]
pub(crate) struct BranchPatterns {
    included: GlobSet,
    excluded: GlobSet,
}

impl BranchPatterns {
    /// Returns true if the branch is included and not excluded.
    #[must_use]
    pub(crate) fn matches(&self, branch: &str) -> bool {
        self.included.is_match(branch) && !self.excluded.is_match(branch)
    }

    /// Returns a pattern that matches one branch only. Glob characters in the branch name have no special meaning.
    #[must_use]
    pub(crate) fn for_branch(branch: &str) -> Option<Self> {
        Some(Self { included: build_globs(&[globset::escape(branch)]).ok()?, excluded: GlobSet::empty() })
    }
}

fn build_globs(patterns: &[impl AsRef<str>]) -> Result<GlobSet, globset::Error> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        // As in GitHub's branch patterns, `*` does not match a slash.
        globs.add(GlobBuilder::new(pattern.as_ref()).literal_separator(true).build()?);
    }
    globs.build()
}

/// Returns true if a pattern can match at least one branch. A glob can match a branch unless an exclusion is the same glob or
/// excludes all branches.
fn can_match_branch(pattern: &str, excluded: &[&str], excluded_globs: &GlobSet) -> bool {
    let is_glob = |text: &str| text.contains(['*', '?', '[', '{']);
    if !is_glob(pattern) {
        return Branch::new(pattern).is_valid() && !excluded_globs.is_match(pattern);
    }
    let excludes_all = |exclusion: &&&str| {
        **exclusion == pattern
            || **exclusion == "**"
            || **exclusion == "*" && !pattern.contains(['/', '{']) && pattern != "**"
    };
    !excluded.iter().any(|exclusion| excludes_all(&exclusion))
}

impl FromVariable for BranchPatterns {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let (mut included, mut excluded) = (Vec::new(), Vec::new());
        for pattern in split_list(text) {
            let (patterns, pattern) = match pattern.strip_prefix('!') {
                Some(pattern) => (&mut excluded, pattern.trim_start()),
                None => (&mut included, pattern),
            };
            patterns.push(pattern.strip_prefix("refs/heads/").unwrap_or(pattern));
        }
        if included.is_empty() && excluded.is_empty() {
            return Err("the list of branches is empty".into());
        }
        if included.is_empty() {
            return Err("all patterns exclude branches, so no branch matches; begin with `*`".into());
        }
        let parse = |patterns: &[&str]| build_globs(patterns).map_err(|_| InvalidValue::from("invalid glob"));
        let patterns = Self { included: parse(&included)?, excluded: parse(&excluded)? };
        if !included.iter().any(|pattern| can_match_branch(pattern, &excluded, &patterns.excluded)) {
            return Err("the patterns match no branch".into());
        }
        Ok(patterns)
    }

    fn hint() -> String {
        "use names or globs, separated by commas, such as `main, release/*, !release/old`".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{BranchPatterns, FromVariable as _, InvalidValue};

    #[test]
    fn exclusions_take_precedence_over_inclusions() {
        let check = |patterns: &str, matching: &[&str], not_matching: &[&str]| {
            let patterns = BranchPatterns::parse(patterns).unwrap();
            for (branches, expected) in [(matching, true), (not_matching, false)] {
                for branch in branches {
                    assert_eq!(patterns.matches(branch), expected, "{branch}");
                }
            }
        };
        check("main", &["main"], &["master", "main/x"]);
        check("release/*, !release/old", &["release/1"], &["release/old", "release/1/x"]);
        check("!release/old, release/*", &["release/1"], &["release/old"]);
        check("refs/heads/main, ! refs/heads/next, n*", &["main", "n"], &["next"]);
        check("**, !feature/**", &["main", "a/b"], &["feature/x", "feature/x/y"]);
    }

    #[test]
    fn rejects_patterns_that_match_no_branch() {
        let check = |text: &str, expected: Option<&str>| {
            let invalid = BranchPatterns::parse(text).err();
            assert_eq!(invalid.as_ref().map(InvalidValue::message), expected, "{text}");
        };
        for text in ["main, !main", "main, !*", "m*, !m*", "a/*, !**", "feature..x", "main/", "a b", "*, !*"]
        {
            check(text, Some("the patterns match no branch"));
        }
        for text in ["", ","] {
            check(text, Some("the list of branches is empty"));
        }
        check("!main", Some("all patterns exclude branches, so no branch matches; begin with `*`"));
        for text in ["[", "main, !["] {
            check(text, Some("invalid glob"));
        }
        for text in ["main, !*x", "a/*, !*", "**, !*", "feature..x, main"] {
            check(text, None);
        }
    }
}
