//! Failed checks of a sweep. Without a complete response from the forge, the sweep deletes no preview.

use fake_github::{FakeGitHub, Fault, Head};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{gitbook_with_previews, ownership_marker, preview, sha, sweep, sweep_without_organization};
use crate::support::{Finished, Sandbox, api_error, deployment};

/// Returns the log lines from the first error on. Asserts that the sweep fails.
fn failure(finished: &Finished) -> String {
    assert_eq!(finished.code, Some(1), "{finished:#?}");
    let log = finished.log();
    log.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n")
}

/// Sweeps with this fault in every request for the list of branches, and returns the error lines. Asserts that no preview is
/// deleted.
async fn failure_without_branch_list(fault: Fault) -> String {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b", "c"]).await;
    forge.fail(fault.always());
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-b", "hello-c"]);
    assert_eq!((finished.output("result"), finished.output("count")), ("failed".to_owned(), "0".to_owned()));
    failure(&finished)
}

fn branch_list_fault() -> Fault {
    Fault::on("GET", "/branches$")
}

#[tokio::test]
async fn deletes_nothing_without_a_list_of_branches() {
    insta::assert_snapshot!(failure_without_branch_list(branch_list_fault().status(500)).await, @"
    error: sweep failed
    cause: could not list the branches, so nothing was deleted: GitHub server error: 500 Internal Server Error (not a GitHub response): GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    ");
    let denied =
        json!({"message": "Resource not accessible by integration", "documentation_url": "https://x"});
    let denied = branch_list_fault().status(403).json(denied).unvalidated();
    insta::assert_snapshot!(failure_without_branch_list(denied).await, @"
    error: sweep failed
    cause: could not list the branches, so nothing was deleted: the token lacks the permission `contents: read`: 403 Resource not accessible by integration
     hint: add `contents: read` to the job's `permissions`, or to the permissions of the token
    ");
    let unauthorized = json!({"message": "Bad credentials", "documentation_url": "https://x"});
    let unauthorized = branch_list_fault().status(401).json(unauthorized).unvalidated();
    insta::assert_snapshot!(failure_without_branch_list(unauthorized).await, @"
    error: sweep failed
    cause: could not list the branches, so nothing was deleted: GitHub rejected the token: 401 Bad credentials: GitHub rejected the token: 401 Bad credentials
     hint: set `GITHUB_TOKEN` to a valid GitHub token; in GitHub Actions, use `${{ github.token }}`
    ");
    insta::assert_snapshot!(failure_without_branch_list(branch_list_fault().status(200).body("<html>Hi</html>")).await, @"
    error: sweep failed
    cause: could not list the branches, so nothing was deleted: GitHub sent an unexpected response body with status 200: GitHub sent an unexpected response body with status 200: expected value at line 1 column 1
     hint: check that `GITHUB_API_URL` is the URL of the API and that no proxy intercepts the requests
    ");
    insta::assert_snapshot!(failure_without_branch_list(branch_list_fault().close_connection()).await, @"
    error: sweep failed
    cause: could not list the branches, so nothing was deleted: connection to GitHub lost: connection closed before message completed: connection to GitHub lost: connection closed before message completed
     hint: check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
    let list = branch_list_fault().status(200).json(json!({})).unvalidated();
    assert!(failure_without_branch_list(list).await.contains("200"));
}

#[tokio::test]
async fn keeps_previews_if_the_token_cannot_see_the_repository() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "open"]).await;
    forge.set_branch("open", &sha('1'));
    let not_found = || json!({"message": "Not Found", "documentation_url": "https://x", "status": "404"});
    forge.fail(Fault::on("GET", "/branches/").status(404).json(not_found()).unvalidated().always());
    forge.fail(
        Fault::on("GET", "/repos/acme/integrations$").status(404).json(not_found()).unvalidated().always(),
    );
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    insta::assert_snapshot!(failure(&finished), @"
    error: `hello-a` was kept: could not check whether branch `a` is still open: GitHub resource not found: 404 Not Found
     hint: check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    error: 1 of 2 integrations failed
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-open"]);
}

/// The token can see the repository, but not its branches.
#[tokio::test]
async fn keeps_previews_if_the_token_cannot_see_the_branches() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "open"]).await;
    forge.set_branch("open", &sha('1'));
    let not_found = json!({"message": "Not Found", "documentation_url": "https://x", "status": "404"});
    forge.fail(Fault::on("GET", "/branches/").status(404).json(not_found).unvalidated().always());
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    assert!(failure(&finished).contains("`hello-a`"), "{}", finished.log());
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-open"]);
}

#[tokio::test]
async fn keeps_the_preview_of_an_unknown_pull_request() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&[]).await;
    let store_preview = |name: &str, number: u64| {
        gitbook.set(name, &preview(name, &format!("{} pull_request={number}", ownership_marker("fix"))));
    };
    forge.open_pull_request(1, Head::own("fix"), &sha('1'));
    forge.close_pull_request(1);
    store_preview("hello-pr1", 1);
    store_preview("hello-pr9", 9);
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}");
    insta::assert_snapshot!(failure(&run.run().await), @"
    error: `hello-pr9` was kept: could not check whether pull request #9 is still open: GitHub resource not found: 404 Not Found
     hint: check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token can read the repository
    error: 1 of 2 integrations failed
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-pr9"]);
}

#[tokio::test]
async fn keeps_previews_if_listing_pull_requests_is_denied() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["gone"]).await;
    let name = "hello-mona-fix-7e34d0f6";
    gitbook.set(name, &preview(name, &ownership_marker("mona%3Afix")));
    let denied =
        json!({"message": "Resource not accessible by integration", "documentation_url": "https://x"});
    forge.fail(Fault::on("GET", "/pulls?").status(403).json(denied).unvalidated().always());
    let outcome = failure(&sweep(gitbook.endpoint(), &forge).run().await);
    assert!(outcome.contains("`pull-requests: read`"), "{outcome}");
    assert_eq!(gitbook.names(), ["hello", name]);
}

