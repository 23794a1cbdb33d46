//! Signals at every stage of a run. The tests check the exit code, the duration and the report.

mod deploying;
mod forge;
#[cfg(target_os = "linux")]
mod init;
mod preparing;
mod reporting;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fake_github::{Barrier, FakeGitHub, Head};
use serde_json::{Value, json};

use crate::support::{
    Deployment, Fault, FaultInjector, Finished, Repository, Running, Sandbox, deployment, payloads,
    repository, wait_until,
};

/// GitHub's runner kills a step 10 s after its first signal.
const MAX_SHUTDOWN_TIME: Duration = Duration::from_secs(10);

/// The signals that a test sends, in order, and the expected exit code.
const SIGNALS: [(&[&str], i32); 5] =
    [(&["INT"], 130), (&["TERM"], 143), (&["HUP"], 129), (&["INT", "INT"], 130), (&["INT", "TERM"], 130)];

/// A sandbox, a forge and a repository with two integrations. Runs deploy one integration at a time.
struct TestEnvironment {
    sandbox: Sandbox,
    gitbook: FaultInjector,
    forge: FakeGitHub,
    repository: Repository,
}

/// A running program that is about to receive signals.
struct StartedRun {
    environment: TestEnvironment,
    run: Running,
    /// The barrier that holds a request until the signals have been sent.
    barrier: Option<Barrier>,
    /// Values that must live as long as the run.
    kept_alive: Box<dyn Send>,
}

impl TestEnvironment {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        // No test deletes this integration, so the organization `acme` always exists.
        sandbox.set(
            "other",
            &json!({"name": "other", "version": 7, "visibility": "public", "owner": {"id": "acme"}}),
        );
        let gitbook = FaultInjector::before(&sandbox).await;
        let forge = FakeGitHub::start().await;
        forge.set_branch("main", &sha());
        forge.open_pull_request(12, Head::own("fix"), &sha());
        let repository = repository().integration("one").integration("two");
        Self { sandbox, gitbook, forge, repository }
    }

    /// Returns an environment with the previews of both integrations.
    async fn with_previews() -> Self {
        let environment = Self::new().await;
        for name in ["one", "two"] {
            environment.sandbox.set(&format!("{name}-fix"), &preview(name));
        }
        environment
    }

    fn run_on_event(&self, event: &str, payload: &Value) -> Deployment {
        let run = deployment().on_github_event(event, payload, 100).with_endpoint(self.gitbook.endpoint());
        run.with_forge(&self.forge)
            .variable("GITBOOK_CONCURRENCY", "1")
            .variable("GITBOOK_LOG_FORMAT", "text")
            .variable("GITBOOK_RETRIES", "4")
            .folder(&self.repository)
    }

    /// Returns a run on a push to the production branch.
    fn push(&self) -> Deployment {
        self.run_on_event("push", &payloads::push("main", &sha()))
    }

    /// Returns a run on a pull request event.
    fn pull_request(&self, action: &str) -> Deployment {
        self.run_on_event("pull_request", &payloads::pull_request(action, 12, "fix", &sha()))
    }

    fn sweep(&self) -> Deployment {
        self.run_on_event(
            "schedule",
            &json!({"schedule": "0 0 * * *", "repository": {"id": 1, "default_branch": "main"}}),
        )
    }

    /// Returns the versions of the published integrations.
    fn versions(&self) -> BTreeMap<String, Value> {
        let version = |name: String| (name.clone(), self.sandbox.integration(&name)["version"].clone());
        self.sandbox.names().into_iter().map(version).collect()
    }

    /// Returns the environment name and the states of each GitHub Deployment. Asserts that none is in progress.
    fn deployments(&self) -> Vec<String> {
        let outcome = |deployment: &fake_github::Deployment| {
            let states: Vec<_> = deployment.statuses.iter().map(|status| status.state.as_str()).collect();
            let last = states.last().copied().unwrap_or_default();
            assert!(matches!(last, "success" | "failure" | "inactive"), "{deployment:?}");
            format!("{}: {}", deployment.environment, states.join(", "))
        };
        self.forge.deployments().iter().map(outcome).collect()
    }

    /// Starts a run and waits until a request has failed with this fault.
    async fn started_with_fault(self, run: Deployment, kind: &'static str, fault: Fault) -> StartedRun {
        self.gitbook.fail(kind, fault, 1);
        self.started_with_faults(run, 1).await
    }

    /// Starts a run and waits until it has met this number of faults, which the test has already set.
    async fn started_with_faults(self, run: Deployment, faults: usize) -> StartedRun {
        let run = run.start();
        wait_until("the faults occur or the run ends", async || {
            self.gitbook.fault_count() == faults || run.written("outputs").is_some()
        })
        .await;
        assert_eq!(
            self.gitbook.fault_count(),
            faults,
            "{:?} {:?}",
            self.gitbook.requests(),
            run.written("log")
        );
        StartedRun::new(self, run)
    }

    /// Starts a run and waits until the barrier holds a request.
    async fn started_at_barrier(self, run: Deployment, barrier: Barrier) -> StartedRun {
        let run = run.start();
        barrier.reached().await;
        StartedRun { barrier: Some(barrier), ..StartedRun::new(self, run) }
    }
}

