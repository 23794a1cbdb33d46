//! A repository of hundreds of integrations: what a person, a CI system and the next step see of it.

use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{
    Finished, Gated, Recorded as _, Repository, Sandbox, deployment, gitbook, repository, said, until,
};

/// How many there are.
const MANY: usize = 200;

/// The one that GitBook refuses.
const REFUSED: &str = "part-017";

/// Enough for the log to be folded.
const FOLDED: usize = 25;

fn many(number: usize) -> Repository {
    (0..number).fold(repository(), |repository, number| repository.integration(&format!("part-{number:03}")))
}

/// A GitBook that takes everything but one.
async fn refusing() -> MockServer {
    let server = gitbook().await;
    let refused = Mock::given(method("POST")).and(path(format!("/v1/integrations/{REFUSED}")));
    refused.respond_with(said(403, "not yours")).with_priority(1).mount(&server).await;
    server
}

async fn run(number: usize, format: &str, variables: &[(&str, &str)]) -> (Finished, usize) {
    let server = refusing().await;
    let repository = many(number);
    let run = deployment().against(&server.uri()).publish().folder(&repository);
    let run = run.variable("GITBOOK_LOG_FORMAT", format).variable("GITBOOK_CONCURRENCY", "16");
    let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
    let ended = run.runs().await;
    (ended, server.asked().await.len())
}

/// The lines of a log that say of an integration that it was published.
fn published(lines: &[&str]) -> usize {
    lines.iter().filter(|line| line.contains("published `part-")).count()
}

#[tokio::test]
async fn one_of_hundreds_that_fails_stops_none_and_is_told_last() {
    let (ended, asked) = run(MANY, "text", &[]).await;
    assert_eq!((ended.code, asked), (Some(1), 2 * MANY), "{}", ended.log());
    let lines: Vec<_> = ended.stderr.lines().collect();
    // One line each and no more: the decision before them, and behind them the tally, what failed, and the verdict.
    assert_eq!(published(&lines[1..MANY]), MANY - 1);
    insta::assert_snapshot!(lines[MANY..].join("\n"), @"
    info: published 199 of 200 integrations, 1 failed
    error: publishing `part-017` failed
    cause: the token lacks a permission: 403 not yours
     hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    error: 1 of 200 integrations failed
    ");
    let integrations = ended.integrations();
    let result = |integration: &Value| integration["result"].as_str().unwrap().to_owned();
    let integrations = integrations.as_array().unwrap();
    let failed: Vec<_> =
        integrations.iter().filter(|one| result(one) == "failed").map(|one| &one["name"]).collect();
    assert_eq!(failed, [REFUSED]);
    assert_eq!(integrations.iter().filter(|one| result(one) == "published").count(), MANY - 1);
    let names: Vec<_> = integrations.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    begins_with_what_failed(&ended);
}

#[tokio::test]
async fn the_log_of_many_is_folded_but_for_what_failed() {
    let (ended, _) = run(FOLDED, "github", &[]).await;
    let lines: Vec<_> = ended.stderr.lines().collect();
    let place = |text: &str| lines.iter().position(|line| line.starts_with(text)).unwrap();
    let (opens, closes) = (place("::group::publishing 25 integrations"), place("::endgroup::"));
    assert_eq!((closes - opens, published(&lines[opens..closes])), (FOLDED, FOLDED - 1));
    assert_eq!((opens, lines.len() - closes), (1, 4), "{}", lines[closes..].join("\n"));

    let (ended, _) = run(FOLDED, "text", &[("GITLAB_CI", "true")]).await;
    let lines: Vec<_> = ended.stderr.lines().collect();
    let opens = lines.iter().position(|line| line.contains("section_start:")).unwrap();
    let closes = lines.iter().position(|line| line.contains("section_end:")).unwrap();
    assert!(lines[opens].contains("[collapsed=true]"), "{}", lines[opens]);
    assert_eq!((closes - opens, published(&lines[opens..closes])), (FOLDED, FOLDED - 1));
    assert!(lines.len() - closes == 8, "{}", lines[closes..].join("\n"));
}

/// The summary: failures, the row of what failed, all other rows, the slowest, pies.
fn begins_with_what_failed(ended: &Finished) {
    let rows: Vec<_> = ended.summary.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows[1].starts_with("| part&#45;017 | failed |"), "{}", rows[1]);
    assert_eq!(rows.iter().filter(|row| row.contains("| published |")).count(), MANY - 1);
    let place =
        |text: &str| ended.summary.find(text).unwrap_or_else(|| panic!("no {text} in {}", ended.summary));
    assert!(place("❌ publishing") < place("| integration | result |"));
    assert!(place("| integration | result |") < place("The slowest:"));
    assert_eq!(slowest(ended).len(), 5);
    assert!(place("The slowest:") < place("What scripts are made of"));
    assert_eq!(ended.summary.matches("```mermaid\npie showData\n    \"own source\" : 58\n```").count(), 20);
    assert!(ended.summary.trim_end().lines().last().unwrap().contains("179"));
}