#[tokio::test]
async fn deletes_nothing_without_a_forge_token() {
    let gitbook = gitbook_with_previews(&["gone"]).await;
    let run = deployment().with_endpoint(gitbook.endpoint()).variable("GITBOOK_EVENT", "schedule");
    let run = run.variable("GITBOOK_REPOSITORY", super::REPOSITORY).variable("GITBOOK_ORGANIZATION", "acme");
    let finished = run.run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    error: cannot sweep: the branches cannot be listed: `GITHUB_TOKEN` is not set
     hint: set `GITHUB_TOKEN`; without a sweep, delete the previews of one branch with `GITBOOK_MODE=delete` and `GITBOOK_BRANCH`
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-gone"]);
}

#[tokio::test]
async fn deletes_nothing_without_a_repository() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["gone"]).await;
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_REPOSITORY", "");
    let finished = run.run().await;
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert_eq!(gitbook.names(), ["hello", "hello-gone"]);
}

#[tokio::test]
async fn fails_if_the_integrations_cannot_be_listed() {
    let forge = FakeGitHub::start().await;
    let server = MockServer::start().await;
    let organizations = json!({"items": [{"id": "o1", "hostname": "acme.gitbook.io"}]});
    let answers = [
        ("/v1/orgs", ResponseTemplate::new(200).set_body_json(organizations)),
        ("/v1/orgs/o1/integrations", api_error(403, "Not for you")),
    ];
    for (at, answer) in answers {
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server).await;
    }
    insta::assert_snapshot!(failure(&sweep(&server.uri(), &forge).run().await), @"
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: the token lacks a permission: 403 Not for you
     hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    ");
    assert_eq!(forge.requests(), []);
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(api_error(500, "Oh no")).mount(&server).await;
    let outcome = failure(&sweep(&server.uri(), &forge).run().await);
    assert!(outcome.contains("`acme`"), "{outcome}");
}

#[tokio::test]
async fn a_failed_deletion_does_not_stop_the_other_deletions() {
    let forge = FakeGitHub::start().await;
    let server = MockServer::start().await;
    let previews =
        ["a", "b", "c"].map(|branch| preview(&format!("hello-{branch}"), &ownership_marker(branch)));
    let answer = |body| ResponseTemplate::new(200).set_body_json(body);
    for one in &previews {
        let at = format!("/v1/integrations/{}", one["name"].as_str().unwrap());
        let deleted = if at.ends_with('b') { api_error(500, "Oh no") } else { ResponseTemplate::new(205) };
        Mock::given(method("GET")).and(path(&at)).respond_with(answer(one.clone())).mount(&server).await;
        Mock::given(method("DELETE")).and(path(&at)).respond_with(deleted).mount(&server).await;
    }
    let organizations = answer(json!({"items": [{"id": "acme"}]}));
    Mock::given(path("/v1/orgs")).respond_with(organizations).mount(&server).await;
    let list = answer(json!({"items": previews}));
    Mock::given(path("/v1/orgs/acme/integrations")).respond_with(list).mount(&server).await;
    let finished = sweep(&server.uri(), &forge).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    info: deleted hello-a (… s): branch `a` was deleted
    info: deleted hello-c (… s): branch `c` was deleted
    info: sweep: deleted 2 previews, kept 0
    error: deleting `hello-b` failed, but may have taken effect
    cause: GitBook server error: 500 Oh no
     hint: re-run the job later; publishing and deleting are safe to repeat
    error: 1 of 3 integrations failed
    ");
    assert_eq!(super::results(&finished).len(), 3);
}

#[tokio::test]
async fn encodes_unusual_branch_names() {
    let forge = FakeGitHub::start().await;
    let gitbook = Sandbox::start().await;
    // The suffix is the beginning of the branch's SHA-256: `printf 'a/b#c%%2F' | sha256sum`.
    let name = "hello-a-b-c-2f-d8cd7499";
    let stored_preview = preview(name, &ownership_marker("a/b%23c%252F"));
    gitbook.set(name, &stored_preview);
    let run = sweep_without_organization(gitbook.endpoint(), &forge).variable("GITBOOK_ORGANIZATION", "acme");
    let finished = run.run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let received: Vec<_> = forge.requests().into_iter().map(|request| request.path).collect();
    assert!(received[2].ends_with("/branches/a%2Fb%23c%252F"), "{received:?}");
}

#[tokio::test]
async fn keeps_a_preview_with_an_invalid_branch_name() {
    let forge = FakeGitHub::start().await;
    let gitbook = Sandbox::start().await;
    // The suffix is the beginning of the branch's SHA-256: `printf '..' | sha256sum`.
    let preview_name = "hello-5ec1f7e7";
    gitbook.set(preview_name, &preview(preview_name, &ownership_marker("..")));
    gitbook.set("hello-gone", &preview("hello-gone", &ownership_marker("gone")));
    let run = sweep_without_organization(gitbook.endpoint(), &forge).variable("GITBOOK_ORGANIZATION", "acme");
    let finished = run.run().await;
    assert_eq!((finished.code, gitbook.names()), (Some(1), vec![preview_name.to_owned()]), "{finished:#?}");
    insta::assert_snapshot!(failure(&finished), @"
    error: `hello-5ec1f7e7` was kept: the branch `..` in its ownership marker is not a valid Git branch name
     hint: delete the preview in GitBook if no branch uses it
    error: 1 of 2 integrations failed
    ");
}
