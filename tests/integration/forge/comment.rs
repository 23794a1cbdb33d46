//! The comment on a pull request.

mod authors;
mod jobs;

use fake_github::{FakeGitHub, Fault, Head};
use serde_json::json;

use super::{on_pull_request, sha};
use crate::support::{FORGE_TOKEN, Finished, Sandbox, deployment, payloads, repository};

const MARKER: &str = "<!-- gitbook-deploy:comment -->";

/// Starts a sandbox, and a forge with a pull request from `fix`.
async fn set_up() -> (Sandbox, FakeGitHub) {
    let (gitbook, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    (gitbook, forge)
}

/// Returns the only comment on the pull request, without HTML comments and times.
fn visible_comment(forge: &FakeGitHub) -> String {
    let comments = forge.comments(12);
    let [comment] = &comments[..] else { panic!("{comments:#?}") };
    assert_eq!(comment.author, "github-actions[bot]");
    let mut lines = comment.body.lines();
    assert_eq!(lines.next(), Some(MARKER));
    let visible = lines.map(|line| line.split(" <!--").next().unwrap());
    visible.map(without_time).collect::<Vec<_>>().join("\n")
}

fn without_time(line: &str) -> String {
    match line.rsplit_once(" | ") {
        Some((before, time)) if time.ends_with("UTC") => format!("{before} | (time)"),
        _ => line.to_owned(),
    }
}

fn comment_writes(forge: &FakeGitHub) -> Vec<String> {
    let requests = forge.requests().into_iter();
    let writes = requests.filter(|request| request.method != "GET" && request.path.contains("/comments"));
    writes.map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn assert_success(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}", finished.log());
}

#[tokio::test]
async fn updates_the_row_of_a_preview_until_its_deletion() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    ");

    let larger =
        folder.file("hello/main.ts", format!("export default {{}};\nconsole.log('{}');\n", "x".repeat(2000)));
    forge.push_to_pull_request(12, &sha('2'));
    assert_success(&on_pull_request("synchronize", '2', 101, &gitbook, &forge).folder(&larger).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ published v2 | 2222222 | 2.0 KiB (+1.9 KiB) | (time)
    ");

    forge.push_to_pull_request(12, &sha('3'));
    assert_success(&on_pull_request("synchronize", '3', 102, &gitbook, &forge).folder(&larger).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ unchanged v2 | 3333333 | 2.0 KiB | (time)
    ");

    forge.merge_pull_request(12);
    assert_success(&on_pull_request("closed", '3', 103, &gitbook, &forge).folder(&larger).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | 🗑️ deleted | 3333333 |  | (time)
    ");
    assert_eq!(gitbook.names(), Vec::<String>::new());
}

/// The checkout no longer contains the integration; only the comment still names the preview.
#[tokio::test]
async fn deletes_the_preview_of_a_removed_integration() {
    let (gitbook, forge) = set_up().await;
    let both = repository().integration("hello").integration("other");
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&both).run().await);
    let one = repository().integration("hello");
    // The comment was edited to name somebody else's integration.
    let text = forge.comments(12)[0].body.replace("name=other-fix", "name=theirs");
    gitbook
        .set("theirs", &json!({"name": "theirs", "title": "Theirs", "summary": "", "visibility": "public"}));
    let edited = format!("{}\n{}", forge.comments(12)[0].body, text.lines().last().unwrap());
    forge.edit_comment(forge.comments(12)[0].id, &edited);

    forge.close_pull_request(12);
    assert_success(&on_pull_request("closed", '1', 101, &gitbook, &forge).folder(&one).run().await);
    assert_eq!(gitbook.names(), ["theirs"]);
    assert!(visible_comment(&forge).contains("| other-fix | 🗑️ deleted |"), "{}", visible_comment(&forge));
}

#[tokio::test]
async fn a_closed_pull_request_deletes_only_previews_of_selected_integrations() {
    let (gitbook, forge) = set_up().await;
    let both = repository().integration("hello").integration("other");
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&both).run().await);
    forge.close_pull_request(12);
    let closed = || on_pull_request("closed", '1', 101, &gitbook, &forge);
    assert_success(&closed().variable("GITBOOK_NAME", "nothing").run().await);
    assert_success(&closed().folder(both.path("hello")).variable("GITBOOK_DRY_RUN", "true").run().await);
    assert_eq!(gitbook.names(), ["hello-fix", "other-fix"]);
    assert_success(&closed().folder(both.path("hello")).run().await);
    assert_eq!(gitbook.names(), ["other-fix"]);
}

#[tokio::test]
async fn does_not_update_an_unchanged_comment() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).run().await);
    let before = forge.comments(12);
    forge.clear_requests();
    assert_success(&on_pull_request("reopened", '1', 101, &gitbook, &forge).folder(&folder).run().await);
    assert_eq!(comment_writes(&forge), [""; 0]);
    assert_eq!(forge.comments(12), before);
}

