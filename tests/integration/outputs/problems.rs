//! Tests of problems in GitHub's annotations, in the report and in GitLab's code quality report.

use serde_json::Value;

use crate::support::{Repository, deployment, repository};

/// Creates a repository with this number of errors and warnings in its manifest.
fn repository_with(errors: usize, warnings: usize) -> Repository {
    let errors: Vec<_> = (0..errors).map(|_| "{id: x, title: 1}".to_owned()).collect();
    let warnings: String = (0..warnings).map(|number| format!("unknown{number}: x\n")).collect();
    repository().manifest(".", "hello", &format!("blocks: [{}]\n{warnings}", errors.join(", ")))
}

#[tokio::test]
async fn writes_at_most_ten_annotations_of_each_severity() {
    let run = deployment().variable("GITBOOK_MODE", "check").variable("GITBOOK_LOG_FORMAT", "github");
    let repository = repository_with(12, 11);
    let finished = run.folder(&repository).run().await;
    let lines =
        |start: &str| finished.stderr.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    assert_eq!((lines("error: ").len(), lines("warning: ").len()), (12, 11), "{}", finished.stderr);
    let (errors, warnings) = (lines("::error"), lines("::warning"));
    assert_eq!((errors.len(), warnings.len()), (10, 10), "{}", finished.stderr);
    assert!(errors[8].contains("%0Aand 3 more"), "{}", errors[8]);
    assert!(
        errors[9].starts_with("::error::invalid integrations: 12 errors and 11 warnings"),
        "{}",
        errors[9]
    );
    assert!(warnings[9].contains("%0Aand 1 more"), "{}", warnings[9]);
    assert_eq!(finished.report["problems"].as_array().unwrap().len(), 23);
}

#[tokio::test]
async fn the_report_has_all_details_of_a_problem() {
    let repository = repository().manifest("a", "hello", "summary: 12\nsecrets: {KEY: 12}\n");
    let finished = deployment().variable("GITBOOK_MODE", "check").folder(&repository).run().await;
    insta::assert_snapshot!(format!("{:#}", finished.report["problems"]), @r#"
    [
      {
        "severity": "error",
        "file": "a/gitbook-manifest.yaml",
        "variable": null,
        "line": 6,
        "column": 10,
        "end_column": 12,
        "excerpt": "summary: 12",
        "message": "`summary` is a number; it must be text",
        "hint": "put the value in quotes",
        "integration": "hello"
      },
      {
        "severity": "error",
        "file": "a/gitbook-manifest.yaml",
        "variable": null,
        "line": 7,
        "column": 16,
        "end_column": 18,
        "excerpt": "secrets: {KEY: ***}",
        "message": "`secrets.KEY` is a number; it must be text",
        "hint": "put the value in quotes",
        "integration": "hello"
      }
    ]
    "#);
}

#[tokio::test]
async fn counts_warnings_without_errors() {
    let repository = repository_with(0, 2);
    let finished = deployment().variable("GITBOOK_MODE", "check").folder(&repository).run().await;
    assert_eq!(finished.code, Some(0));
    assert!(finished.stderr.ends_with("\ninfo: 2 warnings in 1 file\n"), "{}", finished.stderr);
}

/// Checks a folder of the repository, and returns the code quality report.
async fn quality(repository: &Repository, folder: &str) -> String {
    let run = deployment().variable("GITBOOK_MODE", "check").folder(repository.path(folder));
    let root = std::fs::canonicalize(repository.path("")).unwrap();
    run.variable("CI_PROJECT_DIR", root.to_str().unwrap()).run().await.quality
}

#[tokio::test]
async fn writes_a_code_quality_report() {
    let more = "summary: 12\nvisibilty: x\nblocks: [{id: x, title: 1}, {id: y, title: 1}]\n";
    let repository = repository().manifest("apps/a", "hello", more);
    let text = quality(&repository, "apps").await;
    insta::assert_snapshot!(text, @r#"
    [
      {
        "description": "`summary` is a number; it must be text (put the value in quotes)",
        "check_name": "gitbook-deploy",
        "fingerprint": "2e4c355e1f1b095286afbe0f7168d1c4b7a9aa9ceeca2340e7b775b58efb9aef",
        "severity": "critical",
        "location": {
          "path": "apps/a/gitbook-manifest.yaml",
          "lines": {
            "begin": 6
          }
        }
      },
      {
        "description": "unknown field `visibilty` (did you mean `visibility`? unknown fields are sent to GitBook unchanged)",
        "check_name": "gitbook-deploy",
        "fingerprint": "c856a360e35d9a2f8e3997ce9a3705ee1470ed304c54089e8f3934adc6e93830",
        "severity": "minor",
        "location": {
          "path": "apps/a/gitbook-manifest.yaml",
          "lines": {
            "begin": 7
          }
        }
      },
      {
        "description": "`blocks[0].title` is a number; it must be text (put the value in quotes)",
        "check_name": "gitbook-deploy",
        "fingerprint": "9b8ad8d393f8926ae4dba3fd1c18fc8c29acc27352beef44e9d21149dcfd13fa",
        "severity": "critical",
        "location": {
          "path": "apps/a/gitbook-manifest.yaml",
          "lines": {
            "begin": 8
          }
        }
      },
      {
        "description": "`blocks[1].title` is a number; it must be text (put the value in quotes)",
        "check_name": "gitbook-deploy",
        "fingerprint": "ddf1c522dd0029b58177f0a690bb84bb7b5530af37650eb5684097625156a16d",
        "severity": "critical",
        "location": {
          "path": "apps/a/gitbook-manifest.yaml",
          "lines": {
            "begin": 8
          }
        }
      }
    ]
    "#);
    assert_eq!(quality(&repository, "apps").await, text);
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let fingerprints: std::collections::BTreeSet<_> =
        entries.iter().map(|e| e["fingerprint"].as_str()).collect();
    assert_eq!(fingerprints.len(), 4);
}

#[tokio::test]
async fn the_code_quality_report_can_be_empty() {
    assert_eq!(quality(&repository().integration("a"), "").await, "[]\n");
}
