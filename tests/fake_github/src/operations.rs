//! The operations that the fake GitHub serves.

pub(crate) mod comments;
mod deployments;
mod pulls;
mod rendering;
mod repository;
mod statuses;

use crate::call::Call;
use crate::response::Answer;
use crate::state::{OWNER, REPOSITORY, State};

/// The URL path of the repository in the API.
const REPOSITORY_PATH: &str = "/repos/acme/integrations";

/// The variable segments of a path, by name.
pub(crate) type PathValues = Vec<(&'static str, String)>;

type Handler = fn(&mut State, &Call, &PathValues) -> Answer;

/// An operation, identified by its method and path in GitHub's document.
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

    fn match_path(&self, segments: &[String]) -> Option<PathValues> {
        let parts: Vec<&'static str> = self.template().split('/').skip(1).collect();
        if parts.len() != segments.len() {
            return None;
        }
        let mut values = PathValues::new();
        for (part, segment) in parts.into_iter().zip(segments) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(_) if segment.is_empty() => return None,
                Some(name) => values.push((name, segment.clone())),
                None if part == segment => {}
                None => return None,
            }
        }
        Some(values)
    }
}

/// Returns the operation of a request.
pub(crate) fn find(method: &str, segments: &[String]) -> Option<(&'static Operation, PathValues)> {
    let candidates = SERVED.iter().filter(|operation| operation.method() == method);
    candidates.filter_map(|operation| Some((operation, operation.match_path(segments)?))).next()
}

/// Returns the response of an operation, or an error for a rejected token or an unknown repository.
pub(crate) fn handle(state: &mut State, operation: &Operation, call: &Call, values: &PathValues) -> Answer {
    state.base = format!("{}{}", state.url, call.prefix);
    let token = call.token();
    if token.is_none() || state.required_token.as_deref().is_some_and(|required| token != Some(required)) {
        return Answer::error(401, "Bad credentials");
    }
    let is =
        |name, expected: &str| text(values, name).is_none_or(|value| value.eq_ignore_ascii_case(expected));
    if !is("owner", OWNER) || !is("repo", REPOSITORY) {
        return Answer::not_found();
    }
    if operation.method() != "GET" && !call.body.is_empty() && call.json.is_none() {
        return Answer::error(400, "Problems parsing JSON");
    }
    (operation.handle)(state, call, values)
}

fn text<'a>(values: &'a PathValues, name: &str) -> Option<&'a str> {
    values.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
}

fn number(values: &PathValues, name: &str) -> Option<u64> {
    text(values, name)?.parse().ok()
}

/// Returns the login of the user that sent a request.
fn login(state: &State, call: &Call) -> String {
    state.login_of(call.token().unwrap_or_default())
}
