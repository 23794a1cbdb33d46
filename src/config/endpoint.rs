//! Parses `GITBOOK_ENDPOINT`.

use url::Url;

use super::from_variable::{FromVariable, InvalidValue};
use crate::http::is_loopback;

/// The API to publish to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The embedded sandbox.
    Sandbox,
    /// The root URL of an API, with `https`, or `http` for a loopback address. Its path ends with a slash.
    Url(Url),
}

impl FromVariable for Endpoint {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        if text == "sandbox" {
            return Ok(Self::Sandbox);
        }
        let Ok(mut url) = Url::parse(text) else { return Err("invalid URL".into()) };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err("plain `http` would send the token unencrypted".into()),
            _ => return Err("the scheme is neither `https` nor `http`".into()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the URL contains a user name or password".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the URL contains a query or fragment".into());
        }
        // Request paths begin with the API version (`v1/`), so the root must not contain it. Users often copy the URL with the
        // version.
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path);
        url.set_path(&format!("{path}/"));
        Ok(Self::Url(url))
    }

    fn hint() -> String {
        "use an `https` URL, an `http` URL of a loopback address, or `sandbox`".to_owned()
    }
}
