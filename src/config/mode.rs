//! Parses `GITBOOK_MODE`.

use super::from_variable::{FromVariable, InvalidValue};
use crate::diagnostic::most_similar_name;

/// The action of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Choose the action by the CI event.
    Auto,
    /// Publish to production.
    Publish,
    /// Publish the branch's preview.
    Preview,
    /// Delete the branch's preview.
    Delete,
    /// Delete the previews of all deleted branches and closed pull requests.
    Sweep,
    /// Build and validate only.
    Check,
    /// Report the decision that a later job will make, and divide the work of that job into shards.
    Plan,
}

impl Mode {
    const ALL: [(&str, Self); 7] = [
        ("auto", Self::Auto),
        ("publish", Self::Publish),
        ("preview", Self::Preview),
        ("delete", Self::Delete),
        ("sweep", Self::Sweep),
        ("check", Self::Check),
        ("plan", Self::Plan),
    ];
}

impl FromVariable for Mode {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let entry = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        entry.map(|(_, mode)| *mode).ok_or_else(|| {
            let suggestion = most_similar_name(text, Self::ALL.iter().map(|(name, _)| *name));
            InvalidValue::with_suggestion("unknown mode", suggestion)
        })
    }

    fn hint() -> String {
        format!("use one of {}", Self::ALL.map(|(name, _)| format!("`{name}`")).join(", "))
    }
}
