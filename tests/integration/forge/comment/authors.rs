//! Recognition of the program's own comment by its author.

use fake_github::Fault;
use serde_json::json;

use super::super::{on_pull_request, sha};
use super::{MARKER, assert_success, comment_writes, set_up};
use crate::support::repository;

#[tokio::test]
async fn updates_only_a_comment_with_the_marker_and_the_own_author() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    // The program's own comment is on the last of many list pages.
    forge.page_size(2);
    let other_comment = forge.comment_by("mona", 12, &format!("{MARKER}\nI am you."));
    for number in 0..5 {
        forge.comment_by("github-actions[bot]", 12, &format!("Another workflow's, number {number}."));
    }
    assert_success(&on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).run().await);
    forge.push_to_pull_request(12, &sha('2'));
    assert_success(&on_pull_request("synchronize", '2', 101, &gitbook, &forge).folder(&folder).run().await);
    let comments = forge.comments(12);
    assert_eq!(comments.len(), 7, "{comments:#?}");
    assert!(comments[0].id == other_comment && comments[0].body.ends_with("I am you."));
    assert!(comments[6].body.contains("2222222"), "{comments:#?}");
}

#[tokio::test]
async fn a_user_token_updates_only_the_comment_of_its_user() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    forge.user("ghp_mOnA", "mona");
    forge.comment_by("hubot", 12, &format!("{MARKER}\nI am you."));
    for (action, run) in [("opened", 100), ("closed", 101)] {
        let run = on_pull_request(action, '1', run, &gitbook, &forge).variable("GITHUB_TOKEN", "ghp_mOnA\n");
        assert_success(&run.folder(&folder).run().await);
        if action == "opened" {
            forge.close_pull_request(12);
        }
    }
    let comments = forge.comments(12);
    assert_eq!(comments.len(), 2, "{comments:#?}");
    assert!(comments[1].author == "mona" && comments[1].body.contains("deleted"), "{comments:#?}");
}

/// The API of Gitea and Forgejo returns no account type.
#[tokio::test]
async fn recognizes_the_comment_of_gitea_actions() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    forge.user("job", "gitea-actions");
    forge.comment_by("mona", 12, &format!("{MARKER}\nI am you."));
    for status in [401, 403, 404] {
        let body = json!({"message": "no user"});
        forge.fail(Fault::on("GET", "/user$").status(status).json(body).unvalidated());
        let comments = json!([
            {"id": 1, "body": MARKER, "user": {"login": "mona"}},
            {"id": 2, "body": MARKER, "user": {"login": "gitea-actions"}},
            {"id": 3, "body": MARKER, "user": null},
        ]);
        let list = Fault::on("GET", "/issues/12/comments").status(200).json(comments).unvalidated();
        forge.fail(list.times(2));
        let run = on_pull_request("opened", '1', 100, &gitbook, &forge).variable("GITHUB_TOKEN", "job");
        forge.clear_requests();
        assert_success(&run.folder(&folder).run().await);
        assert_eq!(comment_writes(&forge)[0], "PATCH /repos/acme/integrations/issues/comments/2", "{status}");
        forge.clear_faults();
    }
}

#[tokio::test]
async fn ignores_the_comment_of_another_bot_with_the_marker() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    let by = |id: u64, login: &str, kind: &str| json!({"id": id, "body": MARKER, "user": {"login": login, "type": kind}});
    let comments =
        json!([by(1, "renovate[bot]", "Bot"), by(2, "github-actions[bot]", "Bot"), by(3, "mona", "User")]);
    let list = Fault::on("GET", "/issues/12/comments").status(200).json(comments).unvalidated();
    forge.fail(list.times(1));
    let run = on_pull_request("opened", '1', 100, &gitbook, &forge);
    assert_success(&run.folder(&folder).run().await);
    assert_eq!(comment_writes(&forge)[0], "PATCH /repos/acme/integrations/issues/comments/2");
    assert!(
        !comment_writes(&forge).iter().any(|write| write.starts_with("DELETE")),
        "{:?}",
        comment_writes(&forge)
    );
}

/// The API does not name the user of an app token or of a token with few permissions. The program then recognizes its
/// comment by the marker.
#[tokio::test]
async fn writes_one_comment_without_a_known_user() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("hello");
    forge.user("ghp_mOnA", "mona");
    let denied = json!({"message": "No."});
    forge.fail(Fault::on("GET", "/user$").status(403).json(denied).unvalidated().always());
    for (run, commit) in [(100, '1'), (101, '2')] {
        forge.push_to_pull_request(12, &sha(commit));
        let run = on_pull_request("synchronize", commit, run, &gitbook, &forge);
        assert_success(&run.variable("GITHUB_TOKEN", "ghp_mOnA").folder(&folder).run().await);
    }
    let comments = forge.comments(12);
    assert!(comments.len() == 1 && comments[0].body.contains("2222222"), "{comments:#?}");
}
