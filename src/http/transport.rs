//! The reasons for a request without a complete response.

use std::time::Duration;

use super::ApiKind;

/// The reason why a request has no complete response.
#[derive(Debug)]
pub enum TransportError {
    /// A server that is unreachable.
    Connect(String),
    /// A failed TLS handshake, for example because of an invalid certificate.
    Tls(String),
    /// A response that was not complete within the timeout.
    Timeout(Duration),
    /// A connection that ended before the response was complete.
    ConnectionLost(String),
    /// A response that is larger than the limit in bytes.
    TooLarge(usize),
    /// A failure to create the HTTP client.
    Client(reqwest::Error),
}

/// Phrases that show that an error is from the TLS library rustls. reqwest has no error code for these errors.
const TLS_PHRASES: [&str; 6] =
    ["certificate", "handshake", "corrupt message", "fatal alert", "peer is incompatible", "peer misbehaved"];

/// The maximum time to open a connection. A server that takes longer is down or behind a firewall that drops packets.
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl TransportError {
    /// Describes the error of a request to `api`.
    pub(super) fn describe(&self, api: ApiKind) -> String {
        match self {
            Self::Connect(text) => format!("could not connect to {text}"),
            Self::Tls(text) => format!("TLS handshake failed with {text}"),
            Self::Timeout(time) => {
                format!("no response from {api} within {}", humantime::format_duration(*time))
            }
            Self::ConnectionLost(text) => format!("connection to {api} lost: {text}"),
            Self::TooLarge(limit) => {
                format!("the response from {api} is larger than {} MiB", limit / (1024 * 1024))
            }
            Self::Client(error) => {
                format!("could not create the HTTP client for {api}: {}", describe_causes(error))
            }
        }
    }

    pub(super) fn new(error: reqwest::Error, timeout: Duration) -> Self {
        let host = describe_host(error.url());
        let error = error.without_url();
        let text = describe_causes(&error);
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => {
                let time = humantime::format_duration(connect_timeout(timeout));
                Self::Connect(format!("{host}: no response within {time}"))
            }
            (true, false) if TLS_PHRASES.iter().any(|phrase| text.contains(phrase)) => {
                Self::Tls(format!("{host}: {text}"))
            }
            (true, false) => Self::Connect(format!("{host}: {text}")),
            (false, true) => Self::Timeout(timeout),
            (false, false) => Self::ConnectionLost(text),
        }
    }

    /// Returns true if the request may have taken effect, and false if no connection was established: then no request was sent.
    pub(crate) fn may_have_succeeded(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::ConnectionLost(_) | Self::TooLarge(_) => true,
            Self::Connect(_) | Self::Tls(_) | Self::Client(_) => false,
        }
    }

    /// Returns true if the same request may succeed on a retry.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout(_) | Self::ConnectionLost(_) => true,
            Self::Tls(_) | Self::TooLarge(_) | Self::Client(_) => false,
        }
    }
}

/// Returns the maximum time to open a connection: at most half of the request's timeout. If no connection is established, the
/// connection timeout therefore always ends first, which proves that no request was sent.
pub(super) fn connect_timeout(timeout: Duration) -> Duration {
    MAX_CONNECT_TIMEOUT.min(timeout / 2)
}

fn describe_host(url: Option<&url::Url>) -> String {
    match url.and_then(|url| Some((url.host_str()?, url.port_or_known_default()?))) {
        Some((host, port)) => format!("`{host}:{port}`"),
        None => "the endpoint".to_owned(),
    }
}

/// Returns the texts of an error's causes, joined by `: `. Omits the error's own text, which is usually "error sending request",
/// unless the error has no cause.
fn describe_causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        source = cause.source();
        let is_generic = text.starts_with("client error (") && source.is_some();
        if !is_generic && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    texts.split_off(usize::from(texts.len() > 1)).join(": ")
}
