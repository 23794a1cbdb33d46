//! Checks that the program prints each message that docs/errors.md explains.

use fake_github::{FakeGitHub, Fault};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::page;
use crate::support::{
    Deployment, Finished, Repository, api_error, deployment, gitbook, payloads, published, repository,
    secure_gitbook,
};

/// Returns the messages that docs/errors.md explains: the headings of its entries, without backticks.
fn explained_messages() -> Vec<String> {
    let page = page("docs/errors.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    headings.map(|text| text.trim_start_matches("``").trim_end_matches("``").trim().to_owned()).collect()
}

/// Returns true if a line of the log contains the message. `…` in the message matches any text.
fn contains_message(log: &str, message: &str) -> bool {
    let matches = |line: &str| {
        let mut parts = message.split('…');
        parts.try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest)).is_some()
    };
    log.lines().any(matches)
}

/// Starts a fake GitBook that sends the same response to every request.
async fn gitbook_with_response(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Returns a run for each entry of docs/errors.md before the entries about server errors, in the order of the page.
async fn runs_without_server_errors() -> Vec<(Deployment, Repository)> {
    let hello = || repository().integration("hello");
    // These runs end before they need a response of GitBook, so no server listens on this port.
    let run = || deployment().with_endpoint("http://127.0.0.1:9");
    let fork_event = payloads::fork_pull_request("opened", 12, "mona", "main", "0123abcd");
    let secret = "secrets:\n  KEY: ${{ env.API_KEY }}\n";
    vec![
        (run(), hello()),
        (run().variable("GITLAB_CI", "true").variable("TRAVIS", "true"), hello()),
        (deployment().on_push_to("main"), hello()),
        (deployment().on_github_event("pull_request", &fork_event, 1), hello()),
        (run().on_github_event("pull_request_target", &fork_event, 1), hello()),
        (run().on_push_to("main").variable("GITBOOK_DEFAULT_BRANCH", ""), hello()),
        (run().on_push_to("fix").variable("GITBOOK_REPOSITORY", ""), hello()),
        (run().on_github("main", 1).variable("GITHUB_EVENT_PATH", "/nowhere/event.json"), hello()),
        (run().publish(), repository()),
        (run().publish(), hello().file("hello/main.ts", "import '@acme/not-installed';\n")),
        (run().publish(), repository().manifest("hello", "hello", secret)),
        (run().publish().variable("GITBOOK_TIMEOUT", "5s"), hello()),
        (run().publish().variable("GITBOOK_ENDPOINT", secure_gitbook().await.0), hello()),
    ]
}

/// Returns a finished run for each entry about an error of GitBook or the forge, in the order of the page.
async fn runs_with_server_errors() -> Vec<Finished> {
    let hello = repository().integration("hello");
    let mut finished_runs = Vec::new();
    for answer in [
        api_error(401, "Authentication required"),
        api_error(403, "You may not"),
        api_error(404, "Organization not found"),
        api_error(409, "Conflict"),
    ] {
        let server = gitbook_with_response(answer).await;
        finished_runs.push(deployment().with_endpoint(&server.uri()).publish().folder(&hello).run().await);
    }
    let server =
        gitbook_with_response(ResponseTemplate::new(200).set_body_json(published("hello-fix"))).await;
    finished_runs
        .push(deployment().with_endpoint(&server.uri()).on_push_to("fix").folder(&hello).run().await);

    let (server, forge) = (gitbook().await, FakeGitHub::start().await);
    forge.set_branch("main", &"2".repeat(40));
    let push = payloads::push("main", &"1".repeat(40));
    let push = || deployment().on_github_event("push", &push, 1).with_endpoint(&server.uri());
    finished_runs.push(push().with_forge(&forge).folder(&hello).run().await);
    let forbidden = json!({"message": "Resource not accessible by integration", "documentation_url": ""});
    forge.fail(Fault::on("GET", "/repos/").status(403).json(forbidden).unvalidated().always());
    finished_runs.push(push().with_forge(&forge).folder(&hello).run().await);
    finished_runs.push(push().variable("GITBOOK_MODE", "sweep").folder(&hello).run().await);
    finished_runs
}

#[tokio::test]
async fn the_program_prints_each_explained_message() {
    let mut logs = Vec::new();
    for (run, repository) in runs_without_server_errors().await {
        logs.push(run.folder(&repository).run().await.log());
    }
    logs.extend(runs_with_server_errors().await.iter().map(Finished::log));
    let explained = explained_messages();
    assert_eq!(explained.len(), logs.len());
    let missing: String = explained
        .iter()
        .zip(&logs)
        .filter(|(message, log)| !contains_message(log, message))
        .map(|(message, log)| format!("{message:?} is not in\n{log}\n"))
        .collect();
    assert_eq!(missing, "");
}

#[test]
fn each_message_has_a_cause_and_a_remedy() {
    for entry in page("docs/errors.md").split("\n### ").skip(1) {
        assert!(entry.contains("\n- **Cause:** ") && entry.contains("\n- **Remedy:** "), "{entry}");
    }
}
