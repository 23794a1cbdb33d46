//! Parses `GITBOOK_TOKEN`.

use secrecy::SecretString;

use super::from_variable::{FromVariable, InvalidValue};

/// An API token that can be sent in a header; `None` for a blank value.
pub(super) struct Token(pub(super) Option<SecretString>);

impl FromVariable for Token {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        if text.chars().all(|character| character.is_ascii_graphic()) {
            Ok(Self((!text.is_empty()).then(|| text.into())))
        } else {
            Err("contains a space, a line break or another character that is invalid in a token".into())
        }
    }

    fn hint() -> String {
        "use the token as GitBook shows it, without `Bearer`".to_owned()
    }
}
