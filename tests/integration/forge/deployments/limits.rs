//! Near GitHub's limits, deployments give way to what is needed more.

use super::super::on_pull_request;
use super::{Ended, Head, Sandbox, StandIn, repository, sha};
use crate::support::{Repository, deployment, payloads};

/// GitHub's own number of writes a minute, and the integrations that would need more.
const MAX_WRITES: usize = 80;
const MANY: usize = 40;

/// Returns a repository of integrations with this script.
fn integrations(count: usize, script: &str) -> Repository {
    (0..count)
        .map(|number| format!("hello-{number:02}"))
        .fold(repository(), |all, name| all.integration(&name).file(&format!("{name}/main.ts"), script))
}

/// Panics if a deployment has no final state; returns the number of deployments.
fn ended_deployments(forge: &StandIn) -> usize {
    let deployments = forge.deployments();
    for deployment in &deployments {
        let states: Vec<_> = deployment.statuses.iter().map(|status| &*status.state).collect();
        assert!(matches!(states.last(), Some(&("success" | "inactive"))), "{states:?}");
    }
    deployments.len()
}

/// Returns the notice about so many deployments.
fn notice(dropped: usize) -> String {
    format!("{dropped} deployments are not recorded or not marked inactive: the forge's rate limit is near")
}

#[tokio::test]
async fn deployments_leave_the_comment_its_writes_and_end_all_the_same() {
    let (sandbox, forge) = (Sandbox::start().await, StandIn::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let run = on_pull_request("opened", '1', 100, &sandbox, &forge);
    let folder = integrations(MANY, "export default 1;");
    let ended = run.folder(&folder).runs().await;
    assert_eq!((ended.code, sandbox.names().len()), (Some(0), MANY), "{}", ended.log());
    let writes = forge.requests().iter().filter(|request| request.method != "GET").count();
    assert!(writes <= MAX_WRITES, "{writes}");
    assert_eq!(forge.comments(12).len(), 1);
    let deployments = ended_deployments(&forge);
    assert!((10..MANY).contains(&deployments), "{deployments}");
    assert!(ended.stderr.contains(&notice(MANY - deployments)), "{}", ended.stderr);
}

/// All that has earlier deployments: these are listed and deactivated.
#[tokio::test]
async fn earlier_deployments_leave_the_comment_its_requests() {
    const FEW: usize = 12;
    for left in [60, 70, 90] {
        let (sandbox, forge) = (Sandbox::start().await, StandIn::start().await);
        forge.open_pull_request(12, Head::own("fix"), &sha('1'));
        let push = async |commit: char, run: u64, script: &str| {
            forge.push_to_pull_request(12, &sha(commit));
            let run = on_pull_request("synchronize", commit, run, &sandbox, &forge);
            let folder = integrations(FEW, script);
            let ended = run.variable("GITBOOK_CONCURRENCY", "64").folder(&folder).runs().await;
            assert_eq!(ended.code, Some(0), "{}", ended.log());
            ended
        };
        push('1', 100, "export default 1;").await;
        assert_eq!(ended_deployments(&forge), FEW);
        forge.clear_requests();
        forge.rate_limit(left);
        let ended = push('2', 101, "export default 2;").await;
        assert_none_refused(&forge, left, &ended);
        let comment = &forge.comments(12)[0].body;
        assert_eq!(comment.matches("| 2222222 |").count(), FEW, "{comment}");
        ended_deployments(&forge);
    }
}

#[tokio::test]
async fn a_deployment_to_production_begins_only_if_it_can_end() {
    let folder = integrations(MANY, "export default 1;");
    for left in [51, 60, 70, 80, 100] {
        let (sandbox, forge) = (Sandbox::start().await, StandIn::start().await);
        forge.set_branch("main", &sha('1'));
        forge.rate_limit(left);
        let run = deployment().on_github_event("push", &payloads::push("main", &sha('1')), 100);
        let run = run.against(sandbox.endpoint()).with_forge(&forge).variable("GITBOOK_CONCURRENCY", "64");
        let ended = run.folder(&folder).runs().await;
        assert_eq!((ended.code, sandbox.names().len()), (Some(0), MANY), "{}", ended.log());
        assert_none_refused(&forge, left, &ended);
        assert!(ended.stderr.contains(&notice(MANY - ended_deployments(&forge))), "{}", ended.stderr);
    }
}

/// Panics if the forge refused a request of the run, or the run does not tell that it dropped some.
fn assert_none_refused(forge: &StandIn, limit: u64, ended: &Ended) {
    let requests = forge.requests().len();
    assert!(u64::try_from(requests).unwrap() <= limit, "{requests} of {limit}: {}", ended.log());
    assert!(ended.stderr.contains("the forge's rate limit is near"), "{}", ended.log());
}
