//! Comments on pull requests, which GitHub's API treats as issues.

use std::sync::LazyLock;

use super::rendering::user;
use super::{PathValues, REPOSITORY_PATH, login, number};
use crate::call::Call;
use crate::paging::page;
use crate::response::Answer;
use crate::state::{State, StoredComment};
use crate::template::{Fields, Template, example, insert_placeholders, replace};

/// The maximum number of characters of a comment.
const MAX_LENGTH: usize = 65_536;

static COMMENT: LazyLock<Template> = LazyLock::new(|| {
    let mut comment = example("issue-comment");
    replace(&mut comment, "/1347", "/«pull»");
    replace(&mut comment, "comments/1", "comments/«path»");
    replace(&mut comment, "comment-1", "comment-«path»");
    insert_placeholders(&mut comment, &["id", "body", "user", "created_at", "updated_at"]);
    Template::new(&comment)
});

pub(crate) fn on_pull(state: &State, pull: u64) -> Vec<StoredComment> {
    state.comments.values().filter(|comment| comment.pull == pull).cloned().collect()
}

pub(crate) fn add(state: &mut State, login: &str, pull: u64, body: &str) -> StoredComment {
    let (id, now) = (state.next_id(), state.now());
    let comment = StoredComment {
        id,
        pull,
        author: login.to_owned(),
        body: body.to_owned(),
        created_at: now.clone(),
        updated_at: now,
    };
    state.comments.insert(id, comment.clone());
    comment
}

pub(crate) fn list(state: &mut State, call: &Call, values: &PathValues) -> Answer {
    let Some(pull) = known_pull(state, values) else { return Answer::not_found() };
    let since = call.parameter("since").unwrap_or_default();
    let comments: Vec<_> =
        on_pull(state, pull).into_iter().filter(|comment| comment.updated_at.as_str() >= since).collect();
    page(state, call, &comments, render)
}

pub(crate) fn create(state: &mut State, call: &Call, values: &PathValues) -> Answer {
    let Some(pull) = known_pull(state, values) else { return Answer::not_found() };
    let body = call.text("body").unwrap_or_default();
    if let Some(error) = body_error(body) {
        return error;
    }
    let login = login(state, call);
    let comment = add(state, &login, pull, body);
    let location = format!("{}{REPOSITORY_PATH}/issues/comments/{}", state.base, comment.id);
    Answer::json(201, render(state, &comment)).with("location", location)
}

pub(crate) fn get(state: &mut State, _: &Call, values: &PathValues) -> Answer {
    let comment = number(values, "comment_id").and_then(|id| state.comments.get(&id)).cloned();
    comment.map_or_else(Answer::not_found, |comment| Answer::json(200, render(state, &comment)))
}

pub(crate) fn update(state: &mut State, call: &Call, values: &PathValues) -> Answer {
    let now = state.now();
    let comment = number(values, "comment_id").and_then(|id| state.comments.get_mut(&id));
    let Some(comment) = comment else { return Answer::not_found() };
    let body = call.text("body").unwrap_or_default();
    if let Some(error) = body_error(body) {
        return error;
    }
    (comment.body, comment.updated_at) = (body.to_owned(), now);
    let comment = comment.clone();
    Answer::json(200, render(state, &comment))
}

pub(crate) fn delete(state: &mut State, _: &Call, values: &PathValues) -> Answer {
    let removed = number(values, "comment_id").and_then(|id| state.comments.remove(&id));
    removed.map_or_else(Answer::not_found, |_| Answer::empty(204))
}

fn known_pull(state: &State, values: &PathValues) -> Option<u64> {
    number(values, "issue_number").filter(|number| state.pulls.contains_key(number))
}

fn body_error(body: &str) -> Option<Answer> {
    if body.trim().is_empty() {
        return Some(Answer::unprocessable("IssueComment", "data", "Body cannot be blank"));
    }
    let is_too_long = body.chars().count() > MAX_LENGTH;
    let message = format!("Body is too long (maximum is {MAX_LENGTH} characters)");
    is_too_long.then(|| Answer::unprocessable("IssueComment", "data", &message))
}

fn render(state: &State, comment: &StoredComment) -> String {
    let fields = Fields::new(state)
        .raw("pull", comment.pull)
        .raw("path", comment.id)
        .value("id", comment.id)
        .value("body", comment.body.as_str())
        .raw("user", user(state, &comment.author))
        .value("created_at", comment.created_at.as_str())
        .value("updated_at", comment.updated_at.as_str());
    COMMENT.render(&fields)
}
