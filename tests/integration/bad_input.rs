//! Errors in the user's files and variables: all are reported, and no request is sent.

mod excerpts;
mod manifests;
mod nesting;
mod sources;
mod variables;
mod yaml;

use crate::support::{Deployment, RecordedRequests as _, Repository, deployment, gitbook, repository};

/// Returns the log of a run with an invalid configuration: exit code 2 and no request.
async fn refused(run: Deployment, repository: &Repository) -> String {
    let server = gitbook().await;
    let finished = run.against(&server.uri()).folder(repository).run().await;
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert_eq!(server.requests().await, [""; 0], "{finished:#?}");
    assert_eq!(finished.output("result"), "failed");
    finished.log()
}

/// Returns the log of publishing an invalid repository.
async fn publishing(repository: &Repository) -> String {
    refused(deployment().publish(), repository).await
}

/// Returns the log of publishing one integration with more lines in its manifest, from the sixth line on.
async fn publishing_with(more: &str) -> String {
    publishing(&repository().manifest(".", "hello", more)).await
}
