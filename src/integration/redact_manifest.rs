//! A manifest's text without what may be secret in it, so that lines of it can be shown. It need not be valid YAML.

use crate::diagnostic::{REDACTED_CHAR, nearest};
use crate::schema;

/// The characters of a key that is not quoted.
fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// What an expression that is no secret itself begins with.
const REFERENCES: [&str; 5] = ["env.", "secrets.", "vars.", "op://", "\"op://"];

/// The lines below a key `secrets`.
struct Section {
    /// How far the key is indented, and how far what is below it.
    indent: usize,
    below: Option<usize>,
    /// Whether it is written in braces, so that only they could end it.
    is_flow: bool,
}

/// The text with every value below a key `secrets` hidden, character by character, so that places stay where they are.
/// Of a value, references such as `${{ env.NAME }}` are left. When in doubt, more is hidden; `None` when nothing can
/// be told.
pub(super) fn masked(text: &str) -> Option<String> {
    let mut section: Option<Section> = None;
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if has_escaped_key(line) {
            return None;
        }
        let content = line.trim_end_matches(['\n', '\r']);
        section = section.filter(|section| !section.ends(content));
        let shown = match &mut section {
            Some(section) => section.shown(content),
            None => secrets_key(content).map_or(content.len(), |end| {
                section = Some(Section::new(content, end));
                end
            }),
        };
        let (shown, hidden) = content.split_at(shown);
        // What is hidden may stand elsewhere, under another name.
        if section.is_some() && is_elsewhere(hidden) {
            return None;
        }
        masked.push_str(shown);
        masked.push_str(&hide(hidden));
        masked.push_str(&line[content.len()..]);
    }
    Some(masked)
}

impl Section {
    fn new(line: &str, end: usize) -> Self {
        // Braces that are closed on the line are those of this value.
        let count = |bracket| line[end..].matches(bracket).count();
        let is_closed = count('{') == count('}') && count('[') == count(']');
        let is_block = line.trim_start().starts_with(is_of_name) && is_closed;
        Self { indent: indent(line), below: None, is_flow: !is_block }
    }

    /// Whether a line is surely behind it: a field of the manifest, misspelt or not, that is indented no further.
    fn ends(&self, line: &str) -> bool {
        let Some(end) = key(line) else { return false };
        let name = line[..end].trim().trim_end_matches(':');
        !self.is_flow && indent(line) <= self.indent && nearest(name, schema::field_names()).is_some()
    }

