//! The sweep: deletes the previews of branches and pull requests that are gone, and says why it keeps each other one.

use others::Others;
use questions::Questions;

use super::attempt::AttemptError;
use super::guard;
use super::recheck::{Recheck, Stop, Verdict};
use super::{DeployError, Deployment, Done, Outcome, What};
use crate::diagnostic::Place;
use crate::forge::{Forge, ForgeError, OpenPullRequests, Standing};
use crate::gitbook::{ApiError, Deletion, Published};
use crate::plan::Target;
use crate::preview::{Branch, Mark, Template};

mod others;
mod questions;

#[cfg(test)]
mod histories;

/// A run deletes no more. Whatever goes wrong, there is time to notice it.
const MOST_DELETIONS: usize = 50;

/// What a sweep needs to know beside how to deploy.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    /// How to read and delete.
    pub deployment: &'a Deployment<'a>,
    /// Who says which branches are gone.
    pub forge: &'a Forge,
    /// The repository, with its host.
    pub repository: &'a str,
    /// The forge's id of the repository.
    pub repository_id: Option<u64>,
    /// What previews are called.
    pub template: &'a Template,
    /// The names of integrations themselves, which are never deleted.
    pub production: &'a [String],
}

/// Why nothing was swept up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    /// What there is can't be listed.
    #[error("the integrations of the organization `{0}` can't be listed")]
    List(String, #[source] ApiError),
    /// There is no such organization.
    #[error("there is no organization `{0}` that the token's user is a member of")]
    NoOrganization(String),
    /// The branches cannot be listed.
    #[error("could not list the branches, so nothing is deleted")]
    Forge(#[source] ForgeError),
}

impl SweepError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::List(_, source) => source.hint(),
            Self::NoOrganization(_) => {
                "check `organization` in the manifest, or `GITBOOK_ORGANIZATION` (id or subdomain), and the token".to_owned()
            }
            Self::Forge(source) => source.hint(),
        }
    }
}

/// The previews of this repository in an organization, before the forge is asked about their branches.
#[derive(Debug, Default)]
pub(crate) struct Listed(Vec<Fate>);

impl Extend<Fate> for Listed {
    fn extend<T: IntoIterator<Item = Fate>>(&mut self, fates: T) {
        self.0.extend(fates);
    }
}

impl IntoIterator for Listed {
    type Item = Fate;
    type IntoIter = std::vec::IntoIter<Fate>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A preview of this repository, and what is to become of it.
#[derive(Debug)]
pub(crate) struct Fate {
    /// Its name.
    pub name: String,
    /// What its organization was named by.
    place: Place,
    mark: Mark,
    /// Why it is kept; `None` where it is to be deleted.
    kept: Option<Kept>,
}

/// The reason to keep a preview.
#[derive(Debug)]
enum Kept {
    /// It is open, or must not be deleted.
    Because(String),
    /// Nobody knows whether it is open.
    Undecided(DeployError),
}

impl Sweep<'_> {
    /// Lists the previews of this repository in an organization, which is known by its id or subdomain.
    ///
    /// # Errors
    /// Returns an error if GitBook does not list the organization's integrations.
    pub(crate) async fn list(&self, organization: &str, place: &Place) -> Result<Listed, SweepError> {
        let failed = |source| SweepError::List(organization.to_owned(), source);
        let gitbook = self.deployment.gitbook;
        let Some(id) = gitbook.organization(organization).await.map_err(failed)? else {
            return Err(SweepError::NoOrganization(organization.to_owned()));
        };
        let mut others = Others::default();
        let ours = |integration| self.of_this_repository(&integration, place, &mut others);
        let listed = gitbook.list(&id, ours).await.map_err(failed)?;
        others.log();
        Ok(Listed(listed))
    }

    /// Decides which previews are kept: those of all branches and pull requests that the forge lists as open, and those of
    /// which it does not say that.
    ///
    /// # Errors
    /// Returns an error if the forge does not list the branches.
    pub(crate) async fn decide(&self, Listed(mut fates): Listed) -> Result<Vec<Fate>, SweepError> {
        let undecided = fates.iter_mut().filter(|fate| fate.kept.is_none());
        let undecided: Vec<_> = undecided.map(|fate| (self.target(&fate.mark), fate)).collect();
        if undecided.is_empty() {
            return Ok(fates);
        }
        let branches = self.forge.branches().await.map_err(SweepError::Forge)?;
        let is_of_pull_request =
            |target: &Target| target.pull_request.is_some() || target.branch.of_which_fork().is_some();
        let (of_pull_requests, of_branches): (Vec<_>, Vec<_>) =
            undecided.into_iter().partition(|(target, _)| is_of_pull_request(target));
        for (target, fate) in of_branches {
            fate.kept = branches.contains(target.branch.as_str()).then(|| self.open(&target));
        }
        if of_pull_requests.is_empty() {
            return Ok(fates);
        }
        let open = self.forge.open_pull_requests().await;
        let questions = Questions::new(self.forge);
        for (target, fate) in of_pull_requests {
            fate.kept = match self.is_open(open.as_ref(), &fate.name, &target, &questions).await {
                Ok(true) => Some(self.open(&target)),
                Ok(false) => None,
                Err(undecided) => Some(Kept::Undecided(undecided.into())),
            };
        }
        Ok(fates)
    }

