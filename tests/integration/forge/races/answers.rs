//! The answers of GitBook tell of runs that no question to the forge has noticed.

use super::{log, result, sha, with_branch, with_pull_request};

#[tokio::test]
async fn an_older_push_that_overwrites_a_newer_one_in_production_fails() {
    let world = with_branch().await;
    world.forge.set_branch("main", &sha('1'));
    let mut gate = world.gitbook.hold("POST", "hello");
    let older = world.push("main", '1', 100).starts();
    gate.reached().await;
    world.forge.set_branch("main", &sha('2'));
    assert_eq!(result(&world.push("main", '2', 101).runs().await), "published");
    gate.release();
    let older = older.ends().await;
    assert_eq!(older.code, Some(1));
    insta::assert_snapshot!(log(&older), @"
    exit 1
    error: `hello` went from nothing to version 2: this run has overwritten what the run of a newer commit, 2222222, had published
     hint: run the job of commit 2222222 again
    ");
    let last = world.deployments().into_iter().find(|told| told.contains("commit 1")).unwrap();
    assert!(last.ends_with("failure"), "{last}");
}

#[tokio::test]
async fn an_older_push_that_overwrites_the_first_preview_of_a_newer_one_fails() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    let older = world.push("fix", '1', 100).starts();
    gate.reached().await;
    world.forge.set_branch("fix", &sha('2'));
    assert_eq!(result(&world.push("fix", '2', 101).runs().await), "published");
    gate.release();
    let older = older.ends().await;
    assert_eq!((older.code, older.output("result")), (Some(1), "failed".to_owned()));
}

#[tokio::test]
async fn a_newer_push_that_replaces_an_older_one_at_the_same_time_goes_on() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    world.forge.set_branch("fix", &sha('2'));
    let newer = world.push("fix", '2', 101).starts();
    gate.reached().await;
    world.forge.set_branch("fix", &sha('1'));
    assert_eq!(result(&world.push("fix", '1', 100).runs().await), "published");
    world.forge.set_branch("fix", &sha('2'));
    gate.release();
    let newer = newer.ends().await;
    assert_eq!(result(&newer), "published");
    assert!(newer.stderr.contains("another run"), "{}", newer.stderr);
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
}

#[tokio::test]
async fn a_pull_request_that_is_open_again_once_its_preview_is_deleted_fails_the_run() {
    let world = with_pull_request().await;
    assert_eq!(result(&world.pull_request("opened", '1', 100).runs().await), "published");
    world.forge.close_pull_request(12);
    let mut gate = world.gitbook.hold("DELETE", "hello-fix");
    let closed = world.pull_request("closed", '1', 101).starts();
    gate.reached().await;
    world.forge.reopen_pull_request(12);
    assert_eq!(result(&world.pull_request("reopened", '1', 102).runs().await), "unchanged");
    gate.release();
    let closed = closed.ends().await;
    assert_eq!((closed.code, closed.output("result")), (Some(1), "failed".to_owned()));
    insta::assert_snapshot!(log(&closed), @"
    exit 1
    info: deleted `hello-fix` (0.1 s)
    info: updated the comment on pull request #12
    error: `hello-fix` was deleted, but pull request #12 is open again
     hint: publish the preview again: run the job of the branch's newest commit again
    ");
}

#[tokio::test]
async fn a_preview_that_a_late_run_deletes_is_published_again() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold_answer("POST", "hello-fix");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    world.sandbox.remove("hello-fix");
    gate.release();
    let opened = opened.ends().await;
    assert_eq!(result(&opened), "published");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmpOiYOvh/hello-fix/
    warning: another run has deleted `hello-fix` although its branch is open: publishing it again
    info: published `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmpOiYOvh/hello-fix/
    info: updated the comment on pull request #12
    ");
    assert_eq!(world.published(), ["hello-fix: commit 1, run 100"]);
}

#[tokio::test]
async fn without_a_forge_a_preview_that_is_gone_is_a_warning() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold_answer("POST", "hello-fix");
    let pushed = world.push("fix", '1', 100).variable("GITHUB_TOKEN", "").starts();
    gate.reached().await;
    world.sandbox.remove("hello-fix");
    gate.release();
    let pushed = pushed.ends().await;
    assert_eq!(result(&pushed), "published");
    assert!(pushed.log().contains("warning: another run has deleted `hello-fix`"), "{}", pushed.log());
    assert_eq!(world.sandbox.names(), [""; 0]);
}
