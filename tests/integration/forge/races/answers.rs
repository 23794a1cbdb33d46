//! Concurrent runs that the program detects from GitBook's responses, because its checks of the forge came too early.

use super::{log, result, sha, with_branch, with_pull_request};

#[tokio::test]
async fn overwriting_a_newer_commit_in_production_fails() {
    let environment = with_branch().await;
    environment.forge.set_branch("main", &sha('1'));
    let mut barrier = environment.gitbook.hold("POST", "hello");
    let older = environment.push("main", '1', 100).start();
    barrier.reached().await;
    environment.forge.set_branch("main", &sha('2'));
    assert_eq!(result(&environment.push("main", '2', 101).run().await), "published");
    barrier.release();
    let older = older.finish().await;
    assert_eq!(older.code, Some(1));
    insta::assert_snapshot!(log(&older), @"
    exit 1
    error: this run overwrote the newer commit `2222222` of `hello`: GitBook had nothing and now has version 2
     hint: re-run the job of commit `2222222`
    ");
    let last = environment.deployments().into_iter().find(|outcome| outcome.contains("commit 1")).unwrap();
    assert!(last.ends_with("failure"), "{last}");
}

#[tokio::test]
async fn overwriting_a_preview_of_a_newer_commit_fails() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    let older = environment.push("fix", '1', 100).start();
    barrier.reached().await;
    environment.forge.set_branch("fix", &sha('2'));
    assert_eq!(result(&environment.push("fix", '2', 101).run().await), "published");
    barrier.release();
    let older = older.finish().await;
    assert_eq!((older.code, older.output("result")), (Some(1), "failed".to_owned()));
}

#[tokio::test]
async fn replacing_an_older_commit_succeeds() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    environment.forge.set_branch("fix", &sha('2'));
    let newer = environment.push("fix", '2', 101).start();
    barrier.reached().await;
    environment.forge.set_branch("fix", &sha('1'));
    assert_eq!(result(&environment.push("fix", '1', 100).run().await), "published");
    environment.forge.set_branch("fix", &sha('2'));
    barrier.release();
    let newer = newer.finish().await;
    assert_eq!(result(&newer), "published");
    assert!(newer.stderr.contains("another run"), "{}", newer.stderr);
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
}

#[tokio::test]
async fn a_deletion_fails_if_the_pull_request_was_reopened_meanwhile() {
    let environment = with_pull_request().await;
    assert_eq!(result(&environment.pull_request("opened", '1', 100).run().await), "published");
    environment.forge.close_pull_request(12);
    let mut barrier = environment.gitbook.hold("DELETE", "hello-fix");
    let closed = environment.pull_request("closed", '1', 101).start();
    barrier.reached().await;
    environment.forge.reopen_pull_request(12);
    assert_eq!(result(&environment.pull_request("reopened", '1', 102).run().await), "unchanged");
    barrier.release();
    let closed = closed.finish().await;
    assert_eq!((closed.code, closed.output("result")), (Some(1), "failed".to_owned()));
    insta::assert_snapshot!(log(&closed), @"
    exit 1
    info: deleted hello-fix (… s)
    info: updated the comment on pull request #12
    error: `hello-fix` was deleted, but pull request #12 is open again
     hint: re-run the job of the branch's newest commit to publish the preview
    ");
}

#[tokio::test]
async fn republishes_a_preview_that_was_deleted_during_the_run() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold_response("POST", "hello-fix");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    environment.sandbox.remove("hello-fix");
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!(result(&opened), "published");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published hello-fix v1 (0.0 KiB, … s)
    warning: another run has deleted `hello-fix` although its branch is open: publishing it again
    info: published hello-fix v1 (0.0 KiB, … s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 1, run 100"]);
}

#[tokio::test]
async fn warns_of_a_concurrently_deleted_preview_without_a_forge_token() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold_response("POST", "hello-fix");
    let pushed = environment.push("fix", '1', 100).variable("GITHUB_TOKEN", "").start();
    barrier.reached().await;
    environment.sandbox.remove("hello-fix");
    barrier.release();
    let pushed = pushed.finish().await;
    assert_eq!(result(&pushed), "published");
    assert!(pushed.log().contains("warning: another run has deleted `hello-fix`"), "{}", pushed.log());
    assert_eq!(environment.sandbox.names(), [""; 0]);
}
