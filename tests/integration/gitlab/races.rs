//! Merge requests that are closed or receive a newer commit during a job.

use super::{assert_success, note_rows};
use crate::support::{GitLab, Sandbox, merge_request, repository};

async fn set_up() -> (Sandbox, GitLab) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '2'));
    gitlab.project().branches.insert("fix".to_owned(), "2".repeat(40));
    (gitbook, gitlab)
}

#[tokio::test]
async fn does_not_publish_a_superseded_commit() {
    let (gitbook, gitlab) = set_up().await;
    let folder = repository().integration("hello");
    for job in [gitlab.merge_request_job('1', 100), gitlab.job("fix", '1', 100)] {
        let finished = job.with_endpoint(gitbook.endpoint()).folder(&folder).run().await;
        assert_success(&finished);
        assert_eq!((finished.output("result"), gitbook.names()), ("skipped".to_owned(), vec![]));
        let note = finished.integrations()[0]["note"].to_string();
        assert!(note.contains("2222222") && note.contains("`fix`"), "{note}");
    }
    for job in [gitlab.merge_request_job('2', 101), gitlab.job("fix", '2', 102)] {
        assert_success(&job.with_endpoint(gitbook.endpoint()).folder(&folder).run().await);
        assert_eq!(gitbook.names(), ["hello-fix"]);
    }
    assert_eq!(note_rows(&gitlab), ["hello-fix: ✅ published v1: 2222222"]);
}

#[tokio::test]
async fn does_not_publish_a_closed_merge_request() {
    let (gitbook, gitlab) = set_up().await;
    for state in ["closed", "merged"] {
        gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = state.into();
        let job = gitlab.merge_request_job('2', 100).with_endpoint(gitbook.endpoint());
        let folder = repository().integration("hello");
        let finished = job.folder(&folder).run().await;
        assert_success(&finished);
        assert_eq!(finished.integrations()[0]["note"], "merge request !12 is closed");
    }
    // GitLab locks a merge request while it merges the branch. The merge may still fail.
    gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = "locked".into();
    let job = gitlab.merge_request_job('2', 100).with_endpoint(gitbook.endpoint());
    let folder = repository().integration("hello");
    let finished = job.folder(&folder).run().await;
    assert_eq!(finished.output("result"), "published");
}

/// The merge request is closed between the checks before and after publishing.
#[tokio::test]
async fn deletes_the_preview_of_a_merge_request_closed_during_the_run() {
    let (gitbook, gitlab) = set_up().await;
    let proxy = crate::support::HoldingProxy::before(&gitbook).await;
    let mut held_publication = proxy.hold("POST", "hello-fix");
    let job = gitlab.merge_request_job('2', 100).with_endpoint(proxy.endpoint());
    let folder = repository().integration("hello");
    let running = job.folder(&folder).start();
    held_publication.reached().await;
    gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = "closed".into();
    held_publication.release();
    let finished = running.finish().await;
    assert_success(&finished);
    assert_eq!((finished.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
    assert!(finished.stderr.contains("info: merge request !12 is closed"), "{}", finished.log());
}
