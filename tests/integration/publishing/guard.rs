//! The guard: the program overwrites and deletes only the preview of its own repository and branch.

use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{kept, push};
use crate::support::{
    Deployment, Finished, RecordedRequests as _, api_error, deployment, published, repeated_with, repository,
};

const MARKER: &str = "<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/integrations branch=fix commit=0123 run=7 hash=00 -->";

/// Starts a fake GitBook that has an integration `hello-fix` with this summary. It rejects requests that change something.
async fn gitbook_with_summary(summary: &str) -> MockServer {
    gitbook_with_integration(summary, "private").await
}

async fn gitbook_with_integration(summary: &str, visibility: &str) -> MockServer {
    let server = MockServer::start().await;
    let mut existing = published("hello-fix");
    existing["title"] = "Hello of somebody else".into();
    existing["summary"] = summary.into();
    existing["visibility"] = visibility.into();
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(existing))
        .mount(&server)
        .await;
    server
}

/// Returns the log lines from the error on: error, cause and hint.
fn failure(finished: &Finished) -> String {
    let log = finished.log();
    log.lines().skip_while(|line| !line.starts_with("error: ")).collect::<Vec<_>>().join("\n")
}

/// Starts a run, asserts that it only reads the integration and ends with this exit code, and returns its log.
async fn log_of_read_only_run(run: impl Fn(&str) -> Deployment, summary: &str, code: i32) -> String {
    let server = gitbook_with_summary(summary).await;
    let finished = run(&server.uri()).run().await;
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello-fix"]);
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    finished.log()
}

