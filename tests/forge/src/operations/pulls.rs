//! Pull requests.

use serde_json::{Value, json};

use super::rendering::{example, fill, replace, short_repository, user};
use super::{Taken, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::paging::page;
use crate::state::{DEFAULT_BRANCH, OWNER, Pull, State};
use crate::story::merge_commit;

/// The number of the pull request in GitHub's examples.
const SHOWN: &str = "/1347";

pub(crate) fn list(state: &mut State, call: &Call, _: &Taken) -> Answer {
    let mut pulls: Vec<Pull> = state.pulls.values().filter(|pull| is_wanted(pull, call)).cloned().collect();
    if matches!(call.parameter("sort"), Some("updated")) {
        pulls.sort_by(|one, other| one.updated_at.cmp(&other.updated_at));
    } else {
        pulls.sort_by(|one, other| one.created_at.cmp(&other.created_at));
    }
    let newest_first = matches!(call.parameter("sort"), None | Some("created"));
    match call.parameter("direction") {
        Some("asc") => {}
        Some(_) => pulls.reverse(),
        None if newest_first => pulls.reverse(),
        None => {}
    }
    page(state, call, &pulls, simple)
}

fn is_wanted(pull: &Pull, call: &Call) -> bool {
    let state = match call.parameter("state") {
        Some("all") => true,
        Some("closed") => !pull.open,
        _ => pull.open,
    };
    // GitHub does not look at a head without an owner.
    let head = call.parameter("head").filter(|head| head.contains(':'));
    let base = call.parameter("base").is_none_or(|base| base == DEFAULT_BRANCH);
    state && base && head.is_none_or(|head| head == label(pull))
}

pub(crate) fn get(state: &mut State, _: &Call, taken: &Taken) -> Answer {
    let pull = number(taken, "pull_number").and_then(|number| state.pulls.get(&number)).cloned();
    pull.map_or_else(Answer::not_found, |pull| Answer::json(200, full(state, &pull)))
}

fn full(state: &mut State, pull: &Pull) -> Value {
    let example = example(state, "pull-request");
    let mut value = common(state, example, pull);
    let comments = state.comments.values().filter(|comment| comment.pull == pull.number).count();
    let merged = pull.merged_at.is_some();
    let merged_by = if merged { user(state, OWNER) } else { Value::Null };
    fill(
        &mut value,
        json!({"merged": merged, "merged_by": merged_by, "comments": comments, "mergeable": pull.open.then_some(true)}),
    );
    value
}

fn simple(state: &mut State, pull: &Pull) -> Value {
    let example = example(state, "pull-request-simple-items")[0].take();
    common(state, example, pull)
}

fn common(state: &mut State, mut value: Value, pull: &Pull) -> Value {
    quieten(&mut value);
    replace(&mut value, SHOWN, &format!("/{}", pull.number));
    let old = value["head"]["sha"].as_str().unwrap_or_default().to_owned();
    replace(&mut value, &old, &pull.sha);
    let (head, base) = (head(state, value["head"].take(), pull), base(state, value["base"].take()));
    let author = user(state, owner(pull));
    fill(
        &mut value,
        json!({
            "id": 2_000_000_000 + pull.number, "number": pull.number, "user": author, "head": head, "base": base,
            "title": format!("Pull request {}", pull.number),
            "state": if pull.open { "open" } else { "closed" },
            "created_at": pull.created_at, "updated_at": pull.updated_at,
            "closed_at": pull.closed_at, "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merged_at.as_ref().map(|_| merge_commit(pull.number)),
        }),
    );
    value
}

/// What GitHub's examples show and these pull requests do not have.
fn quieten(value: &mut Value) {
    fill(
        value,
        json!({
            "locked": false, "active_lock_reason": null, "labels": [], "milestone": null, "assignee": null,
            "assignees": [], "requested_reviewers": [], "requested_teams": [],
        }),
    );
}

fn owner(pull: &Pull) -> &str {
    pull.head.fork.as_deref().unwrap_or(OWNER)
}

fn label(pull: &Pull) -> String {
    format!("{}:{}", owner(pull), pull.head.branch)
}

fn head(state: &mut State, mut head: Value, pull: &Pull) -> Value {
    let repository = match head["repo"].take() {
        _ if pull.fork_is_gone => Value::Null,
        shown => short_repository(state, shown, owner(pull)),
    };
    let user = user(state, owner(pull));
    fill(
        &mut head,
        json!({
            "label": label(pull), "ref": pull.head.branch, "sha": pull.sha, "user": user, "repo": repository,
        }),
    );
    head
}

fn base(state: &mut State, mut base: Value) -> Value {
    let repository = short_repository(state, base["repo"].take(), OWNER);
    let user = user(state, OWNER);
    let sha = state.branches.get(DEFAULT_BRANCH).cloned().unwrap_or_default();
    let label = format!("{OWNER}:{DEFAULT_BRANCH}");
    fill(
        &mut base,
        json!({"label": label, "ref": DEFAULT_BRANCH, "sha": sha, "user": user, "repo": repository}),
    );
    base
}
