//! The configuration, read once from the environment.

mod branches;
mod endpoint;
mod from_variable;
mod help;
mod log_format;
mod mode;
mod parsed_variables;
mod shard;
mod token;
pub(crate) mod variables;

pub(crate) use branches::BranchPatterns;
pub(crate) use endpoint::Endpoint;
pub(crate) use help::help;
pub(crate) use log_format::LogFormat;
pub(crate) use mode::Mode;
pub(crate) use shard::{Shard, recommended_shard_count};

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::environment::Environment;
use crate::integration::{Override, RequestedEnvs, split_list};
use crate::preview::Template;
use from_variable::Reader;
use parsed_variables::ParsedVariables;

/// The configuration of a run. The comment on each field contains the name of its variable.
#[derive(Debug)]
pub(crate) struct Config {
    /// The GitBook API token (`GITBOOK_TOKEN`).
    pub token: Option<SecretString>,
    /// The token for GitHub, Gitea or Forgejo (`GITHUB_TOKEN`).
    pub github_token: Option<SecretString>,
    /// The GitLab token (`GITLAB_TOKEN`).
    pub gitlab_token: Option<SecretString>,
    /// True if the run maintains a comment on the pull request (`GITBOOK_COMMENT`).
    pub comment: bool,
    /// True if the run records GitHub deployments (`GITBOOK_DEPLOYMENTS`).
    pub deployments: bool,
    /// The API to publish to (`GITBOOK_ENDPOINT`).
    pub endpoint: Endpoint,
    /// The folder of the sandbox (`GITBOOK_SANDBOX_DIR`).
    pub sandbox_dir: PathBuf,
    /// The action of the run (`GITBOOK_MODE`).
    pub mode: Mode,
    /// The patterns that select integrations (`GITBOOK_INTEGRATIONS`), or `None` for the default `.`.
    pub integrations: Option<Vec<String>>,
    /// The `envs` entries for production (`GITBOOK_ENV`).
    pub envs: RequestedEnvs,
    /// The `envs` entries for previews (`GITBOOK_PREVIEW_ENV`, by default `GITBOOK_ENV`).
    pub preview_envs: RequestedEnvs,
    /// The branches that are published to production (`GITBOOK_PRODUCTION_BRANCH`).
    pub production_branch: Option<BranchPatterns>,
    /// The template for preview names (`GITBOOK_PREVIEW_NAME`).
    pub preview_name: Template,
    /// The visibility of previews (`GITBOOK_PREVIEW_VISIBILITY`).
    pub preview_visibility: &'static str,
    /// True if the run must not change anything (`GITBOOK_DRY_RUN`).
    pub dry_run: bool,
    /// True if scripts are bundled (`GITBOOK_BUNDLE`).
    pub bundle: bool,
    /// True if unchanged integrations are skipped (`GITBOOK_SKIP_UNCHANGED`).
    pub skip_unchanged: bool,
    /// The number of integrations deployed at the same time (`GITBOOK_CONCURRENCY`).
    pub concurrency: NonZeroUsize,
    /// This machine's share of the integrations (`GITBOOK_SHARD`).
    pub shard: Option<Shard>,
    /// The time limit for one API request (`GITBOOK_TIMEOUT`).
    pub timeout: Duration,
    /// The number of retries of a request (`GITBOOK_RETRIES`).
    pub retries: u32,
    /// The manifest fields set by variables such as `GITBOOK_TITLE`.
    pub overrides: Vec<Override>,
}