impl StartedRun {
    fn new(environment: TestEnvironment, run: Running) -> Self {
        Self { environment, run, barrier: None, kept_alive: Box::new(()) }
    }

    /// Keeps a value alive until the run has finished.
    fn keep_alive(self, value: impl Send + 'static) -> Self {
        Self { kept_alive: Box::new((self.kept_alive, value)), ..self }
    }

    /// Sends the signals, checks the report and returns the outcome.
    async fn cancel(self, signals: &[&str], code: i32) -> String {
        let Self { environment, run, barrier, kept_alive } = self;
        let (received, existing) = (environment.gitbook.requests(), environment.versions());
        let started = Instant::now();
        for signal in signals {
            run.signal(signal).await;
        }
        if let Some(barrier) = barrier {
            wait_until("the program receives the signal", async || run.has_logged("starting no new work"))
                .await;
            barrier.release();
        }
        let finished = run.finish().await;
        assert!(started.elapsed() < MAX_SHUTDOWN_TIME, "{:?}: {}", started.elapsed(), finished.log());
        drop(kept_alive);
        assert_eq!(
            environment.gitbook.requests(),
            received,
            "a request after the signal: {}",
            finished.log()
        );
        assert_report_is_correct(&finished, code, &environment, &existing);
        let forge = [environment.deployments(), environment.comment()].concat();
        let text = [result_and_events(&finished), forge.join("\n")].join("\n");
        text.replace("SIGTERM", "SIG…").replace("SIGINT", "SIG…").replace("SIGHUP", "SIG…")
    }
}

impl TestEnvironment {
    /// Returns the rows of the comment on the pull request.
    fn comment(&self) -> Vec<String> {
        let comments = self.forge.comments(12);
        let lines = comments.iter().flat_map(|comment| comment.body.lines());
        let rows = lines.filter(|line| line.starts_with("| `"));
        rows.map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" | ")).collect()
    }
}

/// Cancels one run per entry of `SIGNALS` and returns the outcome. Asserts that all outcomes are equal.
async fn outcome_for_all_signals(start: impl AsyncFn() -> StartedRun) -> String {
    let outcomes = outcomes_per_signal(start).await;
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{}", outcomes.join("\n---\n"));
    outcomes[0].clone()
}

/// Cancels one run per entry of `SIGNALS` and returns the outcomes.
async fn outcomes_per_signal(start: impl AsyncFn() -> StartedRun) -> Vec<String> {
    let outcomes = SIGNALS.map(|(signals, code)| {
        let start = &start;
        async move { start().await.cancel(signals, code).await }
    });
    futures::future::join_all(outcomes).await
}

/// Asserts that the report, the log and the summary agree with the exit code and with the versions in the sandbox.
fn assert_report_is_correct(
    finished: &Finished,
    code: i32,
    environment: &TestEnvironment,
    before: &BTreeMap<String, Value>,
) {
    let (log, after) = (finished.log(), environment.versions());
    assert_eq!(
        (finished.code, finished.report["exit_code"].as_i64()),
        (Some(code), Some(code.into())),
        "{log}"
    );
    assert!(!log.contains("panicked"), "{log}");
    let signal = match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        _ => "SIGTERM",
    };
    assert_eq!(log.matches(&format!("warning: received {signal}: ")).count(), 1, "{log}");
    let message = finished.report["error"]["message"].as_str().unwrap();
    assert!(message.contains(signal), "{log}");
    assert!(
        log.contains(&format!("error: {message}\n")) && finished.summary.contains(message),
        "{finished:#?}"
    );
    assert_eq!(finished.report["result"], finished.output("result"), "{log}");
    for integration in finished.integrations().as_array().unwrap() {
        let name = integration["name"].as_str().unwrap();
        let (old_version, new_version) = (before.get(name), after.get(name));
        let message = integration["error"]["message"].as_str().unwrap_or_default();
        match integration["result"].as_str().unwrap() {
            "published" => {
                assert_eq!(
                    integration["version"].as_str(),
                    new_version.map(Value::to_string).as_deref(),
                    "{log}"
                );
            }
            "deleted" => assert_eq!(new_version, None, "{log}"),
            "failed" => assert!(old_version == new_version || message.contains("may"), "{log}"),
            _ => assert_eq!(old_version, new_version, "{log}"),
        }
        let unknown_effect = "may have taken effect";
        assert_eq!(
            finished.summary.contains(unknown_effect),
            log.contains(unknown_effect),
            "{}",
            finished.summary
        );
    }
}

/// Returns the result and the events of a run.
fn result_and_events(finished: &Finished) -> String {
    format!("result {}\n{}", finished.output("result"), finished.events().join("\n"))
}

fn sha() -> String {
    "1".repeat(40)
}

/// Returns the preview of an integration on the branch `fix`, in the API's format.
fn preview(integration: &str) -> Value {
    let marker = format!(
        "integration={integration} repository=github.com/acme/integrations branch=fix commit=0123abcd run=7 hash=00"
    );
    json!({
        "object": "integration",
        "name": format!("{integration}-fix"),
        "version": 3,
        "title": "Hello",
        "summary": format!("<!-- gitbook-deploy:preview {marker} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}
