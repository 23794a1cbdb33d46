//! Sweeps, which delete the previews of deleted branches and closed pull requests and keep all other previews.

mod failures;
mod gitbook;
mod organizations;
mod races;
mod records;

use fake_github::{FakeGitHub, Head};
use serde_json::{Value, json};

use super::sha;
use crate::support::{Deployment, Finished, Sandbox, deployment, payloads, repository};

const REPOSITORY: &str = "github.com/acme/integrations";

/// Returns a sweep of the organization `acme`, without a checkout.
fn sweep(gitbook: &str, forge: &FakeGitHub) -> Deployment {
    sweep_without_organization(gitbook, forge).variable("GITBOOK_ORGANIZATION", "acme")
}

/// Returns a sweep without `GITBOOK_ORGANIZATION`.
fn sweep_without_organization(gitbook: &str, forge: &FakeGitHub) -> Deployment {
    deployment()
        .with_endpoint(gitbook)
        .with_forge(forge)
        .variable("GITBOOK_EVENT", "schedule")
        .variable("GITBOOK_REPOSITORY", REPOSITORY)
}

/// Returns a preview in the API's format.
fn preview(name: &str, marker: &str) -> Value {
    json!({
        "object": "integration",
        "name": name,
        "version": 3,
        "title": "Hello",
        "summary": format!("Says hello.\n\n<!-- gitbook-deploy:preview {marker} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}

/// Returns the ownership marker of this repository's preview of a branch.
fn ownership_marker(branch: &str) -> String {
    format!("integration=hello repository={REPOSITORY} branch={branch} commit=0123abcd run=7 hash=00")
}

/// Starts a sandbox with a preview of each branch.
async fn gitbook_with_previews(branches: &[&str]) -> Sandbox {
    let gitbook = Sandbox::start().await;
    for branch in branches {
        let name = format!("hello-{branch}");
        gitbook.set(&name, &preview(&name, &ownership_marker(branch)));
    }
    // No sweep deletes this integration, so the organization `acme` always exists.
    gitbook.set("hello", &json!({"name": "hello", "visibility": "public", "owner": {"id": "acme"}}));
    gitbook
}

/// Returns the name and the result of each integration.
fn results(finished: &Finished) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let integrations = finished.integrations();
    let integrations = integrations.as_array().unwrap().iter();
    integrations.map(|integration| (text(&integration["name"]), text(&integration["result"]))).collect()
}

/// Counts the integrations with this result.
fn count(finished: &Finished, result: &str) -> usize {
    results(finished).iter().filter(|(_, actual)| actual == result).count()
}

/// Starts a sandbox with previews of open, deleted and renamed branches and of forks, and with integrations that no sweep may delete.
async fn gitbook_with_all_kinds_of_previews(forge: &FakeGitHub) -> Sandbox {
    let gitbook = gitbook_with_previews(&["open", "gone", "renamed"]).await;
    forge.set_branch("open", &sha('1'));
    forge.set_branch("renamed", &sha('2'));
    forge.rename_branch("renamed", "new-name");
    forge.open_pull_request(1, Head::fork("mona", "fix"), &sha('3'));
    forge.open_pull_request(2, Head::fork("lisa", "fix"), &sha('4'));
    forge.close_pull_request(2);
    // The suffix of a name is the beginning of the branch's SHA-256: `printf mona:fix | sha256sum`.
    gitbook
        .set("hello-mona-fix-7e34d0f6", &preview("hello-mona-fix-7e34d0f6", &ownership_marker("mona%3Afix")));
    gitbook
        .set("hello-lisa-fix-a9564a10", &preview("hello-lisa-fix-a9564a10", &ownership_marker("lisa%3Afix")));
    gitbook.set("odd", &preview("odd", &ownership_marker("gone")));
    let mut public = preview("hello-public", &ownership_marker("public"));
    public["visibility"] = "public".into();
    gitbook.set("hello-public", &public);
    let third_party = ownership_marker("theirs").replace("acme", "other");
    gitbook.set("hello-theirs", &preview("hello-theirs", &third_party));
    gitbook
}

#[tokio::test]
async fn a_scheduled_run_deletes_previews_of_deleted_branches() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_all_kinds_of_previews(&forge).await;
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: skipped 1 preview of other repositories; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `github.com/other/integrations` until its previews are deleted
    info: deleted hello-gone (… s): branch `gone` was deleted
    info: deleted hello-lisa-fix-a9564a10 (… s): branch `lisa:fix` was deleted
    info: skipped hello-mona-fix-7e34d0f6: kept: branch `mona:fix` is open
    info: skipped hello-open: kept: branch `open` is open
    info: skipped hello-public: kept: it is public; only private or unlisted previews are changed or deleted; set its visibility to private or unlisted in GitBook, or delete it there
    info: deleted hello-renamed (… s): branch `renamed` was deleted
    info: skipped odd: kept: its name does not match `GITBOOK_PREVIEW_NAME`; delete the preview in GitBook if no branch uses it
    info: sweep: deleted 3 previews, kept 4
    ");
    let left = ["hello", "hello-mona-fix-7e34d0f6", "hello-open", "hello-public", "hello-theirs", "odd"];
    assert_eq!(gitbook.names(), left);
    assert_eq!(finished.output("mode"), "sweep");
    assert!(finished.summary.contains("| hello-gone | deleted ("), "{}", finished.summary);
    let again = sweep(gitbook.endpoint(), &forge).run().await;
    assert_eq!((again.code, count(&again, "deleted")), (Some(0), 0));
    assert_eq!(gitbook.names(), left);
}

#[tokio::test]
async fn a_github_schedule_event_sweeps() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["gone"]).await;
    let checkout = repository().integration("hello");
    let payload = json!({"schedule": "0 3 * * *", "repository": payloads::push("main", "1")["repository"]});
    let run = deployment().on_github_event("schedule", &payload, 100).with_endpoint(gitbook.endpoint());
    let finished = run.with_forge(&forge).folder(&checkout).run().await;
    assert_eq!((finished.code, gitbook.names()), (Some(0), vec!["hello".to_owned()]), "{finished:#?}");
}

