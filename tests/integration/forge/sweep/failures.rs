//! Without an answer to each question nothing is deleted, and it is said what to do.

use forge_stand_in::{Fault, Head, StandIn};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{holding, mark, preview, sha, sweep, unconfigured};
use crate::support::{Ended, Sandbox, deployment, said};

/// The lines of the log about the failure.
fn failure(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let log = ended.log();
    log.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n")
}

/// What is said where the branches are not listed, and nothing is deleted.
async fn without_an_answer(fault: Fault) -> String {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b", "c"]).await;
    forge.fail(fault.always());
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-b", "hello-c"]);
    assert_eq!((ended.output("result"), ended.output("count")), ("failed".to_owned(), "0".to_owned()));
    failure(&ended)
}

fn on_list() -> Fault {
    Fault::on("GET", "/branches$")
}

#[tokio::test]
async fn nothing_is_deleted_when_the_branches_are_not_listed() {
    insta::assert_snapshot!(without_an_answer(on_list().status(500)).await, @"
    error: the sweep failed
    cause: could not list the branches, so nothing is deleted: the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    ");
    let denied =
        json!({"message": "Resource not accessible by integration", "documentation_url": "https://x"});
    let denied = on_list().status(403).json(denied).unvalidated();
    insta::assert_snapshot!(without_an_answer(denied).await, @"
    error: the sweep failed
    cause: could not list the branches, so nothing is deleted: the token lacks the permission `contents: read`: 403 Resource not accessible by integration
     hint: add `contents: read` to the job's `permissions`, or to what the token may do
    ");
    let unauthorized = json!({"message": "Bad credentials", "documentation_url": "https://x"});
    let unauthorized = on_list().status(401).json(unauthorized).unvalidated();
    insta::assert_snapshot!(without_an_answer(unauthorized).await, @"
    error: the sweep failed
    cause: could not list the branches, so nothing is deleted: the forge did not accept the token: 401 Bad credentials
     hint: pass a token of the forge as `GITHUB_TOKEN`, on GitHub `${{ github.token }}`
    ");
    insta::assert_snapshot!(without_an_answer(on_list().status(200).body("<html>Hi</html>")).await, @"
    error: the sweep failed
    cause: could not list the branches, so nothing is deleted: the answer, 200, is not a forge's: expected value at line 1 column 1
     hint: check that `GITHUB_API_URL` is the forge's API, and that no proxy answers in its place
    ");
    insta::assert_snapshot!(without_an_answer(on_list().close_connection()).await, @"
    error: the sweep failed
    cause: could not list the branches, so nothing is deleted: the connection broke: connection closed before message completed
     hint: check `GITHUB_API_URL`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
    let list = on_list().status(200).json(json!({})).unvalidated();
    assert!(without_an_answer(list).await.contains("is not a forge's"));
}

#[tokio::test]
async fn a_repository_that_the_token_can_not_see_is_not_gone() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "open"]).await;
    forge.set_branch("open", &sha('1'));
    let unseen = || json!({"message": "Not Found", "documentation_url": "https://x", "status": "404"});
    forge.fail(Fault::on("GET", "/branches/").status(404).json(unseen()).unvalidated().always());
    forge.fail(
        Fault::on("GET", "/repos/acme/integrations$").status(404).json(unseen()).unvalidated().always(),
    );
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    insta::assert_snapshot!(failure(&ended), @"
    error: `hello-a` is kept: could not check that `a` is gone: the forge did not find it: 404 Not Found
     hint: check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    error: 1 of 2 integrations failed
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-open"]);
}

/// Rights to the repository need not be rights to its content.
#[tokio::test]
async fn branches_that_the_token_can_not_see_are_not_gone() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "open"]).await;
    forge.set_branch("open", &sha('1'));
    let unseen = json!({"message": "Not Found", "documentation_url": "https://x", "status": "404"});
    forge.fail(Fault::on("GET", "/branches/").status(404).json(unseen).unvalidated().always());
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    assert!(
        failure(&ended).contains("`hello-a` is kept: could not check that `a` is gone: "),
        "{}",
        ended.log()
    );
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-open"]);
}

#[tokio::test]
async fn a_pull_request_that_is_not_found_is_not_closed() {
    let forge = StandIn::start().await;
    let gitbook = holding(&[]).await;
    let numbered = |name: &str, number: u64| {
        gitbook.set(name, &preview(name, &format!("{} pull_request={number}", mark("fix"))));
    };
    forge.open_pull_request(1, Head::own("fix"), &sha('1'));
    forge.close_pull_request(1);
    numbered("hello-pr1", 1);
    numbered("hello-pr9", 9);
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}");
    insta::assert_snapshot!(failure(&run.runs().await), @"
    error: `hello-pr9` is kept: could not check that pull request #9 is gone: the forge did not find it: 404 Not Found
     hint: check `GITHUB_API_URL` and `GITBOOK_REPOSITORY`, and that the token may see the repository
    error: 1 of 2 integrations failed
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-pr9"]);
}

#[tokio::test]
async fn a_list_of_pull_requests_that_is_denied_closes_none() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["gone"]).await;
    let name = "hello-mona-fix-7e34d0f6";
    gitbook.set(name, &preview(name, &mark("mona%3Afix")));
    let denied =
        json!({"message": "Resource not accessible by integration", "documentation_url": "https://x"});
    forge.fail(Fault::on("GET", "/pulls?").status(403).json(denied).unvalidated().always());
    let told = failure(&sweep(gitbook.endpoint(), &forge).runs().await);
    assert!(told.contains("add `pull-requests: read` to the job's `permissions`"), "{told}");
    assert_eq!(gitbook.names(), ["hello", name]);
}

