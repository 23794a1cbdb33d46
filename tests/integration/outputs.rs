//! What comes out: outputs, summary, report, log and annotations.

mod formats;
mod leaks;
mod problems;
mod sinks;
mod sizes;

use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use crate::support::{Deployment, Finished, deployment, gitbook, repository, said};

/// A GitBook that refuses everything, in these words.
async fn refusing(status: u16, message: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(said(status, message)).mount(&server).await;
    server
}

/// The outputs in lines, without times.
fn outputs(ended: &Finished) -> String {
    let lines: Vec<_> = ended.outputs().iter().map(|(name, value)| format!("{name}={value}")).collect();
    ended.scrubbed(&lines.join("\n"))
}

fn report(ended: &Finished) -> String {
    let text = ended.scrubbed(&format!("{:#}", ended.report));
    let text = crate::support::replace_digits_after(&text, "\"packaging_milliseconds\": ", "…");
    crate::support::replace_digits_after(&text, "\"milliseconds\": ", "…")
}

fn summary(ended: &Finished) -> String {
    // The time stands in the last column.
    let lines = ended.summary.lines().map(|line| match line.strip_suffix(" ms |") {
        Some(row) => format!("{}… ms |", row.trim_end_matches(|c: char| c.is_ascii_digit())),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Two previews that are published.
async fn success() -> Finished {
    let server = gitbook().await;
    let repository = repository().integration("one").integration("two");
    deployment().against(&server.uri()).on_github("fix/it", 7).folder(&repository).runs().await
}

#[tokio::test]
async fn success_is_told_to_the_next_step_and_the_summary() {
    let ended = success().await;
    insta::assert_snapshot!(outputs(&ended), @r#"
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
    insta::assert_snapshot!(summary(&ended), @r#"
    ### gitbook-deploy

    **preview**: push to branch &#96;fix&#47;it&#96;

    | integration | result | version | script | time |
    |---|---|---|---|---|
    | [one-fix-it-bbe4d8cc](<https://app.gitbook.com/integrations/one-fix-it-bbe4d8cc>) | published | 1 | 0.1 KiB | … ms |
    | [two-fix-it-bbe4d8cc](<https://app.gitbook.com/integrations/two-fix-it-bbe4d8cc>) | published | 1 | 0.1 KiB | … ms |

    What scripts are made of, in bytes, estimated by what each part has before the whole is minified:

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
async fn success_is_told_in_the_report() {
    insta::assert_snapshot!(report(&success().await), @r#"
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
async fn doing_nothing_is_told_too() {
    let ended = deployment().variable("GITBOOK_EVENT", "tag").runs().await;
    insta::assert_snapshot!(outputs(&ended), @"
    count=0
    integrations=[]
    matrix=
    mode=nothing
    name=
    preview=false
    reason=a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag
    result=skipped
    sha=
    url=
    version=
    ");
    insta::assert_snapshot!(summary(&ended), @"
    ### gitbook-deploy

    **nothing**: a tag was pushed&#59; &#96;GITBOOK&#95;MODE&#61;publish&#96; publishes from a tag
    ");
    insta::assert_snapshot!(report(&ended), @r#"
    {
      "version": "0.1.0",
      "exit_code": 0,
      "mode": "nothing",
      "reason": "a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag",
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

/// An integration that GitBook does not take.
async fn failure() -> Finished {
    let server = refusing(401, "Authentication required").await;
    let repository = repository().integration("hello");
    deployment().against(&server.uri()).push_to("main").folder(&repository).runs().await
}

#[tokio::test]
async fn a_failure_is_told_to_the_next_step_and_the_summary() {
    let ended = failure().await;
    insta::assert_snapshot!(outputs(&ended), @r#"
    count=1
    integrations=[{"name":"hello","result":"failed","preview":false,"url":null,"version":null,"manifest":"hello/gitbook-manifest.yaml","script_bytes":null,"milliseconds":…,"note":null,"error":{"message":"publishing `hello` failed","cause":"GitBook did not accept the token: 401 Authentication required","hint":"create a new API token in GitBook's developer settings and store it as the secret that `GITBOOK_TOKEN` is set from"},"mode":"publish","reason":"push to the production branch `main`","sha":"0123abcd"}]
    matrix=
    mode=publish
    name=hello
    preview=false
    reason=push to the production branch `main`
    result=failed
    sha=0123abcd
    url=
    version=
    "#);
    insta::assert_snapshot!(summary(&ended), @"
    ### gitbook-deploy

    **publish**: push to the production branch &#96;main&#96;

    ❌ publishing &#96;hello&#96; failed<br>GitBook did not accept the token&#58; 401 Authentication required<br>create a new API token in GitBook&#39;s developer settings and store it as the secret that &#96;GITBOOK&#95;TOKEN&#96; is set from

    | integration | result | version | script | time |
    |---|---|---|---|---|
    | hello | failed |  |  | … ms |
    ");
}

#[tokio::test]
async fn a_failure_is_told_in_the_report() {
    insta::assert_snapshot!(report(&failure().await), @r#"
    {
      "version": "0.1.0",
      "exit_code": 1,
      "mode": "publish",
      "reason": "push to the production branch `main`",
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
            "cause": "GitBook did not accept the token: 401 Authentication required",
            "hint": "create a new API token in GitBook's developer settings and store it as the secret that `GITBOOK_TOKEN` is set from"
          },
          "packages": [],
          "packaging_milliseconds": …,
          "script_bytes_before": null
        }
      ]
    }
    "#);
}

/// A manifest with an error and a warning.
async fn bad_input() -> Finished {
    let repository = repository().manifest("hello", "hello", "summary: 12\nvisibilty: x\n");
    deployment().against("http://127.0.0.1:1").push_to("main").folder(&repository).runs().await
}

#[tokio::test]
async fn bad_input_is_told_to_the_next_step_and_the_summary() {
    let ended = bad_input().await;
    insta::assert_snapshot!(outputs(&ended), @"
    count=0
    integrations=[]
    matrix=
    mode=publish
    name=
    preview=false
    reason=push to the production branch `main`
    result=failed
    sha=0123abcd
    url=
    version=
    ");
    insta::assert_snapshot!(summary(&ended), @"
    ### gitbook-deploy

    **publish**: push to the production branch &#96;main&#96;

    1 error and 1 warning in 1 file: see the log.

    ❌ 1 error and 1 warning in 1 file, nothing was sent
    ");
}

#[tokio::test]
async fn bad_input_is_told_in_the_report() {
    insta::assert_snapshot!(report(&bad_input().await), @r#"
    {
      "version": "0.1.0",
      "exit_code": 2,
      "mode": "publish",
      "reason": "push to the production branch `main`",
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
        "message": "1 error and 1 warning in 1 file, nothing was sent",
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
          "message": "`summary` is a number, it must be text",
          "hint": "put it in quotes",
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
          "message": "`visibilty` is not a field known here",
          "hint": "did you mean `visibility`? It is sent to GitBook as it is",
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
async fn the_first_integration_speaks_for_all_in_the_outputs_of_one_value() {
    let server = gitbook().await;
    let repository = repository().integration("b").integration("a");
    let run: Deployment = deployment().against(&server.uri()).push_to("main").folder(&repository);
    let ended = run.runs().await;
    assert_eq!(ended.output("name"), "a");
    assert_eq!(names(&ended.integrations()), ["a", "b"]);
    assert_eq!(names(&ended.report["integrations"]), ["a", "b"]);
}
