//! Manifests that the program rejects.

use super::{log_of_publishing, log_of_publishing_with_fields, log_of_rejected_run};
use crate::support::{deployment, repository};

#[tokio::test]
async fn rejects_a_repository_without_manifests() {
    insta::assert_snapshot!(log_of_publishing(&repository()).await, @"
    exit 2
    error: GITBOOK_INTEGRATIONS: `.` contains no manifest
     hint: check out the repository before this step, and add a `gitbook-manifest.yaml` to the folder of each integration; without manifests, set `GITBOOK_NAME`
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_missing_manifest() {
    let run = deployment().publish().variable("GITBOOK_INTEGRATIONS", "hello, apps/*");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository().integration("world")).await, @"
    exit 2
    error: GITBOOK_INTEGRATIONS: `apps/*` contains no manifest
     hint: check out the repository before this step, and add a `gitbook-manifest.yaml` to the folder of each integration; without manifests, set `GITBOOK_NAME`
    error: GITBOOK_INTEGRATIONS: `hello` does not exist
     hint: set `GITBOOK_INTEGRATIONS` to a manifest, folder or glob, relative to the working directory of the step
    error: invalid integrations: 2 errors in 1 variable; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_manifest_with_the_extension_yml() {
    let repository = repository().integration("one").file("two/gitbook-manifest.yml", "name: two\n");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: `gitbook-manifest.yml` is not a valid manifest name
    --> two/gitbook-manifest.yml
     = hint: rename the file to `gitbook-manifest.yaml`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_an_empty_manifest() {
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", "")).await, @"
    exit 2
    error: the manifest is empty
    --> gitbook-manifest.yaml
     = hint: add `name`, `title`, `organization`, `script` and `scopes`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_manifest_that_is_a_list() {
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", "- name\n")).await, @"
    exit 2
    error: the manifest is a list; it must be a mapping
     --> gitbook-manifest.yaml:1:1
      |
    1 | - name
      | ^
      |
      = hint: begin the manifest with fields such as `name: hello`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_missing_fields() {
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", "summary: Hi\n")).await, @"
    exit 2
    error: `name` is missing
    --> gitbook-manifest.yaml
     = hint: add `name`; it must be text
    error: `organization` is missing
    --> gitbook-manifest.yaml
     = hint: add `organization`; it must be text
    error: `scopes` is missing
    --> gitbook-manifest.yaml
     = hint: add `scopes`; it must be a list
    error: `script` is missing
    --> gitbook-manifest.yaml
     = hint: add `script`; it must be text
    error: `title` is missing
    --> gitbook-manifest.yaml
     = hint: add `title`; it must be text
    error: invalid integrations: 5 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_invalid_names() {
    insta::assert_snapshot!(log_of_publishing(&repository().manifest(".", "hello_world", "")).await, @"
    exit 2
    error: `name` is `hello_world`, which is not valid
     --> gitbook-manifest.yaml:1:7
      |
    1 | name: hello_world
      |       ^^^^^^^^^^^
      |
      = hint: use ASCII letters, digits and single hyphens between them
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    insta::assert_snapshot!(log_of_publishing(&repository().manifest(".", &"x".repeat(101), "")).await, @"
    exit 2
    error: `name` is 101 characters; the limit is 100
     --> gitbook-manifest.yaml:1:7
      |
    1 | name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_wrong_types() {
    let more =
        "summary: 12\ncategories: content\nvisibility: secret\nblocks:\n  - id: hello\n    title: true\n";
    insta::assert_snapshot!(log_of_publishing_with_fields(more).await, @"
    exit 2
    error: `summary` is a number; it must be text
     --> gitbook-manifest.yaml:6:10
      |
    6 | summary: 12
      |          ^^
      |
      = hint: put the value in quotes
    error: `categories` is text; it must be a list
     --> gitbook-manifest.yaml:7:13
      |
    7 | categories: content
      |             ^^^^^^^
      |
      = hint: put the value in brackets, or write each item on its own line after `- `
    error: `visibility` is `secret`, which is not a valid value
     --> gitbook-manifest.yaml:8:13
      |
    8 | visibility: secret
      |             ^^^^^^
      |
      = hint: use one of `public`, `private`, `unlisted`
    error: `blocks[0].title` is `true` or `false`; it must be text
      --> gitbook-manifest.yaml:11:12
       |
    11 |     title: true
       |            ^^^^
       |
       = hint: put the value in quotes
    error: invalid integrations: 4 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_values_over_their_limits() {
    let more = format!(
        "description: {}\nsummary: {}\npreviewImages: [a.png, b.png, c.png, d.png]\n",
        "x".repeat(101),
        "y".repeat(2049)
    );
    insta::assert_snapshot!(log_of_publishing_with_fields(&more).await, @"
    exit 2
    error: `description` is 101 characters; the limit is 100
     --> gitbook-manifest.yaml:6:14
      |
    6 | description: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: `summary` is 2049 characters; the limit is 2048
     --> gitbook-manifest.yaml:7:10
      |
    7 | ...y: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: `previewImages` has 4 entries; the limit is 3
     --> gitbook-manifest.yaml:8:16
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                ^
    error: could not read the preview image `a.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:17
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                 ^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: could not read the preview image `b.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:24
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                        ^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: could not read the preview image `c.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:31
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                               ^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: could not read the preview image `d.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:38
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                                      ^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: invalid integrations: 7 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn warns_of_an_unknown_field() {
    insta::assert_snapshot!(log_of_publishing_with_fields("visibilty: private\nruntime: v3\n").await, @"
    exit 2
    warning: unknown field `visibilty`
     --> gitbook-manifest.yaml:6:1
      |
    6 | visibilty: private
      | ^^^^^^^^^
      |
      = hint: did you mean `visibility`? unknown fields are sent to GitBook unchanged
    error: `runtime` is `v3`, which is not a valid value
     --> gitbook-manifest.yaml:7:10
      |
    7 | runtime: v3
      |          ^^
      |
      = hint: use one of `v1`, `v2`
    error: invalid integrations: 1 error and 1 warning in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_summary_with_an_ownership_marker() {
    let more = "summary: \"Hi. <!-- gitbook-deploy:preview integration=other repository=r branch=b -->\"\n";
    insta::assert_snapshot!(log_of_publishing_with_fields(more).await, @r#"
    exit 2
    error: `summary` contains an ownership marker of gitbook-deploy
     --> gitbook-manifest.yaml:6:10
      |
    6 | summary: "Hi. <!-- gitbook-deploy:preview integration=other repository=r branch=b -->"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: remove the comment that starts with `<!-- gitbook-deploy:`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn rejects_entries_of_envs_that_no_manifest_has() {
    let entries = "envs:\n  production:\n    title: Bye\n  test: {}\n";
    let repository = repository().manifest(".", "hello", entries).manifest("other", "other", "");
    let run = || deployment().publish().variable("GITBOOK_INTEGRATIONS", "., other");
    insta::assert_snapshot!(log_of_rejected_run(run().variable("GITBOOK_ENV", "productoin"), &repository).await, @"
    exit 2
    error: GITBOOK_ENV: no selected manifest has `productoin` in `envs`
     hint: did you mean `production`?
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
    insta::assert_snapshot!(log_of_rejected_run(run().variable("GITBOOK_ENV", "qa, dev"), &repository).await, @"
    exit 2
    error: GITBOOK_ENV: no selected manifest has `qa` or `dev` in `envs`
     hint: use one of: production, test
    error: invalid integrations: 1 error in 1 variable; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_duplicate_names() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "hello", "");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: duplicate name `hello`: also used in `one/gitbook-manifest.yaml:1:7`
     --> two/gitbook-manifest.yaml:1:7
      |
    1 | name: hello
      |       ^^^^^
      |
      = hint: rename one of the integrations; names are unique across GitBook
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_names_that_differ_only_in_case() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "Hello", "");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: duplicate name `Hello`: also used in `one/gitbook-manifest.yaml:1:7`
     --> two/gitbook-manifest.yaml:1:7
      |
    1 | name: Hello
      |       ^^^^^
      |
      = hint: rename one of the integrations; names are unique across GitBook
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_preview_name_that_an_integration_already_has() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "hello-fix", "");
    let run = deployment().on_push_to("fix");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: preview name `hello-fix` is already the name of the integration in `two/gitbook-manifest.yaml`
    --> one/gitbook-manifest.yaml
     = hint: change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn reports_the_errors_of_all_integrations_at_once() {
    let repository = repository()
        .manifest("one", "hello", "icon: none.png\nsummary: []\n")
        .manifest("two", "world", "secrets: {KEY: \"${{ env.NOT_SET }}\"}\n")
        .file("two/main.ts", "import './none';\n")
        .integration("three");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @r#"
    exit 2
    error: could not read the icon `none.png`: No such file or directory (os error 2)
     --> one/gitbook-manifest.yaml:6:7
      |
    6 | icon: none.png
      |       ^^^^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: `summary` is a list; it must be text
     --> one/gitbook-manifest.yaml:7:10
      |
    7 | summary: []
      |          ^
    error: `secrets.KEY` uses `NOT_SET`, which is unset or empty
     --> two/gitbook-manifest.yaml:6:16
      |
    6 | secrets: {KEY: "${{ env.NOT_SET }}"}
      |                ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: pass `NOT_SET` from the secrets of the CI system to this step
    error: `./none` cannot be imported: no such file
     --> two/main.ts:1:8
      |
    1 | import './none';
      |        ^^^^^^^^
      |
      = hint: check the path; if a build creates the file, run the build before this step
    error: invalid integrations: 4 errors in 3 files; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn rejects_duplicate_names_in_different_shards() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "hello", "");
    for shard in ["1/2", "2/2"] {
        let log =
            log_of_rejected_run(deployment().publish().variable("GITBOOK_SHARD", shard), &repository).await;
        assert!(log.contains("`hello`") && log.contains("one/gitbook-manifest.yaml"), "{log}");
    }
}

#[tokio::test]
async fn rejects_duplicate_names_before_a_deletion() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "Hello", "");
    let run = deployment().event("delete", "fix").with_endpoint("http://127.0.0.1:9");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: duplicate name `Hello`: also used in `one/gitbook-manifest.yaml:1:7`
     --> two/gitbook-manifest.yaml:1:7
      |
    1 | name: Hello
      |       ^^^^^
      |
      = hint: rename one of the integrations; names are unique across GitBook
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}
