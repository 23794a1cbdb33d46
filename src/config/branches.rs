//! `GITBOOK_PRODUCTION_BRANCH`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::value::Value;
use crate::integration::list;
use crate::preview::Branch;

/// Branch names or globs, some of which exclude.
#[derive(Clone, Debug)]
pub(crate) struct BranchPatterns {
    included: GlobSet,
    excluded: GlobSet,
}

impl BranchPatterns {
    /// Returns whether a branch is one of these.
    #[must_use]
    pub(crate) fn matches(&self, branch: &str) -> bool {
        self.included.is_match(branch) && !self.excluded.is_match(branch)
    }

    /// Returns the pattern of this branch only, whatever characters its name has.
    #[must_use]
    pub(crate) fn exactly(branch: &str) -> Option<Self> {
        Some(Self { included: globs(&[globset::escape(branch)]).ok()?, excluded: GlobSet::empty() })
    }
}

fn globs(texts: &[impl AsRef<str>]) -> Result<GlobSet, globset::Error> {
    let mut globs = GlobSetBuilder::new();
    for text in texts {
        // `release/*` means one level, as on every forge.
        globs.add(GlobBuilder::new(text.as_ref()).literal_separator(true).build()?);
    }
    globs.build()
}

/// Returns whether a pattern can match a branch that is not excluded. A glob is taken for one that can, unless an exclusion
/// names the same or every branch.
fn can_match(text: &str, excluded: &[&str], excluded_globs: &GlobSet) -> bool {
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

impl Value for BranchPatterns {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let (mut included, mut excluded) = (Vec::new(), Vec::new());
        for text in list(text) {
            let (texts, text) = match text.strip_prefix('!') {
                Some(text) => (&mut excluded, text.trim_start()),
                None => (&mut included, text),
            };
            texts.push(text.strip_prefix("refs/heads/").unwrap_or(text));
        }
        let refused = || ("not a list of branch names or globs".to_owned(), None);
        if included.is_empty() && excluded.is_empty() {
            return Err(refused());
        }
        if included.is_empty() {
            return Err((
                "every pattern excludes branches, so none matches; begin with `*`".to_owned(),
                None,
            ));
        }
        let parsed = |texts: &[&str]| globs(texts).map_err(|_| refused());
        let patterns = Self { included: parsed(&included)?, excluded: parsed(&excluded)? };
        if !included.iter().any(|text| can_match(text, &excluded, &patterns.excluded)) {
            return Err(("a list that matches no branch".to_owned(), None));
        }
        Ok(patterns)
    }

    fn accepted() -> String {
        "names or globs, comma separated, such as `main, release/*, !release/old`".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{BranchPatterns, Value as _};

    #[test]
    fn exclusions_take_branches_out() {
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
    fn a_list_that_matches_no_branch_is_refused() {
        for text in ["main, !main", "main, !*", "m*, !m*", "a/*, !**", "feature..x", "main/", "a b", "*, !*"]
        {
            let problem = BranchPatterns::parse(text).map(|patterns| patterns.matches("main")).unwrap_err().0;
            assert_eq!(problem, "a list that matches no branch", "{text}");
        }
        let excluded = BranchPatterns::parse("!main").unwrap_err().0;
        assert_eq!(excluded, "every pattern excludes branches, so none matches; begin with `*`");
        for text in ["", ",", "[", "main, !["] {
            let problem = BranchPatterns::parse(text).map(|patterns| patterns.matches("main")).unwrap_err().0;
            assert_eq!(problem, "not a list of branch names or globs", "{text}");
        }
        for text in ["main, !*x", "a/*, !*", "**, !*", "feature..x, main"] {
            assert!(BranchPatterns::parse(text).is_ok(), "{text}");
        }
    }
}
