//! Changes between the checks and the deletions of a sweep, and cancelled sweeps.

use std::time::{Duration, Instant};

use fake_github::{FakeGitHub, Fault};

use super::{gitbook_with_previews, ownership_marker, preview, results, sha, sweep};

#[tokio::test]
async fn keeps_a_preview_published_during_the_sweep() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b"]).await;
    let held_check = forge.hold_response("GET", "/branches/a$");
    let run = sweep(gitbook.endpoint(), &forge).start();
    held_check.reached().await;
    let newer = preview("hello-a", &ownership_marker("a").replace("run=7", "run=8"));
    gitbook.set("hello-a", &newer);
    held_check.release();
    let finished = run.finish().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: skipped hello-a (… s): kept: it was changed during the sweep
    info: deleted hello-b (… s): branch `b` was deleted
    info: sweep: deleted 1 preview, kept 1
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-a"]);
    assert_eq!(gitbook.integration("hello-a"), newer);
}

#[tokio::test]
async fn keeps_a_preview_replaced_or_made_public_during_the_sweep() {
    let forge = FakeGitHub::start().await;
    for change in ["by hand", "public"] {
        let gitbook = gitbook_with_previews(&["a"]).await;
        let held_check = forge.hold_response("GET", "/branches/a$");
        let run = sweep(gitbook.endpoint(), &forge).start();
        held_check.reached().await;
        let mut third_party = preview("hello-a", &ownership_marker("a"));
        match change {
            "public" => third_party["visibility"] = "public".into(),
            _ => third_party["summary"] = "Made by hand.".into(),
        }
        gitbook.set("hello-a", &third_party);
        held_check.release();
        assert_eq!(results(&run.finish().await), [("hello-a".to_owned(), "skipped".to_owned())], "{change}");
        assert_eq!(gitbook.integration("hello-a"), third_party);
    }
}

#[tokio::test]
async fn accepts_a_preview_that_others_delete_during_the_sweep() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a"]).await;
    let held_check = forge.hold_response("GET", "/branches/a$");
    let run = sweep(gitbook.endpoint(), &forge).start();
    held_check.reached().await;
    gitbook.remove("hello-a");
    held_check.release();
    let finished = run.finish().await;
    assert_eq!((finished.code, finished.output("result")), (Some(0), "deleted".to_owned()));
    assert!(finished.log().contains("hello-a"), "{}", finished.log());
}

/// The run for the restored branch has no changes to publish, so only the forge shows that the branch is open.
#[tokio::test]
async fn keeps_the_preview_of_a_restored_branch() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b"]).await;
    let held_check = forge.hold("GET", "/branches/a$");
    let run = sweep(gitbook.endpoint(), &forge).start();
    held_check.reached().await;
    forge.set_branch("a", &sha('1'));
    held_check.release();
    let finished = run.finish().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: skipped hello-a (… s): kept: branch `a` is open again
    info: deleted hello-b (… s): branch `b` was deleted
    info: sweep: deleted 1 preview, kept 1
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-a"]);
}

/// The run for the restored branch may have found the preview just before the sweep deleted it.
#[tokio::test]
async fn restoring_a_branch_during_the_deletion_fails_the_sweep() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b"]).await;
    let (before, after) = (forge.hold_response("GET", "/branches/a$"), forge.hold("GET", "/branches/a$"));
    let run = sweep(gitbook.endpoint(), &forge).start();
    before.reached().await;
    before.release();
    after.reached().await;
    forge.set_branch("a", &sha('1'));
    after.release();
    insta::assert_snapshot!(run.finish().await.log(), @"
    exit 1
    info: deleted hello-b (… s): branch `b` was deleted
    info: sweep: deleted 1 preview, kept 0
    error: `hello-a` was deleted, but branch `a` is open again
     hint: re-run the job of the branch's newest commit to publish the preview
    error: 1 of 2 integrations failed
    ");
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn a_failed_check_keeps_only_the_preview_of_that_branch() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b", "c"]).await;
    forge.fail(Fault::on("GET", "/branches/b$").always());
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    info: deleted hello-a (… s): branch `a` was deleted
    info: deleted hello-c (… s): branch `c` was deleted
    info: sweep: deleted 2 previews, kept 0
    error: `hello-b` was kept: could not check whether branch `b` is still open: GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    error: 1 of 3 integrations failed
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-b"]);
}