impl Config {
    /// Reads the environment. Returns the configuration and a warning for each variable that looks misspelled.
    ///
    /// # Errors
    /// Returns an error for each invalid variable, together with the warnings. No message contains the value of a
    /// variable.
    pub(crate) fn from_environment(
        environment: &Environment,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let values = ParsedVariables::read(environment)?;
        let sandbox_dir = values.sandbox_dir.as_deref().or(variables::literal_default("GITBOOK_SANDBOX_DIR"));
        let parse_envs =
            |variable, text: Option<String>| text.map(|text| RequestedEnvs::parse(variable, &text));
        let envs = parse_envs("GITBOOK_ENV", values.env).unwrap_or_default();
        let preview_envs = parse_envs("GITBOOK_PREVIEW_ENV", values.preview_env);
        let mut reader = Reader::default();
        let config = Self {
            token: reader.read_optional("GITBOOK_TOKEN", values.token).and_then(|token| token.0),
            github_token: read_forge_token(environment, "GITHUB_TOKEN"),
            gitlab_token: read_forge_token(environment, "GITLAB_TOKEN"),
            comment: reader.read("GITBOOK_COMMENT", values.comment),
            deployments: reader.read("GITBOOK_DEPLOYMENTS", values.deployments),
            endpoint: reader.read("GITBOOK_ENDPOINT", values.endpoint),
            sandbox_dir: environment.current_folder().join(sandbox_dir.unwrap_or_default()),
            mode: reader.read("GITBOOK_MODE", values.mode),
            integrations: parse_patterns(values.integrations.as_deref()),
            preview_envs: preview_envs.unwrap_or_else(|| envs.clone()),
            envs,
            production_branch: reader.read_optional("GITBOOK_PRODUCTION_BRANCH", values.production_branch),
            preview_name: reader.read("GITBOOK_PREVIEW_NAME", values.preview_name),
            preview_visibility: reader.read("GITBOOK_PREVIEW_VISIBILITY", values.preview_visibility).0,
            dry_run: reader.read("GITBOOK_DRY_RUN", values.dry_run),
            bundle: reader.read("GITBOOK_BUNDLE", values.bundle),
            skip_unchanged: reader.read("GITBOOK_SKIP_UNCHANGED", values.skip_unchanged),
            concurrency: reader.read("GITBOOK_CONCURRENCY", values.concurrency).0,
            shard: reader.read_optional("GITBOOK_SHARD", values.shard),
            timeout: reader.read("GITBOOK_TIMEOUT", values.timeout),
            retries: reader.read("GITBOOK_RETRIES", values.retries).0,
            overrides: parsed_variables::read_overrides(environment),
        };
        let warnings = parsed_variables::find_misspelled_names(environment);
        match reader.finish() {
            Ok(()) => Ok((config, warnings)),
            Err(errors) => Err(errors.into_iter().chain(warnings).collect()),
        }
    }

    /// Returns the patterns that select integrations.
    #[must_use]
    pub(crate) fn integration_patterns(&self) -> Vec<String> {
        self.integrations.clone().unwrap_or_else(|| vec![".".to_owned()])
    }

    /// Returns true if requests to GitBook can be authorized: `GITBOOK_TOKEN` is set, or the endpoint is the sandbox.
    #[must_use]
    pub(crate) fn has_token_or_sandbox(&self) -> bool {
        self.token.is_some() || matches!(self.endpoint, Endpoint::Sandbox)
    }

    /// Returns true if a variable sets the name of the integration.
    #[must_use]
    pub(crate) fn sets_integration_name(&self) -> bool {
        self.overrides.iter().any(|field| field.key == "name")
    }

    /// Returns an error for the first override that must not apply to several integrations. Only `GITBOOK_ORGANIZATION` may
    /// apply to several.
    #[must_use]
    pub(crate) fn multiple_integrations_error(&self) -> Option<Diagnostic> {
        let field = self.overrides.iter().find(|field| field.key != "organization")?;
        let message = format!("sets `{}`, but several integrations are selected", field.key);
        let hint = "select one integration with `GITBOOK_INTEGRATIONS`, or unset this variable".to_owned();
        Some(Diagnostic::error(SourceLocation::variable(&field.variable), message).with_hint(hint))
    }
}

/// Returns a forge token without surrounding whitespace. Pasted tokens often end with a line break.
fn read_forge_token(environment: &Environment, variable: &str) -> Option<SecretString> {
    environment.get(variable).map(str::trim).filter(|token| !token.is_empty()).map(Into::into)
}

/// Returns the patterns of `GITBOOK_INTEGRATIONS`. Returns `None` for the default `.`, even if the variable contains it
/// explicitly.
fn parse_patterns(text: Option<&str>) -> Option<Vec<String>> {
    let patterns: Vec<_> = split_list(text?).map(str::to_owned).collect();
    (!patterns.is_empty() && patterns != ["."]).then_some(patterns)
}

#[cfg(test)]
mod tests;
