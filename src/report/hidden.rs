//! Secrets that were seen so far, and texts without them.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// Shorter secrets are not looked for: they would blot out half the log, and anybody can guess them.
const SHORTEST: usize = 4;

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What `encodeURIComponent` leaves as it is.
const URI_COMPONENT: &AsciiSet =
    &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// The secrets, in all forms in which somebody may repeat them. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Hidden(Arc<RwLock<Vec<String>>>);

impl Hidden {
    /// Hides a secret and each of its lines from now on. The lines that were not hidden yet are given back.
    pub(super) fn add<'a>(&self, secret: &'a str) -> Vec<&'a str> {
        let mut lines: Vec<_> = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST).collect();
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = |text: &str| hidden.iter().any(|known| known == text);
        if is_known(secret) {
            return Vec::new();
        }
        lines.retain(|line| !is_known(line));
        for text in lines.iter().copied().chain([secret].into_iter().filter(|text| text.len() >= SHORTEST)) {
            hidden.extend(forms(text));
        }
        // A secret that holds another one is replaced whole.
        hidden.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        hidden.dedup();
        lines
    }

    /// The text with `***` in place of every secret. It must not be escaped yet: that could change a secret so that
    /// it is not found here, but is read by people.
    pub(super) fn redacted(&self, text: &str) -> String {
        let hidden = self.0.read().unwrap_or_else(PoisonError::into_inner);
        hidden.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// A text as it is, in base64, in URLs and inside a JSON document.
fn forms(text: &str) -> Vec<String> {
    let json = json!(text).to_string();
    let base64 = [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD];
    let url = [NON_ALPHANUMERIC, UNRESERVED, URI_COMPONENT];
    let mut forms = vec![
        text.to_owned(),
        json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json).to_owned(),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    ];
    forms.extend(base64.map(|engine| engine.encode(text)));
    forms.extend(url.map(|set| utf8_percent_encode(text, set).to_string()));
    forms
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let hidden = Hidden::default();
        assert_eq!(hidden.add("a+b/\"c\"\nsecond line\n x \n"), ["a+b/\"c\"", "second line"]);
        let check = |text: &str| assert_eq!(hidden.redacted(&format!("<{text}>")), "<***>");
        check("a+b/\"c\"");
        check("a+b/\\\"c\\\"");
        check("a%2Bb%2F%22c%22");
        check("YStiLyJjIg==");
        check("second line");
        check("second+line");
        assert_eq!(hidden.redacted("x and a+b"), "x and a+b");
    }

    #[test]
    fn a_secret_that_holds_another_is_hidden_whole() {
        let hidden = Hidden::default();
        hidden.add("inner");
        hidden.add("outer-inner-outer");
        assert_eq!(hidden.redacted("outer-inner-outer, inner"), "***, ***");
    }
}
