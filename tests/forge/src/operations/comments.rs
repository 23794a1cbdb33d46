//! Comments below pull requests, which are issues to GitHub here.

use serde_json::{Value, json};

use super::rendering::{example, fill, replace, user};
use super::{Taken, login, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::paging::page;
use crate::state::{Remark, State};

/// The most characters that GitHub takes.
const LONGEST: usize = 65_536;

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
    let value = render(state, &remark);
    let location = value["url"].as_str().unwrap_or_default().to_owned();
    Answer::json(201, value).with("location", location)
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

fn render(state: &mut State, remark: &Remark) -> Value {
    let mut value = example(state, "issue-comment");
    let author = user(state, &remark.author);
    replace(&mut value, "/1347", &format!("/{}", remark.pull));
    replace(&mut value, "comments/1", &format!("comments/{}", remark.id));
    replace(&mut value, "comment-1", &format!("comment-{}", remark.id));
    fill(
        &mut value,
        json!({
            "id": remark.id, "body": remark.body, "user": author,
            "created_at": remark.created_at, "updated_at": remark.updated_at,
        }),
    );
    value
}
