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
pub(crate) use shard::{Shard, useful_shards};

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::environment::Environment;
use crate::integration::{Override, list};
use crate::preview::Template;
use from_variable::Reader;
use parsed_variables::ParsedVariables;

/// The configuration of a run. The comment on each field names the variable that sets it.
#[derive(Debug)]
pub(crate) struct Config {
    /// `GITBOOK_TOKEN`
    pub token: Option<SecretString>,
    /// `GITHUB_TOKEN`
    pub github_token: Option<SecretString>,
    /// `GITLAB_TOKEN`
    pub gitlab_token: Option<SecretString>,
    /// `GITBOOK_COMMENT`
    pub comment: bool,
    /// `GITBOOK_DEPLOYMENTS`
    pub deployments: bool,
    /// `GITBOOK_ENDPOINT`
    pub endpoint: Endpoint,
    /// `GITBOOK_SANDBOX_DIR`
    pub sandbox_dir: PathBuf,
    /// `GITBOOK_MODE`
    pub mode: Mode,
    /// `GITBOOK_INTEGRATIONS`; `None` for the default `.`
    pub integrations: Option<Vec<String>>,
    /// `GITBOOK_ENV`
    pub env: Option<String>,
    /// `GITBOOK_PREVIEW_ENV`, by default `GITBOOK_ENV`
    pub preview_env: Option<String>,
    /// `GITBOOK_PRODUCTION_BRANCH`
    pub production_branch: Option<BranchPatterns>,
    /// `GITBOOK_PREVIEW_NAME`
    pub preview_name: Template,
    /// `GITBOOK_PREVIEW_VISIBILITY`
    pub preview_visibility: &'static str,
    /// `GITBOOK_DRY_RUN`
    pub dry_run: bool,
    /// `GITBOOK_BUNDLE`
    pub bundle: bool,
    /// `GITBOOK_SKIP_UNCHANGED`
    pub skip_unchanged: bool,
    /// `GITBOOK_CONCURRENCY`
    pub concurrency: NonZeroUsize,
    /// `GITBOOK_SHARD`
    pub shard: Option<Shard>,
    /// `GITBOOK_TIMEOUT`
    pub timeout: Duration,
    /// `GITBOOK_RETRIES`
    pub retries: u32,
    /// The variables for manifest fields
    pub overrides: Vec<Override>,
}

impl Config {
    /// Reads the environment. Returns the configuration and a warning for each variable that looks misspelled.
    ///
    /// # Errors
    /// Returns an error for each invalid variable, and the warnings. No message contains the value of a variable.
    pub(crate) fn from_environment(
        environment: &Environment,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let values = ParsedVariables::read(environment)?;
        let sandbox_dir = values.sandbox_dir.as_deref().or(variables::literal_default("GITBOOK_SANDBOX_DIR"));
        let mut reader = Reader::default();
        let config = Self {
            token: reader.optional("GITBOOK_TOKEN", values.token).and_then(|token| token.0),
            github_token: forge_token(environment, "GITHUB_TOKEN"),
            gitlab_token: forge_token(environment, "GITLAB_TOKEN"),
            comment: reader.read("GITBOOK_COMMENT", values.comment),
            deployments: reader.read("GITBOOK_DEPLOYMENTS", values.deployments),
            endpoint: reader.read("GITBOOK_ENDPOINT", values.endpoint),
            sandbox_dir: environment.folder().join(sandbox_dir.unwrap_or_default()),
            mode: reader.read("GITBOOK_MODE", values.mode),
            integrations: parse_patterns(values.integrations.as_deref()),
            preview_env: values.preview_env.or_else(|| values.env.clone()),
            env: values.env,
            production_branch: reader.optional("GITBOOK_PRODUCTION_BRANCH", values.production_branch),
            preview_name: reader.read("GITBOOK_PREVIEW_NAME", values.preview_name),
            preview_visibility: reader.read("GITBOOK_PREVIEW_VISIBILITY", values.preview_visibility).0,
            dry_run: reader.read("GITBOOK_DRY_RUN", values.dry_run),
            bundle: reader.read("GITBOOK_BUNDLE", values.bundle),
            skip_unchanged: reader.read("GITBOOK_SKIP_UNCHANGED", values.skip_unchanged),
            concurrency: reader.read("GITBOOK_CONCURRENCY", values.concurrency).0,
            shard: reader.optional("GITBOOK_SHARD", values.shard),
            timeout: reader.read("GITBOOK_TIMEOUT", values.timeout),
            retries: reader.read("GITBOOK_RETRIES", values.retries).0,
            overrides: parsed_variables::overrides(environment),
        };
        let warnings = parsed_variables::misspelled(environment);
        match reader.finish() {
            Ok(()) => Ok((config, warnings)),
            Err(errors) => Err(errors.into_iter().chain(warnings).collect()),
        }
    }

    /// Returns the patterns that select integrations.
    #[must_use]
    pub(crate) fn patterns(&self) -> Vec<String> {
        self.integrations.clone().unwrap_or_else(|| vec![".".to_owned()])
    }

    /// Returns true if requests to GitBook can be authorized. The sandbox needs no token.
    #[must_use]
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some() || matches!(self.endpoint, Endpoint::Sandbox)
    }

    /// Returns true if a variable sets the name of the integration.
    #[must_use]
    pub(crate) fn names_integration(&self) -> bool {
        self.overrides.iter().any(|field| field.key == "name")
    }

    /// Returns an error for the first override that applies to a single integration only: any except `GITBOOK_ORGANIZATION`.
    #[must_use]
    pub(crate) fn single_integration_override(&self) -> Option<Diagnostic> {
        let field = self.overrides.iter().find(|field| field.key != "organization")?;
        let message = format!("sets `{}` for several integrations", field.key);
        let hint = "select one integration with `GITBOOK_INTEGRATIONS`, or unset this variable".to_owned();
        Some(Diagnostic::error(SourceLocation::variable(&field.variable), message).hint(hint))
    }
}

/// Returns a forge token without surrounding white space. Pasted tokens often end with a line break.
fn forge_token(environment: &Environment, variable: &str) -> Option<SecretString> {
    environment.get(variable).map(str::trim).filter(|token| !token.is_empty()).map(Into::into)
}

/// Returns the patterns of `GITBOOK_INTEGRATIONS`. Returns `None` for the default `.`, even if the variable contains it
/// explicitly.
fn parse_patterns(text: Option<&str>) -> Option<Vec<String>> {
    let patterns: Vec<_> = list(text?).map(str::to_owned).collect();
    (!patterns.is_empty() && patterns != ["."]).then_some(patterns)
}

#[cfg(test)]
mod tests;
