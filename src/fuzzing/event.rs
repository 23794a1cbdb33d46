//! GitHub's event: its name, and a payload of which any byte may be wrong.

use serde_json::Value;

use super::folder::with_file;
use super::log::{FORMATS, printed};
use crate::ci::{self, Ci, Event};
use crate::config::Config;
use crate::environment::Environment;
use crate::error::Error;
use crate::plan::{Decision, Plan, Target, decide};
use crate::preview::{self, OwnershipMarker};
use crate::report::{Reporter, RunReport};

const FILE: &str = "event.json";

/// The base's branch, which `GITHUB_REF` names on many events that are not about it.
const BASE: &str = "refs/heads/main";

/// Takes the first line for the event's name and the rest for its payload, asks what happened and what to do about it,
/// with a token and without one, as the event says and by every mode that publishes, and prints it in every format.
///
/// What has to hold is said of the payload itself, not of what was made of it:
///
/// - Without a token, nothing is published, deleted or swept.
/// - A pull request is never published to production, its fork's branch is never called as one of ours, and on
///   `pull_request_target` nothing of a fork is published in any mode.
/// - Production is published for a push or a manual run on the default branch, or a release, and nothing else; a preview is
///   deleted only where the payload says that something was closed or deleted.
/// - The commit of a pull request is its head.
/// - Whatever the branch is called, its preview's name, title and mark are within the API's limits, are no other's, and can
///   be read again.
/// - No line of the log acts on what reads it.
pub fn event(data: &[u8]) {
    let (name, payload) = data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len()));
    let Ok(name) = std::str::from_utf8(name) else { return };
    // The system gives no variable with NUL in it.
    let name = name.replace('\0', "");
    let payload = payload.strip_prefix(b"\n").unwrap_or_default();
    with_file(FILE, payload, |folder| {
        for mode in ["auto", "publish", "preview"] {
            for token in ["", "t"] {
                let variables = [
                    ("CI", "true"),
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_EVENT_NAME", &name),
                    ("GITHUB_EVENT_PATH", FILE),
                    ("GITHUB_REF", BASE),
                    ("GITHUB_RUN_ID", "7"),
                    ("GITHUB_SHA", "5555555"),
                    ("GITBOOK_MODE", mode),
                    ("GITBOOK_TOKEN", token),
                ];
                let variables = variables.map(|(name, value)| (name.into(), value.into()));
                told(&Environment::new(variables, folder.to_owned()), &name, payload);
            }
        }
    });
}

/// What comes of the event.
fn told(environment: &Environment, name: &str, payload: &[u8]) {
    let (config, odd) = Config::from_environment(environment).expect("the variables are good");
    assert_eq!(odd, []);
    let mut run = RunReport::default();
    if let Ok(ci) = ci::detect(environment) {
        let plan = decide(&config, &ci);
        let payload = serde_json::from_slice(payload).expect("what was understood is JSON");
        let said = Said { name, payload };
        said.hold(&ci, &plan, environment);
        hold_names(&plan, &config, &ci);
        (run.ci, run.plan) = (Some(ci), Some(plan));
    }
    let is_auto = environment.get("GITBOOK_MODE") == Some("auto") && config.token.is_some();
    for format in FORMATS.into_iter().filter(|_| is_auto) {
        printed(format, environment, |printer| {
            if let (Some(ci), Some(plan)) = (&run.ci, &run.plan) {
                let (log, _) = crate::report::dispatch(environment, printer);
                tracing::dispatcher::with_default(&log, || crate::log(&config, ci, plan, None, printer));
            }
            let result = ci::detect(environment).map(drop).map_err(Error::Ci);
            let code = Reporter::open(environment, printer.clone()).close(&run, result);
            assert_eq!(code, if run.ci.is_some() { 0 } else { 2 });
        });
    }
}

/// What the payload itself says.
struct Said<'a> {
    name: &'a str,
    payload: Value,
}

