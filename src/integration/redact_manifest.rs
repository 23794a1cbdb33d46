//! Hides the secrets in the text of a manifest, so that messages can show lines of it.

use std::ops::Range;

use serde_saphyr::Spanned;

use crate::diagnostic::REDACTED_CHAR;
use crate::yaml::{RawYaml, YamlDocument, byte_range};

/// The key of a manifest's secrets.
const KEY: &str = "secrets";

/// The beginnings of references in `${{ }}`, which are not secret themselves.
const REFERENCES: [&str; 5] = ["env.", "secrets.", "vars.", "op://", "\"op://"];

/// Characters of YAML's syntax, which are not secret themselves.
const SYNTAX: &str = " \t\r\"'{}[],|>:-?";

/// A key or scalar in the text.
struct Token {
    range: Range<usize>,
    role: Role,
}

/// The effect of a token on redaction.
#[derive(PartialEq, Eq)]
enum Role {
    /// A token that is not below `secrets`.
    Public,
    /// A key `secrets`.
    SecretsKey,
    /// The name of a secret.
    SecretName,
    /// Any other token below `secrets`.
    Secret,
}

/// Returns the text with all values and comments below each key `secrets` hidden. Only characters are replaced, so locations stay
/// valid. References such as `${{ env.NAME }}` stay visible. Returns `None` if the secrets cannot be located.
pub(super) fn redact_manifest(text: &str, document: &YamlDocument<'_>) -> Option<String> {
    match document.root() {
        Some(root) => redact_parsed(text, root),
        None => redact_unparsed(text),
    }
}

fn redact_parsed(text: &str, root: &Spanned<RawYaml>) -> Option<String> {
    let mut tokens = Vec::new();
    collect(text, root, None, &mut tokens)?;
    let mut output = Output { text, position: 0, redacted: String::with_capacity(text.len()) };
    for (index, token) in tokens.iter().enumerate() {
        match token.role {
            Role::Public => continue,
            Role::SecretsKey | Role::SecretName => output.push(token.range.end, str::to_owned)?,
            Role::Secret => output.push(token.range.end, hide_value)?,
        }
        let next = tokens.get(index + 1);
        let mut end = next.map_or(text.len(), |next| next.range.start);
        if next.is_some_and(|next| matches!(next.role, Role::Public | Role::SecretsKey)) {
            // The line of a public token may begin with `- `, `? ` or a quote.
            let line = text.get(..end)?.rfind('\n').map_or(0, |newline| newline + 1);
            end = if line > token.range.end { line } else { end };
        }
        output.push(end, hide_comment)?;
    }
    output.push(text.len(), str::to_owned)?;
    Some(output.redacted)
}

/// Collects the keys and scalars in order. `depth` is the number of levels below `secrets`. Returns `None` if a secret is not in the
/// text below its key, but comes from an anchor elsewhere.
fn collect(text: &str, node: &Spanned<RawYaml>, depth: Option<usize>, tokens: &mut Vec<Token>) -> Option<()> {
    let role = depth.map_or(Role::Public, |_| Role::Secret);
    let range = byte_range(node);
    if range.is_none() && role == Role::Secret {
        return None;
    }
    let below = depth.map(|depth| depth + 1);
    match &node.value {
        // An empty value has no text.
        RawYaml::Null => Some(()),
        RawYaml::List(items) => items.iter().try_for_each(|item| collect(text, item, below, tokens)),
        RawYaml::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
            let role = match depth {
                None if key.value == KEY => Role::SecretsKey,
                None => Role::Public,
                Some(0) => Role::SecretName,
                Some(_) => Role::Secret,
            };
            let below = if role == Role::SecretsKey { Some(0) } else { below };
            let range = byte_range(key);
            let is_literal =
                range.clone().and_then(|range| text.get(range)).map(unquoted) == Some(&key.value);
            if !is_literal && role != Role::Public {
                return None;
            }
            tokens.extend(range.map(|range| Token { range, role }));
            collect(text, value, below, tokens)
        }),
        _ => {
            tokens.extend(range.map(|range| Token { range, role }));
            Some(())
        }
    }
}

fn unquoted(key: &str) -> &str {
    let key = key.trim_end();
    let quoted = ['"', '\''].iter().find_map(|quote| key.strip_prefix(*quote)?.strip_suffix(*quote));
    quoted.unwrap_or(key)
}

/// The text that is redacted so far.
struct Output<'a> {
    text: &'a str,
    position: usize,
    redacted: String,
}

impl Output<'_> {
    /// Redacts each line up to a position. Returns `None` if the position has been passed, because then the tokens are not in order.
    fn push(&mut self, end: usize, redact: fn(&str) -> String) -> Option<()> {
        for line in self.text.get(self.position..end)?.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            self.redacted.push_str(&redact(content));
            self.redacted.push_str(&line[content.len()..]);
        }
        self.position = end;
        Some(())
    }
}

/// Hides everything after the first `secrets` in a text that is not valid YAML. Returns `None` if the secrets may be elsewhere.
fn redact_unparsed(text: &str) -> Option<String> {
    // A quoted key may be escaped.
    let has_escape = |line: &str| {
        line.contains('"') && ["\\x", "\\u", "\\U", "\\\n", "\\\r"].iter().any(|escape| line.contains(escape))
    };
    let start = text.find(KEY).map_or(text.len(), |start| start + KEY.len());
    // An alias may refer to an anchor above.
    if text.split_inclusive('\n').any(has_escape) || text[start..].contains('*') {
        return None;
    }
    let mut output = Output { text, position: start, redacted: text[..start].to_owned() };
    output.push(text.len(), hide_comment)?;
    Some(output.redacted)
}

