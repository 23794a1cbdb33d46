//! `GITBOOK_PRODUCTION_BRANCH`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::value::Value;
use crate::integration::list;

/// Branch names or globs.
#[derive(Clone, Debug)]
pub(crate) struct BranchPatterns(GlobSet);

impl BranchPatterns {
    /// Whether a branch is one of these.
    #[must_use]
    pub(crate) fn matches(&self, branch: &str) -> bool {
        self.0.is_match(branch)
    }

    /// Just this branch, whatever characters its name has.
    #[must_use]
    pub(crate) fn exactly(branch: &str) -> Option<Self> {
        Self::new(&[globset::escape(branch)]).ok()
    }

    fn new(texts: &[String]) -> Result<Self, globset::Error> {
        let mut globs = GlobSetBuilder::new();
        for text in texts {
            // `release/*` means one level, as on every forge.
            globs.add(GlobBuilder::new(text).literal_separator(true).build()?);
        }
        globs.build().map(Self)
    }
}

impl Value for BranchPatterns {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let texts = list(text).map(|text| text.strip_prefix("refs/heads/").unwrap_or(text).to_owned());
        let texts: Vec<_> = texts.collect();
        let refused = || ("not a list of branch names or globs".to_owned(), None);
        if texts.is_empty() {
            return Err(refused());
        }
        Self::new(&texts).map_err(|_| refused())
    }

    fn accepted() -> String {
        "names or globs, comma separated, such as `main, release/*`".to_owned()
    }
}
