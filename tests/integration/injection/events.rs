//! Injections by event payloads and environment variables: branches, commits, users, titles, repositories and links.

use fake_github::{FakeGitHub, Head};

use super::checks::{OutputFormat, Written};
use super::corpus::{Injection, corpus, variable_values};
use super::{FORMATS, assert_nothing_injected, secrets};
use crate::support::{Deployment, GitLab, deployment, gitbook, merge_request, payloads, repository};

/// Variables that configure the program.
const SETTINGS: [&str; 16] = [
    "GITBOOK_ENDPOINT",
    "GITBOOK_MODE",
    "GITBOOK_INTEGRATIONS",
    "GITBOOK_ENV",
    "GITBOOK_PRODUCTION_BRANCH",
    "GITBOOK_PREVIEW_NAME",
    "GITBOOK_PREVIEW_VISIBILITY",
    "GITBOOK_DRY_RUN",
    "GITBOOK_CONCURRENCY",
    "GITBOOK_SHARD",
    "GITBOOK_TIMEOUT",
    "GITBOOK_RETRIES",
    "RUST_LOG",
    "GITBOOK_COMMENT",
    "GITBOOK_PULL_REQUEST",
    "GITBOOK_EVENT",
];

/// Variables that describe the event.
const EVENT: [&str; 4] = ["GITBOOK_BRANCH", "GITBOOK_COMMIT", "GITBOOK_REPOSITORY", "GITBOOK_DEFAULT_BRANCH"];

/// Variables that replace manifest fields.
const FIELDS: [&str; 14] = [
    "GITBOOK_TITLE",
    "GITBOOK_DESCRIPTION",
    "GITBOOK_SUMMARY",
    "GITBOOK_ICON",
    "GITBOOK_SCRIPT",
    "GITBOOK_RUNTIME",
    "GITBOOK_TARGET",
    "GITBOOK_VISIBILITY",
    "GITBOOK_ORGANIZATION",
    "GITBOOK_SCOPES",
    "GITBOOK_CATEGORIES",
    "GITBOOK_PREVIEW_IMAGES",
    "GITBOOK_BLOCKS",
    "GITBOOK_CONFIGURATIONS",
];

fn with_format(run: Deployment, format: &str) -> Deployment {
    let run = run.variable("GITBOOK_LOG_FORMAT", format).variable("RUST_LOG", "gitbook_deploy=trace,info");
    secrets::set(run)
}

/// Hostile strings in the fields of GitHub's event payloads.
#[tokio::test]
async fn event_payloads_inject_nothing() {
    let folder = repository().manifest("hello", "hello", &secrets::manifest_lines());
    let (gitbook, sha) = (gitbook().await, "1".repeat(40));
    let mut written = Vec::new();
    for (number, Injection { attempt, text }) in corpus().into_iter().enumerate() {
        let mut pull_request = payloads::pull_request("opened", 12, &text, &sha);
        pull_request["pull_request"]["title"] = text.as_str().into();
        pull_request["pull_request"]["body"] = text.as_str().into();
        pull_request["pull_request"]["user"]["login"] = text.as_str().into();
        pull_request["repository"]["default_branch"] = text.as_str().into();
        let events = [
            ("pull_request", pull_request),
            ("pull_request", payloads::pull_request("opened", 12, "fix", &text)),
            ("pull_request", payloads::fork_pull_request("opened", 12, &text, &text, &text)),
            ("pull_request", payloads::pull_request(&text, 12, "fix", &sha)),
            ("push", payloads::push(&text, &sha)),
            ("delete", payloads::delete(&text)),
            ("release", serde_json::json!({"action": text})),
        ];
        // Processing a branch name of 1 MiB is slow, so it is tested with one event.
        let event_count = if text.len() < 1 << 19 { events.len() } else { 1 };
        for (turn, (event, payload)) in events.into_iter().enumerate().take(event_count) {
            let format = FORMATS[(number + turn) % 3];
            let forge = FakeGitHub::unvalidated().await;
            forge.open_pull_request(12, Head::own(text.as_str()), &sha);
            let run = deployment()
                .on_github_event(event, &payload, 100)
                .with_endpoint(&gitbook.uri())
                .with_forge(&forge);
            let finished = with_format(run, format).folder(&folder).run().await;
            assert!(finished.code.is_some_and(|code| code < 3), "{attempt}: {}", finished.log());
            let comments = forge.comments(12).into_iter().map(|comment| comment.body).collect();
            let deployments = forge.deployments();
            let run =
                Written::new(format!("{attempt} in {event} {turn}"), format, OutputFormat::GitHub, finished);
            written.push(Written { comments, deployments, ..run });
        }
    }
    assert!(
        written.iter().any(|run| !run.deployments.is_empty())
            && written.iter().any(|run| !run.comments.is_empty())
    );
    assert_nothing_injected(&written);
}

