//! Sweeps up the previews that no event has deleted.

use std::collections::BTreeMap;

use super::{Stage, comment};
use crate::config::Shard;
use crate::deploy::{Listed, Outcome, Sweep, What};
use crate::diagnostic::Place;
use crate::error::Error;
use crate::integration::{self, Identity, Incomplete};
use crate::plan::Target;
use crate::report::Run;

impl Stage<'_> {
    /// Deletes the previews of all branches that are gone, in each organization that the manifests name.
    pub(crate) async fn sweep(&self, run: &mut Run) -> Result<(), Error> {
        if self.shard.is_some_and(|shard| shard != Shard { index: 1, ..shard }) {
            tracing::info!("the first share's machine sweeps for all");
            return Ok(());
        }
        let repository = self.ci.repository.as_deref().ok_or(Error::NoRepository)?;
        let forge = self.forge.ok_or(Error::NoForge)?;
        let (production, organizations) = self.manifests(run)?;
        let gitbook = self.gitbook().await?;
        let deployment = self.deployment(&gitbook);
        let template = &self.config.preview_name;
        // That something can't be told on the forge is no reason not to go on asking.
        let telling = &forge.apart();
        let sweep = Sweep {
            deployment: &deployment,
            forge,
            repository,
            repository_id: self.ci.repository_id,
            template,
            production: &production,
        };
        let mut listed = Listed::default();
        for (organization, place) in &organizations {
            let found = self.cancel.or_at_once(sweep.list(organization, place)).await;
            listed.extend(found.map_err(Error::Cancelled)?.map_err(Error::Sweep)?);
        }
        let fates = self.cancel.or_at_once(sweep.decide(listed)).await;
        let fates = fates.map_err(Error::Cancelled)?.map_err(Error::Sweep)?;
        let now = comment::now();
        let deleted = async |outcome: &Outcome, target: &Target| {
            let rows = [self.report.removed(&outcome.name, self.ci.run, &now)];
            self.comment_on_sweep(telling, target, &rows).await;
        };
        let section = self.printer.section("looking at", fates.len(), "preview");
        run.outcomes = sweep.carry_out(fates, deleted).await;
        drop(section);
        let count = |what| {
            let is = |outcome: &&Outcome| outcome.result.as_ref().is_ok_and(|done| done.what == what);
            run.outcomes.iter().filter(is).count()
        };
        let (deleted, kept) = (count(What::Deleted), count(What::Skipped));
        match count(What::Checked) {
            0 => tracing::info!("swept up: {deleted} deleted, {kept} kept"),
            more => tracing::info!("dry run: {more} would be deleted, {kept} kept"),
        }
        self.verdict(run)
    }

    /// The names of all integrations, in production and as previews are made of them, and their organizations with where
    /// each is named first.
    fn manifests(&self, run: &mut Run) -> Result<(Vec<String>, BTreeMap<String, Place>), Error> {
        let named = self.config.overrides.iter().find(|field| field.key == "organization");
        let is_whole = self.config.integrations.is_none();
        let sources = match integration::discover(&self.config.patterns(), self.environment.folder()) {
            Ok(sources) => sources,
            Err(Incomplete { found, is_unsearched: false, .. })
                if found.is_empty() && is_whole && self.config.names_integration() =>
            {
                vec![integration::from_variables(self.environment.folder())]
            }
            // The organization is all that is needed, and a sweep needs no checkout.
            Err(Incomplete { found, is_unsearched: false, .. }) if is_whole => found,
            Err(incomplete) => {
                self.tell(incomplete.problems, run)?;
                Vec::new()
            }
        };
        let mut names = Vec::new();
        let mut organizations = BTreeMap::new();
        let mut problems = Vec::new();
        for source in &sources {
            for env in [&self.config.env, &self.config.preview_env] {
                match integration::identity(source, &self.packaging(env.as_deref(), false)) {
                    Ok(Identity { name, organization, place, .. }) => {
                        names.push(name);
                        if let Some(organization) = organization {
                            organizations.entry(organization).or_insert(place);
                        }
                    }
                    Err(found) => problems.extend(found),
                }
            }
        }
        problems.dedup();
        self.tell(problems, run)?;
        if let Some(field) = named {
            organizations = [(field.value.clone(), Place::variable(&field.variable))].into();
        }
        if organizations.is_empty() { Err(Error::NoOrganization) } else { Ok((names, organizations)) }
    }
}
