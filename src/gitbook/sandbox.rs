//! The embedded API: GitBook's integrations on loopback, kept in a folder, for trying and testing.

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

/// Three preview images, an icon and a large script, in base64.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

type Shared = Arc<Sandbox>;

/// What its answers are made of.
struct Sandbox {
    store: Mutex<Store>,
    root: Url,
}

impl Sandbox {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, integration: Value) -> Value {
        responses::integration(integration, &self.root)
    }
}

/// Starts the sandbox on a free port of loopback and answers with its API root. It runs until the runtime ends;
/// what was published stays in `folder`.
///
/// # Errors
/// When the folder can't be made or read, or no port can be had.
pub async fn start(folder: &Path) -> io::Result<Url> {
    start_behind(folder, |router| router).await
}

/// The same with something before it.
pub(crate) async fn start_behind(folder: &Path, before: impl FnOnce(Router) -> Router) -> io::Result<Url> {
    let store = Store::open(folder)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let root = format!("http://{}/", listener.local_addr()?);
    let root = Url::parse(&root).map_err(io::Error::other)?;
    let router = Router::new()
        .route("/v1/integrations/{name}", get(read).post(publish).delete(delete))
        .route("/v1/orgs", get(organizations))
        .route("/v1/orgs/{organization}/integrations", get(list))
        .fallback(async || problem(StatusCode::NOT_FOUND, "Not found"))
        .layer(middleware::from_fn(authorized))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(Sandbox { store: Mutex::new(store), root: root.clone() }));
    let router = before(router);
    let serve = async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the sandbox stopped: {error}");
        }
    };
    tokio::spawn(serve.with_current_subscriber());
    Ok(root)
}

/// Any token will do, but there must be one.
async fn authorized(request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match token.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) if !token.is_empty() => next.run(request).await,
        _ => problem(StatusCode::UNAUTHORIZED, "Authentication required"),
    }
}

async fn publish(
    State(sandbox): State<Shared>,
    UrlPath(name): UrlPath<String>,
    body: axum::body::Bytes,
) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return problem(StatusCode::BAD_REQUEST, "The body is not JSON");
    };
    if let Some(message) = invalid(&name, &body) {
        return problem(StatusCode::BAD_REQUEST, &message);
    }
    match store::images(&body) {
        Ok(images) => match sandbox.store().publish(&name, &body, &images) {
            Ok(integration) => Json(sandbox.told(integration)).into_response(),
            Err(error) => failed(&error),
        },
        Err(message) => problem(StatusCode::BAD_REQUEST, &message),
    }
}

async fn read(State(sandbox): State<Shared>, UrlPath(name): UrlPath<String>) -> Response {
    if let Some(message) = invalid_name(&name) {
        return problem(StatusCode::BAD_REQUEST, message);
    }
    let found = sandbox.store().read(&name);
    match found {
        Ok(Some(integration)) => Json(sandbox.told(integration)).into_response(),
        Ok(None) => problem(StatusCode::NOT_FOUND, "Integration not found"),
        Err(error) => failed(&error),
    }
}

async fn delete(State(sandbox): State<Shared>, UrlPath(name): UrlPath<String>) -> Response {
    if let Some(message) = invalid_name(&name) {
        return problem(StatusCode::BAD_REQUEST, message);
    }
    match sandbox.store().delete(&name) {
        Ok(true) => StatusCode::RESET_CONTENT.into_response(),
        Ok(false) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => failed(&error),
    }
}

#[derive(serde::Deserialize)]
struct Paging {
    limit: Option<usize>,
    page: Option<usize>,
}

async fn list(
    State(sandbox): State<Shared>,
    UrlPath(organization): UrlPath<String>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let Ok(Query(paging)) = paging else {
        return problem(StatusCode::BAD_REQUEST, "limit and page must be whole numbers");
    };
    let limit = paging.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return problem(StatusCode::BAD_REQUEST, "limit must be from 1 to 1000");
    }
    let first = paging.page.unwrap_or(0);
    let found = sandbox.store().of_organization(&organization);
    match found {
        Ok(all) => {
            let count = all.len();
            let items = all.into_iter().skip(first).take(limit);
            let items: Vec<_> = items.map(|integration| sandbox.told(integration)).collect();
            let next = first + items.len();
            let mut page = json!({"items": items, "count": count});
            if next < count {
                page["next"] = json!({"page": next.to_string()});
            }
            Json(page).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// The organizations that own something here.
async fn organizations(State(sandbox): State<Shared>) -> Response {
    let found = sandbox.store().organizations();
    match found {
        Ok(ids) => {
            let items: Vec<_> = ids.iter().map(|id| responses::organization(id, &sandbox.root)).collect();
            Json(json!({"items": items, "count": items.len()})).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// The first thing that is wrong with a request. The API knows every name it accepts, so that an unknown one, which
/// is a warning to the packager, is an error here; an unknown field is ignored.
fn invalid(name: &str, body: &Value) -> Option<String> {
    if let Some(message) = invalid_name(name) {
        return Some(message.to_owned());
    }
    let body = YamlValue::from_json(body, &SourceLocation::variable("body"));
    let found = schema::check(&body, &schema::BODY);
    let first = found.into_iter().find(|finding| finding.kind != FindingKind::UnknownField);
    first.map(|finding| finding.diagnostic.message.replace('`', "\""))
}

/// What is wrong with a name, which is the name of a folder, too.
fn invalid_name(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let valid =
        name.len() <= schema::MAX_NAME && name.chars().all(allowed) && !matches!(name, "" | "." | "..");
    (!valid).then_some("Invalid integration name")
}

fn failed(error: &io::Error) -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": {"code": status.as_u16(), "message": message}}))).into_response()
}

#[cfg(test)]
mod tests;
