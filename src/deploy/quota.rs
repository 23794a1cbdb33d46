//! Says how many previews there are where the API takes no more of them.

use std::fmt;

use super::{DeployError, Deployment, Previews};
use crate::gitbook::Published;
use crate::integration::Integration;
use crate::preview::Mark;

/// How many previews an organization has; `None` where it can't be found out.
#[derive(Debug)]
pub(crate) struct PreviewCount(Option<Counted>);

#[derive(Debug)]
struct Counted {
    organization: String,
    of_the_repository: usize,
    all: usize,
}

impl Deployment<'_> {
    /// The same error, or, of a preview that was refused because of a quota, one that says how many there are.
    pub(super) async fn quota(
        &self,
        error: DeployError,
        integration: &Integration,
        previews: &Previews<'_>,
    ) -> DeployError {
        match error {
            DeployError::Api { name, may_have_happened: false, source, .. } if source.is_of_a_quota() => {
                let organization = integration.text("organization");
                let count = self.cancel.or_at_once(self.count(organization, previews)).await;
                DeployError::Quota { name, count: PreviewCount(count.ok().flatten()), source }
            }
            error => error,
        }
    }

    async fn count(&self, organization: &str, previews: &Previews<'_>) -> Option<Counted> {
        let id = self.gitbook.organization(organization).await.ok()??;
        let is_ours = |integration: Published| {
            let mark = Mark::find(integration.summary.as_deref()?)?;
            Some(mark.is_of_repository(previews.repository, previews.repository_id))
        };
        let marked = self.gitbook.list(&id, is_ours).await.ok()?;
        let of_the_repository = marked.iter().filter(|is_ours| **is_ours).count();
        Some(Counted { organization: organization.to_owned(), of_the_repository, all: marked.len() })
    }
}

impl fmt::Display for PreviewCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Counted { organization, of_the_repository, all }) = &self.0 else {
            return f.write_str("how many previews there are can't be told");
        };
        write!(f, "the organization `{organization}` has {all} of gitbook-deploy's previews, ")?;
        match all - of_the_repository {
            0 => f.write_str("all of this repository"),
            _ => write!(f, "{of_the_repository} of them of this repository"),
        }
    }
}
