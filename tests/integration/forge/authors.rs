//! Pull requests of forks and Dependabot. The author decides the secrets of a run, and so the mode.

use fake_github::{FakeGitHub, Head};
use serde_json::Value;
use wiremock::MockServer;

use super::sha;
use crate::support::payloads::{by_dependabot, from_fork, from_lost_fork, recorded};
use crate::support::{Deployment, Finished, RecordedRequests as _, Sandbox, deployment, gitbook, repository};

/// The actions that lead to a preview.
const UPDATES: [&str; 4] = ["opened", "reopened", "synchronize", "ready_for_review"];

const DEPENDABOT: &str = "dependabot/npm_and_yarn/left-pad-2.0.0";

fn payload(action: &str) -> Value {
    recorded(action, &sha('1'))
}

/// Returns a run of GitHub Actions with the tokens of GitBook and the forge.
fn run(event: &str, payload: &Value, gitbook: &str, forge: &FakeGitHub) -> Deployment {
    let run = deployment().on_github_event(event, payload, 100).against(gitbook).with_forge(forge);
    // For `pull_request_target`, and for a merged pull request, the reference is the base branch.
    let reference = if event == "pull_request" { "refs/pull/12/merge" } else { "refs/heads/main" };
    let actor = payload["sender"]["login"].as_str().unwrap();
    run.variable("GITHUB_REF", reference).variable("GITHUB_SHA", sha('5')).variable("GITHUB_ACTOR", actor)
}

