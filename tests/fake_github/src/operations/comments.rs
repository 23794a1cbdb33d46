//! Comments below pull requests, which are issues to GitHub here.

use std::sync::LazyLock;

use super::rendering::user;
use super::{BELOW, Taken, login, number};
use crate::call::Call;
use crate::paging::page;
use crate::response::Answer;
use crate::state::{Remark, State};
use crate::template::{Fields, Template, example, open, replace};

/// The most characters that GitHub takes.
const LONGEST: usize = 65_536;

static COMMENT: LazyLock<Template> = LazyLock::new(|| {
    let mut comment = example("issue-comment");
    replace(&mut comment, "/1347", "/«pull»");
    replace(&mut comment, "comments/1", "comments/«path»");
    replace(&mut comment, "comment-1", "comment-«path»");
    open(&mut comment, &["id", "body", "user", "created_at", "updated_at"]);
    Template::new(&comment)
});

pub(crate) fn below(state: &State, pull: u64) -> Vec<Remark> {
    state.comments.values().filter(|remark| remark.pull == pull).cloned().collect()
}

pub(crate) fn add(state: &mut State, login: &str, pull: u64, body: &str) -> Remark {
    let (id, now) = (state.next_id(), state.now());
    let remark = Remark {
        id,
        pull,
        author: login.to_owned(),
        body: body.to_owned(),
        created_at: now.clone(),
        updated_at: now,
    };
    state.comments.insert(id, remark.clone());
    remark
}

pub(crate) fn list(state: &mut State, call: &Call, taken: &Taken) -> Answer {
    let Some(pull) = known(state, taken) else { return Answer::not_found() };
    let since = call.parameter("since").unwrap_or_default();
    let remarks: Vec<_> =
        below(state, pull).into_iter().filter(|it| it.updated_at.as_str() >= since).collect();
    page(state, call, &remarks, render)
}

pub(crate) fn create(state: &mut State, call: &Call, taken: &Taken) -> Answer {
    let Some(pull) = known(state, taken) else { return Answer::not_found() };
    let body = call.text("body").unwrap_or_default();
    if let Some(refused) = refused(body) {
        return refused;
    }
    let login = login(state, call);
    let remark = add(state, &login, pull, body);
    let location = format!("{}{BELOW}/issues/comments/{}", state.base, remark.id);
    Answer::json(201, render(state, &remark)).with("location", location)
}

pub(crate) fn get(state: &mut State, _: &Call, taken: &Taken) -> Answer {
    let remark = number(taken, "comment_id").and_then(|id| state.comments.get(&id)).cloned();
    remark.map_or_else(Answer::not_found, |remark| Answer::json(200, render(state, &remark)))
}

pub(crate) fn update(state: &mut State, call: &Call, taken: &Taken) -> Answer {
    let now = state.now();
    let remark = number(taken, "comment_id").and_then(|id| state.comments.get_mut(&id));
    let Some(remark) = remark else { return Answer::not_found() };
    let body = call.text("body").unwrap_or_default();
    if let Some(refused) = refused(body) {
        return refused;
    }
    (remark.body, remark.updated_at) = (body.to_owned(), now);
    let remark = remark.clone();
    Answer::json(200, render(state, &remark))
}

pub(crate) fn delete(state: &mut State, _: &Call, taken: &Taken) -> Answer {
    let gone = number(taken, "comment_id").and_then(|id| state.comments.remove(&id));
    gone.map_or_else(Answer::not_found, |_| Answer::empty(204))
}

fn known(state: &State, taken: &Taken) -> Option<u64> {
    number(taken, "issue_number").filter(|number| state.pulls.contains_key(number))
}

fn refused(body: &str) -> Option<Answer> {
    if body.trim().is_empty() {
        return Some(Answer::unprocessable("IssueComment", "data", "Body cannot be blank"));
    }
    let long = body.chars().count() > LONGEST;
    let message = format!("Body is too long (maximum is {LONGEST} characters)");
    long.then(|| Answer::unprocessable("IssueComment", "data", &message))
}

fn render(state: &State, remark: &Remark) -> String {
    let fields = Fields::new(state)
        .part("pull", remark.pull)
        .part("path", remark.id)
        .value("id", remark.id)
        .value("body", remark.body.as_str())
        .part("user", user(state, &remark.author))
        .value("created_at", remark.created_at.as_str())
        .value("updated_at", remark.updated_at.as_str());
    COMMENT.render(&fields)
}