#[tokio::test]
async fn stops_checking_after_three_failures() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b", "c", "d", "e"]).await;
    forge.fail(Fault::on("GET", "/branches/").always());
    let finished = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_RETRIES", "0").run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    info: sweep: deleted 0 previews, kept 0
    error: `hello-a` was kept: could not check whether branch `a` is still open: GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    error: `hello-b` was kept: could not check whether branch `b` is still open: GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    error: `hello-c` was kept: could not check whether branch `c` is still open: GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    error: `hello-d` was kept: could not check whether branch `d` is still open: request skipped after an earlier failure: GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    error: `hello-e` was kept: could not check whether branch `e` is still open: request skipped after an earlier failure: GitHub server error: 500 Internal Server Error (not a GitHub response)
     hint: re-run the job later
    error: 5 of 5 integrations failed
    ");
    assert_eq!(gitbook.names().len(), 6);
}

#[tokio::test]
async fn warns_about_a_failed_check_after_a_deletion() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a"]).await;
    forge.fail(Fault::on("GET", "/branches/a$").skip(1).always());
    insta::assert_snapshot!(sweep(gitbook.endpoint(), &forge).run().await.log(), @"
    exit 0
    warning: deleted `hello-a`, but could not check whether branch `a` is open again: GitHub server error: 500 Internal Server Error (not a GitHub response); re-run the job later
    info: deleted hello-a (… s): branch `a` was deleted
    info: sweep: deleted 1 preview, kept 0
    ");
}

/// Sends a signal during a request to the forge, after the deletion of `hello-a`.
async fn cancelled_at(method: &str, pattern: &str) -> String {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(1, fake_github::Head::own("a"), &sha('1'));
    forge.delete_branch("a");
    let gitbook = gitbook_with_previews(&["a", "b", "c"]).await;
    let held = forge.hold(method, pattern);
    let run = sweep(gitbook.endpoint(), &forge).start();
    held.reached().await;
    assert_eq!(gitbook.names(), ["hello", "hello-b", "hello-c"]);
    let started = Instant::now();
    run.signal("TERM").await;
    let finished = run.finish().await;
    // GitHub's runner kills a step ten seconds after the first signal.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    assert_eq!(gitbook.names(), ["hello", "hello-b", "hello-c"]);
    let expected_results = ["deleted", "skipped", "skipped"].map(str::to_owned);
    let names = ["hello-a", "hello-b", "hello-c"].map(str::to_owned);
    assert_eq!(results(&finished), names.into_iter().zip(expected_results).collect::<Vec<_>>());
    assert_eq!(finished.report["exit_code"], 143);
    finished.log()
}

#[cfg_attr(not(unix), ignore = "needs a Unix shell that sends signals")]
#[tokio::test]
async fn a_cancelled_sweep_reports_its_deletions() {
    let (deployments, comments) =
        tokio::join!(cancelled_at("GET", "/deployments?"), cancelled_at("GET", "/issues/1/comments"));
    insta::assert_snapshot!(deployments, @"
    exit 143
    warning: received SIGTERM: starting no new work
    info: deleted hello-a (… s): branch `a` was deleted
    info: skipped hello-b (… s): not started: cancelled by SIGTERM
    info: skipped hello-c (… s): not started: cancelled by SIGTERM
    info: sweep: deleted 1 preview, kept 2
    error: cancelled by SIGTERM
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
    insta::assert_snapshot!(comments, @"
    exit 143
    info: deleted hello-a (… s): branch `a` was deleted
    warning: received SIGTERM: starting no new work
    info: skipped hello-b (… s): not started: cancelled by SIGTERM
    info: skipped hello-c (… s): not started: cancelled by SIGTERM
    info: sweep: deleted 1 preview, kept 2
    error: cancelled by SIGTERM
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
}

#[cfg_attr(not(unix), ignore = "needs a Unix shell that sends signals")]
#[tokio::test]
async fn a_sweep_cancelled_during_a_check_deletes_nothing() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_previews(&["a", "b"]).await;
    let held = forge.hold("GET", "/branches$");
    let run = sweep(gitbook.endpoint(), &forge).start();
    held.reached().await;
    run.signal("TERM").await;
    let finished = run.finish().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 143
    warning: received SIGTERM: starting no new work
    error: cancelled by SIGTERM
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-b"]);
}
