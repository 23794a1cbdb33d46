//! Counts the existing previews after GitBook has rejected a new preview because of the GitBook plan's limit.

use std::fmt;

use super::{DeployError, Deployer, PreviewContext};
use crate::gitbook::{GitBookError, PublishedIntegration};
use crate::integration::Integration;
use crate::preview::OwnershipMarker;

/// The number of previews in an organization; `None` if GitBook could not list them.
#[derive(Debug)]
pub(crate) struct PreviewCount(Option<CountedPreviews>);

#[derive(Debug)]
struct CountedPreviews {
    organization: String,
    from_this_repository: usize,
    total: usize,
}

impl PreviewCount {
    /// Returns a hint. A sweep deletes only previews of this repository.
    pub(super) fn hint(&self) -> &'static str {
        match &self.0 {
            Some(CountedPreviews { from_this_repository: 0, .. }) => {
                "delete integrations that are no longer needed or upgrade the GitBook plan, then re-run the job"
            }
            _ => {
                "delete the previews of closed branches with `GITBOOK_MODE=sweep` or a scheduled run, then re-run the job"
            }
        }
    }
}

impl Deployer<'_> {
    /// Adds the number of existing previews to the error if GitBook has rejected a preview because of the GitBook plan's limit.
    /// Returns other errors unchanged.
    pub(super) async fn add_preview_count(
        &self,
        error: DeployError,
        integration: &Integration,
        previews: &PreviewContext<'_>,
    ) -> DeployError {
        match error {
            DeployError::Api {
                name,
                may_have_succeeded: false,
                source: source @ GitBookError::Quota(_),
                ..
            } => {
                let organization = integration.text("organization");
                let count =
                    self.cancel.run_until_cancelled(self.count_previews(organization, previews)).await;
                DeployError::Quota {
                    name,
                    count: PreviewCount(count.ok().flatten()),
                    source: Box::new(source),
                }
            }
            error => error,
        }
    }

    async fn count_previews(
        &self,
        organization: &str,
        previews: &PreviewContext<'_>,
    ) -> Option<CountedPreviews> {
        let id = self.gitbook.organization_id(organization).await.ok()??;
        let is_own = |integration: PublishedIntegration| {
            let marker = OwnershipMarker::parse(integration.summary.as_deref()?)?;
            Some(marker.belongs_to_repository(previews.repository, previews.repository_id))
        };
        let found = self.gitbook.list(&id, is_own).await.ok()?;
        let from_this_repository = found.iter().filter(|is_own| **is_own).count();
        let organization = organization.to_owned();
        Some(CountedPreviews { organization, from_this_repository, total: found.len() })
    }
}

impl fmt::Display for PreviewCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(CountedPreviews { organization, from_this_repository, total }) = &self.0 else {
            return f.write_str("the number of previews is unknown");
        };
        let noun = if *total == 1 { "preview" } else { "previews" };
        write!(f, "organization `{organization}` has {total} {noun} created by gitbook-deploy, ")?;
        if from_this_repository == total {
            f.write_str("all from this repository")
        } else {
            write!(f, "{from_this_repository} of them from this repository")
        }
    }
}
