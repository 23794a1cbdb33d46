//! Pull requests from forks and from Dependabot. Their runs may lack secrets, which changes the mode.

use fake_github::{FakeGitHub, Head};
use serde_json::Value;
use wiremock::MockServer;

use super::sha;
use crate::support::payloads::{by_dependabot, from_fork, from_lost_fork, recorded};
use crate::support::{Deployment, Finished, RecordedRequests as _, Sandbox, deployment, gitbook, repository};

/// The actions of a pull request event that publish a preview.
const PREVIEW_ACTIONS: [&str; 4] = ["opened", "reopened", "synchronize", "ready_for_review"];

const DEPENDABOT: &str = "dependabot/npm_and_yarn/left-pad-2.0.0";

fn payload(action: &str) -> Value {
    recorded(action, &sha('1'))
}

/// Returns a run of GitHub Actions with the tokens of GitBook and the forge.
fn run(event: &str, payload: &Value, gitbook: &str, forge: &FakeGitHub) -> Deployment {
    let run = deployment().on_github_event(event, payload, 100).with_endpoint(gitbook).with_forge(forge);
    // For `pull_request_target`, and for a merged pull request, the reference is the base branch.
    let reference = if event == "pull_request" { "refs/pull/12/merge" } else { "refs/heads/main" };
    let actor = payload["sender"]["login"].as_str().unwrap();
    run.variable("GITHUB_REF", reference).variable("GITHUB_SHA", sha('5')).variable("GITHUB_ACTOR", actor)
}

/// Runs without `GITBOOK_TOKEN`. Asserts that no request is sent.
async fn run_without_token(payload: &Value) -> Finished {
    let (server, forge) = (gitbook().await, FakeGitHub::start().await);
    let folder = repository().integration("hello");
    let run = run("pull_request", payload, &server.uri(), &forge).variable("GITBOOK_TOKEN", "");
    let finished = run.folder(&folder).run().await;
    assert_no_requests(&server, &forge).await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    finished
}

async fn assert_no_requests(gitbook: &MockServer, forge: &FakeGitHub) {
    assert_eq!(gitbook.requests().await, [""; 0]);
    assert_eq!(forge.requests(), []);
}

/// Asserts that a run without `GITBOOK_TOKEN` checks the pull request. Returns the notice with the reason.
async fn assert_checked(payload: &Value) -> String {
    let finished = run_without_token(payload).await;
    assert_eq!([finished.output("mode"), finished.output("result")], ["check", "checked"]);
    assert_eq!(finished.output("sha"), sha('1'));
    assert_eq!(finished.integrations()[0]["name"], "hello");
    notice(&finished)
}

/// Asserts that a run without `GITBOOK_TOKEN` does nothing. Returns the notice with the reason.
async fn assert_skipped(payload: &Value) -> String {
    let finished = run_without_token(payload).await;
    assert_eq!([finished.output("mode"), finished.output("result")], ["nothing", "skipped"]);
    notice(&finished)
}

fn notice(finished: &Finished) -> String {
    let mut notices = finished.stderr.lines().filter_map(|line| line.strip_prefix("::notice::"));
    let notice = notices.next().unwrap_or_else(|| panic!("no notice: {finished:#?}"));
    notice.to_owned()
}

/// A forge with an open pull request, and a GitBook with the integration `hello` and the preview `hello-fix`.
struct TestEnvironment {
    forge: FakeGitHub,
    sandbox: Sandbox,
}

const EXISTING_NAMES: [&str; 2] = ["hello", "hello-fix"];

async fn set_up(head: Head) -> TestEnvironment {
    let environment = TestEnvironment { forge: FakeGitHub::start().await, sandbox: Sandbox::start().await };
    environment.forge.set_branch("main", &sha('1'));
    environment.forge.set_branch("fix", &sha('1'));
    let folder = repository().integration("hello");
    for branch in ["main", "fix"] {
        let run = deployment().on_push_to(branch).with_endpoint(environment.sandbox.endpoint());
        let finished = run.folder(&folder).run().await;
        assert_eq!(finished.code, Some(0), "{finished:#?}");
    }
    environment.forge.open_pull_request(12, head, &sha('1'));
    environment
}

impl TestEnvironment {
    /// Runs with all tokens and returns the output `result`.
    async fn run(&self, event: &str, payload: &Value, variables: &[(&str, &str)]) -> String {
        let folder = repository().integration("hello").file("hello/main.ts", "export default 2;\n");
        let run = run(event, payload, self.sandbox.endpoint(), &self.forge).folder(&folder);
        let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
        let finished = run.run().await;
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        finished.output("result")
    }

