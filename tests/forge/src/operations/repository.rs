//! The user, the repository and its branches.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::rendering::{example, fill, replace, short_repository, user as short_user};
use super::{Taken, login, text};
use crate::answer::Answer;
use crate::call::Call;
use crate::state::{DEFAULT_BRANCH, OWNER, REPOSITORY_ID, State, is_of_actions};

pub(crate) fn user(state: &mut State, call: &Call, _: &Taken) -> Answer {
    if call.token().is_some_and(is_of_actions) {
        return Answer::error(403, "Resource not accessible by integration");
    }
    let login = login(state, call);
    let mut user = example(state, "private-user-response-with-public-profile-information");
    let short = short_user(state, &login);
    replace(&mut user, "/octocat", &format!("/{login}"));
    fill(&mut user, json!({"login": login, "id": short["id"], "name": login, "email": null}));
    Answer::json(200, user)
}

pub(crate) fn repository(state: &mut State, _: &Call, _: &Taken) -> Answer {
    let example = example(state, "full-repository-default-response");
    let mut repository = short_repository(state, example, OWNER);
    let owner = repository["owner"].clone();
    fill(&mut repository, json!({"organization": owner}));
    if let Some(fields) = repository.as_object_mut() {
        // Only forks have the first two, and the repository is made of no other.
        for field in ["parent", "source", "template_repository"] {
            fields.remove(field);
        }
        // Required, and yet GitHub's own example lacks it.
        fields.insert("language".to_owned(), json!("TypeScript"));
    }
    Answer::json(200, repository)
}

pub(crate) fn branch(state: &mut State, call: &Call, taken: &Taken) -> Answer {
    let name = text(taken, "branch").unwrap_or_default();
    let Some(sha) = state.branches.get(name).cloned() else {
        return match new_name(state, name) {
            Some(new) => moved(state, call, &new),
            None => Answer::error(404, "Branch not found"),
        };
    };
    let mut branch = example(state, "branch-get");
    let old = branch["commit"]["sha"].as_str().unwrap_or_default().to_owned();
    replace(&mut branch, &old, &sha);
    replace(&mut branch, "branches/main", &format!("branches/{}", encode(name)));
    replace(&mut branch, "tree/main", &format!("tree/{name}"));
    fill(&mut branch, json!({"name": name}));
    Answer::json(200, branch)
}

/// A name can have changed more than once. Where there is no `master`, GitHub leads to the default branch.
fn new_name(state: &State, name: &str) -> Option<String> {
    let mut name = name;
    for _ in 0..=state.renamed.len() {
        match state.renamed.get(name) {
            Some(new) => name = new,
            None if name == "master" => return Some(DEFAULT_BRANCH.to_owned()),
            None => break,
        }
        if state.branches.contains_key(name) {
            return Some(name.to_owned());
        }
    }
    None
}

fn moved(state: &State, call: &Call, branch: &str) -> Answer {
    let (url, prefix) = (&state.url, call.prefix);
    let location = format!("{url}{prefix}/repositories/{REPOSITORY_ID}/branches/{}", encode(branch));
    let body = json!({
        "message": "Moved Permanently",
        "url": location,
        "documentation_url": "https://docs.github.com/rest",
    });
    Answer::json(301, body).with("location", location)
}

fn encode(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
