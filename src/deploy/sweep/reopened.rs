//! Checks after a deletion that the branch or pull request was not reopened.

use super::{ForgeFailures, Sweep};
use crate::deploy::DeployError;
use crate::forge::RefState;
use crate::plan::PreviewRef;

impl Sweep<'_> {
    /// Checks the branch again after a deletion. Returns an error if the branch was reopened: the run for the reopened branch may
    /// have found the old preview unchanged and published nothing.
    pub(super) async fn check_reopened(
        &self,
        name: &str,
        target: &PreviewRef,
        failures: &ForgeFailures<'_>,
    ) -> Result<(), DeployError> {
        let ref_state = self.deployer.cancel.run_until_cancelled(self.ref_state(target, failures)).await;
        let target = self.describe_target(target);
        match ref_state {
            Ok(Ok(RefState::Open { .. })) => {
                let reason = format!("{target} is open again");
                return Err(DeployError::Reopened { name: name.to_owned(), reason });
            }
            Ok(Err(error)) => {
                let hint = error.hint();
                tracing::warn!(
                    "deleted `{name}`, but could not check whether {target} is open again: {error}; {hint}"
                );
            }
            Ok(Ok(RefState::Closed)) | Err(_) => {}
        }
        Ok(())
    }
}
