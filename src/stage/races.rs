//! Races between runs, as far as the forge can tell of them: what has moved on, and what was closed meanwhile.

use crate::cancel::Cancel;
use crate::ci::{Ci, Event};
use crate::config::{Config, Mode};
use crate::deploy::{NamedPreview, Previews, Records, What};
use crate::forge::{Forge, ForgeError, Standing};
use crate::gitbook::GitBook;
use crate::plan::Target;
use crate::preview::Branch;
use crate::report::{Printer, Run};
use crate::stage::Stage;

/// The forge's client; `None`, and a line in the log that says what will not be done, where it can't be asked.
pub(crate) fn forge(config: &Config, ci: &Ci, cancel: &Cancel) -> Option<Forge> {
    let Config { forge_token, timeout, retries, .. } = config;
    let without = "not asked whether a newer commit came or a branch is gone; no comment, no deployments";
    let Some(token) = forge_token else {
        // Who tries it out by hand has no forge in mind.
        if ci.event != Event::None {
            tracing::info!("no `GITHUB_TOKEN`, so the forge is {without}");
        }
        return None;
    };
    // The first segment of a repository's name is its host.
    let repository = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.1));
    let (Some(api), Some(repository)) = (&ci.api, repository) else {
        tracing::info!(
            "neither `GITHUB_API_URL` nor the repository's host says where the forge is, so it is {without}"
        );
        return None;
    };
    match Forge::new(api, repository, token.clone(), *timeout, *retries, cancel) {
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
        ForgeError::GivenUp => tracing::info!("{undone}: {error}"),
        _ => tracing::warn!("{text}"),
    }
}

impl Stage<'_> {
    /// Why the commit is not to be published any more, if so: its branch has moved on, or is gone.
    pub(super) async fn overtaken(&self, branch: &Branch, pull_request: Option<u64>) -> Option<String> {
        let commit = self.ci.commit.as_deref()?;
        let standing =
            self.standing(branch, pull_request, "whether the commit is its branch's newest is not known");
        match standing.await? {
            standing if standing.has_as_tip(commit) => None,
            Standing::Gone => Some(gone(branch, pull_request)),
            Standing::Open { tip } => {
                let short: String = tip.chars().take(7).collect();
                Some(format!("`{branch}` has moved on to {short}, whose own run publishes it"))
            }
        }
    }

    /// The same of the commit that is about to go to production; what no branch is at is not overtaken.
    pub(super) async fn production_overtaken(&self) -> Option<String> {
        let branch = self.ci.event.branch()?;
        self.overtaken(branch, self.ci.event.pull_request()).await
    }

    /// Why a preview is not to be deleted after all: what was closed is open again. Deleted by hand it is anyway.
    pub(super) async fn reopened(&self, target: &Target) -> Option<String> {
        let Target { branch, pull_request } = target;
        if self.config.mode != Mode::Auto {
            return None;
        }
        let standing = self.standing(branch, *pull_request, "whether the branch is open again is not known");
        let Standing::Open { .. } = standing.await? else { return None };
        Some(match pull_request {
            Some(number) => format!("pull request #{number} is open again"),
            None => format!("branch `{branch}` is there again"),
        })
    }

    /// Deletes the previews that were published just now, if their branch or pull request was closed meanwhile: the
    /// run that should delete them may have come too early.
    pub(super) async fn delete_if_closed(
        &self,
        target: &Target,
        previews: &Previews<'_>,
        gitbook: &GitBook,
        records: Option<Records<'_>>,
        run: &mut Run,
    ) {
        let is_there = |what| matches!(what, What::Published | What::Unchanged);
        let mut there: Vec<_> = run
            .outcomes
            .iter_mut()
            .filter(|outcome| outcome.result.as_ref().is_ok_and(|done| is_there(done.what)))
            .collect();
        if there.is_empty() || self.config.dry_run {
            return self.told(records).await;
        }
        let left = "whether the branch was closed meanwhile is not known and left to the sweep";
        let standing = self.standing(&target.branch, target.pull_request, left);
        let ((), standing) = futures::join!(self.told(records), standing);
        if standing != Some(Standing::Gone) {
            return;
        }
        tracing::info!("{}: what was published is deleted again", gone(&target.branch, target.pull_request));
        let records = self.records();
        let deployment = self.deployment(gitbook, records.as_ref());
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
        self.told(records).await;
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

fn gone(branch: &Branch, pull_request: Option<u64>) -> String {
    match pull_request {
        Some(number) => format!("pull request #{number} is closed"),
        None => format!("branch `{branch}` is gone"),
    }
}
