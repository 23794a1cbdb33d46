//! Responses.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Empty,
    /// JSON as text, so that the validated bytes are the sent bytes.
    Json(String),
    Text(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

impl Answer {
    pub(crate) fn json(status: u16, text: String) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(text) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Empty }
    }

    /// Returns an error in GitHub's format.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, error_body(status, message).to_string())
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// Returns GitHub's error for an invalid field of the body.
    pub(crate) fn unprocessable(resource: &str, field: &str, message: &str) -> Self {
        let mut body = error_body(422, "Validation Failed");
        body["errors"] =
            json!([{"resource": resource, "code": "unprocessable", "field": field, "message": message}]);
        Self::json(422, body.to_string())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let body = match self.content {
            Content::Empty => Body::empty(),
            Content::Text(text) => Body::from(text),
            Content::Json(text) => {
                response = response.header("content-type", "application/json; charset=utf-8");
                Body::from(text)
            }
        };
        response
            .body(body)
            .unwrap_or_else(|error| panic!("could not send the response {}: {error}", self.status))
    }
}

/// Returns the JSON of an error. In GitHub's OpenAPI document, all errors except validation errors (422) have a `status`.
fn error_body(status: u16, message: &str) -> Value {
    let mut body = json!({"message": message, "documentation_url": "https://docs.github.com/rest"});
    if status != 422 {
        body["status"] = json!(status.to_string());
    }
    body
}
