//! The error for a file that changes during a run.

/// A change to a file after it was checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceChanged {
    /// The content is different.
    #[error("{0} has changed since it was checked")]
    Changed(String),
    /// The file is missing or unreadable.
    #[error("{0} can no longer be read: {1}")]
    Unreadable(String, std::io::Error),
}
