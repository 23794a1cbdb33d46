//! `GITBOOK_ENDPOINT`.

use url::Url;

use crate::http::is_loopback;

use super::value::Value;

/// Where the API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The embedded sandbox.
    Sandbox,
    /// An API root: `https`, or `http` on loopback. Its path ends with a slash.
    Url(Url),
}

impl Default for Endpoint {
    fn default() -> Self {
        // A test holds that this default is a URL.
        Url::parse("https://api.gitbook.com/").map_or(Self::Sandbox, Self::Url)
    }
}

impl Value for Endpoint {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        if text == "sandbox" {
            return Ok(Self::Sandbox);
        }
        let refused = |why: &str| Err((why.to_owned(), None));
        let Ok(mut url) = Url::parse(text) else { return refused("not a URL") };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refused("plain `http` would show the token to the network"),
            _ => return refused("neither `https` nor `http`"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("holds a user or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refused("holds a query or fragment");
        }
        // The version is part of the requests' paths, not of the root, whatever was copied from a reference.
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path);
        url.set_path(&format!("{path}/"));
        Ok(Self::Url(url))
    }

    fn accepted() -> String {
        "`https://…`, `http://` for loopback only, or `sandbox`".to_owned()
    }
}