    /// Returns whether the pull request of a preview is open, or one from its branch.
    async fn is_open(
        &self,
        open: Result<&OpenPullRequests, &ForgeError>,
        name: &str,
        target: &Target,
        questions: &Questions<'_>,
    ) -> Result<bool, Stop> {
        let open = open.map_err(|error| self.undecided(name, target, error))?;
        let is_open = match questions.next() {
            Ok(forge) => questions.answered(forge.has_open(open, &target.branch, target.pull_request).await),
            Err(error) => Err(error),
        };
        is_open.map_err(|error| self.undecided(name, target, &error))
    }

    /// Deletes what is to be deleted, but not more than a run may, and says why everything else is kept.
    ///
    /// What was deleted is passed on at once, with what it was the preview of.
    pub(crate) async fn carry_out(
        &self,
        mut fates: Vec<Fate>,
        mut deleted: impl AsyncFnMut(&Outcome, &Target),
    ) -> Vec<Outcome> {
        fates.sort_by(|a, b| a.name.cmp(&b.name));
        // One organization may have been named by its id and by its subdomain.
        fates.dedup_by(|a, b| a.name == b.name);
        let mut outcomes = Vec::new();
        let mut room = MOST_DELETIONS;
        let questions = Questions::new(self.forge);
        for Fate { name, place, mark, kept } in fates {
            let full = || {
                (room == 0).then(|| Kept::Because(format!("{MOST_DELETIONS} deletions a run are the most")))
            };
            match kept.or_else(full) {
                Some(Kept::Because(why)) => {
                    outcomes.push(Outcome::skipped(name, &place, true, &format!("kept: {why}")));
                    continue;
                }
                Some(Kept::Undecided(error)) => {
                    outcomes.push(self.deployment.timed(name, &place, true, async { Err(error) }).await);
                    continue;
                }
                None => {}
            }
            room -= 1;
            let delete = self.delete(&name, &mark, &questions);
            let outcome = self.deployment.timed(name.clone(), &place, true, delete).await;
            if outcome.result.as_ref().is_ok_and(|done| done.what == What::Deleted) {
                deleted(&outcome, &self.target(&mark)).await;
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// A preview of this repository, and whether it may be deleted at all; `None` for everything else.
    fn of_this_repository(
        &self,
        integration: &Published,
        place: &Place,
        others: &mut Others,
    ) -> Option<Fate> {
        let summary = integration.summary.as_deref()?;
        let Some(mark) = Mark::find(summary) else {
            if Mark::is_in(summary) {
                tracing::info!("`{}` is left as it is: its ownership mark is damaged", integration.name);
            }
            return None;
        };
        if !mark.is_of_repository(self.repository, self.repository_id) {
            tracing::debug!("`{}` is a preview of `{}`", integration.name, mark.repository);
            others.add(&mark, self);
            return None;
        }
        let name = integration.name.clone();
        let kept = self.why_not(integration, &mark).map(Kept::Because);
        let no_branch = || {
            let branch = mark.branch.clone();
            let is_valid = Branch::new(&branch).is_valid();
            (!is_valid).then(|| Kept::Undecided(DeployError::NoBranch { name: name.clone(), branch }))
        };
        let kept = kept.or_else(no_branch);
        Some(Fate { name, place: place.clone(), mark, kept })
    }

    /// Why an integration with a mark may not be deleted.
    fn why_not(&self, integration: &Published, mark: &Mark) -> Option<String> {
        let name = &integration.name;
        let expected = self.template.name(&mark.integration, &Branch::new(&mark.branch), mark.pull_request);
        let unnumbered = self.template.needs_pull_request() && mark.pull_request.is_none();
        if *name != expected || unnumbered {
            let why = "its name is not what `GITBOOK_PREVIEW_NAME` gives for its mark; delete it by hand, if it is yours";
            return Some(why.to_owned());
        }
        let production = self.production.iter().map(String::as_str);
        let protection = guard::protection(name, integration, production.chain([&*mark.integration]))?;
        Some(format!("{protection}; {}", protection.hint()))
    }

    /// What the forge is asked about. A number counts only where the name has it, too: elsewhere a preview is its
    /// branch's, whatever pull request it was published for.
    fn target(&self, mark: &Mark) -> Target {
        let pull_request = mark.pull_request.filter(|_| self.template.needs_pull_request());
        Target { branch: Branch::new(&mark.branch), pull_request }
    }

    /// Asks the forge whether a preview's branch or pull request is still closed.
    async fn verdict(&self, name: &str, target: &Target, questions: &Questions<'_>) -> Verdict {
        match self.standing(target, questions).await {
            Ok(Standing::Gone) => Verdict::Confirmed,
            Ok(Standing::Open { .. }) => {
                Verdict::Stop(Stop::Open(format!("kept: {} is open again", self.told(target))))
            }
            Err(error) => Verdict::Stop(self.undecided(name, target, &error)),
        }
    }

    async fn standing(&self, target: &Target, questions: &Questions<'_>) -> Result<Standing, ForgeError> {
        let forge = questions.next()?;
        questions.answered(forge.standing(&target.branch, target.pull_request).await)
    }

    fn open(&self, target: &Target) -> Kept {
        Kept::Because(format!("{} is open", self.told(target)))
    }

    fn undecided(&self, name: &str, target: &Target, error: &ForgeError) -> Stop {
        let told = self.told(target);
        let reason = format!("`{name}` is kept: could not check that {told} is gone: {error}");
        Stop::Undecided { reason, hint: error.hint() }
    }

    /// Reads a preview and asks the forge again, so that nothing is deleted which was published, changed, replaced or
    /// opened meanwhile, and deletes it.
    async fn delete(&self, name: &str, mark: &Mark, questions: &Questions<'_>) -> Result<Done, DeployError> {
        let Deployment { cancel, dry_run, .. } = *self.deployment;
        let done = |what, note: String| Ok(Done { what, note: Some(note), ..Done::default() });
        let absent = || "it was not there any more".to_owned();
        let target = &self.target(mark);
        let gone = match target.pull_request {
            Some(_) => format!("{} is closed", self.told(target)),
            None => format!("{} is gone", self.told(target)),
        };
        // Each deletion asks for itself.
        let recheck = Recheck::new(|| {
            Box::pin(async move {
                let verdict = cancel.or_at_once(self.verdict(name, target, questions)).await;
                verdict.unwrap_or_else(|_| Verdict::Stop(Stop::Changed("kept: cancelled".to_owned())))
            })
        });
        let Some(now) = self.deployment.read(name).await? else {
            self.forget(mark).await;
            return done(What::Deleted, absent());
        };
        let check = |there: &Published| {
            let is_same = there.summary.as_deref().and_then(Mark::find).as_ref() == Some(mark);
            let changed = || Stop::Changed("kept: it was changed just now".to_owned());
            if is_same && self.why_not(there, mark).is_none() { Ok(()) } else { Err(changed()) }
        };
        check(&now)?;
        if dry_run {
            return done(What::Checked, format!("dry run: would be deleted, {gone}"));
        }
        let check = async |there: &Published| check(there).map_err(AttemptError::from);
        let deletion = self.deployment.delete_read(name, &recheck, check).await?;
        self.forget(mark).await;
        match deletion {
            Deletion::DidNotExist => done(What::Deleted, absent()),
            Deletion::Deleted => {
                self.check_reopened(name, target, questions).await?;
                done(What::Deleted, gone)
            }
        }
    }

    /// Asks once more after a deletion: a run for a branch that is back may have found its preview before it was deleted.
    async fn check_reopened(
        &self,
        name: &str,
        target: &Target,
        questions: &Questions<'_>,
    ) -> Result<(), DeployError> {
        let standing = self.deployment.cancel.or_at_once(self.standing(target, questions)).await;
        let told = self.told(target);
        match standing {
            Ok(Ok(Standing::Open { .. })) => {
                let reason = format!("{told} is open again");
                return Err(DeployError::Reopened { name: name.to_owned(), reason });
            }
            Ok(Err(error)) => {
                let hint = error.hint();
                tracing::warn!(
                    "`{name}` was deleted, but could not check whether {told} is open again: {error}; {hint}"
                );
            }
            Ok(Ok(Standing::Gone)) | Err(_) => {}
        }
        Ok(())
    }

    /// The pull request or branch that it is about.
    fn told(&self, target: &Target) -> String {
        match target.pull_request {
            Some(number) => self.forge.kind().pull_request(number),
            None => format!("`{}`", target.branch),
        }
    }

    /// Records that a preview is there no more.
    async fn forget(&self, mark: &Mark) {
        if let Some(records) = self.deployment.records {
            records.gone(mark).await;
        }
    }
}