#[tokio::test]
async fn a_push_sweeps_in_sweep_mode() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["gone"]).await;
    let run = sweep(gitbook.endpoint(), &forge).event("push", "main").variable("GITBOOK_MODE", "sweep");
    let finished = run.run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: deleted hello-gone (… s): branch `gone` was deleted
    info: sweep: deleted 1 preview, kept 0
    ");
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn deletes_the_preview_of_a_fork_after_its_last_pull_request() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&[]).await;
    let folder = repository().integration("hello");
    for number in [1, 2] {
        forge.open_pull_request(number, Head::fork("mona", "fix"), &sha('1'));
    }
    let payload = payloads::fork_pull_request("opened", 1, "mona", "fix", &sha('1'));
    let run = deployment().on_github_event("pull_request", &payload, 100).folder(&folder);
    let finished = run.with_endpoint(gitbook.endpoint()).with_forge(&forge).run().await;
    assert_eq!(finished.output("result"), "published", "{finished:#?}");
    // A branch of the repository itself and a branch of another fork have the same name.
    forge.set_branch("fix", &sha('2'));
    forge.open_pull_request(3, Head::fork("lisa", "fix"), &sha('3'));
    for (number, left) in [(1, 2), (2, 1)] {
        forge.close_pull_request(number);
        forge.delete_fork_of(number);
        assert_eq!(sweep(gitbook.endpoint(), &forge).run().await.code, Some(0));
        assert_eq!(gitbook.names().len(), left, "{:?} after #{number}", gitbook.names());
    }
}

