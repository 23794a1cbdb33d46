//! Deletes previews that still exist although their branch or pull request is closed.

use std::collections::BTreeMap;

use super::{CommandResult, Context, ForgeUnavailable, comment_on_pull_request};
use crate::config::Shard;
use crate::deploy::{Outcome, Status, Sweep, SweepCandidate, UncheckedPreviews};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::error::{Error, pluralize};
use crate::integration::{self, DiscoveryError, Identity};
use crate::plan::PreviewRef;

impl Context<'_> {
    /// Deletes the previews of closed branches and pull requests in the organization that `GITBOOK_ORGANIZATION` names. If the
    /// variable is not set, deletes them in each organization that a manifest names.
    pub(super) async fn sweep(&self) -> CommandResult {
        let mut result = CommandResult::default();
        if self.shard.is_some_and(|shard| shard != Shard { index: 1, ..shard }) {
            tracing::info!("nothing to do: the first shard sweeps for all shards");
            return result;
        }
        let swept = async {
            let repository = self.ci.repository.as_deref().ok_or(Error::NoRepository)?;
            let forge = self.forge.ok_or_else(|| self.no_forge_error())?;
            let (production, organizations) = self.names_and_organizations(&mut result.problems)?;
            let gitbook = self.gitbook().await?;
            let deployer = self.deployer(&gitbook);
            let sweep = Sweep {
                deployer: &deployer,
                forge,
                repository,
                repository_id: self.ci.repository_id,
                template: &self.config.preview_name,
                production: &production,
            };
            let mut listed = UncheckedPreviews::default();
            for (organization, location) in &organizations {
                let found = self.cancel.run_until_cancelled(sweep.list(organization, location)).await;
                listed.extend(found.map_err(Error::Cancelled)?.map_err(Error::Sweep)?);
            }
            let candidates = self.cancel.run_until_cancelled(sweep.decide(listed)).await;
            let candidates = candidates.map_err(Error::Cancelled)?.map_err(Error::Sweep)?;
            result.outcomes = self.delete_candidates(&sweep, candidates).await;
            self.check_outcomes(&result.outcomes)
        }
        .await;
        CommandResult { error: swept.err(), ..result }
    }

    fn no_forge_error(&self) -> Error {
        let unavailable = self.forge_unavailable;
        let reason = unavailable.map(ToString::to_string).unwrap_or_default();
        Error::NoForge { reason, hint: unavailable.map(ForgeUnavailable::hint).unwrap_or_default() }
    }

    async fn delete_candidates(&self, sweep: &Sweep<'_>, candidates: Vec<SweepCandidate>) -> Vec<Outcome> {
        // Failed requests for comments must not stop the checks of branches, so the client for comments has its own circuit
        // breaker.
        let comments = &sweep.forge.with_own_circuit_breaker();
        let now = comment_on_pull_request::current_minute();
        let on_deleted = async |outcome: &Outcome, target: &PreviewRef| {
            let rows =
                [crate::report::comment::removed_row(&outcome.name, self.ci.run_number, &now, self.printer)];
            self.comment_on_swept_preview(comments, target, &rows).await;
        };
        let section = self.printer.start_section("checking", candidates.len(), "preview");
        let outcomes = sweep.execute(candidates, on_deleted).await;
        drop(section);
        let count = |status| {
            let has_status =
                |outcome: &&Outcome| outcome.result.as_ref().is_ok_and(|success| success.status == status);
            outcomes.iter().filter(has_status).count()
        };
        let (deleted, kept) = (count(Status::Deleted), count(Status::Skipped));
        match count(Status::Checked) {
            0 => tracing::info!("sweep: deleted {}, kept {kept}", pluralize(deleted, "preview")),
            checked => {
                tracing::info!(
                    "sweep (dry run): would delete {}, keep {kept}",
                    pluralize(checked, "preview")
                );
            }
        }
        outcomes
    }

    /// Returns the names of all integrations, and the organizations to sweep. The location of an organization is
    /// `GITBOOK_ORGANIZATION` or the first manifest that names the organization.
    fn names_and_organizations(
        &self,
        reported: &mut Vec<Diagnostic>,
    ) -> Result<(Vec<String>, BTreeMap<String, SourceLocation>), Error> {
        let organization_override = self.config.overrides.iter().find(|field| field.key == "organization");
        let has_no_patterns = self.config.integrations.is_none();
        let sources = match integration::discover(
            &self.config.integration_patterns(),
            self.environment.current_folder(),
        ) {
            Ok(sources) => sources,
            Err(DiscoveryError { manifests, is_incomplete: false, .. })
                if manifests.is_empty() && has_no_patterns && self.config.sets_integration_name() =>
            {
                vec![integration::source_without_manifest(self.environment.current_folder())]
            }
            // A sweep works without manifests if `GITBOOK_ORGANIZATION` is set.
            Err(DiscoveryError { manifests, is_incomplete: false, .. }) if has_no_patterns => manifests,
            Err(incomplete) => {
                self.report_problems(incomplete.problems, reported)?;
                Vec::new()
            }
        };
        let mut names = Vec::new();
        let mut organizations = BTreeMap::new();
        let mut problems = Vec::new();
        for source in &sources {
            for envs in [&self.config.envs, &self.config.preview_envs] {
                match integration::identity(source, &self.packaging(envs, false)) {
                    Ok(Identity { name, organization, location, .. }) => {
                        names.push(name);
                        if let Some(organization) = organization {
                            organizations.entry(organization).or_insert(location);
                        }
                    }
                    Err(found) => problems.extend(found),
                }
            }
        }
        problems.dedup();
        self.report_problems(problems, reported)?;
        if let Some(field) = organization_override {
            organizations = [(field.value.clone(), SourceLocation::variable(&field.variable))].into();
        }
        if organizations.is_empty() { Err(Error::OrganizationNotFound) } else { Ok((names, organizations)) }
    }
}
