//! Manifests with invalid YAML.

use super::{log_of_publishing, log_of_publishing_with_fields};
use crate::support::repository;

#[tokio::test]
async fn rejects_invalid_yaml() {
    let manifest = "name: hello\ntitle: Hello\n  summary: Hi\n";
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @"
    exit 2
    error: not valid YAML: mapping values are not allowed in this context
     --> gitbook-manifest.yaml:3:10
      |
    3 |   summary: Hi
      |          ^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    let manifest = "name: hello\nscopes: [a, b\ntitle: Hello\n";
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @"
    exit 2
    error: not valid YAML: illegal placement of ':' indicator
     --> gitbook-manifest.yaml:3:6
      |
    3 | title: Hello
      |      ^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    let manifest = "name: hello\nname: world\n";
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @"
    exit 2
    error: not valid YAML: duplicate key `name`
     --> gitbook-manifest.yaml:2:1
      |
    2 | name: world
      | ^^^^
      |
      = hint: remove or rename one of the two keys
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

/// Publishes a repository with this manifest, and returns the log.
async fn log_of_publishing_manifest(manifest: &str) -> String {
    log_of_publishing(&repository().file("gitbook-manifest.yaml", manifest)).await
}

#[tokio::test]
async fn rejects_tabs_in_yaml() {
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\nblocks:\n\t- id: x\n").await, @"
    exit 2
    error: not valid YAML: indented with a tab
     --> gitbook-manifest.yaml:3:1
      |
    3 |     - id: x
      | ^^^^
      |
      = hint: indent with spaces; YAML does not allow tabs
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\nblocks:\n  - id: x\n  \ttitle: y\n").await, @"
    exit 2
    error: not valid YAML: indented with a tab
     --> gitbook-manifest.yaml:4:3
      |
    4 |       title: y
      |   ^^^^
      |
      = hint: indent with spaces; YAML does not allow tabs
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_expanding_recursive_and_unknown_yaml_anchors() {
    let bomb: String =
        (1..30).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
    insta::assert_snapshot!(log_of_publishing_manifest(&format!("a0: &a0 [x, x, x, x, x, x, x, x, x]\n{bomb}")).await, @"
    exit 2
    error: not valid YAML: the aliases expand to too many values
     --> gitbook-manifest.yaml:6:20
      |
    6 | a5: &a5 [*a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4]
      |                    ^
      |
      = hint: write the values themselves instead of aliases such as `*name`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\nblocks: &x [*x]\n").await, @"
    exit 2
    error: not valid YAML: the anchor refers to itself
     --> gitbook-manifest.yaml:2:13
      |
    2 | blocks: &x [*x]
      |             ^
      |
      = hint: write the value itself instead of the alias
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\ntitle: *bold*\n").await, @"
    exit 2
    error: not valid YAML: unknown alias
     --> gitbook-manifest.yaml:2:8
      |
    2 | title: *bold*
      |        ^
      |
      = hint: put text that begins with `*` in quotes, or define its anchor with `&name` above
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_deeply_nested_yaml() {
    let deep = format!("name: hello\nblocks: {}\n", "[".repeat(5000));
    insta::assert_snapshot!(log_of_publishing_manifest(&deep).await, @"
    exit 2
    error: not valid YAML: the document is nested too deeply
     --> gitbook-manifest.yaml:2:264
      |
    2 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                          ^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_two_yaml_documents() {
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\n---\ntitle: Hello\n").await, @"
    exit 2
    error: not valid YAML: more than one document
     --> gitbook-manifest.yaml:3:1
      |
    3 | title: Hello
      | ^^^^^
      |
      = hint: remove the line `---` and everything below it
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_an_unclosed_quote_or_bracket() {
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\ntitle: \"Hello\n").await, @r#"
    exit 2
    error: not valid YAML: invalid indentation in multiline quoted scalar
     --> gitbook-manifest.yaml:3:1
      |
    2 | title: "Hello
      |              ^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    "#);
    insta::assert_snapshot!(log_of_publishing_manifest("name: hello\nscopes: [a,\n").await, @"
    exit 2
    error: not valid YAML: unclosed bracket '['
     --> gitbook-manifest.yaml:2:9
      |
    2 | scopes: [a,
      |         ^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn hides_secrets_of_an_invalid_manifest() {
    let log =
        log_of_publishing_manifest("name: hello\nsecrets:\n  KEY: hush-hush\n  OTHER: \"hush\" hush\n").await;
    insta::assert_snapshot!(log, @"
    exit 2
    error: not valid YAML: invalid trailing content after double-quoted scalar
     --> gitbook-manifest.yaml:4:17
      |
    4 |   ***
      |   ^^^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    let log = log_of_publishing_manifest("name: hello\nsecrets:\n  KEY: hush: hush\n").await;
    insta::assert_snapshot!(log, @"
    exit 2
    error: not valid YAML: mapping values are not allowed in this context
     --> gitbook-manifest.yaml:3:12
      |
    3 |   ***
      |   ^^^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    let log =
        log_of_publishing_manifest("{\"name\": \"hello\", \"secrets\": {\"A\": \"hush\" \"B\": 1}}\n").await;
    insta::assert_snapshot!(log, @r#"
    exit 2
    error: not valid YAML: invalid trailing content after double-quoted scalar
     --> gitbook-manifest.yaml:1:43
      |
    1 | {"name": "hello", "secrets": {"***
      |                                ^^^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn rejects_custom_yaml_tags() {
    insta::assert_snapshot!(log_of_publishing_with_fields("secrets:\n  KEY: !env API_KEY\n").await, @"
    exit 2
    error: not valid YAML: unknown tag `!env`
     --> gitbook-manifest.yaml:7:8
      |
    7 |   ***
      |   ^^^
      |
      = hint: write `${{ env.NAME }}` in a value of `secrets` to insert the environment variable `NAME`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}
