//! Counts previews after the API has rejected a new one because of a quota.

use std::fmt;

use super::{DeployError, Deployer, Previews};
use crate::gitbook::{ApiError, Published};
use crate::integration::Integration;
use crate::preview::OwnershipMarker;

/// The number of previews of an organization; `None` if the count failed.
#[derive(Debug)]
pub(crate) struct PreviewCount(Option<CountedPreviews>);

#[derive(Debug)]
struct CountedPreviews {
    organization: String,
    of_the_repository: usize,
    total: usize,
}

impl Deployer<'_> {
    /// Adds the number of previews to the error of a preview that was rejected because of a quota. Returns other errors
    /// unchanged.
    pub(super) async fn count_at_quota(
        &self,
        error: DeployError,
        integration: &Integration,
        previews: &Previews<'_>,
    ) -> DeployError {
        match error {
            DeployError::Api {
                name, may_have_succeeded: false, source: source @ ApiError::Quota(_), ..
            } => {
                let organization = integration.text("organization");
                let count = self.cancel.run_until_cancelled(self.count(organization, previews)).await;
                DeployError::Quota {
                    name,
                    count: PreviewCount(count.ok().flatten()),
                    source: Box::new(source),
                }
            }
            error => error,
        }
    }

    async fn count(&self, organization: &str, previews: &Previews<'_>) -> Option<CountedPreviews> {
        let id = self.gitbook.organization_id(organization).await.ok()??;
        let is_own = |integration: Published| {
            let marker = OwnershipMarker::parse(integration.summary.as_deref()?)?;
            Some(marker.belongs_to(previews.repository, previews.repository_id))
        };
        let found = self.gitbook.list(&id, is_own).await.ok()?;
        let of_the_repository = found.iter().filter(|is_own| **is_own).count();
        let organization = organization.to_owned();
        Some(CountedPreviews { organization, of_the_repository, total: found.len() })
    }
}

impl fmt::Display for PreviewCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(CountedPreviews { organization, of_the_repository, total }) = &self.0 else {
            return f.write_str("the number of previews is unknown");
        };
        write!(f, "the organization `{organization}` has {total} previews of gitbook-deploy, ")?;
        if of_the_repository == total {
            f.write_str("all from this repository")
        } else {
            write!(f, "{of_the_repository} of them from this repository")
        }
    }
}
