//! The stages of a deployment: select integrations, package them, and only then send anything.

mod comment;
mod follow_up;
mod names;
mod selection;
mod shares;
mod staleness;
mod sweep;

pub(crate) use staleness::forge;

use selection::Selection;

use std::sync::Once;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use secrecy::SecretString;

use crate::cancel::Cancel;
use crate::ci::Ci;
use crate::config::{Config, Endpoint, Mode, Shard};
use crate::deploy::{Deployment, NamedPreview, Outcome, Previews, Records, Verdict};
use crate::diagnostic::{self, Diagnostic, Place, shown};
use crate::environment::Environment;
use crate::error::{Error, Tally};
use crate::forge::{Forge, ForgeError};
use crate::gitbook::{GitBook, sandbox};
use crate::integration::{self, Checkout, Integration, Packaging, Source, Workshop, processors};
use crate::links;
use crate::plan::{Decision, Target};
use crate::report::{Printer, Report, Run};

/// What all stages need.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) config: &'a Config,
    pub(crate) ci: &'a Ci,
    /// Where branches and pull requests can be asked for.
    pub(crate) forge: Option<&'a Forge>,
    /// Where deployments are recorded.
    pub(crate) records: Option<&'a Records<'a>>,
    pub(crate) cancel: &'a Cancel,
    pub(crate) printer: &'a Printer,
    pub(crate) report: &'a Report,
    /// This machine's share of the integrations.
    pub(crate) shard: Option<Shard>,
    /// Where integrations are packaged.
    pub(crate) workshop: &'a Workshop,
}

/// An integration and how long it took to package.
type Timed = (Integration, Duration);

impl<'a> Stage<'a> {
    /// Tells the forge what came of it all, and says what it could not be told.
    pub(crate) async fn conclude(&self, decision: &Decision, run: &Run, error: Option<&Error>) {
        let recorded = async { self.records?.finish().await };
        let ((), unrecorded) = futures::join!(self.comment(decision, run, error), recorded);
        if let Some(dropped @ 1..) = self.records.map(Records::dropped) {
            self.printer.notice(&format!(
                "{dropped} deployments are not recorded or not marked inactive: the forge's rate limit is near, and the comment comes first"
            ));
        }
        match unrecorded {
            None | Some(ForgeError::Cancelled) => {}
            // Gitea and Forgejo have no such thing.
            Some(ForgeError::NotFound(_)) => tracing::info!("the forge keeps no record of deployments"),
            Some(error) => staleness::tell(self.printer, "no deployments are recorded", &error),
        }
    }

    /// Builds and validates everything.
    pub(crate) async fn check(&self, run: &mut Run) -> Result<(), Error> {
        let of_pull_request = self.ci.event.pull_request().is_some();
        let env = if of_pull_request { &self.config.preview_env } else { &self.config.env };
        self.check_with(env.as_deref(), run).await
    }

    async fn check_with(&self, env: Option<&str>, run: &mut Run) -> Result<(), Error> {
        let selection = self.select(run)?;
        let mine = self.share(&selection.sources, run);
        let integrations = self.package(&selection, &mine, env, false, run).await?;
        let _section = self.printer.section("checking", integrations.len(), "integration");
        run.outcomes =
            integrations.iter().map(|(integration, time)| Outcome::checked(integration, *time)).collect();
        Ok(())
    }

    /// Publishes to production.
    pub(crate) async fn publish(&self, run: &mut Run) -> Result<(), Error> {
        let selection = self.select(run)?;
        let mine = self.share(&selection.sources, run);
        // What takes time elsewhere is begun first.
        let recheck = self.production_check();
        let (verdict, packaged) = futures::join!(
            recheck.recent(),
            self.package(&selection, &mine, self.config.env.as_deref(), true, run)
        );
        let integrations = packaged?;
        if let Verdict::Stop(stop) = verdict {
            let why = stop.to_string();
            // Nobody looks for what was not published to production.
            self.printer.notice(&format!("not published to production: {why}"));
            self.skip(integrations.iter().map(|(i, _)| (i.name.clone(), &i.place)), false, &why, run);
            return Ok(());
        }
        let gitbook = self.gitbook().await?;
        let deployment = self.deployment(&gitbook);
        // Before anything is changed, so that one answer of the forge serves all.
        let look = async |timed: &'_ Timed| deployment.look(&timed.0.name).await;
        let looks = in_order(&integrations, self.config.concurrency.get(), look).await;
        let looked: Vec<_> = integrations.iter().zip(looks).collect();
        self.each("publishing", looked, run, async |((built, time), look)| {
            let _work = self.printer.works_on(&built.name);
            deployment.publish(built, look, &recheck).await.packaged_in(*time)
        })
        .await;
        self.verdict(run)
    }

