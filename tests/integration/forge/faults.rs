//! A forge that does not do as it should: that is told, and no deployment fails by it.

use std::time::{Duration, Instant};

use fake_github::{FakeGitHub, Fault, Head};
use serde_json::json;

use super::{on_pull_request, sha};
use crate::support::{Finished, Sandbox, replace_digits_after, repository};

/// A preview that is published with a forge that has this fault, whatever it is asked.
async fn with(fault: impl Fn(Fault) -> Fault) -> (Finished, FakeGitHub) {
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    for method in ["GET", "POST"] {
        forge.fail(fault(Fault::on(method, "/repos/").always()));
    }
    let folder = repository().integration("hello");
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge).variable("GITBOOK_TIMEOUT", "500ms");
    let ended = run.folder(&folder).runs().await;
    assert_eq!(ended.code, Some(0), "{}", ended.log());
    assert_eq!(ended.output("result"), "published");
    assert_eq!(gitbook.names(), ["hello-fix"]);
    assert!(forge.comments(12).is_empty() && forge.deployments().is_empty());
    (ended, forge)
}

async fn said(status: u16, message: &str) -> String {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com"});
    let (ended, _) = with(|fault| fault.status(status).json(body.clone()).unvalidated()).await;
    if status == 401 { told_first(&ended) } else { told(&ended) }
}

/// What is said of the forge, whole.
fn told(ended: &Finished) -> String {
    let log = replace_digits_after(&ended.log(), "trying again in ", "…");
    let lines = log.lines().filter(|line| line.starts_with("::warning::") || line.starts_with("::notice::"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is said of a forge that is given up. Whether the comment was asked for before that is a matter of luck.
fn told_first(ended: &Finished) -> String {
    assert!(ended.log().contains("no comment is kept: "), "{}", ended.log());
    told(ended).lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_missing_permission_is_a_notice_that_names_it() {
    insta::assert_snapshot!(said(403, "Resource not accessible by integration").await, @"
    ::notice::could not check for a newer commit: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to what the token may do
    ::notice::could not check whether the branch was closed meanwhile: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to what the token may do
    ::notice::no comment is kept: the token lacks the permission `pull-requests: write`: 403 Resource not accessible by integration; add `pull-requests: write` to the job's `permissions`, or to what the token may do
    ::notice::no deployments are recorded: the token lacks the permission `deployments: write`: 403 Resource not accessible by integration; add `deployments: write` to the job's `permissions`, or to what the token may do
    ");
}

#[tokio::test]
async fn a_token_that_is_not_accepted() {
    insta::assert_snapshot!(said(401, "Bad credentials").await, @"::warning::could not check for a newer commit: the forge did not accept the token: 401 Bad credentials; pass a token of the forge as `GITHUB_TOKEN`, on GitHub `${{ github.token }}`");
}

#[tokio::test]
async fn a_repository_that_the_token_does_not_see() {
    insta::assert_snapshot!(said(404, "Not Found").await, @"
    ::warning::could not check for a newer commit: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    ::warning::could not check whether the branch was closed meanwhile: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    ::warning::no comment is kept: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    ");
}

#[tokio::test]
async fn a_request_that_is_refused() {
    insta::assert_snapshot!(said(422, "Validation Failed").await, @"
    ::warning::could not check for a newer commit: the forge refused it: 422 Validation Failed; nothing that was published is affected
    ::warning::could not check whether the branch was closed meanwhile: the forge refused it: 422 Validation Failed; nothing that was published is affected
    ::warning::no comment is kept: the forge refused it: 422 Validation Failed; nothing that was published is affected
    ::warning::no deployments are recorded: the forge refused it: 422 Validation Failed; nothing that was published is affected
    ");
}

#[tokio::test]
async fn an_answer_that_is_not_a_forges() {
    let (ended, _) = with(|fault| fault.status(200).body("<html>Log in</html>")).await;
    insta::assert_snapshot!(told(&ended), @"
    ::warning::could not check for a newer commit: the answer, 200, is not a forge's; check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    ::warning::could not check whether the branch was closed meanwhile: the answer, 200, is not a forge's; check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    ::warning::no comment is kept: the answer, 200, is not a forge's; check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    ::warning::no deployments are recorded: the answer, 200, is not a forge's; check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    ");
    let (ended, _) = with(|fault| fault.status(502).body("<html>::error::gone</html>")).await;
    insta::assert_snapshot!(told_first(&ended), @"::warning::could not check for a newer commit: the forge has a problem of its own: 502, not in a forge's own words; run again later");
}

#[tokio::test]
async fn a_forge_that_can_not_be_reached() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge)
        .variable("GITHUB_API_URL", "http://127.0.0.1:1")
        .folder(&folder);
    let ended = run.runs().await;
    assert_eq!((ended.code, &*ended.output("result")), (Some(0), "published"));
    insta::assert_snapshot!(told_first(&ended), @"::warning::could not check for a newer commit: no connection to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111); check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn a_forge_that_never_answers_is_not_waited_for_long() {
    let started = Instant::now();
    let (ended, _) = with(Fault::hang).await;
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    insta::assert_snapshot!(told_first(&ended), @"::warning::could not check for a newer commit: no answer within 500ms; check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn a_rate_limit_that_takes_too_long_is_not_waited_for() {
    let started = Instant::now();
    let (ended, forge) = with(|fault| {
        let reset = "4102444800";
        let fault = fault.status(403).header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", reset);
        fault.json(json!({"message": "API rate limit exceeded"})).unvalidated()
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    // What is asked at the same time first, and nothing after it.
    assert!(forge.requests().len() <= 2, "{:#?}", forge.requests());
    insta::assert_snapshot!(told_first(&ended), @"::warning::could not check for a newer commit: the forge's rate limit is reached: 403 API rate limit exceeded; run again later");
}

#[tokio::test]
async fn a_short_rate_limit_is_obeyed() {
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
    let ended = run.folder(&folder).runs().await;
    assert_eq!(ended.code, Some(0), "{}", ended.log());
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert_eq!((forge.comments(12).len(), forge.deployments().len()), (1, 1));
}

/// A comment whose answer got lost was made all the same: it is found again, and not made twice.
#[tokio::test]
async fn a_comment_is_made_once_even_if_the_answer_is_lost() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    forge.fail(Fault::on("POST", "/issues/12/comments").close_connection().after_effect());
    for run in [100, 101] {
        let run = on_pull_request("opened", '1', run, &gitbook, &forge);
        assert_eq!(run.folder(&folder).runs().await.code, Some(0));
    }
    assert_eq!(forge.comments(12).len(), 1, "{:#?}", forge.comments(12));
}

#[tokio::test]
async fn github_enterprise_has_the_same_api_elsewhere() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge)
        .variable("GITHUB_SERVER_URL", "https://git.example.com")
        .variable("GITHUB_API_URL", format!("{}/", forge.enterprise_url()));
    let ended = run.folder(&folder).runs().await;
    assert_eq!(ended.code, Some(0), "{}", ended.log());
    assert_eq!(forge.comments(12).len(), 1);
}
