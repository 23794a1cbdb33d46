//! A fake GitBook with several organizations and with short list pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::api_error;

/// The maximum number of items on a list page.
const PAGE_SIZE: usize = 3;

type SharedIntegrations = Arc<Mutex<BTreeMap<String, Value>>>;

/// A fake GitBook server that stores integrations by name.
pub(super) struct GitBook {
    server: MockServer,
    integrations: SharedIntegrations,
}

impl GitBook {
    /// Starts a server with these organizations (ID and subdomain) and these integrations.
    pub(super) async fn start(organizations: &[(&str, &str)], integrations: Vec<Value>) -> Self {
        let organizations = organizations.iter().map(|(id, subdomain)| {
            let hostname = format!("{subdomain}.gitbook.io");
            json!({"object": "organization", "id": id, "hostname": hostname})
        });
        let organizations: Vec<_> = organizations.collect();
        let named = |one: Value| (one["name"].as_str().unwrap().to_owned(), one);
        let integrations: SharedIntegrations =
            Arc::new(Mutex::new(integrations.into_iter().map(named).collect()));
        let shared = Arc::clone(&integrations);
        let responder = move |request: &Request| respond(request, &organizations, &shared);
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(responder).mount(&server).await;
        Self { server, integrations }
    }

    pub(super) fn endpoint(&self) -> String {
        self.server.uri()
    }

    /// Returns the names of all integrations.
    pub(super) fn names(&self) -> Vec<String> {
        self.integrations.lock().unwrap().keys().cloned().collect()
    }

    /// Counts the received requests with this method and path.
    pub(super) async fn count(&self, method: &str, path: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        let is_match = |request: &&Request| request.method.as_str() == method && request.url.path() == path;
        requests.iter().filter(is_match).count()
    }
}

fn respond(
    request: &Request,
    organizations: &[Value],
    integrations: &SharedIntegrations,
) -> ResponseTemplate {
    let mut integrations = integrations.lock().unwrap();
    let segments: Vec<_> = request.url.path_segments().unwrap().collect();
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["v1", "orgs"]) => page(request, organizations),
        ("GET", ["v1", "orgs", id, "integrations"]) => {
            let of_organization = integrations.values().filter(|one| one["owner"]["id"] == **id).cloned();
            page(request, &of_organization.collect::<Vec<_>>())
        }
        ("GET", ["v1", "integrations", name]) => match integrations.get(*name) {
            Some(integration) => ResponseTemplate::new(200).set_body_json(integration),
            None => api_error(404, "Integration not found"),
        },
        ("DELETE", ["v1", "integrations", name]) => {
            let status = if integrations.remove(*name).is_some() { 205 } else { 204 };
            ResponseTemplate::new(status)
        }
        _ => api_error(500, "unexpected request"),
    }
}

fn page(request: &Request, items: &[Value]) -> ResponseTemplate {
    let page = request.url.query_pairs().find(|(key, _)| key == "page");
    let first: usize = page.map_or(0, |(_, value)| value.parse().unwrap());
    let next = first + PAGE_SIZE;
    let items_on_page: Vec<_> = items.iter().skip(first).take(PAGE_SIZE).collect();
    let next = (next < items.len()).then(|| json!({"page": next.to_string()}));
    ResponseTemplate::new(200).set_body_json(json!({"items": items_on_page, "next": next}))
}
