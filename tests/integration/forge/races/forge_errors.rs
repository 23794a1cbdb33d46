//! Failed staleness checks. The run publishes anyway, and the log names the check that failed.

use fake_github::Fault;
use serde_json::json;

use super::{TestEnvironment, log, result, set_up, sha, with_branch, with_pull_request};
use crate::support::Deployment;

/// Returns the warnings and notices of a successful run.
async fn warnings(run: Deployment) -> String {
    let finished = run.run().await;
    assert_eq!(result(&finished), "published");
    let log = log(&finished);
    let warnings = log.lines().filter(|line| !line.starts_with("info: ") && !line.starts_with("exit "));
    // Parallel requests finish in any order.
    let mut warnings: Vec<_> = warnings.collect();
    warnings.sort_unstable();
    warnings.join("\n")
}

/// Disables the comment and the deployments.
fn without_comment_and_deployments(run: Deployment) -> Deployment {
    run.variable("GITBOOK_COMMENT", "false").variable("GITBOOK_DEPLOYMENTS", "false")
}

/// Publishes a preview with this fault in every request for the branch, and returns the warnings.
async fn warnings_with_branch_fault(fault: impl Fn(Fault) -> Fault) -> String {
    let environment = with_branch().await;
    environment.forge.fail(fault(Fault::on("GET", "/branches/fix")).always());
    let warnings = warnings(without_comment_and_deployments(environment.push("fix", '1', 100))).await;
    assert_eq!(environment.published(), ["hello-fix: commit 1, run 100"]);
    warnings
}

fn error_body(message: &str) -> serde_json::Value {
    json!({"message": message, "documentation_url": "https://docs.github.com/rest"})
}

