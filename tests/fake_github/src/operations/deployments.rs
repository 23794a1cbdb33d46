//! Deployments.

use std::sync::LazyLock;

use serde_json::json;

use super::rendering::user;
use super::{PathValues, login};
use crate::call::Call;
use crate::model::Deployment;
use crate::paging::page;
use crate::response::Answer;
use crate::state::{DEFAULT_BRANCH, State, StoredDeployment};
use crate::template::{Fields, Template, example, insert_placeholders, replace};

static DEPLOYMENT: LazyLock<Template> = LazyLock::new(|| {
    let mut deployment = example("deployment-simple-example");
    replace(&mut deployment, "deployments/1", "deployments/«path»");
    insert_placeholders(&mut deployment, &["id", "sha", "ref", "task", "payload", "description", "creator"]);
    insert_placeholders(&mut deployment, &["created_at", "updated_at"]);
    insert_placeholders(
        &mut deployment,
        &["original_environment", "environment", "transient_environment", "production_environment"],
    );
    Template::new(&deployment)
});

pub(crate) fn list(state: &mut State, call: &Call, _: &PathValues) -> Answer {
    let records: Vec<_> =
        state.deployments.values().rev().filter(|record| matches_filters(record, call)).cloned().collect();
    page(state, call, &records, render)
}

/// Returns true if a deployment matches the filters. The default of each filter, `none`, means no filter.
fn matches_filters(record: &StoredDeployment, call: &Call) -> bool {
    let deployment = &record.deployment;
    let fields = [
        ("environment", &deployment.environment),
        ("sha", &deployment.sha),
        ("ref", &deployment.reference),
        ("task", &deployment.task),
    ];
    fields
        .into_iter()
        .all(|(name, value)| call.parameter(name).is_none_or(|filter| filter == value || filter == "none"))
}

pub(crate) fn create(state: &mut State, call: &Call, _: &PathValues) -> Answer {
    let reference = call.text("ref").unwrap_or_default();
    let Some(sha) = state.commit_of(reference) else {
        return Answer::error(422, &format!("No ref found for: {reference}"));
    };
    if call.flag("auto_merge") != Some(false) {
        return Answer::error(409, &format!("Conflict merging {DEFAULT_BRANCH} into {reference}"));
    }
    if call.field("required_contexts") != Some(&json!([])) {
        return Answer::error(409, &format!("Conflict: Commit status checks failed for {reference}."));
    }
    let record = record(state, call, reference, sha);
    let text = render(state, &record);
    state.deployments.insert(record.deployment.id, record);
    Answer::json(201, text)
}

fn record(state: &mut State, call: &Call, reference: &str, sha: String) -> StoredDeployment {
    let (id, now) = (state.next_id(), state.now());
    let text = |name, default: &str| call.text(name).unwrap_or(default).to_owned();
    let environment = text("environment", "production");
    let deployment = Deployment {
        id,
        sha,
        reference: reference.to_owned(),
        task: text("task", "deploy"),
        description: text("description", ""),
        transient: call.flag("transient_environment").unwrap_or(false),
        production: call.flag("production_environment").unwrap_or(environment == "production"),
        payload: call.field("payload").cloned().unwrap_or_else(|| json!({})),
        creator: login(state, call),
        statuses: Vec::new(),
        environment,
    };
    StoredDeployment { deployment, created_at: now.clone(), updated_at: now, status_metadata: Vec::new() }
}

fn render(state: &State, record: &StoredDeployment) -> String {
    let deployment = &record.deployment;
    let fields = Fields::new(state)
        .raw("path", deployment.id)
        .value("id", deployment.id)
        .value("sha", deployment.sha.as_str())
        .value("ref", deployment.reference.as_str())
        .value("task", deployment.task.as_str())
        .value("payload", deployment.payload.clone())
        .value("original_environment", deployment.environment.as_str())
        .value("environment", deployment.environment.as_str())
        .value("description", deployment.description.as_str())
        .value("transient_environment", deployment.transient)
        .value("production_environment", deployment.production)
        .raw("creator", user(state, &deployment.creator))
        .value("created_at", record.created_at.as_str())
        .value("updated_at", record.updated_at.as_str());
    DEPLOYMENT.render(&fields)
}