    /// How much of a line is no value: the key, where keys are.
    fn shown(&mut self, line: &str) -> usize {
        let indent = indent(line);
        if line.trim().is_empty() || self.is_flow {
            return indent;
        }
        let below = *self.below.get_or_insert(indent);
        key(line).filter(|_| indent == below).unwrap_or(indent)
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The end of the key, with its colon, that a line begins with.
fn key(line: &str) -> Option<usize> {
    let start = indent(line);
    let length = line[start..].find(|character| !is_of_name(character)).filter(|length| *length > 0)?;
    let end = start + length + 1;
    let is_key =
        line[end - 1..].starts_with(':') && line[end..].chars().next().is_none_or(char::is_whitespace);
    is_key.then_some(end)
}

/// The end of a key `secrets`, wherever it stands in a line, with its colon if it has one.
fn secrets_key(line: &str) -> Option<usize> {
    line.match_indices("secrets").find_map(|(start, word)| {
        let begins = !line[..start].ends_with(is_of_name);
        let rest = &line[start + word.len()..];
        let behind = rest.trim_start_matches(['"', '\'']).trim_start();
        let is_key = behind.starts_with(':') || behind.is_empty();
        let end = line.len() - behind.len() + usize::from(behind.starts_with(':'));
        (begins && is_key).then_some(end)
    })
}

/// Whether a value names an anchor, or merges with one.
fn is_elsewhere(value: &str) -> bool {
    value.split([' ', '\t', '{', '[', ',', ':']).any(|part| part.starts_with('*') || part.starts_with("<<"))
}

/// Whether a line may have a key `secrets` that is written otherwise.
fn has_escaped_key(line: &str) -> bool {
    let parts: Vec<_> = line.split('"').collect();
    let is_escaped = |text: &str| ["\\x", "\\u", "\\U"].iter().any(|escape| text.contains(escape));
    parts.windows(2).skip(1).any(|pair| is_escaped(pair[0]) && pair[1].trim_start().starts_with(':'))
}

/// A value with all but its references hidden. What it only consists of is no secret.
fn hide(value: &str) -> String {
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
    if text.chars().all(|character| " \t\"'{}[],|>".contains(character)) {
        return text.to_owned();
    }
    text.chars().map(|_| REDACTED_CHAR).collect()
}

/// The first reference in a text: where it starts and ends.
fn reference(text: &str) -> Option<(usize, usize)> {
    text.match_indices('$').find_map(|(start, _)| {
        let rest = &text[start..];
        let inner = rest.strip_prefix("${{").or_else(|| rest.strip_prefix("$ {{"))?;
        let (inner, after) = inner.split_once("}}")?;
        let is_plain = inner.chars().all(|c| is_of_name(c) || matches!(c, ' ' | '/' | ':' | '"'));
        let is_reference = REFERENCES.iter().any(|reference| inner.trim_start().starts_with(reference));
        (is_plain && is_reference).then_some((start, text.len() - after.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::masked;
    use crate::diagnostic::{REDACTED_CHAR, SourceLocation};
    use crate::yaml::{YamlData, YamlValue};

    /// The text as it would be shown, with `#` for what is hidden.
    fn check(text: &str, expected: &str) {
        let masked = masked(text).unwrap();
        assert_eq!(masked.chars().count(), text.chars().count());
        assert_eq!(masked.replace(REDACTED_CHAR, "#"), expected);
    }

    #[test]
    fn values_are_hidden_and_keys_and_references_are_not() {
        check(
            "name: a\nsecrets:\n  KEY: hush\n  B: ${{ env.B }}\n  C: 'x ${{ env.C }}'\ntitle: b\n",
            "name: a\nsecrets:\n  KEY: ####\n  B: ${{ env.B }}\n  C: ###${{ env.C }}'\ntitle: b\n",
        );
        check("secrets: {A: hush, B: x}\r\ntitle: b\r\n", "secrets: ###############\r\ntitle: b\r\n");
        check("secrets:\n  A: ${{ hush }}\n", "secrets:\n  A: ###########\n");
        check("secrets:\n  A: ${{ env.hush + 'x' }}\n", "secrets:\n  A: #####################\n");
        check("secrets: {\n title: hush}\nname: b", "secrets: {\n ############\n#######");
        check("a: ${{ secrets.B }}\n", "a: ${{ secrets.B }}\n");
        check("my-secrets: a\nb: my_secrets\n", "my-secrets: a\nb: my_secrets\n");
        check("secrets:\n  ? A\n  : hush\n", "secrets:\n  ###\n  ######\n");
    }

    #[test]
    fn what_is_below_a_value_is_hidden() {
        check(
            "secrets:\n  A: |\n    one\n    two: x\n  B: y\n",
            "secrets:\n  A: |\n    ###\n    ######\n  B: #\n",
        );
        check("secrets:\n  A: |\n-----BEGIN\nTitle\nb: c\n", "secrets:\n  A: |\n##########\n#####\n####\n");
        check("secrets:\nkey: hush\n", "secrets:\nkey: ####\n");
        check("secrets: # old: hush\n  A: b # hush\n", "secrets: ###########\n  A: ########\n");
    }

    #[test]
    fn it_ends_with_the_next_field_even_if_that_is_misspelt() {
        check("secrets:\n  A: b\nvisibilty: x\n", "secrets:\n  A: #\nvisibilty: x\n");
        check(
            "envs:\n  p:\n    secrets:\n      A: b\n    title: x\n  q:\n    secrets: {A: b}\n",
            "envs:\n  p:\n    secrets:\n      A: #\n    title: x\n  q:\n    secrets: ######\n",
        );
        check("secrets:\n  A: b\n  title: c\nname: d\n", "secrets:\n  A: #\n  title: #\nname: d\n");
    }

    #[test]
    fn in_braces_it_does_not_end() {
        check("{\"secrets\": {\"A\": \"b\"},\n\"name\": \"c\"}", "{\"secrets\": ###########\n############");
        check("? secrets\n: {A: b}\nname: c\n", "? secrets\n########\n#######\n");
        check("{ secrets\n: {A: b} }\n", "{ secrets\n##########\n");
    }

    #[test]
    fn what_nobody_can_tell_is_not_shown() {
        assert_eq!(masked("x: &x {A: hush}\nsecrets: *x\n"), None);
        assert_eq!(masked("x: &x {A: hush}\nsecrets:\n  <<: *x\n"), None);
        assert_eq!(masked("x: &x hush\nsecrets:\n  A: *x\n"), None);
        assert_eq!(masked("x: &x hush\nsecrets: {A: *x}\n"), None);
        check("title: \"caf\\u00e9\"\n", "title: \"caf\\u00e9\"\n");
        assert_eq!(masked("\"secr\\x65ts\": {A: hush}\n"), None);
    }

    /// Lines that stand in all orders below; `hush` is a secret where it is below a key `secrets`.
    const LINES: [&str; 19] = [
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
    ];

    fn below_secrets(node: &YamlValue, is_below: bool) -> usize {
        match &node.value {
            YamlData::YamlMapping(map) => {
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
        fn whatever_parses_shows_none_of_its_secrets(lines in proptest::collection::vec(0..LINES.len(), 1..7)) {
            let text: String = lines.iter().map(|index| format!("{}\n", LINES[*index])).collect();
            let secrets = YamlValue::parse(&text, &SourceLocation::file("m")).map_or(0, |node| below_secrets(&node, false));
            if secrets > 0 && secrets == text.matches("hush").count() {
                proptest::prop_assert!(!masked(&text).unwrap_or_default().contains("hush"), "{text}");
            }
        }

        #[test]
        fn no_character_moves(text in "([ \\t{}\\[\\]:,'\"$*&|?-]|secrets|é|env\\.|\\$\\{\\{|\\}\\}|\\n|\\r){0,30}") {
            let count = masked(&text).map_or_else(|| text.chars().count(), |masked| masked.chars().count());
            proptest::prop_assert_eq!(count, text.chars().count());
        }
    }
}
