//! What happens between a sweep's questions and its deletions, and a sweep that is cancelled.

use std::time::{Duration, Instant};

use forge_stand_in::{Fault, StandIn};

use super::{holding, mark, preview, results, sha, sweep};

#[tokio::test]
async fn a_preview_that_was_published_meanwhile_is_kept() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b"]).await;
    let question = forge.hold_answer("GET", "/branches/a$");
    let run = sweep(gitbook.endpoint(), &forge).starts();
    question.reached().await;
    let newer = preview("hello-a", &mark("a").replace("run=7", "run=8"));
    gitbook.set("hello-a", &newer);
    question.release();
    let ended = run.ends().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: skipped `hello-a` (kept: it was changed just now) milliseconds=…
    info: deleted `hello-b` (`b` is gone) milliseconds=…
    info: swept up: 1 deleted, 1 kept
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-a"]);
    assert_eq!(gitbook.integration("hello-a"), newer);
}

#[tokio::test]
async fn what_somebody_made_or_opened_to_all_meanwhile_is_kept() {
    let forge = StandIn::start().await;
    for change in ["by hand", "public"] {
        let gitbook = holding(&["a"]).await;
        let question = forge.hold_answer("GET", "/branches/a$");
        let run = sweep(gitbook.endpoint(), &forge).starts();
        question.reached().await;
        let mut theirs = preview("hello-a", &mark("a"));
        match change {
            "public" => theirs["visibility"] = "public".into(),
            _ => theirs["summary"] = "Made by hand.".into(),
        }
        gitbook.set("hello-a", &theirs);
        question.release();
        assert_eq!(results(&run.ends().await), [("hello-a".to_owned(), "skipped".to_owned())], "{change}");
        assert_eq!(gitbook.integration("hello-a"), theirs);
    }
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_gone() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a"]).await;
    let question = forge.hold_answer("GET", "/branches/a$");
    let run = sweep(gitbook.endpoint(), &forge).starts();
    question.reached().await;
    gitbook.remove("hello-a");
    question.release();
    let ended = run.ends().await;
    assert_eq!((ended.code, ended.output("result")), (Some(0), "deleted".to_owned()));
    assert!(ended.log().contains("deleted `hello-a` (it was not there any more)"), "{}", ended.log());
}

/// Its run has nothing to change, and so only the forge can tell.
#[tokio::test]
async fn a_branch_that_was_restored_meanwhile_keeps_its_preview() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b"]).await;
    let question = forge.hold("GET", "/branches/a$");
    let run = sweep(gitbook.endpoint(), &forge).starts();
    question.reached().await;
    forge.set_branch("a", &sha('1'));
    question.release();
    let ended = run.ends().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: skipped `hello-a` (kept: `a` is open again) milliseconds=…
    info: deleted `hello-b` (`b` is gone) milliseconds=…
    info: swept up: 1 deleted, 1 kept
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-a"]);
}

/// Its run may have found the preview before it was deleted.
#[tokio::test]
async fn a_branch_that_is_restored_while_its_preview_is_deleted_fails_the_sweep() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b"]).await;
    let (before, after) = (forge.hold_answer("GET", "/branches/a$"), forge.hold("GET", "/branches/a$"));
    let run = sweep(gitbook.endpoint(), &forge).starts();
    before.reached().await;
    before.release();
    after.reached().await;
    forge.set_branch("a", &sha('1'));
    after.release();
    insta::assert_snapshot!(run.ends().await.log(), @r#"
    exit 1
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: deleted `hello-b` (`b` is gone) milliseconds=…
    info: swept up: 1 deleted, 0 kept
    error: `hello-a` was deleted, but `a` is open again
     hint: publish the preview again: run the job of the branch's newest commit again
    error: 1 of 2 integrations failed
    "#);
    assert_eq!(gitbook.names(), ["hello"]);
}

#[tokio::test]
async fn a_question_that_the_forge_fails_to_answer_keeps_one_preview_only() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b", "c"]).await;
    forge.fail(Fault::on("GET", "/branches/b$").always());
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 1
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: deleted `hello-a` (`a` is gone) milliseconds=…
    info: deleted `hello-c` (`c` is gone) milliseconds=…
    info: swept up: 2 deleted, 0 kept
    error: `hello-b` is kept: could not check that `b` is gone: the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    error: 1 of 3 integrations failed
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-b"]);
}

