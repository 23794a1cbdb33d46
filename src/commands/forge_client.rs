//! Creates the client for the forge.

use crate::cancel::Cancel;
use crate::ci::{Ci, Event};
use crate::config::Config;
use crate::forge::{Access, Forge, GitHub, GitLab, MaxWait};
use crate::http::is_loopback;
use crate::plan::Decision;
use crate::repository::ForgeKind;

/// Creates the client for the forge. If the token or the API URL is missing or invalid, returns `None` and logs the features that
/// this run lacks.
pub(crate) fn forge_client(config: &Config, ci: &Ci, decision: &Decision, cancel: &Cancel) -> Option<Forge> {
    let (token, unavailable) = match ci.forge {
        ForgeKind::GitHub => (&config.github_token, "no comment and no GitHub Deployments"),
        ForgeKind::GitLab => (&config.gitlab_token, "no note on the merge request"),
    };
    let (token_variable, api_variable) = (ci.forge.token_variable(), ci.forge.api_variable());
    let consequence =
        format!("so this run writes {unavailable}, and does not check for newer commits or closed branches");
    let Some(token) = token else {
        // Outside CI, a missing token is normal, so it is not logged.
        if ci.event != Event::Unknown {
            tracing::info!("`{token_variable}` is not set, {consequence}");
        }
        return None;
    };
    // The name has the form `host/owner/repository`.
    let repository = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.1));
    let (Some(api), Some(repository)) = (&ci.api_root, repository) else {
        tracing::info!("`{api_variable}` is not the API URL of the repository's host, {consequence}");
        return None;
    };
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
    match forge {
        Ok(Some(forge)) => Some(forge),
        Ok(None) => {
            tracing::warn!("`{repository}` does not have the form `owner/repository`, {consequence}");
            None
        }
        Err(error) => {
            tracing::warn!("{error}; {consequence}");
            None
        }
    }
}