#[tokio::test]
async fn the_comment_shows_a_failure_and_the_last_published_commit() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello").integration("other");
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).run().await);

    forge.push_to_pull_request(12, &sha('2'));
    let broken = folder.file("hello/main.ts", "export default {};\nimport './<b>nothing</b>';\n");
    let finished = on_pull_request("synchronize", '2', 101, &gitbook, &forge).folder(&broken).run().await;
    assert_eq!(finished.code, Some(2), "{}", finished.log());
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ❌ failed: <code>hello&#47;main&#46;ts&#58;2&#58;8&#58; &#96;&#46;&#47;&#60;b&#62;nothing&#60;&#47;b&#62;&#96; cannot be imported&#58; no such file</code> ([log](<https://github.com/acme/integrations/actions/runs/101>))<br>the preview still shows 1111111 v1 | 2222222 | 0.1 KiB | (time)
    | other-fix | ❌ failed: <code>not published&#58; another integration has errors</code> ([log](<https://github.com/acme/integrations/actions/runs/101>))<br>the preview still shows 1111111 v1 | 2222222 | 0.1 KiB | (time)
    ");

    let mut third_party = gitbook.integration("hello-fix");
    third_party["summary"] = json!("Mine now.");
    gitbook.set("hello-fix", &third_party);
    let fixed = broken.file("hello/main.ts", "export default {};\n");
    let finished = on_pull_request("synchronize", '2', 102, &gitbook, &forge).folder(&fixed).run().await;
    assert_eq!(finished.code, Some(1), "{}", finished.log());
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ❌ failed: <code>&#96;hello-fix&#96; was not changed&#58; the existing integration “Hello (fix)” was not created by gitbook-deploy</code> ([log](<https://github.com/acme/integrations/actions/runs/102>))<br>the preview still shows 1111111 v1 | 2222222 | 0.1 KiB | (time)
    | other-fix | ✅ unchanged v1 | 2222222 | 0.1 KiB | (time)
    ");
}

#[tokio::test]
async fn the_comment_shows_an_invalid_manifest_until_it_is_fixed() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().file("hello/gitbook-manifest.yaml", "name: [\n");
    let finished = on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).run().await;
    assert_eq!(finished.code, Some(2));
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | – | ❌ failed: <code>hello&#47;gitbook-manifest&#46;yaml&#58;1&#58;7&#58; not valid YAML&#58; unclosed bracket &#39;&#91;&#39;</code> ([log](<https://github.com/acme/integrations/actions/runs/100>)) | 1111111 |  | (time)
    ");
    let folder = repository().integration("hello");
    assert_success(&on_pull_request("synchronize", '1', 101, &gitbook, &forge).folder(&folder).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    ");
}

#[tokio::test]
async fn restores_a_deleted_or_edited_comment() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).run().await);
    forge.edit_comment(forge.comments(12)[0].id, &format!("Hello!\r\n{MARKER}\r\n| nothing | of it |"));
    assert_success(&on_pull_request("reopened", '1', 101, &gitbook, &forge).folder(&folder).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ unchanged v1 | 1111111 | 0.1 KiB | (time)
    ");
    forge.delete_comment(forge.comments(12)[0].id);
    assert_success(&on_pull_request("reopened", '1', 102, &gitbook, &forge).folder(&folder).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ unchanged v1 | 1111111 | 0.1 KiB | (time)
    ");
    // The comment disappears between the read and the write.
    forge.push_to_pull_request(12, &sha('2'));
    forge.fail(Fault::on("PATCH", "/issues/comments/").status(404).json(json!({"message": "Not Found"})));
    assert_success(&on_pull_request("synchronize", '2', 103, &gitbook, &forge).folder(&folder).run().await);
    assert!(visible_comment(&forge).contains("2222222"), "{}", visible_comment(&forge));
}

#[tokio::test]
async fn creates_no_comment_for_a_missing_preview() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    forge.close_pull_request(12);
    assert_success(&on_pull_request("closed", '1', 100, &gitbook, &forge).folder(&folder).run().await);
    assert!(forge.comments(12).is_empty());
}

#[tokio::test]
async fn a_push_updates_the_comments_of_its_pull_requests() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    forge.open_pull_request(13, Head::fork("mona", "fix"), &sha('9'));
    let push = || deployment().with_endpoint(gitbook.endpoint()).with_forge(&forge).folder(&folder);
    assert_success(&push().on_github_event("push", &payloads::push("fix", &sha('1')), 100).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    ");
    assert!(forge.comments(13).is_empty());

    forge.delete_branch("fix");
    assert_success(&push().on_github_event("delete", &payloads::delete("fix"), 101).run().await);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | hello-fix | 🗑️ deleted |  |  | (time)
    ");
    assert!(forge.comments(13).is_empty());
}

#[tokio::test]
async fn writes_no_comment_if_disabled() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    for (variable, value) in [("GITBOOK_COMMENT", "false"), ("GITBOOK_DRY_RUN", "true")] {
        let run = on_pull_request("opened", '1', 100, &gitbook, &forge).variable(variable, value);
        assert_success(&run.folder(&folder).run().await);
        assert!(!forge.requests().iter().any(|request| request.path.contains("/comments")), "{variable}");
    }
}

#[tokio::test]
async fn comments_contain_no_secret() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().manifest("hello", "hello", "secrets:\n  KEY: ${{ env.KEY }}\n");
    let existing =
        json!({"name": "hello-fix", "title": "of fOrGe-sEcReT", "summary": "none", "visibility": "private"});
    gitbook.set("hello-fix", &existing);
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge).variable("KEY", "fOrGe-sEcReT");
    let finished = run.folder(&folder).run().await;
    assert_eq!(finished.code, Some(1));
    let body = &forge.comments(12)[0].body;
    assert!(body.contains("of &#42;&#42;&#42;") && !body.contains("sEcReT"), "{body}");
    assert!(!format!("{:?}", forge.requests()).contains(FORGE_TOKEN));
}