#[tokio::test]
async fn a_forge_that_answers_no_question_is_given_up_after_three_previews() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b", "c", "d", "e"]).await;
    forge.fail(Fault::on("GET", "/branches/").always());
    let ended = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_RETRIES", "0").runs().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 1
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: swept up: 0 deleted, 0 kept
    error: `hello-a` is kept: could not check that `a` is gone: the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    error: `hello-b` is kept: could not check that `b` is gone: the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    error: `hello-c` is kept: could not check that `c` is gone: the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    error: `hello-d` is kept: could not check that `d` is gone: the forge was given up, since the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    error: `hello-e` is kept: could not check that `e` is gone: the forge was given up, since the forge has a problem of its own: 500, not in a forge's own words
     hint: run again later
    error: 5 of 5 integrations failed
    "#);
    assert_eq!(gitbook.names().len(), 6);
}

#[tokio::test]
async fn a_question_after_a_deletion_that_the_forge_does_not_answer_is_a_warning() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a"]).await;
    forge.fail(Fault::on("GET", "/branches/a$").skip(1).always());
    insta::assert_snapshot!(sweep(gitbook.endpoint(), &forge).runs().await.log(), @r#"
    exit 0
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    warning: `hello-a` was deleted, but could not check whether `a` is open again: the forge has a problem of its own: 500, not in a forge's own words; run again later
    info: deleted `hello-a` (`a` is gone) milliseconds=…
    info: swept up: 1 deleted, 0 kept
    "#);
}

/// A run that gets a signal once the forge is asked for something, and has deleted `hello-a` by then.
async fn cancelled_at(method: &str, pattern: &str) -> String {
    let forge = StandIn::start().await;
    forge.open_pull_request(1, forge_stand_in::Head::own("a"), &sha('1'));
    forge.delete_branch("a");
    let gitbook = holding(&["a", "b", "c"]).await;
    let held = forge.hold(method, pattern);
    let run = sweep(gitbook.endpoint(), &forge).starts();
    held.reached().await;
    assert_eq!(gitbook.names(), ["hello", "hello-b", "hello-c"]);
    let started = Instant::now();
    run.signal("TERM").await;
    let ended = run.ends().await;
    // The runner kills it after ten.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    assert_eq!(gitbook.names(), ["hello", "hello-b", "hello-c"]);
    let came = ["deleted", "skipped", "skipped"].map(str::to_owned);
    let names = ["hello-a", "hello-b", "hello-c"].map(str::to_owned);
    assert_eq!(results(&ended), names.into_iter().zip(came).collect::<Vec<_>>());
    assert_eq!(ended.report["exit_code"], 143);
    ended.log()
}

#[cfg_attr(not(unix), ignore = "signals are sent by a shell")]
#[tokio::test]
async fn a_sweep_that_is_cancelled_says_what_it_has_done() {
    let (deployments, comments) =
        tokio::join!(cancelled_at("GET", "/deployments?"), cancelled_at("GET", "/issues/1/comments"));
    insta::assert_snapshot!(deployments, @r#"
    exit 143
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    warning: SIGTERM: nothing new is started
    info: deleted `hello-a` (`a` is gone) milliseconds=…
    info: skipped `hello-b` (not started: cancelled by SIGTERM) milliseconds=…
    info: skipped `hello-c` (not started: cancelled by SIGTERM) milliseconds=…
    info: swept up: 1 deleted, 2 kept
    error: cancelled by SIGTERM
     hint: what was done until then is in the outputs; running again is safe
    "#);
    insta::assert_snapshot!(comments, @r#"
    exit 143
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    info: deleted `hello-a` (`a` is gone) milliseconds=…
    warning: SIGTERM: nothing new is started
    info: skipped `hello-b` (not started: cancelled by SIGTERM) milliseconds=…
    info: skipped `hello-c` (not started: cancelled by SIGTERM) milliseconds=…
    info: swept up: 1 deleted, 2 kept
    error: cancelled by SIGTERM
     hint: what was done until then is in the outputs; running again is safe
    "#);
}

#[cfg_attr(not(unix), ignore = "signals are sent by a shell")]
#[tokio::test]
async fn a_sweep_that_is_cancelled_while_it_asks_deletes_nothing() {
    let forge = StandIn::start().await;
    let gitbook = holding(&["a", "b"]).await;
    let held = forge.hold("GET", "/branches$");
    let run = sweep(gitbook.endpoint(), &forge).starts();
    held.reached().await;
    run.signal("TERM").await;
    let ended = run.ends().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 143
    info: sweep: scheduled run system="no CI system" event=schedule repository=github.com/acme/integrations
    warning: SIGTERM: nothing new is started
    error: cancelled by SIGTERM
     hint: what was done until then is in the outputs; running again is safe
    "#);
    assert_eq!(gitbook.names(), ["hello", "hello-a", "hello-b"]);
}
