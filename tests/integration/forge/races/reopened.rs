//! A closed branch or pull request is reopened before its preview is deleted.

use fake_github::Head;

use super::{log, result, sha, with_branch, with_pull_request};

const FIRST_PREVIEW: [&str; 1] = ["hello-fix: commit 1, run 100"];

#[tokio::test]
async fn a_late_deletion_keeps_a_newer_preview() {
    let environment = with_pull_request().await;
    assert_eq!(result(&environment.pull_request("opened", '1', 100).run().await), "published");
    environment.forge.close_pull_request(12);
    let barrier = environment.forge.hold("GET", "/pulls/12");
    let closed = environment.pull_request("closed", '1', 101).start();
    barrier.reached().await;

    environment.forge.reopen_pull_request(12);
    environment.forge.push_to_pull_request(12, &sha('2'));
    let reopened = environment.pull_request("reopened", '2', 102).run().await;
    assert_eq!(result(&reopened), "published");
    barrier.release();
    let closed = closed.finish().await;
    assert_eq!(result(&closed), "skipped");
    insta::assert_snapshot!(log(&closed), @"
    exit 0
    info: skipped hello-fix: pull request #12 is open again
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 102"]);
    assert_eq!(environment.comment(), ["hello-fix: ✅ published v2"]);
    let newest = environment.deployments().pop().unwrap();
    assert!(newest.ends_with("success"), "{newest}");
}

/// The ownership marker still names the run that published before the pull request was closed.
#[tokio::test]
async fn a_late_deletion_keeps_an_unchanged_preview() {
    let environment = with_pull_request().await;
    assert_eq!(result(&environment.pull_request("opened", '1', 100).run().await), "published");
    environment.forge.close_pull_request(12);
    let barrier = environment.forge.hold("GET", "/pulls/12");
    let closed = environment.pull_request("closed", '1', 101).start();
    barrier.reached().await;

    environment.forge.reopen_pull_request(12);
    let reopened = environment.pull_request("reopened", '1', 102).run().await;
    assert_eq!(result(&reopened), "unchanged");
    barrier.release();
    let closed = closed.finish().await;
    assert_eq!(result(&closed), "skipped");
    assert_eq!(environment.published(), FIRST_PREVIEW);
    assert_eq!(environment.comment(), ["hello-fix: ✅ published v1"]);
    assert!(environment.deployments().iter().all(|deployment| deployment.ends_with("success")));
}

#[tokio::test]
async fn a_late_deletion_keeps_the_preview_of_a_restored_branch() {
    let environment = with_branch().await;
    assert_eq!(result(&environment.push("fix", '1', 100).run().await), "published");
    environment.forge.delete_branch("fix");
    let barrier = environment.forge.hold("GET", "/branches/fix");
    let deleted = environment.delete("fix", 101).start();
    barrier.reached().await;

    environment.forge.set_branch("fix", &sha('1'));
    let again = environment.push("fix", '1', 102).run().await;
    assert_eq!(result(&again), "unchanged");
    barrier.release();
    let deleted = deleted.finish().await;
    assert_eq!(result(&deleted), "skipped");
    insta::assert_snapshot!(log(&deleted), @"
    exit 0
    info: skipped hello-fix: branch `fix` exists again
    ");
    assert_eq!(environment.published(), FIRST_PREVIEW);
}

/// The deleting run checks the forge before the branch is restored, so only the newer run's marker shows the change.
#[tokio::test]
async fn a_late_deletion_after_an_outdated_check_keeps_the_preview() {
    let environment = with_branch().await;
    assert_eq!(result(&environment.push("fix", '1', 100).run().await), "published");
    environment.forge.delete_branch("fix");
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let deleted = environment.delete("fix", 101).start();
    barrier.reached().await;

    environment.forge.set_branch("fix", &sha('2'));
    let again = environment.push("fix", '2', 102).run().await;
    assert_eq!(result(&again), "published");
    barrier.release();
    let deleted = deleted.finish().await;
    assert_eq!(result(&deleted), "skipped");
    insta::assert_snapshot!(log(&deleted), @"
    exit 0
    info: skipped hello-fix (… s): a newer run (102) has published this preview
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 102"]);
}

/// A new pull request from the same branch keeps the preview.
#[tokio::test]
async fn a_late_deletion_keeps_the_preview_of_another_pull_request() {
    let environment = with_pull_request().await;
    assert_eq!(result(&environment.pull_request("opened", '1', 100).run().await), "published");
    environment.forge.close_pull_request(12);
    let barrier = environment.forge.hold("GET", "/pulls/12");
    let closed = environment.pull_request("closed", '1', 101).start();
    barrier.reached().await;

    environment.forge.open_pull_request(13, Head::own("fix"), &sha('1'));
    let opened = environment.numbered_pull_request(13, "opened", '1', 102).run().await;
    assert_eq!(result(&opened), "unchanged");
    barrier.release();
    let closed = closed.finish().await;
    assert_eq!(result(&closed), "skipped");
    insta::assert_snapshot!(log(&closed), @"
    exit 0
    info: skipped hello-fix: pull request #13 is open from the same branch
    ");
    assert_eq!(environment.published(), FIRST_PREVIEW);
    environment.forge.close_pull_request(13);
    assert_eq!(result(&environment.numbered_pull_request(13, "closed", '1', 103).run().await), "deleted");
    assert_eq!(environment.sandbox.names(), [""; 0]);
}

#[tokio::test]
async fn keeps_a_new_preview_for_another_pull_request() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    environment.forge.open_pull_request(13, Head::own("fix"), &sha('1'));
    environment.forge.close_pull_request(12);
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!(result(&opened), "published");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published hello-fix v1 (0.0 KiB, … s)
    info: keeping the published previews: pull request #12 is closed, but pull request #13 is open from the same branch
    info: updated the comment on pull request #12
    ");
    assert_eq!(environment.published(), FIRST_PREVIEW);
}

/// If preview names contain the pull request number, each pull request has its own preview.
#[tokio::test]
async fn pull_requests_of_one_branch_have_own_previews_with_numbered_names() {
    let environment = with_pull_request().await;
    environment.forge.open_pull_request(13, Head::own("fix"), &sha('1'));
    let run_by_number = |number, action, run| {
        let run = environment.numbered_pull_request(number, action, '1', run);
        run.variable("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}").run()
    };
    assert_eq!(result(&run_by_number(12, "opened", 100).await), "published");
    assert_eq!(result(&run_by_number(13, "opened", 101).await), "published");
    assert_eq!(environment.sandbox.names(), ["hello-pr-12", "hello-pr-13"]);
    environment.forge.close_pull_request(12);
    assert_eq!(result(&run_by_number(12, "closed", 102).await), "deleted");
    assert_eq!(environment.sandbox.names(), ["hello-pr-13"]);
}

#[tokio::test]
async fn a_manual_deletion_ignores_the_state_of_the_branch() {
    let environment = with_pull_request().await;
    assert_eq!(result(&environment.pull_request("opened", '1', 100).run().await), "published");
    let by_hand = environment.pull_request("labeled", '1', 101).variable("GITBOOK_MODE", "delete");
    let by_hand = by_hand.run().await;
    assert_eq!(result(&by_hand), "deleted");
    insta::assert_snapshot!(log(&by_hand), @"
    exit 0
    info: deleted hello-fix (… s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(environment.sandbox.names(), Vec::<String>::new());
    assert_eq!(environment.comment(), ["hello-fix: 🗑️ deleted"]);

    let environment = with_branch().await;
    assert_eq!(result(&environment.push("fix", '1', 100).run().await), "published");
    let by_hand = environment.push("main", '1', 101).variable("GITBOOK_MODE", "delete");
    assert_eq!(result(&by_hand.variable("GITBOOK_BRANCH", "fix").run().await), "deleted");
    assert_eq!(environment.sandbox.names(), Vec::<String>::new());
}
