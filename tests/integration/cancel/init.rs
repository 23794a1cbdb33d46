//! Signals to the first process of a container, which ignores signals without a handler.

use std::time::Instant;

use super::{MAX_SHUTDOWN_TIME, TestEnvironment, assert_true};
use crate::support::{Effect, Fault, until};

/// Returns true if the machine supports namespaces. In CI it must.
#[expect(clippy::disallowed_methods, reason = "the machine is asked, not the program")]
#[expect(clippy::print_stderr, reason = "who runs the tests should know what was left out")]
async fn has_namespaces() -> bool {
    let tried = tokio::process::Command::new("/usr/bin/unshare")
        .args(["--pid", "--fork", "--kill-child", "/bin/true"])
        .output()
        .await;
    let can = tried.as_ref().is_ok_and(|output| output.status.success());
    if !can {
        assert!(std::env::var_os("CI").is_none(), "no process can be the first of a namespace: {tried:?}");
        eprintln!("left out, since `unshare --pid` needs util-linux and the rights of root: {tried:?}");
    }
    can
}

#[tokio::test]
async fn signals_end_the_first_process_of_a_container() {
    if !has_namespaces().await {
        return;
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for stage in ["op", "request"] {
            let environment = TestEnvironment::new().await;
            let more = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
            let repository = environment.repository.manifest("one", "one", more);
            let op = if stage == "op" { "echo > op.pid\nexec sleep 50" } else { "echo hush-hush" };
            let environment = TestEnvironment { repository: repository.program("bin/op", op), ..environment };
            environment.gitbook.fail("POST", Fault::Stall(Effect::Lost), 1);
            let path = environment.repository.path_variable("bin");
            let run = environment.push().variable("PATH", path).with_pid_1().start();
            until("it is at its stage", async || {
                environment.repository.path("op.pid").exists() || environment.gitbook.fault_count() == 1
            })
            .await;
            let existing = environment.versions();
            let started = Instant::now();
            run.signal(signal).await;
            let finished = run.finish().await;
            assert!(started.elapsed() < MAX_SHUTDOWN_TIME, "{:?}: {}", started.elapsed(), finished.log());
            assert_true(&finished, code, &environment, &existing);
            environment.deployments();
        }
    }
}
