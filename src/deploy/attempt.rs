//! The reasons for an attempt to publish or delete to fail.

use super::guard::GuardError;
use super::staleness::Stop;
use crate::gitbook::{ApiError, RequestError, Retryable};

/// The reason for an attempt to fail, or not to be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    /// A failure of the API or the network.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The existing integration must not be changed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The run must stop.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// Another run has published to production, and the newer commit is unknown.
    #[error("another run has published version {0}")]
    PublishedByOtherRun(serde_json::Number),
}

impl Retryable for AttemptError {
    const CANCELLED: Self = Self::Api(ApiError::CANCELLED);

    fn request_error(&self) -> Option<&RequestError> {
        match self {
            Self::Api(error) => error.request_error(),
            Self::Guard(_) | Self::Stop(_) | Self::PublishedByOtherRun(_) => None,
        }
    }
}
