//! GitHub's own examples, fitted to what the stand-in holds.

use serde_json::{Value, json};

use crate::document;
use crate::state::{OWNER, REPOSITORY, REPOSITORY_ID, State};

/// The user whose id GitHub gives to what Actions does.
const ACTIONS_ID: u64 = 41_898_282;

/// The example of this name, with the addresses of this stand-in's repository.
pub(crate) fn example(state: &mut State, name: &'static str) -> Value {
    if let Some(fitted) = state.examples.get(name) {
        return fitted.clone();
    }
    let own = format!("{OWNER}/{REPOSITORY}");
    let mut fitted = document::example(name).clone();
    let places = [
        ("https://api.github.com", state.url.as_str()),
        ("octocat/Hello-World", own.as_str()),
        ("octocat/example", own.as_str()),
    ];
    for (from, to) in places {
        replace(&mut fitted, from, to);
    }
    state.examples.insert(name, fitted.clone());
    fitted
}

/// Replaces a part of every text.
pub(crate) fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, from, to)),
        Value::Object(values) => values.values_mut().for_each(|value| replace(value, from, to)),
        _ => {}
    }
}

/// Sets fields of an example; one that the example lacks is misspelt here.
pub(crate) fn fill(example: &mut Value, fields: Value) {
    let (Value::Object(example), Value::Object(fields)) = (example, fields) else {
        panic!("only the fields of an object can be filled in");
    };
    for (name, value) in fields {
        let Some(field) = example.get_mut(&name) else { panic!("GitHub's example has no field {name}") };
        *field = value;
    }
}

/// A user in the short form that other answers hold.
pub(crate) fn user(state: &mut State, login: &str) -> Value {
    let mut comment = example(state, "issue-comment");
    let mut user = comment["user"].take();
    let (kind, id) = match login {
        OWNER => ("Organization", 9919),
        "github-actions[bot]" => ("Bot", ACTIONS_ID),
        login if login.ends_with("[bot]") => ("Bot", id_of(login)),
        login => ("User", id_of(login)),
    };
    let path = login.replace('[', "%5B").replace(']', "%5D");
    replace(&mut user, "/octocat", &format!("/{path}"));
    fill(&mut user, json!({"login": login, "id": id, "type": kind}));
    user
}

/// The same number for the same login, everywhere.
fn id_of(login: &str) -> u64 {
    login.bytes().fold(17, |id, byte| (id * 31 + u64::from(byte)) % 900_000_000)
}

/// The repository, or the fork of it that someone else has, made of the short form that an example holds.
pub(crate) fn short_repository(state: &mut State, mut repository: Value, owner: &str) -> Value {
    let fork = owner != OWNER;
    let full_name = format!("{owner}/{REPOSITORY}");
    replace(&mut repository, &format!("{OWNER}/{REPOSITORY}"), &full_name);
    let id = if fork { id_of(&full_name) } else { REPOSITORY_ID };
    let user = user(state, owner);
    fill(
        &mut repository,
        json!({"id": id, "name": REPOSITORY, "full_name": full_name, "owner": user, "fork": fork}),
    );
    if let Some(branch) = repository.get_mut("default_branch") {
        *branch = json!(crate::state::DEFAULT_BRANCH);
    }
    repository
}
