//! Signals while the report is written.

use std::path::PathBuf;

use super::{MAX_SHUTDOWN_TIME, SIGNALS, TestEnvironment};
use crate::support::{Running, wait_until};

/// Starts a push whose report file is a pipe without a reader. Waits until all other outputs are written.
async fn start_with_unread_report_pipe() -> (TestEnvironment, PathBuf, Running) {
    let environment = TestEnvironment::new().await;
    let path = environment.repository.path("report");
    let status = tokio::process::Command::new("mkfifo").arg(&path).status().await.unwrap();
    assert!(status.success());
    let run = environment.push().variable("GITBOOK_REPORT_FILE", path.to_str().unwrap()).start();
    wait_until("all other outputs are written", async || run.written("summary.md").is_some()).await;
    (environment, path, run)
}

/// The program waits for a reader of the report, and the signal does not change the report.
#[tokio::test]
async fn a_signal_after_the_last_request_does_not_change_the_report() {
    for (signals, _) in SIGNALS {
        let (environment, path, run) = start_with_unread_report_pipe().await;
        for signal in signals {
            run.signal(signal).await;
        }
        wait_until("the program receives the signal", async || run.has_logged("starting no new work")).await;
        let report =
            tokio::time::timeout(MAX_SHUTDOWN_TIME, tokio::fs::read_to_string(&path)).await.unwrap().unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let finished = run.finish().await;
        assert_eq!((finished.code, report["exit_code"].as_i64()), (Some(0), Some(0)), "{}", finished.log());
        assert_eq!(
            (finished.output("result"), &report["result"]),
            ("published".to_owned(), &"published".into())
        );
        assert_eq!(environment.sandbox.names(), ["one", "other", "two"]);
        assert_eq!(
            environment.deployments(),
            ["gitbook: one: in_progress, success", "gitbook: two: in_progress, success"]
        );
    }
}

#[tokio::test]
async fn ends_although_nobody_reads_the_report() {
    for (signals, code) in [(["TERM"], 143), (["HUP"], 129)] {
        let (_environment, _, run) = start_with_unread_report_pipe().await;
        let started = std::time::Instant::now();
        run.signal(signals[0]).await;
        let finished = run.finish().await;
        assert!(started.elapsed() < MAX_SHUTDOWN_TIME, "{:?}", started.elapsed());
        assert_eq!(finished.code, Some(code), "{}", finished.log());
    }
}
