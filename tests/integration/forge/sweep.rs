//! Sweeps: the previews of what is gone are deleted, and each other one is kept for a reason.

mod failures;
mod gitbook;
mod organizations;
mod races;
mod records;

use forge_stand_in::{Head, StandIn};
use serde_json::{Value, json};

use super::sha;
use crate::support::{Deployment, Ended, Sandbox, deployment, payloads, repository};

const REPOSITORY: &str = "github.com/acme/integrations";

/// A sweep of the organization `acme`, without a checkout.
fn sweep(gitbook: &str, forge: &StandIn) -> Deployment {
    unconfigured(gitbook, forge).variable("GITBOOK_ORGANIZATION", "acme")
}

/// A sweep that is not told of any organization.
fn unconfigured(gitbook: &str, forge: &StandIn) -> Deployment {
    deployment()
        .against(gitbook)
        .with_forge(forge)
        .variable("GITBOOK_EVENT", "schedule")
        .variable("GITBOOK_REPOSITORY", REPOSITORY)
}

/// A preview as the API tells it.
fn preview(name: &str, mark: &str) -> Value {
    json!({
        "object": "integration",
        "name": name,
        "version": 3,
        "title": "Hello",
        "summary": format!("Says hello.\n\n<!-- gitbook-deploy:preview {mark} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}

/// What the mark of this repository's preview of a branch says.
fn mark(branch: &str) -> String {
    format!("integration=hello repository={REPOSITORY} branch={branch} commit=0123abcd run=7 hash=00")
}

/// A sandbox with previews of branches.
async fn holding(branches: &[&str]) -> Sandbox {
    let gitbook = Sandbox::start().await;
    for branch in branches {
        let name = format!("hello-{branch}");
        gitbook.set(&name, &preview(&name, &mark(branch)));
    }
    // Somebody's own, so that the organization is there whatever is deleted.
    gitbook.set("hello", &json!({"name": "hello", "visibility": "public", "owner": {"id": "acme"}}));
    gitbook
}

/// Each integration's name and what came of it.
fn results(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let integrations = ended.integrations();
    let integrations = integrations.as_array().unwrap().iter();
    integrations.map(|integration| (text(&integration["name"]), text(&integration["result"]))).collect()
}

/// How many have come to that.
fn count(ended: &Ended, result: &str) -> usize {
    results(ended).iter().filter(|(_, came)| came == result).count()
}

/// All kinds of previews, and what is none.
async fn of_all_kinds(forge: &StandIn) -> Sandbox {
    let gitbook = holding(&["open", "gone", "renamed"]).await;
    forge.set_branch("open", &sha('1'));
    forge.set_branch("renamed", &sha('2'));
    forge.rename_branch("renamed", "new-name");
    forge.open_pull_request(1, Head::fork("mona", "fix"), &sha('3'));
    forge.open_pull_request(2, Head::fork("lisa", "fix"), &sha('4'));
    forge.close_pull_request(2);
    // printf mona:fix | sha256sum
    gitbook.set("hello-mona-fix-7e34d0f6", &preview("hello-mona-fix-7e34d0f6", &mark("mona%3Afix")));
    gitbook.set("hello-lisa-fix-a9564a10", &preview("hello-lisa-fix-a9564a10", &mark("lisa%3Afix")));
    gitbook.set("odd", &preview("odd", &mark("gone")));
    let mut public = preview("hello-public", &mark("public"));
    public["visibility"] = "public".into();
    gitbook.set("hello-public", &public);
    let theirs = mark("theirs").replace("acme", "other");
    gitbook.set("hello-theirs", &preview("hello-theirs", &theirs));
    gitbook
}

#[tokio::test]
async fn a_scheduled_run_deletes_what_is_gone() {
    let forge = StandIn::start().await;
    let gitbook = of_all_kinds(&forge).await;
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: left to the sweeps of other repositories: 1 of their previews; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `github.com/other/integrations` until its previews are gone
    info: deleted `hello-gone` (`gone` is gone) milliseconds=…
    info: deleted `hello-lisa-fix-a9564a10` (`lisa:fix` is gone) milliseconds=…
    info: skipped `hello-mona-fix-7e34d0f6` (kept: `mona:fix` is open) milliseconds=…
    info: skipped `hello-open` (kept: `open` is open) milliseconds=…
    info: skipped `hello-public` (kept: it is public, which previews are not; make it private, or delete it by hand) milliseconds=…
    info: deleted `hello-renamed` (`renamed` is gone) milliseconds=…
    info: skipped `odd` (kept: its name is not what `GITBOOK_PREVIEW_NAME` gives for its mark; delete it by hand, if it is yours) milliseconds=…
    info: swept up: 3 deleted, 4 kept
    "#);
    let left = ["hello", "hello-mona-fix-7e34d0f6", "hello-open", "hello-public", "hello-theirs", "odd"];
    assert_eq!(gitbook.names(), left);
    assert_eq!(ended.output("mode"), "sweep");
    assert!(ended.summary.contains("| hello-gone | deleted (&#96;gone&#96; is gone) |"), "{}", ended.summary);
    let again = sweep(gitbook.endpoint(), &forge).runs().await;
    assert_eq!((again.code, count(&again, "deleted")), (Some(0), 0));
    assert_eq!(gitbook.names(), left);
}

#[tokio::test]
async fn a_schedule_of_github_sweeps_with_its_own_variables() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["gone"]).await;
    let checkout = repository().integration("hello");
    let payload = json!({"schedule": "0 3 * * *", "repository": payloads::push("main", "1")["repository"]});
    let run = deployment().on_github_event("schedule", &payload, 100).against(gitbook.endpoint());
    let ended = run.with_forge(&forge).folder(&checkout).runs().await;
    assert_eq!((ended.code, gitbook.names()), (Some(0), vec!["hello".to_owned()]), "{ended:#?}");
}

#[tokio::test]
async fn any_event_sweeps_when_it_is_told_to() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["gone"]).await;
    let run = sweep(gitbook.endpoint(), &forge).event("push", "main").variable("GITBOOK_MODE", "sweep");
    let ended = run.runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 0
    info: sweep: `GITBOOK_MODE=sweep` system="no CI system" event=push branch=main repository=github.com/acme/integrations commit=0123abcd
    info: deleted `hello-gone` (`gone` is gone) milliseconds=…
    info: swept up: 1 deleted, 0 kept
    "#);
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn a_forks_preview_goes_with_the_last_pull_request_from_its_branch() {
    let forge = StandIn::start().await;
    let gitbook = holding(&[]).await;
    let folder = repository().integration("hello");
    for number in [1, 2] {
        forge.open_pull_request(number, Head::fork("mona", "fix"), &sha('1'));
    }
    let payload = payloads::fork_pull_request("opened", 1, "mona", "fix", &sha('1'));
    let run = deployment().on_github_event("pull_request", &payload, 100).folder(&folder);
    let ended = run.against(gitbook.endpoint()).with_forge(&forge).runs().await;
    assert_eq!(ended.output("result"), "published", "{ended:#?}");
    // A branch of the repository itself is called the same, and another fork's.
    forge.set_branch("fix", &sha('2'));
    forge.open_pull_request(3, Head::fork("lisa", "fix"), &sha('3'));
    for (number, left) in [(1, 2), (2, 1)] {
        forge.close_pull_request(number);
        forge.delete_fork_of(number);
        assert_eq!(sweep(gitbook.endpoint(), &forge).runs().await.code, Some(0));
        assert_eq!(gitbook.names().len(), left, "{:?} after #{number}", gitbook.names());
    }
}

#[tokio::test]
async fn a_pull_requests_own_preview_goes_when_that_is_closed() {
    let forge = StandIn::start().await;
    let gitbook = holding(&[]).await;
    forge.open_pull_request(1, Head::own("fix"), &sha('1'));
    forge.open_pull_request(2, Head::own("fix"), &sha('1'));
    forge.close_pull_request(1);
    for number in [1, 2] {
        let name = format!("hello-pr{number}");
        gitbook.set(&name, &preview(&name, &format!("{} pull_request={number}", mark("fix"))));
    }
    gitbook.set("hello-pr", &preview("hello-pr", &mark("fix")));
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}");
    insta::assert_snapshot!(run.runs().await.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: skipped `hello-pr` (kept: its name is not what `GITBOOK_PREVIEW_NAME` gives for its mark; delete it by hand, if it is yours) milliseconds=…
    info: deleted `hello-pr1` (pull request #1 is closed) milliseconds=…
    info: skipped `hello-pr2` (kept: pull request #2 is open) milliseconds=…
    info: swept up: 1 deleted, 2 kept
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-pr", "hello-pr2"]);
}

#[tokio::test]
async fn fifty_are_the_most_and_the_next_run_goes_on() {
    let forge = StandIn::start().await;
    let gitbook = holding(&[]).await;
    for number in 10..70 {
        let name = format!("hello-gone-{number}");
        gitbook.set(&name, &preview(&name, &mark(&format!("gone-{number}"))));
    }
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    assert_eq!((ended.code, count(&ended, "deleted"), count(&ended, "skipped")), (Some(0), 50, 10));
    let left: Vec<_> = (60..70).map(|number| format!("hello-gone-{number}")).collect();
    assert_eq!(gitbook.names()[1..], left);
    let log = ended.log();
    assert!(log.contains("skipped `hello-gone-60` (kept: 50 deletions a run are the most)"), "{log}");
    assert!(log.ends_with("info: swept up: 50 deleted, 10 kept\n"), "{log}");
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    assert_eq!((ended.code, count(&ended, "deleted"), count(&ended, "skipped")), (Some(0), 10, 0));
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_delete() {
    let forge = StandIn::start().await;
    let gitbook = of_all_kinds(&forge).await;
    let before = gitbook.names();
    let ended = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_DRY_RUN", "true").runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: left to the sweeps of other repositories: 1 of their previews; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `github.com/other/integrations` until its previews are gone
    info: checked `hello-gone` (dry run: would be deleted, `gone` is gone) milliseconds=…
    info: checked `hello-lisa-fix-a9564a10` (dry run: would be deleted, `lisa:fix` is gone) milliseconds=…
    info: skipped `hello-mona-fix-7e34d0f6` (kept: `mona:fix` is open) milliseconds=…
    info: skipped `hello-open` (kept: `open` is open) milliseconds=…
    info: skipped `hello-public` (kept: it is public, which previews are not; make it private, or delete it by hand) milliseconds=…
    info: checked `hello-renamed` (dry run: would be deleted, `renamed` is gone) milliseconds=…
    info: skipped `odd` (kept: its name is not what `GITBOOK_PREVIEW_NAME` gives for its mark; delete it by hand, if it is yours) milliseconds=…
    info: dry run: 3 would be deleted, 4 kept
    "#);
    assert_eq!(gitbook.names(), before);
    assert!(forge.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn one_machine_sweeps_for_all() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["gone"]).await;
    let run = |shard: &str| sweep(gitbook.endpoint(), &forge).variable("GITBOOK_SHARD", shard).runs();
    let ended = run("2/3").await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations shard=2/3
    info: the first share's machine sweeps for all
    "#);
    assert_eq!((gitbook.names().len(), forge.requests().len()), (2, 0));
    assert_eq!(run("1/3").await.code, Some(0));
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn the_name_of_an_integration_itself_is_never_deleted() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["x", "y"]).await;
    // What is called as a preview of `hello` is another integration, in whatever case.
    let checkout = repository().integration("hello").manifest("other", "Hello-X", "");
    let checkout = checkout.manifest("third", "third", "envs: {preview: {name: hello-y}}\n");
    let run = sweep(gitbook.endpoint(), &forge).folder(&checkout);
    insta::assert_snapshot!(run.variable("GITBOOK_PREVIEW_ENV", "preview").runs().await.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: skipped `hello-x` (kept: it has the name of an integration itself; change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`) milliseconds=…
    info: skipped `hello-y` (kept: it has the name of an integration itself; change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`) milliseconds=…
    info: swept up: 0 deleted, 2 kept
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-x", "hello-y"]);
}
