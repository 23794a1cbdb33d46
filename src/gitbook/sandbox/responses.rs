//! What the API answers, made of what was kept: every field that the vendor's document promises.

use serde_json::{Map, Value, json};
use url::Url;

/// An integration. What its record says counts; what nobody said is what it is of an integration that is new.
pub(super) fn integration(record: Value, root: &Url) -> Value {
    let organization = record["owner"]["id"].as_str().unwrap_or_default();
    let mut answer = json!({
        "object": "integration",
        "name": "",
        "version": 1,
        "title": "Untitled",
        "visibility": "private",
        "target": "all",
        "scopes": [],
        "categories": [],
        "previewImages": [],
        "externalLinks": [],
        "verified": false,
        "permissions": {"admin": true},
        "owner": self::organization(organization, root),
        "urls": urls(&record, root),
    });
    let mut kept = record;
    if let (Some(answer), Some(kept)) = (answer.as_object_mut(), kept.as_object_mut()) {
        kept.retain(|field, _| !matches!(field.as_str(), "owner" | "urls"));
        answer.append(kept);
    }
    answer
}

/// Where an integration is: in the folder that keeps it. Nothing runs its script, so that its endpoints are there, too.
fn urls(record: &Value, root: &Url) -> Value {
    let name = record["name"].as_str().unwrap_or_default();
    let location = root.join("v1/integrations/").and_then(|all| all.join(name)).map(String::from);
    let location = location.unwrap_or_else(|_| root.to_string());
    let folder = record["urls"]["app"].as_str().unwrap_or(&location);
    let mut urls = Map::new();
    urls.insert("location".to_owned(), json!(location));
    for url in ["app", "assets", "publicEndpoint", "publicContentEndpoint"] {
        urls.insert(url.to_owned(), json!(folder));
    }
    if let Some(icon) = record["urls"].get("icon") {
        urls.insert("icon".to_owned(), icon.clone());
    }
    urls.into()
}

/// An organization, of which the sandbox knows nothing but what it is called: its id is its subdomain.
pub(super) fn organization(id: &str, root: &Url) -> Value {
    let length = id.chars().count();
    let is_title = length <= 255 && id.split_whitespace().any(|word| word.chars().count() >= 2);
    let mut organization = json!({
        "object": "organization",
        "id": id,
        "title": if is_title { id } else { "Organization" },
        "type": "business",
        "plan": "free",
        "createdAt": "1970-01-01T00:00:00Z",
        "emailDomains": [],
        "inviteLinks": false,
        "mergeRules": {"type": "none"},
        "trial": {"status": "notapplicable", "count": 0},
        "urls": {"location": root.as_str(), "app": root.as_str()},
        "permissions": permissions(),
    });
    // Subdomains have as many letters; an id that can't be one is an id only.
    if (3..=32).contains(&length) {
        organization["hostname"] = json!(id);
    }
    organization
}

/// Whoever uses the sandbox may do everything.
fn permissions() -> Value {
    let all = [
        "view",
        "access",
        "admin",
        "ownTeam",
        "createContent",
        "createOpenAPISpec",
        "viewBilling",
        "listMembers",
        "listTeams",
        "listIntegrations",
        "listInstallations",
        "installIntegration",
    ];
    all.into_iter().map(|permission| (permission.to_owned(), json!(true))).collect::<Map<_, _>>().into()
}