#[tokio::test]
async fn deletes_the_preview_of_a_closed_pull_request() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&[]).await;
    forge.open_pull_request(1, Head::own("fix"), &sha('1'));
    forge.open_pull_request(2, Head::own("fix"), &sha('1'));
    forge.close_pull_request(1);
    for number in [1, 2] {
        let name = format!("hello-pr{number}");
        gitbook.set(&name, &preview(&name, &format!("{} pull_request={number}", ownership_marker("fix"))));
    }
    gitbook.set("hello-pr", &preview("hello-pr", &ownership_marker("fix")));
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}");
    insta::assert_snapshot!(run.run().await.log(), @"
    exit 0
    info: skipped hello-pr: kept: its name does not match `GITBOOK_PREVIEW_NAME`; delete the preview in GitBook if no branch uses it
    info: deleted hello-pr1 (… s): pull request #1 is closed
    info: skipped hello-pr2: kept: pull request #2 is open
    info: sweep: deleted 1 preview, kept 2
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-pr", "hello-pr2"]);
}

#[tokio::test]
async fn deletes_at_most_fifty_previews_per_run() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&[]).await;
    for number in 10..70 {
        let name = format!("hello-gone-{number}");
        gitbook.set(&name, &preview(&name, &ownership_marker(&format!("gone-{number}"))));
    }
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    assert_eq!((finished.code, count(&finished, "deleted"), count(&finished, "skipped")), (Some(0), 50, 10));
    let left: Vec<_> = (60..70).map(|number| format!("hello-gone-{number}")).collect();
    assert_eq!(gitbook.names()[1..], left);
    let log = finished.log();
    insta::assert_snapshot!(log.lines().find(|line| line.contains("hello-gone-60")).unwrap(), @"info: skipped hello-gone-60: kept: this sweep has reached the limit of 50 deletions; run another sweep");
    insta::assert_snapshot!(log.lines().last().unwrap(), @"info: sweep: deleted 50 previews, kept 10");
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    assert_eq!((finished.code, count(&finished, "deleted"), count(&finished, "skipped")), (Some(0), 10, 0));
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn a_dry_run_lists_the_deletions() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_all_kinds_of_previews(&forge).await;
    let before = gitbook.names();
    let finished = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_DRY_RUN", "true").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: skipped 1 preview of other repositories; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `github.com/other/integrations` until its previews are deleted
    info: checked hello-gone (… s): dry run: would be deleted, branch `gone` was deleted
    info: checked hello-lisa-fix-a9564a10 (… s): dry run: would be deleted, branch `lisa:fix` was deleted
    info: skipped hello-mona-fix-7e34d0f6: kept: branch `mona:fix` is open
    info: skipped hello-open: kept: branch `open` is open
    info: skipped hello-public: kept: it is public; only private or unlisted previews are changed or deleted; set its visibility to private or unlisted in GitBook, or delete it there
    info: checked hello-renamed (… s): dry run: would be deleted, branch `renamed` was deleted
    info: skipped odd: kept: its name does not match `GITBOOK_PREVIEW_NAME`; delete the preview in GitBook if no branch uses it
    info: sweep (dry run): would delete 3 previews, keep 4
    ");
    assert_eq!(gitbook.names(), before);
    assert!(forge.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn only_the_first_shard_sweeps() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["gone"]).await;
    let run = |shard: &str| sweep(gitbook.endpoint(), &forge).variable("GITBOOK_SHARD", shard).run();
    let finished = run("2/3").await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: nothing to do: the first shard sweeps for all shards
    ");
    assert_eq!((gitbook.names().len(), forge.requests().len()), (2, 0));
    assert_eq!(run("1/3").await.code, Some(0));
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn never_deletes_a_preview_with_the_name_of_an_integration() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["x", "y"]).await;
    // Another integration is named like the preview `hello-x`, but in a different case.
    let checkout = repository().integration("hello").manifest("other", "Hello-X", "");
    let checkout = checkout.manifest("third", "third", "envs: {preview: {name: hello-y}}\n");
    let run = sweep(gitbook.endpoint(), &forge).folder(&checkout);
    insta::assert_snapshot!(run.variable("GITBOOK_PREVIEW_ENV", "preview").run().await.log(), @"
    exit 0
    info: skipped hello-x: kept: it has the name of an integration in production; change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`
    info: skipped hello-y: kept: it has the name of an integration in production; change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`
    info: sweep: deleted 0 previews, kept 2
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-x", "hello-y"]);
}
