//! What GitLab does not say, or does not let the token do: the preview is published all the same.

use std::time::Duration;

use serde_json::json;
use wiremock::ResponseTemplate;

use super::lines;
use crate::support::{Finished, GitLab, Sandbox, deployment, gitlab_says, merge_request, repository};

/// A run whose requests that hold a text are answered like this.
async fn run(part: &'static str, answer: ResponseTemplate) -> Finished {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    gitlab.project().faults.push((part, answer));
    let job = gitlab.merge_request_job('1', 100).against(gitbook.endpoint());
    let folder = repository().integration("hello");
    let ended = job.folder(&folder).runs().await;
    assert_eq!((ended.code, gitbook.names()), (Some(0), vec!["hello-fix".to_owned()]), "{}", ended.log());
    ended
}

async fn said(part: &'static str, answer: ResponseTemplate) -> String {
    lines(&run(part, answer).await, &["warning", "notice", "error"])
}

#[tokio::test]
async fn a_token_that_may_not_says_what_it_lacks() {
    let error = |error: &str, description: &str| {
        ResponseTemplate::new(403).set_body_json(json!({"error": error, "error_description": description}))
    };
    let scope = || error("insufficient_scope", "The request requires higher privileges.");
    insta::assert_snapshot!(said("POST", scope()).await, @"notice: no comment on merge request !12: the token lacks the scope `api`, or its user the role Reporter: 403 The request requires higher privileges.; give the token the scope `api` and the role Reporter or a higher one; `CI_JOB_TOKEN` may not write");
    insta::assert_snapshot!(said("", gitlab_says(403, "403 Forbidden")).await, @"
    notice: could not check for a newer commit: the token lacks the scope `read_api`, or its user the role Reporter: 403 Forbidden; give the token the scope `api` and the role Reporter or a higher one; `CI_JOB_TOKEN` may not write
    notice: could not check whether the branch was closed meanwhile: the token lacks the scope `read_api`, or its user the role Reporter: 403 Forbidden; give the token the scope `api` and the role Reporter or a higher one; `CI_JOB_TOKEN` may not write
    notice: no comment is kept: the token lacks the scope `api`, or its user the role Reporter: 403 Forbidden; give the token the scope `api` and the role Reporter or a higher one; `CI_JOB_TOKEN` may not write
    ");
}

/// Which note is ours can't be told then, and none is made twice.
#[tokio::test]
async fn a_token_that_may_not_ask_who_it_is_writes_once() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    let folder = repository().integration("hello");
    gitlab.project().faults.push(("GET user", gitlab_says(403, "403 Forbidden")));
    let mut told = Vec::new();
    for commit in ['1', '2'] {
        gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), commit));
        let job = gitlab.merge_request_job(commit, 100).against(gitbook.endpoint());
        told.push(lines(&job.folder(&folder).runs().await, &["notice", "info: the comment"]));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    info: the comment on merge request !12 was written, but not read back: the token lacks the scope `api`, or its user the role Reporter: 403 Forbidden
    notice: no comment is kept: the token lacks the scope `api`, or its user the role Reporter: 403 Forbidden; give the token the scope `api` and the role Reporter or a higher one; `CI_JOB_TOKEN` may not write
    ");
    assert_eq!(gitlab.project().notes.len(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_tried_once() {
    insta::assert_snapshot!(said("", gitlab_says(401, "401 Unauthorized")).await, @"warning: could not check for a newer commit: the forge did not accept the token: 401 Unauthorized; pass a project access token with the scope `api` as `GITLAB_TOKEN`; it may have expired, and `CI_JOB_TOKEN` is none");
}

#[tokio::test]
async fn what_the_token_cant_see_is_not_found() {
    insta::assert_snapshot!(said("", gitlab_says(404, "404 Project Not Found")).await, @"
    warning: could not check for a newer commit: the forge did not find it: 404 Project Not Found; check `CI_API_V4_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    warning: could not check whether the branch was closed meanwhile: the forge did not find it: 404 Project Not Found; check `CI_API_V4_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    warning: no comment is kept: the forge did not find it: 404 Project Not Found; check `CI_API_V4_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    ");
}

#[tokio::test]
async fn what_gitlab_says_by_field_is_shown() {
    let answer = ResponseTemplate::new(400).set_body_json(json!({"message": {"note": ["is too long"]}}));
    insta::assert_snapshot!(said("POST", answer).await, @r#"warning: no comment on merge request !12: the forge refused it: 400 {"note":["is too long"]}; nothing that was published is affected"#);
}

#[tokio::test]
async fn a_gitlab_that_hangs_is_waited_for_once() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().latency = Duration::from_secs(30);
    let job = gitlab.merge_request_job('1', 100).against(gitbook.endpoint());
    let started = std::time::Instant::now();
    let job = job.variable("GITBOOK_TIMEOUT", "500ms");
    let folder = repository().integration("hello");
    let ended = job.folder(&folder).runs().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((ended.code, gitbook.names()), (Some(0), vec!["hello-fix".to_owned()]));
    insta::assert_snapshot!(lines(&ended, &["warning", "notice", "error"]), @"warning: could not check for a newer commit: no answer within 500ms; check `CI_API_V4_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn without_its_token_gitlab_is_not_asked() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    let job = gitlab.merge_request_job('1', 100).against(gitbook.endpoint());
    // Another forge's token is none for GitLab.
    let job = job.variable("GITLAB_TOKEN", "").variable("GITHUB_TOKEN", "ghp_x");
    let folder = repository().integration("hello");
    let ended = job.folder(&folder).runs().await;
    let full_log = ended.full_log();
    let notice = full_log.lines().find(|line| line.contains("GITLAB_TOKEN")).unwrap();
    insta::assert_snapshot!(notice, @"info: no `GITLAB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no note on the merge request");
    assert_eq!((ended.output("result"), gitlab.project().requests.len()), ("published".to_owned(), 0));
}

/// The project is known by its path where nobody tells its number, and GitHub's token stays where it is.
#[tokio::test]
async fn other_systems_ask_by_the_projects_path() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("feature/x+y".to_owned(), "1".repeat(40));
    let run = deployment()
        .against(gitbook.endpoint())
        .variable("CI_API_V4_URL", gitlab.root())
        .variable("GITLAB_TOKEN", format!("{}\n", crate::support::GITLAB_TOKEN))
        .variable("GITHUB_TOKEN", "ghp_x")
        .variable("GITBOOK_EVENT", "push")
        .variable("GITBOOK_BRANCH", "feature/x+y")
        .variable("GITBOOK_COMMIT", "1111111")
        .variable("GITBOOK_DEFAULT_BRANCH", "main")
        .variable("GITBOOK_REPOSITORY", "gitlab.example.com/acme/docs/hello");
    let folder = repository().integration("hello");
    let ended = run.folder(&folder).runs().await;
    assert_eq!(ended.output("result"), "published", "{}", ended.log());
    let branch = "GET projects/acme%2Fdocs%2Fhello/repository/branches/feature%2Fx%2By";
    let list = "GET projects/acme%2Fdocs%2Fhello/merge_requests?scope=all&source_branch=feature%2Fx%2By&state=opened&per_page=100&page=1";
    assert_eq!(gitlab.project().requests, [branch, branch, list]);
}
