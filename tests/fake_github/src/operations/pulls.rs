//! Pull requests.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::rendering::{gaps, repository, user};
use super::{Taken, number};
use crate::call::Call;
use crate::paging::page;
use crate::response::Answer;
use crate::scenario::merge_commit;
use crate::state::{DEFAULT_BRANCH, OWNER, Pull, State};
use crate::template::{Fields, Template, example, fill, open, replace};

/// The fields that depend on the pull request itself.
const OWN: [&str; 10] = [
    "id",
    "number",
    "title",
    "state",
    "user",
    "created_at",
    "updated_at",
    "closed_at",
    "merged_at",
    "merge_commit_sha",
];

static SIMPLE: LazyLock<Template> =
    LazyLock::new(|| Template::new(&opened(example("pull-request-simple-items")[0].take())));

static FULL: LazyLock<Template> = LazyLock::new(|| {
    let mut pull = opened(example("pull-request"));
    open(&mut pull, &["merged", "merged_by", "comments", "mergeable"]);
    Template::new(&pull)
});

/// An example of a pull request with gaps, and without what these pull requests do not have.
fn opened(mut pull: Value) -> Value {
    let sha = pull["head"]["sha"].as_str().unwrap_or_default().to_owned();
    replace(&mut pull, "/1347", "/«path»");
    replace(&mut pull, &format!("/{sha}"), "/«commit»");
    let nothing = json!({
        "locked": false, "active_lock_reason": null, "labels": [], "milestone": null, "assignee": null,
        "assignees": [], "requested_reviewers": [], "requested_teams": [],
    });
    fill(&mut pull, nothing);
    open(&mut pull, &OWN);
    let head = [("label", "head_label"), ("ref", "head_ref"), ("sha", "head_sha"), ("user", "user")];
    fill(&mut pull["head"], gaps(&head));
    fill(&mut pull["head"], gaps(&[("repo", "head_repo")]));
    fill(&mut pull["base"], gaps(&[("sha", "base_sha"), ("user", "base_user"), ("repo", "base_repo")]));
    fill(&mut pull["base"], json!({"label": format!("{OWNER}:{DEFAULT_BRANCH}"), "ref": DEFAULT_BRANCH}));
    pull
}

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

fn full(state: &State, pull: &Pull) -> String {
    let comments = state.comments.values().filter(|comment| comment.pull == pull.number).count();
    let merged = pull.merged_at.is_some();
    let merged_by = if merged { user(state, OWNER) } else { "null".to_owned() };
    let fields = fields(state, pull).value("merged", merged).part("merged_by", merged_by);
    FULL.render(&fields.value("comments", comments).value("mergeable", pull.open.then_some(true)))
}

fn simple(state: &State, pull: &Pull) -> String {
    SIMPLE.render(&fields(state, pull))
}

fn fields(state: &State, pull: &Pull) -> Fields {
    let owner = owner(pull);
    let fork = if pull.fork_is_gone { "null".to_owned() } else { repository(state, owner) };
    let base_sha = state.branches.get(DEFAULT_BRANCH).cloned().unwrap_or_default();
    let merge = pull.merged_at.as_ref().map(|_| merge_commit(pull.number));
    Fields::new(state)
        .part("path", pull.number)
        .part("commit", &pull.sha)
        .value("id", 2_000_000_000 + pull.number)
        .value("number", pull.number)
        .value("title", format!("Pull request {}", pull.number))
        .value("state", if pull.open { "open" } else { "closed" })
        .value("created_at", pull.created_at.as_str())
        .value("updated_at", pull.updated_at.as_str())
        .value("closed_at", pull.closed_at.clone())
        .value("merged_at", pull.merged_at.clone())
        .value("merge_commit_sha", merge)
        .part("user", user(state, owner))
        .value("head_label", label(pull))
        .value("head_ref", pull.head.branch.as_str())
        .value("head_sha", pull.sha.as_str())
        .part("head_repo", fork)
        .value("base_sha", base_sha)
        .part("base_user", user(state, OWNER))
        .part("base_repo", repository(state, OWNER))
}

fn owner(pull: &Pull) -> &str {
    pull.head.fork.as_deref().unwrap_or(OWNER)
}

fn label(pull: &Pull) -> String {
    format!("{}:{}", owner(pull), pull.head.branch)
}
