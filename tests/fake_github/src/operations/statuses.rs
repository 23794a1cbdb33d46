//! Statuses of deployments.

use std::sync::LazyLock;

use super::rendering::user;
use super::{PathValues, REPOSITORY_PATH, login, number};
use crate::call::Call;
use crate::model::Status;
use crate::paging::page;
use crate::response::Answer;
use crate::state::{State, StatusMetadata, StoredDeployment};
use crate::template::{Fields, Template, example, insert_placeholders, replace};

/// The maximum length of a description, which GitHub's OpenAPI document states only in prose.
const MAX_LENGTH: usize = 140;

static STATUS: LazyLock<Template> = LazyLock::new(|| {
    let mut status = example("deployment-status");
    replace(&mut status, "deployments/42", "deployments/«deployment»");
    replace(&mut status, "statuses/1", "statuses/«path»");
    insert_placeholders(&mut status, &["id", "state", "creator", "description", "created_at", "updated_at"]);
    insert_placeholders(&mut status, &["environment", "environment_url", "log_url", "target_url"]);
    Template::new(&status)
});

type Entry = (u64, Status, StatusMetadata);

pub(crate) fn list(state: &mut State, call: &Call, values: &PathValues) -> Answer {
    let Some(record) = find_deployment(state, values) else { return Answer::not_found() };
    let id = record.deployment.id;
    let statuses = record.deployment.statuses.iter().zip(&record.status_metadata).rev();
    let entries: Vec<Entry> =
        statuses.map(|(status, metadata)| (id, status.clone(), metadata.clone())).collect();
    page(state, call, &entries, render)
}

pub(crate) fn create(state: &mut State, call: &Call, values: &PathValues) -> Answer {
    let Some(record) = find_deployment(state, values) else { return Answer::not_found() };
    if let Some(error) = validation_error(call) {
        return error;
    }
    let (id, environment) = (record.deployment.id, record.deployment.environment.clone());
    let text = |name| call.text(name).unwrap_or_default().to_owned();
    let log = call.text("log_url").or(call.text("target_url")).unwrap_or_default().to_owned();
    let status = Status {
        id: state.next_id(),
        state: text("state"),
        environment_url: text("environment_url"),
        log_url: log,
        description: text("description"),
    };
    if status.state == "success" && call.flag("auto_inactive") != Some(false) {
        deactivate(state, id, &environment);
    }
    let metadata = StatusMetadata {
        creator: login(state, call),
        environment: call.text("environment").map_or(environment, str::to_owned),
        created_at: state.now(),
    };
    add(state, id, status.clone(), metadata.clone());
    let location = format!("{}{REPOSITORY_PATH}/deployments/{id}/statuses/{}", state.base, status.id);
    Answer::json(201, render(state, &(id, status, metadata))).with("location", location)
}

fn find_deployment<'a>(state: &'a State, values: &PathValues) -> Option<&'a StoredDeployment> {
    state.deployments.get(&number(values, "deployment_id")?)
}

fn add(state: &mut State, id: u64, status: Status, metadata: StatusMetadata) {
    let Some(record) = state.deployments.get_mut(&id) else { return };
    record.updated_at.clone_from(&metadata.created_at);
    record.deployment.statuses.push(status);
    record.status_metadata.push(metadata);
}

/// Adds the status `inactive` to earlier successful deployments to the same environment, like GitHub.
fn deactivate(state: &mut State, id: u64, environment: &str) {
    let earlier = state.deployments.values().filter(|record| {
        let deployment = &record.deployment;
        let is_active = deployment.statuses.last().is_some_and(|status| status.state == "success");
        let is_replaceable = !deployment.transient && !deployment.production;
        deployment.id < id && deployment.environment == environment && is_replaceable && is_active
    });
    for earlier in earlier.map(|record| record.deployment.id).collect::<Vec<_>>() {
        let Some(last) = state.deployments[&earlier].deployment.statuses.last().cloned() else { continue };
        let creator = state.deployments[&earlier].deployment.creator.clone();
        let status =
            Status { id: state.next_id(), state: "inactive".to_owned(), description: String::new(), ..last };
        let metadata =
            StatusMetadata { creator, environment: environment.to_owned(), created_at: state.now() };
        add(state, earlier, status, metadata);
    }
}

fn validation_error(call: &Call) -> Option<Answer> {
    let url_fields = ["log_url", "target_url", "environment_url"];
    let invalid = url_fields.into_iter().find(|name| call.text(name).is_some_and(|url| !is_http_url(url)));
    if let Some(name) = invalid {
        let message = format!("{name} must use http(s) scheme");
        return Some(Answer::unprocessable("DeploymentStatus", name, &message));
    }
    let is_too_long = call.text("description").is_some_and(|text| text.chars().count() > MAX_LENGTH);
    let message = format!("description is too long (maximum is {MAX_LENGTH} characters)");
    is_too_long.then(|| Answer::unprocessable("DeploymentStatus", "description", &message))
}

fn is_http_url(url: &str) -> bool {
    url.is_empty() || url.starts_with("https://") || url.starts_with("http://")
}

fn render(state: &State, (deployment, status, metadata): &Entry) -> String {
    let fields = Fields::new(state)
        .raw("deployment", deployment)
        .raw("path", status.id)
        .value("id", status.id)
        .value("state", status.state.as_str())
        .value("description", status.description.as_str())
        .value("environment", metadata.environment.as_str())
        .value("environment_url", status.environment_url.as_str())
        .value("log_url", status.log_url.as_str())
        .value("target_url", status.log_url.as_str())
        .raw("creator", user(state, &metadata.creator))
        .value("created_at", metadata.created_at.as_str())
        .value("updated_at", metadata.created_at.as_str());
    STATUS.render(&fields)
}
