//! What a person sees at a terminal while work goes on, as a terminal emulator shows it.

use crate::support::{Deployment, Gated, Repository, Sandbox, deployment, repository, until};

/// What a terminal shows that was given these bytes, without the blank lines at its end.
fn screen(bytes: &str) -> String {
    let mut terminal = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
    terminal.process(bytes.as_bytes());
    let lines = terminal.screen().contents();
    lines.trim_end().to_owned()
}

/// Three integrations, of which the last is published only when the test lets it.
fn three() -> Repository {
    ["one", "three", "two"].into_iter().fold(repository(), Repository::integration)
}

fn publishing(endpoint: &str, repository: &Repository) -> Deployment {
    deployment()
        .against(endpoint)
        .publish()
        .folder(repository)
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
}

#[tokio::test]
async fn one_line_shows_what_is_being_worked_on_and_is_gone_at_the_end() {
    let sandbox = Sandbox::start().await;
    let gitbook = Gated::before(&sandbox).await;
    let mut held = gitbook.hold("POST", "two");
    let repository = three();
    let run = publishing(gitbook.endpoint(), &repository).on_a_terminal().variable("TERM", "xterm");
    let run = run.starts();
    held.reached().await;
    until("two of three are shown to be done", async || {
        let shown = screen(&run.written("log").unwrap_or_default());
        let line = shown.lines().last().unwrap_or_default().to_owned();
        line.trim_start_matches(['|', '/', '-', '\\', ' ']) == "publishing [=============>      ] 2/3 two"
    })
    .await;
    held.release();
    let ended = run.ends().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stderr.contains("packaging ["), "{}", ended.stderr);
    let shown = screen(&ended.stderr);
    let first_words = shown.lines().map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    let mut first_words: Vec<_> = first_words.filter(|words| words.starts_with("info: published ")).collect();
    first_words.sort();
    assert_eq!(first_words, ["info: published `one`", "info: published `three`", "info: published `two`"]);
    for left in ["packaging", "publishing", "[", "2/3", "3/3"] {
        assert!(!shown.contains(left), "{left} is left of:\n{shown}");
    }
}

/// A terminal that is no person's, or can't move its cursor, or a log for machines.
#[tokio::test]
async fn nothing_is_drawn_where_nobody_would_see_it_or_it_would_stay() {
    let sandbox = Sandbox::start().await;
    let repository = three();
    let run = || publishing(sandbox.endpoint(), &repository).variable("TERM", "xterm");
    let drawn = run().on_a_terminal().runs().await;
    assert!(drawn.stderr.contains("\u{1b}["), "{}", drawn.stderr);
    for run in [
        run(),
        run().on_a_terminal().variable("TERM", "dumb"),
        run().on_a_terminal().variable("CI", "true").variable("GITBOOK_LOG_FORMAT", "text"),
        run().on_a_terminal().variable("GITBOOK_LOG_FORMAT", "json"),
        run().on_a_terminal().variable("GITBOOK_LOG_FORMAT", "github"),
    ] {
        let ended = run.runs().await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(!ended.stderr.contains(['\u{1b}', '[']), "{}", ended.stderr);
        assert!(!ended.stderr.replace("\r\n", "\n").contains('\r'), "{}", ended.stderr);
    }
}

/// A line that could not be taken back would be cut at the terminal's width, which a folder's name must not get around.
#[tokio::test]
async fn nothing_foreign_acts_in_the_line() {
    let sandbox = Sandbox::start().await;
    let name = format!("a\u{1b}[2J\u{7}\u{202e}{}", "b".repeat(150));
    let repository = repository().manifest(&name, "hello", "");
    let ended =
        publishing(sandbox.endpoint(), &repository).on_a_terminal().variable("TERM", "xterm").runs().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.stderr.contains("packaging [                    ] 0/1 a\\u{1b}[2J\\u{7}\\u{202e}bb"),
        "{}",
        ended.stderr
    );
    assert!(
        !ended.stderr.contains(['\u{7}', '\u{202e}']) && !ended.stderr.contains("\u{1b}[2J"),
        "{}",
        ended.stderr
    );
    assert!(!screen(&ended.stderr).contains("packaging"), "{}", screen(&ended.stderr));
}
