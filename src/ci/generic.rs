//! Handles unknown CI systems and the variables that override the detected event, such as `GITBOOK_EVENT` and `GITBOOK_BRANCH`.

use super::{
    Activity, Ci, CiError, Event, PullRequest, PullRequestOrigin, repository_name, strip_heads_prefix,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// The values of `GITBOOK_EVENT`.
pub(super) const EVENT_NAMES: [&str; 9] =
    ["push", "pull_request", "closed", "delete", "tag", "merge_queue", "schedule", "manual", "release"];

/// The maximum length of a branch name in bytes. Forges have the same limit.
const MAX_BRANCH_LENGTH: usize = 255;

/// Returns a `Ci` without an event, for a run outside of the known CI systems.
pub(super) fn unknown_system(environment: &Environment) -> Ci {
    let system = if environment.get("CI").is_some() { "an unknown CI system" } else { "no CI system" };
    Ci::new(system, Event::Unknown)
}

/// Replaces detected values with the values of `GITBOOK_` variables.
pub(super) fn apply_overrides(mut ci: Ci, environment: &Environment) -> Result<Ci, CiError> {
    let read = |name: &str| environment.get(name).map(str::to_owned);
    if let Event::PullRequest(PullRequest { origin: PullRequestOrigin::Fork, has_base_secrets, .. }) =
        ci.event
    {
        ci.is_from_fork = true;
        ci.is_fork_with_base_secrets |= has_base_secrets;
    }
    // The branch of the detected commit. An event without a branch, such as a scheduled run, uses the default branch.
    let detected_branch =
        ci.event.branch().cloned().or_else(|| ci.default_branch.as_deref().map(Branch::new));
    if let Some(repository) = read_repository_override(environment)?
        .filter(|name| !ci.repository.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    {
        (ci.repository, ci.repository_id) = (Some(repository), None);
    }
    (ci.forge, ci.api_root) = super::forge_detection::detect_forge(&ci, environment);
    ci.has_api_variable = environment.get(ci.forge.api_variable()).is_some();
    ci.default_branch = read("GITBOOK_DEFAULT_BRANCH")
        .map(|branch| strip_heads_prefix(&branch).to_owned())
        .or(ci.default_branch);
    let branch_override =
        read_branch_override(environment)?.map(|branch| restore_fork_owner(branch, &ci.event));
    // A detected pull request belongs to the pushed branch, not to a branch from `GITBOOK_BRANCH`.
    let detected_number =
        ci.event.pull_request_number().or(ci.pull_request.filter(|_| branch_override.is_none()));
    let branch = branch_override.or_else(|| ci.event.branch().cloned());
    let event = environment.get("GITBOOK_EVENT");
    let number_override = read_pull_request_override(environment)?;
    if number_override.is_some() && event == Some("push") {
        return Err(CiError::PullRequestOnPush);
    }
    let number = number_override.or(detected_number);
    ci.branch.clone_from(&branch);
    ci.pull_request = number;
    let detected = ci.event.clone();
    ci.event = match event {
        Some(event) => keep_origin(parse_event(event, branch, number)?, ci.event),
        None if environment.get("GITBOOK_BRANCH").is_some()
            || environment.get("GITBOOK_PULL_REQUEST").is_some() =>
        {
            replace_branch_or_number(ci.event, branch, number)?
        }
        None => ci.event,
    };
    // The job stops the environment of the detected event, not the environment of an event from the `GITBOOK_` variables.
    ci.stops_environment &= ci.event == detected;
    // The detected commit does not belong to a branch from `GITBOOK_BRANCH`.
    let is_other_branch = ci.event.branch().is_some_and(|branch| Some(branch) != detected_branch.as_ref());
    ci.commit = read("GITBOOK_COMMIT").or(ci.commit.filter(|_| !is_other_branch));
    Ok(ci)
}

/// Reads a repository name from `GITBOOK_REPOSITORY`. The name must include the host, because ownership markers must
/// distinguish forges.
fn read_repository_override(environment: &Environment) -> Result<Option<String>, CiError> {
    let Some(value) = environment.get("GITBOOK_REPOSITORY") else { return Ok(None) };
    // On some CI systems, users can set `GITBOOK_REPOSITORY` only to the clone URL.
    let is_url = value.contains("://") || value.contains('@');
    let name = if is_url { repository_name(value) } else { Some(value.to_owned()) };
    let has_host =
        |name: &String| name.split('/').count() > 2 && name.split('/').all(|segment| !segment.is_empty());
    if let Some(name) = name.filter(has_host) {
        return Ok(Some(name));
    }
    let problem = "not a repository name with a host".to_owned();
    Err(CiError::InvalidVariable { variable: "GITBOOK_REPOSITORY", problem })
}

fn read_branch_override(environment: &Environment) -> Result<Option<Branch>, CiError> {
    let Some(text) = environment.get("GITBOOK_BRANCH") else { return Ok(None) };
    let name = strip_heads_prefix(text.trim());
    let problem = if name.is_empty() {
        "blank".to_owned()
    } else if name.len() > MAX_BRANCH_LENGTH {
        format!("{} bytes; the limit is {MAX_BRANCH_LENGTH}", name.len())
    } else if name.starts_with("refs/") {
        format!("`{}`, which is a ref, but not a branch", name.escape_debug())
    } else if let Some(character) = name.chars().find(|character| character.is_control()) {
        format!("not a branch name: it contains the control character `{}`", character.escape_debug())
    } else if !Branch::new(name).is_valid() {
        format!("`{}`, which is not a valid Git branch name", name.escape_debug())
    } else {
        return Ok(Some(Branch::new(name)));
    };
    Err(CiError::InvalidVariable { variable: "GITBOOK_BRANCH", problem })
}

fn read_pull_request_override(environment: &Environment) -> Result<Option<u64>, CiError> {
    // Some CI systems provide `false` instead of a number if there is no pull request.
    let text = environment.get("GITBOOK_PULL_REQUEST").filter(|text| *text != "false");
    let parse =
        |text: &str| text.parse().map_err(|_| format!("`{}`, which is not a number", text.escape_debug()));
    text.map(parse)
        .transpose()
        .map_err(|problem| CiError::InvalidVariable { variable: "GITBOOK_PULL_REQUEST", problem })
}

/// Adds the fork's owner to the branch from `GITBOOK_BRANCH` if the detected event is a pull request from a fork's branch of that
/// name. Users often set `GITBOOK_BRANCH` to `github.head_ref`, which is just `main` for a fork's `main`.
fn restore_fork_owner(branch: Branch, detected: &Event) -> Branch {
    match detected {
        Event::PullRequest(PullRequest { origin: PullRequestOrigin::Fork, branch: head, .. })
            if head.as_str().split_once(':').is_some_and(|(_, name)| name == branch.as_str()) =>
        {
            head.clone()
        }
        _ => branch,
    }
}

/// Keeps the origin of the detected pull request. `GITBOOK_EVENT` cannot turn a fork's pull request into a pull request from
/// the repository itself.
fn keep_origin(event: Event, detected: Event) -> Event {
    match (event, detected) {
        (Event::PullRequest(requested), Event::PullRequest(detected)) => Event::PullRequest(PullRequest {
            origin: detected.origin,
            has_base_secrets: detected.has_base_secrets,
            ..requested
        }),
        (event, _) => event,
    }
}

/// Returns the event that `GITBOOK_EVENT` names.
fn parse_event(event: &str, branch: Option<Branch>, number: Option<u64>) -> Result<Event, CiError> {
    let require_branch = |branch: Option<Branch>| {
        let problem = format!("not set, but the event `{event}` requires it");
        branch.ok_or(CiError::InvalidVariable { variable: "GITBOOK_BRANCH", problem })
    };
    match event {
        "push" => Ok(Event::Push(require_branch(branch)?)),
        "delete" => Ok(Event::BranchDeleted(require_branch(branch)?)),
        "pull_request" => {
            let problem = format!("not set, but the event `{event}` requires it");
            let number =
                number.ok_or(CiError::InvalidVariable { variable: "GITBOOK_PULL_REQUEST", problem })?;
            Ok(Event::PullRequest(own_pull_request(number, require_branch(branch)?, Activity::Updated)))
        }
        // A closed pull request and a deleted branch have the same effect: the preview is deleted.
        "closed" => match number {
            Some(number) => {
                Ok(Event::PullRequest(own_pull_request(number, require_branch(branch)?, Activity::Closed)))
            }
            None => Ok(Event::BranchDeleted(require_branch(branch)?)),
        },
        "tag" => Ok(Event::Tag { deleted: false }),
        "merge_queue" => Ok(Event::MergeQueue),
        "schedule" => Ok(Event::Schedule),
        "manual" => Ok(Event::Manual(branch)),
        "release" => Ok(Event::Release),
        _ => Err(CiError::InvalidVariable {
            variable: "GITBOOK_EVENT",
            problem: format!("`{}`, which is not a known event", event.escape_debug()),
        }),
    }
}

/// Replaces the branch or pull request of the detected event.
fn replace_branch_or_number(
    event: Event,
    branch: Option<Branch>,
    number: Option<u64>,
) -> Result<Event, CiError> {
    match (event, branch, number) {
        (Event::PullRequest(detected), Some(branch), Some(number)) => {
            Ok(Event::PullRequest(PullRequest { number, branch, ..detected }))
        }
        (Event::BranchDeleted(_), Some(branch), _) => Ok(Event::BranchDeleted(branch)),
        (Event::Manual(_), Some(branch), _) => Ok(Event::Manual(Some(branch))),
        (_, Some(branch), Some(number)) => parse_event("pull_request", Some(branch), Some(number)),
        (Event::Push(_) | Event::Unknown, Some(branch), None) => Ok(Event::Push(branch)),
        (event, Some(_), None) => Ok(event),
        (_, None, _) => {
            let problem = "not set, but `GITBOOK_PULL_REQUEST` requires it".to_owned();
            Err(CiError::InvalidVariable { variable: "GITBOOK_BRANCH", problem })
        }
    }
}

fn own_pull_request(number: u64, branch: Branch, activity: Activity) -> PullRequest {
    PullRequest {
        number,
        branch,
        activity,
        origin: PullRequestOrigin::SameRepository,
        has_base_secrets: false,
    }
}

#[cfg(test)]
mod tests {
    use crate::ci::{Activity, Event, detect};
    use crate::environment::Environment;
    use crate::repository::Branch;

    fn event(variables: &[(&str, &str)]) -> Result<Event, String> {
        detect(&Environment::of(variables)).map(|ci| ci.event).map_err(|e| format!("{e} ({})", e.hint()))
    }

    fn pull_request(number: u64, branch: &str, activity: Activity) -> Event {
        Event::PullRequest(super::own_pull_request(number, Branch::new(branch), activity))
    }

    #[test]
    fn parses_the_name_of_every_event() {
        let with = |event_name: &str| {
            event(&[("GITBOOK_EVENT", event_name), ("GITBOOK_BRANCH", "refs/heads/a/b")]).unwrap()
        };
        assert_eq!(with("push"), Event::Push(Branch::new("a/b")));
        assert_eq!(with("closed"), Event::BranchDeleted(Branch::new("a/b")));
        assert_eq!(with("delete"), Event::BranchDeleted(Branch::new("a/b")));
        assert_eq!(with("tag"), Event::Tag { deleted: false });
        assert_eq!(with("merge_queue"), Event::MergeQueue);
        assert_eq!(with("schedule"), Event::Schedule);
        assert_eq!(with("manual"), Event::Manual(Some(Branch::new("a/b"))));
        assert_eq!(with("release"), Event::Release);
    }

    #[test]
    fn detects_a_pull_request_from_its_number() {
        let with = |name: &str| {
            event(&[("GITBOOK_EVENT", name), ("GITBOOK_BRANCH", "x"), ("GITBOOK_PULL_REQUEST", "12")])
                .unwrap()
        };
        assert_eq!(with("pull_request"), pull_request(12, "x", Activity::Updated));
        assert_eq!(with("closed"), pull_request(12, "x", Activity::Closed));
        assert_eq!(
            event(&[("GITBOOK_BRANCH", "x"), ("GITBOOK_PULL_REQUEST", "12")]).unwrap(),
            pull_request(12, "x", Activity::Updated)
        );
        assert_eq!(
            event(&[("GITBOOK_BRANCH", "x"), ("GITBOOK_PULL_REQUEST", "false")]).unwrap(),
            Event::Push(Branch::new("x"))
        );
    }

    #[test]
    fn detects_no_event_without_variables() {
        assert_eq!(event(&[]).unwrap(), Event::Unknown);
        assert_eq!(event(&[("CI", "true")]).unwrap(), Event::Unknown);
    }

    #[test]
    fn rejects_invalid_values_with_a_hint() {
        let check =
            |variables: &[(&str, &str)], expected: &str| assert_eq!(event(variables).unwrap_err(), expected);
        check(
            &[("GITBOOK_EVENT", "psuh")],
            "`GITBOOK_EVENT` is `psuh`, which is not a known event (set `GITBOOK_EVENT` to one of push, pull_request, closed, delete, tag, merge_queue, schedule, manual, release)",
        );
        check(
            &[("GITBOOK_EVENT", "push")],
            "`GITBOOK_BRANCH` is not set, but the event `push` requires it (set `GITBOOK_BRANCH` to a branch name such as `feature/x`)",
        );
        check(
            &[("GITBOOK_PULL_REQUEST", "x"), ("GITBOOK_BRANCH", "b")],
            "`GITBOOK_PULL_REQUEST` is `x`, which is not a number (set `GITBOOK_PULL_REQUEST` to the pull request number)",
        );
        check(
            &[("GITBOOK_EVENT", "push"), ("GITBOOK_PULL_REQUEST", "12"), ("GITBOOK_BRANCH", "main")],
            "`GITBOOK_PULL_REQUEST` is set, but `GITBOOK_EVENT` is `push` (unset `GITBOOK_PULL_REQUEST`, or set `GITBOOK_EVENT=pull_request`)",
        );
        check(
            &[("GITBOOK_BRANCH", "a\nb")],
            "`GITBOOK_BRANCH` is not a branch name: it contains the control character `\\n` (set `GITBOOK_BRANCH` to a branch name such as `feature/x`)",
        );
        for repository in ["acme/integrations", "https://github.com/acme", "github.com/acme"] {
            check(
                &[("GITBOOK_REPOSITORY", repository)],
                "`GITBOOK_REPOSITORY` is not a repository name with a host (set `GITBOOK_REPOSITORY` to a name such as `github.com/acme/integrations`)",
            );
        }
        for url in ["https://user:token@github.com/acme/x.git", "git@github.com:acme/x.git"] {
            let ci = detect(&Environment::of(&[("GITBOOK_REPOSITORY", url)])).unwrap();
            assert_eq!(ci.repository.as_deref(), Some("github.com/acme/x"));
        }
        assert!(event(&[("GITBOOK_BRANCH", &"x".repeat(256))]).is_err());
        assert!(event(&[("GITBOOK_BRANCH", &"x".repeat(255))]).is_ok());
    }
}
