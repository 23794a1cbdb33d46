//! Races between runs, as far as the forge can tell of them: what has moved on, and what was closed meanwhile.

use crate::cancel::Cancel;
use crate::ci::{Ci, Event, ForgeKind};
use crate::config::{Config, Mode};
use crate::deploy::{NamedPreview, Previews, What};
use crate::forge::{Access, Forge, ForgeError, GitHub, GitLab, Patience, Standing, is_commit};
use crate::gitbook::GitBook;
use crate::http::is_loopback;
use crate::plan::{Decision, Target};
use crate::preview::Branch;
use crate::report::{Printer, Run};
use crate::stage::Stage;

/// The forge's client; `None`, and a line in the log that says what will not be done, where it can't be asked.
pub(crate) fn forge(config: &Config, ci: &Ci, decision: &Decision, cancel: &Cancel) -> Option<Forge> {
    let (token, without) = match ci.forge {
        ForgeKind::GitHub => (&config.github_token, "no comment, no deployments"),
        ForgeKind::GitLab => (&config.gitlab_token, "no note on the merge request"),
    };
    let (token_variable, api_variable) = (ci.forge.token_variable(), ci.forge.api_variable());
    let without = format!("not asked whether a newer commit came or a branch is gone; {without}");
    let Some(token) = token else {
        // Who tries it out by hand has no forge in mind.
        if ci.event != Event::None {
            tracing::info!("no `{token_variable}`, so the forge is {without}");
        }
        return None;
    };
    // The first segment of a repository's name is its host.
    let repository = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.1));
    let (Some(api), Some(repository)) = (&ci.api, repository) else {
        tracing::info!(
            "`{api_variable}` is no address of an API where the repository is, so the forge is {without}"
        );
        return None;
    };
    if api.scheme() == "http" && !is_loopback(api) {
        tracing::warn!("`{api_variable}` is plain `http`, which shows `{token_variable}` to the network");
    }
    let patience = if *decision == Decision::Sweep { Patience::Long } else { Patience::Short };
    let Config { timeout, retries, .. } = *config;
    let access = Access { root: api, token, timeout, retries, patience, cancel };
    let forge = match ci.forge {
        ForgeKind::GitHub => GitHub::new(repository, &access).map(|github| github.map(Forge::GitHub)),
        ForgeKind::GitLab => {
            GitLab::new(ci.project, repository, &access).map(|gitlab| gitlab.map(Forge::GitLab))
        }
    };
    match forge {
        Ok(Some(forge)) => Some(forge),
        Ok(None) => {
            tracing::warn!("`{repository}` is no repository of an owner, so the forge is {without}");
            None
        }
        Err(error) => {
            tracing::warn!("{error}, so the forge is {without}");
            None
        }
    }
}

/// Says that something of the forge's was not done. That the token may not is a notice, which names the permission.
pub(super) fn tell(printer: &Printer, undone: &str, error: &ForgeError) {
    let text = format!("{undone}: {error}; {}", error.hint());
    match error {
        ForgeError::Forbidden { .. } => printer.notice(&text),
        ForgeError::GivenUp(_) => tracing::info!("{undone}: {error}"),
        _ => tracing::warn!("{text}"),
    }
}

/// The place of a run's commit in its branch.
#[derive(Debug)]
pub(super) enum Position {
    /// It is the newest.
    Newest,
    /// There is a newer one, or the branch is gone.
    Past(Standing),
    /// The forge does not tell.
    Unknown,
}

