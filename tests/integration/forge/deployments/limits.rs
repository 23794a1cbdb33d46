//! Near GitHub's rate limit, deployments are skipped in favor of more important requests.

use super::super::on_pull_request;
use super::{FakeGitHub, Head, Sandbox, repository, sha};

/// GitHub's limit of writes per minute, and a number of integrations that exceeds it.
const MAX_WRITES: usize = 80;
const MANY: usize = 40;

#[tokio::test]
async fn deployments_leave_requests_for_the_comment() {
    let (sandbox, forge) = (Sandbox::start().await, FakeGitHub::start().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let folder = (0..MANY).fold(repository(), |all, number| all.integration(&format!("hello-{number:02}")));
    let run = on_pull_request("opened", '1', 100, &sandbox, &forge).folder(&folder);
    let finished = run.run().await;
    assert_eq!((finished.code, sandbox.names().len()), (Some(0), MANY), "{}", finished.log());
    let writes = forge.requests().iter().filter(|request| request.method != "GET").count();
    assert!(writes <= MAX_WRITES, "{writes}");
    assert_eq!(forge.comments(12).len(), 1);
    let deployments = forge.deployments();
    assert!((10..MANY).contains(&deployments.len()), "{}", deployments.len());
    let last = |states: &[fake_github::Status]| states.last().map(|status| status.state.clone());
    assert!(deployments.iter().all(|deployment| last(&deployment.statuses).as_deref() == Some("success")));
    let notice =
        format!("{} deployments are not recorded: the forge's rate limit is near", MANY - deployments.len());
    assert!(finished.stderr.contains(&notice), "{}", finished.stderr);
}
