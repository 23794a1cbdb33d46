//! Counts the previews in the organization that a sweep skips, because they belong to other repositories.

use std::collections::BTreeSet;

use super::Sweep;
use crate::preview::OwnershipMarker;

/// The maximum number of repository names in the log message.
const MAX_FORMER_NAMES: usize = 3;

/// The previews of other repositories that a sweep has found.
#[derive(Debug, Default)]
pub(super) struct OtherRepositoryPreviews {
    count: usize,
    /// The possible names of this repository before it was renamed or moved.
    former_names: BTreeSet<String>,
}

impl OtherRepositoryPreviews {
    /// Counts a preview of another repository.
    pub(super) fn add(&mut self, marker: &OwnershipMarker, sweep: &Sweep<'_>) {
        self.count += 1;
        let Sweep { repository, repository_id, production, .. } = *sweep;
        // Integration names are unique in all of GitBook, so the preview can belong to this repository only if the manifests
        // contain its integration. Without manifests, this cannot be checked.
        let is_known = production.is_empty() || production.contains(&marker.integration);
        if is_known && marker.may_belong_to_renamed_repository(repository, repository_id) {
            self.former_names.insert(marker.repository.clone());
        }
    }

    /// Logs the number of previews, with a hint if the repository may have been renamed or moved.
    pub(super) fn log(&self) {
        let Self { count, former_names } = self;
        if *count == 0 {
            return;
        }
        let names: Vec<_> =
            former_names.iter().take(MAX_FORMER_NAMES).map(|name| format!("`{name}`")).collect();
        let names = names.join(" or ");
        let hint = if names.is_empty() {
            String::new()
        } else {
            format!(
                "; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to {names} until its previews are deleted"
            )
        };
        let noun = if *count == 1 { "preview" } else { "previews" };
        tracing::info!("skipped {count} {noun} of other repositories{hint}");
    }
}
