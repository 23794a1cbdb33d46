//! Jobs that stop an environment, without a checkout.

use super::{assert_success, note_rows};
use crate::support::{Deployment, GitLab, Sandbox, merge_request, repository};

/// Turns a job into a job that stops its environment, without a checkout.
fn as_stop_job(run: Deployment) -> Deployment {
    run.variable("CI_ENVIRONMENT_ACTION", "stop").variable("GIT_STRATEGY", "none")
}

/// Starts a sandbox and a GitLab with a preview of `hello` on merge request 12.
async fn with_preview() -> (Sandbox, GitLab) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    let folder = repository().integration("hello");
    assert_success(&job.folder(&folder).run().await);
    assert_eq!(gitbook.names(), ["hello-fix"]);
    (gitbook, gitlab)
}

/// `auto_stop_in` and the stop button also stop the environments of open merge requests.
#[tokio::test]
async fn deletes_the_preview_of_an_open_merge_request() {
    let (gitbook, gitlab) = with_preview().await;
    let job = as_stop_job(gitlab.merge_request_job('1', 100)).with_endpoint(gitbook.endpoint());
    let finished = job.variable("GITBOOK_NAME", "hello").run().await;
    assert_success(&finished);
    insta::assert_snapshot!(finished.output("reason"), @"the environment of merge request !12 from `fix` was stopped");
    assert_eq!((finished.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
    assert_eq!(note_rows(&gitlab), ["hello-fix: 🗑️ deleted: 1111111"]);
}

#[tokio::test]
async fn deletes_the_preview_of_an_existing_branch() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("fix".to_owned(), "1".repeat(40));
    let job = || gitlab.job("fix", '1', 100).with_endpoint(gitbook.endpoint());
    let folder = repository().integration("hello");
    assert_success(&job().folder(&folder).run().await);
    let finished = as_stop_job(job()).variable("GITBOOK_NAME", "hello").run().await;
    assert_success(&finished);
    insta::assert_snapshot!(finished.output("reason"), @"the environment of branch `fix` was stopped");
    assert_eq!((finished.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
}

#[tokio::test]
async fn deletes_a_preview_without_a_gitlab_token() {
    let (gitbook, gitlab) = with_preview().await;
    let job = as_stop_job(gitlab.merge_request_job('1', 100)).with_endpoint(gitbook.endpoint());
    let received = gitlab.project().requests.len();
    let finished = job.variable("GITLAB_TOKEN", "").variable("GITBOOK_NAME", "hello").run().await;
    assert_success(&finished);
    assert_eq!((finished.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
    assert_eq!(gitlab.project().requests.len(), received);
}

/// The job stops the environment of `fix`, so it deletes the preview of `other` only if that branch no longer exists.
#[tokio::test]
async fn keeps_the_preview_of_another_branch() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("other".to_owned(), "1".repeat(40));
    let folder = repository().integration("hello");
    assert_success(
        &gitlab.job("other", '1', 100).with_endpoint(gitbook.endpoint()).folder(&folder).run().await,
    );
    for event in ["", "closed", "delete"] {
        let job = as_stop_job(gitlab.job("fix", '1', 101)).with_endpoint(gitbook.endpoint());
        let job = job.variable("GITBOOK_BRANCH", "other").variable("GITBOOK_EVENT", event);
        let finished = job.variable("GITBOOK_NAME", "hello").run().await;
        assert_success(&finished);
        assert_eq!(finished.output("mode"), "delete");
        assert_eq!(finished.integrations()[0]["result"], "skipped");
        assert_eq!(gitbook.names(), ["hello-other"]);
    }
}

/// The stop job belongs to an older pipeline.
#[tokio::test]
async fn keeps_the_preview_of_a_newer_pipeline() {
    let (gitbook, gitlab) = with_preview().await;
    let job = as_stop_job(gitlab.merge_request_job('1', 99)).with_endpoint(gitbook.endpoint());
    let finished = job.variable("GITBOOK_NAME", "hello").run().await;
    assert_eq!(
        (finished.output("result"), gitbook.names()),
        ("skipped".to_owned(), vec!["hello-fix".to_owned()])
    );
}

/// Two merge requests from one branch share a preview. The open one keeps it, even after the environment of the other stops.
#[tokio::test]
async fn keeps_a_preview_that_another_merge_request_uses() {
    for state in ["closed", "opened"] {
        let (gitbook, gitlab) = with_preview().await;
        gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = state.into();
        gitlab.project().merge_requests.insert(13, merge_request(13, "fix", Some(42), '1'));
        let job = as_stop_job(gitlab.merge_request_job('1', 100)).with_endpoint(gitbook.endpoint());
        let finished = job.variable("GITBOOK_NAME", "hello").run().await;
        let existing = vec!["hello-fix".to_owned()];
        assert_eq!((finished.output("result"), gitbook.names()), ("skipped".to_owned(), existing), "{state}");
        let note = finished.integrations()[0]["note"].clone();
        assert_eq!(note, "merge request !13 is open from the same branch");
    }
}

#[tokio::test]
async fn a_stop_job_without_a_manifest_requires_a_name() {
    let (gitbook, gitlab) = with_preview().await;
    let job = as_stop_job(gitlab.merge_request_job('1', 100)).with_endpoint(gitbook.endpoint());
    let finished = job.run().await;
    assert_eq!((finished.code, gitbook.names()), (Some(2), vec!["hello-fix".to_owned()]));
    insta::assert_snapshot!(super::log_lines(&finished, &["error", "hint"]), @"
    error: GITBOOK_INTEGRATIONS: `.` contains no manifest
     hint: check out the repository before this step, and add a `gitbook-manifest.yaml` to the folder of each integration; without manifests, set `GITBOOK_NAME`
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
}

/// `GITBOOK_MODE` may be set for the whole pipeline, so a stop job can receive any mode.
#[tokio::test]
async fn a_stop_job_refuses_to_publish_in_any_mode() {
    let (gitbook, gitlab) = with_preview().await;
    let folder = repository().integration("hello");
    for mode in ["publish", "preview"] {
        let job = as_stop_job(gitlab.merge_request_job('1', 100)).with_endpoint(gitbook.endpoint());
        let finished = job.variable("GITBOOK_MODE", mode).folder(&folder).run().await;
        assert_eq!((finished.code, finished.output("mode")), (Some(2), "refuse".to_owned()), "{mode}");
        assert_eq!(gitbook.names(), ["hello-fix"]);
    }
}
