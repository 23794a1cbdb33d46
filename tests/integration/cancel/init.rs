//! Signals to the first process of a container. Linux ignores a signal to that process if no handler is installed.

use std::time::Instant;

use super::{MAX_SHUTDOWN_TIME, TestEnvironment, assert_report_is_correct};
use crate::support::{Effect, Fault, wait_until};

/// Returns true if the machine supports PID namespaces. Panics in CI if it does not.
#[expect(clippy::disallowed_methods, reason = "runs `unshare`, not the program under test")]
#[expect(clippy::print_stderr, reason = "reports that the test is skipped")]
async fn supports_namespaces() -> bool {
    let output = tokio::process::Command::new("/usr/bin/unshare")
        .args(["--pid", "--fork", "--kill-child", "/bin/true"])
        .output()
        .await;
    let is_supported = output.as_ref().is_ok_and(|output| output.status.success());
    if !is_supported {
        assert!(std::env::var_os("CI").is_none(), "could not create a PID namespace: {output:?}");
        eprintln!("test skipped: `unshare --pid` needs util-linux and root rights: {output:?}");
    }
    is_supported
}

#[tokio::test]
async fn signals_end_the_first_process_of_a_container() {
    if !supports_namespaces().await {
        return;
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for stage in ["op", "request"] {
            let environment = TestEnvironment::new().await;
            let secrets = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
            let repository = environment.repository.manifest("one", "one", secrets);
            let op = if stage == "op" { "echo > op.pid\nexec sleep 50" } else { "echo hush-hush" };
            let environment = TestEnvironment { repository: repository.program("bin/op", op), ..environment };
            environment.gitbook.fail("POST", Fault::Stall(Effect::Dropped), 1);
            let path = environment.repository.path_variable("bin");
            let run = environment.push().variable("PATH", path).with_pid_1().start();
            wait_until("the run reaches the stage", async || {
                environment.repository.path("op.pid").exists() || environment.gitbook.fault_count() == 1
            })
            .await;
            let existing = environment.versions();
            let started = Instant::now();
            run.signal(signal).await;
            let finished = run.finish().await;
            assert!(started.elapsed() < MAX_SHUTDOWN_TIME, "{:?}: {}", started.elapsed(), finished.log());
            assert_report_is_correct(&finished, code, &environment, &existing);
            environment.deployments();
        }
    }
}
