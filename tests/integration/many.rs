//! A repository with hundreds of integrations.

use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{
    Finished, HoldingProxy, RecordedRequests as _, Repository, Sandbox, api_error, deployment, gitbook,
    repository, wait_until,
};

/// The number of integrations in a large repository.
const INTEGRATION_COUNT: usize = 200;

/// The name of the integration that GitBook rejects.
const REJECTED_NAME: &str = "part-017";

/// A number of integrations for which the log is folded.
const FOLDED_INTEGRATIONS: usize = 25;

fn repository_with(number: usize) -> Repository {
    (0..number).fold(repository(), |repository, number| repository.integration(&format!("part-{number:03}")))
}

/// Starts a GitBook that rejects the integration `REJECTED_NAME`.
async fn rejecting_gitbook() -> MockServer {
    let server = gitbook().await;
    let rejected = Mock::given(method("POST")).and(path(format!("/v1/integrations/{REJECTED_NAME}")));
    rejected.respond_with(api_error(403, "not yours")).with_priority(1).mount(&server).await;
    server
}

/// Publishes this number of integrations, and returns the finished run and the number of requests.
async fn publish(number: usize, format: &str, variables: &[(&str, &str)]) -> (Finished, usize) {
    let server = rejecting_gitbook().await;
    let repository = repository_with(number);
    let run = deployment().with_endpoint(&server.uri()).publish().folder(&repository);
    let run = run.variable("GITBOOK_LOG_FORMAT", format).variable("GITBOOK_CONCURRENCY", "16");
    let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
    let finished = run.run().await;
    (finished, server.requests().await.len())
}

/// Counts the log lines of published integrations.
fn count_published(lines: &[&str]) -> usize {
    lines.iter().filter(|line| line.contains("published part-")).count()
}

#[tokio::test]
async fn reports_a_failure_after_hundreds_of_published_integrations() {
    let (finished, received) = publish(INTEGRATION_COUNT, "text", &[]).await;
    assert_eq!((finished.code, received), (Some(1), 2 * INTEGRATION_COUNT), "{}", finished.log());
    let lines: Vec<_> = finished.stderr.lines().collect();
    // The log has the decision, a line for each published integration, the totals and the failure, in this order.
    assert_eq!(count_published(&lines[1..INTEGRATION_COUNT]), INTEGRATION_COUNT - 1);
    insta::assert_snapshot!(lines[INTEGRATION_COUNT..].join("\n"), @"
    info: published 199 of 200 integrations, 1 failed
    error: publishing `part-017` failed
    cause: the token lacks a permission: 403 not yours
     hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    error: 1 of 200 integrations failed
    ");
    let integrations = finished.integrations();
    let result = |integration: &Value| integration["result"].as_str().unwrap().to_owned();
    let integrations = integrations.as_array().unwrap();
    let failed: Vec<_> =
        integrations.iter().filter(|one| result(one) == "failed").map(|one| &one["name"]).collect();
    assert_eq!(failed, [REJECTED_NAME]);
    assert_eq!(integrations.iter().filter(|one| result(one) == "published").count(), INTEGRATION_COUNT - 1);
    let names: Vec<_> = integrations.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_summary_begins_with_failures(&finished);
}

#[tokio::test]
async fn folds_a_long_log_except_errors() {
    let (finished, _) = publish(FOLDED_INTEGRATIONS, "github", &[]).await;
    let lines: Vec<_> = finished.stderr.lines().collect();
    let position = |text: &str| lines.iter().position(|line| line.starts_with(text)).unwrap();
    let (opens, closes) = (position("::group::publishing 25 integrations"), position("::endgroup::"));
    assert_eq!(
        (closes - opens, count_published(&lines[opens..closes])),
        (FOLDED_INTEGRATIONS, FOLDED_INTEGRATIONS - 1)
    );
    assert_eq!((opens, lines.len() - closes), (1, 4), "{}", lines[closes..].join("\n"));

    let (finished, _) = publish(FOLDED_INTEGRATIONS, "text", &[("GITLAB_CI", "true")]).await;
    let lines: Vec<_> = finished.stderr.lines().collect();
    let opens = lines.iter().position(|line| line.contains("section_start:")).unwrap();
    let closes = lines.iter().position(|line| line.contains("section_end:")).unwrap();
    assert!(lines[opens].contains("[collapsed=true]"), "{}", lines[opens]);
    assert_eq!(
        (closes - opens, count_published(&lines[opens..closes])),
        (FOLDED_INTEGRATIONS, FOLDED_INTEGRATIONS - 1)
    );
    assert!(lines.len() - closes == 8, "{}", lines[closes..].join("\n"));
}

/// Asserts the order in the summary: errors, the table with the failed row first, the slowest integrations, the diagrams.
fn assert_summary_begins_with_failures(finished: &Finished) {
    let rows: Vec<_> = finished.summary.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows[1].starts_with("| part&#45;017 | failed |"), "{}", rows[1]);
    assert_eq!(rows.iter().filter(|row| row.contains("| published |")).count(), INTEGRATION_COUNT - 1);
    let position = |text: &str| {
        finished.summary.find(text).unwrap_or_else(|| panic!("no {text} in {}", finished.summary))
    };
    assert!(position("❌ publishing") < position("| Integration | Result |"));
    assert!(position("| Integration | Result |") < position("Slowest integrations:"));
    assert_eq!(slowest_integrations(finished).len(), 5);
    assert!(position("Slowest integrations:") < position("Script composition"));
    assert_eq!(
        finished.summary.matches("```mermaid\npie showData\n    \"own source\" : 58\n```").count(),
        20
    );
    assert!(finished.summary.trim_end().lines().last().unwrap().contains("179"));
}

