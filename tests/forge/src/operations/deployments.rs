//! Deployments.

use serde_json::{Value, json};

use super::rendering::{example, fill, replace, user};
use super::{Taken, login};
use crate::answer::Answer;
use crate::call::Call;
use crate::model::Deployment;
use crate::paging::page;
use crate::state::{DEFAULT_BRANCH, Record, State};

pub(crate) fn list(state: &mut State, call: &Call, _: &Taken) -> Answer {
    let records: Vec<_> =
        state.deployments.values().rev().filter(|record| is_wanted(record, call)).cloned().collect();
    page(state, call, &records, render)
}

/// The document's default for each filter is the word `none`, which means that it is not applied.
fn is_wanted(record: &Record, call: &Call) -> bool {
    let deployment = &record.deployment;
    let fields = [
        ("environment", &deployment.environment),
        ("sha", &deployment.sha),
        ("ref", &deployment.reference),
        ("task", &deployment.task),
    ];
    fields
        .into_iter()
        .all(|(name, value)| call.parameter(name).is_none_or(|asked| asked == value || asked == "none"))
}

pub(crate) fn create(state: &mut State, call: &Call, _: &Taken) -> Answer {
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
    let value = render(state, &record);
    state.deployments.insert(record.deployment.id, record);
    let location = value["url"].as_str().unwrap_or_default().to_owned();
    Answer::json(201, value).with("location", location)
}

fn record(state: &mut State, call: &Call, reference: &str, sha: String) -> Record {
    let (id, now) = (state.next_id(), state.now());
    let text = |name, usual: &str| call.text(name).unwrap_or(usual).to_owned();
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
    Record { deployment, created_at: now.clone(), updated_at: now, marks: Vec::new() }
}

fn render(state: &mut State, record: &Record) -> Value {
    let deployment = &record.deployment;
    let mut value = example(state, "deployment-simple-example");
    let creator = user(state, &deployment.creator);
    replace(&mut value, "deployments/1", &format!("deployments/{}", deployment.id));
    fill(
        &mut value,
        json!({
            "id": deployment.id, "sha": deployment.sha, "ref": deployment.reference, "task": deployment.task,
            "payload": deployment.payload, "creator": creator,
            "original_environment": deployment.environment, "environment": deployment.environment,
            "description": deployment.description,
            "transient_environment": deployment.transient, "production_environment": deployment.production,
            "created_at": record.created_at, "updated_at": record.updated_at,
        }),
    );
    value
}