#[tokio::test]
async fn does_not_change_an_integration_without_a_marker() {
    let repository = repository().integration("hello");
    insta::assert_snapshot!(log_of_read_only_run(|to| push(to, "fix", &repository), "Hi.", 1).await, @"
    exit 1
    error: `hello-fix` was not changed: the existing integration “Hello of somebody else” was not created by gitbook-deploy
     hint: set `GITBOOK_PREVIEW_NAME` to give previews another name; if someone removed the ownership marker from a preview, delete that preview in GitBook
    ");
    let delete = |to: &str| deployment().with_endpoint(to).event("delete", "fix").folder(&repository);
    insta::assert_snapshot!(log_of_read_only_run(delete, "Hi.", 1).await, @"
    exit 1
    error: `hello-fix` was not changed: the existing integration “Hello of somebody else” was not created by gitbook-deploy
     hint: set `GITBOOK_PREVIEW_NAME` to give previews another name; if someone removed the ownership marker from a preview, delete that preview in GitBook
    ");
}

#[tokio::test]
async fn does_not_change_a_preview_of_another_repository() {
    let repository = repository().integration("hello");
    let marker = MARKER.replace("acme", "somebody");
    insta::assert_snapshot!(log_of_read_only_run(|to| push(to, "fix", &repository), &marker, 1).await, @"
    exit 1
    error: `hello-fix` was not changed: it is a preview of the integration `hello` on branch `fix` of `github.com/somebody/integrations`
     hint: set `GITBOOK_PREVIEW_NAME` to give previews another name; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `github.com/somebody/integrations` until its previews are deleted
    ");
    let delete = |to: &str| deployment().with_endpoint(to).event("delete", "fix").folder(&repository);
    log_of_read_only_run(delete, &marker, 1).await;
}

#[tokio::test]
async fn does_not_change_a_preview_of_another_branch() {
    let repository = repository().integration("hello");
    let marker = MARKER.replace("branch=fix", "branch=Fix");
    insta::assert_snapshot!(log_of_read_only_run(|to| push(to, "fix", &repository), &marker, 1).await, @"
    exit 1
    error: `hello-fix` was not changed: it is a preview of the integration `hello` on branch `Fix` of `github.com/acme/integrations`
     hint: set `GITBOOK_PREVIEW_NAME` to give previews another name
    ");
}

#[tokio::test]
async fn prints_the_correct_marker_if_the_existing_one_is_damaged() {
    let repository = repository().integration("hello");
    let log = log_of_read_only_run(|to| push(to, "fix", &repository), &format!("{MARKER}\nHi."), 1).await;
    insta::assert_snapshot!(log, @"
    exit 1
    error: `hello-fix` was not changed: its ownership marker is damaged
     hint: if it is the preview of this branch, make `<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/integrations branch=fix commit=0123abcd run=0 hash= -->` the last line of its summary or delete it in GitBook, then re-run the job
    ");
    let misspelt = MARKER.replace("branch=", "brunch=");
    assert_eq!(log_of_read_only_run(|to| push(to, "fix", &repository), &misspelt, 1).await, log);
}

#[tokio::test]
async fn an_older_run_does_not_replace_a_newer_preview() {
    let repository = repository().integration("hello");
    let run = |to: &str| {
        let run = deployment().with_endpoint(to).on_github("fix", 6).folder(&repository);
        run.variable("GITBOOK_LOG_FORMAT", "text")
    };
    insta::assert_snapshot!(log_of_read_only_run(run, MARKER, 0).await, @"
    exit 0
    ::add-mask::<token>
    info: skipped hello-fix (0.1 KiB, … s): a newer run (7) has published this preview
    ");
}

#[tokio::test]
async fn a_newer_run_replaces_an_older_preview() {
    let (endpoint, _folder) = kept().await;
    let mut repository = repository().integration("hello");
    for (run, script) in [(6, "export default 6;"), (8, "export default 8;"), (7, "export default 7;")] {
        repository = repository.file("hello/main.ts", script);
        let finished =
            deployment().with_endpoint(&endpoint).on_github("fix", run).folder(&repository).run().await;
        assert_eq!(finished.output("result"), if run == 7 { "skipped" } else { "published" }, "{run}");
    }
}

/// Another run publishes after this run has read the preview and before it publishes.
#[tokio::test]
async fn warns_of_a_concurrent_publication() {
    let repository = repository().integration("hello");
    for (version, is_concurrent) in [(2_u64, false), (3, true)] {
        let server = gitbook_with_summary(MARKER).await;
        let answer = move |request: &wiremock::Request| {
            let answer = repeated_with(request, |answer| answer["version"] = version.into());
            ResponseTemplate::new(200).set_body_json(answer)
        };
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let finished = push(&server.uri(), "fix", &repository).run().await;
        assert_eq!(finished.output("result"), "published");
        assert_eq!(
            finished.log().contains("warning: another run published `hello-fix` "),
            is_concurrent,
            "{}",
            finished.log()
        );
    }
}

/// GitBook's response to the first publish has no ownership marker. A preview without its marker could never be deleted later.
#[tokio::test]
async fn deletes_a_new_preview_without_a_marker() {
    let repository = repository().integration("hello");
    let server = MockServer::start().await;
    let absent = || api_error(404, "Integration not found");
    Mock::given(method("GET")).respond_with(absent()).up_to_n_times(1).mount(&server).await;
    let without_marker = |request: &wiremock::Request| {
        let answer = repeated_with(request, |answer| answer["summary"] = "Hi.".into());
        ResponseTemplate::new(200).set_body_json(answer)
    };
    Mock::given(method("POST")).respond_with(without_marker).mount(&server).await;
    let mut existing = published("hello-fix");
    (existing["title"], existing["summary"]) = ("Hello (fix)".into(), "Hi.".into());
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(existing))
        .mount(&server)
        .await;
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(205)).mount(&server).await;
    let finished = push(&server.uri(), "fix", &repository).run().await;
    assert_eq!((finished.code, finished.output("result")), (Some(1), "failed".to_owned()));
    let methods = ["GET", "POST", "GET", "DELETE"];
    assert_eq!(server.requests().await, methods.map(|method| format!("{method} /v1/integrations/hello-fix")));
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    error: GitBook did not keep the ownership marker of the preview `hello-fix`, so the preview was deleted
     hint: check that no proxy changes GitBook's responses, then re-run the job
    ");
}

/// The first publish takes effect although its response is an error, and the new integration has no ownership marker.
#[tokio::test]
async fn deletes_a_new_preview_without_a_marker_after_a_failed_attempt() {
    for (title, is_own_preview) in [("Hello (fix)", true), ("Somebody else's", false)] {
        let repository = repository().integration("hello");
        let server = MockServer::start().await;
        let absent = api_error(404, "Integration not found");
        Mock::given(method("GET")).respond_with(absent).up_to_n_times(1).mount(&server).await;
        Mock::given(method("POST")).respond_with(api_error(502, "Bad gateway")).mount(&server).await;
        let mut existing = published("hello-fix");
        (existing["title"], existing["summary"]) = (title.into(), "".into());
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_json(existing))
            .mount(&server)
            .await;
        Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(205)).mount(&server).await;
        let run = push(&server.uri(), "fix", &repository).variable("GITBOOK_RETRIES", "1");
        let finished = run.run().await;
        assert_eq!((finished.code, finished.output("result")), (Some(1), "failed".to_owned()));
        let requests = server.requests().await;
        let is_deleted = requests.iter().any(|request| request.starts_with("DELETE"));
        assert_eq!(is_deleted, is_own_preview, "{requests:?}");
        let message = if is_own_preview { "so the preview was deleted" } else { "was not changed" };
        assert!(finished.log().contains(message), "{}", finished.log());
    }
}

#[tokio::test]
async fn keeps_an_existing_preview_that_loses_its_marker() {
    let repository = repository().integration("hello");
    let server = gitbook_with_summary(MARKER).await;
    let without_marker = |request: &wiremock::Request| {
        let answer = repeated_with(request, |answer| {
            (answer["summary"], answer["version"]) = ("Hi.".into(), 2.into());
        });
        ResponseTemplate::new(200).set_body_json(answer)
    };
    Mock::given(method("POST")).respond_with(without_marker).mount(&server).await;
    let finished = push(&server.uri(), "fix", &repository).run().await;
    assert_eq!((finished.code, finished.output("result")), (Some(1), "failed".to_owned()));
    let methods = ["GET", "POST"];
    assert_eq!(server.requests().await, methods.map(|method| format!("{method} /v1/integrations/hello-fix")));
    insta::assert_snapshot!(failure(&finished), @"
    error: GitBook did not keep the ownership marker of the preview `hello-fix`
     hint: check the summary of `hello-fix` in GitBook and delete the preview there; this program never deletes a preview without its ownership marker
    ");
}

/// Other users may have installed a public integration.
#[tokio::test]
async fn does_not_change_a_public_preview() {
    let repository = repository().integration("hello");
    let runs = [
        ("publish", deployment().on_push_to("fix")),
        ("delete", deployment().event("delete", "fix")),
        ("manual", deployment().variable("GITBOOK_MODE", "delete").variable("GITBOOK_BRANCH", "fix")),
    ];
    for (action, run) in runs {
        let server = gitbook_with_integration(MARKER, "public").await;
        let run = run.variable("GITBOOK_REPOSITORY", "github.com/acme/integrations");
        let finished = run.with_endpoint(&server.uri()).folder(&repository).run().await;
        assert_eq!(server.requests().await, ["GET /v1/integrations/hello-fix"], "{action}");
        assert_eq!(finished.code, Some(1), "{action}: {}", finished.log());
        insta::allow_duplicates!(insta::assert_snapshot!(failure(&finished), @"
        error: `hello-fix` was not changed: it is public; only private or unlisted previews are changed or deleted
         hint: set its visibility to private or unlisted in GitBook, or delete it there
        "));
    }
}

/// A preview belongs to the repository with the same host and id. If the marker has no id, host and name must match.
#[tokio::test]
async fn the_repository_id_decides_the_owner_of_a_preview() {
    let repository = repository().integration("hello");
    let check = async |repository_fields: &str, event_id: u64, expected: &str| {
        let marker = MARKER
            .replace("repository=github.com/acme/integrations", repository_fields)
            .replace("run=7", "run=1");
        let server = gitbook_with_summary(&marker).await;
        Mock::given(method("POST"))
            .respond_with(|request: &wiremock::Request| {
                ResponseTemplate::new(200)
                    .set_body_json(repeated_with(request, |answer| answer["version"] = 2.into()))
            })
            .mount(&server)
            .await;
        let mut payload = crate::support::payloads::push("fix", "0123abcd");
        payload["repository"]["id"] = event_id.into();
        let run = deployment().on_github_event("push", &payload, 2).with_endpoint(&server.uri());
        let finished = run.folder(&repository).run().await;
        assert_eq!(finished.output("result"), expected, "{repository_fields}: {}", finished.log());
        finished.log()
    };
    let own = "repository=github.com/acme/integrations";
    check(&format!("{own} repository_id=1"), 1, "published").await;
    check("repository=github.com/acme/former repository_id=1", 1, "published").await;
    check("repository=github.com/Acme/Integrations", 1, "published").await;
    let hint = "`GITBOOK_REPOSITORY` to `github.com/acme/former`";
    assert!(check("repository=github.com/acme/former", 1, "failed").await.contains(hint));
    let other_host = "repository=git.example.com/acme/integrations repository_id=1";
    assert!(check(other_host, 1, "failed").await.contains("GITBOOK_REPOSITORY"));
    let log = check(&format!("{own} repository_id=2"), 1, "failed").await;
    assert!(!log.contains("GITBOOK_REPOSITORY"), "{log}");
}