/// Returns the name of each of the slowest integrations, with the milliseconds of packaging and of publishing.
fn slowest_integrations(finished: &Finished) -> Vec<(String, [u64; 2])> {
    let (_, table) =
        finished.summary.split_once("| Integration | Packaging | Publishing |\n|---|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| !line.is_empty());
    let milliseconds = |cell: &str| cell.strip_suffix(" ms").unwrap().parse().unwrap();
    let row = |row: &str| {
        let cells: Vec<_> = row.trim_matches(['|', ' ']).split(" | ").collect();
        (cells[0].replace("&#45;", "-"), [milliseconds(cells[1]), milliseconds(cells[2])])
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn the_summary_lists_the_slowest_integrations() {
    let server = gitbook().await;
    let (small, large) = (repository_with(10), repository_with(11));
    let run_with = |repository: &Repository| deployment().with_endpoint(&server.uri()).folder(repository);
    let finished = run_with(&small).publish().run().await;
    assert!(!finished.summary.contains("Slowest"), "{}", finished.summary);
    for finished in [
        run_with(&large).publish().run().await,
        run_with(&large).variable("GITBOOK_MODE", "check").run().await,
    ] {
        let is_check = finished.output("mode") == "check";
        let integrations = finished.report["integrations"].as_array().unwrap().iter();
        let times = integrations.map(|one| {
            let publishing = if is_check { 0 } else { one["milliseconds"].as_u64().unwrap() };
            (
                one["name"].as_str().unwrap().to_owned(),
                [one["packaging_milliseconds"].as_u64().unwrap(), publishing],
            )
        });
        let times: Vec<_> = times.collect();
        let slowest = slowest_integrations(&finished);
        assert!(slowest.len() == 5 && slowest.iter().all(|row| times.contains(row)), "{slowest:?} {times:?}");
        // Each measured time is rounded down to a millisecond.
        let total = |(_, [packaging, publishing]): &(String, [u64; 2])| packaging + publishing;
        let least = slowest.iter().map(total).min().unwrap();
        let others = times.iter().filter(|row| !slowest.contains(row));
        assert!(
            others.clone().count() == 6 && others.clone().all(|row| total(row) <= least + 2),
            "{times:?}"
        );
    }
}

/// Without a terminal, a long run logs no progress lines.
#[tokio::test]
async fn a_long_run_repeats_no_log_line() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(500).set_delay(std::time::Duration::from_millis(2500));
    Mock::given(method("POST")).respond_with(slow).mount(&server).await;
    let repository = repository_with(2);
    for format in ["text", "github", "json"] {
        let run = deployment().with_endpoint(&server.uri()).publish().folder(&repository);
        let finished = run.variable("GITBOOK_LOG_FORMAT", format).run().await;
        assert_eq!(finished.code, Some(1), "{}", finished.log());
        let mut lines: Vec<_> = finished.stderr.lines().collect();
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        // Two integrations fail with the same cause and hint, so two lines are repeated.
        assert!(lines.len() + 2 >= all && all <= 9, "{}", finished.stderr);
    }
}

#[tokio::test]
async fn a_slow_integration_does_not_delay_others() {
    let sandbox = Sandbox::start().await;
    let gitbook = HoldingProxy::before(&sandbox).await;
    let mut held = gitbook.hold("POST", "part-000");
    let repository = repository_with(8);
    let run = deployment().with_endpoint(gitbook.endpoint()).publish().folder(&repository);
    let run = run.variable("GITBOOK_CONCURRENCY", "2").start();
    held.reached().await;
    let all: Vec<_> = (0..8).map(|number| format!("part-{number:03}")).collect();
    wait_until("all others are published", async || sandbox.names() == all[1..]).await;
    held.release();
    let finished = run.finish().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let names: Vec<_> =
        finished.integrations().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, all);
}
