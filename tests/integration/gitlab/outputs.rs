//! The dotenv report with the outputs of a GitLab job, and the sections of its log.

use super::assert_success;
use crate::support::{Deployment, GitLab, Repository, Sandbox, repository};

fn many_integrations(count: usize) -> Repository {
    (0..count).fold(repository(), |repository, number| repository.integration(&format!("hello-{number:02}")))
}

async fn job(folder: &Repository) -> (Deployment, Sandbox) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().branches.insert("fix".to_owned(), "1".repeat(40));
    let job = gitlab.job("fix", '1', 100).variable("GITLAB_TOKEN", "").with_endpoint(gitbook.endpoint());
    (job.folder(folder), gitbook)
}

/// Parses a dotenv report and asserts GitLab's rules: only assignments, less than 5 KiB, and at most 20 different variables.
fn parse_dotenv_report(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.split_once('=').expect("GitLab rejects a line without `=`");
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
async fn the_dotenv_report_obeys_the_limits_of_gitlab() {
    let folder = many_integrations(3);
    let finished = job(&folder).await.0.run().await;
    assert_success(&finished);
    let variables = parse_dotenv_report(&finished.raw_outputs);
    assert_eq!(variables.len(), 11);
    assert_eq!(finished.integrations().as_array().unwrap().len(), 3);

    let folder = many_integrations(30);
    let finished = job(&folder).await.0.run().await;
    assert_success(&finished);
    let names: Vec<_> =
        parse_dotenv_report(&finished.raw_outputs).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 10);
    assert!(!names.contains(&"integrations".to_owned()));
    let lines = super::log_lines(&finished, &["warning", "hint"]);
    let lines: Vec<_> = lines.lines().map(|line| line.rsplit('`').next().unwrap_or(line)).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(finished.stderr.contains("`integrations`"), "{}", finished.log());
    // Other CI systems do not limit the size, so the output `integrations` is written.
    let elsewhere = job(&folder).await.0.variable("GITLAB_CI", "").variable("CI_PIPELINE_ID", "");
    let elsewhere = elsewhere.event("push", "fix").variable("GITBOOK_COMMIT", "1".repeat(40));
    let finished = elsewhere.run().await;
    assert_eq!(finished.integrations().as_array().unwrap().len(), 30, "{}", finished.log());
}

/// An earlier step of the job, or the artifacts of an earlier job, may have created the file.
#[tokio::test]
async fn a_second_run_replaces_its_own_variables_in_the_dotenv_report() {
    let folder = many_integrations(1);
    let file = folder.path("previews.env");
    std::fs::write(&file, "OTHER=kept\n\nurl=old\n").unwrap();
    let (run, _gitbook) = job(&folder).await;
    assert_success(&run.variable("GITBOOK_OUTPUT_FILE", file.to_str().unwrap()).run().await);
    let variables = parse_dotenv_report(&std::fs::read_to_string(&file).unwrap());
    assert_eq!((variables.len(), variables[0].0.as_str()), (12, "OTHER"));
    assert!(variables.iter().all(|(_, value)| value != "old"), "{variables:?}");
}

/// The program must not read the old content of a pipe, because that read would never end.
#[cfg(unix)]
#[tokio::test]
async fn the_dotenv_report_can_be_a_pipe() {
    let folder = many_integrations(1);
    let (run, _gitbook) = job(&folder).await;
    let run = run.variable("GITBOOK_OUTPUT_FILE", "/dev/stdout").run();
    let finished = tokio::time::timeout(std::time::Duration::from_secs(30), run).await.unwrap();
    assert_success(&finished);
    assert_eq!(parse_dotenv_report(&finished.stdout).len(), 11);
}

/// Neither GitLab nor its runner may replace a variable in a branch name.
#[tokio::test]
async fn a_branch_name_cannot_expand_a_variable() {
    let gitbook = Sandbox::start().await;
    let job = GitLab::start().await.job("$CI_JOB_TOKEN-%GITBOOK_TOKEN%", '1', 100);
    let job = job.variable("GITLAB_TOKEN", "").with_endpoint(gitbook.endpoint());
    let folder = many_integrations(1);
    let finished = job.folder(&folder).run().await;
    assert_success(&finished);
    let variables: std::collections::BTreeMap<_, _> =
        parse_dotenv_report(&finished.raw_outputs).into_iter().collect();
    assert_eq!(variables["reason"], "'push to branch `$$CI_JOB_TOKEN-% GITBOOK_TOKEN%`'");
    assert!(!variables["integrations"].contains(['$', '%']), "{variables:?}");
    let reason = "push to branch `$CI_JOB_TOKEN-%GITBOOK_TOKEN%`";
    assert_eq!(finished.integrations()[0]["reason"], reason);
}

