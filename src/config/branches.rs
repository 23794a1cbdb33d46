//! `GITBOOK_PRODUCTION_BRANCH`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::from_variable::{FromVariable, InvalidValue};
use crate::integration::list;
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

    /// Returns the pattern that matches exactly one branch. Glob characters in the name are matched literally.
    #[must_use]
    pub(crate) fn exactly(branch: &str) -> Option<Self> {
        Some(Self { included: build_globs(&[globset::escape(branch)]).ok()?, excluded: GlobSet::empty() })
    }
}

fn build_globs(texts: &[impl AsRef<str>]) -> Result<GlobSet, globset::Error> {
    let mut globs = GlobSetBuilder::new();
    for text in texts {
        // `*` does not match a slash, as on every forge.
        globs.add(GlobBuilder::new(text.as_ref()).literal_separator(true).build()?);
    }
    globs.build()
}

/// Returns true if a pattern can match any branch. A glob can, unless an exclusion is the same glob or covers all branches.
fn can_match_branch(text: &str, excluded: &[&str], excluded_globs: &GlobSet) -> bool {
    let is_glob = |text: &str| text.contains(['*', '?', '[', '{']);
    if !is_glob(text) {
        return Branch::new(text).is_valid() && !excluded_globs.is_match(text);
    }
    let covers = |pattern: &&&str| {
        **pattern == text
            || **pattern == "**"
            || **pattern == "*" && !text.contains(['/', '{']) && text != "**"
    };
    !excluded.iter().any(|pattern| covers(&pattern))
}

impl FromVariable for BranchPatterns {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let (mut included, mut excluded) = (Vec::new(), Vec::new());
        for text in list(text) {
            let (texts, text) = match text.strip_prefix('!') {
                Some(text) => (&mut excluded, text.trim_start()),
                None => (&mut included, text),
            };
            texts.push(text.strip_prefix("refs/heads/").unwrap_or(text));
        }
        if included.is_empty() && excluded.is_empty() {
            return Err("the list of branches is empty".into());
        }
        if included.is_empty() {
            return Err("every pattern excludes branches, so none matches; begin with `*`".into());
        }
        let parse = |texts: &[&str]| build_globs(texts).map_err(|_| InvalidValue::from("invalid glob"));
        let patterns = Self { included: parse(&included)?, excluded: parse(&excluded)? };
        if !included.iter().any(|text| can_match_branch(text, &excluded, &patterns.excluded)) {
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
    fn an_exclusion_wins_over_an_inclusion() {
        let check = |patterns: &str, matching: &[&str], others: &[&str]| {
            let patterns = BranchPatterns::parse(patterns).unwrap();
            for (branches, expected) in [(matching, true), (others, false)] {
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
        check("!main", Some("every pattern excludes branches, so none matches; begin with `*`"));
        for text in ["[", "main, !["] {
            check(text, Some("invalid glob"));
        }
        for text in ["main, !*x", "a/*, !*", "**, !*", "feature..x, main"] {
            check(text, None);
        }
    }
}
