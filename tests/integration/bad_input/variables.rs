//! Environment variables that the program rejects.

use super::log_of_rejected_run;
use crate::support::{deployment, gitbook, repository};

#[tokio::test]
async fn reports_all_invalid_variables_at_once() {
    let run = deployment()
        .variable("GITBOOK_MODE", "deploy")
        .variable("GITBOOK_TIMEOUT", "60")
        .variable("GITBOOK_PREVIEW_VISIBILITY", "public")
        .variable("GITBOOK_SHARD", "0/8")
        .variable("GITBOOK_TITEL", "Hello");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository()).await, @"
    exit 2
    error: GITBOOK_MODE: unknown mode
     hint: use one of `auto`, `publish`, `preview`, `delete`, `sweep`, `check`, `plan`
    error: GITBOOK_PREVIEW_VISIBILITY: a preview cannot be public
     hint: use `private` or `unlisted`
    error: GITBOOK_SHARD: shard 0 does not exist; shards are numbered from 1
     hint: use a number and a total, such as `2/8` for the second of eight shards
    error: GITBOOK_TIMEOUT: invalid duration
     hint: use a number with a unit, such as `500ms`, `60s` or `2m`
    warning: GITBOOK_TITEL: unknown variable; it has no effect
     hint: did you mean `GITBOOK_TITLE`?
    error: invalid configuration: 4 errors and 1 warning in 5 variables; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_endpoints_that_expose_the_token() {
    let finished = deployment().with_endpoint("http://gitbook.example").publish().run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: GITBOOK_ENDPOINT: plain `http` would send the token unencrypted
     hint: use an `https` URL, an `http` URL of a loopback address, or `sandbox`
    error: invalid configuration: 1 error in 1 variable; nothing was published or deleted
    ");
    let finished = deployment().with_endpoint("https://user:hush@gitbook.example").publish().run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: GITBOOK_ENDPOINT: the URL contains a user name or password
     hint: use an `https` URL, an `http` URL of a loopback address, or `sandbox`
    error: invalid configuration: 1 error in 1 variable; nothing was published or deleted
    ");
    assert!(!finished.everything().contains("hush"));
}

#[tokio::test]
async fn rejects_a_variable_with_invalid_yaml() {
    let repository = repository().integration(".");
    let run = deployment()
        .publish()
        .variable("GITBOOK_BLOCKS", "[{id: hello, title: }")
        .variable("GITBOOK_EXTERNAL_LINKS", "[{label: a, url: b}]");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: not valid YAML: unclosed bracket '['
     --> GITBOOK_BLOCKS:1:1
      |
    1 | [{id: hello, title: }
      | ^
      |
      = hint: check this line and the lines above for an unclosed bracket or quote and for wrong indentation
    error: `externalLinks[0].url` is not a valid URL: relative URL without a base
     --> GITBOOK_EXTERNAL_LINKS:1:18
      |
    1 | [{label: a, url: b}]
      |                  ^
      |
      = hint: write a complete address, such as `https://example.com/page`
    error: `name` is `.`, which is not valid
     --> gitbook-manifest.yaml:1:7
      |
    1 | name: .
      |       ^
      |
      = hint: use ASCII letters, digits and single hyphens between them
    error: invalid integrations: 3 errors in 1 file and 2 variables; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_title_variable_for_several_integrations() {
    let repository = repository().integration("one").integration("two");
    let run = deployment().publish().variable("GITBOOK_TITLE", "Hello");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: GITBOOK_TITLE: sets `title`, but several integrations are selected
     hint: select one integration with `GITBOOK_INTEGRATIONS`, or unset this variable
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_incomplete_manifest_variables() {
    let run = deployment().publish().variable("GITBOOK_NAME", "hello").variable("GITBOOK_SCRIPT", "main.ts");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository()).await, @"
    exit 2
    error: GITBOOK_NAME: `organization` is missing
     hint: add `organization`; it must be text
    error: GITBOOK_NAME: `scopes` is missing
     hint: add `scopes`; it must be a list
    error: GITBOOK_NAME: `title` is missing
     hint: add `title`; it must be text
    error: GITBOOK_SCRIPT: could not read the script `main.ts`: No such file or directory (os error 2)
     hint: write the path relative to the folder of the manifest
    error: invalid integrations: 4 errors in 2 variables; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_preview_modes_without_a_branch_or_repository() {
    let run =
        deployment().variable("GITBOOK_MODE", "delete").variable("GITBOOK_REPOSITORY", "github.com/acme/x");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository().integration(".")).await, @"
    exit 2
    error: the branch of the preview is unknown
     hint: set `GITBOOK_BRANCH`
    ");
    let run = deployment().variable("GITBOOK_MODE", "preview").variable("GITBOOK_BRANCH", "fix");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository().integration(".")).await, @"
    exit 2
    error: cannot manage previews: the repository is unknown
     hint: set `GITBOOK_REPOSITORY`, for example to `github.com/acme/integrations`
    ");
}

#[tokio::test]
async fn rejects_an_unknown_production_branch() {
    let server = gitbook().await;
    let run =
        deployment().with_endpoint(&server.uri()).on_push_to("main").variable("GITBOOK_DEFAULT_BRANCH", "");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository().integration(".")).await, @"
    exit 2
    error: the production branch is unknown
     hint: set `GITBOOK_PRODUCTION_BRANCH` or `GITBOOK_DEFAULT_BRANCH`
    ");
}

#[tokio::test]
async fn rejects_a_token_with_the_prefix_bearer() {
    let finished = deployment().publish().variable("GITBOOK_TOKEN", "Bearer hush-hush").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: GITBOOK_TOKEN: contains a space, a line break or another character that is invalid in a token
     hint: use the token as GitBook shows it, without `Bearer`
    error: invalid configuration: 1 error in 1 variable; nothing was published or deleted
    ");
    assert!(!finished.everything().contains("hush"), "{finished:#?}");
}

#[tokio::test]
async fn rejects_production_branch_patterns_that_match_no_branch() {
    let run = deployment().with_endpoint("http://127.0.0.1:1").on_push_to("main");
    let finished = run.variable("GITBOOK_PRODUCTION_BRANCH", "main, !main").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: GITBOOK_PRODUCTION_BRANCH: the patterns match no branch
     hint: use names or globs, separated by commas, such as `main, release/*, !release/old`
    error: invalid configuration: 1 error in 1 variable; nothing was published or deleted
    ");
}

/// The user may have forgotten the default branch in `GITBOOK_PRODUCTION_BRANCH`.
#[tokio::test]
async fn logs_a_notice_if_the_default_branch_is_not_a_production_branch() {
    let repository = repository().integration("hello");
    let check = async |patterns: &str, expects_notice: bool| {
        let run = deployment().on_push_to("release/1").variable("GITBOOK_DEFAULT_BRANCH", "main");
        let run = run.variable("GITBOOK_ENDPOINT", "sandbox").variable("GITBOOK_PRODUCTION_BRANCH", patterns);
        let finished = run.variable("GITBOOK_DRY_RUN", "true").folder(&repository).run().await;
        let notice = "notice: `GITBOOK_PRODUCTION_BRANCH`";
        assert_eq!(
            (finished.code, finished.stderr.contains(notice)),
            (Some(0), expects_notice),
            "{patterns}: {}",
            finished.log()
        );
        assert_eq!(finished.output("mode"), "publish");
    };
    check("release/*", true).await;
    check("release/*, main", false).await;
    check("**, !main", true).await;
}
