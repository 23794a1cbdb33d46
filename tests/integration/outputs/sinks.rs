//! Tests of the output, summary, report and code quality files.

use std::collections::BTreeSet;

use super::{outputs, refusing};
use crate::support::{deployment, gitbook, repository};

/// A valid branch name that looks like the start of a multi-line output.
const BRANCH_LIKE_DELIMITER: &str = "x<<ghadelimiter_00";

#[tokio::test]
async fn each_output_has_its_own_delimiter() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run =
        || deployment().with_endpoint(&server.uri()).on_github(BRANCH_LIKE_DELIMITER, 1).folder(&repository);
    let (first, second) = (run().run().await, run().run().await);
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
    assert_eq!(first.output("reason"), format!("push to branch `{BRANCH_LIKE_DELIMITER}`"));
}

#[tokio::test]
async fn line_breaks_in_a_message_add_no_output() {
    let message = "no\nresult=published\nname<<EOF\nx\nEOF\r\n::error::x";
    let server = refusing(400, message).await;
    let repository = repository().integration("hello");
    let run = || deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository);
    let dotenv = run().run().await;
    assert_eq!(dotenv.raw_outputs.lines().count(), 11, "{}", dotenv.raw_outputs);
    assert_eq!(dotenv.output("result"), "failed");
    let github =
        deployment().with_endpoint(&server.uri()).on_github("main", 1).folder(&repository).run().await;
    assert_eq!((github.outputs().len(), github.output("result")), (11, "failed".to_owned()));
    let error = &github.integrations()[0]["error"]["cause"];
    assert_eq!(error, &format!("GitBook rejected the request: 400 {message}"));
}

#[tokio::test]
async fn escapes_markdown_and_html_in_the_summary() {
    let server = refusing(400, "<img src=x> | [a](b) @me #1 `x` **b**\n\n# Title").await;
    let repository = repository().integration("hello");
    let run = deployment().with_endpoint(&server.uri()).on_push_to("main").folder(&repository);
    let summary = run.run().await.summary;
    let message = summary.lines().find(|line| line.starts_with('❌')).unwrap();
    insta::assert_snapshot!(message.split("<br>").nth(1).unwrap(), @"GitBook rejected the request&#58; 400 &#60;img src&#61;x&#62; &#124; &#91;a&#93;(b) &#64;&#8203;me &#35;&#8203;1 &#96;x&#96; &#42;&#42;b&#42;&#42;  &#35;&#8203; Title");
}

#[tokio::test]
async fn outputs_can_go_to_a_dotenv_file_on_github() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let own = repository.path("own.env");
    let run = deployment().with_endpoint(&server.uri()).on_github("main", 1).folder(&repository);
    let finished = run.variable("GITBOOK_OUTPUT_FILE", "own.env").run().await;
    let text = std::fs::read_to_string(own).unwrap();
    assert!(text.starts_with("mode=publish\nreason='"), "{text}");
    assert_eq!(finished.raw_outputs, "");
}

#[tokio::test]
async fn appends_to_existing_files() {
    let repository = repository().file("outputs", "before=1\n").file("summary", "# Before\n");
    let run = deployment().variable("GITBOOK_EVENT", "tag").folder(&repository);
    let run = run.variable("GITBOOK_OUTPUT_FILE", "outputs").variable("GITBOOK_SUMMARY_FILE", "summary");
    assert_eq!(run.run().await.code, Some(0));
    let read = |path: &str| std::fs::read_to_string(repository.path(path)).unwrap();
    assert!(read("outputs").starts_with("before=1\nmode=nothing\n"), "{}", read("outputs"));
    assert!(read("summary").starts_with("# Before\n### gitbook-deploy\n"), "{}", read("summary"));
}

#[tokio::test]
async fn warns_of_an_unwritable_output_file() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = ["GITBOOK_OUTPUT_FILE", "GITBOOK_SUMMARY_FILE", "GITBOOK_REPORT_FILE"]
        .into_iter()
        .fold(deployment().with_endpoint(&server.uri()).on_push_to("main"), |run, name| {
            run.variable(name, format!("nowhere/{name}"))
        });
    let finished = run.folder(&repository).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: published hello v1 (0.1 KiB, … s) https://app.gitbook.com/integrations/hello
    warning: could not write `<folder>/nowhere/GITBOOK_OUTPUT_FILE`: No such file or directory (os error 2)
    warning: could not write `<folder>/nowhere/GITBOOK_SUMMARY_FILE`: No such file or directory (os error 2)
    warning: could not write `<folder>/nowhere/GITBOOK_REPORT_FILE`: No such file or directory (os error 2)
    ");
}

#[tokio::test]
async fn works_without_output_files() {
    let run = ["GITBOOK_OUTPUT_FILE", "GITBOOK_SUMMARY_FILE", "GITBOOK_REPORT_FILE"]
        .into_iter()
        .fold(deployment().variable("GITBOOK_EVENT", "tag"), |run, name| run.variable(name, ""));
    let finished = run.run().await;
    assert_eq!((finished.code, outputs(&finished)), (Some(0), String::new()));
}

/// The checkout contains a symbolic link at the path of the output file.
#[cfg(unix)]
#[tokio::test]
async fn does_not_write_through_a_symbolic_link_in_the_checkout() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    for variable in
        ["GITBOOK_OUTPUT_FILE", "GITBOOK_SUMMARY_FILE", "GITBOOK_REPORT_FILE", "GITBOOK_CODE_QUALITY_FILE"]
    {
        std::fs::write(&victim, "mine").unwrap();
        let repository = repository().integration("hello");
        std::os::unix::fs::symlink(&victim, repository.path("written")).unwrap();
        let run = deployment().variable("GITBOOK_MODE", "check").folder(&repository);
        let finished = run.variable(variable, "written").run().await;
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine", "{variable}");
        let message = "written`";
        assert_eq!((finished.code, finished.log().contains(message)), (Some(0), true), "{finished:#?}");
    }
}
