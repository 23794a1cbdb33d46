//! Network and server failures between the program and a sandbox. Each test checks the resulting state, the requests and the
//! log. The log must not report a failed request as successful, and must say if the effect of a request is unknown.

mod concurrent_changes;
mod deleting;
mod previews;
mod publishing;
mod sweeping;
mod unreachable;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Deployment, Effect, Fault, FaultInjector, Finished, Repository, Response, Sandbox, deployment, repository,
};

/// The words in a message about a request with an unknown effect.
const UNKNOWN_EFFECT: &str = "may have taken effect";

/// A test case: its name, the kind of the failing requests (such as `GET` or `LIST`), and their faults in order.
type TestCase<'a> = (&'a str, &'static str, &'a [Fault]);

/// A sandbox behind a proxy that injects faults, and a repository with one integration.
struct TestEnvironment {
    sandbox: Sandbox,
    proxy: FaultInjector,
    repository: Repository,
}

impl TestEnvironment {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        // No test deletes this integration, so the organization `acme` always exists.
        sandbox.set(
            "other",
            &json!({"name": "other", "version": 7, "visibility": "public", "owner": {"id": "acme"}}),
        );
        let proxy = FaultInjector::before(&sandbox).await;
        Self { sandbox, proxy, repository: repository().integration("hello") }
    }

    /// Returns an environment with a preview of the branch `fix`.
    async fn with_preview() -> Self {
        let environment = Self::new().await;
        environment.sandbox.set("hello-fix", &preview("hello-fix", 7));
        environment
    }

    /// Returns a run with this number of retries.
    fn run(&self, retries: usize) -> Deployment {
        let run = deployment().with_endpoint(self.proxy.endpoint()).folder(&self.repository);
        run.variable("GITBOOK_RETRIES", retries.to_string())
    }

    /// Returns the versions of the published integrations.
    fn versions(&self) -> BTreeMap<String, Value> {
        let version = |name: String| (name.clone(), self.sandbox.integration(&name)["version"].clone());
        self.sandbox.names().into_iter().map(version).collect()
    }

    /// Runs the program, checks its report, and returns the requests, the stored integrations and the log events.
    async fn outcome(&self, name: &str, run: Deployment) -> String {
        self.outcome_since(self.versions(), name, run).await
    }

    /// Does the same as `outcome`, but compares the stored versions after the run with `before`.
    async fn outcome_since(&self, before: BTreeMap<String, Value>, name: &str, run: Deployment) -> String {
        let finished = run.run().await;
        let after = self.versions();
        assert_report_is_correct(name, &finished, &before, &after, &self.proxy.requests());
        let existing: Vec<_> = after.iter().filter(|(name, _)| *name != "other").collect();
        let existing = existing.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>();
        let existing = if existing.is_empty() { "nothing".to_owned() } else { existing.join(", ") };
        let received = self.proxy.requests().join(" ");
        format!("== {name}: {received}; stored: {existing}\n{}", exit_code_and_events(&finished))
    }
}

/// Returns a preview that this run has published, in the API's format.
fn preview(name: &str, run: u64) -> Value {
    let branch = name.strip_prefix("hello-").unwrap();
    let marker = format!(
        "integration=hello repository=github.com/acme/integrations branch={branch} commit=0123abcd run={run} hash=00"
    );
    json!({
        "object": "integration",
        "name": name,
        "version": 3,
        "title": "Hello",
        "summary": format!("<!-- gitbook-deploy:preview {marker} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}

/// Returns the exit code and the log events of a run, without text that varies between runs.
fn exit_code_and_events(finished: &Finished) -> String {
    let without_varying_text = |line: &String| {
        // The text after these words varies: different system calls can report a reset, and a response can be cut at any byte.
        let varying = ["the connection broke: ", "EOF while parsing "];
        match varying.iter().find_map(|text| Some((line.split_once(text)?.0, text))) {
            Some((before, text)) => format!("{before}{text}…"),
            None => line.clone(),
        }
    };
    let lines: Vec<_> = finished.events().iter().map(without_varying_text).collect();
    format!("exit {}\n{}", finished.code.unwrap(), lines.join("\n"))
}

/// Asserts that the report of a run agrees with the log, the summary and the versions in the sandbox.
fn assert_report_is_correct(
    case: &str,
    finished: &Finished,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    requests: &[String],
) {
    let log = finished.log();
    let (integrations, notes) = (finished.integrations(), &finished.report["integrations"]);
    for integration in integrations.as_array().unwrap() {
        let name = integration["name"].as_str().unwrap();
        let (old_version, new_version) = (before.get(name), after.get(name));
        let is_unknown = integration["error"].to_string().contains(UNKNOWN_EFFECT)
            || notes.as_array().unwrap().iter().any(|one| one["note"].to_string().contains(UNKNOWN_EFFECT));
        match integration["result"].as_str().unwrap() {
            "published" => {
                let version = new_version.map(ToString::to_string);
                assert_eq!(integration["version"].as_str(), version.as_deref(), "{case}: {log}");
                assert_ne!(old_version, new_version, "{case}: {log}");
            }
            "deleted" => assert_eq!(new_version, None, "{case}: {log}"),
            "failed" => assert!(old_version == new_version || is_unknown, "{case}: {log}"),
            _ => assert_eq!(old_version, new_version, "{case}: {log}"),
        }
        let has_write = requests.iter().any(|kind| !matches!(kind.as_str(), "GET" | "LIST"));
        assert!(has_write || !is_unknown, "{case}: {log}");
        assert_eq!(log.contains(UNKNOWN_EFFECT), is_unknown, "{case}: {log}");
        assert_eq!(finished.summary.contains(UNKNOWN_EFFECT), is_unknown, "{case}: {}", finished.summary);
    }
    let failed = finished.output("result") == "failed";
    assert_eq!(finished.code, Some(i32::from(failed)), "{case}: {log}");
    assert_eq!(finished.report["exit_code"].as_i64(), Some(i64::from(failed)), "{case}");
    assert_eq!(finished.report["result"], finished.output("result"), "{case}");
    let unchanged = |name: &str| before.get(name) == after.get(name);
    assert!(unchanged("other"), "{case}: {log}");
}

/// Returns the outcomes of all test cases in order. Equal consecutive outcomes are shown once.
async fn outcome_table(cases: &[TestCase<'_>], check: impl AsyncFn(&TestCase<'_>) -> String) -> String {
    let outcome = futures::future::join_all(cases.iter().map(async |case| check(case).await)).await;
    let outcome: Vec<_> = outcome.iter().map(|outcome| outcome.split_once('\n').unwrap()).collect();
    let mut text = String::new();
    for (index, (head, message)) in outcome.iter().enumerate() {
        text.push_str(&format!("{head}\n"));
        if outcome.get(index + 1).is_none_or(|(_, next)| next != message) {
            text.push_str(&format!("{message}\n"));
        }
    }
    text
}

fn html_page(status: u16) -> Response {
    Response::new(status, "<html>log in to the network</html>").header("content-type", "text/html")
}

/// Returns a fault that replaces GitBook's response with an error. The request has no effect.
fn gitbook_error(status: u16) -> Fault {
    Fault::Respond(Effect::Dropped, Response::error(status, "Come back later"))
}
