//! A parsed request.

use axum::body::Bytes;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::model::Request;
use crate::state::{OWNER, REPOSITORY, REPOSITORY_ID};

/// The path prefix of the API on GitHub Enterprise.
const ENTERPRISE: &str = "/api/v3";

pub(crate) struct Call {
    pub(crate) method: String,
    /// The path with its query, as sent.
    pub(crate) target: String,
    /// The path prefix on GitHub Enterprise, otherwise empty. GitHub's OpenAPI document has no such prefix.
    pub(crate) prefix: &'static str,
    /// The decoded path segments without the prefix.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) json: Option<Value>,
}

impl Call {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let (prefix, path) = match parts.uri.path().strip_prefix(ENTERPRISE) {
            Some(path) => (ENTERPRISE, path),
            None => ("", parts.uri.path()),
        };
        let segments = with_repository_name(path.split('/').skip(1).map(decode).collect());
        let query = parts.uri.query().map(pairs).unwrap_or_default();
        let json = serde_json::from_slice(&body).ok();
        Self {
            method: parts.method.as_str().to_owned(),
            target,
            prefix,
            segments,
            query,
            headers: parts.headers,
            body,
            json,
        }
    }

    pub(crate) fn record(&self) -> Request {
        Request { method: self.method.clone(), path: self.target.clone(), body: self.json.clone() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ").filter(|token| !token.trim().is_empty())
    }

    /// Returns a field of the JSON body.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.json.as_ref()?.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.field(name)?.as_bool()
    }

    pub(crate) fn matches(&self, method: &str, pattern: &str) -> bool {
        let matches = match pattern.strip_suffix('$') {
            Some(end) => self.target.split('?').next().unwrap_or_default().ends_with(end),
            None => self.target.contains(pattern),
        };
        matches && self.method.eq_ignore_ascii_case(method)
    }
}

/// Replaces `/repositories/NUMBER` with `/repos/OWNER/NAME`. GitHub's links contain the number, but its OpenAPI document has
/// only paths with names.
fn with_repository_name(segments: Vec<String>) -> Vec<String> {
    let has_number = segments.first().is_some_and(|first| first == "repositories")
        && segments.get(1).is_some_and(|id| *id == REPOSITORY_ID.to_string());
    if !has_number {
        return segments;
    }
    let prefix = ["repos", OWNER, REPOSITORY].map(str::to_owned);
    prefix.into_iter().chain(segments.into_iter().skip(2)).collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let spaced = query.replace('+', " ");
    let split = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => (decode(name), decode(value)),
        None => (decode(pair), String::new()),
    };
    spaced.split('&').filter(|pair| !pair.is_empty()).map(split).collect()
}
