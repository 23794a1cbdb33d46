//! The job that stops an environment, which has no checkout.

use super::{done, rows};
use crate::support::{Deployment, GitLab, Sandbox, merge_request, repository};

fn stop(run: Deployment) -> Deployment {
    run.variable("CI_ENVIRONMENT_ACTION", "stop").variable("GIT_STRATEGY", "none")
}

/// A sandbox and a GitLab on which merge request 12 has a preview of `hello`.
async fn with_preview() -> (Sandbox, GitLab) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    let job = gitlab.merge_request_job('1', 100).against(gitbook.endpoint());
    let folder = repository().integration("hello");
    done(&job.folder(&folder).runs().await);
    assert_eq!(gitbook.names(), ["hello-fix"]);
    (gitbook, gitlab)
}

/// `auto_stop_in` and the button stop what is still open.
#[tokio::test]
async fn it_deletes_also_what_is_open() {
    let (gitbook, gitlab) = with_preview().await;
    let job = stop(gitlab.merge_request_job('1', 100)).against(gitbook.endpoint());
    let ended = job.variable("GITBOOK_NAME", "hello").runs().await;
    done(&ended);
    insta::assert_snapshot!(ended.output("reason"), @"the environment of merge request !12 from `fix` was stopped");
    assert_eq!((ended.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
    assert_eq!(rows(&gitlab), ["hello-fix: 🗑️ removed: 1111111"]);
}

#[tokio::test]
async fn it_deletes_also_what_has_a_branch() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("fix".to_owned(), "1".repeat(40));
    let job = || gitlab.job("fix", '1', 100).against(gitbook.endpoint());
    let folder = repository().integration("hello");
    done(&job().folder(&folder).runs().await);
    let ended = stop(job()).variable("GITBOOK_NAME", "hello").runs().await;
    done(&ended);
    insta::assert_snapshot!(ended.output("reason"), @"the environment of branch `fix` was stopped");
    assert_eq!((ended.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
}

#[tokio::test]
async fn it_needs_nothing_of_gitlab() {
    let (gitbook, gitlab) = with_preview().await;
    let job = stop(gitlab.merge_request_job('1', 100)).against(gitbook.endpoint());
    let asked = gitlab.project().requests.len();
    let ended = job.variable("GITLAB_TOKEN", "").variable("GITBOOK_NAME", "hello").runs().await;
    done(&ended);
    assert_eq!((ended.output("result"), gitbook.names()), ("deleted".to_owned(), vec![]));
    assert_eq!(gitlab.project().requests.len(), asked);
}

/// Of what is named by hand nothing was stopped, and so it must be gone.
#[tokio::test]
async fn it_leaves_another_branch_that_is_open() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("other".to_owned(), "1".repeat(40));
    let folder = repository().integration("hello");
    done(&gitlab.job("other", '1', 100).against(gitbook.endpoint()).folder(&folder).runs().await);
    for event in ["", "closed", "delete"] {
        let job = stop(gitlab.job("fix", '1', 101)).against(gitbook.endpoint());
        let job = job.variable("GITBOOK_BRANCH", "other").variable("GITBOOK_EVENT", event);
        let ended = job.variable("GITBOOK_NAME", "hello").runs().await;
        done(&ended);
        assert_eq!(ended.output("mode"), "delete");
        assert_eq!(ended.integrations()[0]["result"], "skipped");
        assert_eq!(gitbook.names(), ["hello-other"]);
    }
}

/// A late stop job of an old pipeline.
#[tokio::test]
async fn it_leaves_what_a_newer_pipeline_has_published() {
    let (gitbook, gitlab) = with_preview().await;
    let job = stop(gitlab.merge_request_job('1', 99)).against(gitbook.endpoint());
    let ended = job.variable("GITBOOK_NAME", "hello").runs().await;
    assert_eq!(
        (ended.output("result"), gitbook.names()),
        ("skipped".to_owned(), vec!["hello-fix".to_owned()])
    );
}

/// Two merge requests from one branch share its preview, whether the one is closed or only its time is up.
#[tokio::test]
async fn it_leaves_what_another_open_merge_request_shares() {
    for state in ["closed", "opened"] {
        let (gitbook, gitlab) = with_preview().await;
        gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = state.into();
        gitlab.project().merge_requests.insert(13, merge_request(13, "fix", Some(42), '1'));
        let job = stop(gitlab.merge_request_job('1', 100)).against(gitbook.endpoint());
        let ended = job.variable("GITBOOK_NAME", "hello").runs().await;
        let there = vec!["hello-fix".to_owned()];
        assert_eq!((ended.output("result"), gitbook.names()), ("skipped".to_owned(), there), "{state}");
        let note = ended.integrations()[0]["note"].clone();
        assert_eq!(note, "merge request !13 is open from the same branch");
    }
}

#[tokio::test]
async fn without_a_manifest_and_a_name_it_says_what_to_set() {
    let (gitbook, gitlab) = with_preview().await;
    let job = stop(gitlab.merge_request_job('1', 100)).against(gitbook.endpoint());
    let ended = job.runs().await;
    assert_eq!((ended.code, gitbook.names()), (Some(2), vec!["hello-fix".to_owned()]));
    insta::assert_snapshot!(super::lines(&ended, &["error", "hint"]), @"
    error: GITBOOK_INTEGRATIONS: `.` contains no manifest
     hint: check out the repository before this step, and add a `gitbook-manifest.yaml` to the folder of each integration; without manifests, set `GITBOOK_NAME`
    error: invalid integrations: 1 error in 1 variable; nothing was sent
    ");
}

/// As where `GITBOOK_MODE` is a variable of the whole pipeline.
#[tokio::test]
async fn it_publishes_nothing_whatever_the_mode() {
    let (gitbook, gitlab) = with_preview().await;
    let folder = repository().integration("hello");
    for mode in ["publish", "preview"] {
        let job = stop(gitlab.merge_request_job('1', 100)).against(gitbook.endpoint());
        let ended = job.variable("GITBOOK_MODE", mode).folder(&folder).runs().await;
        assert_eq!((ended.code, ended.output("mode")), (Some(2), "refuse".to_owned()), "{mode}");
        assert_eq!(gitbook.names(), ["hello-fix"]);
    }
}
