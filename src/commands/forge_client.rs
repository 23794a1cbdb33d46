//! Creates the client for the forge.

use crate::cancel::Cancel;
use crate::ci::{Ci, Event};
use crate::config::Config;
use crate::forge::{Access, Forge, GitHub, GitLab, MaxWait};
use crate::http::{RequestError, is_loopback};
use crate::plan::Decision;
use crate::repository::ForgeKind;

/// The reason why a run has no client for the forge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForgeUnavailable {
    /// An unset token.
    #[error("`{}` is not set", .0.token_variable())]
    NoToken(ForgeKind),
    /// A run without a known repository.
    #[error("the repository is unknown")]
    NoRepository,
    /// An unset API URL, for a host whose API URL is unknown.
    #[error("`{}` is not set", .0.api_variable())]
    NoApi(ForgeKind, String),
    /// An API URL that does not belong to the repository's host.
    #[error("`{variable}` is not the API URL of `{1}`", variable = .0.api_variable())]
    OtherApi(ForgeKind, String),
    /// A repository name without an owner.
    #[error("`{0}` does not have the form `owner/repository`")]
    InvalidRepository(String),
    /// An HTTP client that cannot be created.
    #[error("{0}")]
    Client(RequestError),
}

impl ForgeUnavailable {
    /// Returns a hint for the user of a sweep.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        let remedy = match self {
            Self::NoToken(kind) => format!("set `{}`", kind.token_variable()),
            Self::NoRepository | Self::InvalidRepository(_) => {
                "set `GITBOOK_REPOSITORY`, for example to `github.com/acme/integrations`".to_owned()
            }
            Self::NoApi(kind, host) | Self::OtherApi(kind, host) => {
                format!("set `{}` to the API URL of `{host}`", kind.api_variable())
            }
            Self::Client(_) => {
                "install CA certificates, or set `SSL_CERT_FILE` to a file that contains them".to_owned()
            }
        };
        format!(
            "{remedy}; without a sweep, delete the previews of one branch with `GITBOOK_MODE=delete` and `GITBOOK_BRANCH`"
        )
    }
}

/// Creates the client for the forge. If the token or the API URL is missing or invalid, logs the consequences and returns the
/// reason. A sweep reports the reason as an error instead.
pub(crate) fn forge_client(
    config: &Config,
    ci: &Ci,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Forge, ForgeUnavailable> {
    create_client(config, ci, decision, cancel).inspect_err(|reason| {
        let unavailable = match ci.forge {
            ForgeKind::GitHub => "no comment and no GitHub Deployments",
            ForgeKind::GitLab => "no merge request comment",
        };
        let message = format!(
            "{reason}, so this run writes {unavailable}, and does not check for newer commits or closed branches"
        );
        match reason {
            _ if *decision == Decision::Sweep => {}
            // Outside CI, a missing token is normal, so it is not logged.
            ForgeUnavailable::NoToken(_) if ci.event == Event::Unknown => {}
            ForgeUnavailable::InvalidRepository(_) | ForgeUnavailable::Client(_) => {
                tracing::warn!("{message}");
            }
            _ => tracing::info!("{message}"),
        }
    })
}

fn create_client(
    config: &Config,
    ci: &Ci,
    decision: &Decision,
    cancel: &Cancel,
) -> Result<Forge, ForgeUnavailable> {
    let token = match ci.forge {
        ForgeKind::GitHub => &config.github_token,
        ForgeKind::GitLab => &config.gitlab_token,
    };
    let token = token.as_ref().ok_or(ForgeUnavailable::NoToken(ci.forge))?;
    let (token_variable, api_variable) = (ci.forge.token_variable(), ci.forge.api_variable());
    // The name has the form `host/owner/repository`.
    let name = ci.repository.as_deref().and_then(|name| name.split_once('/'));
    let (host, repository) = name.ok_or(ForgeUnavailable::NoRepository)?;
    let api = ci.api_root.as_ref().ok_or_else(|| {
        let reason = if ci.has_api_variable { ForgeUnavailable::OtherApi } else { ForgeUnavailable::NoApi };
        reason(ci.forge, host.to_owned())
    })?;
    if api.scheme() == "http" && !is_loopback(api) {
        tracing::warn!("`{api_variable}` uses plain `http`, which exposes `{token_variable}` to the network");
    }
    let max_wait = if *decision == Decision::Sweep { MaxWait::Long } else { MaxWait::Short };
    let Config { timeout, retries, .. } = *config;
    let access = Access { root: api, token, timeout, retries, max_wait, cancel };
    let forge = match ci.forge {
        ForgeKind::GitHub => GitHub::new(repository, &access).map(|github| github.map(Forge::GitHub)),
        ForgeKind::GitLab => {
            GitLab::new(ci.repository_id, repository, &access).map(|gitlab| gitlab.map(Forge::GitLab))
        }
    };
    let forge = forge.map_err(ForgeUnavailable::Client)?;
    forge.ok_or_else(|| ForgeUnavailable::InvalidRepository(repository.to_owned()))
}
