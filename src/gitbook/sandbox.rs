//! The sandbox: a local GitBook API for trials and tests that stores integrations in a folder.

mod responses;
mod store;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber as _;
use url::Url;

use crate::diagnostic::SourceLocation;
use crate::schema::{self, FindingKind};
use crate::yaml::YamlValue;
use store::Store;

/// The maximum size in bytes of a request. It allows three preview images, an icon and a large script, in base64.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

type SharedSandbox = Arc<Sandbox>;

/// The stored integrations and the root URL of the API.
struct Sandbox {
    store: Mutex<Store>,
    root: Url,
}

impl Sandbox {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn response(&self, integration: Value) -> Value {
        responses::integration_response(integration, &self.root)
    }
}

/// Starts the sandbox on a free port of `127.0.0.1` and returns the root URL of its API. The sandbox runs until the Tokio runtime
/// ends. The published integrations stay in `folder`.
///
/// # Errors
/// Returns an error if the folder cannot be created or read, or if no port is free.
pub async fn start(folder: &Path) -> io::Result<Url> {
    start_with(folder, |router| router).await
}

/// Starts the sandbox like [`start`]. `wrap` can add layers to the router.
pub(crate) async fn start_with(folder: &Path, wrap: impl FnOnce(Router) -> Router) -> io::Result<Url> {
    let store = Store::open(folder)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let root = format!("http://{}/", listener.local_addr()?);
    let root = Url::parse(&root).map_err(io::Error::other)?;
    let router = Router::new()
        .route("/v1/integrations/{name}", get(read).post(publish).delete(delete))
        .route("/v1/orgs", get(organizations))
        .route("/v1/orgs/{organization}/integrations", get(list))
        .fallback(async || error_response(StatusCode::NOT_FOUND, "Not found"))
        .layer(middleware::from_fn(require_token))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(Sandbox { store: Mutex::new(store), root: root.clone() }));
    let router = wrap(router);
    let serve = async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("sandbox stopped: {error}");
        }
    };
    tokio::spawn(serve.with_current_subscriber());
    Ok(root)
}

/// Rejects requests without a token. Any token is valid.
async fn require_token(request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match token.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) if !token.is_empty() => next.run(request).await,
        _ => error_response(StatusCode::UNAUTHORIZED, "Authentication required"),
    }
}

async fn publish(
    State(sandbox): State<SharedSandbox>,
    UrlPath(name): UrlPath<String>,
    body: axum::body::Bytes,
) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return error_response(StatusCode::BAD_REQUEST, "The body is not JSON");
    };
    if let Some(message) = find_error(&name, &body) {
        return error_response(StatusCode::BAD_REQUEST, &message);
    }
    match store::decode_images(&body) {
        Ok(images) => match sandbox.store().publish(&name, &body, &images) {
            Ok(integration) => Json(sandbox.response(integration)).into_response(),
            Err(error) => io_error_response(&error),
        },
        Err(message) => error_response(StatusCode::BAD_REQUEST, &message),
    }
}

async fn read(State(sandbox): State<SharedSandbox>, UrlPath(name): UrlPath<String>) -> Response {
    if let Some(message) = name_error(&name) {
        return error_response(StatusCode::BAD_REQUEST, message);
    }
    let integration = sandbox.store().read(&name);
    match integration {
        Ok(Some(integration)) => Json(sandbox.response(integration)).into_response(),
        Ok(None) => error_response(StatusCode::NOT_FOUND, "Integration not found"),
        Err(error) => io_error_response(&error),
    }
}

async fn delete(State(sandbox): State<SharedSandbox>, UrlPath(name): UrlPath<String>) -> Response {
    if let Some(message) = name_error(&name) {
        return error_response(StatusCode::BAD_REQUEST, message);
    }
    match sandbox.store().delete(&name) {
        Ok(true) => StatusCode::RESET_CONTENT.into_response(),
        Ok(false) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => io_error_response(&error),
    }
}

#[derive(serde::Deserialize)]
struct PageQuery {
    limit: Option<usize>,
    page: Option<usize>,
}

async fn list(
    State(sandbox): State<SharedSandbox>,
    UrlPath(organization): UrlPath<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return error_response(StatusCode::BAD_REQUEST, "limit and page must be whole numbers");
    };
    let limit = query.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return error_response(StatusCode::BAD_REQUEST, "limit must be from 1 to 1000");
    }
    let first = query.page.unwrap_or(0);
    let integrations = sandbox.store().list_integrations(&organization);
    match integrations {
        Ok(integrations) => {
            let count = integrations.len();
            let items = integrations.into_iter().skip(first).take(limit);
            let items: Vec<_> = items.map(|integration| sandbox.response(integration)).collect();
            let next = first + items.len();
            let mut page = json!({"items": items, "count": count});
            if next < count {
                page["next"] = json!({"page": next.to_string()});
            }
            Json(page).into_response()
        }
        Err(error) => io_error_response(&error),
    }
}

/// Lists the organizations of the token's user. In the sandbox, these are the organizations that own an integration.
async fn organizations(State(sandbox): State<SharedSandbox>) -> Response {
    let ids = sandbox.store().organizations();
    match ids {
        Ok(ids) => {
            let items: Vec<_> =
                ids.iter().map(|id| responses::organization_response(id, &sandbox.root)).collect();
            Json(json!({"items": items, "count": items.len()})).into_response()
        }
        Err(error) => io_error_response(&error),
    }
}

/// Returns a message about the first error in a publish request. Like GitBook, the sandbox ignores unknown fields and rejects unknown
/// values, although an unknown value in a manifest only causes a warning.
fn find_error(name: &str, body: &Value) -> Option<String> {
    if let Some(message) = name_error(name) {
        return Some(message.to_owned());
    }
    let body = YamlValue::from_json(body, &SourceLocation::variable("body"));
    let findings = schema::check(&body, &schema::BODY);
    let first = findings.into_iter().find(|finding| finding.kind != FindingKind::UnknownField);
    first.map(|finding| finding.diagnostic.message.replace('`', "\""))
}

/// Returns an error message for a name that GitBook rejects or that is not a valid folder name.
fn name_error(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let valid = name.len() <= schema::MAX_NAME_LENGTH
        && name.chars().all(allowed)
        && !matches!(name, "" | "." | "..");
    (!valid).then_some("Invalid integration name")
}

fn io_error_response(error: &io::Error) -> Response {
    error_response(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

fn error_response(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": {"code": status.as_u16(), "message": message}}))).into_response()
}

#[cfg(test)]
mod tests;
