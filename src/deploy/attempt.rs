//! The reasons for an attempt to publish or delete to fail.

use std::time::Duration;

use super::guard::GuardError;
use super::staleness::Stop;
use crate::gitbook::{ApiError, Retryable};

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

    fn is_worth_retrying(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_worth_retrying())
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Api(error) => error.wait(),
            _ => None,
        }
    }

    fn is_limit(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_limit())
    }
}
