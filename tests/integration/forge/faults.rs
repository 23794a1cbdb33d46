//! Forge failures. The program reports them and publishes the integrations.

use std::time::{Duration, Instant};

use fake_github::{FakeGitHub, Fault, Head};
use serde_json::json;

use super::{on_pull_request, sha};
use crate::support::{Finished, Sandbox, replace_digits_after, repository};

/// Publishes a preview with a fault in every request to the forge.
async fn publish_with_fault(fault: impl Fn(Fault) -> Fault) -> (Finished, FakeGitHub) {
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    for method in ["GET", "POST"] {
        forge.fail(fault(Fault::on(method, "/repos/").always()));
    }
    let folder = repository().integration("hello");
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge).variable("GITBOOK_TIMEOUT", "500ms");
    let finished = run.folder(&folder).run().await;
    assert_eq!(finished.code, Some(0), "{}", finished.log());
    assert_eq!(finished.output("result"), "published");
    assert_eq!(gitbook.names(), ["hello-fix"]);
    assert!(forge.comments(12).is_empty() && forge.deployments().is_empty());
    (finished, forge)
}

async fn notices_after_error(status: u16, message: &str) -> String {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com"});
    let (finished, _) =
        publish_with_fault(|fault| fault.status(status).json(body.clone()).unvalidated()).await;
    if status == 401 { first_notice(&finished) } else { notices(&finished) }
}

