//! Every exit code of the process.

#[cfg(unix)] // Windows has no SIGINT, SIGTERM or SIGHUP.
mod signals;

use crate::support::{RecordedRequests as _, api_error, deployment, gitbook, repository};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

#[tokio::test]
async fn exits_with_0_after_a_success() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let finished =
        deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository).run().await;
    assert_eq!((finished.code, finished.report["exit_code"].as_i64()), (Some(0), Some(0)), "{finished:#?}");
    assert_eq!(finished.output("result"), "published");
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
}

#[tokio::test]
async fn exits_with_0_if_there_is_nothing_to_do() {
    let server = gitbook().await;
    let finished = deployment().with_endpoint(&server.uri()).variable("GITBOOK_EVENT", "tag").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    notice: nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags
    ");
    assert_eq!((finished.output("mode"), finished.output("result")), ("nothing".into(), "skipped".into()));
    assert_eq!(server.requests().await, [""; 0]);
}

#[tokio::test]
async fn exits_with_1_after_a_failed_deployment() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(api_error(401, "Authentication required")).mount(&server).await;
    let repository = repository().integration("hello");
    let finished =
        deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    info: could not read `hello` before publishing, so its version is not checked: GitBook rejected the token: 401 Authentication required
    error: publishing `hello` failed
    cause: GitBook rejected the token: 401 Authentication required
     hint: create an API token in GitBook's developer settings and store it as the secret that sets `GITBOOK_TOKEN`
    ");
    assert_eq!(finished.report["exit_code"], 1);
    assert_eq!(finished.output("result"), "failed");
}

#[tokio::test]
async fn exits_with_2_if_the_sandbox_folder_cannot_be_created() {
    let repository = repository().integration("hello").file("taken", "");
    let run = deployment().variable("GITBOOK_ENDPOINT", "sandbox").variable("GITBOOK_SANDBOX_DIR", "taken");
    insta::assert_snapshot!(run.folder(&repository).run().await.log(), @"
    exit 2
    error: could not start the sandbox in `<folder>/taken`
    cause: File exists (os error 17)
     hint: set `GITBOOK_SANDBOX_DIR` to a writable folder
    ");
}

#[tokio::test]
async fn exits_with_2_for_an_invalid_variable() {
    let finished = deployment().variable("GITBOOK_MODE", "pubish").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: GITBOOK_MODE: unknown mode
     hint: did you mean `publish`? use one of `auto`, `publish`, `preview`, `delete`, `sweep`, `check`, `plan`
    error: invalid configuration: 1 error in 1 variable; nothing was published or deleted
    ");
    assert_eq!(finished.report["exit_code"], 2);
    assert_eq!((finished.output("result"), finished.output("mode")), ("failed".into(), String::new()));
}

#[tokio::test]
async fn exits_with_2_for_an_unknown_argument() {
    insta::assert_snapshot!(deployment().argument("publish").run().await.log(), @"
    exit 2
    error: unknown argument `publish`
     hint: use environment variables instead; `gitbook-deploy --help` lists them
    ");
}

#[tokio::test]
async fn exits_with_2_if_no_ci_event_is_detected() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let finished = deployment().with_endpoint(&server.uri()).folder(&repository).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: no CI event detected
     hint: set `GITBOOK_EVENT`, `GITBOOK_BRANCH` and `GITBOOK_DEFAULT_BRANCH` (and `GITBOOK_PULL_REQUEST`, `GITBOOK_COMMIT`, `GITBOOK_REPOSITORY` if known), or set `GITBOOK_MODE`; in a container, pass the CI system's variables with `docker run -e`; to try the program without an account, set `GITBOOK_ENDPOINT=sandbox`
    ");
    assert_eq!(server.requests().await, [""; 0]);
}

#[tokio::test]
async fn exits_with_2_for_an_empty_token_on_a_push_to_production() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = deployment().with_endpoint(&server.uri()).variable("GITBOOK_TOKEN", "").on_push_to("main");
    insta::assert_snapshot!(run.folder(&repository).run().await.log(), @"
    exit 2
    error: `GITBOOK_TOKEN` is unset or empty
     hint: create an API token in GitBook's developer settings, store it as a secret of your CI system and pass it to this step as `GITBOOK_TOKEN`
    ");
    assert_eq!(server.requests().await, [""; 0]);
}

#[tokio::test]
async fn exits_with_2_if_the_ci_event_is_unknown_or_unreadable() {
    let run = deployment().on_github("main", 1).variable("GITHUB_EVENT_PATH", "/nowhere/event.json");
    insta::assert_snapshot!(run.variable("GITBOOK_LOG_FORMAT", "text").run().await.log(), @r#"
    exit 2
    error: could not detect the CI event
    cause: could not read the event file named by `GITHUB_EVENT_PATH`: No such file or directory (os error 2)
     hint: in a container, mount the file with `-v "$GITHUB_EVENT_PATH:$GITHUB_EVENT_PATH:ro"`; or set `GITBOOK_EVENT` and `GITBOOK_BRANCH`
    "#);
    insta::assert_snapshot!(deployment().variable("GITBOOK_EVENT", "psuh").run().await.log(), @"
    exit 2
    error: could not detect the CI event
    cause: `GITBOOK_EVENT` is `psuh`, which is not a known event
     hint: set `GITBOOK_EVENT` to one of push, pull_request, closed, delete, tag, merge_queue, schedule, manual, release
    ");
}

#[tokio::test]
async fn exits_with_2_for_an_invalid_manifest_or_script() {
    let server = gitbook().await;
    let check = async |repository: crate::support::Repository| {
        let finished = deployment().with_endpoint(&server.uri()).publish().folder(&repository).run().await;
        assert_eq!(
            (finished.code, finished.report["exit_code"].as_i64()),
            (Some(2), Some(2)),
            "{finished:#?}"
        );
        assert_eq!(finished.output("result"), "failed");
    };
    check(repository()).await;
    check(repository().manifest("hello", "hel lo", "")).await;
    check(repository().integration("hello").file("hello/main.ts", "const;")).await;
    assert_eq!(server.requests().await, [""; 0]);
}

#[tokio::test]
async fn exits_with_0_after_help_and_version() {
    for (argument, expected) in [("--help", "GITBOOK_TOKEN"), ("--version", "gitbook-deploy ")] {
        let finished = deployment().argument(argument).run().await;
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
        assert!(finished.stdout.contains(expected), "{}", finished.stdout);
    }
}
