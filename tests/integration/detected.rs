//! Detection of CI systems from their variables. The wording of the first log line is asserted here only.

use crate::support::{Deployment, deployment, repository};

const COMMIT: &str = "1111111111111111111111111111111111111111";

/// Publishes a push to `main` to the sandbox, and returns the first log line.
async fn logged_decision(variables: &[(&str, &str)]) -> String {
    let run = deployment()
        .variable("GITBOOK_DEFAULT_BRANCH", "main")
        .variable("GITBOOK_ENDPOINT", "sandbox")
        .variable("GITBOOK_LOG_FORMAT", "json");
    let run = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value));
    let repository = repository().integration("hello");
    let finished = run.folder(&repository).run().await;
    assert_eq!(
        (finished.code, finished.output("result")),
        (Some(0), "published".to_owned()),
        "{finished:#?}"
    );
    finished.decision()
}

/// Returns a GitLab job for merge request 12. The sandbox stores integrations in the given folder.
fn merge_request_job(sandbox: &tempfile::TempDir) -> Deployment {
    [
        ("CI", "true"),
        ("CI_COMMIT_SHA", "1111111111111111111111111111111111111111"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_MERGE_REQUEST_EVENT_TYPE", "detached"),
        ("CI_MERGE_REQUEST_IID", "12"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "fix"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42"),
        ("CI_PIPELINE_ID", "1000"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_PROJECT_PATH", "acme/integrations"),
        ("CI_SERVER_HOST", "gitlab.example.com"),
        ("GITBOOK_ENDPOINT", "sandbox"),
        ("GITBOOK_LOG_FORMAT", "text"),
        ("GITBOOK_SANDBOX_DIR", sandbox.path().to_str().unwrap()),
        ("GITLAB_CI", "true"),
    ]
    .into_iter()
    .fold(deployment(), |run, (name, value)| run.variable(name, value))
}

#[tokio::test]
async fn logs_the_decision_for_azure_pipelines() {
    let variables = [
        ("BUILD_BUILDID", "1000"),
        ("BUILD_REASON", "IndividualCI"),
        ("BUILD_REPOSITORY_URI", "https://github.com/acme/hello"),
        ("BUILD_SOURCEBRANCH", "refs/heads/main"),
        ("BUILD_SOURCEVERSION", COMMIT),
        ("TF_BUILD", "True"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Azure Pipelines","by":"TF_BUILD","event":"push","branch":"main","repository":"github.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_bitbucket_pipelines() {
    let variables = [
        ("BITBUCKET_BRANCH", "main"),
        ("BITBUCKET_BUILD_NUMBER", "7"),
        ("BITBUCKET_COMMIT", COMMIT),
        ("BITBUCKET_REPO_FULL_NAME", "acme/hello"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Bitbucket Pipelines","by":"BITBUCKET_BUILD_NUMBER","event":"push","branch":"main","repository":"bitbucket.org/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_buildkite() {
    let variables = [
        ("BUILDKITE", "true"),
        ("BUILDKITE_BRANCH", "main"),
        ("BUILDKITE_COMMIT", COMMIT),
        ("BUILDKITE_PULL_REQUEST", "false"),
        ("BUILDKITE_REPO", "git@github.com:acme/hello.git"),
        ("BUILDKITE_SOURCE", "webhook"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Buildkite","by":"BUILDKITE","event":"push","branch":"main","repository":"github.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_circleci() {
    let variables = [
        ("CIRCLECI", "true"),
        ("CIRCLE_BRANCH", "main"),
        ("CIRCLE_REPOSITORY_URL", "git@github.com:acme/hello.git"),
        ("CIRCLE_SHA1", COMMIT),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"CircleCI","by":"CIRCLECI","event":"push","branch":"main","repository":"github.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_drone() {
    let variables = [
        ("DRONE", "true"),
        ("DRONE_BRANCH", "main"),
        ("DRONE_BUILD_EVENT", "push"),
        ("DRONE_COMMIT_SHA", COMMIT),
        ("DRONE_REPO_LINK", "https://git.example.com/acme/hello"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Drone","by":"DRONE","event":"push","branch":"main","repository":"git.example.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_gitlab() {
    let variables = [
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_SHA", COMMIT),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_PROJECT_PATH", "acme/hello"),
        ("CI_SERVER_HOST", "gitlab.example.com"),
        ("GITLAB_CI", "true"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"GitLab CI","by":"GITLAB_CI","event":"push","branch":"main","repository":"gitlab.example.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_jenkins() {
    let variables = [
        ("BRANCH_NAME", "main"),
        ("GIT_COMMIT", COMMIT),
        ("GIT_URL", "https://github.com/acme/hello.git"),
        ("JENKINS_URL", "https://jenkins.example.com/"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Jenkins","by":"JENKINS_URL","event":"push","branch":"main","repository":"github.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_travis_ci() {
    let variables = [
        ("TRAVIS", "true"),
        ("TRAVIS_BRANCH", "main"),
        ("TRAVIS_BUILD_WEB_URL", "https://app.travis-ci.com/github/acme/hello/builds/1"),
        ("TRAVIS_COMMIT", COMMIT),
        ("TRAVIS_EVENT_TYPE", "push"),
        ("TRAVIS_PULL_REQUEST", "false"),
        ("TRAVIS_REPO_SLUG", "acme/hello"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Travis CI","by":"TRAVIS","event":"push","branch":"main","repository":"github.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_woodpecker() {
    let variables = [
        ("CI", "woodpecker"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_SHA", COMMIT),
        ("CI_PIPELINE_EVENT", "push"),
        ("CI_REPO_URL", "https://git.example.com/acme/hello"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"Woodpecker","by":"CI","event":"push","branch":"main","repository":"git.example.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_generic_variables() {
    let variables = [
        ("GITBOOK_BRANCH", "main"),
        ("GITBOOK_COMMIT", COMMIT),
        ("GITBOOK_EVENT", "push"),
        ("GITBOOK_REPOSITORY", "github.com/acme/hello"),
    ];
    insta::assert_snapshot!(logged_decision(&variables).await, @r#"{"message":"publish: push to `main`, the production branch","system":"no CI system","event":"push","branch":"main","repository":"github.com/acme/hello","commit":"1111111111111111111111111111111111111111"}"#);
}

#[tokio::test]
async fn logs_the_decision_for_github() {
    let repository = repository().integration("hello");
    let run = deployment().on_github("main", 100).variable("GITBOOK_LOG_FORMAT", "json");
    let run = run.variable("GITBOOK_ENDPOINT", "sandbox").folder(&repository);
    insta::assert_snapshot!(run.run().await.decision(), @r#"{"message":"publish: push to `main`, the production branch","system":"GitHub Actions","by":"GITHUB_ACTIONS","event":"push","branch":"main","repository":"github.com/acme/integrations","commit":"0123abcd"}"#);
}

#[tokio::test]
async fn a_gitlab_stop_job_deletes_a_preview_without_a_checkout() {
    let (repository, sandbox) = (repository().integration("hello"), tempfile::tempdir().unwrap());
    let finished = merge_request_job(&sandbox).folder(&repository).run().await;
    assert_eq!(
        (finished.output("result"), finished.output("name")),
        ("published".into(), "hello-fix".into())
    );
    assert!(sandbox.path().join("hello-fix").exists());
    let stop = merge_request_job(&sandbox).variable("CI_ENVIRONMENT_ACTION", "stop");
    let finished = stop.variable("GITBOOK_NAME", "hello").run().await;
    assert_eq!((finished.output("result"), finished.output("name")), ("deleted".into(), "hello-fix".into()));
    assert!(!sandbox.path().join("hello-fix").exists());
}

#[tokio::test]
async fn checks_a_pull_request_without_a_token() {
    let repository = repository().integration("hello");
    let run = [
        ("CI", "true"),
        ("DRONE", "true"),
        ("DRONE_BRANCH", "main"),
        ("DRONE_BUILD_EVENT", "pull_request"),
        ("DRONE_COMMIT_SHA", "1111111111111111111111111111111111111111"),
        ("DRONE_PULL_REQUEST", "12"),
        ("DRONE_REPO_BRANCH", "main"),
        ("DRONE_REPO_LINK", "https://git.example.com/acme/integrations"),
        ("DRONE_SOURCE_BRANCH", "main"),
        ("DRONE_TARGET_BRANCH", "main"),
        ("GITBOOK_LOG_FORMAT", "text"),
    ]
    .into_iter()
    .fold(deployment(), |run, (name, value)| run.variable(name, value));
    insta::assert_snapshot!(run.folder(&repository).run().await.log(), @"
    exit 0
    notice: check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set
    info: checked hello (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn parallel_gitlab_jobs_deploy_different_integrations() {
    let repository = repository().integration("one").integration("two").integration("three");
    let sandbox = tempfile::tempdir().unwrap();
    let job = async |index: &str| {
        let run = merge_request_job(&sandbox).variable("CI_NODE_INDEX", index).variable("CI_NODE_TOTAL", "2");
        let run = run.variable("CI_JOB_NAME", format!("gitbook {index}/2"));
        let run = run.variable("GITBOOK_LOG_FORMAT", "json");
        let finished = run.folder(&repository).run().await;
        let shard = format!("\"shard\":\"{index}/2\"");
        assert!(finished.decision().contains(&shard), "{}", finished.decision());
        let published = finished.integrations().as_array().unwrap().clone();
        published.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(job("1").await, ["one-fix", "two-fix"]);
    assert_eq!(job("2").await, ["three-fix"]);
}

#[tokio::test]
async fn a_parallel_bitbucket_step_logs_its_shard() {
    let repository = repository().integration("one").integration("two").integration("three");
    let step = |shard: &str| {
        let variables = [
            ("BITBUCKET_BRANCH", "main"),
            ("BITBUCKET_BUILD_NUMBER", "7"),
            ("BITBUCKET_PARALLEL_STEP", "1"),
            ("BITBUCKET_PARALLEL_STEP_COUNT", "2"),
            ("BITBUCKET_REPO_FULL_NAME", "acme/integrations"),
            ("GITBOOK_LOG_FORMAT", "text"),
            ("GITBOOK_MODE", "check"),
            ("GITBOOK_SHARD", shard),
        ];
        let run = deployment().folder(&repository);
        variables.into_iter().fold(run, |run, (name, value)| run.variable(name, value)).run()
    };
    insta::assert_snapshot!(step("").await.log(), @"
    exit 0
    notice: this parallel step deploys only shard 2/2; set `GITBOOK_SHARD=1/1` if the other parallel steps do not run gitbook-deploy
    info: shard 2/2 has 1 of 3 integrations
    info: checked three (0.1 KiB, … s)
    ");
    insta::assert_snapshot!(step("1/1").await.log(), @"
    exit 0
    info: checked one (0.1 KiB, … s)
    info: checked three (0.1 KiB, … s)
    info: checked two (0.1 KiB, … s)
    ");
}