#[tokio::test]
async fn without_the_forges_token_nothing_is_deleted() {
    let gitbook = holding(&["gone"]).await;
    let run = deployment().against(gitbook.endpoint()).variable("GITBOOK_EVENT", "schedule");
    let run = run.variable("GITBOOK_REPOSITORY", super::REPOSITORY).variable("GITBOOK_ORGANIZATION", "acme");
    let ended = run.runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 1
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: a sweep needs the forge to say which branches are gone, and it can't be asked
     hint: pass its token as `GITHUB_TOKEN`, of GitLab as `GITLAB_TOKEN`; without one, delete a branch's preview with `GITBOOK_MODE=delete` and `GITBOOK_BRANCH`
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-gone"]);
}

#[tokio::test]
async fn without_a_repository_nothing_is_deleted() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["gone"]).await;
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_REPOSITORY", "");
    let ended = run.runs().await;
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert_eq!(gitbook.names(), ["hello", "hello-gone"]);
}

#[tokio::test]
async fn a_list_of_gitbook_that_fails_is_no_empty_list() {
    let forge = StandIn::start().await;
    let server = MockServer::start().await;
    let organizations = json!({"items": [{"id": "o1", "hostname": "acme.gitbook.io"}]});
    let answers = [
        ("/v1/orgs", ResponseTemplate::new(200).set_body_json(organizations)),
        ("/v1/orgs/o1/integrations", said(403, "Not for you")),
    ];
    for (at, answer) in answers {
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server).await;
    }
    insta::assert_snapshot!(failure(&sweep(&server.uri(), &forge).runs().await), @"
    error: the sweep failed
    cause: the integrations of the organization `acme` can't be listed: the token may not do this: 403 Not for you
     hint: the token's user must be allowed to manage integrations of the organization that the manifest names
    ");
    assert_eq!(forge.requests(), []);
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(said(500, "Oh no")).mount(&server).await;
    let told = failure(&sweep(&server.uri(), &forge).runs().await);
    assert!(told.contains("the integrations of the organization `acme` can't be listed"), "{told}");
}

#[tokio::test]
async fn a_deletion_that_fails_stops_no_other() {
    let forge = StandIn::start().await;
    let server = MockServer::start().await;
    let previews = ["a", "b", "c"].map(|branch| preview(&format!("hello-{branch}"), &mark(branch)));
    let answer = |body| ResponseTemplate::new(200).set_body_json(body);
    for one in &previews {
        let at = format!("/v1/integrations/{}", one["name"].as_str().unwrap());
        let deleted = if at.ends_with('b') { said(500, "Oh no") } else { ResponseTemplate::new(205) };
        Mock::given(method("GET")).and(path(&at)).respond_with(answer(one.clone())).mount(&server).await;
        Mock::given(method("DELETE")).and(path(&at)).respond_with(deleted).mount(&server).await;
    }
    let organizations = answer(json!({"items": [{"id": "acme"}]}));
    Mock::given(path("/v1/orgs")).respond_with(organizations).mount(&server).await;
    let list = answer(json!({"items": previews}));
    Mock::given(path("/v1/orgs/acme/integrations")).respond_with(list).mount(&server).await;
    let ended = sweep(&server.uri(), &forge).runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 1
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: deleted `hello-a` (`a` is gone) milliseconds=…
    info: deleted `hello-c` (`c` is gone) milliseconds=…
    info: swept up: 2 deleted, 0 kept
    error: deleting `hello-b` failed, but it may have happened
    cause: GitBook has a problem of its own: 500 Oh no
     hint: run again later; publishing and deleting can be repeated safely
    error: 1 of 3 integrations failed
    "#);
    assert_eq!(super::results(&ended).len(), 3);
}

#[tokio::test]
async fn an_odd_mark_is_asked_for_as_it_is() {
    let forge = StandIn::start().await;
    let gitbook = Sandbox::start().await;
    // printf 'a/b#c%%2F' | sha256sum
    let name = "hello-a-b-c-2f-d8cd7499";
    let odd = preview(name, &mark("a/b%23c%252F"));
    gitbook.set(name, &odd);
    let run = unconfigured(gitbook.endpoint(), &forge).variable("GITBOOK_ORGANIZATION", "acme");
    let ended = run.runs().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let asked: Vec<_> = forge.requests().into_iter().map(|request| request.path).collect();
    assert!(asked[2].ends_with("/branches/a%2Fb%23c%252F"), "{asked:?}");
}

#[tokio::test]
async fn a_branch_that_no_forge_can_have_is_kept_and_stops_no_other() {
    let forge = StandIn::start().await;
    let gitbook = Sandbox::start().await;
    // printf '..' | sha256sum
    let odd = "hello-5ec1f7e7";
    gitbook.set(odd, &preview(odd, &mark("..")));
    gitbook.set("hello-gone", &preview("hello-gone", &mark("gone")));
    let run = unconfigured(gitbook.endpoint(), &forge).variable("GITBOOK_ORGANIZATION", "acme");
    let ended = run.runs().await;
    assert_eq!((ended.code, gitbook.names()), (Some(1), vec![odd.to_owned()]), "{ended:#?}");
    let said =
        format!("`{odd}` is kept: Git allows no branch named `..`, so the forge cannot be asked about it");
    assert!(ended.log().contains(&said), "{}", ended.log());
}
