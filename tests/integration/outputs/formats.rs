//! Tests of the log formats `text`, `json` and `github`.

use serde_json::Value;

use super::refusing;
use crate::support::{Deployment, Repository, TOKEN, deployment, gitbook, repository};

/// The beginning of the first log line in the format `text` for an invalid `GITBOOK_MODE`.
const ERROR: &str = "error: GITBOOK_MODE: ";

/// Creates a repository with an error in a manifest, a warning in a manifest and an error in a script.
fn repository_with_errors() -> Repository {
    repository()
        .manifest("apps/one", "one", "summary: 12\nvisibilty: x\n")
        .manifest("apps/two", "two", "")
        .file("apps/two/main.ts", "\nexport default {,};\n")
}

fn check_with_format(repository: &Repository, format: &str) -> Deployment {
    deployment().variable("GITBOOK_MODE", "check").variable("GITBOOK_LOG_FORMAT", format).folder(repository)
}

#[tokio::test]
async fn annotation_paths_are_relative_to_the_github_workspace() {
    let repository = repository_with_errors();
    let run = check_with_format(&repository, "github").folder(repository.path("apps"));
    let run = run.variable("GITHUB_WORKSPACE", repository.path("").to_str().unwrap());
    insta::assert_snapshot!(run.run().await.log(), @"
    exit 2
    check: `GITBOOK_MODE=check`
    error: `summary` is a number; it must be text
     --> one/gitbook-manifest.yaml:6:10
      |
    6 | summary: 12
      |          ^^
      |
      = hint: put the value in quotes
    warning: unknown field `visibilty`
     --> one/gitbook-manifest.yaml:7:1
      |
    7 | visibilty: x
      | ^^^^^^^^^
      |
      = hint: did you mean `visibility`? unknown fields are sent to GitBook unchanged
    error: unexpected token
     --> two/main.ts:2:17
      |
    2 | export default {,};
      |                 ^
    ::error file=apps/one/gitbook-manifest.yaml,line=6,col=10,endLine=6,endColumn=12::`summary` is a number; it must be text%0Ahint: put the value in quotes
    ::warning file=apps/one/gitbook-manifest.yaml,line=7,col=1,endLine=7,endColumn=10::unknown field `visibilty`%0Ahint: did you mean `visibility`? unknown fields are sent to GitBook unchanged
    ::error file=apps/two/main.ts,line=2,col=17::unexpected token
    ::error::invalid integrations: 2 errors and 1 warning in 2 files; nothing was published or deleted
    ");
}

#[tokio::test]
async fn json_format_writes_one_object_per_line() {
    let finished = check_with_format(&repository_with_errors(), "json").run().await;
    let lines = finished.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let levels: Vec<_> = lines.map(|line| line["level"].as_str().unwrap().to_owned()).collect();
    assert_eq!(levels, ["INFO", "ERROR", "WARN", "ERROR", "ERROR"]);
    insta::assert_snapshot!(finished.log(), @r#"
    exit 2
    {"level":"INFO","message":"check: `GITBOOK_MODE=check`","system":"no CI system","event":"none"}
    {"severity":"error","file":"apps/one/gitbook-manifest.yaml","variable":null,"line":6,"column":10,"end_column":12,"excerpt":"summary: 12","message":"`summary` is a number; it must be text","hint":"put the value in quotes","integration":"one","level":"ERROR"}
    {"severity":"warning","file":"apps/one/gitbook-manifest.yaml","variable":null,"line":7,"column":1,"end_column":10,"excerpt":"visibilty: x","message":"unknown field `visibilty`","hint":"did you mean `visibility`? unknown fields are sent to GitBook unchanged","integration":"one","level":"WARN"}
    {"severity":"error","file":"apps/two/main.ts","variable":null,"line":2,"column":17,"end_column":null,"excerpt":"export default {,};","message":"unexpected token","hint":null,"integration":"two","level":"ERROR"}
    {"severity":"error","message":"invalid integrations: 2 errors and 1 warning in 2 files; nothing was published or deleted","cause":null,"hint":null,"level":"ERROR"}
    "#);
}

#[tokio::test]
async fn all_formats_show_the_same_failure() {
    let server = refusing(409, "taken\n::warning::x\r\u{1b}[31m##[error]y\u{202e}").await;
    let repository = repository().integration("hello");
    let log = async |format: &str| {
        let run = deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository);
        run.variable("GITBOOK_LOG_FORMAT", format).run().await.log()
    };
    insta::assert_snapshot!(log("text").await, @r"
    exit 1
    info: could not read `hello` before publishing, so its version is not checked: GitBook reported a conflict: 409 taken\n::warning::x\r\u{1b}[31m##\[error]y\u{202e}
    error: publishing `hello` failed
    cause: GitBook reported a conflict: 409 taken\n::warning::x\r\u{1b}[31m##\[error]y\u{202e}
     hint: choose another `name`, since names are unique across GitBook; if the integration is yours, re-run the job
    ");
    insta::assert_snapshot!(log("github").await, @r"
    exit 1
    publish: push to `main`, the production branch
    `GITHUB_TOKEN` is not set, so this run writes no comment and no GitHub Deployments, and does not check for newer commits or closed branches
    could not read `hello` before publishing, so its version is not checked: GitBook reported a conflict: 409 taken\n::warning::x\r\u{1b}[31m##\[error]y\u{202e}
    ::error::publishing `hello` failed%0Acause: GitBook reported a conflict: 409 taken%0A::warning::x%0D\u{1b}[31m##[error]y\u{202e}%0Ahint: choose another `name`, since names are unique across GitBook; if the integration is yours, re-run the job
    ");
    insta::assert_snapshot!(log("json").await, @r#"
    exit 1
    {"level":"INFO","message":"publish: push to `main`, the production branch","system":"no CI system","event":"push","branch":"main","repository":"github.com/acme/integrations","commit":"0123abcd"}
    {"level":"INFO","message":"`GITHUB_TOKEN` is not set, so this run writes no comment and no GitHub Deployments, and does not check for newer commits or closed branches"}
    {"level":"INFO","message":"could not read `hello` before publishing, so its version is not checked: GitBook reported a conflict: 409 taken\n::warning::x\r\u001b[31m#\u0023[error]y\u202e"}
    {"severity":"error","message":"publishing `hello` failed","cause":"GitBook reported a conflict: 409 taken\n::warning::x\r\u001b[31m#\u0023[error]y\u202e","hint":"choose another `name`, since names are unique across GitBook; if the integration is yours, re-run the job","level":"ERROR"}
    "#);
}

#[tokio::test]
async fn the_default_format_depends_on_the_ci_system() {
    let first_line = async |run: Deployment| {
        let finished = run.variable("GITBOOK_MODE", "nonsense").run().await;
        finished.stderr.lines().next().unwrap().to_owned()
    };
    assert!(first_line(deployment()).await.starts_with(ERROR));
    assert!(first_line(deployment().variable("CI", "true")).await.starts_with("{\"severity\":\"error\""));
    assert!(first_line(deployment().variable("CI", "false")).await.starts_with(ERROR));
    let on_github = deployment().on_github("main", 1).variable("GITBOOK_MODE", "nonsense").run().await;
    assert!(on_github.stderr.contains("\n::error::GITBOOK_MODE: "), "{}", on_github.stderr);
    let text = deployment().on_github("main", 1).variable("GITBOOK_LOG_FORMAT", "text");
    assert!(first_line(text).await.starts_with(ERROR));
    let bad = deployment().variable("GITBOOK_LOG_FORMAT", "xml").run().await;
    insta::assert_snapshot!(bad.log(), @"
    exit 2
    error: GITBOOK_LOG_FORMAT: unknown log format
     hint: use `auto`, `github`, `text` or `json`
    error: invalid configuration: 1 error in 1 variable; nothing was published or deleted
    ");
}

/// Returns the values that a run with two secrets registers with GitHub's runner for masking.
async fn masks(run: Deployment) -> Vec<String> {
    let server = gitbook().await;
    let more = "secrets: {KEY: \"${{ env.KEY }}\", LINES: \"${{ env.LINES }}\"}\n";
    let repository = repository().manifest(".", "hello", more);
    let run = run.with_endpoint(&server.uri()).publish().folder(&repository);
    let run = run.variable("KEY", "hush%hush").variable("LINES", "first line\nsecond line\n");
    let finished = run.run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let masks = finished.stderr.lines().filter_map(|line| line.strip_prefix("::add-mask::"));
    masks.map(str::to_owned).collect()
}

#[tokio::test]
async fn masks_secrets_on_github_in_every_log_format() {
    let expected = [TOKEN, "hush%25hush", "first line", "second line"];
    assert_eq!(masks(deployment().on_github("main", 1)).await, expected);
    let text = deployment().on_github("main", 1).variable("GITBOOK_LOG_FORMAT", "text");
    assert_eq!(masks(text).await, expected);
}

#[tokio::test]
async fn masks_no_secrets_outside_of_github() {
    assert_eq!(masks(deployment().variable("GITBOOK_LOG_FORMAT", "github")).await, [""; 0]);
}

#[tokio::test]
async fn debug_logging_can_be_enabled() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let log = async |name: &str, value: &str| {
        let run = deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository);
        run.variable(name, value).run().await.stderr
    };
    for (name, value) in [("RUST_LOG", "debug"), ("RUNNER_DEBUG", "1"), ("RUST_LOG", "gitbook_deploy=debug")]
    {
        let log = log(name, value).await;
        assert!(log.contains("debug: detected") && log.contains("debug: response status=200"), "{log}");
    }
    assert!(!log("RUNNER_DEBUG", "0").await.contains("debug:"));
    assert_eq!(log("RUST_LOG", "error").await, "");
    let bad = log("RUST_LOG", "a=b=c").await;
    assert!(bad.starts_with("error: RUST_LOG: ") && !bad.contains("published hello"), "{bad}");
}

#[tokio::test]
async fn writes_debug_lines_as_debug_commands_on_github() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = deployment().with_endpoint(&server.uri()).on_github("main", 1).folder(&repository);
    let log = run.variable("RUNNER_DEBUG", "1").run().await.stderr;
    let others: Vec<_> = log
        .lines()
        .filter(|line| line.contains("response status") && !line.starts_with("::debug::"))
        .collect();
    assert!(log.contains("::debug::response status=200") && others.is_empty(), "{log}");
}

#[tokio::test]
async fn a_check_without_a_token_is_a_notice() {
    let repository = repository().integration("hello");
    let run = deployment().on_github("main", 1).variable("GITBOOK_EVENT", "pull_request");
    let run = run.variable("GITBOOK_BRANCH", "fix").variable("GITBOOK_PULL_REQUEST", "12");
    let finished = run.folder(&repository).run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    insta::assert_snapshot!(finished.stderr.lines().nth(1).unwrap(), @"::notice::check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set");
}
