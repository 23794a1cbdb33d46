//! The progress line on a terminal.

use crate::support::{Deployment, HoldingProxy, Repository, Sandbox, deployment, repository, wait_until};

/// Returns the screen of a terminal after these bytes, without trailing blank lines.
fn screen(bytes: &str) -> String {
    let mut terminal = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
    terminal.process(bytes.as_bytes());
    let lines = terminal.screen().contents();
    lines.trim_end().to_owned()
}

/// Returns a repository with three integrations.
fn three_integrations() -> Repository {
    ["one", "three", "two"].into_iter().fold(repository(), Repository::integration)
}

fn publishing(endpoint: &str, repository: &Repository) -> Deployment {
    deployment()
        .with_endpoint(endpoint)
        .publish()
        .folder(repository)
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
}

#[tokio::test]
async fn shows_and_removes_the_progress_line() {
    let sandbox = Sandbox::start().await;
    let gitbook = HoldingProxy::before(&sandbox).await;
    let mut held = gitbook.hold("POST", "two");
    let repository = three_integrations();
    let run = publishing(gitbook.endpoint(), &repository).on_a_terminal().variable("TERM", "xterm");
    let run = run.start();
    held.reached().await;
    wait_until("the progress line shows 2 of 3 integrations", async || {
        let shown = screen(&run.written("log").unwrap_or_default());
        let line = shown.lines().last().unwrap_or_default().to_owned();
        line.trim_start_matches(['|', '/', '-', '\\', ' ']) == "publishing [=============>      ] 2/3 two"
    })
    .await;
    held.release();
    let finished = run.finish().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert!(finished.stderr.contains("packaging ["), "{}", finished.stderr);
    let shown = screen(&finished.stderr);
    let first_words = shown.lines().map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    let mut first_words: Vec<_> = first_words.filter(|words| words.starts_with("info: published ")).collect();
    first_words.sort();
    assert_eq!(first_words, ["info: published one", "info: published three", "info: published two"]);
    for left in ["packaging", "publishing", "[", "2/3", "3/3"] {
        assert!(!shown.contains(left), "the screen still contains `{left}`:\n{shown}");
    }
}

/// The runs have no terminal, a terminal that cannot move the cursor, or a log format for machines.
#[tokio::test]
async fn shows_no_progress_without_a_suitable_terminal() {
    let sandbox = Sandbox::start().await;
    let repository = three_integrations();
    let run = || publishing(sandbox.endpoint(), &repository).variable("TERM", "xterm");
    let with_progress = run().on_a_terminal().run().await;
    assert!(with_progress.stderr.contains("\u{1b}["), "{}", with_progress.stderr);
    for run in [
        run(),
        run().on_a_terminal().variable("TERM", "dumb"),
        run().on_a_terminal().variable("CI", "true").variable("GITBOOK_LOG_FORMAT", "text"),
        run().on_a_terminal().variable("GITBOOK_LOG_FORMAT", "json"),
        run().on_a_terminal().variable("GITBOOK_LOG_FORMAT", "github"),
    ] {
        let finished = run.run().await;
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        assert!(!finished.stderr.contains(['\u{1b}', '[']), "{}", finished.stderr);
        assert!(!finished.stderr.replace("\r\n", "\n").contains('\r'), "{}", finished.stderr);
    }
}

/// The program cannot erase a line that wraps, so it truncates the line. Control characters in folder names must not prevent that.
#[tokio::test]
async fn the_progress_line_escapes_control_characters() {
    let sandbox = Sandbox::start().await;
    let name = format!("a\u{1b}[2J\u{7}\u{202e}{}", "b".repeat(150));
    let repository = repository().manifest(&name, "hello", "");
    let finished =
        publishing(sandbox.endpoint(), &repository).on_a_terminal().variable("TERM", "xterm").run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert!(
        finished.stderr.contains("packaging [                    ] 0/1 a\\u{1b}[2J\\u{7}\\u{202e}bb"),
        "{}",
        finished.stderr
    );
    assert!(
        !finished.stderr.contains(['\u{7}', '\u{202e}']) && !finished.stderr.contains("\u{1b}[2J"),
        "{}",
        finished.stderr
    );
    assert!(!screen(&finished.stderr).contains("packaging"), "{}", screen(&finished.stderr));
}
