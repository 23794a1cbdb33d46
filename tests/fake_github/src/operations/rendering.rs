//! Users and repositories as parts of responses.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::state::{DEFAULT_BRANCH, OWNER, REPOSITORY, REPOSITORY_ID, State};
use crate::template::{Fields, Template, example, insert_placeholders, replace, set_fields};

/// The id of the user `github-actions[bot]`.
const ACTIONS_ID: u64 = 41_898_282;

static USER: LazyLock<Template> = LazyLock::new(|| {
    let mut user = example("issue-comment")["user"].take();
    replace(&mut user, "/octocat", "/«path»");
    insert_placeholders(&mut user, &["login", "id", "type"]);
    Template::new(&user)
});

static EMBEDDED_REPOSITORY: LazyLock<Template> = LazyLock::new(|| {
    let mut repository = example("pull-request")["base"]["repo"].take();
    replace(&mut repository, &format!("{OWNER}/{REPOSITORY}"), "«owner»/«repository»");
    set_fields(
        &mut repository,
        json!({
            "id": "«=id=»", "name": REPOSITORY, "owner": "«=user=»", "fork": "«=fork=»",
            "default_branch": DEFAULT_BRANCH,
        }),
    );
    Template::new(&repository)
});

/// Returns a user as JSON, with the fields that other objects embed.
pub(crate) fn user(state: &State, login: &str) -> String {
    let kind = match login {
        OWNER => "Organization",
        login if login.ends_with("[bot]") => "Bot",
        _ => "User",
    };
    let path = login.replace('[', "%5B").replace(']', "%5D");
    let fields = Fields::new(state).raw("path", path).value("login", login);
    USER.render(&fields.value("id", id_of(login)).value("type", kind))
}

/// Returns the id of a user: always the same for the same name.
pub(crate) fn id_of(name: &str) -> u64 {
    if name == "github-actions[bot]" {
        return ACTIONS_ID;
    }
    name.bytes().fold(17, |id, byte| (id * 31 + u64::from(byte)) % 900_000_000)
}

/// Returns the repository or an owner's fork of it as JSON, with the fields that pull requests embed.
pub(crate) fn repository(state: &State, owner: &str) -> String {
    let fork = owner != OWNER;
    let id = if fork { id_of(owner) } else { REPOSITORY_ID };
    let fields = Fields::new(state).raw("owner", owner).raw("repository", REPOSITORY);
    let fields = fields.value("id", id).value("fork", fork).raw("user", user(state, owner));
    EMBEDDED_REPOSITORY.render(&fields)
}

/// Returns an object of placeholders, from pairs of field and placeholder name.
pub(crate) fn placeholders(names: &[(&str, &str)]) -> Value {
    names.iter().map(|(field, name)| ((*field).to_owned(), json!(format!("«={name}=»")))).collect()
}
