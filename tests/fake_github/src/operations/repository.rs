//! The user, the repository and its branches.

use std::sync::LazyLock;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::rendering::{id_of, user as short_user};
use super::{PathValues, login, text};
use crate::call::Call;
use crate::paging::page;
use crate::response::Answer;
use crate::state::{DEFAULT_BRANCH, OWNER, REPOSITORY, REPOSITORY_ID, State, is_actions_token};
use crate::template::{Fields, Template, example, insert_placeholders, replace, set_fields};

static USER: LazyLock<Template> = LazyLock::new(|| {
    let mut user = example("private-user-response-with-public-profile-information");
    replace(&mut user, "/octocat", "/«path»");
    set_fields(&mut user, json!({"email": null}));
    insert_placeholders(&mut user, &["login", "id", "name"]);
    Template::new(&user)
});

static FULL_REPOSITORY: LazyLock<Template> = LazyLock::new(|| {
    let mut repository = example("full-repository-default-response");
    let own = json!({
        "id": REPOSITORY_ID, "name": REPOSITORY, "owner": "«=owner=»", "organization": "«=owner=»", "fork": false,
        "default_branch": DEFAULT_BRANCH,
    });
    set_fields(&mut repository, own);
    if let Some(fields) = repository.as_object_mut() {
        // The repository is not a fork and has no template.
        for field in ["parent", "source", "template_repository"] {
            fields.remove(field);
        }
        // GitHub's own example lacks the required field `language`.
        fields.insert("language".to_owned(), json!("TypeScript"));
    }
    Template::new(&repository)
});

static BRANCH: LazyLock<Template> = LazyLock::new(|| {
    let mut branch = example("branch-get");
    let sha = branch["commit"]["sha"].as_str().unwrap_or_default().to_owned();
    replace(&mut branch, &sha, "«sha»");
    replace(&mut branch, "branches/main", "branches/«path»");
    replace(&mut branch, "tree/main", "tree/«path»");
    insert_placeholders(&mut branch, &["name"]);
    Template::new(&branch)
});

static LISTED_BRANCH: LazyLock<Template> = LazyLock::new(|| {
    let mut branch = example("short-branch-with-protection-items")[0].take();
    let sha = branch["commit"]["sha"].as_str().unwrap_or_default().to_owned();
    replace(&mut branch, &sha, "«sha»");
    // GitHub's example of a protection lacks a required field, so the branch is unprotected.
    set_fields(&mut branch, json!({"protected": false}));
    if let Some(fields) = branch.as_object_mut() {
        fields.remove("protection");
        fields.remove("protection_url");
    }
    insert_placeholders(&mut branch, &["name"]);
    Template::new(&branch)
});

pub(crate) fn user(state: &mut State, call: &Call, _: &PathValues) -> Answer {
    if call.token().is_some_and(is_actions_token) {
        return Answer::error(403, "Resource not accessible by integration");
    }
    let login = login(state, call);
    let fields = Fields::new(state).raw("path", &login).value("login", login.as_str());
    let fields = fields.value("name", login.as_str()).value("id", id_of(&login));
    Answer::json(200, USER.render(&fields))
}

pub(crate) fn repository(state: &mut State, _: &Call, _: &PathValues) -> Answer {
    let fields = Fields::new(state).raw("owner", short_user(state, OWNER));
    Answer::json(200, FULL_REPOSITORY.render(&fields))
}

pub(crate) fn branches(state: &mut State, call: &Call, _: &PathValues) -> Answer {
    let branches: Vec<_> = state.branches.iter().map(|(name, sha)| (name.clone(), sha.clone())).collect();
    page(state, call, &branches, |state, (name, sha)| {
        let fields = Fields::new(state).raw("sha", sha);
        LISTED_BRANCH.render(&fields.value("name", name.as_str()))
    })
}

pub(crate) fn branch(state: &mut State, _: &Call, values: &PathValues) -> Answer {
    let name = text(values, "branch").unwrap_or_default();
    if let Some(sha) = state.branches.get(name) {
        let fields = Fields::new(state).raw("sha", sha).raw("path", encode(name)).value("name", name);
        return Answer::json(200, BRANCH.render(&fields));
    }
    match new_name(state, name) {
        Some(new) => redirect_to(state, &new),
        None => Answer::error(404, "Branch not found"),
    }
}

/// Returns the current name of a branch that was renamed once or several times. GitHub redirects a missing `master` to the
/// default branch.
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

fn redirect_to(state: &State, branch: &str) -> Answer {
    let location = format!("{}/repositories/{REPOSITORY_ID}/branches/{}", state.base, encode(branch));
    let body = json!({
        "message": "Moved Permanently",
        "url": location,
        "documentation_url": "https://docs.github.com/rest",
    });
    Answer::json(301, body.to_string()).with("location", location)
}

fn encode(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
