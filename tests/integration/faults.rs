//! Network and server failures between the program and a sandbox. Each test checks the resulting state, the
//! requests and the log: no failure is reported as done, and a request with an unknown effect is reported as
//! such.

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

/// The text for a request with an unknown effect.
const UNKNOWN_EFFECT: &str = "may have taken effect";

/// A row of a table: its name, the kind of the failing requests, and the faults in their order.
type Row<'a> = (&'a str, &'static str, &'a [Fault]);

/// A sandbox behind a network with faults.
struct TestEnvironment {
    sandbox: Sandbox,
    proxy: FaultInjector,
    repository: Repository,
}

impl TestEnvironment {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        // An integration of the organization that no test deletes, so that the organization exists.
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
        let run = deployment().against(self.proxy.endpoint()).folder(&self.repository);
        run.variable("GITBOOK_RETRIES", retries.to_string())
    }

    /// Returns the versions of the published integrations.
    fn versions(&self) -> BTreeMap<String, Value> {
        let version = |name: String| (name.clone(), self.sandbox.integration(&name)["version"].clone());
        self.sandbox.names().into_iter().map(version).collect()
    }

    /// Returns the checked outcome of a run in a few lines.
    async fn outcome(&self, name: &str, run: Deployment) -> String {
        self.outcome_since(self.versions(), name, run).await
    }

    /// Returns the checked outcome of a run, with changes counted from an earlier state.
    async fn outcome_since(&self, before: BTreeMap<String, Value>, name: &str, run: Deployment) -> String {
        let finished = run.run().await;
        let after = self.versions();
        assert_true(name, &finished, &before, &after, &self.proxy.requests());
        let existing: Vec<_> = after.iter().filter(|(name, _)| *name != "other").collect();
        let existing = existing.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>();
        let existing = if existing.is_empty() { "nothing".to_owned() } else { existing.join(", ") };
        let received = self.proxy.requests().join(" ");
        format!("== {name}: {received}; there: {existing}\n{}", shown(&finished))
    }
}

/// Returns a preview of a run, as the API does.
fn preview(name: &str, run: u64) -> Value {
    let branch = name.strip_prefix("hello-").unwrap();
    let mark = format!(
        "integration=hello repository=github.com/acme/integrations branch={branch} commit=0123abcd run={run} hash=00"
    );
    json!({
        "object": "integration",
        "name": name,
        "version": 3,
        "title": "Hello",
        "summary": format!("<!-- gitbook-deploy:preview {mark} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}

/// The exit code and the events of a run.
fn shown(finished: &Finished) -> String {
    let of_line = |line: &String| {
        // The operating system reports a reset in any of several calls, and an answer is cut at an unknown byte.
        let variable = ["the connection broke: ", "EOF while parsing "];
        match variable.iter().find_map(|text| Some((line.split_once(text)?.0, text))) {
            Some((before, text)) => format!("{before}{text}…"),
            None => line.clone(),
        }
    };
    let lines: Vec<_> = finished.events().iter().map(of_line).collect();
    format!("exit {}\n{}", finished.code.unwrap(), lines.join("\n"))
}

/// Compares the report of a run with the state of the sandbox.
fn assert_true(
    row: &str,
    finished: &Finished,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    requests: &[String],
) {
    let log = finished.log();
    let (integrations, notes) = (finished.integrations(), &finished.report["integrations"]);
    for integration in integrations.as_array().unwrap() {
        let name = integration["name"].as_str().unwrap();
        let (was, is) = (before.get(name), after.get(name));
        let is_unknown = integration["error"].to_string().contains(UNKNOWN_EFFECT)
            || notes.as_array().unwrap().iter().any(|one| one["note"].to_string().contains(UNKNOWN_EFFECT));
        match integration["result"].as_str().unwrap() {
            "published" => {
                let version = is.map(ToString::to_string);
                assert_eq!(integration["version"].as_str(), version.as_deref(), "{row}: {log}");
                assert_ne!(was, is, "{row}: {log}");
            }
            "deleted" => assert_eq!(is, None, "{row}: {log}"),
            "failed" => assert!(was == is || is_unknown, "{row}: {log}"),
            _ => assert_eq!(was, is, "{row}: {log}"),
        }
        let is_sent = requests.iter().any(|kind| !matches!(kind.as_str(), "GET" | "LIST"));
        assert!(is_sent || !is_unknown, "{row}: {log}");
        assert_eq!(log.contains(UNKNOWN_EFFECT), is_unknown, "{row}: {log}");
        assert_eq!(finished.summary.contains(UNKNOWN_EFFECT), is_unknown, "{row}: {}", finished.summary);
    }
    let failed = finished.output("result") == "failed";
    assert_eq!(finished.code, Some(i32::from(failed)), "{row}: {log}");
    assert_eq!(finished.report["exit_code"].as_i64(), Some(i64::from(failed)), "{row}");
    assert_eq!(finished.report["result"], finished.output("result"), "{row}");
    let unchanged = |name: &str| before.get(name) == after.get(name);
    assert!(unchanged("other"), "{row}: {log}");
}

/// Returns the outcomes of all rows, in their order. Equal neighbors are merged.
async fn table(rows: &[Row<'_>], check: impl AsyncFn(&Row<'_>) -> String) -> String {
    let outcome = futures::future::join_all(rows.iter().map(async |row| check(row).await)).await;
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

fn html(status: u16) -> Response {
    Response::new(status, "<html>log in to the network</html>").header("content-type", "text/html")
}

/// Returns an error in GitBook's format.
fn busy(status: u16) -> Fault {
    Fault::Say(Effect::Lost, Response::error(status, "Come back later"))
}
