//! The forge does not say what it is asked: the deployment goes on, and the log says what was not asked.

use forge_stand_in::Fault;
use serde_json::json;

use super::{World, log, result, sha, with_branch, with_pull_request, world};
use crate::support::Deployment;

/// The warnings and notices of a run, which publishes all the same.
async fn warnings(run: Deployment) -> String {
    let ended = run.runs().await;
    assert_eq!(result(&ended), "published");
    let log = log(&ended);
    let warnings = log.lines().filter(|line| !line.starts_with("info: ") && !line.starts_with("exit "));
    // What is asked at the same time is answered in any order.
    let mut warnings: Vec<_> = warnings.collect();
    warnings.sort_unstable();
    warnings.join("\n")
}

/// A run that neither comments nor records deployments.
fn quiet(run: Deployment) -> Deployment {
    run.variable("GITBOOK_COMMENT", "false").variable("GITBOOK_DEPLOYMENTS", "false")
}

/// What is said when every question for the branch comes to this.
async fn of_branch(fault: impl Fn(Fault) -> Fault) -> String {
    let world = with_branch().await;
    world.forge.fail(fault(Fault::on("GET", "/branches/fix")).always());
    let warnings = warnings(quiet(world.push("fix", '1', 100))).await;
    assert_eq!(world.published(), ["hello-fix: commit 1, run 100"]);
    warnings
}

fn said(message: &str) -> serde_json::Value {
    json!({"message": message, "documentation_url": "https://docs.github.com/rest"})
}

