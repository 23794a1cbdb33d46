//! The fuzz target for GitHub events: a name and a payload of arbitrary bytes.

use serde_json::Value;

use super::folder::with_file;
use super::log::{FORMATS, print_to_text};
use crate::ci::{self, Ci, Event};
use crate::config::Config;
use crate::environment::Environment;
use crate::error::Error;
use crate::plan::{Decision, Plan, PreviewRef, decide};
use crate::preview::{self, OwnershipMarker};
use crate::report::{Reporter, RunReport};

const EVENT_FILE_NAME: &str = "event.json";

/// The ref of the base branch. `GITHUB_REF` names this branch for many events that concern other branches.
const BASE_REF: &str = "refs/heads/main";

/// Detects an event and makes the decision, with and without a token, in each mode that publishes. Logs the result in each
/// format.
///
/// The first line of the input is the name of the event, and the other lines are the payload. The checks compare the decision
/// with the payload, not with the detected event:
///
/// - Nothing is published, deleted or swept without a token.
/// - A pull request is never published to production. A fork's branch never has the same name as a branch of the repository
///   itself. On `pull_request_target`, nothing from a fork is published in any mode.
/// - Only a push or a manual run on the default branch, or a release, publishes to production. Only the end of a branch or
///   pull request deletes a preview.
/// - The commit of a pull request is its head.
/// - The name, title and ownership marker of a preview are within the API's limits for any branch name.
/// - No log line affects the terminal or CI system that displays it.
pub fn event(data: &[u8]) {
    let (name, payload) = data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len()));
    let Ok(name) = std::str::from_utf8(name) else { return };
    // A variable cannot contain NUL.
    let name = name.replace('\0', "");
    let payload = payload.strip_prefix(b"\n").unwrap_or_default();
    with_file(EVENT_FILE_NAME, payload, |folder| {
        for mode in ["auto", "publish", "preview"] {
            for token in ["", "t"] {
                let variables = [
                    ("CI", "true"),
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_EVENT_NAME", &name),
                    ("GITHUB_EVENT_PATH", EVENT_FILE_NAME),
                    ("GITHUB_REF", BASE_REF),
                    ("GITHUB_RUN_ID", "7"),
                    ("GITHUB_SHA", "5555555"),
                    ("GITBOOK_MODE", mode),
                    ("GITBOOK_TOKEN", token),
                ];
                let variables = variables.map(|(name, value)| (name.into(), value.into()));
                check_event(&Environment::new(variables, folder.to_owned()), &name, payload);
            }
        }
    });
}

/// Checks the decision and the log for an event.
fn check_event(environment: &Environment, name: &str, payload: &[u8]) {
    let (config, warnings) = Config::from_environment(environment).expect("the variables are valid");
    assert_eq!(warnings, []);
    let mut run = RunReport::default();
    if let Ok(ci) = ci::detect(environment) {
        let plan = decide(&config, &ci);
        let payload = serde_json::from_slice(payload).expect("a detected payload is JSON");
        let payload = Payload { event_name: name, value: payload };
        payload.check(&ci, &plan, environment);
        check_names(&plan, &config, &ci);
        (run.ci, run.plan) = (Some(ci), Some(plan));
    }
    let is_auto = environment.get("GITBOOK_MODE") == Some("auto") && config.token.is_some();
    for format in FORMATS.into_iter().filter(|_| is_auto) {
        print_to_text(format, environment, |printer| {
            if let (Some(ci), Some(plan)) = (&run.ci, &run.plan) {
                let (log, _) = crate::report::dispatch(environment, printer);
                tracing::dispatcher::with_default(&log, || {
                    crate::log_decision(&config, ci, plan, None, printer);
                });
            }
            let result = ci::detect(environment).map(drop).map_err(Error::Ci);
            let code = Reporter::open(environment, printer.clone()).finish(&run, result);
            assert_eq!(code, if run.ci.is_some() { 0 } else { 2 });
        });
    }
}

/// The payload of an event.
struct Payload<'a> {
    /// The name of the event.
    event_name: &'a str,
    value: Value,
}

