//! What a job leaves for others: the report of outputs, and sections in its log.

use super::done;
use crate::support::{Deployment, GitLab, Repository, Sandbox, repository};

fn many(count: usize) -> Repository {
    (0..count).fold(repository(), |repository, number| repository.integration(&format!("hello-{number:02}")))
}

async fn job(folder: &Repository) -> (Deployment, Sandbox) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("fix".to_owned(), "1".repeat(40));
    let job = gitlab.job("fix", '1', 100).variable("GITLAB_TOKEN", "").against(gitbook.endpoint());
    (job.folder(folder), gitbook)
}

/// As GitLab reads a report: each line on its own, with no quotes and no blank lines.
fn report(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.split_once('=').expect("GitLab refuses what is no assignment");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
        (name.to_owned(), value.trim().to_owned())
    };
    let variables: Vec<_> = text.lines().map(line).collect();
    let mut names: Vec<_> = variables.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    assert!(text.len() < 5120 && names.len() <= 20 && names.len() == variables.len(), "{text}");
    variables
}

#[tokio::test]
async fn a_report_is_never_one_that_gitlab_refuses() {
    let folder = many(3);
    let ended = job(&folder).await.0.runs().await;
    done(&ended);
    let variables = report(&ended.raw_outputs);
    assert_eq!(variables.len(), 11);
    assert_eq!(ended.integrations().as_array().unwrap().len(), 3);

    let folder = many(30);
    let ended = job(&folder).await.0.runs().await;
    done(&ended);
    let names: Vec<_> = report(&ended.raw_outputs).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 10);
    assert!(!names.contains(&"integrations".to_owned()));
    let lines = super::lines(&ended, &["warning", "hint"]);
    let lines: Vec<_> = lines.lines().map(|line| line.rsplit('`').next().unwrap_or(line)).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(ended.stderr.contains("`integrations`"), "{}", ended.log());
    // Nobody else has such a limit.
    let elsewhere = job(&folder).await.0.variable("GITLAB_CI", "").variable("CI_PIPELINE_ID", "");
    let elsewhere = elsewhere.event("push", "fix").variable("GITBOOK_COMMIT", "1".repeat(40));
    let ended = elsewhere.runs().await;
    assert_eq!(ended.integrations().as_array().unwrap().len(), 30, "{}", ended.log());
}

/// Two steps of one job, or a file that came with an earlier job's artifacts.
#[tokio::test]
async fn a_second_run_writes_over_the_first() {
    let folder = many(1);
    let file = folder.path("previews.env");
    std::fs::write(&file, "OTHER=kept\n\nurl=old\n").unwrap();
    let (run, _gitbook) = job(&folder).await;
    done(&run.variable("GITBOOK_OUTPUT_FILE", file.to_str().unwrap()).runs().await);
    let variables = report(&std::fs::read_to_string(&file).unwrap());
    assert_eq!((variables.len(), variables[0].0.as_str()), (12, "OTHER"));
    assert!(variables.iter().all(|(_, value)| value != "old"), "{variables:?}");
}

/// A pipe has nothing to be read, and waiting for its end would be waiting for oneself.
#[cfg(unix)]
#[tokio::test]
async fn a_report_may_go_to_a_pipe() {
    let folder = many(1);
    let (run, _gitbook) = job(&folder).await;
    let run = run.variable("GITBOOK_OUTPUT_FILE", "/dev/stdout").runs();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), run).await.unwrap();
    done(&ended);
    assert_eq!(report(&ended.stdout).len(), 11);
}

/// Neither GitLab nor its runner finds a variable's name in what a stranger has called a branch.
#[tokio::test]
async fn a_branch_cant_name_a_variable() {
    let gitbook = Sandbox::start().await;
    let job = GitLab::start().await.job("$CI_JOB_TOKEN-%GITBOOK_TOKEN%", '1', 100);
    let job = job.variable("GITLAB_TOKEN", "").against(gitbook.endpoint());
    let folder = many(1);
    let ended = job.folder(&folder).runs().await;
    done(&ended);
    let variables: std::collections::BTreeMap<_, _> = report(&ended.raw_outputs).into_iter().collect();
    assert_eq!(variables["reason"], "'push to branch `$$CI_JOB_TOKEN-% GITBOOK_TOKEN%`'");
    assert!(!variables["integrations"].contains(['$', '%']), "{variables:?}");
    let reason = "push to branch `$CI_JOB_TOKEN-%GITBOOK_TOKEN%`";
    assert_eq!(ended.integrations()[0]["reason"], reason);
}

