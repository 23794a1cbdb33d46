//! The sandbox's responses, with every field that GitBook's OpenAPI document requires.

use serde_json::{Map, Value, json};
use url::Url;

/// Returns the response for an integration: the fields of `record`, and GitBook's default value for each missing field. Replaces
/// the owner and the links with complete objects.
pub(super) fn integration_response(record: Value, root: &Url) -> Value {
    let organization = record["owner"]["id"].as_str().unwrap_or_default();
    let mut response = json!({
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
        "owner": organization_response(organization, root),
        "urls": integration_urls(&record, root),
    });
    let mut stored = record;
    if let (Some(response), Some(stored)) = (response.as_object_mut(), stored.as_object_mut()) {
        stored.retain(|field, _| !matches!(field.as_str(), "owner" | "urls"));
        response.append(stored);
    }
    response
}

/// Returns the links of an integration. `location` is the integration's API URL, and `icon` is the icon's file. All other links
/// lead to the integration's folder, because the sandbox does not run scripts.
fn integration_urls(record: &Value, root: &Url) -> Value {
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

/// Returns the response for an organization. Its ID is also its title and its subdomain, if GitBook's rules for these fields
/// allow it.
pub(super) fn organization_response(id: &str, root: &Url) -> Value {
    let length = id.chars().count();
    let is_valid_title = length <= 255 && id.split_whitespace().any(|word| word.chars().count() >= 2);
    let mut organization = json!({
        "object": "organization",
        "id": id,
        "title": if is_valid_title { id } else { "Organization" },
        "type": "business",
        "plan": "free",
        "createdAt": "1970-01-01T00:00:00Z",
        "emailDomains": [],
        "inviteLinks": false,
        "mergeRules": {"type": "none"},
        "trial": {"status": "notapplicable", "count": 0},
        "urls": {"location": root.as_str(), "app": root.as_str()},
        "permissions": all_permissions(),
    });
    // GitBook's subdomains have 3 to 32 characters.
    if (3..=32).contains(&length) {
        organization["hostname"] = json!(id);
    }
    organization
}

/// Returns the permissions of a user with all permissions in an organization.
fn all_permissions() -> Value {
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
