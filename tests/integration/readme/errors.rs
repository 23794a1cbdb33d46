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

/// Returns the headings of the entries: the messages, without their code spans.
fn explained() -> Vec<String> {
    let page = page("docs/errors.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    headings.map(|text| text.trim_start_matches("``").trim_end_matches("``").trim().to_owned()).collect()
}

/// Returns whether a line of a log contains a message. `…` in the message stands for any text.
fn tells(log: &str, message: &str) -> bool {
    let holds = |line: &str| {
        let mut parts = message.split('…');
        parts.try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest)).is_some()
    };
    log.lines().any(holds)
}

/// A GitBook that answers everything the same way.
async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Returns a run for each of the first entries of the page, in its order.
async fn cases() -> Vec<(Deployment, Repository)> {
    let hello = || repository().integration("hello");
    // No request reaches GitBook before the last entries.
    let ours = || deployment().against("http://127.0.0.1:9");
    let of_fork = payloads::fork_pull_request("opened", 12, "mona", "main", "0123abcd");
    let secret = "secrets:\n  KEY: ${{ env.API_KEY }}\n";
    vec![
        (ours(), hello()),
        (ours().variable("GITLAB_CI", "true").variable("TRAVIS", "true"), hello()),
        (deployment().push_to("main"), hello()),
        (deployment().on_github_event("pull_request", &of_fork, 1), hello()),
        (ours().on_github_event("pull_request_target", &of_fork, 1), hello()),
        (ours().push_to("main").variable("GITBOOK_DEFAULT_BRANCH", ""), hello()),
        (ours().push_to("fix").variable("GITBOOK_REPOSITORY", ""), hello()),
        (ours().on_github("main", 1).variable("GITHUB_EVENT_PATH", "/nowhere/event.json"), hello()),
        (ours().publish(), repository()),
        (ours().publish(), hello().file("hello/main.ts", "import '@acme/not-installed';\n")),
        (ours().publish(), repository().manifest("hello", "hello", secret)),
        (ours().publish().variable("GITBOOK_TIMEOUT", "5s"), hello()),
        (ours().publish().variable("GITBOOK_ENDPOINT", secure_gitbook().await.0), hello()),
    ]
}

/// Returns a finished run for each entry about responses of GitBook and the forge, in the order of the page.
async fn answered() -> Vec<Finished> {
    let hello = repository().integration("hello");
    let mut ended = Vec::new();
    for answer in [
        api_error(401, "Authentication required"),
        api_error(403, "You may not"),
        api_error(404, "Organization not found"),
        api_error(409, "Conflict"),
    ] {
        let server = answering(answer).await;
        ended.push(deployment().against(&server.uri()).publish().folder(&hello).run().await);
    }
    let server = answering(ResponseTemplate::new(200).set_body_json(published("hello-fix"))).await;
    ended.push(deployment().against(&server.uri()).push_to("fix").folder(&hello).run().await);

    let (server, forge) = (gitbook().await, FakeGitHub::start().await);
    forge.set_branch("main", &"2".repeat(40));
    let push = payloads::push("main", &"1".repeat(40));
    let push = || deployment().on_github_event("push", &push, 1).against(&server.uri());
    ended.push(push().with_forge(&forge).folder(&hello).run().await);
    let lacking = json!({"message": "Resource not accessible by integration", "documentation_url": ""});
    forge.fail(Fault::on("GET", "/repos/").status(403).json(lacking).unvalidated().always());
    ended.push(push().with_forge(&forge).folder(&hello).run().await);
    ended.push(push().variable("GITBOOK_MODE", "sweep").folder(&hello).run().await);
    ended
}

#[tokio::test]
async fn each_message_that_is_explained_is_printed() {
    let mut logs = Vec::new();
    for (run, repository) in cases().await {
        logs.push(run.folder(&repository).run().await.log());
    }
    logs.extend(answered().await.iter().map(Finished::log));
    let explained = explained();
    assert_eq!(explained.len(), logs.len());
    let missing: String = explained
        .iter()
        .zip(&logs)
        .filter(|(message, log)| !tells(log, message))
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