impl Said<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_pull_request(&self) -> bool {
        matches!(self.name, "pull_request" | "pull_request_target")
    }

    /// Whether the head is not of the repository itself, as far as anything says so.
    fn is_of_fork(&self) -> bool {
        let id = |side: &str| self.payload.pointer(&format!("/pull_request/{side}/repo/id"));
        self.is_pull_request() && (id("head").is_none() || id("head") != id("base"))
    }

    /// Whether something ended.
    fn is_end(&self) -> bool {
        match self.name {
            "push" => {
                let after = self.text("/after");
                self.payload["deleted"] == true || !after.is_empty() && after.trim_matches('0').is_empty()
            }
            "delete" => self.text("/ref_type") == "branch",
            _ => self.is_pull_request() && self.text("/action") == "closed",
        }
    }

    /// Whether it is about the branch that is production's.
    fn is_on_production(&self) -> bool {
        let reference = self.payload.get("ref").and_then(Value::as_str).unwrap_or(BASE);
        let default = self.text("/repository/default_branch");
        let is_release = self.name == "release" && self.text("/action") == "published";
        let has_branch = matches!(self.name, "push" | "workflow_dispatch");
        is_release || has_branch && reference.strip_prefix("refs/heads/") == Some(default)
    }

    fn hold(&self, ci: &Ci, plan: &Plan, environment: &Environment) {
        let has_token = environment.get("GITBOOK_TOKEN").is_some();
        let is_auto = environment.get("GITBOOK_MODE") == Some("auto");
        let decision = &plan.decision;
        let publishes = matches!(decision, Decision::Publish | Decision::Preview(_));
        assert!(has_token || !decision.needs_forge(), "{plan:?} without a token");
        assert!(!plan.reason.is_empty() && !plan.reason.contains(char::is_control), "{plan:?}");
        if self.name == "pull_request_target" && self.is_of_fork() {
            assert!(!publishes, "{plan:?} with the base's secrets");
        }
        if self.is_pull_request() {
            assert_eq!(ci.commit.as_deref(), Some(self.text("/pull_request/head/sha")));
        }
        if let Event::PullRequest(request) = &ci.event {
            let head = self.text("/pull_request/head/ref");
            let branch = request.branch.as_str();
            assert_eq!(
                branch.strip_suffix(head).is_some_and(|owner| owner.ends_with(':')),
                self.is_of_fork()
            );
            assert!(self.is_of_fork() || branch == head, "{branch}");
        }
        if is_auto {
            let is_production = *decision == Decision::Publish;
            assert!(!is_production || self.is_on_production() && !self.is_end(), "{plan:?}");
            assert!(!matches!(decision, Decision::Delete(_)) || self.is_end(), "{plan:?}");
            assert!(!matches!(decision, Decision::Preview(_)) || !self.is_end(), "{plan:?}");
            assert!(*decision != Decision::Sweep || self.name == "schedule", "{plan:?}");
        }
    }
}

/// Holds that the preview which is decided on can be called and known.
fn hold_names(plan: &Plan, config: &Config, ci: &Ci) {
    let (Decision::Preview(target) | Decision::Delete(target)) = &plan.decision else { return };
    let Target { branch, pull_request } = target;
    let name = config.preview_name.name("hello", branch, *pull_request);
    assert!(name.len() <= 100 && name.starts_with("hello-"), "{name:?}");
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name:?}");
    let title = preview::title("Hello", branch);
    assert!(title.encode_utf16().count() <= 30 && !title.contains(char::is_control), "{title:?}");
    let mark = OwnershipMarker {
        integration: "hello".to_owned(),
        repository: ci.repository.clone().unwrap_or_default(),
        branch: branch.as_str().to_owned(),
        commit: ci.commit.clone().unwrap_or_default(),
        run: ci.run,
        ..OwnershipMarker::default()
    };
    if let Some(summary) = preview::summary("Hello.", &mark) {
        assert!(summary.encode_utf16().count() <= 2048);
        assert_eq!(OwnershipMarker::parse(&summary), Some(mark));
    }
}