/// Returns the warnings and notices.
fn notices(finished: &Finished) -> String {
    let log = replace_digits_after(&finished.log(), "retrying in ", "…");
    let lines = log.lines().filter(|line| line.starts_with("::warning::") || line.starts_with("::notice::"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the first notice. The other notices depend on the order of parallel requests.
fn first_notice(finished: &Finished) -> String {
    assert!(finished.log().contains("comment"), "{}", finished.log());
    notices(finished).lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn reports_a_missing_permission_as_a_notice() {
    insta::assert_snapshot!(notices_after_error(403, "Resource not accessible by integration").await, @"
    ::notice::could not check for a newer commit: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to the permissions of the token
    ::notice::could not check whether the branch is still open: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to the permissions of the token
    ::notice::could not update the comment: the token lacks the permission `pull-requests: write`: 403 Resource not accessible by integration; add `pull-requests: write` to the job's `permissions`, or to the permissions of the token
    ::notice::could not record the GitHub Deployments: the token lacks the permission `deployments: write`: 403 Resource not accessible by integration; add `deployments: write` to the job's `permissions`, or to the permissions of the token
    ");
}

#[tokio::test]
async fn reports_a_rejected_token() {
    insta::assert_snapshot!(notices_after_error(401, "Bad credentials").await, @"::warning::could not check for a newer commit: GitHub rejected the token: 401 Bad credentials; set `GITHUB_TOKEN` to a valid GitHub token; in GitHub Actions, use `${{ github.token }}`");
}

#[tokio::test]
async fn reports_a_repository_that_the_token_cannot_see() {
    insta::assert_snapshot!(notices_after_error(404, "Not Found").await, @"
    ::warning::could not check for a newer commit: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    ::warning::could not check whether the branch is still open: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    ::warning::could not update the comment: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    ");
}

#[tokio::test]
async fn reports_a_rejected_request() {
    insta::assert_snapshot!(notices_after_error(422, "Validation Failed").await, @"
    ::warning::could not check for a newer commit: GitHub rejected the request: 422 Validation Failed; correct the cause that the response names, such as a locked conversation; published integrations are unaffected
    ::warning::could not check whether the branch is still open: GitHub rejected the request: 422 Validation Failed; correct the cause that the response names, such as a locked conversation; published integrations are unaffected
    ::warning::could not update the comment: GitHub rejected the request: 422 Validation Failed; correct the cause that the response names, such as a locked conversation; published integrations are unaffected
    ::warning::could not record the GitHub Deployments: GitHub rejected the request: 422 Validation Failed; correct the cause that the response names, such as a locked conversation; published integrations are unaffected
    ");
}

#[tokio::test]
async fn reports_an_invalid_response() {
    let (finished, _) = publish_with_fault(|fault| fault.status(200).body("<html>Log in</html>")).await;
    insta::assert_snapshot!(notices(&finished), @"
    ::warning::could not check for a newer commit: GitHub sent an unexpected response body with status 200; check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    ::warning::could not check whether the branch is still open: GitHub sent an unexpected response body with status 200; check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    ::warning::could not update the comment: GitHub sent an unexpected response body with status 200; check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    ::warning::could not record the GitHub Deployments: GitHub sent an unexpected response body with status 200; check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    ");
    let (finished, _) =
        publish_with_fault(|fault| fault.status(502).body("<html>::error::gone</html>")).await;
    insta::assert_snapshot!(first_notice(&finished), @"::warning::could not check for a newer commit: GitHub server error: 502 Bad Gateway (not a GitHub response); re-run the job later");
}

#[tokio::test]
async fn reports_an_unreachable_forge() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge)
        .variable("GITHUB_API_URL", "http://127.0.0.1:1")
        .folder(&folder);
    let finished = run.run().await;
    assert_eq!((finished.code, &*finished.output("result")), (Some(0), "published"));
    insta::assert_snapshot!(first_notice(&finished), @"::warning::could not check for a newer commit: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111); check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn waits_only_briefly_for_a_forge_that_does_not_respond() {
    let started = Instant::now();
    let (finished, _) = publish_with_fault(Fault::hang).await;
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    insta::assert_snapshot!(first_notice(&finished), @"::warning::could not check for a newer commit: no response from GitHub within 500ms; check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn does_not_wait_for_a_long_rate_limit() {
    let started = Instant::now();
    let (finished, forge) = publish_with_fault(|fault| {
        let reset = "4102444800";
        let fault = fault.status(403).header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", reset);
        fault.json(json!({"message": "API rate limit exceeded"})).unvalidated()
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    // Parallel requests may be in flight before the first response. No request follows them.
    assert!(forge.requests().len() <= 2, "{:#?}", forge.requests());
    insta::assert_snapshot!(first_notice(&finished), @"::warning::could not check for a newer commit: GitHub rate limit reached: 403 API rate limit exceeded; re-run the job later");
}

#[tokio::test]
async fn waits_for_a_short_rate_limit() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let limit = |method, path| {
        let limit = Fault::on(method, path).status(429).header("retry-after", "1");
        limit.json(json!({"message": "You have exceeded a secondary rate limit"})).unvalidated()
    };
    forge.fail(limit("POST", "/issues/12/comments"));
    forge.fail(limit("POST", "/deployments$"));
    let started = Instant::now();
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge).variable("GITBOOK_RETRIES", "2");
    let finished = run.folder(&folder).run().await;
    assert_eq!(finished.code, Some(0), "{}", finished.log());
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert_eq!((forge.comments(12).len(), forge.deployments().len()), (1, 1));
}

/// The response is lost, but the comment was created. The program finds that comment and creates no second comment.
#[tokio::test]
async fn creates_one_comment_despite_a_lost_response() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    forge.fail(Fault::on("POST", "/issues/12/comments").close_connection().after_effect());
    for run in [100, 101] {
        let run = on_pull_request("opened", '1', run, &gitbook, &forge);
        assert_eq!(run.folder(&folder).run().await.code, Some(0));
    }
    assert_eq!(forge.comments(12).len(), 1, "{:#?}", forge.comments(12));
}

#[tokio::test]
async fn supports_github_enterprise() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge)
        .variable("GITHUB_SERVER_URL", "https://git.example.com")
        .variable("GITHUB_API_URL", format!("{}/", forge.enterprise_url()));
    let finished = run.folder(&folder).run().await;
    assert_eq!(finished.code, Some(0), "{}", finished.log());
    assert_eq!(forge.comments(12).len(), 1);
}
