//! Tests of the selection of integrations by patterns and shards, and of the modes `check` and `plan`.

use serde_json::{Value, json};

use super::{push, results};
use crate::support::{RecordedRequests as _, Repository, deployment, gitbook, png, repository};

fn all_published(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|&name| (name.to_owned(), "published".to_owned())).collect()
}

#[tokio::test]
async fn a_check_sends_nothing() {
    let more = "secrets: {KEY: \"${{ env.NOT_SET }}\"}\n";
    let repository = repository().integration("one").manifest("two", "two", more);
    let finished = deployment().variable("GITBOOK_MODE", "check").folder(&repository).run().await;
    insta::assert_snapshot!(finished.log(), @r#"
    exit 0
    warning: `secrets.KEY` uses `NOT_SET`, which is unset or empty in this job
     --> two/gitbook-manifest.yaml:6:16
      |
    6 | secrets: {KEY: "${{ env.NOT_SET }}"}
      |                ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: set `NOT_SET` in the jobs that publish
    info: checked one (0.1 KiB, … s)
    info: checked two (0.1 KiB, … s)
    info: 1 warning in 1 file
    "#);
    assert_eq!((finished.output("result"), finished.output("count")), ("checked".into(), "2".into()));
}

#[tokio::test]
async fn a_plan_prints_the_matrix_of_shards() {
    let server = gitbook().await;
    let repository = repository().integration("one").integration("two").integration("three");
    let finished = push(&server.uri(), "main", &repository).variable("GITBOOK_MODE", "plan").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: checked one (0.1 KiB, … s)
    info: checked three (0.1 KiB, … s)
    info: checked two (0.1 KiB, … s)
    info: 3 integrations in 1 shard
    ");
    let matrix: Value = serde_json::from_str(&finished.output("matrix")).unwrap();
    assert_eq!(matrix, json!({"shard": ["1/1"]}));
    assert!(finished.summary.contains("\n3 integrations in 1 shard\n"), "{}", finished.summary);
    assert_eq!([&finished.report["count"], &finished.report["matrix"]], [&json!(3), &matrix]);
    assert_eq!(finished.output("count"), "3");
    assert_eq!(server.requests().await, [""; 0]);
}

#[tokio::test]
async fn a_plan_accounts_for_large_integrations() {
    let repository = (0..9).fold(repository(), |all, index| all.integration(&format!("light-{index}")));
    let repository = repository.integration("heavy").file("heavy/icon.png", vec![0; 1024 * 1024]);
    let run = deployment().on_push_to("main").folder(&repository).variable("GITBOOK_ENDPOINT", "sandbox");
    let finished = run.variable("GITBOOK_MODE", "plan").run().await;
    assert_eq!(finished.output("matrix"), "{\"shard\":[\"1/2\",\"2/2\"]}", "{finished:#?}");
    assert_eq!(finished.output("count"), "10");
}

#[tokio::test]
async fn shards_together_publish_every_integration_once() {
    let server = gitbook().await;
    let repository =
        ["a", "b", "c", "d", "e"].into_iter().fold(repository(), |all, name| all.integration(name));
    let publish_shard = async |repository: &Repository, shard: &str| {
        results(&push(&server.uri(), "main", repository).variable("GITBOOK_SHARD", shard).run().await)
    };
    assert_eq!(publish_shard(&repository, "1/2").await, all_published(&["a", "c", "e"]));
    assert_eq!(publish_shard(&repository, "2/2").await, all_published(&["b", "d"]));
    // The large integration gets a shard of its own.
    let repository = repository.file("e/icon.png", png(1, 1)).file("e/large.js", "x\n".repeat(512 * 1024));
    assert_eq!(publish_shard(&repository, "1/2").await, all_published(&["e"]));
    assert_eq!(publish_shard(&repository, "2/2").await, all_published(&["a", "b", "c", "d"]));
}

/// One integration is in the root of the repository, and both shards run on one machine, one after the other. The second shard
/// must ignore the files that the first one wrote to the sandbox's folder.
#[tokio::test]
async fn files_in_the_sandbox_folder_are_not_published() {
    let names = ["a", "b", "c", "d"];
    let repository = names.into_iter().fold(repository().manifest(".", "top", ""), |all, name| {
        all.manifest(name, name, "previewImages: [large.png]\n").file(&format!("{name}/large.png"), png(9, 9))
    });
    for round in 0..2 {
        let mut published = Vec::new();
        for shard in ["1/2", "2/2"] {
            let run = deployment().publish().folder(&repository).variable("GITBOOK_ENDPOINT", "sandbox");
            let run = run.variable("GITBOOK_INTEGRATIONS", "**/gitbook-manifest.yaml");
            let finished = run.variable("GITBOOK_SHARD", shard).run().await;
            let integrations = finished.integrations().as_array().unwrap().clone();
            published.extend(integrations.iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        }
        published.sort();
        assert_eq!(published, ["a", "b", "c", "d", "top"], "{round}");
    }
}

#[tokio::test]
async fn an_empty_shard_succeeds() {
    let server = gitbook().await;
    let repository = repository().integration("one").integration("two");
    let run = |mode: &str| {
        let run = push(&server.uri(), "fix", &repository).variable("GITBOOK_MODE", mode);
        run.variable("GITBOOK_SHARD", "7/8")
    };
    insta::assert_snapshot!(run("preview").run().await.log(), @"
    exit 0
    info: shard 7/8 has 0 of 2 integrations
    ");
    for mode in ["publish", "preview", "delete", "check"] {
        let finished = run(mode).run().await;
        assert_eq!(finished.code, Some(0), "{mode}: {finished:#?}");
        let division = finished.report["division"].as_str().unwrap();
        assert!(finished.log().contains(&format!("info: {division}\n")), "{mode}: {finished:#?}");
        assert!(finished.summary.contains(" 2 integrations"), "{mode}: {}", finished.summary);
        assert_eq!(["result", "count"].map(|name| finished.output(name)), ["skipped", "0"], "{mode}");
    }
    assert_eq!(server.requests().await, [""; 0]);
}

#[tokio::test]
async fn excludes_integrations_and_rejects_useless_patterns() {
    let server = gitbook().await;
    let repository = repository().integration("one").integration("two").integration("three");
    let run = |patterns: &str| {
        push(&server.uri(), "main", &repository).variable("GITBOOK_INTEGRATIONS", patterns).run()
    };
    assert_eq!(results(&run("!two\n*").await), all_published(&["one", "three"]));
    assert_eq!(results(&run("!t*").await), all_published(&["one"]));
    let received = server.requests().await;
    insta::assert_snapshot!(run("one, !tow, x/*").await.log(), @"
    exit 2
    error: GITBOOK_INTEGRATIONS: `x/*` contains no manifest
     hint: check out the repository before this step, and add a `gitbook-manifest.yaml` to the folder of each integration; without manifests, set `GITBOOK_NAME`
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
    insta::assert_snapshot!(run("., !tow").await.log(), @"
    exit 2
    error: GITBOOK_INTEGRATIONS: `!tow` excludes nothing
     hint: write the path after `!` relative to the working directory of the step, or remove the pattern
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
    insta::assert_snapshot!(run("., !*").await.log(), @"
    exit 2
    error: GITBOOK_INTEGRATIONS: all selected integrations are excluded
     hint: remove an exclusion, or select more integrations
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
    assert_eq!(server.requests().await, received);
}

#[tokio::test]
async fn overlapping_patterns_select_each_integration_once() {
    let server = gitbook().await;
    let repository = repository().integration("a/one").integration("a/two").integration("b");
    let repository = repository
        .manifest("a/one", "one", "")
        .manifest("a/two", "two", "")
        .manifest("b", "three", "")
        .manifest("node_modules/x", "never", "");
    let run = push(&server.uri(), "main", &repository).variable("GITBOOK_INTEGRATIONS", "a/*, b\na/one");
    assert_eq!(results(&run.run().await), all_published(&["one", "two", "three"]));
    assert_eq!(results(&push(&server.uri(), "main", &repository).run().await).len(), 3);
}

#[tokio::test]
async fn previews_and_production_can_have_their_own_envs() {
    let server = gitbook().await;
    let more = "envs:\n  test: {target: space}\n  production: {target: site}\n";
    let repository = repository().manifest(".", "hello", more);
    let run = |branch| {
        let run = push(&server.uri(), branch, &repository);
        run.variable("GITBOOK_ENV", "production").variable("GITBOOK_PREVIEW_ENV", "test")
    };
    run("main").run().await;
    run("fix").run().await;
    let requests = server.received_requests().await.unwrap();
    let bodies = requests.iter().filter(|request| !request.body.is_empty());
    let targets: Vec<_> =
        bodies.map(|request| request.body_json::<Value>().unwrap()["target"].clone()).collect();
    assert_eq!(targets, ["site", "space"]);
}

#[tokio::test]
async fn each_manifest_uses_the_first_requested_entry_of_envs_that_it_has() {
    let server = gitbook().await;
    let repository = repository()
        .manifest("a", "a", "envs:\n  live: {target: site}\n  production: {target: space}\n")
        .manifest("b", "b", "envs:\n  production: {target: space}\n  default: {target: site}\n")
        .manifest("c", "c", "envs:\n  default: {target: site}\n")
        .manifest("d", "d", "");
    let run = push(&server.uri(), "main", &repository).variable("GITBOOK_ENV", "live, production, prod");
    let finished = run.run().await;
    let requests = server.received_requests().await.unwrap();
    let bodies = requests.iter().filter(|request| !request.body.is_empty());
    let mut targets: Vec<_> = bodies
        .map(|request| {
            (request.url.path().to_owned(), request.body_json::<Value>().unwrap()["target"].clone())
        })
        .collect();
    targets.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("a", json!("site")), ("b", json!("space")), ("c", Value::Null), ("d", Value::Null)];
    assert_eq!(targets, expected.map(|(name, target)| (format!("/v1/integrations/{name}"), target)));
    let log = finished.log();
    let problems = log.lines().filter(|line| line.contains("GITBOOK_ENV") || line.contains("envs"));
    insta::assert_snapshot!(problems.collect::<Vec<_>>().join("\n"), @"
    notice: `GITBOOK_ENV`: 2 of 4 manifests do not have `live` or `production` or `prod` in `envs` and are used unchanged
    warning: GITBOOK_ENV: no selected manifest has `prod` in `envs`
    ");
}

#[tokio::test]
async fn a_plan_for_an_ignored_event_is_empty() {
    let repository = repository().integration("one");
    let plan = deployment().variable("GITBOOK_MODE", "plan").variable("GITBOOK_EVENT", "tag");
    let finished = plan.variable("GITBOOK_SHARD", "2/2").folder(&repository).run().await;
    let outputs = ["result", "count", "matrix"].map(|name| finished.output(name));
    assert_eq!((finished.code, outputs), (Some(0), ["checked", "0", "{\"shard\":[]}"].map(str::to_owned)));
}

#[tokio::test]
async fn publishes_an_integration_described_by_variables_only() {
    let server = gitbook().await;
    let fields =
        [("NAME", "hello"), ("TITLE", "Hello"), ("ORGANIZATION", "acme"), ("SCOPES", "openapi:read")];
    let fields = fields.into_iter().chain([("SCRIPT", "main.ts"), ("INTEGRATIONS", ".")]);
    let run = fields.fold(deployment().publish().with_endpoint(&server.uri()), |run, (name, value)| {
        run.variable(&format!("GITBOOK_{name}"), value)
    });
    let repository = repository().file("main.ts", "export default {};");
    let finished = run.folder(&repository).run().await;
    assert_eq!(results(&finished), all_published(&["hello"]), "{finished:#?}");
}