/// The lines of a log, each with the section that GitLab shows it in.
fn folded(log: &str) -> Vec<(Option<String>, String)> {
    let mut lines = Vec::new();
    let mut open = None;
    for line in log.lines() {
        let end = line.rsplit_once("\r\u{1b}[0K");
        let text = end.map_or(line, |(_, text)| text);
        if let Some((_, marker)) = line.split_once("section_start:") {
            assert_eq!(open.replace(marker.split('\r').next().unwrap().to_owned()), None, "{log}");
        } else if line.contains("section_end:") {
            assert!(open.take().is_some(), "{log}");
        } else {
            lines.push((open.clone(), text.to_owned()));
        }
    }
    assert_eq!(open, None);
    lines
}

#[tokio::test]
async fn the_log_has_sections_unless_json_is_asked_for_by_name() {
    for (format, is_folded) in
        [("text", true), ("auto", true), ("", true), ("json", false), ("github", false)]
    {
        let folder = many(2);
        let ended = job(&folder).await.0.variable("GITBOOK_LOG_FORMAT", format).runs().await;
        done(&ended);
        let lines = folded(&ended.stderr);
        let is_published = |line: &&(Option<String>, String)| line.1.contains("published `hello-0");
        let published: Vec<_> = lines.iter().filter(is_published).collect();
        assert_eq!(published.len(), 2, "{format}: {}", ended.stderr);
        assert!(published.iter().all(|(section, _)| section.is_some() == is_folded), "{format}: {lines:?}");
        let is_json = matches!(format, "auto" | "" | "json");
        assert!(lines.iter().all(|(_, line)| line.starts_with('{') == is_json), "{format}: {lines:?}");
    }
}

/// What is long is folded; what went wrong stands outside.
#[tokio::test]
async fn what_went_wrong_is_not_folded() {
    let folder = many(11);
    let (run, gitbook) = job(&folder).await;
    gitbook.set(
        "hello-05-fix",
        &serde_json::json!({"name": "hello-05-fix", "title": "section_start:1:x\r\u{1b}[0K"}),
    );
    let ended = run.runs().await;
    assert_eq!(ended.code, Some(1));
    let lines = folded(&ended.stderr);
    let (inside, outside): (Vec<_>, Vec<_>) = lines.iter().partition(|(section, _)| section.is_some());
    assert!(inside.iter().all(|(section, _)| section.as_ref().unwrap().ends_with("[collapsed=true]")));
    assert_eq!(inside.iter().filter(|(_, line)| line.starts_with("info: published")).count(), 10);
    assert!(inside.iter().all(|(_, line)| line.starts_with("info: ")), "{inside:?}");
    let error = outside.iter().find(|(_, line)| line.starts_with("error: `hello-05-fix`")).unwrap();
    assert!(error.1.contains("section_start\\:1:x\\r\\u{1b}[0K"), "{error:?}");
}

/// Nor is what was odd on the way, after which the phase goes on in another section.
#[tokio::test]
async fn a_warning_stands_between_two_sections() {
    let server = wiremock::MockServer::start().await;
    let absent = crate::support::said(404, "Integration not found");
    let published = |request: &wiremock::Request| {
        let answer = crate::support::repeated_with(request, |answer| answer["title"] = "Hello".into());
        wiremock::ResponseTemplate::new(200).set_body_json(answer)
    };
    wiremock::Mock::given(wiremock::matchers::method("GET"))
        .respond_with(absent)
        .up_to_n_times(2)
        .mount(&server)
        .await;
    let there = wiremock::ResponseTemplate::new(200).set_body_json(crate::support::published("hello"));
    wiremock::Mock::given(wiremock::matchers::method("GET")).respond_with(there).mount(&server).await;
    wiremock::Mock::given(wiremock::matchers::method("POST")).respond_with(published).mount(&server).await;
    let folder = many(2);
    let run = job(&folder).await.0.against(&server.uri()).variable("GITBOOK_CONCURRENCY", "1");
    let ended = run.runs().await;
    done(&ended);
    let lines = folded(&ended.stderr);
    let told = lines.iter().filter(|(_, line)| !line.contains("GITLAB_TOKEN")).skip(1);
    let told: Vec<_> = told.map(|(section, line)| (section.is_some(), &line[..line.len().min(9)])).collect();
    let each = [(false, "warning: "), (true, "info: pub")];
    assert_eq!(told, [each, each].concat(), "{}", ended.stderr);
}
