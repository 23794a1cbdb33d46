//! Hides the secrets in the text of a manifest, so that messages can contain excerpts of the text.

use std::ops::Range;

use serde_saphyr::Spanned;

use crate::diagnostic::REDACTED_CHAR;
use crate::yaml::{RawYaml, YamlDocument, byte_range};

/// The key of a manifest's secrets.
const SECRETS_KEY: &str = "secrets";

/// The prefixes of references in `${{ }}`. The references themselves are not secret.
const REFERENCE_PREFIXES: [&str; 5] = ["env.", "secrets.", "vars.", "op://", "\"op://"];

/// The characters of YAML's syntax, which are not secret.
const YAML_SYNTAX_CHARS: &str = " \t\r\"'{}[],|>:-?";

/// A key or scalar in the text.
struct ManifestToken {
    range: Range<usize>,
    role: TokenRole,
}

/// The role of a token, which determines whether the token is hidden.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenRole {
    /// A token that is not below `secrets`.
    Public,
    /// The key `secrets`, or the name of a secret.
    Name,
    /// Any other token below `secrets`.
    Secret,
}

/// Returns the text with all values and comments below each key `secrets` hidden, except references such as `${{ env.NAME }}`.
/// Replaces each hidden character with one character, so that locations stay valid. Returns `None` if the secrets cannot be
/// located.
pub(super) fn redact_manifest(text: &str, document: &YamlDocument<'_>) -> Option<String> {
    let Some(root) = document.root() else { return redact_unparsed(text) };
    let mut tokens = Vec::new();
    collect_tokens(text, root, None, &mut tokens)?;
    let mut redacted = String::with_capacity(text.len());
    let mut position = 0;
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.role != TokenRole::Public) {
        let redact = if token.role == TokenRole::Name { str::to_owned } else { hide_value };
        let next = tokens.get(index + 1).map_or(text.len(), |next| next.range.start);
        redacted += &redact_lines(text.get(position..token.range.end)?, redact);
        redacted += &redact_lines(text.get(token.range.end..next)?, hide_line);
        position = next;
    }
    redacted += text.get(position..)?;
    Some(redacted)
}

/// Collects the keys and scalars of `node` in the order of the text. `depth` is the number of levels below `secrets`, or `None`
/// outside `secrets`. Returns `None` if a secret cannot be located: its value comes from an anchor elsewhere, or its key is
/// written with escapes.
fn collect_tokens(
    text: &str,
    node: &Spanned<RawYaml>,
    depth: Option<usize>,
    tokens: &mut Vec<ManifestToken>,
) -> Option<()> {
    let range = byte_range(node);
    if depth.is_some() && range.is_none() {
        return None;
    }
    let child_depth = depth.map(|depth| depth + 1);
    match &node.value {
        // An empty value has no text.
        RawYaml::Null => {}
        RawYaml::List(items) => {
            items.iter().try_for_each(|item| collect_tokens(text, item, child_depth, tokens))?;
        }
        RawYaml::Mapping(entries) => {
            for (key, value) in entries {
                let (role, child_depth) = match depth {
                    None if key.value == SECRETS_KEY => (TokenRole::Name, Some(0)),
                    None => (TokenRole::Public, None),
                    Some(0) => (TokenRole::Name, child_depth),
                    Some(_) => (TokenRole::Secret, child_depth),
                };
                let range = byte_range(key);
                let key_text = range.clone().and_then(|range| text.get(range)).unwrap_or_default();
                if role == TokenRole::Name && key_text.trim_matches([' ', '"', '\'']) != key.value {
                    return None;
                }
                tokens.extend(range.map(|range| ManifestToken { range, role }));
                collect_tokens(text, value, child_depth, tokens)?;
            }
        }
        _ => {
            let role = depth.map_or(TokenRole::Public, |_| TokenRole::Secret);
            tokens.extend(range.map(|range| ManifestToken { range, role }));
        }
    }
    Some(())
}

/// Hides everything after the first `secrets` in a text that is not valid YAML. Returns `None` if secrets may also come before:
/// in an anchor that `*` refers to, or below a key `secrets` written with escapes.
fn redact_unparsed(text: &str) -> Option<String> {
    let start = text.find(SECRETS_KEY).map_or(text.len(), |start| start + SECRETS_KEY.len());
    let (before, after) = text.split_at(start);
    let is_safe = !before.contains('\\') && !after.contains('*');
    is_safe.then(|| format!("{before}{}", redact_lines(after, hide_line)))
}

fn redact_lines(text: &str, redact: fn(&str) -> String) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let content = line.trim_end_matches(['\n', '\r']);
        format!("{}{}", redact(content), &line[content.len()..])
    });
    lines.collect()
}

