//! The operations that the stand-in serves.

pub(crate) mod comments;
mod deployments;
mod pulls;
mod rendering;
mod repository;
mod statuses;

use crate::call::Call;
use crate::response::Answer;
use crate::state::{OWNER, REPOSITORY, State};

/// The path below which everything of the repository is found.
const BELOW: &str = "/repos/acme/integrations";

/// The parts of a path that stand for something.
pub(crate) type Taken = Vec<(&'static str, String)>;

type Handler = fn(&mut State, &Call, &Taken) -> Answer;

/// An operation under the name that GitHub's document has for it, which is its method and its path.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    handle: Handler,
}

#[rustfmt::skip]
pub(crate) static SERVED: [Operation; 15] = [
    Operation { name: "GET /user", handle: repository::user },
    Operation { name: "GET /repos/{owner}/{repo}", handle: repository::repository },
    Operation { name: "GET /repos/{owner}/{repo}/branches", handle: repository::branches },
    Operation { name: "GET /repos/{owner}/{repo}/branches/{branch}", handle: repository::branch },
    Operation { name: "GET /repos/{owner}/{repo}/pulls", handle: pulls::list },
    Operation { name: "GET /repos/{owner}/{repo}/pulls/{pull_number}", handle: pulls::get },
    Operation { name: "GET /repos/{owner}/{repo}/issues/{issue_number}/comments", handle: comments::list },
    Operation { name: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", handle: comments::create },
    Operation { name: "GET /repos/{owner}/{repo}/issues/comments/{comment_id}", handle: comments::get },
    Operation { name: "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", handle: comments::update },
    Operation { name: "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", handle: comments::delete },
    Operation { name: "GET /repos/{owner}/{repo}/deployments", handle: deployments::list },
    Operation { name: "POST /repos/{owner}/{repo}/deployments", handle: deployments::create },
    Operation { name: "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses", handle: statuses::list },
    Operation { name: "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses", handle: statuses::create },
];

impl Operation {
    pub(crate) fn method(&self) -> &'static str {
        self.name.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn template(&self) -> &'static str {
        self.name.split(' ').next_back().unwrap_or_default()
    }

    fn take(&self, segments: &[String]) -> Option<Taken> {
        let parts: Vec<&'static str> = self.template().split('/').skip(1).collect();
        if parts.len() != segments.len() {
            return None;
        }
        let mut taken = Taken::new();
        for (part, segment) in parts.into_iter().zip(segments) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(_) if segment.is_empty() => return None,
                Some(name) => taken.push((name, segment.clone())),
                None if part == segment => {}
                None => return None,
            }
        }
        Some(taken)
    }
}

/// The operation that a request is for.
pub(crate) fn find(method: &str, segments: &[String]) -> Option<(&'static Operation, Taken)> {
    let named = SERVED.iter().filter(|operation| operation.method() == method);
    named.filter_map(|operation| Some((operation, operation.take(segments)?))).next()
}

/// The right answer, as far as the token and the repository let it come to that.
pub(crate) fn handle(state: &mut State, operation: &Operation, call: &Call, taken: &Taken) -> Answer {
    state.base = format!("{}{}", state.url, call.prefix);
    let token = call.token();
    if token.is_none() || state.required_token.as_deref().is_some_and(|required| token != Some(required)) {
        return Answer::error(401, "Bad credentials");
    }
    let is =
        |name, expected: &str| text(taken, name).is_none_or(|given| given.eq_ignore_ascii_case(expected));
    if !is("owner", OWNER) || !is("repo", REPOSITORY) {
        return Answer::not_found();
    }
    if operation.method() != "GET" && !call.body.is_empty() && call.json.is_none() {
        return Answer::error(400, "Problems parsing JSON");
    }
    (operation.handle)(state, call, taken)
}

fn text<'a>(taken: &'a Taken, name: &str) -> Option<&'a str> {
    taken.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
}

fn number(taken: &Taken, name: &str) -> Option<u64> {
    text(taken, name)?.parse().ok()
}

/// The login behind the request.
fn login(state: &State, call: &Call) -> String {
    state.login_of(call.token().unwrap_or_default())
}
