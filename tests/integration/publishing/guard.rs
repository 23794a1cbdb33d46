//! Nothing is overwritten or deleted that is not this repository's and branch's own preview.

use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{kept, push};
use crate::support::{Deployment, Recorded as _, deployment, published, repeated_with, repository, said};

const MARK: &str = "<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/integrations branch=fix commit=0123 run=7 hash=00 -->";

/// A GitBook where `hello-fix` is already, with this summary. Publishing and deleting are not answered.
async fn holding(summary: &str) -> MockServer {
    holding_with(summary, "private").await
}

async fn holding_with(summary: &str, visibility: &str) -> MockServer {
    let server = MockServer::start().await;
    let mut there = published("hello-fix");
    there["title"] = "Hello of somebody else".into();
    there["summary"] = summary.into();
    there["visibility"] = visibility.into();
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(there))
        .mount(&server)
        .await;
    server
}

/// What a run says, which must only have read.
async fn only_read(run: impl Fn(&str) -> Deployment, summary: &str, code: i32) -> String {
    let server = holding(summary).await;
    let ended = run(&server.uri()).runs().await;
    assert_eq!(server.asked().await, ["GET /v1/integrations/hello-fix"]);
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    ended.log()
}

#[tokio::test]
async fn an_integration_without_a_mark_is_left_alone() {
    let repository = repository().integration("hello");
    insta::assert_snapshot!(only_read(|to| push(to, "fix", &repository), "Hi.", 1).await, @r#"
    exit 1
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: `hello-fix` (“Hello of somebody else”) was not made by gitbook-deploy, so it is left as it is
     hint: give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook
    "#);
    let delete = |to: &str| deployment().against(to).event("delete", "fix").folder(&repository);
    insta::assert_snapshot!(only_read(delete, "Hi.", 1).await, @r#"
    exit 1
    info: delete: branch `fix` was deleted system="no CI system" event="branch deleted" branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: `hello-fix` (“Hello of somebody else”) was not made by gitbook-deploy, so it is left as it is
     hint: give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook
    "#);
}

#[tokio::test]
async fn a_preview_of_another_repository_is_left_alone() {
    let repository = repository().integration("hello");
    let mark = MARK.replace("acme", "somebody");
    insta::assert_snapshot!(only_read(|to| push(to, "fix", &repository), &mark, 1).await, @r#"
    exit 1
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: `hello-fix` is a preview of `hello`, branch `fix` of `github.com/somebody/integrations`, so it is left as it is
     hint: give previews another name with `GITBOOK_PREVIEW_NAME`; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `github.com/somebody/integrations` until its previews are gone
    "#);
    let delete = |to: &str| deployment().against(to).event("delete", "fix").folder(&repository);
    only_read(delete, &mark, 1).await;
}

#[tokio::test]
async fn a_preview_of_another_branch_is_left_alone() {
    let repository = repository().integration("hello");
    let mark = MARK.replace("branch=fix", "branch=Fix");
    insta::assert_snapshot!(only_read(|to| push(to, "fix", &repository), &mark, 1).await, @r#"
    exit 1
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: `hello-fix` is a preview of `hello`, branch `Fix` of `github.com/acme/integrations`, so it is left as it is
     hint: give previews another name with `GITBOOK_PREVIEW_NAME`
    "#);
}

#[tokio::test]
async fn a_mark_that_was_damaged_is_refused_with_the_right_one() {
    let repository = repository().integration("hello");
    let log = only_read(|to| push(to, "fix", &repository), &format!("{MARK}\nHi."), 1).await;
    insta::assert_snapshot!(log, @r#"
    exit 1
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: `hello-fix` has a mark of gitbook-deploy that can't be read, so it is left as it is
     hint: if it is a preview of this branch, make `<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/integrations branch=fix commit=0123abcd run=0 hash= -->` the last line of its summary, or delete it by hand in GitBook; then run again
    "#);
    let misspelt = MARK.replace("branch=", "brunch=");
    assert_eq!(only_read(|to| push(to, "fix", &repository), &misspelt, 1).await, log);
}

#[tokio::test]
async fn an_older_run_leaves_the_preview_of_a_newer_one() {
    let repository = repository().integration("hello");
    let run = |to: &str| {
        let run = deployment().against(to).on_github("fix", 6).folder(&repository);
        run.variable("GITBOOK_LOG_FORMAT", "text")
    };
    insta::assert_snapshot!(only_read(run, MARK, 0).await, @r#"
    exit 0
    ::add-mask::<token>
    info: preview: push to branch `fix` system="GitHub Actions" by=GITHUB_ACTIONS event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    info: skipped `hello-fix` (a newer run (7) has published this preview) milliseconds=… script_bytes=58
    "#);
}

#[tokio::test]
async fn a_newer_run_replaces_the_preview_of_an_older_one() {
    let (endpoint, _folder) = kept().await;
    let mut repository = repository().integration("hello");
    for (run, script) in [(6, "export default 6;"), (8, "export default 8;"), (7, "export default 7;")] {
        repository = repository.file("hello/main.ts", script);
        let ended = deployment().against(&endpoint).on_github("fix", run).folder(&repository).runs().await;
        assert_eq!(ended.output("result"), if run == 7 { "skipped" } else { "published" }, "{run}");
    }
}

/// Reading the mark and publishing are two requests, between which another run may publish.
#[tokio::test]
async fn a_run_that_publishes_at_the_same_time_is_noticed() {
    let repository = repository().integration("hello");
    for (after, noticed) in [(2_u64, false), (3, true)] {
        let server = holding(MARK).await;
        let answer = move |request: &wiremock::Request| {
            let answer = repeated_with(request, |answer| answer["version"] = after.into());
            ResponseTemplate::new(200).set_body_json(answer)
        };
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let ended = push(&server.uri(), "fix", &repository).runs().await;
        assert_eq!(ended.output("result"), "published");
        let warning = "warning: `hello-fix` went from version 1 to version 3: another run has published it at the same time";
        assert_eq!(ended.log().contains(warning), noticed, "{}", ended.log());
    }
}

/// Nothing could ever delete it: the mark is what tells that it is ours.
#[tokio::test]
async fn a_preview_whose_mark_does_not_come_back_is_deleted_again() {
    let repository = repository().integration("hello");
    let server = MockServer::start().await;
    let absent = || said(404, "Integration not found");
    Mock::given(method("GET")).respond_with(absent()).up_to_n_times(1).mount(&server).await;
    let without_mark = |request: &wiremock::Request| {
        let answer = repeated_with(request, |answer| answer["summary"] = "Hi.".into());
        ResponseTemplate::new(200).set_body_json(answer)
    };
    Mock::given(method("POST")).respond_with(without_mark).mount(&server).await;
    let mut there = published("hello-fix");
    (there["title"], there["summary"]) = ("Hello (fix)".into(), "Hi.".into());
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(there))
        .mount(&server)
        .await;
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(205)).mount(&server).await;
    let ended = push(&server.uri(), "fix", &repository).runs().await;
    assert_eq!((ended.code, ended.output("result")), (Some(1), "failed".to_owned()));
    let methods = ["GET", "POST", "GET", "DELETE"];
    assert_eq!(server.asked().await, methods.map(|method| format!("{method} /v1/integrations/hello-fix")));
    insta::assert_snapshot!(ended.log(), @r#"
    exit 1
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: GitBook did not keep the ownership mark of the preview `hello-fix`, so it was deleted again
     hint: check that no proxy changes GitBook's answers, then run again
    "#);
}

/// The first attempt gets no answer, but has taken effect.
#[tokio::test]
async fn a_preview_that_an_unanswered_attempt_created_without_its_mark_is_deleted_again() {
    for (title, is_removed) in [("Hello (fix)", true), ("Somebody else's", false)] {
        let repository = repository().integration("hello");
        let server = MockServer::start().await;
        let absent = said(404, "Integration not found");
        Mock::given(method("GET")).respond_with(absent).up_to_n_times(1).mount(&server).await;
        Mock::given(method("POST")).respond_with(said(502, "Bad gateway")).mount(&server).await;
        let mut there = published("hello-fix");
        (there["title"], there["summary"]) = (title.into(), "".into());
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_json(there))
            .mount(&server)
            .await;
        Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(205)).mount(&server).await;
        let run = push(&server.uri(), "fix", &repository).variable("GITBOOK_RETRIES", "1");
        let ended = run.runs().await;
        assert_eq!((ended.code, ended.output("result")), (Some(1), "failed".to_owned()));
        let asked = server.asked().await;
        let is_deleted = asked.iter().any(|request| request.starts_with("DELETE"));
        assert_eq!(is_deleted, is_removed, "{asked:?}");
        let message = if is_removed { "so it was deleted again" } else { "so it is left as it is" };
        assert!(ended.log().contains(message), "{}", ended.log());
    }
}

#[tokio::test]
async fn a_preview_whose_mark_is_lost_is_left_if_this_run_did_not_create_it() {
    let repository = repository().integration("hello");
    let server = holding(MARK).await;
    let without_mark = |request: &wiremock::Request| {
        let answer = repeated_with(request, |answer| {
            (answer["summary"], answer["version"]) = ("Hi.".into(), 2.into());
        });
        ResponseTemplate::new(200).set_body_json(answer)
    };
    Mock::given(method("POST")).respond_with(without_mark).mount(&server).await;
    let ended = push(&server.uri(), "fix", &repository).runs().await;
    assert_eq!((ended.code, ended.output("result")), (Some(1), "failed".to_owned()));
    let methods = ["GET", "POST"];
    assert_eq!(server.asked().await, methods.map(|method| format!("{method} /v1/integrations/hello-fix")));
    assert!(
        ended.log().contains("did not keep the ownership mark of the preview `hello-fix`\n"),
        "{}",
        ended.log()
    );
}

/// Others may have installed it.
#[tokio::test]
async fn a_preview_that_somebody_made_public_is_left_alone() {
    let repository = repository().integration("hello");
    let runs = [
        ("publish", deployment().push_to("fix")),
        ("delete", deployment().event("delete", "fix")),
        ("manual", deployment().variable("GITBOOK_MODE", "delete").variable("GITBOOK_BRANCH", "fix")),
    ];
    for (what, run) in runs {
        let server = holding_with(MARK, "public").await;
        let run = run.variable("GITBOOK_REPOSITORY", "github.com/acme/integrations");
        let ended = run.against(&server.uri()).folder(&repository).runs().await;
        assert_eq!(server.asked().await, ["GET /v1/integrations/hello-fix"], "{what}");
        assert_eq!(ended.code, Some(1), "{what}: {}", ended.log());
        let told = "error: `hello-fix` is left as it is: it is public, which previews are not\n hint: make it private, or delete it by hand";
        assert!(ended.log().contains(told), "{what}: {}", ended.log());
    }
}

/// On one host the forge's id of the repository decides whose a preview is, and without one of both its name.
#[tokio::test]
async fn a_preview_is_the_repositorys_by_its_id() {
    let repository = repository().integration("hello");
    let check = async |theirs: &str, event_id: u64, expected: &str| {
        let mark = MARK.replace("repository=github.com/acme/integrations", theirs).replace("run=7", "run=1");
        let server = holding(&mark).await;
        Mock::given(method("POST"))
            .respond_with(|request: &wiremock::Request| {
                ResponseTemplate::new(200)
                    .set_body_json(repeated_with(request, |answer| answer["version"] = 2.into()))
            })
            .mount(&server)
            .await;
        let mut payload = crate::support::payloads::push("fix", "0123abcd");
        payload["repository"]["id"] = event_id.into();
        let run = deployment().on_github_event("push", &payload, 2).against(&server.uri());
        let ended = run.folder(&repository).runs().await;
        assert_eq!(ended.output("result"), expected, "{theirs}: {}", ended.log());
        ended.log()
    };
    let ours = "repository=github.com/acme/integrations";
    check(&format!("{ours} repository_id=1"), 1, "published").await;
    check("repository=github.com/acme/former repository_id=1", 1, "published").await;
    check("repository=github.com/Acme/Integrations", 1, "published").await;
    let moved = "set `GITBOOK_REPOSITORY` to `github.com/acme/former`";
    assert!(check("repository=github.com/acme/former", 1, "failed").await.contains(moved));
    let elsewhere = "repository=git.example.com/acme/integrations repository_id=1";
    assert!(check(elsewhere, 1, "failed").await.contains("GITBOOK_REPOSITORY"));
    let another = check(&format!("{ours} repository_id=2"), 1, "failed").await;
    assert!(!another.contains("GITBOOK_REPOSITORY"), "{another}");
}