/// Runs without GitBook's token. Asserts that no request is sent.
async fn without_token(payload: &Value) -> Finished {
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

/// Asserts that the pull request is checked, and returns the notice with the reason.
async fn is_checked(payload: &Value) -> String {
    let finished = without_token(payload).await;
    assert_eq!([finished.output("mode"), finished.output("result")], ["check", "checked"]);
    assert_eq!(finished.output("sha"), sha('1'));
    assert_eq!(finished.integrations()[0]["name"], "hello");
    notice(&finished)
}

/// Asserts that the run does nothing, and returns the notice with the reason.
async fn is_left_alone(payload: &Value) -> String {
    let finished = without_token(payload).await;
    assert_eq!([finished.output("mode"), finished.output("result")], ["nothing", "skipped"]);
    notice(&finished)
}

fn notice(finished: &Finished) -> String {
    let mut notices = finished.stderr.lines().filter_map(|line| line.strip_prefix("::notice::"));
    let notice = notices.next().unwrap_or_else(|| panic!("no notice: {finished:#?}"));
    notice.to_owned()
}

/// A forge with an open pull request, and a GitBook with production and the previews of `main` and `fix`.
struct TestEnvironment {
    forge: FakeGitHub,
    sandbox: Sandbox,
}

const OURS: [&str; 2] = ["hello", "hello-fix"];

async fn set_up(head: Head) -> TestEnvironment {
    let environment = TestEnvironment { forge: FakeGitHub::start().await, sandbox: Sandbox::start().await };
    environment.forge.set_branch("main", &sha('1'));
    environment.forge.set_branch("fix", &sha('1'));
    let folder = repository().integration("hello");
    for branch in ["main", "fix"] {
        let run = deployment().push_to(branch).against(environment.sandbox.endpoint());
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

    /// Returns the previews of others.
    fn others(&self) -> Vec<String> {
        let (ours, others): (Vec<_>, Vec<_>) =
            self.sandbox.names().into_iter().partition(|name| OURS.contains(&name.as_str()));
        assert_eq!(ours, OURS);
        assert!(OURS.iter().all(|name| self.sandbox.integration(name)["version"] == 1));
        others
    }

    /// Returns the paths of requests for branches and pull requests.
    fn received(&self) -> Vec<String> {
        let requests = self.forge.requests();
        let received = requests.iter().filter(|request| request.method == "GET");
        let paths = received.filter_map(|request| request.path.strip_prefix("/repos/acme/integrations/"));
        let paths = paths.filter(|path| path.starts_with("pulls/") || path.starts_with("branches/"));
        paths.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn checks_a_pull_request_of_a_fork_without_a_token() {
    for action in UPDATES {
        let notice = is_checked(&from_fork(payload(action), "fix")).await;
        insta::allow_duplicates!(
            insta::assert_snapshot!(notice, @"check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set")
        );
    }
}

/// The preview belongs to `mona:fix`; `fix` is another branch.
#[tokio::test]
async fn a_pull_request_of_a_fork_has_its_own_preview() {
    let environment = set_up(Head::fork("mona", "fix")).await;
    let opened = from_fork(payload("opened"), "fix");
    assert_eq!(environment.run("pull_request", &opened, &[]).await, "published");
    insta::assert_snapshot!(environment.others().join(", "), @"hello-mona-fix-7e34d0f6");
    assert_eq!(environment.received(), ["pulls/12"; 2]);
    let [name] = &environment.others()[..] else { panic!("one preview") };
    let summary = environment.sandbox.integration(name)["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains(" branch=mona:fix "), "{summary}");
    assert_eq!(environment.forge.deployments()[0].environment, "gitbook preview: hello/mona:fix");

    environment.forge.close_pull_request(12);
    let closed = from_fork(payload("closed"), "fix");
    assert_eq!(environment.run("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(environment.others(), [""; 0]);
}

#[tokio::test]
async fn ignores_a_closed_pull_request_of_a_fork_without_a_token() {
    let notice = is_left_alone(&from_fork(payload("closed"), "fix")).await;
    insta::assert_snapshot!(notice, @"nothing: pull request #12 (fork) was closed; no preview to delete, because `GITBOOK_TOKEN` is not set");
    assert_eq!(is_left_alone(&from_fork(payload("closed"), "main")).await, notice);
    assert_eq!(is_left_alone(&from_lost_fork(payload("closed"), "fix")).await, notice);
}

/// Neither the branch name nor the variables of a workflow make it production.
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
        let others = environment.others();
        assert!(others.len() == 1 && others[0].starts_with("hello-mona-main-"), "{variables:?}: {others:?}");
        assert_eq!(environment.received(), ["pulls/12"; 2], "{variables:?}");
        environment.forge.close_pull_request(12);
    }
    assert!(is_checked(&from_fork(payload("opened"), "main")).await.starts_with("check: "));
}

#[tokio::test]
async fn a_deleted_fork_counts_as_a_fork() {
    let notice = is_checked(&from_lost_fork(payload("opened"), "main")).await;
    insta::allow_duplicates!(
        insta::assert_snapshot!(notice, @"check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set")
    );

    let environment = set_up(Head::fork("mona", "main")).await;
    let opened = from_fork(payload("opened"), "main");
    assert_eq!(environment.run("pull_request", &opened, &[]).await, "published");
    environment.forge.delete_fork_of(12);
    let ready = from_lost_fork(payload("ready_for_review"), "main");
    assert_eq!(environment.run("pull_request", &ready, &[]).await, "unchanged");
    assert_eq!(environment.others().len(), 1);
    // GitHub closes pull requests that cannot be merged.
    environment.forge.close_pull_request(12);
    let closed = from_lost_fork(payload("closed"), "main");
    assert_eq!(environment.run("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(environment.others(), [""; 0]);
}

#[tokio::test]
async fn checks_a_pull_request_of_dependabot_without_a_token() {
    for action in UPDATES {
        let notice = is_checked(&by_dependabot(payload(action))).await;
        insta::allow_duplicates!(
            insta::assert_snapshot!(notice, @"check: pull request #12 (Dependabot) was updated; checked only, because `GITBOOK_TOKEN` is not set")
        );
    }
    let notice = is_left_alone(&by_dependabot(payload("closed"))).await;
    insta::allow_duplicates!(
        insta::assert_snapshot!(notice, @"nothing: pull request #12 (Dependabot) was closed; no preview to delete, because `GITBOOK_TOKEN` is not set")
    );
}

/// Dependabot has a preview if the token is among its own secrets.
#[tokio::test]
async fn a_pull_request_of_dependabot_with_a_token_has_a_preview() {
    let environment = set_up(Head::own(DEPENDABOT)).await;
    let opened = by_dependabot(payload("opened"));
    assert_eq!(environment.run("pull_request", &opened, &[]).await, "published");
    insta::assert_snapshot!(environment.others().join(", "), @"hello-dependabot-npm-and-yarn-left-pad-2-0-0-757a7052");
    environment.forge.close_pull_request(12);
    let closed = by_dependabot(payload("closed"));
    assert_eq!(environment.run("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(environment.others(), [""; 0]);
}

/// Runs on `pull_request_target` with all tokens. Asserts a refusal without requests.
async fn is_refused(payload: &Value, variables: &[(&str, &str)]) -> Finished {
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
async fn refuses_a_pull_request_of_a_fork_with_secrets_of_the_base() {
    let finished = is_refused(&from_fork(payload("opened"), "fix"), &[("GITBOOK_LOG_FORMAT", "text")]).await;
    let log = finished.log();
    let log: Vec<_> = log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    insta::assert_snapshot!(log.join("\n"), @"
    exit 2
    error: this run has the base repository's secrets and must not deploy a fork's change
     hint: run on `pull_request` instead, which checks changes from forks without your secrets; see `examples/workflows/github/previews.yml` of gitbook-deploy
    ");
    for action in ["reopened", "synchronize", "ready_for_review", "closed", "labeled"] {
        is_refused(&from_fork(payload(action), "main"), &[]).await;
        is_refused(&from_lost_fork(payload(action), "main"), &[]).await;
    }
}

#[tokio::test]
async fn no_variable_disables_a_refusal() {
    let opened = from_fork(payload("opened"), "fix");
    for variables in [
        &[("GITBOOK_MODE", "publish")][..],
        &[("GITBOOK_MODE", "preview")],
        &[("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "main")],
        &[("GITBOOK_EVENT", "pull_request"), ("GITBOOK_BRANCH", "fix"), ("GITBOOK_PULL_REQUEST", "12")],
        &[("GITBOOK_EVENT", "release")],
        &[("GITBOOK_BRANCH", "other"), ("GITBOOK_PULL_REQUEST", "13")],
    ] {
        is_refused(&opened, variables).await;
    }
}

#[test]
fn the_workflow_in_the_refusal_exists() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/workflows/github/previews.yml");
    let workflow = std::fs::read_to_string(path).unwrap();
    assert!(workflow.lines().any(|line| line == "  pull_request:"), "{workflow}");
    assert!(!workflow.lines().any(|line| line.trim() == "pull_request_target:"), "{workflow}");
}

#[tokio::test]
async fn an_own_pull_request_has_a_preview_with_secrets_of_the_base() {
    let environment = set_up(Head::own("topic")).await;
    let of_topic = |action| {
        let mut payload = payload(action);
        payload["pull_request"]["head"]["ref"] = "topic".into();
        payload
    };
    assert_eq!(environment.run("pull_request_target", &of_topic("opened"), &[]).await, "published");
    assert_eq!(environment.others(), ["hello-topic"]);
    assert_eq!(environment.received(), ["pulls/12"; 2]);
    environment.forge.merge_pull_request(12);
    assert_eq!(environment.run("pull_request_target", &of_topic("closed"), &[]).await, "deleted");
    assert_eq!(environment.others(), [""; 0]);
}
