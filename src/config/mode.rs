//! `GITBOOK_MODE`.

use super::value::Value;
use crate::diagnostic::nearest;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What the event asks for.
    Auto,
    /// Publish to production.
    Publish,
    /// Publish the branch's preview.
    Preview,
    /// Delete the branch's preview.
    Delete,
    /// Delete the previews of all branches that are gone.
    Sweep,
    /// Build and validate only.
    Check,
    /// Say what would be done, for a later job to do it.
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

impl Value for Mode {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let found = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, mode)| *mode).ok_or_else(|| {
            let near = nearest(text, Self::ALL.iter().map(|(name, _)| *name));
            ("not a mode".to_owned(), near.map(|name| format!("did you mean `{name}`?")))
        })
    }

    fn accepted() -> String {
        Self::ALL.map(|(name, _)| name).join(", ")
    }
}
