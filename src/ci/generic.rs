//! Any other CI system: `GITBOOK_EVENT` and its kin say what happened.

use super::{Activity, Author, Ci, CiError, Event, PullRequest, short};
use crate::environment::Environment;
use crate::preview::Branch;

/// What `GITBOOK_EVENT` may say.
pub(super) const EVENTS: [&str; 9] =
    ["push", "pull_request", "closed", "delete", "tag", "merge_queue", "schedule", "manual", "release"];

/// The longest name that forges allow a branch.
const LONGEST_BRANCH: usize = 255;

/// A machine about which nothing is known yet.
pub(super) fn nothing_detected(environment: &Environment) -> Ci {
    let system = if environment.get("CI").is_some() { "an unknown CI system" } else { "no CI system" };
    Ci::of(system, Event::None)
}

/// Lets the generic variables replace what was detected.
pub(super) fn apply(mut ci: Ci, environment: &Environment) -> Result<Ci, CiError> {
    let given = |name: &str| environment.get(name).map(str::to_owned);
    if let Event::PullRequest(PullRequest { author: Author::Fork, runs_as_base, .. }) = ci.event {
        ci.is_of_fork = true;
        ci.fork_as_base |= runs_as_base;
    }
    // Other events than those about a branch are told of the default branch.
    let detected_branch =
        ci.event.branch().cloned().or_else(|| ci.default_branch.as_deref().map(Branch::new));
    if let Some(repository) = repository(environment)?
        .filter(|name| !ci.repository.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    {
        (ci.repository, ci.repository_id) = (Some(repository), None);
    }
    (ci.forge, ci.api) = super::forge::of(&ci, environment);
    ci.default_branch =
        given("GITBOOK_DEFAULT_BRANCH").map(|branch| short(&branch).to_owned()).or(ci.default_branch);
    let given_branch = branch(environment)?.map(|branch| of_the_same_fork(branch, &ci.event));
    // Of a pushed branch the system may know the pull request; of one that is named by hand it does not.
    let detected_number = ci.event.pull_request().or(ci.pull_request.filter(|_| given_branch.is_none()));
    let branch = given_branch.or_else(|| ci.event.branch().cloned());
    let event = environment.get("GITBOOK_EVENT");
    let given_number = number(environment)?;
    if given_number.is_some() && event == Some("push") {
        // Of a fork, whose branch may well be called like the production branch.
        let problem = "set, but `GITBOOK_EVENT` is `push`".to_owned();
        return Err(CiError::Variable { variable: "GITBOOK_PULL_REQUEST", problem });
    }
    let number = given_number.or(detected_number);
    ci.branch.clone_from(&branch);
    ci.pull_request = number;
    let detected = ci.event.clone();
    ci.event = match event {
        Some(event) => from_the_same(named(event, branch, number)?, ci.event),
        None if environment.get("GITBOOK_BRANCH").is_some()
            || environment.get("GITBOOK_PULL_REQUEST").is_some() =>
        {
            replaced(ci.event, branch, number)?
        }
        None => ci.event,
    };
    // Only what the job is of is stopped by it.
    ci.stops &= ci.event == detected;
    // The commit that was detected is not that of a branch which was named by hand.
    let is_of_another = ci.event.branch().is_some_and(|branch| Some(branch) != detected_branch.as_ref());
    ci.commit = given("GITBOOK_COMMIT").or(ci.commit.filter(|_| !is_of_another));
    Ok(ci)
}

/// Marks must tell repositories of several forges apart, so the host is part of the name.
fn repository(environment: &Environment) -> Result<Option<String>, CiError> {
    let Some(given) = environment.get("GITBOOK_REPOSITORY") else { return Ok(None) };
    // What a CI system knows of its repository may be the URL that it is cloned from.
    let is_url = given.contains("://") || given.contains('@');
    let name = if is_url { super::repository::at(given) } else { Some(given.to_owned()) };
    let has_host =
        |name: &String| name.split('/').count() > 2 && name.split('/').all(|part| !part.is_empty());
    if let Some(name) = name.filter(has_host) {
        return Ok(Some(name));
    }
    let problem = "not a repository with its host".to_owned();
    Err(CiError::Variable { variable: "GITBOOK_REPOSITORY", problem })
}

fn branch(environment: &Environment) -> Result<Option<Branch>, CiError> {
    let Some(text) = environment.get("GITBOOK_BRANCH") else { return Ok(None) };
    let name = short(text.trim());
    let problem = if name.is_empty() {
        "blank".to_owned()
    } else if name.len() > LONGEST_BRANCH {
        format!("{} bytes long, {LONGEST_BRANCH} are the most", name.len())
    } else if name.starts_with("refs/") {
        "a ref that is no branch".to_owned()
    } else if name.chars().any(char::is_control) {
        "not a branch's name: it holds a control character".to_owned()
    } else if !Branch::new(name).is_valid() {
        format!("`{name}`, which is not a valid branch name")
    } else {
        return Ok(Some(Branch::new(name)));
    };
    Err(CiError::Variable { variable: "GITBOOK_BRANCH", problem })
}

fn number(environment: &Environment) -> Result<Option<u64>, CiError> {
    // CI systems say `false` where there is no pull request.
    let text = environment.get("GITBOOK_PULL_REQUEST").filter(|text| *text != "false");
    let parse = |text: &str| text.parse().map_err(|_| "not a number".to_owned());
    text.map(parse)
        .transpose()
        .map_err(|problem| CiError::Variable { variable: "GITBOOK_PULL_REQUEST", problem })
}

/// The branch, with its owner where it is the very one of a fork's pull request. `GITBOOK_BRANCH` is often set from
/// `github.head_ref`, which for a fork's `main` is `main`.
fn of_the_same_fork(branch: Branch, detected: &Event) -> Branch {
    match detected {
        Event::PullRequest(PullRequest { author: Author::Fork, branch: head, .. })
            if head.as_str().split_once(':').is_some_and(|(_, name)| name == branch.as_str()) =>
        {
            head.clone()
        }
        _ => branch,
    }
}

/// A pull request stays its author's, whatever is said to have happened to it.
fn from_the_same(event: Event, detected: Event) -> Event {
    match (event, detected) {
        (Event::PullRequest(named), Event::PullRequest(detected)) => Event::PullRequest(PullRequest {
            author: detected.author,
            runs_as_base: detected.runs_as_base,
            ..named
        }),
        (event, _) => event,
    }
}

/// The event that `GITBOOK_EVENT` names.
fn named(event: &str, branch: Option<Branch>, number: Option<u64>) -> Result<Event, CiError> {
    let needed = |branch: Option<Branch>| {
        let problem = format!("unset, and the event `{event}` needs it");
        branch.ok_or(CiError::Variable { variable: "GITBOOK_BRANCH", problem })
    };
    match event {
        "push" => Ok(Event::Push(needed(branch)?)),
        "delete" => Ok(Event::BranchDeleted(needed(branch)?)),
        "pull_request" => {
            let problem = format!("unset, and the event `{event}` needs it");
            let number = number.ok_or(CiError::Variable { variable: "GITBOOK_PULL_REQUEST", problem })?;
            Ok(Event::PullRequest(own(number, needed(branch)?, Activity::Updated)))
        }
        // A closed pull request and a closed branch come to the same: the preview goes.
        "closed" => match number {
            Some(number) => Ok(Event::PullRequest(own(number, needed(branch)?, Activity::Closed))),
            None => Ok(Event::BranchDeleted(needed(branch)?)),
        },
        "tag" => Ok(Event::Tag { deleted: false }),
        "merge_queue" => Ok(Event::MergeQueue),
        "schedule" => Ok(Event::Schedule),
        "manual" => Ok(Event::Manual(branch)),
        "release" => Ok(Event::Release),
        _ => Err(CiError::Variable { variable: "GITBOOK_EVENT", problem: "not an event".to_owned() }),
    }
}

/// What was detected, on another branch or pull request.
fn replaced(event: Event, branch: Option<Branch>, number: Option<u64>) -> Result<Event, CiError> {
    match (event, branch, number) {
        (Event::PullRequest(detected), Some(branch), Some(number)) => {
            Ok(Event::PullRequest(PullRequest { number, branch, ..detected }))
        }
        (Event::BranchDeleted(_), Some(branch), _) => Ok(Event::BranchDeleted(branch)),
        (Event::Manual(_), Some(branch), _) => Ok(Event::Manual(Some(branch))),
        (_, Some(branch), Some(number)) => named("pull_request", Some(branch), Some(number)),
        (Event::Push(_) | Event::None, Some(branch), None) => Ok(Event::Push(branch)),
        (event, Some(_), None) => Ok(event),
        (_, None, _) => {
            let problem = "unset, and `GITBOOK_PULL_REQUEST` needs it".to_owned();
            Err(CiError::Variable { variable: "GITBOOK_BRANCH", problem })
        }
    }
}

fn own(number: u64, branch: Branch, activity: Activity) -> PullRequest {
    PullRequest { number, branch, activity, author: Author::Own, runs_as_base: false }
}

#[cfg(test)]
mod tests {
    use crate::ci::{Activity, Event, detect};
    use crate::environment::Environment;
    use crate::preview::Branch;

    fn event(variables: &[(&str, &str)]) -> Result<Event, String> {
        detect(&Environment::of(variables)).map(|ci| ci.event).map_err(|e| format!("{e} ({})", e.hint()))
    }

    fn pull_request(number: u64, branch: &str, activity: Activity) -> Event {
        Event::PullRequest(super::own(number, Branch::new(branch), activity))
    }

    #[test]
    fn each_event_by_its_name() {
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
    fn a_pull_request_has_a_number() {
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
    fn nothing_given_is_no_event() {
        assert_eq!(event(&[]).unwrap(), Event::None);
        assert_eq!(event(&[("CI", "true")]).unwrap(), Event::None);
    }

    #[test]
    fn what_makes_no_sense_says_what_would() {
        let check =
            |variables: &[(&str, &str)], expected: &str| assert_eq!(event(variables).unwrap_err(), expected);
        check(
            &[("GITBOOK_EVENT", "psuh")],
            "`GITBOOK_EVENT` is not an event (accepted: push, pull_request, closed, delete, tag, merge_queue, schedule, manual, release)",
        );
        check(
            &[("GITBOOK_EVENT", "push")],
            "`GITBOOK_BRANCH` is unset, and the event `push` needs it (use the branch's name as `git branch` prints it)",
        );
        check(
            &[("GITBOOK_PULL_REQUEST", "x"), ("GITBOOK_BRANCH", "b")],
            "`GITBOOK_PULL_REQUEST` is not a number (give the pull request's number, with the event `pull_request` or `closed`, and leave it out with others)",
        );
        check(
            &[("GITBOOK_EVENT", "push"), ("GITBOOK_PULL_REQUEST", "12"), ("GITBOOK_BRANCH", "main")],
            "`GITBOOK_PULL_REQUEST` is set, but `GITBOOK_EVENT` is `push` (give the pull request's number, with the event `pull_request` or `closed`, and leave it out with others)",
        );
        check(
            &[("GITBOOK_BRANCH", "a\nb")],
            "`GITBOOK_BRANCH` is not a branch's name: it holds a control character (use the branch's name as `git branch` prints it)",
        );
        for repository in ["acme/integrations", "https://github.com/acme", "github.com/acme"] {
            check(
                &[("GITBOOK_REPOSITORY", repository)],
                "`GITBOOK_REPOSITORY` is not a repository with its host (such as `github.com/acme/integrations`)",
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