#[tokio::test]
async fn reports_a_server_error() {
    insta::assert_snapshot!(warnings_with_branch_fault(|fault| fault.status(500)).await, @"warning: could not check for a newer commit: GitHub server error: 500 Internal Server Error (not a GitHub response); re-run the job later");
    insta::assert_snapshot!(warnings_with_branch_fault(|fault| fault.status(502).body("<html>Bad gateway</html>")).await, @"warning: could not check for a newer commit: GitHub server error: 502 Bad Gateway (not a GitHub response); re-run the job later");
    insta::assert_snapshot!(warnings_with_branch_fault(Fault::close_connection).await, @"warning: could not check for a newer commit: connection to GitHub lost: connection closed before message completed; check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn reports_a_rejected_token() {
    let fault = |fault: Fault| fault.status(401).json(error_body("Bad credentials"));
    insta::assert_snapshot!(warnings_with_branch_fault(fault).await, @"warning: could not check for a newer commit: GitHub rejected the token: 401 Bad credentials; set `GITHUB_TOKEN` to a valid GitHub token; in GitHub Actions, use `${{ github.token }}`");
}

#[tokio::test]
async fn reports_a_token_without_access_to_branches() {
    let fault = |fault: Fault| fault.status(403).json(error_body("Resource not accessible by integration"));
    insta::assert_snapshot!(warnings_with_branch_fault(fault).await, @"
    notice: could not check for a newer commit: the token lacks the permission `contents: read`: 403 Resource not accessible by integration; add `contents: read` to the job's `permissions`, or to the permissions of the token
    notice: could not check whether the branch is still open: the token lacks the permission `contents: read`: 403 Resource not accessible by integration; add `contents: read` to the job's `permissions`, or to the permissions of the token
    ");
}

#[tokio::test]
async fn reports_a_token_without_access_to_pull_requests() {
    let environment = with_pull_request().await;
    let fault = Fault::on("GET", "/pulls/12").status(403);
    environment.forge.fail(fault.json(error_body("Resource not accessible by integration")).always());
    let run = without_comment_and_deployments(environment.pull_request("opened", '1', 100));
    insta::assert_snapshot!(warnings(run).await, @"
    notice: could not check for a newer commit: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to the permissions of the token
    notice: could not check whether the branch is still open: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to the permissions of the token
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 1, run 100"]);
}

/// The forge sends the same 404 for a missing branch and for a repository that the token cannot see.
#[tokio::test]
async fn reports_a_repository_that_the_token_cannot_see() {
    let environment = with_branch().await;
    let fault = Fault::on("GET", "/repos/acme/integrations").status(404);
    environment.forge.fail(fault.json(error_body("Not Found")).always());
    insta::assert_snapshot!(warnings(without_comment_and_deployments(environment.push("fix", '1', 100))).await, @"
    warning: could not check for a newer commit: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    warning: could not check whether the branch is still open: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    ");

    let environment = with_pull_request().await;
    let fault = Fault::on("GET", "/repos/acme/integrations").status(404);
    environment.forge.fail(fault.json(error_body("Not Found")).always());
    let run = without_comment_and_deployments(environment.pull_request("opened", '1', 100));
    insta::assert_snapshot!(warnings(run).await, @"
    warning: could not check for a newer commit: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    warning: could not check whether the branch is still open: GitHub resource not found: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    ");
}

#[tokio::test]
async fn reports_a_proxy_page() {
    let fault = |fault: Fault| fault.status(200).body("<html>Please log in</html>");
    insta::assert_snapshot!(warnings_with_branch_fault(fault).await, @"
    warning: could not check for a newer commit: GitHub sent an unexpected response body with status 200; check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    warning: could not check whether the branch is still open: GitHub sent an unexpected response body with status 200; check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    ");
}

#[tokio::test]
async fn reports_a_timeout() {
    let environment = with_branch().await;
    environment.forge.fail(Fault::on("GET", "/branches/fix").hang().always());
    let run =
        without_comment_and_deployments(environment.push("fix", '1', 100)).variable("GITBOOK_TIMEOUT", "2s");
    insta::assert_snapshot!(warnings(run).await, @"warning: could not check for a newer commit: no response from GitHub within 2s; check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

/// The program reports the first failed check only, and the run succeeds.
#[tokio::test]
async fn reports_an_unreachable_forge() {
    let environment = with_branch().await;
    let unused_address = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let run = without_comment_and_deployments(environment.push("fix", '1', 100))
        .variable("GITHUB_API_URL", format!("http://{unused_address}"));
    insta::assert_snapshot!(warnings(run).await, @"warning: could not check for a newer commit: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111); check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn publishes_to_production_despite_failed_checks() {
    let environment = set_up().await;
    environment.forge.fail(Fault::on("GET", "/branches/main").always());
    insta::assert_snapshot!(warnings(without_comment_and_deployments(environment.push("main", '1', 100))).await, @"warning: could not check for a newer commit: GitHub server error: 500 Internal Server Error (not a GitHub response); re-run the job later");
    assert_eq!(environment.published(), ["hello"]);
}

/// The first check fails. The second check, before the first attempt to publish, finds a newer commit.
#[tokio::test]
async fn repeats_a_failed_check_before_the_first_attempt() {
    for status in [503, 429] {
        let environment = with_branch().await;
        environment.forge.set_branch("fix", &sha('2'));
        let fault = Fault::on("GET", "/branches/fix").status(status);
        environment.forge.fail(fault.json(error_body("Later")).unvalidated());
        let run = without_comment_and_deployments(environment.push("fix", '1', 100));
        let run = run.variable("GITBOOK_RETRIES", "0");
        assert_eq!(result(&run.run().await), "skipped", "{status}");
        assert_eq!(environment.published(), [""; 0]);
    }
}

/// The preview of a deleted branch is deleted even if the program cannot check that the branch is still deleted.
#[tokio::test]
async fn deletes_a_preview_despite_failed_checks() {
    let environment = with_branch().await;
    assert_eq!(result(&environment.push("fix", '1', 100).run().await), "published");
    environment.forge.delete_branch("fix");
    environment.forge.fail(Fault::on("GET", "/branches/fix").always());
    let finished = without_comment_and_deployments(environment.delete("fix", 101)).run().await;
    assert_eq!(result(&finished), "deleted");
    insta::assert_snapshot!(log(&finished), @"
    exit 0
    warning: could not check whether the branch is still closed: GitHub server error: 500 Internal Server Error (not a GitHub response); re-run the job later
    info: could not check whether the branch is still closed: request skipped after an earlier failure: GitHub server error: 500 Internal Server Error (not a GitHub response)
    info: deleted hello-fix (… s)
    ");
}

/// The ownership marker shows that a newer run has published the preview.
#[tokio::test]
async fn keeps_the_preview_of_a_newer_run_despite_failed_checks() {
    let environment = with_branch().await;
    let newer = |environment: &TestEnvironment| environment.push("fix", '2', 101);
    environment.forge.set_branch("fix", &sha('2'));
    assert_eq!(result(&newer(&environment).run().await), "published");
    environment.forge.fail(Fault::on("GET", "/branches/fix").always());
    assert_eq!(result(&environment.push("fix", '1', 100).run().await), "skipped");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
}
