//! How a request fails below HTTP.

use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection.
    #[error("no connection to {0}")]
    Connect(String),
    /// A connection whose other end could not prove who it is.
    #[error("no secure connection to {0}")]
    Tls(String),
    /// No answer in time.
    #[error("no answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// An answer of more bytes than any that is meant.
    #[error("the answer has more than {} MiB", .0 / (1024 * 1024))]
    TooLarge(usize),
    /// The HTTP client could not be made.
    #[error("the HTTP client can't start: {}", chain(.0))]
    Client(reqwest::Error),
}

/// How rustls says that something is wrong with the other end, which is told apart by its text only.
const TLS_SIGNS: [&str; 6] =
    ["certificate", "handshake", "corrupt message", "fatal alert", "peer is incompatible", "peer misbehaved"];

/// Whoever has not answered by then is not there, or behind a firewall that says nothing.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

impl TransportError {
    pub(super) fn new(error: reqwest::Error, timeout: Duration) -> Self {
        let host = host(error.url());
        let error = error.without_url();
        let text = chain(&error);
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => {
                let time = humantime::format_duration(connect_timeout(timeout));
                Self::Connect(format!("{host}: nobody answers within {time}"))
            }
            (true, false) if TLS_SIGNS.iter().any(|sign| text.contains(sign)) => {
                Self::Tls(format!("{host}: {text}"))
            }
            (true, false) => Self::Connect(format!("{host}: {text}")),
            (false, true) => Self::Timeout(timeout),
            (false, false) => Self::Broken(text),
        }
    }

    /// Whether the request may have been carried out all the same. Without a connection nothing was sent.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Broken(_) | Self::TooLarge(_) => true,
            Self::Connect(_) | Self::Tls(_) | Self::Client(_) => false,
        }
    }

    /// Whether the same request may well succeed a little later.
    pub(crate) fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout(_) | Self::Broken(_) => true,
            Self::Tls(_) | Self::TooLarge(_) | Self::Client(_) => false,
        }
    }
}

/// How long connecting may take: so much less than the whole request that it is certain of a connection which is not
/// there in time that nothing was sent.
pub(super) fn connect_timeout(timeout: Duration) -> Duration {
    LONGEST_CONNECT.min(timeout / 2)
}

fn host(url: Option<&url::Url>) -> String {
    match url.and_then(|url| Some((url.host_str()?, url.port_or_known_default()?))) {
        Some((host, port)) => format!("`{host}:{port}`"),
        None => "the endpoint".to_owned(),
    }
}

/// An error with all its causes, since the first one alone mostly says "error sending request", and the second
/// "client error (Connect)".
fn chain(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        source = cause.source();
        let says_nothing = text.starts_with("client error (") && source.is_some();
        if !says_nothing && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    texts.split_off(usize::from(texts.len() > 1)).join(": ")
}
