//! Whose pull request it is decides which secrets its run has, and so what is done: forks and Dependabot.

use fake_github::{FakeGitHub, Head};
use serde_json::Value;
use wiremock::MockServer;

use super::sha;
use crate::support::payloads::{by_dependabot, from_fork, from_lost_fork, recorded};
use crate::support::{Deployment, Finished, Recorded as _, Sandbox, deployment, gitbook, repository};

/// What asks for a preview.
const UPDATES: [&str; 4] = ["opened", "reopened", "synchronize", "ready_for_review"];

const DEPENDABOT: &str = "dependabot/npm_and_yarn/left-pad-2.0.0";

fn payload(action: &str) -> Value {
    recorded(action, &sha('1'))
}

/// A run as Actions starts it, with the tokens of both GitBook and the forge.
fn run(event: &str, payload: &Value, gitbook: &str, forge: &FakeGitHub) -> Deployment {
    let run = deployment().on_github_event(event, payload, 100).against(gitbook).with_forge(forge);
    // On `pull_request_target` it is the base branch, and so on a pull request that was merged.
    let reference = if event == "pull_request" { "refs/pull/12/merge" } else { "refs/heads/main" };
    let actor = payload["sender"]["login"].as_str().unwrap();
    run.variable("GITHUB_REF", reference).variable("GITHUB_SHA", sha('5')).variable("GITHUB_ACTOR", actor)
}

/// A run without GitBook's token in a folder with an integration, and what it did: it must have asked nobody.
async fn without_token(payload: &Value) -> Finished {
    let (server, forge) = (gitbook().await, FakeGitHub::start().await);
    let folder = repository().integration("hello");
    let run = run("pull_request", payload, &server.uri(), &forge).variable("GITBOOK_TOKEN", "");
    let ended = run.folder(&folder).runs().await;
    asked_nobody(&server, &forge).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    ended
}

async fn asked_nobody(gitbook: &MockServer, forge: &FakeGitHub) {
    assert_eq!(gitbook.asked().await, [""; 0]);
    assert_eq!(forge.requests(), []);
}

/// That it was built and validated, and the notice that says why it was not published.
async fn is_checked(payload: &Value) -> String {
    let ended = without_token(payload).await;
    assert_eq!([ended.output("mode"), ended.output("result")], ["check", "checked"]);
    assert_eq!(ended.output("sha"), sha('1'));
    assert_eq!(ended.integrations()[0]["name"], "hello");
    notice(&ended)
}

/// That nothing was done, and the notice that says why.
async fn is_left_alone(payload: &Value) -> String {
    let ended = without_token(payload).await;
    assert_eq!([ended.output("mode"), ended.output("result")], ["nothing", "skipped"]);
    notice(&ended)
}

fn notice(ended: &Finished) -> String {
    let mut notices = ended.stderr.lines().filter_map(|line| line.strip_prefix("::notice::"));
    let notice = notices.next().unwrap_or_else(|| panic!("no notice: {ended:#?}"));
    notice.to_owned()
}

/// A forge where a pull request is open, and a GitBook with production and the previews of `main` and `fix` here.
struct World {
    forge: FakeGitHub,
    sandbox: Sandbox,
}

const OURS: [&str; 2] = ["hello", "hello-fix"];

