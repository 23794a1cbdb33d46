//! Signals at every stage of a run: the exit code, the duration and a correct report.

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
    repository, until,
};

/// GitHub's runner kills a step 10 s after its first signal.
const MAX_SHUTDOWN_TIME: Duration = Duration::from_secs(10);

/// The signals of a run, in their order, and the exit code.
const SIGNALS: [(&[&str], i32); 5] =
    [(&["INT"], 130), (&["TERM"], 143), (&["HUP"], 129), (&["INT", "INT"], 130), (&["INT", "TERM"], 130)];

/// A sandbox, a forge and a repository with two integrations, deployed one after the other.
struct TestEnvironment {
    sandbox: Sandbox,
    gitbook: FaultInjector,
    forge: FakeGitHub,
    repository: Repository,
}

/// A run at the stage at which it receives signals.
struct Started {
    environment: TestEnvironment,
    run: Running,
    /// A request to release after the signals.
    barrier: Option<Barrier>,
    /// A value that must live as long as the run.
    held: Box<dyn Send>,
}

impl TestEnvironment {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        // An integration of the organization that no test deletes, so that the organization exists.
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

    fn on(&self, event: &str, payload: &Value) -> Deployment {
        let run = deployment().on_github_event(event, payload, 100).against(self.gitbook.endpoint());
        run.with_forge(&self.forge)
            .variable("GITBOOK_CONCURRENCY", "1")
            .variable("GITBOOK_LOG_FORMAT", "text")
            .variable("GITBOOK_RETRIES", "4")
            .folder(&self.repository)
    }

    /// Returns a run on a push to the production branch.
    fn push(&self) -> Deployment {
        self.on("push", &payloads::push("main", &sha()))
    }

    /// Returns a run on a pull request event.
    fn pull_request(&self, action: &str) -> Deployment {
        self.on("pull_request", &payloads::pull_request(action, 12, "fix", &sha()))
    }

    fn sweep(&self) -> Deployment {
        self.on(
            "schedule",
            &json!({"schedule": "0 0 * * *", "repository": {"id": 1, "default_branch": "main"}}),
        )
    }

    /// Returns the versions of the published integrations.
    fn versions(&self) -> BTreeMap<String, Value> {
        let version = |name: String| (name.clone(), self.sandbox.integration(&name)["version"].clone());
        self.sandbox.names().into_iter().map(version).collect()
    }

    /// Returns the environment and the states of each deployment. Asserts that none is in progress.
    fn deployments(&self) -> Vec<String> {
        let outcome = |deployment: &fake_github::Deployment| {
            let states: Vec<_> = deployment.statuses.iter().map(|status| status.state.as_str()).collect();
            let last = states.last().copied().unwrap_or_default();
            assert!(matches!(last, "success" | "failure" | "inactive"), "{deployment:?}");
            format!("{}: {}", deployment.environment, states.join(", "))
        };
        self.forge.deployments().iter().map(outcome).collect()
    }

    /// Starts a run and waits for a fault.
    async fn started_with_fault(self, run: Deployment, kind: &'static str, fault: Fault) -> Started {
        self.gitbook.fail(kind, fault, 1);
        self.started_with_faults(run, 1).await
    }

    /// Starts a run and waits for a number of faults that the test has already set.
    async fn started_with_faults(self, run: Deployment, faults: usize) -> Started {
        let run = run.start();
        until("the faults strike, or it ends", async || {
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
        Started::new(self, run)
    }

    /// Starts a run and waits for a held request.
    async fn gated(self, run: Deployment, barrier: Barrier) -> Started {
        let run = run.start();
        barrier.reached().await;
        Started { barrier: Some(barrier), ..Started::new(self, run) }
    }
}

impl Started {
    fn new(environment: TestEnvironment, run: Running) -> Self {
        Self { environment, run, barrier: None, held: Box::new(()) }
    }

    /// Keeps a value until the run has finished.
    fn with(self, held: impl Send + 'static) -> Self {
        Self { held: Box::new((self.held, held)), ..self }
    }

    /// Sends the signals and returns the outcome, after checking the report.
    async fn cancelled(self, signals: &[&str], code: i32) -> String {
        let Self { environment, run, barrier, held } = self;
        let (received, existing) = (environment.gitbook.requests(), environment.versions());
        let started = Instant::now();
        for signal in signals {
            run.signal(signal).await;
        }
        if let Some(barrier) = barrier {
            until("the signal has come", async || run.has_logged("no new work is started")).await;
            barrier.release();
        }
        let finished = run.finish().await;
        assert!(started.elapsed() < MAX_SHUTDOWN_TIME, "{:?}: {}", started.elapsed(), finished.log());
        drop(held);
        assert_eq!(environment.gitbook.requests(), received, "nothing is started: {}", finished.log());
        assert_true(&finished, code, &environment, &existing);
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

/// Returns the outcome, which must be the same for all signals.
async fn cancelled(start: impl AsyncFn() -> Started) -> String {
    let outcome = each_cancelled(start).await;
    assert!(outcome.iter().all(|other| *other == outcome[0]), "{}", outcome.join("\n---\n"));
    outcome[0].clone()
}

async fn each_cancelled(start: impl AsyncFn() -> Started) -> Vec<String> {
    let each = SIGNALS.map(|(signals, code)| {
        let start = &start;
        async move { start().await.cancelled(signals, code).await }
    });
    futures::future::join_all(each).await
}

fn assert_true(
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
        let (was, is) = (before.get(name), after.get(name));
        let message = integration["error"]["message"].as_str().unwrap_or_default();
        match integration["result"].as_str().unwrap() {
            "published" => {
                assert_eq!(integration["version"].as_str(), is.map(Value::to_string).as_deref(), "{log}");
            }
            "deleted" => assert_eq!(is, None, "{log}"),
            "failed" => assert!(was == is || message.contains("may"), "{log}"),
            _ => assert_eq!(was, is, "{log}"),
        }
        let doubt = "may have taken effect";
        assert_eq!(finished.summary.contains(doubt), log.contains(doubt), "{}", finished.summary);
    }
}

/// Returns the result and the events of a run.
fn result_and_events(finished: &Finished) -> String {
    format!("result {}\n{}", finished.output("result"), finished.events().join("\n"))
}

fn sha() -> String {
    "1".repeat(40)
}

/// Returns the preview of an integration on the branch `fix`, as the API does.
fn preview(integration: &str) -> Value {
    let mark = format!(
        "integration={integration} repository=github.com/acme/integrations branch=fix commit=0123abcd run=7 hash=00"
    );
    json!({
        "object": "integration",
        "name": format!("{integration}-fix"),
        "version": 3,
        "title": "Hello",
        "summary": format!("<!-- gitbook-deploy:preview {mark} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}
