//! The program's commands and the context that they share.

mod check;
mod delete;
mod duplicate_names;
mod newer_commit_check;

mod comment_on_pull_request;
mod forge_client;
mod plan;
mod preview;
mod publish;
mod published_previews;
mod selection;
mod shard;
mod sweep;

pub(crate) use forge_client::{ForgeUnavailable, forge_client};

use std::sync::Once;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use secrecy::SecretString;

use selection::Selection;

use crate::cancel::Cancel;
use crate::ci::Ci;
use crate::config::{Config, Endpoint, Mode, Shard};
use crate::deploy::{Deployer, GitHubDeployments, NamedPreview, Outcome, PreviewContext};
use crate::diagnostic::{self, Diagnostic, SourceLocation, display_path};
use crate::environment::Environment;
use crate::error::{Error, ProblemCounts, pluralize};
use crate::forge::{Forge, ForgeError};
use crate::gitbook::{GitBook, sandbox};
use crate::http::RequestError;
use crate::integration::{
    self, Checkout, EnvsCheck, Integration, IntegrationSource, Packaging, PackagingContext, RequestedEnvs,
    processor_count,
};
use crate::plan::{Decision, PreviewRef};
use crate::report::{Printer, Reporter, RunReport, ShardPlan};
use crate::symlinks;

/// The configuration, clients and run data that all commands share.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) config: &'a Config,
    pub(crate) ci: &'a Ci,
    /// The client for the forge; `None` if the decision does not need the forge, or the token or API URL is missing.
    pub(crate) forge: Option<&'a Forge>,
    /// The reason why there is no client, if the decision needs one.
    pub(crate) forge_unavailable: Option<&'a ForgeUnavailable>,
    /// The recorder of GitHub Deployments; `None` if they are disabled.
    pub(crate) github_deployments: Option<&'a GitHubDeployments<'a>>,
    pub(crate) cancel: &'a Cancel,
    pub(crate) printer: &'a Printer,
    pub(crate) report: &'a Reporter,
    /// This machine's share of the integrations.
    pub(crate) shard: Option<Shard>,
    pub(crate) packaging_context: &'a PackagingContext,
}

/// The result of a command. A failed command also returns the results of the steps that it has completed.
#[derive(Debug, Default)]
pub(crate) struct CommandResult {
    /// Problems in the user's files.
    pub(crate) problems: Vec<Diagnostic>,
    /// This machine's share of the branch's previews, without integrations that have an invalid name.
    pub(crate) previews: Vec<NamedPreview>,
    /// The outcome of each integration.
    pub(crate) outcomes: Vec<Outcome>,
    /// The number of machines that a later job should use.
    pub(crate) shard_plan: Option<ShardPlan>,
    /// A sentence that tells readers of the report how the work is divided among machines.
    pub(crate) share_description: Option<String>,
    pub(crate) error: Option<Error>,
}

impl CommandResult {
    fn take_error(&mut self) -> Result<(), Error> {
        self.error.take().map_or(Ok(()), Err)
    }
}

/// A packaged integration, and the duration of its packaging.
type TimedIntegration = (Integration, Duration);

impl<'a> Context<'a> {
    /// Runs the command that a decision selects.
    pub(crate) async fn execute(&self, decision: &'a Decision) -> CommandResult {
        match decision {
            Decision::Refuse(refusal) => {
                CommandResult { error: Some(Error::Refused(*refusal)), ..CommandResult::default() }
            }
            Decision::Nothing => CommandResult::default(),
            Decision::Sweep => self.sweep().await,
            Decision::Check => self.check().await,
            Decision::Plan(plan) => self.plan(&plan.decision).await,
            Decision::Publish => self.publish().await,
            Decision::Preview(target) => self.preview(target).await,
            Decision::Delete(target) => self.delete(target).await,
        }
    }

    /// Writes the pull request comment and the final statuses of the GitHub Deployments at the end of a run. A failure causes
    /// only a warning or a notice.
    pub(crate) async fn conclude(&self, decision: &Decision, run: &RunReport, error: Option<&Error>) {
        let finish = async { self.github_deployments?.finish().await };
        let ((), failure) = futures::join!(self.write_comment(decision, run, error), finish);
        if let Some(skipped @ 1..) = self.github_deployments.map(GitHubDeployments::skipped_count) {
            self.printer.print_notice(&format!(
                "could not update {}: the remaining API rate limit is reserved for the pull request comment",
                pluralize(skipped, "GitHub Deployment")
            ));
        }
        match failure {
            None | Some(ForgeError::Request(RequestError::Cancelled)) => {}
            // Gitea and Forgejo have no deployments.
            Some(ForgeError::Request(RequestError::NotFound(_))) => {
                tracing::info!("this server does not support GitHub Deployments");
            }
            Some(error) => {
                newer_commit_check::report_forge_failure(
                    self.printer,
                    "could not record the GitHub Deployments",
                    &error,
                );
            }
        }
    }