async fn world(head: Head) -> World {
    let world = World { forge: FakeGitHub::start().await, sandbox: Sandbox::start().await };
    world.forge.set_branch("main", &sha('1'));
    world.forge.set_branch("fix", &sha('1'));
    let folder = repository().integration("hello");
    for branch in ["main", "fix"] {
        let run = deployment().push_to(branch).against(world.sandbox.endpoint());
        let ended = run.folder(&folder).runs().await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    world.forge.open_pull_request(12, head, &sha('1'));
    world
}

impl World {
    /// Runs with all tokens; gives the output `result`.
    async fn runs(&self, event: &str, payload: &Value, variables: &[(&str, &str)]) -> String {
        let folder = repository().integration("hello").file("hello/main.ts", "export default 2;\n");
        let run = run(event, payload, self.sandbox.endpoint(), &self.forge).folder(&folder);
        let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
        let ended = run.runs().await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        ended.output("result")
    }

    /// The previews beside what is ours.
    fn others(&self) -> Vec<String> {
        let (ours, others): (Vec<_>, Vec<_>) =
            self.sandbox.names().into_iter().partition(|name| OURS.contains(&name.as_str()));
        assert_eq!(ours, OURS);
        assert!(OURS.iter().all(|name| self.sandbox.integration(name)["version"] == 1));
        others
    }

    /// What the forge was asked on branches and pull requests.
    fn asked(&self) -> Vec<String> {
        let requests = self.forge.requests();
        let asked = requests.iter().filter(|request| request.method == "GET");
        let paths = asked.filter_map(|request| request.path.strip_prefix("/repos/acme/integrations/"));
        let paths = paths.filter(|path| path.starts_with("pulls/") || path.starts_with("branches/"));
        paths.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_fork_s_pull_request_without_a_token_is_checked() {
    for action in UPDATES {
        let notice = is_checked(&from_fork(payload(action), "fix")).await;
        assert_eq!(
            notice,
            "check: pull request #12 of a fork was updated, but there is no token: checked, not published"
        );
    }
}

/// The preview counts as one of `mona:fix`, and `fix` here is another branch.
#[tokio::test]
async fn a_fork_s_pull_request_with_both_tokens_has_a_preview_under_its_owner_s_name() {
    let world = world(Head::fork("mona", "fix")).await;
    let opened = from_fork(payload("opened"), "fix");
    assert_eq!(world.runs("pull_request", &opened, &[]).await, "published");
    insta::assert_snapshot!(world.others().join(", "), @"hello-mona-fix-7e34d0f6");
    assert_eq!(world.asked(), ["pulls/12"; 2]);
    let [name] = &world.others()[..] else { panic!("one preview") };
    let summary = world.sandbox.integration(name)["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains(" branch=mona:fix "), "{summary}");
    assert_eq!(world.forge.deployments()[0].environment, "gitbook preview: hello/mona:fix");

    world.forge.close_pull_request(12);
    let closed = from_fork(payload("closed"), "fix");
    assert_eq!(world.runs("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(world.others(), [""; 0]);
}

#[tokio::test]
async fn a_fork_s_pull_request_that_is_closed_without_a_token_is_left_alone() {
    let reason =
        "nothing: pull request #12 of a fork was closed, but there is no token, so no preview was made";
    assert_eq!(is_left_alone(&from_fork(payload("closed"), "fix")).await, reason);
    assert_eq!(is_left_alone(&from_fork(payload("closed"), "main")).await, reason);
    assert_eq!(is_left_alone(&from_lost_fork(payload("closed"), "fix")).await, reason);
}

/// Neither what it is called nor what a workflow says of it makes it production, or the branch here.
#[tokio::test]
async fn a_fork_s_main_is_never_production() {
    for variables in [
        &[][..],
        &[("GITBOOK_BRANCH", "main")],
        &[("GITBOOK_PRODUCTION_BRANCH", "*")],
        &[("GITBOOK_EVENT", "pull_request"), ("GITBOOK_BRANCH", "main")],
    ] {
        let world = world(Head::fork("mona", "main")).await;
        let opened = from_fork(payload("opened"), "main");
        assert_eq!(world.runs("pull_request", &opened, variables).await, "published", "{variables:?}");
        let others = world.others();
        assert!(others.len() == 1 && others[0].starts_with("hello-mona-main-"), "{variables:?}: {others:?}");
        assert_eq!(world.asked(), ["pulls/12"; 2], "{variables:?}");
        world.forge.close_pull_request(12);
    }
    assert!(is_checked(&from_fork(payload("opened"), "main")).await.starts_with("check: "));
}

#[tokio::test]
async fn a_fork_that_is_gone_is_still_one() {
    let notice = is_checked(&from_lost_fork(payload("opened"), "main")).await;
    assert_eq!(
        notice,
        "check: pull request #12 of a fork was updated, but there is no token: checked, not published"
    );

    let world = world(Head::fork("mona", "main")).await;
    let opened = from_fork(payload("opened"), "main");
    assert_eq!(world.runs("pull_request", &opened, &[]).await, "published");
    world.forge.delete_fork_of(12);
    let ready = from_lost_fork(payload("ready_for_review"), "main");
    assert_eq!(world.runs("pull_request", &ready, &[]).await, "unchanged");
    assert_eq!(world.others().len(), 1);
    // GitHub closes what can't be merged any more.
    world.forge.close_pull_request(12);
    let closed = from_lost_fork(payload("closed"), "main");
    assert_eq!(world.runs("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(world.others(), [""; 0]);
}

#[tokio::test]
async fn dependabot_without_a_token_is_checked() {
    for action in UPDATES {
        let notice = is_checked(&by_dependabot(payload(action))).await;
        assert_eq!(
            notice,
            "check: pull request #12 of Dependabot was updated, but there is no token: checked, not published"
        );
    }
    let notice = is_left_alone(&by_dependabot(payload("closed"))).await;
    assert_eq!(
        notice,
        "nothing: pull request #12 of Dependabot was closed, but there is no token, so no preview was made"
    );
}

/// It has one where the token is among Dependabot's own secrets.
#[tokio::test]
async fn dependabot_with_a_token_has_a_preview_as_any_branch() {
    let world = world(Head::own(DEPENDABOT)).await;
    let opened = by_dependabot(payload("opened"));
    assert_eq!(world.runs("pull_request", &opened, &[]).await, "published");
    insta::assert_snapshot!(world.others().join(", "), @"hello-dependabot-npm-and-yarn-left-pad-2-0-0-757a7052");
    world.forge.close_pull_request(12);
    let closed = by_dependabot(payload("closed"));
    assert_eq!(world.runs("pull_request", &closed, &[]).await, "deleted");
    assert_eq!(world.others(), [""; 0]);
}

/// Runs on `pull_request_target` with all tokens; it must be refused and have asked nobody.
async fn is_refused(payload: &Value, variables: &[(&str, &str)]) -> Finished {
    let (server, forge) = (gitbook().await, FakeGitHub::start().await);
    let folder = repository().integration("hello");
    let run = run("pull_request_target", payload, &server.uri(), &forge).folder(&folder);
    let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
    let ended = run.runs().await;
    asked_nobody(&server, &forge).await;
    assert_eq!(ended.code, Some(2), "{variables:?}: {ended:#?}");
    assert_eq!([ended.output("mode"), ended.output("result")], ["refuse", "failed"], "{variables:?}");
    ended
}

#[tokio::test]
async fn a_fork_s_pull_request_with_the_base_s_secrets_is_refused() {
    let ended = is_refused(&from_fork(payload("opened"), "fix"), &[("GITBOOK_LOG_FORMAT", "text")]).await;
    let log = ended.log();
    let log: Vec<_> = log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    insta::assert_snapshot!(log.join("\n"), @"
    exit 2
    error: a fork's change is not deployed by a run that has the base repository's secrets
     hint: it would publish a stranger's script with your secrets; run on `pull_request`, where a fork's changes are checked without them, as the workflow `examples/workflows/github/previews.yml` of gitbook-deploy does
    ");
    for action in ["reopened", "synchronize", "ready_for_review", "closed", "labeled"] {
        is_refused(&from_fork(payload(action), "main"), &[]).await;
        is_refused(&from_lost_fork(payload(action), "main"), &[]).await;
    }
}

#[tokio::test]
async fn no_variable_talks_a_refusal_away() {
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
fn the_workflow_that_the_refusal_names_is_there() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/workflows/github/previews.yml");
    let workflow = std::fs::read_to_string(path).unwrap();
    assert!(workflow.lines().any(|line| line == "  pull_request:"), "{workflow}");
    assert!(!workflow.lines().any(|line| line.trim() == "pull_request_target:"), "{workflow}");
}

#[tokio::test]
async fn a_pull_request_of_one_s_own_has_a_preview_with_the_base_s_secrets_too() {
    let world = world(Head::own("topic")).await;
    let of_topic = |action| {
        let mut payload = payload(action);
        payload["pull_request"]["head"]["ref"] = "topic".into();
        payload
    };
    assert_eq!(world.runs("pull_request_target", &of_topic("opened"), &[]).await, "published");
    assert_eq!(world.others(), ["hello-topic"]);
    assert_eq!(world.asked(), ["pulls/12"; 2]);
    world.forge.merge_pull_request(12);
    assert_eq!(world.runs("pull_request_target", &of_topic("closed"), &[]).await, "deleted");
    assert_eq!(world.others(), [""; 0]);
}
