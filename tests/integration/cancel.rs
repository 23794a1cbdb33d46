//! A signal at every stage of a run: the exit code, how long it takes, and that all that is reported is true.

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
    Deployment, Fault, Faulty, Finished, Repository, Running, Sandbox, deployment, payloads, repository,
    until,
};

/// GitHub's runner kills a step 10 s after its first signal.
const LONGEST_END: Duration = Duration::from_secs(10);

/// What is sent, one after the other, and the exit code.
const SIGNALS: [(&[&str], i32); 5] =
    [(&["INT"], 130), (&["TERM"], 143), (&["HUP"], 129), (&["INT", "INT"], 130), (&["INT", "TERM"], 130)];

/// A GitBook and a forge, and what is to be deployed: two integrations, one after the other.
struct World {
    sandbox: Sandbox,
    gitbook: Faulty,
    forge: FakeGitHub,
    repository: Repository,
}

/// A run that has come to the stage at which it gets its signals.
struct Started {
    world: World,
    run: Running,
    /// What goes on once the signals were sent.
    gate: Option<Barrier>,
    /// What must last as long as the run.
    held: Box<dyn Send>,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        // Somebody's own, so that the organization is there whatever happens.
        sandbox.set(
            "other",
            &json!({"name": "other", "version": 7, "visibility": "public", "owner": {"id": "acme"}}),
        );
        let gitbook = Faulty::before(&sandbox).await;
        let forge = FakeGitHub::start().await;
        forge.set_branch("main", &sha());
        forge.open_pull_request(12, Head::own("fix"), &sha());
        let repository = repository().integration("one").integration("two");
        Self { sandbox, gitbook, forge, repository }
    }

    /// The same with the previews of both.
    async fn with_previews() -> Self {
        let world = Self::new().await;
        for name in ["one", "two"] {
            world.sandbox.set(&format!("{name}-fix"), &preview(name));
        }
        world
    }

    fn on(&self, event: &str, payload: &Value) -> Deployment {
        let run = deployment().on_github_event(event, payload, 100).against(self.gitbook.endpoint());
        run.with_forge(&self.forge)
            .variable("GITBOOK_CONCURRENCY", "1")
            .variable("GITBOOK_LOG_FORMAT", "text")
            .variable("GITBOOK_RETRIES", "4")
            .folder(&self.repository)
    }

    /// A push to the production branch.
    fn push(&self) -> Deployment {
        self.on("push", &payloads::push("main", &sha()))
    }

    /// Something that happened to the pull request.
    fn pull_request(&self, action: &str) -> Deployment {
        self.on("pull_request", &payloads::pull_request(action, 12, "fix", &sha()))
    }

    fn sweep(&self) -> Deployment {
        self.on(
            "schedule",
            &json!({"schedule": "0 0 * * *", "repository": {"id": 1, "default_branch": "main"}}),
        )
    }

    /// Each integration that is there, with its version.
    fn there(&self) -> BTreeMap<String, Value> {
        let version = |name: String| (name.clone(), self.sandbox.integration(&name)["version"].clone());
        self.sandbox.names().into_iter().map(version).collect()
    }

    /// Each deployment's environment and its states, none of which may be left open.
    fn deployments(&self) -> Vec<String> {
        let told = |deployment: &fake_github::Deployment| {
            let states: Vec<_> = deployment.statuses.iter().map(|status| status.state.as_str()).collect();
            let last = states.last().copied().unwrap_or_default();
            assert!(matches!(last, "success" | "failure" | "inactive"), "{deployment:?}");
            format!("{}: {}", deployment.environment, states.join(", "))
        };
        self.forge.deployments().iter().map(told).collect()
    }

    /// Starts a run, which gets its signals once a fault has come about.
    async fn struck(self, run: Deployment, kind: &'static str, fault: Fault) -> Started {
        self.gitbook.fail(kind, fault, 1);
        self.struck_by(run, 1).await
    }

    /// The same once so many faults that are ordered already have come about.
    async fn struck_by(self, run: Deployment, faults: usize) -> Started {
        let run = run.starts();
        until("the faults strike, or it ends", async || {
            self.gitbook.struck() == faults || run.written("outputs").is_some()
        })
        .await;
        assert_eq!(self.gitbook.struck(), faults, "{:?} {:?}", self.gitbook.requests(), run.written("log"));
        Started::new(self, run)
    }

    /// Starts a run, which gets its signals once a request stands before the gate.
    async fn gated(self, run: Deployment, gate: Barrier) -> Started {
        let run = run.starts();
        gate.reached().await;
        Started { gate: Some(gate), ..Started::new(self, run) }
    }
}

