//! The API token, as people paste it.

use secrecy::SecretString;

use super::value::Value;

/// A token that can be sent. A line break at its end, which is pasted with it more often than not, is cut off.
pub(super) struct Token(pub(super) SecretString);

impl Value for Token {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        if text.chars().all(|character| character.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(("holds a blank, a line break or another character that no token has".to_owned(), None))
        }
    }

    fn accepted() -> String {
        "the token alone, as GitBook shows it, without `Bearer`".to_owned()
    }
}
