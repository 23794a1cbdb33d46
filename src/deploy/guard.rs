//! The guard: nothing is overwritten or deleted that this tool did not create for this repository and branch.

use crate::gitbook::Published;
use crate::preview::Mark;

/// What stands where a preview should be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GuardError {
    /// An integration that somebody else made.
    #[error("`{name}` (“{title}”) was not made by gitbook-deploy, so it is left as it is")]
    NotMarked {
        /// Its name.
        name: String,
        /// Its title.
        title: String,
    },
    /// A preview of something else.
    #[error("`{name}` is a preview of `{}`, branch `{}` of `{}`, so it is left as it is", mark.integration, mark.branch, mark.repository)]
    OtherPreview {
        /// Its name.
        name: String,
        /// Whose it is.
        mark: Box<Mark>,
    },
}

impl GuardError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NotMarked { .. } => "give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook".to_owned(),
            Self::OtherPreview { .. } => "give previews another name with `GITBOOK_PREVIEW_NAME`; if the repository was renamed, delete this one by hand in GitBook".to_owned(),
        }
    }
}

/// The mark of an existing preview, if it is of the same integration, repository and branch.
pub(super) fn ours(existing: &Published, expected: &Mark) -> Result<Mark, GuardError> {
    let name = existing.name.clone();
    match existing.summary.as_deref().and_then(Mark::find) {
        Some(mark) if mark.is_of_the_same_preview(expected) => Ok(mark),
        Some(mark) => Err(GuardError::OtherPreview { name, mark: Box::new(mark) }),
        None => Err(GuardError::NotMarked { name, title: existing.title.clone() }),
    }
}
