//! When everything is done, and only told.

use std::path::PathBuf;

use super::{LONGEST_END, SIGNALS, World};
use crate::support::{Running, until};

/// Starts a push, and waits until only its report is to be written, to a pipe without a reader.
async fn told_to_a_pipe() -> (World, PathBuf, Running) {
    let world = World::new().await;
    let path = world.repository.path("report");
    let made = tokio::process::Command::new("mkfifo").arg(&path).status().await.unwrap();
    assert!(made.success());
    let run = world.push().variable("GITBOOK_REPORT_FILE", path.to_str().unwrap()).starts();
    until("everything is told", async || run.written("summary.md").is_some()).await;
    (world, path, run)
}

/// What was done is done: the report waits for its reader, and a signal changes nothing of what it says.
#[tokio::test]
async fn the_report_written() {
    for (signals, _) in SIGNALS {
        let (world, path, run) = told_to_a_pipe().await;
        for signal in signals {
            run.signal(signal).await;
        }
        until("the signal has come", async || run.has_said("no new work is started")).await;
        let report =
            tokio::time::timeout(LONGEST_END, tokio::fs::read_to_string(&path)).await.unwrap().unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let ended = run.ends().await;
        assert_eq!((ended.code, report["exit_code"].as_i64()), (Some(0), Some(0)), "{}", ended.log());
        assert_eq!(
            (ended.output("result"), &report["result"]),
            ("published".to_owned(), &"published".into())
        );
        assert_eq!(world.sandbox.names(), ["one", "other", "two"]);
        assert_eq!(
            world.deployments(),
            ["gitbook: one: in_progress, success", "gitbook: two: in_progress, success"]
        );
    }
}

/// Nobody ever reads the report: the process ends all the same.
#[tokio::test]
async fn a_report_without_a_reader() {
    for (signals, code) in [(["TERM"], 143), (["HUP"], 129)] {
        let (_world, _, run) = told_to_a_pipe().await;
        let started = std::time::Instant::now();
        run.signal(signals[0]).await;
        let ended = run.ends().await;
        assert!(started.elapsed() < LONGEST_END, "{:?}", started.elapsed());
        assert_eq!(ended.code, Some(code), "{}", ended.log());
    }
}
