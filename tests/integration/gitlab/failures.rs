//! GitLab failures and missing permissions. The program reports them and publishes the preview.

use std::time::Duration;

use serde_json::json;
use wiremock::ResponseTemplate;

use super::log_lines;
use crate::support::{Finished, GitLab, Sandbox, deployment, gitlab_error, merge_request, repository};

/// Publishes a preview while GitLab sends this response to every request that contains a text.
async fn publish_with_response(request_text: &'static str, answer: ResponseTemplate) -> Finished {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    gitlab.project().faults.push((request_text, answer));
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    let folder = repository().integration("hello");
    let finished = job.folder(&folder).run().await;
    assert_eq!(
        (finished.code, gitbook.names()),
        (Some(0), vec!["hello-fix".to_owned()]),
        "{}",
        finished.log()
    );
    finished
}

/// Returns the warnings, notices and errors of a run with this response.
async fn failure_lines(request_text: &'static str, answer: ResponseTemplate) -> String {
    log_lines(&publish_with_response(request_text, answer).await, &["warning", "notice", "error"])
}

#[tokio::test]
async fn reports_the_missing_permission() {
    let error = |error: &str, description: &str| {
        ResponseTemplate::new(403).set_body_json(json!({"error": error, "error_description": description}))
    };
    let scope = || error("insufficient_scope", "The request requires higher privileges.");
    insta::assert_snapshot!(failure_lines("POST", scope()).await, @"notice: could not write the comment on merge request !12: the token lacks the scope `api`, or its user lacks the role Reporter: 403 The request requires higher privileges.; give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write");
    insta::assert_snapshot!(failure_lines("", gitlab_error(403, "403 Forbidden")).await, @"
    notice: could not check for a newer commit: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden; give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    notice: could not check whether the branch is still open: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden; give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    notice: could not update the comment: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden; give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    ");
}

/// Without the token's user, the program cannot recognize its own note, and creates no second note.
#[tokio::test]
async fn writes_one_note_without_a_known_user() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    let folder = repository().integration("hello");
    gitlab.project().faults.push(("GET user", gitlab_error(403, "403 Forbidden")));
    let mut lines_of_jobs = Vec::new();
    for commit in ['1', '2'] {
        gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), commit));
        let job = gitlab.merge_request_job(commit, 100).with_endpoint(gitbook.endpoint());
        lines_of_jobs.push(log_lines(&job.folder(&folder).run().await, &["notice", "info: the comment"]));
    }
    insta::assert_snapshot!(lines_of_jobs.join("\n"), @"

    notice: could not update the comment: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden; give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    ");
    assert_eq!(gitlab.project().notes.len(), 1);
}

#[tokio::test]
async fn sends_a_rejected_token_only_once() {
    insta::assert_snapshot!(failure_lines("", gitlab_error(401, "401 Unauthorized")).await, @"warning: could not check for a newer commit: GitLab rejected the token: 401 Unauthorized; set `GITLAB_TOKEN` to an unexpired project access token with the scope `api`; `CI_JOB_TOKEN` is not accepted");
}

#[tokio::test]
async fn reports_a_project_that_the_token_cannot_see() {
    insta::assert_snapshot!(failure_lines("", gitlab_error(404, "404 Project Not Found")).await, @"
    warning: could not check for a newer commit: GitLab resource not found: 404 Project Not Found; check `CI_API_V4_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    warning: could not check whether the branch is still open: GitLab resource not found: 404 Project Not Found; check `CI_API_V4_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    warning: could not update the comment: GitLab resource not found: 404 Project Not Found; check `CI_API_V4_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    ");
}

#[tokio::test]
async fn reports_validation_errors() {
    let answer = ResponseTemplate::new(400).set_body_json(json!({"message": {"note": ["is too long"]}}));
    insta::assert_snapshot!(failure_lines("POST", answer).await, @r#"warning: could not write the comment on merge request !12: GitLab rejected the request: 400 {"note":["is too long"]}; correct the cause that the response names, such as a locked conversation; published integrations are unaffected"#);
}

#[tokio::test]
async fn waits_only_once_if_gitlab_does_not_respond() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().latency = Duration::from_secs(30);
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    let started = std::time::Instant::now();
    let job = job.variable("GITBOOK_TIMEOUT", "500ms");
    let folder = repository().integration("hello");
    let finished = job.folder(&folder).run().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((finished.code, gitbook.names()), (Some(0), vec!["hello-fix".to_owned()]));
    insta::assert_snapshot!(log_lines(&finished, &["warning", "notice", "error"]), @"warning: could not check for a newer commit: no response from GitLab within 500ms; check `CI_API_V4_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn sends_no_request_without_a_token() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    // GitHub's token is not used for GitLab.
    let job = job.variable("GITLAB_TOKEN", "").variable("GITHUB_TOKEN", "ghp_x");
    let folder = repository().integration("hello");
    let finished = job.folder(&folder).run().await;
    let full_log = finished.full_log();
    let notice = full_log.lines().find(|line| line.contains("GITLAB_TOKEN")).unwrap();
    insta::assert_snapshot!(notice, @"info: `GITLAB_TOKEN` is not set, so this run writes no merge request comment, and does not check for newer commits or closed branches");
    assert_eq!((finished.output("result"), gitlab.project().requests.len()), ("published".to_owned(), 0));
}

/// Without the project's ID, the program uses its path. It does not send GitHub's token.
#[tokio::test]
async fn uses_the_project_path_outside_gitlab_ci() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("feature/x+y".to_owned(), "1".repeat(40));
    let run = deployment()
        .with_endpoint(gitbook.endpoint())
        .variable("CI_API_V4_URL", gitlab.root())
        .variable("GITLAB_TOKEN", format!("{}\n", crate::support::GITLAB_TOKEN))
        .variable("GITHUB_TOKEN", "ghp_x")
        .variable("GITBOOK_EVENT", "push")
        .variable("GITBOOK_BRANCH", "feature/x+y")
        .variable("GITBOOK_COMMIT", "1111111")
        .variable("GITBOOK_DEFAULT_BRANCH", "main")
        .variable("GITBOOK_REPOSITORY", "gitlab.example.com/acme/docs/hello");
    let folder = repository().integration("hello");
    let finished = run.folder(&folder).run().await;
    assert_eq!(finished.output("result"), "published", "{}", finished.log());
    let branch = "GET projects/acme%2Fdocs%2Fhello/repository/branches/feature%2Fx%2By";
    let list = "GET projects/acme%2Fdocs%2Fhello/merge_requests?scope=all&source_branch=feature%2Fx%2By&state=opened&per_page=100&page=1";
    assert_eq!(gitlab.project().requests, [branch, branch, list]);
}