    /// Publishes the previews of a branch.
    pub(crate) async fn preview(&self, target: &'a Target, run: &mut Run) -> Result<(), Error> {
        self.refuse_fork_of_comment(target).await?;
        let previews = self.previews(target)?;
        let selection = self.select(run)?;
        let mine = self.share(&selection.sources, run);
        run.named = self.known_previews(&mine, &previews);
        let recheck = self.preview_check(target);
        let (verdict, packaged) = futures::join!(
            recheck.recent(),
            self.package(&selection, &mine, self.config.preview_env.as_deref(), true, run)
        );
        let integrations = packaged?;
        self.preview_names(&selection, &previews, run)?;
        if let Verdict::Stop(stop) = verdict {
            let named = std::mem::take(&mut run.named);
            let why = stop.to_string();
            self.skip(named.iter().map(|named| (named.name.clone(), &named.place)), true, &why, run);
            return Ok(());
        }
        let gitbook = self.gitbook().await?;
        let deployment = self.deployment(&gitbook);
        self.each("publishing", &integrations, run, async |(built, time)| {
            let _work = self.printer.works_on(&built.name);
            deployment.preview(built, &previews, &recheck).await.packaged_in(*time)
        })
        .await;
        self.follow_up(&deployment, &previews, &integrations, run).await;
        self.verdict(run)
    }

    /// Deletes the previews of a branch. The manifests' names are enough for that.
    pub(crate) async fn delete(&self, target: &'a Target, run: &mut Run) -> Result<(), Error> {
        let previews = self.previews(target)?;
        let all = self.select_names(run)?;
        let named = self.preview_names(&all, &previews, run)?;
        let named = self.share_of_equals(named, run);
        let recheck = self.deletion_check(target);
        if let Verdict::Stop(stop) = recheck.recent().await {
            let why = stop.to_string();
            self.skip(named.iter().map(|named| (named.name.clone(), &named.place)), true, &why, run);
            return Ok(());
        }
        let gitbook = self.gitbook().await?;
        let deployment = self.deployment(&gitbook);
        self.each("deleting", &named, run, async |preview| {
            let _work = self.printer.works_on(&preview.name);
            deployment.delete(preview, &previews, &recheck).await
        })
        .await;
        for preview in self.forgotten(&named, target, &previews, &gitbook).await {
            run.outcomes.push(deployment.delete(&preview, &previews, &recheck).await);
        }
        self.check_reopened(&recheck, run).await;
        run.named = named;
        self.verdict(run)
    }

    /// Leaves everything as it is.
    fn skip<'i>(
        &self,
        items: impl Iterator<Item = (String, &'i Place)>,
        preview: bool,
        why: &str,
        run: &mut Run,
    ) {
        run.outcomes = items.map(|(name, place)| Outcome::skipped(name, place, preview, why)).collect();
    }

    /// Packages this machine's share and tells all problems of all of it, before anything is sent. That no two
    /// integrations have one name is held over all sources.
    async fn package(
        &self,
        all: &Selection,
        mine: &[&Source],
        env: Option<&str>,
        resolve_secrets: bool,
        run: &mut Run,
    ) -> Result<Vec<Timed>, Error> {
        let packaging = self.packaging(env, resolve_secrets);
        let phase = self.printer.phase("packaging", mine.len());
        let package = async |source: &Source| {
            let folder = source.folder.file_name().unwrap_or_default().to_string_lossy();
            let _work = self.printer.works_on(&folder);
            let started = Instant::now();
            (integration::package(source, &packaging).await, started.elapsed())
        };
        // Secrets may be waited for; how many scripts are bundled at once is the workshop's to say.
        let at_once = self.config.concurrency.get().max(processors());
        let work = in_order(mine.iter().copied(), at_once, package);
        let mut packaged = self.cancel.or_at_once(work).await.map_err(Error::Cancelled)?;
        drop(phase);
        let mut integrations = Vec::new();
        let named: Vec<_> = match self.shard {
            None => packaged.iter_mut().filter_map(|(packaged, _)| packaged.identity.take()).collect(),
            Some(_) => {
                let known = |source| integration::identity(source, &packaging).ok();
                all.sources.iter().filter_map(known).collect()
            }
        };
        let mut problems = all.problems.clone();
        problems.extend(names::same(&named));
        for (packaged, time) in packaged {
            packaged.hidden.iter().for_each(|secret| self.printer.hide(secret));
            problems.extend(packaged.problems);
            integrations.extend(packaged.integration.map(|integration| (integration, time)));
        }
        self.tell(problems, run)?;
        Ok(integrations)
    }

    /// The names of the branch's previews, by the names of their integrations.
    ///
    /// All integrations are looked at, not this machine's share only: a preview's name must be nobody else's.
    fn preview_names(
        &self,
        selection: &Selection,
        previews: &Previews<'_>,
        run: &mut Run,
    ) -> Result<Vec<NamedPreview>, Error> {
        let packaging = self.packaging(self.config.preview_env.as_deref(), false);
        let mut identities = Vec::new();
        let mut problems = selection.problems.clone();
        for source in &selection.sources {
            match integration::identity(source, &packaging) {
                Ok(identity) => identities.push(identity),
                Err(found) => problems.extend(found),
            }
        }
        problems.extend(names::same(&identities));
        let names: Vec<_> = identities.into_iter().map(|identity| previews.named(identity)).collect();
        problems.extend(names::collisions(&names));
        self.tell(problems, run)?;
        Ok(names)
    }