/// Returns the lines of a log, each with the name of its GitLab section.
fn lines_with_sections(log: &str) -> Vec<(Option<String>, String)> {
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
async fn logs_have_gitlab_sections_unless_json_or_github_format_is_set() {
    for (format, is_folded) in
        [("text", true), ("auto", true), ("", true), ("json", false), ("github", false)]
    {
        let folder = many_integrations(2);
        let finished = job(&folder).await.0.variable("GITBOOK_LOG_FORMAT", format).run().await;
        assert_success(&finished);
        let lines = lines_with_sections(&finished.stderr);
        let is_published = |line: &&(Option<String>, String)| line.1.contains("published hello-0");
        let published: Vec<_> = lines.iter().filter(is_published).collect();
        assert_eq!(published.len(), 2, "{format}: {}", finished.stderr);
        assert!(published.iter().all(|(section, _)| section.is_some() == is_folded), "{format}: {lines:?}");
        let is_json = matches!(format, "auto" | "" | "json");
        assert!(lines.iter().all(|(_, line)| line.starts_with('{') == is_json), "{format}: {lines:?}");
    }
}

/// A long log has collapsed sections. Errors are outside of the sections, so GitLab shows them.
#[tokio::test]
async fn errors_are_outside_of_collapsed_sections() {
    let folder = many_integrations(11);
    let (run, gitbook) = job(&folder).await;
    gitbook.set(
        "hello-05-fix",
        &serde_json::json!({"name": "hello-05-fix", "title": "section_start:1:x\r\u{1b}[0K"}),
    );
    let finished = run.run().await;
    assert_eq!(finished.code, Some(1));
    let lines = lines_with_sections(&finished.stderr);
    let (inside, outside): (Vec<_>, Vec<_>) = lines.iter().partition(|(section, _)| section.is_some());
    assert!(inside.iter().all(|(section, _)| section.as_ref().unwrap().ends_with("[collapsed=true]")));
    assert_eq!(inside.iter().filter(|(_, line)| line.starts_with("info: published")).count(), 10);
    assert!(inside.iter().all(|(_, line)| line.starts_with("info: ")), "{inside:?}");
    let error = outside.iter().find(|(_, line)| line.starts_with("error: `hello-05-fix`")).unwrap();
    assert!(error.1.contains("section_start\\:1:x\\r\\u{1b}[0K"), "{error:?}");
}

/// Warnings are outside of sections. The log of the same phase then continues in a new section.
#[tokio::test]
async fn warnings_are_between_sections() {
    let server = wiremock::MockServer::start().await;
    let absent = crate::support::api_error(404, "Integration not found");
    let published = |request: &wiremock::Request| {
        let answer = crate::support::repeated_with(request, |answer| answer["title"] = "Hello".into());
        wiremock::ResponseTemplate::new(200).set_body_json(answer)
    };
    wiremock::Mock::given(wiremock::matchers::method("GET"))
        .respond_with(absent)
        .up_to_n_times(2)
        .mount(&server)
        .await;
    let existing = wiremock::ResponseTemplate::new(200).set_body_json(crate::support::published("hello"));
    wiremock::Mock::given(wiremock::matchers::method("GET")).respond_with(existing).mount(&server).await;
    wiremock::Mock::given(wiremock::matchers::method("POST")).respond_with(published).mount(&server).await;
    let folder = many_integrations(2);
    let run = job(&folder).await.0.with_endpoint(&server.uri()).variable("GITBOOK_CONCURRENCY", "1");
    let finished = run.run().await;
    assert_success(&finished);
    let lines = lines_with_sections(&finished.stderr);
    let outcome = lines.iter().filter(|(_, line)| !line.contains("GITLAB_TOKEN")).skip(1);
    let outcome: Vec<_> =
        outcome.map(|(section, line)| (section.is_some(), &line[..line.len().min(9)])).collect();
    let each = [(false, "warning: "), (true, "info: pub")];
    assert_eq!(outcome, [each, each].concat(), "{}", finished.stderr);
}