    /// Returns the names of the previews that were created after `set_up`. Asserts that the existing integrations are unchanged.
    fn new_previews(&self) -> Vec<String> {
        let (existing, new): (Vec<_>, Vec<_>) =
            self.sandbox.names().into_iter().partition(|name| EXISTING_NAMES.contains(&name.as_str()));
        assert_eq!(existing, EXISTING_NAMES);
        assert!(EXISTING_NAMES.iter().all(|name| self.sandbox.integration(name)["version"] == 1));
        new
    }

    /// Returns the paths of all requests for a branch or a pull request.
    fn requested_refs(&self) -> Vec<String> {
        let requests = self.forge.requests();
        let received = requests.iter().filter(|request| request.method == "GET");
        let paths = received.filter_map(|request| request.path.strip_prefix("/repos/acme/integrations/"));
        let paths = paths.filter(|path| path.starts_with("pulls/") || path.starts_with("branches/"));
        paths.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn checks_a_pull_request_of_a_fork_without_a_token() {
    for action in PREVIEW_ACTIONS {
        let notice = assert_checked(&from_fork(payload(action), "fix")).await;
        insta::allow_duplicates!(
            insta::assert_snapshot!(notice, @"check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set")
        );
    }
}

/// The preview belongs to the fork's branch `mona:fix`, not to the branch `fix` of the repository itself.
#[tokio::test]
async fn a_pull_request_of_a_fork_has_its_own_preview() {
    let environment = set_up(Head::fork("mona", "fix")).await;
    let opened = from_fork(payload("opened"), "fix");
    assert_eq!(environment.run("pull_request", &opened, &[]).await, "published");
    insta::assert_snapshot!(environment.new_previews().join(", "), @"hello-mona-fix-7e34d0f6");
    assert_eq!(environment.requested_refs(), ["pulls/12"; 2]);
    let [name] = &environment.new_previews()[..] else { panic!("one preview") };
    let summary = environment.sandbox.integration(name)["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains(" branch=mona:fix "), "{summary}");
    assert_eq!(environment.forge.deployments()[0].environment, "gitbook preview: hello/mona:fix");

    environment.forge.close_pull_request(12);
    let closed = from_fork(payload("closed"), "fix");
    assert_eq!(environment.run("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(environment.new_previews(), [""; 0]);
}

#[tokio::test]
async fn ignores_a_closed_pull_request_of_a_fork_without_a_token() {
    let notice = assert_skipped(&from_fork(payload("closed"), "fix")).await;
    insta::assert_snapshot!(notice, @"nothing: pull request #12 (fork) was closed; no preview to delete, because `GITBOOK_TOKEN` is not set");
    assert_eq!(assert_skipped(&from_fork(payload("closed"), "main")).await, notice);
    assert_eq!(assert_skipped(&from_lost_fork(payload("closed"), "fix")).await, notice);
}

/// Neither the branch name nor workflow variables turn a fork's branch into the production branch.
#[tokio::test]
async fn the_main_branch_of_a_fork_is_never_production() {
    for variables in [
        &[][..],
        &[("GITBOOK_BRANCH", "main")],
        &[("GITBOOK_PRODUCTION_BRANCH", "*")],
        &[("GITBOOK_EVENT", "pull_request"), ("GITBOOK_BRANCH", "main")],
    ] {
        let environment = set_up(Head::fork("mona", "main")).await;
        let opened = from_fork(payload("opened"), "main");
        assert_eq!(environment.run("pull_request", &opened, variables).await, "published", "{variables:?}");
        let previews = environment.new_previews();
        assert!(
            previews.len() == 1 && previews[0].starts_with("hello-mona-main-"),
            "{variables:?}: {previews:?}"
        );
        assert_eq!(environment.requested_refs(), ["pulls/12"; 2], "{variables:?}");
        environment.forge.close_pull_request(12);
    }
    assert!(assert_checked(&from_fork(payload("opened"), "main")).await.starts_with("check: "));
}

#[tokio::test]
async fn a_deleted_fork_counts_as_a_fork() {
    let notice = assert_checked(&from_lost_fork(payload("opened"), "main")).await;
    insta::allow_duplicates!(
        insta::assert_snapshot!(notice, @"check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set")
    );

    let environment = set_up(Head::fork("mona", "main")).await;
    let opened = from_fork(payload("opened"), "main");
    assert_eq!(environment.run("pull_request", &opened, &[]).await, "published");
    environment.forge.delete_fork_of(12);
    let ready = from_lost_fork(payload("ready_for_review"), "main");
    assert_eq!(environment.run("pull_request", &ready, &[]).await, "unchanged");
    assert_eq!(environment.new_previews().len(), 1);
    // GitHub closes pull requests that cannot be merged.
    environment.forge.close_pull_request(12);
    let closed = from_lost_fork(payload("closed"), "main");
    assert_eq!(environment.run("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(environment.new_previews(), [""; 0]);
}

#[tokio::test]
async fn checks_a_pull_request_of_dependabot_without_a_token() {
    for action in PREVIEW_ACTIONS {
        let notice = assert_checked(&by_dependabot(payload(action))).await;
        insta::allow_duplicates!(
            insta::assert_snapshot!(notice, @"check: pull request #12 (Dependabot) was updated; checked only, because `GITBOOK_TOKEN` is not set")
        );
    }
    let notice = assert_skipped(&by_dependabot(payload("closed"))).await;
    insta::allow_duplicates!(
        insta::assert_snapshot!(notice, @"nothing: pull request #12 (Dependabot) was closed; no preview to delete, because `GITBOOK_TOKEN` is not set")
    );
}

/// If `GITBOOK_TOKEN` is one of Dependabot's secrets, Dependabot's pull requests have previews.
#[tokio::test]
async fn a_pull_request_of_dependabot_with_a_token_has_a_preview() {
    let environment = set_up(Head::own(DEPENDABOT)).await;
    let opened = by_dependabot(payload("opened"));
    assert_eq!(environment.run("pull_request", &opened, &[]).await, "published");
    insta::assert_snapshot!(environment.new_previews().join(", "), @"hello-dependabot-npm-and-yarn-left-pad-2-0-0-757a7052");
    environment.forge.close_pull_request(12);
    let closed = by_dependabot(payload("closed"));
    assert_eq!(environment.run("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(environment.new_previews(), [""; 0]);
}

/// Runs on the event `pull_request_target` with all tokens. Asserts that the program refuses and sends no request.
async fn assert_refused(payload: &Value, variables: &[(&str, &str)]) -> Finished {
    let (server, forge) = (gitbook().await, FakeGitHub::start().await);
    let folder = repository().integration("hello");
    let run = run("pull_request_target", payload, &server.uri(), &forge).folder(&folder);
    let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
    let finished = run.run().await;
    assert_no_requests(&server, &forge).await;
    assert_eq!(finished.code, Some(2), "{variables:?}: {finished:#?}");
    assert_eq!([finished.output("mode"), finished.output("result")], ["refuse", "failed"], "{variables:?}");
    finished
}

#[tokio::test]
async fn refuses_a_fork_pull_request_with_secrets_of_the_base_repository() {
    let finished =
        assert_refused(&from_fork(payload("opened"), "fix"), &[("GITBOOK_LOG_FORMAT", "text")]).await;
    let log = finished.log();
    let log: Vec<_> = log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    insta::assert_snapshot!(log.join("\n"), @"
    exit 2
    error: this run has the base repository's secrets and must not deploy a fork's change
     hint: run on `pull_request` instead, which checks changes from forks without your secrets; see `examples/workflows/github/previews.yml` of gitbook-deploy
    ");
    for action in ["reopened", "synchronize", "ready_for_review", "closed", "labeled"] {
        assert_refused(&from_fork(payload(action), "main"), &[]).await;
        assert_refused(&from_lost_fork(payload(action), "main"), &[]).await;
    }
}

#[tokio::test]
async fn no_variable_overrides_the_refusal_of_a_fork_pull_request() {
    let opened = from_fork(payload("opened"), "fix");
    for variables in [
        &[("GITBOOK_MODE", "publish")][..],
        &[("GITBOOK_MODE", "preview")],
        &[("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "main")],
        &[("GITBOOK_EVENT", "pull_request"), ("GITBOOK_BRANCH", "fix"), ("GITBOOK_PULL_REQUEST", "12")],
        &[("GITBOOK_EVENT", "release")],
        &[("GITBOOK_BRANCH", "other"), ("GITBOOK_PULL_REQUEST", "13")],
    ] {
        assert_refused(&opened, variables).await;
    }
}

#[test]
fn the_workflow_named_in_the_refusal_hint_exists() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/workflows/github/previews.yml");
    let workflow = std::fs::read_to_string(path).unwrap();
    assert!(workflow.lines().any(|line| line == "  pull_request:"), "{workflow}");
    assert!(!workflow.lines().any(|line| line.trim() == "pull_request_target:"), "{workflow}");
}

#[tokio::test]
async fn a_pull_request_target_event_of_an_own_branch_publishes_a_preview() {
    let environment = set_up(Head::own("topic")).await;
    let topic_payload = |action| {
        let mut payload = payload(action);
        payload["pull_request"]["head"]["ref"] = "topic".into();
        payload
    };
    assert_eq!(environment.run("pull_request_target", &topic_payload("opened"), &[]).await, "published");
    assert_eq!(environment.new_previews(), ["hello-topic"]);
    assert_eq!(environment.requested_refs(), ["pulls/12"; 2]);
    environment.forge.merge_pull_request(12);
    assert_eq!(environment.run("pull_request_target", &topic_payload("closed"), &[]).await, "deleted");
    assert_eq!(environment.new_previews(), [""; 0]);
}
