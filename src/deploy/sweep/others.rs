//! The previews that a sweep finds and leaves to the sweeps of other repositories.

use std::collections::BTreeSet;

use super::Sweep;
use crate::preview::Mark;

/// At most so many former names of the repository are suggested.
const MAX_FORMER: usize = 3;

/// Previews of other repositories.
#[derive(Debug, Default)]
pub(super) struct Others {
    count: usize,
    /// The repositories that may be the one that is swept, under a name or on a host that it had before.
    former: BTreeSet<String>,
}

impl Others {
    pub(super) fn add(&mut self, mark: &Mark, sweep: &Sweep<'_>) {
        self.count += 1;
        let Sweep { repository, repository_id, production, .. } = *sweep;
        // No two integrations have one name, whatever their repositories. Without manifests, no name is known.
        let is_of_known = production.is_empty() || production.contains(&mark.integration);
        if is_of_known && mark.may_be_of_former(repository, repository_id) {
            self.former.insert(mark.repository.clone());
        }
    }

    pub(super) fn log(&self) {
        let Self { count, former } = self;
        if *count == 0 {
            return;
        }
        let names: Vec<_> = former.iter().take(MAX_FORMER).map(|name| format!("`{name}`")).collect();
        let names = names.join(" or ");
        let hint = if names.is_empty() {
            String::new()
        } else {
            format!(
                "; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to {names} until its previews are gone"
            )
        };
        tracing::info!("left to the sweeps of other repositories: {count} of their previews{hint}");
    }
}
