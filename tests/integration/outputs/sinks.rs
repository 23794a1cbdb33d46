//! The files that things are written to.

use std::collections::BTreeSet;

use super::{outputs, refusing};
use crate::support::{deployment, gitbook, repository};

/// A branch that imitates the end of a value, in a name that Git allows.
const IMITATOR: &str = "x<<ghadelimiter_00";

#[tokio::test]
async fn every_value_ends_with_a_delimiter_of_its_own() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = || deployment().against(&server.uri()).on_github(IMITATOR, 1).folder(&repository);
    let (first, second) = (run().runs().await, run().runs().await);
    let delimiters = |text: &str| -> Vec<String> {
        let starts = text.lines().filter_map(|line| line.split_once("<<ghadelimiter_"));
        starts
            .filter(|(name, _)| name.chars().all(char::is_alphabetic))
            .map(|(_, end)| end.to_owned())
            .collect()
    };
    let all = [delimiters(&first.raw_outputs), delimiters(&second.raw_outputs)].concat();
    assert_eq!(all.len(), 22, "{}", first.raw_outputs);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 22, "{all:?}");
    assert_eq!(first.output("reason"), format!("push to branch `{IMITATOR}`"));
}

#[tokio::test]
async fn foreign_text_with_line_breaks_adds_no_output() {
    let message = "no\nresult=published\nname<<EOF\nx\nEOF\r\n::error::x";
    let server = refusing(400, message).await;
    let repository = repository().integration("hello");
    let run = || deployment().against(&server.uri()).push_to("main").folder(&repository);
    let dotenv = run().runs().await;
    assert_eq!(dotenv.raw_outputs.lines().count(), 11, "{}", dotenv.raw_outputs);
    assert_eq!(dotenv.output("result"), "failed");
    let github = deployment().against(&server.uri()).on_github("main", 1).folder(&repository).runs().await;
    assert_eq!((github.outputs().len(), github.output("result")), (11, "failed".to_owned()));
    let error = &github.integrations()[0]["error"]["cause"];
    assert_eq!(error, &format!("GitBook rejected the request: 400 {message}"));
}

#[tokio::test]
async fn foreign_text_is_no_markup_in_the_summary() {
    let server = refusing(400, "<img src=x> | [a](b) @me #1 `x` **b**\n\n# Title").await;
    let repository = repository().integration("hello");
    let run = deployment().against(&server.uri()).push_to("main").folder(&repository);
    let summary = run.runs().await.summary;
    let said = summary.lines().find(|line| line.starts_with('❌')).unwrap();
    insta::assert_snapshot!(said.split("<br>").nth(1).unwrap(), @"GitBook rejected the request&#58; 400 &#60;img src&#61;x&#62; &#124; &#91;a&#93;(b) &#64;&#8203;me &#35;&#8203;1 &#96;x&#96; &#42;&#42;b&#42;&#42;  &#35;&#8203; Title");
}

#[tokio::test]
async fn outputs_go_to_a_dotenv_file_of_ones_own_even_on_github() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let own = repository.path("own.env");
    let run = deployment().against(&server.uri()).on_github("main", 1).folder(&repository);
    let ended = run.variable("GITBOOK_OUTPUT_FILE", "own.env").runs().await;
    let text = std::fs::read_to_string(own).unwrap();
    assert!(text.starts_with("mode=publish\nreason='push to the production branch `main`'\n"), "{text}");
    assert_eq!(ended.raw_outputs, "");
}

#[tokio::test]
async fn what_was_in_the_files_before_stays() {
    let repository = repository().file("outputs", "before=1\n").file("summary", "# Before\n");
    let run = deployment().variable("GITBOOK_EVENT", "tag").folder(&repository);
    let run = run.variable("GITBOOK_OUTPUT_FILE", "outputs").variable("GITBOOK_SUMMARY_FILE", "summary");
    assert_eq!(run.runs().await.code, Some(0));
    let read = |path: &str| std::fs::read_to_string(repository.path(path)).unwrap();
    assert!(read("outputs").starts_with("before=1\nmode=nothing\n"), "{}", read("outputs"));
    assert!(read("summary").starts_with("# Before\n### gitbook-deploy\n"), "{}", read("summary"));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_a_warning_and_no_failure() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = ["GITBOOK_OUTPUT_FILE", "GITBOOK_SUMMARY_FILE", "GITBOOK_REPORT_FILE"]
        .into_iter()
        .fold(deployment().against(&server.uri()).push_to("main"), |run, name| {
            run.variable(name, format!("nowhere/{name}"))
        });
    let ended = run.folder(&repository).runs().await;
    insta::assert_snapshot!(ended.log(), @"
    exit 0
    info: published `hello` v1 (0.1 KiB, 0.0 s) https://app.gitbook.com/integrations/hello
    warning: cannot write `<folder>/nowhere/GITBOOK_OUTPUT_FILE`: No such file or directory (os error 2)
    warning: cannot write `<folder>/nowhere/GITBOOK_SUMMARY_FILE`: No such file or directory (os error 2)
    warning: cannot write `<folder>/nowhere/GITBOOK_REPORT_FILE`: No such file or directory (os error 2)
    ");
}

#[tokio::test]
async fn no_file_is_needed() {
    let run = ["GITBOOK_OUTPUT_FILE", "GITBOOK_SUMMARY_FILE", "GITBOOK_REPORT_FILE"]
        .into_iter()
        .fold(deployment().variable("GITBOOK_EVENT", "tag"), |run, name| run.variable(name, ""));
    let ended = run.runs().await;
    assert_eq!((ended.code, outputs(&ended)), (Some(0), String::new()));
}

/// A branch may bring a link of the name that a file of outputs has.
#[cfg(unix)]
#[tokio::test]
async fn a_link_of_the_checkout_is_not_written_through() {
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim");
    for variable in
        ["GITBOOK_OUTPUT_FILE", "GITBOOK_SUMMARY_FILE", "GITBOOK_REPORT_FILE", "GITBOOK_CODE_QUALITY_FILE"]
    {
        std::fs::write(&victim, "mine").unwrap();
        let repository = repository().integration("hello");
        std::os::unix::fs::symlink(&victim, repository.path("written")).unwrap();
        let run = deployment().variable("GITBOOK_MODE", "check").folder(&repository);
        let ended = run.variable(variable, "written").runs().await;
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine", "{variable}");
        let said = "written`";
        assert_eq!((ended.code, ended.log().contains(said)), (Some(0), true), "{ended:#?}");
    }
}