impl Started {
    fn new(world: World, run: Running) -> Self {
        Self { world, run, gate: None, held: Box::new(()) }
    }

    /// Keeps something until the run has ended.
    fn with(self, held: impl Send + 'static) -> Self {
        Self { held: Box::new((self.held, held)), ..self }
    }

    /// Sends the signals and tells what came of it, which must be true.
    async fn cancelled(self, signals: &[&str], code: i32) -> String {
        let Self { world, run, gate, held } = self;
        let (asked, there) = (world.gitbook.requests(), world.there());
        let started = Instant::now();
        for signal in signals {
            run.signal(signal).await;
        }
        if let Some(gate) = gate {
            until("the signal has come", async || run.has_said("nothing new is started")).await;
            gate.release();
        }
        let ended = run.ends().await;
        assert!(started.elapsed() < LONGEST_END, "{:?}: {}", started.elapsed(), ended.log());
        drop(held);
        assert_eq!(world.gitbook.requests(), asked, "nothing is started: {}", ended.log());
        assert_true(&ended, code, &world, &there);
        let forge = [world.deployments(), world.comment()].concat();
        let text = [told(&ended), forge.join("\n")].join("\n");
        text.replace("SIGTERM", "SIG…").replace("SIGINT", "SIG…").replace("SIGHUP", "SIG…")
    }
}

impl World {
    /// The rows of the comment on the pull request.
    fn comment(&self) -> Vec<String> {
        let comments = self.forge.comments(12);
        let lines = comments.iter().flat_map(|comment| comment.body.lines());
        let rows = lines.filter(|line| line.starts_with("| `"));
        rows.map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" | ")).collect()
    }
}

/// What it came to for each of the signals, which is the same but for the name and the code.
async fn cancelled(start: impl AsyncFn() -> Started) -> String {
    let told = each_cancelled(start).await;
    assert!(told.iter().all(|other| *other == told[0]), "{}", told.join("\n---\n"));
    told[0].clone()
}

async fn each_cancelled(start: impl AsyncFn() -> Started) -> Vec<String> {
    let each = SIGNALS.map(|(signals, code)| {
        let start = &start;
        async move { start().await.cancelled(signals, code).await }
    });
    futures::future::join_all(each).await
}

fn assert_true(ended: &Finished, code: i32, world: &World, before: &BTreeMap<String, Value>) {
    let (log, after) = (ended.log(), world.there());
    assert_eq!((ended.code, ended.report["exit_code"].as_i64()), (Some(code), Some(code.into())), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let signal = match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        _ => "SIGTERM",
    };
    assert_eq!(log.matches(&format!("warning: {signal}: ")).count(), 1, "{log}");
    let message = ended.report["error"]["message"].as_str().unwrap();
    assert!(message.contains(signal), "{log}");
    assert!(log.contains(&format!("error: {message}\n")) && ended.summary.contains(message), "{ended:#?}");
    assert_eq!(ended.report["result"], ended.output("result"), "{log}");
    for integration in ended.integrations().as_array().unwrap() {
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
        for doubt in ["may have happened", "may or may not have happened"] {
            assert_eq!(ended.summary.contains(doubt), log.contains(doubt), "{}", ended.summary);
        }
    }
}

/// The result and the events of a run.
fn told(ended: &Finished) -> String {
    format!("result {}\n{}", ended.output("result"), ended.events().join("\n"))
}

fn sha() -> String {
    "1".repeat(40)
}

/// The preview of an integration on the branch `fix` as the API tells it.
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
