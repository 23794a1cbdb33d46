//! A GitBook with ids of organizations and lists of many short pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::api_error;

/// The number of items of each page.
const PAGE: usize = 3;

type Shared = Arc<Mutex<BTreeMap<String, Value>>>;

pub(super) struct GitBook {
    server: MockServer,
    integrations: Shared,
}

impl GitBook {
    /// Starts a server with organizations by id and subdomain, and with integrations.
    pub(super) async fn start(organizations: &[(&str, &str)], integrations: Vec<Value>) -> Self {
        let organizations = organizations.iter().map(|(id, subdomain)| {
            let hostname = format!("{subdomain}.gitbook.io");
            json!({"object": "organization", "id": id, "hostname": hostname})
        });
        let organizations: Vec<_> = organizations.collect();
        let named = |one: Value| (one["name"].as_str().unwrap().to_owned(), one);
        let integrations: Shared = Arc::new(Mutex::new(integrations.into_iter().map(named).collect()));
        let shared = Arc::clone(&integrations);
        let answer = move |request: &Request| answer(request, &organizations, &shared);
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        Self { server, integrations }
    }

    pub(super) fn endpoint(&self) -> String {
        self.server.uri()
    }

    /// Returns the names of all integrations.
    pub(super) fn names(&self) -> Vec<String> {
        self.integrations.lock().unwrap().keys().cloned().collect()
    }

    /// Counts requests.
    pub(super) async fn count(&self, method: &str, path: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        let is = |request: &&Request| request.method.as_str() == method && request.url.path() == path;
        requests.iter().filter(is).count()
    }
}

fn answer(request: &Request, organizations: &[Value], integrations: &Shared) -> ResponseTemplate {
    let mut integrations = integrations.lock().unwrap();
    let segments: Vec<_> = request.url.path_segments().unwrap().collect();
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["v1", "orgs"]) => page(request, organizations),
        ("GET", ["v1", "orgs", id, "integrations"]) => {
            let of_it = integrations.values().filter(|one| one["owner"]["id"] == **id).cloned();
            page(request, &of_it.collect::<Vec<_>>())
        }
        ("GET", ["v1", "integrations", name]) => match integrations.get(*name) {
            Some(integration) => ResponseTemplate::new(200).set_body_json(integration),
            None => api_error(404, "Integration not found"),
        },
        ("DELETE", ["v1", "integrations", name]) => {
            let status = if integrations.remove(*name).is_some() { 205 } else { 204 };
            ResponseTemplate::new(status)
        }
        _ => api_error(500, "nobody expected this"),
    }
}

fn page(request: &Request, items: &[Value]) -> ResponseTemplate {
    let page = request.url.query_pairs().find(|(key, _)| key == "page");
    let first: usize = page.map_or(0, |(_, value)| value.parse().unwrap());
    let next = first + PAGE;
    let shown: Vec<_> = items.iter().skip(first).take(PAGE).collect();
    let next = (next < items.len()).then(|| json!({"page": next.to_string()}));
    ResponseTemplate::new(200).set_body_json(json!({"items": shown, "next": next}))
}
