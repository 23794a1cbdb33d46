//! Assertions for the tests of all CI systems: variables must result in the expected event and decision.

use std::collections::BTreeMap;

use super::{Activity, Ci, Event, PullRequest, PullRequestOrigin, detect};
use crate::config::Config;
use crate::environment::Environment;
use crate::plan::decide;

/// Variables of a job.
pub(super) type Variables<'a> = &'a [(&'a str, &'a str)];

/// Describes an event in short form.
pub(super) fn describe_event(event: &Event) -> String {
    match event {
        Event::Push(branch) => format!("push to {branch}"),
        Event::BranchDeleted(branch) => format!("{branch} deleted"),
        Event::Tag { deleted: true } => "tag deleted".to_owned(),
        Event::Tag { deleted: false } => "tag pushed".to_owned(),
        Event::PullRequest(pull_request) => describe_pull_request(pull_request),
        Event::MergeQueue => "merge queue".to_owned(),
        Event::Schedule => "schedule".to_owned(),
        Event::Manual(Some(branch)) => format!("manual on {branch}"),
        Event::Manual(None) => "manual on no branch".to_owned(),
        Event::Release => "release".to_owned(),
        Event::Unknown => "no event".to_owned(),
        Event::Incomplete(description) => format!("incomplete: {description}"),
        Event::Other(name) => format!("other: {name}"),
    }
}

fn describe_pull_request(pull_request: &PullRequest) -> String {
    let PullRequest { number, branch, activity, origin, has_base_secrets } = pull_request;
    let activity = match activity {
        Activity::Updated => "updated".to_owned(),
        Activity::Closed => "closed".to_owned(),
        Activity::Unnamed => "unnamed".to_owned(),
        Activity::Other(name) => format!("other: {name}"),
    };
    let origin = match origin {
        PullRequestOrigin::SameRepository => "",
        PullRequestOrigin::Fork => " (fork)",
        PullRequestOrigin::Dependabot => " (Dependabot)",
    };
    let as_base = if *has_base_secrets { " as base" } else { "" };
    format!("#{number} of {branch} {activity}{origin}{as_base}")
}

/// Creates an environment with `GITBOOK_TOKEN` and all variables of the sets. A later value replaces an earlier value, and an
/// empty value unsets a variable.
fn environment(variable_sets: &[Variables<'_>]) -> Environment {
    let token = [("GITBOOK_TOKEN", "t")];
    let variables: BTreeMap<&str, &str> =
        token.iter().chain(variable_sets.iter().copied().flatten()).copied().collect();
    Environment::of(&variables.into_iter().collect::<Vec<_>>())
}

/// Detects the CI system and the event from variables.
#[track_caller]
pub(super) fn detect_ci(variable_sets: &[Variables<'_>]) -> Ci {
    detect(&environment(variable_sets)).unwrap()
}

/// Returns the decision and its reason, such as `sweep: scheduled run`.
#[track_caller]
pub(super) fn describe_plan(variable_sets: &[Variables<'_>]) -> String {
    let (config, warnings) = Config::from_environment(&environment(variable_sets)).unwrap();
    assert_eq!(warnings, []);
    let plan = decide(&config, &detect_ci(variable_sets));
    format!("{}: {}", plan.decision.name(), plan.reason)
}

/// Checks the event, the commit and the decision. An empty `commit` means that the commit must be unknown.
#[track_caller]
pub(super) fn check(variable_sets: &[Variables<'_>], event: &str, commit: &str, expected: &str) {
    let ci = detect_ci(variable_sets);
    assert_eq!(describe_event(&ci.event), event, "{variable_sets:?}");
    assert_eq!(ci.commit.as_deref().unwrap_or_default(), commit, "{variable_sets:?}");
    assert_eq!(describe_plan(variable_sets), expected, "{variable_sets:?}");
}

/// Checks the system, repository, default branch, run URL and run number.
#[track_caller]
pub(super) fn check_run(variable_sets: &[Variables<'_>], expected: [&str; 4], run: u64) {
    let ci = detect_ci(variable_sets);
    let found = [Some(ci.system.to_owned()), ci.repository, ci.default_branch, ci.run_url];
    assert_eq!((found.map(Option::unwrap_or_default), ci.run_number), (expected.map(str::to_owned), run));
}

/// Checks that no variable can publish a pull request that may come from a fork under the name of another branch.
#[track_caller]
pub(super) fn check_possible_fork(pull_request: &[Variables<'_>]) {
    let decide = |variables| describe_plan(&[pull_request, &[variables]].concat());
    let main = ("GITBOOK_BRANCH", "main");
    let refused: [Variables<'_>; 4] = [
        &[("GITBOOK_MODE", "publish")],
        &[("GITBOOK_EVENT", "release")],
        &[("GITBOOK_EVENT", "push"), main],
        &[("GITBOOK_MODE", "preview"), main],
    ];
    for variables in refused {
        let decision = decide(variables);
        assert!(decision.starts_with("refuse: "), "{variables:?}: {decision}");
    }
    let previewed: [Variables<'_>; 2] = [&[("GITBOOK_MODE", "preview")], &[]];
    for variables in previewed {
        assert!(decide(variables).starts_with("preview: "), "{variables:?}");
    }
    assert!(decide(&[("GITBOOK_MODE", "delete"), main]).starts_with("delete: "));
}
