//! Statuses of deployments.

use std::sync::LazyLock;

use super::rendering::user;
use super::{BELOW, Taken, login, number};
use crate::call::Call;
use crate::model::Status;
use crate::paging::page;
use crate::response::Answer;
use crate::state::{Mark, Record, State};
use crate::template::{Fields, Template, example, open, replace};

/// The most characters of a description, which GitHub's document says in words only.
const LONGEST: usize = 140;

static STATUS: LazyLock<Template> = LazyLock::new(|| {
    let mut status = example("deployment-status");
    replace(&mut status, "deployments/42", "deployments/«deployment»");
    replace(&mut status, "statuses/1", "statuses/«path»");
    open(&mut status, &["id", "state", "creator", "description", "created_at", "updated_at"]);
    open(&mut status, &["environment", "environment_url", "log_url", "target_url"]);
    Template::new(&status)
});

type Entry = (u64, Status, Mark);

pub(crate) fn list(state: &mut State, call: &Call, taken: &Taken) -> Answer {
    let Some(record) = known(state, taken) else { return Answer::not_found() };
    let id = record.deployment.id;
    let both = record.deployment.statuses.iter().zip(&record.marks).rev();
    let entries: Vec<Entry> = both.map(|(status, mark)| (id, status.clone(), mark.clone())).collect();
    page(state, call, &entries, render)
}

pub(crate) fn create(state: &mut State, call: &Call, taken: &Taken) -> Answer {
    let Some(record) = known(state, taken) else { return Answer::not_found() };
    if let Some(refused) = refused(call) {
        return refused;
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
    let mark = Mark {
        creator: login(state, call),
        environment: call.text("environment").map_or(environment, str::to_owned),
        created_at: state.now(),
    };
    add(state, id, status.clone(), mark.clone());
    let location = format!("{}{BELOW}/deployments/{id}/statuses/{}", state.base, status.id);
    Answer::json(201, render(state, &(id, status, mark))).with("location", location)
}

fn known<'a>(state: &'a State, taken: &Taken) -> Option<&'a Record> {
    state.deployments.get(&number(taken, "deployment_id")?)
}

fn add(state: &mut State, id: u64, status: Status, mark: Mark) {
    let Some(record) = state.deployments.get_mut(&id) else { return };
    record.updated_at.clone_from(&mark.created_at);
    record.deployment.statuses.push(status);
    record.marks.push(mark);
}

/// What GitHub does to the deployments that a successful one takes the place of.
fn deactivate(state: &mut State, id: u64, environment: &str) {
    let earlier = state.deployments.values().filter(|record| {
        let deployment = &record.deployment;
        let active = deployment.statuses.last().is_some_and(|status| status.state == "success");
        let lasting = !deployment.transient && !deployment.production;
        deployment.id < id && deployment.environment == environment && lasting && active
    });
    for earlier in earlier.map(|record| record.deployment.id).collect::<Vec<_>>() {
        let Some(last) = state.deployments[&earlier].deployment.statuses.last().cloned() else { continue };
        let creator = state.deployments[&earlier].deployment.creator.clone();
        let status =
            Status { id: state.next_id(), state: "inactive".to_owned(), description: String::new(), ..last };
        let mark = Mark { creator, environment: environment.to_owned(), created_at: state.now() };
        add(state, earlier, status, mark);
    }
}

fn refused(call: &Call) -> Option<Answer> {
    let addresses = ["log_url", "target_url", "environment_url"];
    let wrong = addresses.into_iter().find(|name| call.text(name).is_some_and(|url| !is_address(url)));
    if let Some(name) = wrong {
        let message = format!("{name} must use http(s) scheme");
        return Some(Answer::unprocessable("DeploymentStatus", name, &message));
    }
    let long = call.text("description").is_some_and(|text| text.chars().count() > LONGEST);
    let message = format!("description is too long (maximum is {LONGEST} characters)");
    long.then(|| Answer::unprocessable("DeploymentStatus", "description", &message))
}

fn is_address(url: &str) -> bool {
    url.is_empty() || url.starts_with("https://") || url.starts_with("http://")
}

fn render(state: &State, (deployment, status, mark): &Entry) -> String {
    let fields = Fields::new(state)
        .part("deployment", deployment)
        .part("path", status.id)
        .value("id", status.id)
        .value("state", status.state.as_str())
        .value("description", status.description.as_str())
        .value("environment", mark.environment.as_str())
        .value("environment_url", status.environment_url.as_str())
        .value("log_url", status.log_url.as_str())
        .value("target_url", status.log_url.as_str())
        .part("creator", user(state, &mark.creator))
        .value("created_at", mark.created_at.as_str())
        .value("updated_at", mark.created_at.as_str());
    STATUS.render(&fields)
}