impl Payload<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_pull_request(&self) -> bool {
        matches!(self.event_name, "pull_request" | "pull_request_target")
    }

    /// Returns true for a pull request, unless the payload proves that its head branch is in the repository itself.
    fn may_be_from_fork(&self) -> bool {
        let id = |side: &str| self.value.pointer(&format!("/pull_request/{side}/repo/id"));
        self.is_pull_request() && (id("head").is_none() || id("head") != id("base"))
    }

    /// Returns true if the event is the deletion of a branch or the closing of a pull request.
    fn ends_branch_or_pull_request(&self) -> bool {
        match self.event_name {
            "push" => {
                let after = self.text("/after");
                self.value["deleted"] == true || !after.is_empty() && after.trim_matches('0').is_empty()
            }
            "delete" => self.text("/ref_type") == "branch",
            _ => self.is_pull_request() && self.text("/action") == "closed",
        }
    }

    /// Returns true for a release, a push to the default branch, and a manual run on the default branch.
    fn is_production(&self) -> bool {
        let reference = self.value.get("ref").and_then(Value::as_str).unwrap_or(BASE_REF);
        let default = self.text("/repository/default_branch");
        let is_release = self.event_name == "release" && self.text("/action") == "published";
        let has_branch = matches!(self.event_name, "push" | "workflow_dispatch");
        is_release || has_branch && reference.strip_prefix("refs/heads/") == Some(default)
    }

    fn check(&self, ci: &Ci, plan: &Plan, environment: &Environment) {
        let has_token = environment.get("GITBOOK_TOKEN").is_some();
        let is_auto = environment.get("GITBOOK_MODE") == Some("auto");
        let decision = &plan.decision;
        let publishes = matches!(decision, Decision::Publish | Decision::Preview(_));
        assert!(has_token || !decision.needs_forge(), "{plan:?} without a token");
        assert!(!plan.reason.is_empty() && !plan.reason.contains(char::is_control), "{plan:?}");
        if self.event_name == "pull_request_target" && self.may_be_from_fork() {
            assert!(!publishes, "{plan:?} with the base repository's secrets");
        }
        if self.is_pull_request() {
            assert_eq!(ci.commit.as_deref(), Some(self.text("/pull_request/head/sha")));
        }
        if let Event::PullRequest(request) = &ci.event {
            let head = self.text("/pull_request/head/ref");
            let branch = request.branch.as_str();
            assert_eq!(
                branch.strip_suffix(head).is_some_and(|owner| owner.ends_with(':')),
                self.may_be_from_fork()
            );
            assert!(self.may_be_from_fork() || branch == head, "{branch}");
        }
        if is_auto {
            let publishes_production = *decision == Decision::Publish;
            assert!(
                !publishes_production || self.is_production() && !self.ends_branch_or_pull_request(),
                "{plan:?}"
            );
            assert!(
                !matches!(decision, Decision::Delete(_)) || self.ends_branch_or_pull_request(),
                "{plan:?}"
            );
            assert!(
                !matches!(decision, Decision::Preview(_)) || !self.ends_branch_or_pull_request(),
                "{plan:?}"
            );
            assert!(*decision != Decision::Sweep || self.event_name == "schedule", "{plan:?}");
        }
    }
}

/// Checks the name, title and ownership marker of the preview.
fn check_names(plan: &Plan, config: &Config, ci: &Ci) {
    let (Decision::Preview(target) | Decision::Delete(target)) = &plan.decision else { return };
    let PreviewRef { branch, pull_request } = target;
    let name = config.preview_name.name("hello", branch, *pull_request);
    assert!(name.len() <= 100 && name.starts_with("hello-"), "{name:?}");
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name:?}");
    let title = preview::title("Hello", branch);
    assert!(title.encode_utf16().count() <= 30 && !title.contains(char::is_control), "{title:?}");
    let marker = OwnershipMarker {
        integration: "hello".to_owned(),
        repository: ci.repository.clone().unwrap_or_default(),
        branch: branch.as_str().to_owned(),
        commit: ci.commit.clone().unwrap_or_default(),
        run: ci.run_number,
        ..OwnershipMarker::default()
    };
    if let Some(summary) = preview::summary("Hello.", &marker) {
        assert!(summary.encode_utf16().count() <= 2048);
        assert_eq!(OwnershipMarker::parse(&summary), Some(marker));
    }
}