    /// Packages this machine's share of the integrations and reports all their problems before any request to GitBook. Also
    /// reports duplicate names, including names of integrations that other machines publish.
    async fn package(
        &self,
        selection: &Selection,
        share: &[&IntegrationSource],
        envs: &RequestedEnvs,
        resolve_secrets: bool,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Vec<TimedIntegration>, Error> {
        let packaging = self.packaging(envs, resolve_secrets);
        let mut new_problems = selection.problems.clone();
        let EnvsCheck { problems: env_problems, notice } = envs.check(&selection.sources, &packaging);
        let is_unknown_env = env_problems.iter().any(Diagnostic::is_error);
        new_problems.extend(env_problems);
        // Without the entry, fields may seem to be missing.
        if is_unknown_env {
            return self.report_problems(new_problems, problems).map(|()| Vec::new());
        }
        notice.iter().for_each(|notice| self.printer.print_notice(notice));
        let phase = self.printer.start_phase("packaging", share.len());
        let package = async |source: &IntegrationSource| {
            let folder = source.folder.file_name().unwrap_or_default().to_string_lossy();
            let _item = self.printer.start_item(&folder);
            let started = Instant::now();
            (integration::package(source, &packaging).await, started.elapsed())
        };
        // Resolving secrets may take long, so many integrations are packaged at once. The packaging context limits the number of
        // scripts that are bundled at once.
        let limit = self.config.concurrency.get().max(processor_count());
        let work = run_concurrently(share.iter().copied(), limit, package);
        let mut packaged = self.cancel.run_until_cancelled(work).await.map_err(Error::Cancelled)?;
        drop(phase);
        let mut integrations = Vec::new();
        let identities: Vec<_> = match self.shard {
            None => packaged.iter_mut().filter_map(|(packaged, _)| packaged.identity.take()).collect(),
            Some(_) => {
                let identity = |source| integration::identity(source, &packaging).ok();
                selection.sources.iter().filter_map(identity).collect()
            }
        };
        new_problems.extend(duplicate_names::duplicate_names(&identities));
        for (packaged, time) in packaged {
            packaged.secrets.iter().for_each(|secret| self.printer.add_secret(secret));
            new_problems.extend(packaged.problems);
            integrations.extend(packaged.integration.map(|integration| (integration, time)));
        }
        self.report_problems(new_problems, problems)?;
        Ok(integrations)
    }

    /// Returns the branch's previews of all integrations, including integrations that other machines publish. Reports invalid
    /// names, and names that two integrations, two previews, or a preview and an integration share.
    fn unique_preview_names(
        &self,
        selection: &Selection,
        previews: &PreviewContext<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Vec<NamedPreview>, Error> {
        let packaging = self.packaging(&self.config.preview_envs, false);
        let mut identities = Vec::new();
        let mut new_problems = selection.problems.clone();
        for source in &selection.sources {
            match integration::identity(source, &packaging) {
                Ok(identity) => identities.push(identity),
                Err(invalid) => new_problems.extend(invalid),
            }
        }
        new_problems.extend(duplicate_names::duplicate_names(&identities));
        let names: Vec<_> = identities.into_iter().map(|identity| previews.named_preview(identity)).collect();
        new_problems.extend(duplicate_names::name_collisions(&names));
        self.report_problems(new_problems, problems)?;
        Ok(names)
    }

    fn packaging<'b>(&'b self, envs: &'b RequestedEnvs, resolve_secrets: bool) -> Packaging<'b> {
        Packaging {
            envs,
            overrides: &self.config.overrides,
            bundle: self.config.bundle,
            resolve_secrets,
            timeout: self.config.timeout,
            hash_key: self.config.token.as_ref(),
            environment: self.environment,
            workspace: self.ci.workspace.as_deref(),
            packaging_context: self.packaging_context,
        }
    }

    fn checkout(&self) -> Checkout<'_> {
        Checkout {
            working_directory: self.environment.current_folder(),
            workspace: self.ci.workspace.as_deref(),
        }
    }

    fn preview_context(&self, target: &'a PreviewRef) -> Result<PreviewContext<'a>, Error> {
        Ok(PreviewContext {
            target,
            repository: self.ci.repository.as_deref().ok_or(Error::NoRepository)?,
            repository_id: self.ci.repository_id,
            commit: self.ci.commit.as_deref(),
            // Run number 0 lets a manual deletion delete previews of newer runs, too.
            run: if self.config.mode == Mode::Delete { 0 } else { self.ci.run_number },
            counter: if self.ci.run_number == 0 { "" } else { &self.ci.run_number_scope },
            template: &self.config.preview_name,
            visibility: self.config.preview_visibility,
        })
    }

    /// Returns the branch's previews of the given integrations. Omits integrations with an invalid name, because packaging reports an
    /// error for each of them.
    fn valid_preview_names(
        &self,
        sources: &[&IntegrationSource],
        previews: &PreviewContext<'_>,
    ) -> Vec<NamedPreview> {
        let packaging = self.packaging(&self.config.preview_envs, false);
        let named = |source: &&IntegrationSource| {
            Some(previews.named_preview(integration::identity(source, &packaging).ok()?))
        };
        sources.iter().filter_map(named).collect()
    }

    fn deployer<'b>(&'b self, gitbook: &'b GitBook) -> Deployer<'b> {
        Deployer {
            gitbook,
            cancel: self.cancel,
            github_deployments: self.github_deployments,
            dry_run: self.config.dry_run,
            skip_unchanged: self.config.skip_unchanged,
            unreadable_notice: Once::new(),
        }
    }

    /// Creates the client for the GitBook API. Starts the sandbox first if the configuration selects it.
    async fn gitbook(&self) -> Result<GitBook, Error> {
        let config = self.config;
        let (endpoint, token) = match &config.endpoint {
            Endpoint::Url(url) => (url.clone(), config.token.clone().unwrap_or_default()),
            Endpoint::Sandbox => {
                let folder = &config.sandbox_dir;
                let Checkout { working_directory, workspace } = self.checkout();
                let checkout = symlinks::checkout_root(working_directory, workspace);
                let start = async {
                    sandbox::start(&symlinks::resolve_without_checkout_links(folder, &checkout)?).await
                };
                let to_error = |source| Error::Sandbox { folder: folder.clone(), source };
                let url = start.await.map_err(to_error)?;
                tracing::info!("using the sandbox in `{}`", display_path(folder));
                (url, config.token.clone().unwrap_or_else(|| SecretString::from("sandbox")))
            }
        };
        let gitbook = GitBook::new(endpoint, token, config.timeout, config.retries);
        let gitbook = gitbook.map_err(Error::Client)?.with_cancel(self.cancel);
        Ok(if self.shard.is_some() { gitbook.with_shard_wait() } else { gitbook })
    }

    /// Deploys several integrations at once. If one fails, the others continue.
    async fn deploy_all<T, F: Future<Output = Outcome>>(
        &self,
        action: &str,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        deploy: impl FnMut(T) -> F,
    ) -> Vec<Outcome> {
        let items = items.into_iter();
        let _section = self.printer.start_section(action, items.len(), "integration");
        run_concurrently(items, self.config.concurrency.get(), deploy).await
    }

    /// Returns an error if a signal has cancelled the run or an outcome is a failure.
    fn check_outcomes(self, outcomes: &[Outcome]) -> Result<(), Error> {
        let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
        match (self.cancel.signal(), failed) {
            (Some(signal), _) => Err(Error::Cancelled(signal)),
            (None, 0) => Ok(()),
            (None, failed) => Err(Error::Deployment { failed, total: outcomes.len() }),
        }
    }

    /// Prints the problems that are not yet in `reported`, and adds them to `reported`.
    ///
    /// # Errors
    /// Returns [`Error::InvalidIntegrations`] if one of the problems is an error and not just a warning.
    fn report_problems(
        &self,
        mut problems: Vec<Diagnostic>,
        reported: &mut Vec<Diagnostic>,
    ) -> Result<(), Error> {
        diagnostic::sort_and_dedup(&mut problems);
        let has_error = problems.iter().any(Diagnostic::is_error);
        problems.retain(|problem| !reported.iter().any(|known| known.is_duplicate_of(problem)));
        self.report.print_problems(&problems);
        reported.extend(problems);
        diagnostic::sort_and_dedup(reported);
        if has_error { Err(Error::InvalidIntegrations(ProblemCounts::of(reported))) } else { Ok(()) }
    }
}

/// Creates an outcome with the status “skipped” for each item, which is a name and the location of a manifest.
fn skipped_outcomes<'i>(
    items: impl Iterator<Item = (String, &'i SourceLocation)>,
    is_preview: bool,
    reason: &str,
) -> Vec<Outcome> {
    items.map(|(name, location)| Outcome::skipped(name, location, is_preview, reason)).collect()
}

/// Runs up to `limit` futures at once and returns their results in the order of the items.
async fn run_concurrently<T, R, F: Future<Output = R>>(
    items: impl IntoIterator<Item = T>,
    limit: usize,
    mut work: impl FnMut(T) -> F,
) -> Vec<R> {
    let numbered = items.into_iter().enumerate().map(|(number, item)| {
        let result = work(item);
        async move { (number, result.await) }
    });
    let mut results: Vec<_> = stream::iter(numbered).buffer_unordered(limit).collect().await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
