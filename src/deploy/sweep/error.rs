//! The reasons for a sweep that deletes nothing.

use crate::forge::ForgeError;
use crate::gitbook::GitBookError;

/// The reason why a sweep failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    /// The request for the organization's integrations failed.
    #[error("could not list the integrations of the organization `{0}`")]
    List(String, #[source] GitBookError),
    /// The organization does not exist, or the token has no access to it.
    #[error("the token's user is not a member of organization `{0}`, or it does not exist")]
    OrganizationNotFound(String),
    /// The request for the branches failed.
    #[error("could not list the branches, so nothing was deleted")]
    Forge(#[source] ForgeError),
}

impl SweepError {
    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::List(_, source) => source.hint(),
            Self::OrganizationNotFound(_) => {
                "correct `organization` in the manifest or `GITBOOK_ORGANIZATION`, or use the token of a member".to_owned()
            }
            Self::Forge(source) => source.hint(),
        }
    }
}