/// Hides a line of text, except for the YAML syntax characters at its start.
fn hide_line(text: &str) -> String {
    let comment = text.trim_start_matches(|character| YAML_SYNTAX_CHARS.contains(character));
    format!("{}{}", &text[..text.len() - comment.len()], hide_literal(comment))
}

/// Hides the value of a secret, except for references such as `${{ env.NAME }}`.
fn hide_value(value: &str) -> String {
    let mut rest = value.trim_start();
    let mut shown = value[..value.len() - rest.len()].to_owned();
    while let Some((start, end)) = first_reference(rest) {
        shown.push_str(&hide_literal(&rest[..start]));
        shown.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    shown.push_str(&hide_literal(rest));
    shown
}

fn hide_literal(text: &str) -> String {
    if text.chars().all(|character| YAML_SYNTAX_CHARS.contains(character)) {
        return text.to_owned();
    }
    text.chars().map(|_| REDACTED_CHAR).collect()
}

/// Returns the byte indexes of the start and end of the first reference.
fn first_reference(text: &str) -> Option<(usize, usize)> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || " _-./:\"".contains(character);
    text.match_indices('$').find_map(|(start, _)| {
        let rest = &text[start..];
        let inner = rest.strip_prefix("${{").or_else(|| rest.strip_prefix("$ {{"))?;
        let after = inner.trim_start_matches(is_plain).strip_prefix("}}")?;
        let is_reference =
            REFERENCE_PREFIXES.iter().any(|reference| inner.trim_start().starts_with(reference));
        is_reference.then_some((start, text.len() - after.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::redact_manifest;
    use crate::diagnostic::{REDACTED_CHAR, SourceLocation};
    use crate::yaml::{YamlData, YamlDocument, YamlValue};

    fn redacted(text: &str) -> Option<String> {
        redact_manifest(text, &YamlDocument::parse(text))
    }

    /// Checks the redacted text, with `#` for each hidden character.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let redacted = redacted(text).unwrap();
        assert_eq!(redacted.chars().count(), text.chars().count());
        assert_eq!(redacted.replace(REDACTED_CHAR, "#"), expected);
    }

    #[test]
    fn hides_values_but_keeps_names_and_references() {
        check(
            "name: a\nsecrets:\n  KEY: hush\n  B: ${{ env.B }}\n  C: 'x ${{ env.C }}'\ntitle: b\n",
            "name: a\nsecrets:\n  KEY: ####\n  B: ${{ env.B }}\n  C: ###${{ env.C }}'\ntitle: b\n",
        );
        check("secrets: {A: hush, 'B': x}\r\ntitle: b\r\n", "secrets: {A: ####, 'B': #}\r\ntitle: b\r\n");
        check("secrets:\n  A: ${{ hush }}\n", "secrets:\n  A: ###########\n");
        check("secrets:\n  A: ${{ env.hush + 'x' }}\n", "secrets:\n  A: #####################\n");
        check("secrets: {\n title: hush}\n", "secrets: {\n title: ####}\n");
        check("a: ${{ secrets.B }}\n", "a: ${{ secrets.B }}\n");
        check("my-secrets: a\nb: secrets\n", "my-secrets: a\nb: secrets\n");
        check("? secrets\n: ? A\n  : hush\n", "? secrets\n: ? A\n  : ####\n");
        check("secrets:\nname: a\n", "secrets:\nname: a\n");
        check("secrets:\n  A:\n  B: ~\n  C: 12\nname: a\n", "secrets:\n  A:\n  B: #\n  C: ##\nname: a\n");
    }

    #[test]
    fn hides_multiline_values() {
        check(
            "secrets:\n  A: |\n    one\n    two: x\n  B: y\n",
            "secrets:\n  A: |\n    ###\n    ######\n  B: #\n",
        );
        check(
            "secrets:\n  A: one\n    two\n  B: 'y\n\n    z'\n",
            "secrets:\n  A: ###\n    ###\n  B: ##\n\n    ##\n",
        );
    }

    #[test]
    fn hides_nested_values_and_lists() {
        check("secrets:\n  A:\n    b: c\n  D: [e, f]\n", "secrets:\n  A:\n    #: #\n  D: [#, #]\n");
        check("secrets:\n- A: b\n- c\nname: d\n", "secrets:\n- #: #\n- #\nname: d\n");
        check("secrets: hush\n", "secrets: ####\n");
    }

    #[test]
    fn hides_comments_and_anchors() {
        check("secrets: # old: hush\n  A: b # hush\n", "secrets: ###########\n  A: # ######\n");
        check(
            "secrets:\n  A: &b c\n# old: d\n\n# e\nname: f # g\n",
            "secrets:\n  A: ####\n########\n\n###\nname: f # g\n",
        );
    }

    #[test]
    fn keeps_the_key_after_the_secrets() {
        check(
            "envs:\n  p:\n    secrets:\n      A: b\n    title: x\n  q:\n    secrets: {A: b}\n",
            "envs:\n  p:\n    secrets:\n      A: #\n    title: x\n  q:\n    secrets: {A: #}\n",
        );
        check(
            "{\"secrets\": {\"A\": \"b\"},\n\"name\": \"c\"}",
            "{\"secrets\": {\"A\": ###},\n\"name\": \"c\"}",
        );
        check("- secrets: a\n- name: b\n", "- secrets: #\n- name: b\n");
    }

    #[test]
    fn hides_invalid_yaml_after_the_word_secrets() {
        check(
            "name: a\nsecrets:\n  A: b\n\n  c [d\ntitle: [",
            "name: a\nsecrets:\n  ####\n\n  ####\n########",
        );
        check("name: [a\n", "name: [a\n");
        assert_eq!(redacted("x: &x hush\nsecrets: *x\ny: ["), None);
        assert_eq!(redacted("\"secr\\x65ts\": {A: hush}\ny: ["), None);
        assert_eq!(redacted("? \"secr\\\n ets\"\n: {A: hush}\ny: ["), None);
    }

    #[test]
    fn returns_none_if_anchors_or_escaped_keys_contain_secrets() {
        assert_eq!(redacted("x: &x {A: hush}\nsecrets: *x\n"), None);
        assert_eq!(redacted("x: &x {A: hush}\nsecrets:\n  <<: *x\n"), None);
        assert_eq!(redacted("x: &x hush\nsecrets:\n  A: *x\n"), None);
        assert_eq!(redacted("x: &x hush\nsecrets: {A: *x}\n"), None);
        assert_eq!(redacted("x: &x {secrets: {A: hush}}\n<<: *x\n"), None);
        assert!(!redacted("secrets: &x {A: hush}\n<<: *x\n").unwrap().contains("hush"));
        check("title: \"caf\\u00e9\"\n", "title: \"caf\\u00e9\"\n");
        assert_eq!(redacted("\"secr\\x65ts\": {A: hush}\n"), None);
    }

    /// Lines that the property test combines in any order. `hush` is a secret if it is below `secrets`.
    const LINES: [&str; 24] = [
        "secrets:",
        "  A: hush",
        "  B: |",
        "    hush",
        "  'C': \"hush",
        "    hush\"",
        "secrets: {A: hush,",
        "  B: hush}",
        "secrets : {A: hush}",
        "'secrets': [hush]",
        "envs:",
        "  p:",
        "    secrets: hush",
        "      D: hush",
        "    title: x",
        "name: x",
        "title: a,",
        "{ \"secrets\": {\"A\": \"hush\"},",
        "\"title\": x }",
        "  D: &d hush # note",
        "  E: *d",
        "  <<: *d",
        "p: &d",
        "    ? hush",
    ];

    fn count_secrets(node: &YamlValue, is_below: bool) -> usize {
        match &node.value {
            YamlData::Mapping(map) => {
                let entries = map.0.iter();
                entries.map(|(key, value)| count_secrets(value, is_below || key.name == "secrets")).sum()
            }
            YamlData::List(items) => items.iter().map(|item| count_secrets(item, is_below)).sum(),
            YamlData::Text(text) if is_below => text.matches("hush").count(),
            _ => 0,
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(5000))]

        #[test]
        fn hides_secrets_in_any_combination_of_lines(lines in proptest::collection::vec(0..LINES.len(), 1..7)) {
            let text: String = lines.iter().map(|index| format!("{}\n", LINES[*index])).collect();
            let secrets = YamlValue::parse(&text, &SourceLocation::file("m")).map_or(0, |node| count_secrets(&node, false));
            let redacted = redacted(&text).unwrap_or_default();
            if secrets > 0 && secrets == text.matches("hush").count() {
                proptest::prop_assert!(!redacted.contains("hush"), "{text}");
            }
            if YamlDocument::parse(&text).root().is_none() && let Some((_, after)) = redacted.split_once("secrets") {
                proptest::prop_assert!(!after.contains("hush"), "{text}");
            }
        }

        #[test]
        fn keeps_the_number_of_characters(text in "([ \\t{}\\[\\]:,'\"$*&|?-]|secrets|é|env\\.|\\$\\{\\{|\\}\\}|\\n|\\r){0,30}") {
            let count = redacted(&text).map_or_else(|| text.chars().count(), |redacted| redacted.chars().count());
            proptest::prop_assert_eq!(count, text.chars().count());
        }
    }
}