#[tokio::test]
async fn a_failure_of_the_forge_s_own() {
    insta::assert_snapshot!(of_branch(|fault| fault.status(500)).await, @"warning: could not check for a newer commit: the forge has a problem of its own: 500, not in a forge's own words; run again later");
    insta::assert_snapshot!(of_branch(|fault| fault.status(502).body("<html>Bad gateway</html>")).await, @"warning: could not check for a newer commit: the forge has a problem of its own: 502, not in a forge's own words; run again later");
    insta::assert_snapshot!(of_branch(Fault::close_connection).await, @"warning: could not check for a newer commit: the connection broke: connection closed before message completed; check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn a_token_that_is_not_accepted() {
    let fault = |fault: Fault| fault.status(401).json(said("Bad credentials"));
    insta::assert_snapshot!(of_branch(fault).await, @"warning: could not check for a newer commit: the forge did not accept the token: 401 Bad credentials; pass a token of the forge as `GITHUB_TOKEN`, on GitHub `${{ github.token }}`");
}

#[tokio::test]
async fn a_token_that_may_not_read_branches() {
    let fault = |fault: Fault| fault.status(403).json(said("Resource not accessible by integration"));
    insta::assert_snapshot!(of_branch(fault).await, @"
    notice: could not check for a newer commit: the token lacks the permission `contents: read`: 403 Resource not accessible by integration; add `contents: read` to the job's `permissions`, or to what the token may do
    notice: could not check whether the branch was closed meanwhile: the token lacks the permission `contents: read`: 403 Resource not accessible by integration; add `contents: read` to the job's `permissions`, or to what the token may do
    ");
}

#[tokio::test]
async fn a_token_that_may_not_read_pull_requests() {
    let world = with_pull_request().await;
    let fault = Fault::on("GET", "/pulls/12").status(403);
    world.forge.fail(fault.json(said("Resource not accessible by integration")).always());
    let run = quiet(world.pull_request("opened", '1', 100));
    insta::assert_snapshot!(warnings(run).await, @"
    notice: could not check for a newer commit: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to what the token may do
    notice: could not check whether the branch was closed meanwhile: the token lacks the permission `pull-requests: read`: 403 Resource not accessible by integration; add `pull-requests: read` to the job's `permissions`, or to what the token may do
    ");
    assert_eq!(world.published(), ["hello-fix: commit 1, run 100"]);
}

/// That is no news of the branch: the same is said of a repository that the token can't see.
#[tokio::test]
async fn a_repository_that_the_token_can_t_see() {
    let world = with_branch().await;
    let fault = Fault::on("GET", "/repos/acme/integrations").status(404);
    world.forge.fail(fault.json(said("Not Found")).always());
    insta::assert_snapshot!(warnings(quiet(world.push("fix", '1', 100))).await, @"
    warning: could not check for a newer commit: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    warning: could not check whether the branch was closed meanwhile: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    ");

    let world = with_pull_request().await;
    let fault = Fault::on("GET", "/repos/acme/integrations").status(404);
    world.forge.fail(fault.json(said("Not Found")).always());
    let run = quiet(world.pull_request("opened", '1', 100));
    insta::assert_snapshot!(warnings(run).await, @"
    warning: could not check for a newer commit: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    warning: could not check whether the branch was closed meanwhile: the forge did not find it: 404 Not Found; check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    ");
}

#[tokio::test]
async fn a_page_of_somebody_else_s() {
    let fault = |fault: Fault| fault.status(200).body("<html>Please log in</html>");
    insta::assert_snapshot!(of_branch(fault).await, @"
    warning: could not check for a newer commit: the answer, 200, is not a forge's; check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    warning: could not check whether the branch was closed meanwhile: the answer, 200, is not a forge's; check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    ");
}

#[tokio::test]
async fn no_answer() {
    let world = with_branch().await;
    world.forge.fail(Fault::on("GET", "/branches/fix").hang().always());
    let run = quiet(world.push("fix", '1', 100)).variable("GITBOOK_TIMEOUT", "2s");
    insta::assert_snapshot!(warnings(run).await, @"warning: could not check for a newer commit: no answer within 2s; check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

/// Everything that a run wants of it is missed once, and none of it fails the run.
#[tokio::test]
async fn no_forge() {
    let world = with_branch().await;
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let run = quiet(world.push("fix", '1', 100)).variable("GITHUB_API_URL", format!("http://{nobody}"));
    insta::assert_snapshot!(warnings(run).await, @"warning: could not check for a newer commit: no connection to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111); check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy");
}

#[tokio::test]
async fn production_is_published_to_all_the_same() {
    let world = world().await;
    world.forge.fail(Fault::on("GET", "/branches/main").always());
    insta::assert_snapshot!(warnings(quiet(world.push("main", '1', 100))).await, @"warning: could not check for a newer commit: the forge has a problem of its own: 500, not in a forge's own words; run again later");
    assert_eq!(world.published(), ["hello"]);
}

/// It fails at the start of the run only, and a newer commit came meanwhile.
#[tokio::test]
async fn a_forge_that_answers_again_is_asked_before_the_first_attempt() {
    for status in [503, 429] {
        let world = with_branch().await;
        world.forge.set_branch("fix", &sha('2'));
        let fault = Fault::on("GET", "/branches/fix").status(status).json(said("Later")).unvalidated();
        world.forge.fail(fault);
        let run = quiet(world.push("fix", '1', 100)).variable("GITBOOK_RETRIES", "0");
        assert_eq!(result(&run.runs().await), "skipped", "{status}");
        assert_eq!(world.published(), [""; 0]);
    }
}

/// A preview of what is closed is deleted, whether or not the forge says that it is.
#[tokio::test]
async fn a_preview_is_deleted_all_the_same() {
    let world = with_branch().await;
    assert_eq!(result(&world.push("fix", '1', 100).runs().await), "published");
    world.forge.delete_branch("fix");
    world.forge.fail(Fault::on("GET", "/branches/fix").always());
    let ended = quiet(world.delete("fix", 101)).runs().await;
    assert_eq!(result(&ended), "deleted");
    insta::assert_snapshot!(log(&ended), @r#"
    exit 0
    info: delete: branch `fix` was deleted system="GitHub Actions" by=GITHUB_ACTIONS event="branch deleted" branch=fix repository=github.com/acme/integrations
    warning: could not check whether the branch is open again: the forge has a problem of its own: 500, not in a forge's own words; run again later
    info: could not check whether the branch is open again: the forge was given up, since the forge has a problem of its own: 500, not in a forge's own words
    info: deleted `hello-fix` milliseconds=…
    "#);
}

/// The mark is asked in the forge's place.
#[tokio::test]
async fn a_newer_run_s_mark_still_wins() {
    let world = with_branch().await;
    let newer = |world: &World| world.push("fix", '2', 101);
    world.forge.set_branch("fix", &sha('2'));
    assert_eq!(result(&newer(&world).runs().await), "published");
    world.forge.fail(Fault::on("GET", "/branches/fix").always());
    assert_eq!(result(&world.push("fix", '1', 100).runs().await), "skipped");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
}