/// Hostile strings in the variables that GitLab CI sets.
#[tokio::test]
async fn gitlab_variables_inject_nothing() {
    let folder = repository().manifest("hello", "hello", &secrets::manifest_lines());
    let gitbook = gitbook().await;
    let mut written = Vec::new();
    for Injection { attempt, text } in variable_values() {
        for fields in [
            &["CI_COMMIT_SHA"][..],
            &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_JOB_NAME"],
            &["CI_JOB_URL", "CI_PIPELINE_SOURCE", "CI_MERGE_REQUEST_TITLE"],
            &[
                "CI_PROJECT_PATH",
                "CI_SERVER_HOST",
                "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH",
                "CI_DEFAULT_BRANCH",
            ],
        ] {
            let gitlab = GitLab::start().await;
            gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
            let job = gitlab.merge_request_job('1', 100).with_endpoint(&gitbook.uri());
            let job = fields.iter().fold(job, |job, field| {
                let prefix = if *field == "CI_JOB_URL" { "https://gitlab.example.com/" } else { "" };
                job.variable(field, format!("{prefix}{text}"))
            });
            let finished = with_format(job, "text").folder(&folder).run().await;
            assert!(finished.code.is_some_and(|code| code < 3), "{attempt}: {}", finished.log());
            let project = gitlab.project();
            assert_eq!(project.quick_actions, [""; 0], "{attempt}");
            let comments = project.notes.iter().map(|note| note.body.clone()).collect();
            let run =
                Written::new(format!("{attempt} in {fields:?}"), "text", OutputFormat::GitLab, finished);
            written.push(Written { comments, ..run });
        }
    }
    assert!(written.iter().any(|run| !run.comments.is_empty()));
    assert_nothing_injected(&written);
}

/// Hostile strings in values and names of the program's own variables, and in arguments.
#[tokio::test]
async fn own_variables_inject_nothing() {
    let folder = repository().manifest("hello", "hello", &secrets::manifest_lines());
    let gitbook = gitbook().await;
    let mut written = Vec::new();
    for (number, Injection { attempt, text }) in variable_values().into_iter().enumerate() {
        let format = FORMATS[number % 3];
        let set = |run: Deployment, names: &[&str]| {
            names.iter().fold(run, |run, name| run.variable(name, text.as_str()))
        };
        let push = || deployment().on_push_to("fix").with_endpoint(&gitbook.uri());
        let unknown_variable = format!("GITBOOK_MODES{}", text.replace('=', "-"));
        let runs = [
            set(push(), &SETTINGS),
            set(push(), &["GITBOOK_INTEGRATIONS"]),
            set(push(), &["GITBOOK_ENV", "GITBOOK_PREVIEW_ENV"]),
            set(push(), &EVENT[..1]),
            set(push(), &EVENT[1..]),
            set(push(), &FIELDS),
            set(push(), &["GITBOOK_NAME"]),
            push().variable(&unknown_variable, "x"),
            push().argument(&text),
        ];
        for (turn, run) in runs.into_iter().enumerate() {
            let run = secrets::set(run).variable("GITBOOK_LOG_FORMAT", format).folder(&folder);
            let finished = run.run().await;
            assert!(finished.code.is_some_and(|code| code < 3), "{attempt}: {}", finished.log());
            written.push(Written::new(
                format!("{attempt} in variables {turn}"),
                format,
                OutputFormat::Dotenv,
                finished,
            ));
        }
    }
    assert_nothing_injected(&written);
}
