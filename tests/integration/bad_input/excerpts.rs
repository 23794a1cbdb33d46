//! The source excerpts in error messages.

use super::{log_of_publishing, log_of_publishing_with_fields, log_of_rejected_run};
use crate::support::{deployment, repository};

#[tokio::test]
async fn reports_nested_types_and_unknown_keys() {
    let more = "configurations:\n  account:\n    properties:\n      key:\n        type: number\n        titel: Key\n        default: five\n";
    insta::assert_snapshot!(log_of_publishing_with_fields(more).await, @"
    exit 2
    warning: unknown field `configurations.account.properties.key.titel`
      --> gitbook-manifest.yaml:11:9
       |
    11 |         titel: Key
       |         ^^^^^
       |
       = hint: did you mean `title`? unknown fields are sent to GitBook unchanged
    error: `configurations.account.properties.key.default` is text; it must be a number
      --> gitbook-manifest.yaml:12:18
       |
    12 |         default: five
       |                  ^^^^
    error: invalid integrations: 1 error and 1 warning in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn underlines_lines_with_tabs_and_wide_characters() {
    let wide =
        "blocks: [{id: \"日本語\",\ttitle: 12}]\nexternalLinks: [{label: \"e\u{301} 👩‍👩‍👧\", url: nowhere}]\n";
    let long =
        format!("contentSources: [{{id: {}, title: 7, icon: {}}}]\n", "x".repeat(200), "y".repeat(200));
    insta::assert_snapshot!(log_of_publishing_with_fields(&format!("{wide}{long}")).await, @r#"
    exit 2
    error: `blocks[0].title` is a number; it must be text
     --> gitbook-manifest.yaml:6:29
      |
    6 | blocks: [{id: "日本語",    title: 12}]
      |                                   ^^
      |
      = hint: put the value in quotes
    error: `externalLinks[0].url` is not a valid URL: relative URL without a base
     --> gitbook-manifest.yaml:7:42
      |
    7 | externalLinks: [{label: "é 👩👩👧", url: nowhere}]
      |                                          ^^^^^^^
      |
      = hint: write a complete address, such as `https://example.com/page`
    error: `contentSources[0].configuration` is missing
     --> gitbook-manifest.yaml:8:18
      |
    8 | contentSources: [{id: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
      |                  ^
      |
      = hint: add `configuration`; it must be a mapping
    error: `contentSources[0].title` is a number; it must be text
     --> gitbook-manifest.yaml:8:232
      |
    8 | ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, title: 7, icon: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...
      |                                                          ^
      |
      = hint: put the value in quotes
    error: invalid integrations: 4 errors in 1 file; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn excerpts_hide_plain_text_secrets() {
    let more =
        "secrets:\n  KEY: 12345678\n  B: hush ${{ env.NOT_SET }} hush\n  C: {hush: hush}\nvisibilty: x\n";
    let repository = repository().manifest(".", "hello", more);
    let log = log_of_publishing(&repository).await;
    assert!(!log.contains("12345678") && !log.contains("hush "), "{log}");
    insta::assert_snapshot!(log, @"
    exit 2
    error: `secrets.KEY` is a number; it must be text
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ***
      |        ^^^
      |
      = hint: put the value in quotes
    error: `secrets.B` uses `NOT_SET`, which is unset or empty
     --> gitbook-manifest.yaml:8:6
      |
    8 |   B: ***${{ env.NOT_SET }}***
      |      ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: pass `NOT_SET` from the secrets of the CI system to this step
    error: `secrets.C` is a mapping; it must be text
     --> gitbook-manifest.yaml:9:6
      |
    9 |   C: {***: ***}
      |      ^
    warning: unknown field `visibilty`
      --> gitbook-manifest.yaml:10:1
       |
    10 | visibilty: x
       | ^^^^^^^^^
       |
       = hint: did you mean `visibility`? unknown fields are sent to GitBook unchanged
    error: invalid integrations: 3 errors and 1 warning in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn excerpts_hide_secrets_from_variables() {
    let repository =
        repository().manifest(".", "hello", "secrets: {A: \"${{ env.A }}\"}\ntarget: hush-hush-1\n");
    let repository = repository.file("main.ts", "const a = 'hush-hush-1' const b;\n");
    let run = deployment().publish().variable("A", "hush-hush-1");
    let log = log_of_rejected_run(run, &repository).await;
    assert!(!log.contains("hush"), "{log}");
    insta::assert_snapshot!(log, @"
    exit 2
    warning: `target` has the unknown value `***`
     --> gitbook-manifest.yaml:7:9
      |
    7 | target: ***
      |         ^^^
      |
      = hint: use one of `all`, `site`, `space`, `organization`; unknown values are sent to GitBook unchanged
    error: expected a semicolon or an implicit semicolon after a statement, but found none
     --> main.ts:1:24
      |
    1 | const a = '***' const b;
      |                ^
    error: invalid integrations: 1 error and 1 warning in 2 files; nothing was published or deleted
    ");
}

#[tokio::test]
async fn excerpts_escape_workflow_commands() {
    let more = "summary: [\"::error::x ##[error]y section_start:1:z\"]\ntarget: \"\u{202e}x ##[error]y\"\n";
    let repository = repository().manifest(".", "hello", more);
    let run = deployment().publish().variable("GITBOOK_LOG_FORMAT", "github");
    let log = log_of_rejected_run(run, &repository).await;
    // Lines that begin with `::` are the program's own workflow commands. GitHub runs no command within their text.
    for line in log.lines().filter(|line| !line.starts_with("::")) {
        assert!(!line.contains("##[") && !line.trim_start().starts_with("::"), "{log}");
    }
    assert!(!log.contains('\u{202e}') && log.contains("\n6 | summary: "), "{log}");
    insta::assert_snapshot!(log, @r#"
    exit 2
    publish: `GITBOOK_MODE=publish`
    error: `summary` is a list; it must be text
     --> gitbook-manifest.yaml:6:10
      |
    6 | summary: ["::error::x ##\[error]y section_start\:1:z"]
      |          ^
    warning: `target` has the unknown value `\u{202e}x ##\[error]y`
     --> gitbook-manifest.yaml:7:9
      |
    7 | target: "\u{202e}x ##\[error]y"
      |         ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: use one of `all`, `site`, `space`, `organization`; unknown values are sent to GitBook unchanged
    ::error file=<folder>/gitbook-manifest.yaml,line=6,col=10::`summary` is a list; it must be text
    ::warning file=<folder>/gitbook-manifest.yaml,line=7,col=9,endLine=7,endColumn=24::`target` has the unknown value `\u{202e}x ##[error]y`%0Ahint: use one of `all`, `site`, `space`, `organization`; unknown values are sent to GitBook unchanged
    ::error::invalid integrations: 1 error and 1 warning in 1 file; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn excerpts_show_yaml_variables_except_secrets() {
    let repository = repository().manifest(".", "hello", "");
    let run = deployment()
        .publish()
        .variable("GITBOOK_BLOCKS", "- id: hello\n  title: 5\n")
        .variable("GITBOOK_SECRETS", "{A: 12345678, B: hush hush");
    let log = log_of_rejected_run(run, &repository).await;
    assert!(!log.contains("hush") && !log.contains("12345678"), "{log}");
    insta::assert_snapshot!(log, @"
    exit 2
    error: `blocks[0].title` is a number; it must be text
     --> GITBOOK_BLOCKS:2:10
      |
    2 |   title: 5
      |          ^
      |
      = hint: put the value in quotes
    error: not valid YAML: unclosed bracket '{'
    --> GITBOOK_SECRETS:1:1
     = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 2 errors in 2 variables; nothing was published or deleted
    ");
}

#[tokio::test]
async fn errors_and_warnings_are_deduplicated_and_sorted() {
    let repository = repository()
        .manifest("b", "two", "summary: 1\n")
        .file("b/main.ts", "import '../shared';\n")
        .manifest("a", "one", "visibilty: x\nsummary: 2\n")
        .file("a/main.ts", "import '../shared';\n")
        .file("shared.ts", "export default {,};\n");
    let run = deployment().publish().variable("GITBOOK_INTEGRATIONS", "b, nowhere, a");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: GITBOOK_INTEGRATIONS: `nowhere` does not exist
     hint: set `GITBOOK_INTEGRATIONS` to a manifest, folder or glob, relative to the working directory of the step
    warning: unknown field `visibilty`
     --> a/gitbook-manifest.yaml:6:1
      |
    6 | visibilty: x
      | ^^^^^^^^^
      |
      = hint: did you mean `visibility`? unknown fields are sent to GitBook unchanged
    error: `summary` is a number; it must be text
     --> a/gitbook-manifest.yaml:7:10
      |
    7 | summary: 2
      |          ^
      |
      = hint: put the value in quotes
    error: `summary` is a number; it must be text
     --> b/gitbook-manifest.yaml:6:10
      |
    6 | summary: 1
      |          ^
      |
      = hint: put the value in quotes
    error: unexpected token
     --> shared.ts:1:17
      |
    1 | export default {,};
      |                 ^
    error: invalid integrations: 4 errors and 1 warning in 3 files and 1 variable; nothing was published or deleted
    ");
}
