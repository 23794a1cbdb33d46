//! What is wrong with the user's own files and variables is told whole, and nothing is sent.

mod excerpts;
mod manifests;
mod nesting;
mod sources;
mod variables;
mod yaml;

use crate::support::{Deployment, RecordedRequests as _, Repository, deployment, gitbook, repository};

/// The log of a run that is configured wrongly: exit code 2, and nothing was sent.
async fn refused(run: Deployment, repository: &Repository) -> String {
    let server = gitbook().await;
    let finished = run.against(&server.uri()).folder(repository).run().await;
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert_eq!(server.requests().await, [""; 0], "{finished:#?}");
    assert_eq!(finished.output("result"), "failed");
    finished.log()
}

/// The log of publishing a repository that is no good.
async fn publishing(repository: &Repository) -> String {
    refused(deployment().publish(), repository).await
}

/// The log of publishing one integration whose manifest has more lines, from the sixth line on.
async fn publishing_with(more: &str) -> String {
    publishing(&repository().manifest(".", "hello", more)).await
}
