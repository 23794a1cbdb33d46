//! The outputs, the summary, the report file, the log and the annotations of a run.

mod formats;
mod leaks;
mod problems;
mod sinks;
mod sizes;

use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use crate::support::{Deployment, Finished, api_error, deployment, gitbook, repository};

/// Starts a GitBook that rejects every request with this status and message.
async fn refusing(status: u16, message: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(api_error(status, message)).mount(&server).await;
    server
}

/// Returns one line per output, without times.
fn outputs(finished: &Finished) -> String {
    let lines: Vec<_> = finished.outputs().iter().map(|(name, value)| format!("{name}={value}")).collect();
    finished.scrubbed(&lines.join("\n"))
}

fn report(finished: &Finished) -> String {
    let text = finished.scrubbed(&format!("{:#}", finished.report));
    let text = crate::support::replace_digits_after(&text, "\"packaging_milliseconds\": ", "…");
    crate::support::replace_digits_after(&text, "\"milliseconds\": ", "…")
}

fn summary(finished: &Finished) -> String {
    // The last column of the table is the time, which varies.
    let lines = finished.summary.lines().map(|line| match line.strip_suffix(" ms |") {
        Some(row) => format!("{}… ms |", row.trim_end_matches(|c: char| c.is_ascii_digit())),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Publishes two previews.
async fn publish_two_previews() -> Finished {
    let server = gitbook().await;
    let repository = repository().integration("one").integration("two");
    deployment().with_endpoint(&server.uri()).on_github("fix/it", 7).folder(&repository).run().await
}

#[tokio::test]
async fn outputs_and_summary_show_published_previews() {
    let finished = publish_two_previews().await;
    insta::assert_snapshot!(outputs(&finished), @r#"
    count=2
    integrations=[{"name":"one-fix-it-bbe4d8cc","result":"published","preview":true,"url":"https://app.gitbook.com/integrations/one-fix-it-bbe4d8cc","version":"1","manifest":"one/gitbook-manifest.yaml","script_bytes":58,"milliseconds":…,"note":null,"error":null,"mode":"preview","reason":"push to branch `fix/it`","sha":"0123abcd"},{"name":"two-fix-it-bbe4d8cc","result":"published","preview":true,"url":"https://app.gitbook.com/integrations/two-fix-it-bbe4d8cc","version":"1","manifest":"two/gitbook-manifest.yaml","script_bytes":58,"milliseconds":…,"note":null,"error":null,"mode":"preview","reason":"push to branch `fix/it`","sha":"0123abcd"}]
    matrix=
    mode=preview
    name=one-fix-it-bbe4d8cc
    preview=true
    reason=push to branch `fix/it`
    result=published
    sha=0123abcd
    url=https://app.gitbook.com/integrations/one-fix-it-bbe4d8cc
    version=1
    "#);
    insta::assert_snapshot!(summary(&finished), @r#"
    ### gitbook-deploy

    **preview**: push to branch &#96;fix&#47;it&#96;

    | Integration | Result | Version | Script | Time |
    |---|---|---|---|---|
    | [one-fix-it-bbe4d8cc](<https://app.gitbook.com/integrations/one-fix-it-bbe4d8cc>) | published | 1 | 0.1 KiB | … ms |
    | [two-fix-it-bbe4d8cc](<https://app.gitbook.com/integrations/two-fix-it-bbe4d8cc>) | published | 1 | 0.1 KiB | … ms |

    Script composition in bytes, estimated from the sizes before minification:

    <details><summary>one-fix-it-bbe4d8cc, 0.1 KiB</summary>

    ```mermaid
    pie showData
        "own source" : 58
    ```

    </details>

    <details><summary>two-fix-it-bbe4d8cc, 0.1 KiB</summary>

    ```mermaid
    pie showData
        "own source" : 58
    ```

    </details>
    "#);
}

#[tokio::test]
async fn the_report_shows_published_previews() {
    insta::assert_snapshot!(report(&publish_two_previews().await), @r#"
    {
      "version": "0.1.0",
      "exit_code": 0,
      "mode": "preview",
      "reason": "push to branch `fix/it`",
      "result": "published",
      "count": null,
      "matrix": null,
      "division": null,
      "ci": {
        "system": "GitHub Actions",
        "repository": "github.com/acme/integrations",
        "branch": "fix/it",
        "pull_request": null,
        "sha": "0123abcd",
        "run": "https://github.com/acme/integrations/actions/runs/7"
      },
      "error": null,
      "problems": [],
      "integrations": [
        {
          "name": "one-fix-it-bbe4d8cc",
          "result": "published",
          "preview": true,
          "url": "https://app.gitbook.com/integrations/one-fix-it-bbe4d8cc",
          "version": "1",
          "manifest": "one/gitbook-manifest.yaml",
          "script_bytes": 58,
          "milliseconds": …,
          "note": null,
          "error": null,
          "packages": [],
          "packaging_milliseconds": …,
          "script_bytes_before": null
        },
        {
          "name": "two-fix-it-bbe4d8cc",
          "result": "published",
          "preview": true,
          "url": "https://app.gitbook.com/integrations/two-fix-it-bbe4d8cc",
          "version": "1",
          "manifest": "two/gitbook-manifest.yaml",
          "script_bytes": 58,
          "milliseconds": …,
          "note": null,
          "error": null,
          "packages": [],
          "packaging_milliseconds": …,
          "script_bytes_before": null
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn all_outputs_show_that_a_run_did_nothing() {
    let finished = deployment().variable("GITBOOK_EVENT", "tag").run().await;
    insta::assert_snapshot!(outputs(&finished), @"
    count=0
    integrations=[]
    matrix=
    mode=nothing
    name=
    preview=false
    reason=a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags
    result=skipped
    sha=
    url=
    version=
    ");
    insta::assert_snapshot!(summary(&finished), @"
    ### gitbook-deploy

    **nothing**: a tag was pushed&#59; set &#96;GITBOOK&#95;MODE&#61;publish&#96; to publish from tags
    ");
    insta::assert_snapshot!(report(&finished), @r#"
    {
      "version": "0.1.0",
      "exit_code": 0,
      "mode": "nothing",
      "reason": "a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags",
      "result": "skipped",
      "count": null,
      "matrix": null,
      "division": null,
      "ci": {
        "system": "no CI system",
        "repository": null,
        "branch": null,
        "pull_request": null,
        "sha": null,
        "run": null
      },
      "error": null,
      "problems": [],
      "integrations": []
    }
    "#);
}

/// Publishes an integration that GitBook rejects.
async fn publish_rejected_integration() -> Finished {
    let server = refusing(401, "Authentication required").await;
    let repository = repository().integration("hello");
    deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository).run().await
}

#[tokio::test]
async fn outputs_and_summary_show_a_failure() {
    let finished = publish_rejected_integration().await;
    insta::assert_snapshot!(outputs(&finished), @r#"
    count=1
    integrations=[{"name":"hello","result":"failed","preview":false,"url":null,"version":null,"manifest":"hello/gitbook-manifest.yaml","script_bytes":null,"milliseconds":…,"note":null,"error":{"message":"publishing `hello` failed","cause":"GitBook rejected the token: 401 Authentication required","hint":"create an API token in GitBook's developer settings and store it as the secret that sets `GITBOOK_TOKEN`"},"mode":"publish","reason":"push to `main`, the production branch","sha":"0123abcd"}]
    matrix=
    mode=publish
    name=hello
    preview=false
    reason=push to `main`, the production branch
    result=failed
    sha=0123abcd
    url=
    version=
    "#);
    insta::assert_snapshot!(summary(&finished), @"
    ### gitbook-deploy

    **publish**: push to &#96;main&#96;, the production branch

    ❌ publishing &#96;hello&#96; failed<br>GitBook rejected the token&#58; 401 Authentication required<br>create an API token in GitBook&#39;s developer settings and store it as the secret that sets &#96;GITBOOK&#95;TOKEN&#96;

    | Integration | Result | Version | Script | Time |
    |---|---|---|---|---|
    | hello | failed |  |  | … ms |
    ");
}

#[tokio::test]
async fn the_report_shows_a_failure() {
    insta::assert_snapshot!(report(&publish_rejected_integration().await), @r#"
    {
      "version": "0.1.0",
      "exit_code": 1,
      "mode": "publish",
      "reason": "push to `main`, the production branch",
      "result": "failed",
      "count": null,
      "matrix": null,
      "division": null,
      "ci": {
        "system": "no CI system",
        "repository": "github.com/acme/integrations",
        "branch": "main",
        "pull_request": null,
        "sha": "0123abcd",
        "run": null
      },
      "error": {
        "message": "1 of 1 integration failed",
        "cause": null,
        "hint": null
      },
      "problems": [],
      "integrations": [
        {
          "name": "hello",
          "result": "failed",
          "preview": false,
          "url": null,
          "version": null,
          "manifest": "hello/gitbook-manifest.yaml",
          "script_bytes": null,
          "milliseconds": …,
          "note": null,
          "error": {
            "message": "publishing `hello` failed",
            "cause": "GitBook rejected the token: 401 Authentication required",
            "hint": "create an API token in GitBook's developer settings and store it as the secret that sets `GITBOOK_TOKEN`"
          },
          "packages": [],
          "packaging_milliseconds": …,
          "script_bytes_before": null
        }
      ]
    }
    "#);
}

/// Runs with a manifest that contains an error and a warning.
async fn run_with_invalid_manifest() -> Finished {
    let repository = repository().manifest("hello", "hello", "summary: 12\nvisibilty: x\n");
    deployment().with_endpoint("http://127.0.0.1:1").on_push_to("main").folder(&repository).run().await
}

#[tokio::test]
async fn outputs_and_summary_show_invalid_input() {
    let finished = run_with_invalid_manifest().await;
    insta::assert_snapshot!(outputs(&finished), @"
    count=0
    integrations=[]
    matrix=
    mode=publish
    name=
    preview=false
    reason=push to `main`, the production branch
    result=failed
    sha=0123abcd
    url=
    version=
    ");
    insta::assert_snapshot!(summary(&finished), @"
    ### gitbook-deploy

    **publish**: push to &#96;main&#96;, the production branch

    1 error and 1 warning in 1 file; see the log.

    ❌ invalid integrations&#58; 1 error and 1 warning in 1 file&#59; nothing was published or deleted
    ");
}

#[tokio::test]
async fn the_report_shows_invalid_input() {
    insta::assert_snapshot!(report(&run_with_invalid_manifest().await), @r#"
    {
      "version": "0.1.0",
      "exit_code": 2,
      "mode": "publish",
      "reason": "push to `main`, the production branch",
      "result": "failed",
      "count": null,
      "matrix": null,
      "division": null,
      "ci": {
        "system": "no CI system",
        "repository": "github.com/acme/integrations",
        "branch": "main",
        "pull_request": null,
        "sha": "0123abcd",
        "run": null
      },
      "error": {
        "message": "invalid integrations: 1 error and 1 warning in 1 file; nothing was published or deleted",
        "cause": null,
        "hint": null
      },
      "problems": [
        {
          "severity": "error",
          "file": "hello/gitbook-manifest.yaml",
          "variable": null,
          "line": 6,
          "column": 10,
          "end_column": 12,
          "excerpt": "summary: 12",
          "message": "`summary` is a number; it must be text",
          "hint": "put the value in quotes",
          "integration": "hello"
        },
        {
          "severity": "warning",
          "file": "hello/gitbook-manifest.yaml",
          "variable": null,
          "line": 7,
          "column": 1,
          "end_column": 10,
          "excerpt": "visibilty: x",
          "message": "unknown field `visibilty`",
          "hint": "did you mean `visibility`? unknown fields are sent to GitBook unchanged",
          "integration": "hello"
        }
      ],
      "integrations": []
    }
    "#);
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn outputs_for_a_single_integration_describe_the_first() {
    let server = gitbook().await;
    let repository = repository().integration("b").integration("a");
    let run: Deployment = deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository);
    let finished = run.run().await;
    assert_eq!(finished.output("name"), "a");
    assert_eq!(names(&finished.integrations()), ["a", "b"]);
    assert_eq!(names(&finished.report["integrations"]), ["a", "b"]);
}