    fn packaging<'b>(&'b self, env: Option<&'b str>, resolve_secrets: bool) -> Packaging<'b> {
        Packaging {
            env,
            overrides: &self.config.overrides,
            bundle: self.config.bundle,
            resolve_secrets,
            timeout: self.config.timeout,
            seal: self.config.token.as_ref(),
            environment: self.environment,
            workspace: self.ci.workspace.as_deref(),
            workshop: self.workshop,
        }
    }

    fn checkout(&self) -> Checkout<'_> {
        Checkout { started_in: self.environment.folder(), workspace: self.ci.workspace.as_deref() }
    }

    fn previews(&self, target: &'a Target) -> Result<Previews<'a>, Error> {
        Ok(Previews {
            target,
            repository: self.ci.repository.as_deref().ok_or(Error::NoRepository)?,
            repository_id: self.ci.repository_id,
            commit: self.ci.commit.as_deref(),
            // Who deletes by hand means the preview that is there, whichever run made it.
            run: if self.config.mode == Mode::Delete { 0 } else { self.ci.run },
            counter: if self.ci.run == 0 { "" } else { &self.ci.counter },
            template: &self.config.preview_name,
            visibility: self.config.preview_visibility,
        })
    }

    /// The names of a branch's previews, as far as the manifests tell: problems are told elsewhere.
    fn known_previews(&self, sources: &[&Source], previews: &Previews<'_>) -> Vec<NamedPreview> {
        let packaging = self.packaging(self.config.preview_env.as_deref(), false);
        let named = |source: &&Source| Some(previews.named(integration::identity(source, &packaging).ok()?));
        sources.iter().filter_map(named).collect()
    }

    fn deployment<'b>(&'b self, gitbook: &'b GitBook) -> Deployment<'b> {
        Deployment {
            gitbook,
            cancel: self.cancel,
            records: self.records,
            dry_run: self.config.dry_run,
            skip_unchanged: self.config.skip_unchanged,
            unread: Once::new(),
        }
    }

    /// The client, and before it the sandbox where that is asked for.
    async fn gitbook(&self) -> Result<GitBook, Error> {
        let config = self.config;
        let (endpoint, token) = match &config.endpoint {
            Endpoint::Url(url) => (url.clone(), config.token.clone().unwrap_or_default()),
            Endpoint::Sandbox => {
                let folder = &config.sandbox_dir;
                let Checkout { started_in, workspace } = self.checkout();
                let checkout = links::checkout(started_in, workspace);
                let started = async { sandbox::start(&links::without_links(folder, &checkout)?).await };
                let failed = |source| Error::Sandbox { folder: folder.clone(), source };
                let url = started.await.map_err(failed)?;
                tracing::info!("sandbox: what is published goes to `{}`", shown(folder));
                (url, config.token.clone().unwrap_or_else(|| SecretString::from("sandbox")))
            }
        };
        let gitbook = GitBook::new(endpoint, token, config.timeout, config.retries);
        let gitbook = gitbook.map_err(Error::Client)?.until(self.cancel);
        Ok(if self.shard.is_some() { gitbook.among_others() } else { gitbook })
    }

    /// Deploys several at once. One that fails, or takes its time, does not stop the others.
    async fn each<T, F: Future<Output = Outcome>>(
        &self,
        doing: &str,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        run: &mut Run,
        deploy: impl FnMut(T) -> F,
    ) {
        let items = items.into_iter();
        let _section = self.printer.section(doing, items.len(), "integration");
        run.outcomes = in_order(items, self.config.concurrency.get(), deploy).await;
    }

    /// Whether all went well.
    fn verdict(&self, run: &Run) -> Result<(), Error> {
        let failed = run.outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
        match (self.cancel.signal(), failed) {
            (Some(signal), _) => Err(Error::Cancelled(signal)),
            (None, 0) => Ok(()),
            (None, failed) => Err(Error::Deployment { failed, total: run.outcomes.len() }),
        }
    }

    /// Shows problems that were not shown yet; an error when one of them is.
    fn tell(&self, mut problems: Vec<Diagnostic>, run: &mut Run) -> Result<(), Error> {
        diagnostic::sort(&mut problems);
        let has_error = problems.iter().any(Diagnostic::is_error);
        problems.retain(|problem| !run.problems.iter().any(|known| known.is_same(problem)));
        self.report.problems(&problems);
        run.problems.extend(problems);
        diagnostic::sort(&mut run.problems);
        if has_error { Err(Error::Sources(Tally::of(&run.problems))) } else { Ok(()) }
    }
}

/// Does so many things at once, whichever is done first, and gives the results in the order of the items.
async fn in_order<T, R, F: Future<Output = R>>(
    items: impl IntoIterator<Item = T>,
    at_once: usize,
    mut work: impl FnMut(T) -> F,
) -> Vec<R> {
    let numbered = items.into_iter().enumerate().map(|(number, item)| {
        let result = work(item);
        async move { (number, result.await) }
    });
    let mut results: Vec<_> = stream::iter(numbered).buffer_unordered(at_once).collect().await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
