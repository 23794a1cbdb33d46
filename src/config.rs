//! What to deploy and how, read once from the environment.

mod branches;
mod endpoint;
mod log_format;
mod mode;
mod shard;
mod token;
mod value;
mod variables;

pub(crate) use branches::BranchPatterns;
pub(crate) use endpoint::Endpoint;
pub(crate) use log_format::LogFormat;
pub(crate) use mode::Mode;
pub(crate) use shard::{Shard, shares_worth};
pub(crate) use variables::help;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::environment::Environment;
use crate::integration::{Override, list};
use crate::preview::Template;
use token::Token;
use value::Reader;

/// What to deploy and how.
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
    /// `GITBOOK_INTEGRATIONS`; `None` when unset, which means `.`
    pub integrations: Option<Vec<String>>,
    /// `GITBOOK_ENV`
    pub env: Option<String>,
    /// `GITBOOK_PREVIEW_ENV`, or else `GITBOOK_ENV`
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
    /// `GITBOOK_<FIELD>`
    pub overrides: Vec<Override>,
}

impl Config {
    /// Reads the environment.
    ///
    /// The second part of the result is what is odd but no error: variables that look misspelt.
    ///
    /// # Errors
    /// All bad values at once, each with its variable, what is wrong and what is accepted; never the value. What
    /// looks misspelt is among them.
    pub(crate) fn from_environment(
        environment: &Environment,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let variables = variables::read(environment)?;
        let mut reader = Reader::default();
        let token = variables.token.filter(|token| !token.trim().is_empty());
        let config = Self {
            endpoint: reader.read("GITBOOK_ENDPOINT", variables.endpoint, Endpoint::default()),
            sandbox_dir: environment
                .folder()
                .join(variables.sandbox_dir.as_deref().unwrap_or(".gitbook-sandbox")),
            mode: reader.read("GITBOOK_MODE", variables.mode, Mode::Auto),
            integrations: patterns(variables.integrations.as_deref()),
            preview_env: variables.preview_env.or_else(|| variables.env.clone()),
            env: variables.env,
            production_branch: reader.optional("GITBOOK_PRODUCTION_BRANCH", variables.production_branch),
            preview_name: reader.read("GITBOOK_PREVIEW_NAME", variables.preview_name, Template::default()),
            preview_visibility: reader
                .read(
                    "GITBOOK_PREVIEW_VISIBILITY",
                    variables.preview_visibility,
                    value::Visibility("private"),
                )
                .0,
            dry_run: reader.flag("GITBOOK_DRY_RUN", variables.dry_run, false),
            bundle: reader.flag("GITBOOK_BUNDLE", variables.bundle, true),
            skip_unchanged: reader.flag("GITBOOK_SKIP_UNCHANGED", variables.skip_unchanged, true),
            concurrency: reader
                .read("GITBOOK_CONCURRENCY", variables.concurrency, value::Concurrency::default())
                .0,
            shard: reader.optional("GITBOOK_SHARD", variables.shard),
            timeout: reader.read("GITBOOK_TIMEOUT", variables.timeout, value::Timeout::default()).0,
            retries: reader.read("GITBOOK_RETRIES", variables.retries, value::Retries::default()).0,
            overrides: variables::overrides(environment),
            comment: reader.flag("GITBOOK_COMMENT", variables.comment, true),
            deployments: reader.flag("GITBOOK_DEPLOYMENTS", variables.deployments, true),
            github_token: forge_token(environment, "GITHUB_TOKEN"),
            gitlab_token: forge_token(environment, "GITLAB_TOKEN"),
            token: reader.optional("GITBOOK_TOKEN", token).map(|token: Token| token.0),
        };
        let misspelt = variables::misspelt(environment);
        match reader.finish() {
            Ok(()) => Ok((config, misspelt)),
            Err(problems) => Err(problems.into_iter().chain(misspelt).collect()),
        }
    }

    /// The patterns that select integrations.
    #[must_use]
    pub(crate) fn patterns(&self) -> Vec<String> {
        self.integrations.clone().unwrap_or_else(|| vec![".".to_owned()])
    }

    /// Whether GitBook can be talked to: with a token, or with a sandbox that takes any.
    #[must_use]
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some() || matches!(self.endpoint, Endpoint::Sandbox)
    }

    /// Whether a variable gives the integration its name.
    #[must_use]
    pub(crate) fn names_integration(&self) -> bool {
        self.overrides.iter().any(|field| field.key == "name")
    }

    /// The override that gives one manifest field to more than one integration, which none but
    /// `GITBOOK_ORGANIZATION` may.
    #[must_use]
    pub(crate) fn override_for_one_only(&self) -> Option<Diagnostic> {
        let field = self.overrides.iter().find(|field| field.key != "organization")?;
        let message = format!("gives `{}` to several integrations", field.key);
        let hint = "select one integration with `GITBOOK_INTEGRATIONS`, or unset it".to_owned();
        Some(Diagnostic::error(SourceLocation::variable(&field.variable), message).hint(hint))
    }
}

/// A forge's token, which is pasted with a line break more often than not.
fn forge_token(environment: &Environment, variable: &str) -> Option<SecretString> {
    environment.get(variable).map(str::trim).filter(|token| !token.is_empty()).map(Into::into)
}

/// What `GITBOOK_INTEGRATIONS` selects; `None` for nothing in particular, which the default said aloud is, too.
fn patterns(text: Option<&str>) -> Option<Vec<String>> {
    let patterns: Vec<_> = list(text?).map(str::to_owned).collect();
    (!patterns.is_empty() && patterns != ["."]).then_some(patterns)
}

#[cfg(test)]
mod tests;
