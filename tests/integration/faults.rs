//! A network and servers that fail in every way, between the program and a sandbox: what is there afterwards, how often it
//! was asked, and what is said. Nothing is reported done that is not, and nothing failed that may have happened without
//! saying so.

mod deleting;
mod overtaken;
mod previews;
mod publishing;
mod sweeping;
mod unreachable;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Deployment, Effect, Fault, Faulty, Finished, Repository, Response, Sandbox, deployment, repository,
};

/// What a failure says of which nobody knows whether it happened.
const MAY_HAVE_HAPPENED: &str = "may have happened";

/// A row of a table: its name, the kind of requests that fail, and how, one after the other.
type Row<'a> = (&'a str, &'static str, &'a [Fault]);

/// A sandbox behind a network that fails.
struct World {
    sandbox: Sandbox,
    proxy: Faulty,
    repository: Repository,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        // Somebody's own, so that the organization is there whatever happens.
        sandbox.set(
            "other",
            &json!({"name": "other", "version": 7, "visibility": "public", "owner": {"id": "acme"}}),
        );
        let proxy = Faulty::before(&sandbox).await;
        Self { sandbox, proxy, repository: repository().integration("hello") }
    }

    /// The same, where a preview of the branch `fix` is already.
    async fn with_preview() -> Self {
        let world = Self::new().await;
        world.sandbox.set("hello-fix", &preview("hello-fix", 7));
        world
    }

    /// A run with as many further tries as a row needs.
    fn run(&self, retries: usize) -> Deployment {
        let run = deployment().against(self.proxy.endpoint()).folder(&self.repository);
        run.variable("GITBOOK_RETRIES", retries.to_string())
    }

    /// Each integration that is there, with its version.
    fn there(&self) -> BTreeMap<String, Value> {
        let version = |name: String| (name.clone(), self.sandbox.integration(&name)["version"].clone());
        self.sandbox.names().into_iter().map(version).collect()
    }

    /// What came of a run, in some lines, which must be true.
    async fn told(&self, name: &str, run: Deployment) -> String {
        self.told_since(self.there(), name, run).await
    }

    /// The same, where what the run itself has changed counts from something later than its start.
    async fn told_since(&self, before: BTreeMap<String, Value>, name: &str, run: Deployment) -> String {
        let ended = run.runs().await;
        let after = self.there();
        assert_true(name, &ended, &before, &after, &self.proxy.requests());
        let there: Vec<_> = after.iter().filter(|(name, _)| *name != "other").collect();
        let there = there.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>();
        let there = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
        let asked = self.proxy.requests().join(" ");
        format!("== {name}: {asked}; there: {there}\n{}", shown(&ended))
    }
}

/// A preview as the API tells it, of a run.
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
fn shown(ended: &Finished) -> String {
    let of_line = |line: &String| {
        // The operating system reports a reset in any of several calls, and an answer is cut at an unknown byte.
        let variable = ["the connection broke: ", "EOF while parsing "];
        match variable.iter().find_map(|text| Some((line.split_once(text)?.0, text))) {
            Some((before, text)) => format!("{before}{text}…"),
            None => line.clone(),
        }
    };
    let lines: Vec<_> = ended.events().iter().map(of_line).collect();
    format!("exit {}\n{}", ended.code.unwrap(), lines.join("\n"))
}

/// Holds what a run reports against what is there.
fn assert_true(
    row: &str,
    ended: &Finished,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    requests: &[String],
) {
    let log = ended.log();
    let (integrations, notes) = (ended.integrations(), &ended.report["integrations"]);
    for integration in integrations.as_array().unwrap() {
        let name = integration["name"].as_str().unwrap();
        let (was, is) = (before.get(name), after.get(name));
        let may_have_happened = integration["error"].to_string().contains(MAY_HAVE_HAPPENED)
            || notes
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["note"].to_string().contains(MAY_HAVE_HAPPENED));
        match integration["result"].as_str().unwrap() {
            "published" => {
                let version = is.map(ToString::to_string);
                assert_eq!(integration["version"].as_str(), version.as_deref(), "{row}: {log}");
                assert_ne!(was, is, "{row}: {log}");
            }
            "deleted" => assert_eq!(is, None, "{row}: {log}"),
            "failed" => assert!(was == is || may_have_happened, "{row}: {log}"),
            _ => assert_eq!(was, is, "{row}: {log}"),
        }
        let is_sent = requests.iter().any(|kind| !matches!(kind.as_str(), "GET" | "LIST"));
        assert!(is_sent || !may_have_happened, "{row}: {log}");
        assert_eq!(log.contains(MAY_HAVE_HAPPENED), may_have_happened, "{row}: {log}");
        assert_eq!(ended.summary.contains(MAY_HAVE_HAPPENED), may_have_happened, "{row}: {}", ended.summary);
    }
    let failed = ended.output("result") == "failed";
    assert_eq!(ended.code, Some(i32::from(failed)), "{row}: {log}");
    assert_eq!(ended.report["exit_code"].as_i64(), Some(i64::from(failed)), "{row}");
    assert_eq!(ended.report["result"], ended.output("result"), "{row}");
    let unchanged = |name: &str| before.get(name) == after.get(name);
    assert!(unchanged("other"), "{row}: {log}");
}

/// What all rows of a table come to, in their order. Where neighbours are told the same it stands below the last of them.
async fn table(rows: &[Row<'_>], check: impl AsyncFn(&Row<'_>) -> String) -> String {
    let told = futures::future::join_all(rows.iter().map(async |row| check(row).await)).await;
    let told: Vec<_> = told.iter().map(|told| told.split_once('\n').unwrap()).collect();
    let mut text = String::new();
    for (index, (head, said)) in told.iter().enumerate() {
        text.push_str(&format!("{head}\n"));
        if told.get(index + 1).is_none_or(|(_, next)| next != said) {
            text.push_str(&format!("{said}\n"));
        }
    }
    text
}

fn html(status: u16) -> Response {
    Response::new(status, "<html>log in to the network</html>").header("content-type", "text/html")
}

/// GitBook's own words.
fn busy(status: u16) -> Fault {
    Fault::Say(Effect::Lost, Response::error(status, "Come back later"))
}
