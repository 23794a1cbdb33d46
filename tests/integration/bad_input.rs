//! Errors in the user's files and variables. The program reports all of them and sends no request.

mod excerpts;
mod manifests;
mod nesting;
mod sources;
mod variables;
mod yaml;

use crate::support::{Deployment, RecordedRequests as _, Repository, deployment, gitbook, repository};

/// Runs with invalid input and returns the log. Asserts exit code 2 and no request.
async fn log_of_rejected_run(run: Deployment, repository: &Repository) -> String {
    let server = gitbook().await;
    let finished = run.with_endpoint(&server.uri()).folder(repository).run().await;
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert_eq!(server.requests().await, [""; 0], "{finished:#?}");
    assert_eq!(finished.output("result"), "failed");
    finished.log()
}

/// Publishes a repository with errors, and returns the log.
async fn log_of_publishing(repository: &Repository) -> String {
    log_of_rejected_run(deployment().publish(), repository).await
}

/// Publishes an integration whose manifest has additional lines from line 6 on, and returns the log.
async fn log_of_publishing_with_fields(fields: &str) -> String {
    log_of_publishing(&repository().manifest(".", "hello", fields)).await
}
