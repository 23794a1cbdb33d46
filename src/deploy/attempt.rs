//! One attempt to publish or delete: the reasons for it to fail or not to be made.

use super::guard::GuardError;
use super::staleness::Stop;
use crate::gitbook::{ApiError, RequestError, Retryable};

/// The reason for an attempt to fail or not to be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    /// A failure of the API or the network.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The integration at the name may not be changed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The run is too late.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// Another run has published to production, and nobody can tell which commit is newer.
    #[error("another run published version {0} meanwhile")]
    Published(serde_json::Number),
}

impl Retryable for AttemptError {
    const CANCELLED: Self = Self::Api(ApiError::CANCELLED);

    fn request_error(&self) -> Option<&RequestError> {
        match self {
            Self::Api(error) => error.request_error(),
            Self::Guard(_) | Self::Stop(_) | Self::Published(_) => None,
        }
    }
}