/// Hides everything after the syntax at the beginning.
fn hide_comment(text: &str) -> String {
    let comment = text.trim_start_matches(|character| SYNTAX.contains(character));
    format!("{}{}", &text[..text.len() - comment.len()], hide_literal(comment))
}

/// Hides a value except for its references.
fn hide_value(value: &str) -> String {
    let mut rest = value.trim_start();
    let mut shown = value[..value.len() - rest.len()].to_owned();
    while let Some((start, end)) = reference(rest) {
        shown.push_str(&hide_literal(&rest[..start]));
        shown.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    shown.push_str(&hide_literal(rest));
    shown
}

fn hide_literal(text: &str) -> String {
    if text.chars().all(|character| SYNTAX.contains(character)) {
        return text.to_owned();
    }
    text.chars().map(|_| REDACTED_CHAR).collect()
}

/// Returns the start and end of the first reference.
fn reference(text: &str) -> Option<(usize, usize)> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || " _-./:\"".contains(character);
    text.match_indices('$').find_map(|(start, _)| {
        let rest = &text[start..];
        let inner = rest.strip_prefix("${{").or_else(|| rest.strip_prefix("$ {{"))?;
        let (inner, after) = inner.split_once("}}")?;
        let is_reference = REFERENCES.iter().any(|reference| inner.trim_start().starts_with(reference));
        (is_reference && inner.chars().all(is_plain)).then_some((start, text.len() - after.len()))
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
    fn values_are_hidden_but_not_names_and_references() {
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
    fn values_of_several_lines_are_hidden() {
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
    fn nested_values_and_lists_are_hidden() {
        check("secrets:\n  A:\n    b: c\n  D: [e, f]\n", "secrets:\n  A:\n    #: #\n  D: [#, #]\n");
        check("secrets:\n- A: b\n- c\nname: d\n", "secrets:\n- #: #\n- #\nname: d\n");
        check("secrets: hush\n", "secrets: ####\n");
    }

    #[test]
    fn comments_and_anchors_are_hidden() {
        check("secrets: # old: hush\n  A: b # hush\n", "secrets: ###########\n  A: # ######\n");
        check(
            "secrets:\n  A: &b c\n# old: d\n\n# e\nname: f # g\n",
            "secrets:\n  A: ## #\n########\n\n###\nname: f # g\n",
        );
    }

    #[test]
    fn the_next_key_is_visible() {
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
    fn invalid_yaml_is_hidden_after_the_first_key() {
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
    fn secrets_in_other_places_prevent_an_excerpt() {
        assert_eq!(redacted("x: &x {A: hush}\nsecrets: *x\n"), None);
        assert_eq!(redacted("x: &x {A: hush}\nsecrets:\n  <<: *x\n"), None);
        assert_eq!(redacted("x: &x hush\nsecrets:\n  A: *x\n"), None);
        assert_eq!(redacted("x: &x hush\nsecrets: {A: *x}\n"), None);
        assert_eq!(redacted("x: &x {secrets: {A: hush}}\n<<: *x\n"), None);
        assert_eq!(redacted("secrets: &x {A: hush}\n<<: *x\n").unwrap().contains("hush"), false);
        check("title: \"caf\\u00e9\"\n", "title: \"caf\\u00e9\"\n");
        assert_eq!(redacted("\"secr\\x65ts\": {A: hush}\n"), None);
    }

    /// Lines for the property test, which combines them in any order. `hush` is a secret if it is below `secrets`.
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

    fn below_secrets(node: &YamlValue, is_below: bool) -> usize {
        match &node.value {
            YamlData::Mapping(map) => {
                let entries = map.0.iter();
                entries.map(|(key, value)| below_secrets(value, is_below || key.name == "secrets")).sum()
            }
            YamlData::List(items) => items.iter().map(|item| below_secrets(item, is_below)).sum(),
            YamlData::Text(text) if is_below => text.matches("hush").count(),
            _ => 0,
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(5000))]

        #[test]
        fn secrets_are_never_visible(lines in proptest::collection::vec(0..LINES.len(), 1..7)) {
            let text: String = lines.iter().map(|index| format!("{}\n", LINES[*index])).collect();
            let secrets = YamlValue::parse(&text, &SourceLocation::file("m")).map_or(0, |node| below_secrets(&node, false));
            let redacted = redacted(&text).unwrap_or_default();
            if secrets > 0 && secrets == text.matches("hush").count() {
                proptest::prop_assert!(!redacted.contains("hush"), "{text}");
            }
            if YamlDocument::parse(&text).root().is_none() && let Some((_, after)) = redacted.split_once("secrets") {
                proptest::prop_assert!(!after.contains("hush"), "{text}");
            }
        }

        #[test]
        fn no_character_moves(text in "([ \\t{}\\[\\]:,'\"$*&|?-]|secrets|é|env\\.|\\$\\{\\{|\\}\\}|\\n|\\r){0,30}") {
            let count = redacted(&text).map_or_else(|| text.chars().count(), |redacted| redacted.chars().count());
            proptest::prop_assert_eq!(count, text.chars().count());
        }
    }
}
