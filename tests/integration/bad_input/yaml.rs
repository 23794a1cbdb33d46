//! Manifests with invalid YAML.

use super::{publishing, publishing_with};
use crate::support::repository;

#[tokio::test]
async fn rejects_invalid_yaml() {
    let manifest = "name: hello\ntitle: Hello\n  summary: Hi\n";
    insta::assert_snapshot!(publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: mapping values are not allowed in this context
     --> gitbook-manifest.yaml:3:10
      |
    3 |   summary: Hi
      |          ^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
    let manifest = "name: hello\nscopes: [a, b\ntitle: Hello\n";
    insta::assert_snapshot!(publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: illegal placement of ':' indicator
     --> gitbook-manifest.yaml:3:6
      |
    3 | title: Hello
      |      ^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
    let manifest = "name: hello\nname: world\n";
    insta::assert_snapshot!(publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: the key `name` is there twice
     --> gitbook-manifest.yaml:2:1
      |
    2 | name: world
      | ^^^^
      |
      = hint: remove one of the two, or rename it
    error: 1 error in 1 file, nothing was sent
    "#);
}

/// Returns the log of publishing this manifest.
async fn of(manifest: &str) -> String {
    publishing(&repository().file("gitbook-manifest.yaml", manifest)).await
}

#[tokio::test]
async fn rejects_tabs_in_yaml() {
    insta::assert_snapshot!(of("name: hello\nblocks:\n\t- id: x\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: indented with a tab
     --> gitbook-manifest.yaml:3:1
      |
    3 |     - id: x
      | ^^^^
      |
      = hint: indent with blanks: YAML takes no tabs for that
    error: 1 error in 1 file, nothing was sent
    "#);
    insta::assert_snapshot!(of("name: hello\nblocks:\n  - id: x\n  \ttitle: y\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: indented with a tab
     --> gitbook-manifest.yaml:4:3
      |
    4 |       title: y
      |   ^^^^
      |
      = hint: indent with blanks: YAML takes no tabs for that
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn rejects_yaml_anchors() {
    let bomb: String =
        (1..30).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
    insta::assert_snapshot!(of(&format!("a0: &a0 [x, x, x, x, x, x, x, x, x]\n{bomb}")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: its anchors unfold to more than any manifest needs
     --> gitbook-manifest.yaml:6:20
      |
    6 | a5: &a5 [*a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4]
      |                    ^
      |
      = hint: write out what `*name` stands for instead of unfolding it again and again
    error: 1 error in 1 file, nothing was sent
    "#);
    insta::assert_snapshot!(of("name: hello\nblocks: &x [*x]\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: an anchor refers to itself
     --> gitbook-manifest.yaml:2:13
      |
    2 | blocks: &x [*x]
      |             ^
      |
      = hint: write out what is meant
    error: 1 error in 1 file, nothing was sent
    "#);
    insta::assert_snapshot!(of("name: hello\ntitle: *bold*\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: there is no anchor of this name above
     --> gitbook-manifest.yaml:2:8
      |
    2 | title: *bold*
      |        ^
      |
      = hint: `*name` needs an `&name` before it; put text that begins with `*` in quotes
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn rejects_deep_yaml() {
    let deep = format!("name: hello\nblocks: {}\n", "[".repeat(5000));
    insta::assert_snapshot!(of(&deep).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: it is nested deeper than any manifest needs
     --> gitbook-manifest.yaml:2:264
      |
    2 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                          ^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn rejects_two_yaml_documents() {
    insta::assert_snapshot!(of("name: hello\n---\ntitle: Hello\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: there is more than one document
     --> gitbook-manifest.yaml:3:1
      |
    3 | title: Hello
      | ^^^^^
      |
      = hint: remove the line `---` and all that is below it
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn rejects_an_unclosed_quote() {
    insta::assert_snapshot!(of("name: hello\ntitle: \"Hello\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: invalid indentation in multiline quoted scalar
     --> gitbook-manifest.yaml:3:1
      |
    2 | title: "Hello
      |              ^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
    insta::assert_snapshot!(of("name: hello\nscopes: [a,\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: unclosed bracket '['
     --> gitbook-manifest.yaml:2:9
      |
    2 | scopes: [a,
      |         ^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn hides_secrets_of_an_invalid_manifest() {
    let log = of("name: hello\nsecrets:\n  KEY: hush-hush\n  OTHER: \"hush\" hush\n").await;
    insta::assert_snapshot!(log, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: invalid trailing content after double-quoted scalar
     --> gitbook-manifest.yaml:4:17
      |
    4 |   OTHER: ***
      |          ^^^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
    let log = of("name: hello\nsecrets:\n  KEY: hush: hush\n").await;
    insta::assert_snapshot!(log, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: mapping values are not allowed in this context
     --> gitbook-manifest.yaml:3:12
      |
    3 |   KEY: ***
      |        ^^^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
    let log = of("{\"name\": \"hello\", \"secrets\": {\"A\": \"hush\" \"B\": 1}}\n").await;
    insta::assert_snapshot!(log, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: invalid trailing content after double-quoted scalar
     --> gitbook-manifest.yaml:1:43
      |
    1 | {"name": "hello", "secrets": ***
      |                              ^^^
      |
      = hint: look here and on the lines above for a bracket or quote that is not closed, and for the indentation
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn rejects_custom_yaml_tags() {
    insta::assert_snapshot!(publishing_with("secrets:\n  KEY: !env API_KEY\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: not valid YAML: unknown tag `!env`
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ***
      |        ^^^
      |
      = hint: write `${{ env.NAME }}` in a value of `secrets` to insert the environment variable `NAME`
    error: 1 error in 1 file, nothing was sent
    "#);
}