/// The rows of the slowest: name, packaging and publishing in milliseconds.
fn slowest(ended: &Finished) -> Vec<(String, [u64; 2])> {
    let (_, table) =
        ended.summary.split_once("| integration | packaging | publishing |\n|---|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| !line.is_empty());
    let milliseconds = |cell: &str| cell.strip_suffix(" ms").unwrap().parse().unwrap();
    let row = |row: &str| {
        let cells: Vec<_> = row.trim_matches(['|', ' ']).split(" | ").collect();
        (cells[0].replace("&#45;", "-"), [milliseconds(cells[1]), milliseconds(cells[2])])
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn the_slowest_are_those_of_the_report() {
    let server = gitbook().await;
    let (few, many) = (many(10), many(11));
    let run = |repository: &Repository| deployment().against(&server.uri()).folder(repository);
    let ended = run(&few).publish().runs().await;
    assert!(!ended.summary.contains("The slowest"), "{}", ended.summary);
    for ended in
        [run(&many).publish().runs().await, run(&many).variable("GITBOOK_MODE", "check").runs().await]
    {
        let is_check = ended.output("mode") == "check";
        let integrations = ended.report["integrations"].as_array().unwrap().iter();
        let times = integrations.map(|one| {
            let publishing = if is_check { 0 } else { one["milliseconds"].as_u64().unwrap() };
            (
                one["name"].as_str().unwrap().to_owned(),
                [one["packaging_milliseconds"].as_u64().unwrap(), publishing],
            )
        });
        let times: Vec<_> = times.collect();
        let slowest = slowest(&ended);
        assert!(slowest.len() == 5 && slowest.iter().all(|row| times.contains(row)), "{slowest:?} {times:?}");
        // Each is rounded down to a millisecond.
        let total = |(_, [packaging, publishing]): &(String, [u64; 2])| packaging + publishing;
        let least = slowest.iter().map(total).min().unwrap();
        let others = times.iter().filter(|row| !slowest.contains(row));
        assert!(
            others.clone().count() == 6 && others.clone().all(|row| total(row) <= least + 2),
            "{times:?}"
        );
    }
}

/// Nothing is told of time that goes by: a run that takes long says no more.
#[tokio::test]
async fn a_log_has_no_line_that_repeats() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(500).set_delay(std::time::Duration::from_millis(2500));
    Mock::given(method("POST")).respond_with(slow).mount(&server).await;
    let repository = many(2);
    for format in ["text", "github", "json"] {
        let run = deployment().against(&server.uri()).publish().folder(&repository);
        let ended = run.variable("GITBOOK_LOG_FORMAT", format).runs().await;
        assert_eq!(ended.code, Some(1), "{}", ended.log());
        let mut lines: Vec<_> = ended.stderr.lines().collect();
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        // The cause and the hint are the same for both.
        assert!(lines.len() + 2 >= all && all <= 9, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn one_that_takes_its_time_keeps_nobody_waiting() {
    let sandbox = Sandbox::start().await;
    let gitbook = Gated::before(&sandbox).await;
    let mut held = gitbook.hold("POST", "part-000");
    let repository = many(8);
    let run = deployment().against(gitbook.endpoint()).publish().folder(&repository);
    let run = run.variable("GITBOOK_CONCURRENCY", "2").starts();
    held.reached().await;
    let all: Vec<_> = (0..8).map(|number| format!("part-{number:03}")).collect();
    until("all others are published", async || sandbox.names() == all[1..]).await;
    held.release();
    let ended = run.ends().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let names: Vec<_> =
        ended.integrations().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, all);
}