impl Stage<'_> {
    /// Why the commit is not to be published any more, if so: its branch has moved on, or is gone.
    pub(super) fn overtaken(&self, position: &Position, target: &Target) -> Option<String> {
        match position {
            Position::Past(Standing::Gone) => Some(self.gone(&target.branch, target.pull_request)),
            Position::Past(Standing::Open { tip }) => Some(moved_on(&target.branch, tip)),
            Position::Newest | Position::Unknown => None,
        }
    }

    /// The same of the commit that is about to go to production; what no branch is at is not overtaken. A pull request
    /// that is closed says nothing: where that is asked for, it is published once it is merged.
    pub(super) async fn production_overtaken(&self) -> Option<String> {
        let (branch, pull_request) = (self.ci.event.branch()?, self.ci.event.pull_request());
        match self.position(branch, pull_request).await {
            Position::Past(Standing::Gone) => pull_request.is_none().then(|| self.gone(branch, None)),
            Position::Past(Standing::Open { tip }) => Some(moved_on(branch, &tip)),
            Position::Newest | Position::Unknown => None,
        }
    }

    /// Returns where this run's commit is in its branch, as far as the forge tells.
    pub(super) async fn position(&self, branch: &Branch, pull_request: Option<u64>) -> Position {
        // The commit of an event that is about no branch is not that of a branch which was named by hand.
        let commit = self.ci.event.branch().and(self.ci.commit.as_deref());
        let Some(commit) = commit else { return Position::Unknown };
        let undone = "whether the commit is its branch's newest is not known";
        if !is_commit(commit) {
            tracing::info!("{undone}: `{commit}` is no commit's name");
            return Position::Unknown;
        }
        match self.standing(branch, pull_request, undone).await {
            None => Position::Unknown,
            Some(Standing::Open { tip }) if tip.is_empty() => Position::Unknown,
            Some(standing) if standing.has_as_tip(commit) => Position::Newest,
            Some(standing) => Position::Past(standing),
        }
    }

    /// Why a preview is not to be deleted after all: what was closed is open again. Deleted by hand it is anyway.
    pub(super) async fn reopened(&self, target: &Target) -> Option<String> {
        let Target { branch, pull_request } = target;
        if self.config.mode != Mode::Auto {
            return None;
        }
        let undone = "whether the branch is open again is not known";
        let standing = self.standing(branch, *pull_request, undone).await?;
        // What is open goes, too, where somebody stopped its environment, or its time was up; not so what another shares.
        if self.ci.stops || standing == Standing::Gone {
            return Some(self.also_open(self.other_pull_request(target).await?));
        }
        Some(match pull_request {
            Some(number) => format!("{} is open again", self.ci.forge.pull_request(*number)),
            None => format!("branch `{branch}` is there again"),
        })
    }

    /// Another pull request that is open from the same branch, whose preview it is, too.
    async fn other_pull_request(&self, target: &Target) -> Option<u64> {
        let shared = target.pull_request.filter(|_| !self.config.preview_name.needs_pull_request())?;
        let work = self.forge?.pull_requests(&target.branch, true);
        match self.cancel.or_at_once(work).await.ok()? {
            Ok(open) => open.into_iter().find(|number| *number != shared),
            Err(error) => {
                tell(
                    self.printer,
                    "whether another pull request is open from the branch is not known",
                    &error,
                );
                None
            }
        }
    }

    /// Deletes the previews that were published just now, if their branch or pull request was closed meanwhile: the
    /// run that should delete them may have come too early.
    pub(super) async fn delete_if_closed(
        &self,
        target: &Target,
        previews: &Previews<'_>,
        gitbook: &GitBook,
        run: &mut Run,
    ) {
        let is_there = |what| matches!(what, What::Published | What::Unchanged);
        let mut there: Vec<_> = run
            .outcomes
            .iter_mut()
            .filter(|outcome| outcome.result.as_ref().is_ok_and(|done| is_there(done.what)))
            .collect();
        if there.is_empty() || self.config.dry_run {
            return;
        }
        let left = "whether the branch was closed meanwhile is not known and left to the sweep";
        if self.standing(&target.branch, target.pull_request, left).await != Some(Standing::Gone) {
            return;
        }
        let closed = self.gone(&target.branch, target.pull_request);
        if let Some(number) = self.other_pull_request(target).await {
            tracing::info!("{closed}, and {}", self.also_open(number));
            return;
        }
        tracing::info!("{closed}: what was published is deleted again");
        let deployment = self.deployment(gitbook);
        for outcome in &mut there {
            let named = run.named.iter().find(|named| named.name == outcome.name);
            if let Some(NamedPreview { integration, place, name }) = named {
                let preview = NamedPreview {
                    integration: integration.clone(),
                    place: place.clone(),
                    name: name.clone(),
                };
                **outcome = deployment.delete(&preview, previews).await;
            }
        }
    }

    fn also_open(&self, number: u64) -> String {
        format!("{} is open from the same branch", self.ci.forge.pull_request(number))
    }

    fn gone(&self, branch: &Branch, pull_request: Option<u64>) -> String {
        match pull_request {
            Some(number) => format!("{} is closed", self.ci.forge.pull_request(number)),
            None => format!("branch `{branch}` is gone"),
        }
    }

    /// Asks the forge; `None` where it can't be asked, and `undone` is said where it should have been.
    async fn standing(&self, branch: &Branch, pull_request: Option<u64>, undone: &str) -> Option<Standing> {
        let work = self.forge?.standing(branch, pull_request);
        match self.cancel.or_at_once(work).await.ok()? {
            Ok(standing) => Some(standing),
            Err(error) => {
                tell(self.printer, undone, &error);
                None
            }
        }
    }
}

fn moved_on(branch: &Branch, tip: &str) -> String {
    let short: String = tip.chars().take(7).collect();
    format!("`{branch}` has moved on to {short}, whose own run publishes it, if it has one")
}
