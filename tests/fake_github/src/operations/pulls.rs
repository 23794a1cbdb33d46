//! Pull requests.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::rendering::{placeholders, repository, user};
use super::{PathValues, number};
use crate::call::Call;
use crate::paging::page;
use crate::response::Answer;
use crate::scenario::merge_commit;
use crate::state::{DEFAULT_BRANCH, OWNER, Pull, State};
use crate::template::{Fields, Template, example, insert_placeholders, replace, set_fields};

/// The top-level fields of the example that are replaced by placeholders.
const OWN_FIELDS: [&str; 10] = [
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
    LazyLock::new(|| Template::new(&with_placeholders(example("pull-request-simple-items")[0].take())));

static FULL: LazyLock<Template> = LazyLock::new(|| {
    let mut pull = with_placeholders(example("pull-request"));
    insert_placeholders(&mut pull, &["merged", "merged_by", "comments", "mergeable"]);
    Template::new(&pull)
});

/// Adds placeholders to GitHub's example of a pull request, and empties fields that the fake does not support.
fn with_placeholders(mut pull: Value) -> Value {
    let sha = pull["head"]["sha"].as_str().unwrap_or_default().to_owned();
    replace(&mut pull, "/1347", "/«path»");
    replace(&mut pull, &format!("/{sha}"), "/«commit»");
    let unused = json!({
        "locked": false, "active_lock_reason": null, "labels": [], "milestone": null, "assignee": null,
        "assignees": [], "requested_reviewers": [], "requested_teams": [],
    });
    set_fields(&mut pull, unused);
    insert_placeholders(&mut pull, &OWN_FIELDS);
    let head = [("label", "head_label"), ("ref", "head_ref"), ("sha", "head_sha"), ("user", "user")];
    set_fields(&mut pull["head"], placeholders(&head));
    set_fields(&mut pull["head"], placeholders(&[("repo", "head_repo")]));
    set_fields(
        &mut pull["base"],
        placeholders(&[("sha", "base_sha"), ("user", "base_user"), ("repo", "base_repo")]),
    );
    set_fields(
        &mut pull["base"],
        json!({"label": format!("{OWNER}:{DEFAULT_BRANCH}"), "ref": DEFAULT_BRANCH}),
    );
    pull
}

pub(crate) fn list(state: &mut State, call: &Call, _: &PathValues) -> Answer {
    let mut pulls: Vec<Pull> =
        state.pulls.values().filter(|pull| matches_filters(pull, call)).cloned().collect();
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

fn matches_filters(pull: &Pull, call: &Call) -> bool {
    let state = match call.parameter("state") {
        Some("all") => true,
        Some("closed") => !pull.open,
        _ => pull.open,
    };
    // GitHub ignores a head without an owner.
    let head = call.parameter("head").filter(|head| head.contains(':'));
    let base = call.parameter("base").is_none_or(|base| base == DEFAULT_BRANCH);
    state && base && head.is_none_or(|head| head == label(pull))
}

pub(crate) fn get(state: &mut State, _: &Call, values: &PathValues) -> Answer {
    let pull = number(values, "pull_number").and_then(|number| state.pulls.get(&number)).cloned();
    pull.map_or_else(Answer::not_found, |pull| Answer::json(200, full(state, &pull)))
}

fn full(state: &State, pull: &Pull) -> String {
    let comments = state.comments.values().filter(|comment| comment.pull == pull.number).count();
    let merged = pull.merged_at.is_some();
    let merged_by = if merged { user(state, OWNER) } else { "null".to_owned() };
    let fields = fields(state, pull).value("merged", merged).raw("merged_by", merged_by);
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
        .raw("path", pull.number)
        .raw("commit", &pull.sha)
        .value("id", 2_000_000_000 + pull.number)
        .value("number", pull.number)
        .value("title", format!("Pull request {}", pull.number))
        .value("state", if pull.open { "open" } else { "closed" })
        .value("created_at", pull.created_at.as_str())
        .value("updated_at", pull.updated_at.as_str())
        .value("closed_at", pull.closed_at.clone())
        .value("merged_at", pull.merged_at.clone())
        .value("merge_commit_sha", merge)
        .raw("user", user(state, owner))
        .value("head_label", label(pull))
        .value("head_ref", pull.head.branch.as_str())
        .value("head_sha", pull.sha.as_str())
        .raw("head_repo", fork)
        .value("base_sha", base_sha)
        .raw("base_user", user(state, OWNER))
        .raw("base_repo", repository(state, OWNER))
}

fn owner(pull: &Pull) -> &str {
    pull.head.fork.as_deref().unwrap_or(OWNER)
}

fn label(pull: &Pull) -> String {
    format!("{}:{}", owner(pull), pull.head.branch)
}
