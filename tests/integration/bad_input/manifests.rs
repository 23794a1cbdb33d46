//! Manifests that can't be published.

use super::{publishing, publishing_with, refused};
use crate::support::{deployment, repository};

#[tokio::test]
async fn no_manifest_at_all() {
    insta::assert_snapshot!(publishing(&repository()).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: GITBOOK_INTEGRATIONS: `.` holds no manifest
     hint: an integration is a folder with a `gitbook-manifest.yaml`; was the repository checked out? Without a checkout, `GITBOOK_NAME` names it
    error: 1 error in 1 variable, nothing was sent
    "#);
}

#[tokio::test]
async fn a_manifest_that_was_asked_for_and_is_not_there() {
    let run = deployment().publish().variable("GITBOOK_INTEGRATIONS", "hello, apps/*");
    insta::assert_snapshot!(refused(run, &repository().integration("world")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: GITBOOK_INTEGRATIONS: `apps/*` holds no manifest
     hint: an integration is a folder with a `gitbook-manifest.yaml`; was the repository checked out? Without a checkout, `GITBOOK_NAME` names it
    error: GITBOOK_INTEGRATIONS: `hello` does not exist
     hint: name a manifest, a folder or a glob of them, relative to the folder that the step runs in
    error: 2 errors in 1 variable, nothing was sent
    "#);
}

#[tokio::test]
async fn a_manifest_with_the_extension_yml() {
    let repository = repository().integration("one").file("two/gitbook-manifest.yml", "name: two\n");
    insta::assert_snapshot!(publishing(&repository).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: no manifest is read from a file that is named `gitbook-manifest.yml`
    --> two/gitbook-manifest.yml
     = hint: rename it to `gitbook-manifest.yaml`
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_manifest_that_is_empty() {
    insta::assert_snapshot!(publishing(&repository().file("gitbook-manifest.yaml", "")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: the manifest is empty
    --> gitbook-manifest.yaml
     = hint: it must have `name`, `title`, `organization`, `script` and `scopes`
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_manifest_that_is_no_mapping() {
    insta::assert_snapshot!(publishing(&repository().file("gitbook-manifest.yaml", "- name\n")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: the manifest is a list, it must be a mapping
     --> gitbook-manifest.yaml:1:1
      |
    1 | - name
      | ^
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_manifest_without_what_it_must_have() {
    insta::assert_snapshot!(publishing(&repository().file("gitbook-manifest.yaml", "summary: Hi\n")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `name` is missing
    --> gitbook-manifest.yaml
     = hint: it must be text
    error: `organization` is missing
    --> gitbook-manifest.yaml
     = hint: it must be text
    error: `scopes` is missing
    --> gitbook-manifest.yaml
     = hint: it must be a list
    error: `script` is missing
    --> gitbook-manifest.yaml
     = hint: it must be text
    error: `title` is missing
    --> gitbook-manifest.yaml
     = hint: it must be text
    error: 5 errors in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_name_that_is_none() {
    insta::assert_snapshot!(publishing(&repository().manifest(".", "hello_world", "")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `name` may have letters, digits and single dashes between them only
     --> gitbook-manifest.yaml:1:7
      |
    1 | name: hello_world
      |       ^^^^^^^^^^^
    error: 1 error in 1 file, nothing was sent
    "#);
    insta::assert_snapshot!(publishing(&repository().manifest(".", &"x".repeat(101), "")).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `name` has 101 characters, 100 are the most
     --> gitbook-manifest.yaml:1:7
      |
    1 | name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn values_of_other_types() {
    let more =
        "summary: 12\ncategories: content\nvisibility: secret\nblocks:\n  - id: hello\n    title: true\n";
    insta::assert_snapshot!(publishing_with(more).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `summary` is a number, it must be text
     --> gitbook-manifest.yaml:6:10
      |
    6 | summary: 12
      |          ^^
      |
      = hint: put it in quotes
    error: `categories` is text, it must be a list
     --> gitbook-manifest.yaml:7:13
      |
    7 | categories: content
      |             ^^^^^^^
      |
      = hint: put it in brackets, or each item on a line of its own behind `- `
    error: `visibility` is `secret`, which is not accepted
     --> gitbook-manifest.yaml:8:13
      |
    8 | visibility: secret
      |             ^^^^^^
      |
      = hint: accepted: `public`, `private`, `unlisted`
    error: `blocks[0].title` is `true` or `false`, it must be text
      --> gitbook-manifest.yaml:11:12
       |
    11 |     title: true
       |            ^^^^
       |
       = hint: put it in quotes
    error: 4 errors in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn limits_that_are_broken() {
    let more = format!(
        "description: {}\nsummary: {}\npreviewImages: [a.png, b.png, c.png, d.png]\n",
        "x".repeat(101),
        "y".repeat(2049)
    );
    insta::assert_snapshot!(publishing_with(&more).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `description` has 101 characters, 100 are the most
     --> gitbook-manifest.yaml:6:14
      |
    6 | description: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: `summary` has 2049 characters, 2048 are the most
     --> gitbook-manifest.yaml:7:10
      |
    7 | ...y: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: `previewImages` has 4 entries, 3 are the most
     --> gitbook-manifest.yaml:8:16
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                ^
    error: the preview image `a.png` can't be read: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:17
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                 ^^^^^
      |
      = hint: paths in a manifest are relative to its folder
    error: the preview image `b.png` can't be read: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:24
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                        ^^^^^
      |
      = hint: paths in a manifest are relative to its folder
    error: the preview image `c.png` can't be read: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:31
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                               ^^^^^
      |
      = hint: paths in a manifest are relative to its folder
    error: the preview image `d.png` can't be read: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:8:38
      |
    8 | previewImages: [a.png, b.png, c.png, d.png]
      |                                      ^^^^^
      |
      = hint: paths in a manifest are relative to its folder
    error: 7 errors in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_field_that_is_misspelt_is_a_warning_beside_the_error() {
    insta::assert_snapshot!(publishing_with("visibilty: private\nruntime: v3\n").await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    warning: `visibilty` is not a field known here
     --> gitbook-manifest.yaml:6:1
      |
    6 | visibilty: private
      | ^^^^^^^^^
      |
      = hint: did you mean `visibility`? It is sent to GitBook as it is
    error: `runtime` is `v3`, which is not accepted
     --> gitbook-manifest.yaml:7:10
      |
    7 | runtime: v3
      |          ^^
      |
      = hint: accepted: `v1`, `v2`
    error: 1 error and 1 warning in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_summary_that_holds_a_mark() {
    let more = "summary: \"Hi. <!-- gitbook-deploy:preview integration=other repository=r branch=b -->\"\n";
    insta::assert_snapshot!(publishing_with(more).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `summary` holds a mark of gitbook-deploy's own, which says whose a preview is
     --> gitbook-manifest.yaml:6:10
      |
    6 | summary: "Hi. <!-- gitbook-deploy:preview integration=other repository=r branch=b -->"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: remove the comment that starts with `<!-- gitbook-deploy:`
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn an_entry_of_envs_that_is_not_there() {
    let more = "envs:\n  production:\n    title: Bye\n  test: {}\n";
    let repository = repository().manifest(".", "hello", more);
    let run = || deployment().publish();
    insta::assert_snapshot!(refused(run().variable("GITBOOK_ENV", "productoin"), &repository).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `envs` has no entry `productoin`
    --> gitbook-manifest.yaml
     = hint: did you mean `production`?
    error: 1 error in 1 file, nothing was sent
    "#);
    insta::assert_snapshot!(refused(run().variable("GITBOOK_ENV", "qa"), &repository).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `envs` has no entry `qa`
    --> gitbook-manifest.yaml
     = hint: it has: production, test
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn two_integrations_of_one_name() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "hello", "");
    insta::assert_snapshot!(publishing(&repository).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `hello` is the name of another integration, too: `one/gitbook-manifest.yaml:1:7`
     --> two/gitbook-manifest.yaml:1:7
      |
    1 | name: hello
      |       ^^^^^
      |
      = hint: names are unique over all of GitBook: rename one of them
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn two_integrations_whose_names_differ_in_case_only() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "Hello", "");
    insta::assert_snapshot!(publishing(&repository).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: `Hello` is the name of another integration, too: `one/gitbook-manifest.yaml:1:7`
     --> two/gitbook-manifest.yaml:1:7
      |
    1 | name: Hello
      |       ^^^^^
      |
      = hint: names are unique over all of GitBook: rename one of them
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn a_preview_that_would_take_an_integrations_own_name() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "hello-fix", "");
    let run = deployment().push_to("fix");
    insta::assert_snapshot!(refused(run, &repository).await, @r#"
    exit 2
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: the preview's name `hello-fix` is an integration's own name: `two/gitbook-manifest.yaml`
    --> one/gitbook-manifest.yaml
     = hint: change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`
    error: 1 error in 1 file, nothing was sent
    "#);
}

#[tokio::test]
async fn all_problems_of_all_integrations_are_told_together() {
    let repository = repository()
        .manifest("one", "hello", "icon: none.png\nsummary: []\n")
        .manifest("two", "world", "secrets: {KEY: \"${{ env.NOT_SET }}\"}\n")
        .file("two/main.ts", "import './none';\n")
        .integration("three");
    insta::assert_snapshot!(publishing(&repository).await, @r#"
    exit 2
    info: publish: `GITBOOK_MODE=publish` system="no CI system" event=none
    error: the icon `none.png` can't be read: No such file or directory (os error 2)
     --> one/gitbook-manifest.yaml:6:7
      |
    6 | icon: none.png
      |       ^^^^^^^^
      |
      = hint: paths in a manifest are relative to its folder
    error: `summary` is a list, it must be text
     --> one/gitbook-manifest.yaml:7:10
      |
    7 | summary: []
      |          ^
    error: `secrets.KEY` needs the variable `NOT_SET`, which is not set, or empty
     --> two/gitbook-manifest.yaml:6:16
      |
    6 | secrets: ***${{ env.NOT_SET }}"}
      |          ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: pass `NOT_SET` to this step, from the secrets of your CI system
    error: could not resolve './none' in two/main.ts
     --> two/main.ts:1:8
      |
    1 | import './none';
      |        ^^^^^^^^
      |
      = hint: check the path; a file that a build writes must be there before this step
    error: 4 errors in 3 files, nothing was sent
    "#);
}

#[tokio::test]
async fn two_integrations_of_one_name_in_two_shares() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "hello", "");
    for shard in ["1/2", "2/2"] {
        let log = refused(deployment().publish().variable("GITBOOK_SHARD", shard), &repository).await;
        assert!(log.contains("`hello`") && log.contains("one/gitbook-manifest.yaml"), "{log}");
    }
}

#[tokio::test]
async fn two_integrations_of_one_name_whose_previews_are_to_be_deleted() {
    let repository = repository().manifest("one", "hello", "").manifest("two", "Hello", "");
    let run = deployment().event("delete", "fix").against("http://127.0.0.1:9");
    insta::assert_snapshot!(refused(run, &repository).await, @r#"
    exit 2
    info: delete: branch `fix` was deleted system="no CI system" event="branch deleted" branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    error: `Hello` is the name of another integration, too: `one/gitbook-manifest.yaml:1:7`
     --> two/gitbook-manifest.yaml:1:7
      |
    1 | name: Hello
      |       ^^^^^
      |
      = hint: names are unique over all of GitBook: rename one of them
    error: 1 error in 1 file, nothing was sent
    "#);
}
