//! The error of one attempt to publish or delete an integration.

use super::guard::GuardError;
use super::precondition::Stop;
use crate::gitbook::{GitBookError, RequestError, Retryable};

/// The reason why an attempt failed or why no request was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    /// The request to GitBook failed.
    #[error(transparent)]
    Api(#[from] GitBookError),
    /// The existing integration must not be changed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A check before the attempt has stopped it: the state of the forge or of the integration does not allow the change.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// Another run has published to production, and it is unknown which run has the newer commit.
    #[error("another run has published version {0}")]
    PublishedByOtherRun(serde_json::Number),
}

impl Retryable for AttemptError {
    const CANCELLED: Self = Self::Api(GitBookError::CANCELLED);

    fn request_error(&self) -> Option<&RequestError> {
        match self {
            Self::Api(error) => error.request_error(),
            Self::Guard(_) | Self::Stop(_) | Self::PublishedByOtherRun(_) => None,
        }
    }
}
