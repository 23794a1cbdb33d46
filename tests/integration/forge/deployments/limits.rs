//! Near GitHub's rate limit, the program skips deployments and keeps requests for the comment.

use super::super::on_pull_request;
use super::{FakeGitHub, Finished, Head, Sandbox, repository, sha};
use crate::support::{Repository, deployment, payloads};

/// GitHub's limit of writes per minute.
const MAX_WRITES: usize = 80;

/// A number of integrations whose deployments would need more writes than `MAX_WRITES`.
const MANY_INTEGRATIONS: usize = 40;

/// Returns a repository with this number of integrations, all with the same script.
fn integrations(count: usize, script: &str) -> Repository {
    (0..count)
        .map(|number| format!("hello-{number:02}"))
        .fold(repository(), |all, name| all.integration(&name).file(&format!("{name}/main.ts"), script))
}

/// Returns the number of deployments. Asserts that each has a final state.
fn count_finished(forge: &FakeGitHub) -> usize {
    let deployments = forge.deployments();
    for deployment in &deployments {
        let states: Vec<_> = deployment.statuses.iter().map(|status| &*status.state).collect();
        assert!(matches!(states.last(), Some(&("success" | "inactive"))), "{states:?}");
    }
    deployments.len()
}

/// Returns the expected notice about this number of skipped deployments.
fn notice(skipped: usize) -> String {
    let noun = if skipped == 1 { "GitHub Deployment" } else { "GitHub Deployments" };
    format!("could not update {skipped} {noun}: the remaining API rate limit is reserved")
}

#[tokio::test]
async fn deployments_leave_enough_requests_for_the_comment() {
    let (sandbox, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let run = on_pull_request("opened", '1', 100, &sandbox, &forge);
    let folder = integrations(MANY_INTEGRATIONS, "export default 1;");
    let finished = run.folder(&folder).run().await;
    assert_eq!((finished.code, sandbox.names().len()), (Some(0), MANY_INTEGRATIONS), "{}", finished.log());
    let writes = forge.requests().iter().filter(|request| request.method != "GET").count();
    assert!(writes <= MAX_WRITES, "{writes}");
    assert_eq!(forge.comments(12).len(), 1);
    let deployments = count_finished(&forge);
    assert!((10..MANY_INTEGRATIONS).contains(&deployments), "{deployments}");
    assert!(finished.stderr.contains(&notice(MANY_INTEGRATIONS - deployments)), "{}", finished.stderr);
}

/// Each integration has an earlier deployment, which the run must list and mark inactive.
#[tokio::test]
async fn marking_deployments_inactive_leaves_enough_requests_for_the_comment() {
    const FEW_INTEGRATIONS: usize = 12;
    for remaining_requests in [60, 70, 90] {
        let (sandbox, forge) = (Sandbox::start().await, FakeGitHub::start().await);
        forge.open_pull_request(12, Head::own("fix"), &sha('1'));
        let push = async |commit: char, run: u64, script: &str| {
            forge.push_to_pull_request(12, &sha(commit));
            let run = on_pull_request("synchronize", commit, run, &sandbox, &forge);
            let folder = integrations(FEW_INTEGRATIONS, script);
            let finished = run.variable("GITBOOK_CONCURRENCY", "64").folder(&folder).run().await;
            assert_eq!(finished.code, Some(0), "{}", finished.log());
            finished
        };
        push('1', 100, "export default 1;").await;
        assert_eq!(count_finished(&forge), FEW_INTEGRATIONS);
        forge.clear_requests();
        forge.rate_limit(remaining_requests);
        let finished = push('2', 101, "export default 2;").await;
        assert_within_limit(&forge, remaining_requests, &finished);
        let comment = &forge.comments(12)[0].body;
        assert_eq!(comment.matches("| 2222222 |").count(), FEW_INTEGRATIONS, "{comment}");
        count_finished(&forge);
    }
}

#[tokio::test]
async fn starts_a_production_deployment_only_if_enough_requests_remain_to_finish_it() {
    let folder = integrations(MANY_INTEGRATIONS, "export default 1;");
    for remaining_requests in [51, 60, 70, 80, 100] {
        let (sandbox, forge) = (Sandbox::start().await, FakeGitHub::start().await);
        forge.set_branch("main", &sha('1'));
        forge.rate_limit(remaining_requests);
        let run = deployment().on_github_event("push", &payloads::push("main", &sha('1')), 100);
        let run =
            run.with_endpoint(sandbox.endpoint()).with_forge(&forge).variable("GITBOOK_CONCURRENCY", "64");
        let finished = run.folder(&folder).run().await;
        assert_eq!(
            (finished.code, sandbox.names().len()),
            (Some(0), MANY_INTEGRATIONS),
            "{}",
            finished.log()
        );
        assert_within_limit(&forge, remaining_requests, &finished);
        assert!(
            finished.stderr.contains(&notice(MANY_INTEGRATIONS - count_finished(&forge))),
            "{}",
            finished.stderr
        );
    }
}

/// Asserts that the forge rejected no request of the run, and that the run reports skipped deployments.
fn assert_within_limit(forge: &FakeGitHub, limit: u64, finished: &Finished) {
    let requests = forge.requests().len();
    assert!(u64::try_from(requests).unwrap() <= limit, "{requests} of {limit}: {}", finished.log());
    assert!(finished.stderr.contains("the remaining API rate limit is reserved"), "{}", finished.log());
}
