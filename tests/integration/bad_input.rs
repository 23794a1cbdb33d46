//! What is wrong with the user's own files and variables is told whole, and nothing is sent.

mod excerpts;
mod manifests;
mod nesting;
mod sources;
mod variables;
mod yaml;

use crate::support::{Deployment, Recorded as _, Repository, deployment, gitbook, repository};

/// The log of a run that is configured wrongly: exit code 2, and nothing was sent.
async fn refused(run: Deployment, repository: &Repository) -> String {
    let server = gitbook().await;
    let ended = run.against(&server.uri()).folder(repository).runs().await;
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert_eq!(server.asked().await, [""; 0], "{ended:#?}");
    assert_eq!(ended.output("result"), "failed");
    ended.log()
}

/// The log of publishing a repository that is no good.
async fn publishing(repository: &Repository) -> String {
    refused(deployment().publish(), repository).await
}

/// The log of publishing one integration whose manifest has more lines, from the sixth line on.
async fn publishing_with(more: &str) -> String {
    publishing(&repository().manifest(".", "hello", more)).await
}
