//! What was closed, or has moved on, while a job was on its way.

use super::{done, rows};
use crate::support::{GitLab, Sandbox, merge_request, repository};

async fn world() -> (Sandbox, GitLab) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '2'));
    gitlab.project().branches.insert("fix".to_owned(), "2".repeat(40));
    (gitbook, gitlab)
}

#[tokio::test]
async fn a_commit_that_was_overtaken_is_not_published() {
    let (gitbook, gitlab) = world().await;
    let folder = repository().integration("hello");
    for job in [gitlab.merge_request_job('1', 100), gitlab.job("fix", '1', 100)] {
        let ended = job.against(gitbook.endpoint()).folder(&folder).runs().await;
        done(&ended);
        assert_eq!((ended.output("result"), gitbook.names()), ("skipped".to_owned(), vec![]));
        let note = ended.integrations()[0]["note"].to_string();
        assert!(note.contains("2222222") && note.contains("`fix`"), "{note}");
    }
    for job in [gitlab.merge_request_job('2', 101), gitlab.job("fix", '2', 102)] {
        done(&job.against(gitbook.endpoint()).folder(&folder).runs().await);
        assert_eq!(gitbook.names(), ["hello-fix"]);
    }
    assert_eq!(rows(&gitlab), ["hello-fix: ✅ published v1: 2222222"]);
}

#[tokio::test]
async fn a_closed_merge_request_is_not_published() {
    let (gitbook, gitlab) = world().await;
    for state in ["closed", "merged"] {
        gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = state.into();
        let job = gitlab.merge_request_job('2', 100).against(gitbook.endpoint());
        let folder = repository().integration("hello");
        let ended = job.folder(&folder).runs().await;
        done(&ended);
        assert_eq!(ended.integrations()[0]["note"], "merge request !12 is closed");
    }
    // While it is being merged it may still fail to be.
    gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = "locked".into();
    let job = gitlab.merge_request_job('2', 100).against(gitbook.endpoint());
    let folder = repository().integration("hello");
    let ended = job.folder(&folder).runs().await;
    assert_eq!(ended.output("result"), "published");
}

/// GitLab is asked before and after; between the two somebody closes the merge request.
#[tokio::test]
async fn what_was_closed_meanwhile_is_deleted_by_the_same_run() {
    let (gitbook, gitlab) = world().await;
    let gated = crate::support::Gated::before(&gitbook).await;
    let mut publish = gated.hold("POST", "hello-fix");
    let job = gitlab.merge_request_job('2', 100).against(gated.endpoint());
    let folder = repository().integration("hello");
    let running = job.folder(&folder).starts();
    publish.reached().await;
    gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = "closed".into();
    publish.release();
    let ended = running.ends().await;
    done(&ended);
    assert_eq!((ended.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
    assert!(ended.stderr.contains("info: merge request !12 is closed"), "{}", ended.log());
}
