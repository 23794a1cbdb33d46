//! One function for each sink that makes foreign text harmless there.

use crate::untrusted::{self, ends_line, is_unsafe_char, turns_text};

/// One line of a log: no control character acts (line breaks and ANSI sequences among them), and no part of it is
/// a workflow command, which GitHub's runner also finds in the middle of a line when written the old way
/// (`##[name]`), or a section's marker, which GitLab finds anywhere.
pub(super) fn line(text: &str) -> String {
    let line = part_of_line(text);
    if line.trim_start().starts_with("::") { format!("\\{}", line.trim_start()) } else { line }
}

/// The same for what never begins a line.
pub(super) fn part_of_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push('\t'),
            character if turns_text(character) || ends_line(character) => {
                line.extend(character.escape_unicode());
            }
            character if character.is_control() => line.extend(character.escape_default()),
            character => line.push(character),
        }
    }
    let line = line.replace("##[", "##\\[").replace("section_start:", "section_start\\:");
    line.replace("section_end:", "section_end\\:")
}

/// One line of JSON, which escapes most control characters by itself, but not those of eight bits, GitHub's old commands,
/// the words of GitLab's markers and characters that change the direction of what follows.
pub(super) fn json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unsafe_char(character) {
            line.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            line.push(character);
        }
    }
    let line = line.replace("##[", "#\\u0023[");
    line.replace("section_start:", "section_start\\u003a").replace("section_end:", "section_end\\u003a")
}

/// The data of a workflow command (`::error::DATA`).
pub(super) fn command_data(text: &str) -> String {
    let mut data = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => data.push(character),
            character if turns_text(character) || ends_line(character) => {
                data.extend(character.escape_unicode());
            }
            character if character.is_control() => data.extend(character.escape_default()),
            character => data.push(character),
        }
    }
    mask(&data)
}

/// The data of `::add-mask::`, which must come out as it is.
pub(super) fn mask(secret: &str) -> String {
    // The runner unescapes `%25` last, and takes nothing that comes of it for a command.
    secret.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command (`::error file=PROPERTY::`).
pub(super) fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The value of an output or of a dotenv line, which has no way to write a line break.
pub(super) fn dotenv(text: &str) -> String {
    text.chars().map(|character| if is_unsafe_char(character) { ' ' } else { character }).collect()
}

/// Returns the value of a dotenv line, quoted if a shell that reads the file would run or change any part of it.
pub(super) fn quoted_dotenv(text: &str) -> String {
    let text = dotenv(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The value of a dotenv line as GitLab reads it: nothing unquotes it, and what looks like a variable (`$NAME`,
/// `%NAME%`) becomes that variable's value in the next job.
pub(super) fn dotenv_of_gitlab(text: &str) -> String {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let text = dotenv(text).replace('$', "$$");
    let mut parts = text.split('%').peekable();
    let mut value = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        // Two characters between two signs are an encoded byte of an address.
        let is_variable = is_name(part) && part.len() != 2 && parts.peek().is_some();
        value.push_str(if is_variable { "% " } else { "%" });
        value.push_str(part);
    }
    // A job that has the value as a variable has the quotes, too; a shell that reads the file runs nothing.
    quoted_dotenv(&value)
}

/// A JSON document in a dotenv line as GitLab reads it, which has a way to write the signs of variables.
pub(super) fn dotenv_json_of_gitlab(json: &str) -> String {
    // A shell takes its texts as texts in quotes, where it still runs what is between backticks.
    dotenv(json).replace('$', "\\u0024").replace('%', "\\u0025").replace('`', "\\u0060")
}

/// A label of a pie of Mermaid's, between quotes: nothing of it ends the quotes or the code around it, or is an entity, a
/// comment or a directive of Mermaid's. Names of packages have other characters hardly ever.
pub(super) fn pie_label(text: &str) -> String {
    const LONGEST: usize = 60;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '/' | '.' | '_' | '-');
    let label: String = text.chars().take(LONGEST).map(|c| if is_plain(c) { c } else { '_' }).collect();
    if text.chars().nth(LONGEST).is_some() { label + "..." } else { label }
}

/// Where a link in Markdown leads, if it can do no more than open a page.
pub(super) fn destination(address: &str) -> Option<String> {
    // Entities are characters there, too.
    untrusted::link(address).map(|link| link.replace('&', "&amp;"))
}

/// Text inside a Markdown table that is nothing but text on GitLab, too. That looks for mentions and references when
/// entities are characters again, but not in code.
pub(super) fn literal(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ' ' | ',' | '-');
    if text.chars().all(is_plain) { markdown(text) } else { format!("<code>{}</code>", escaped(text, true)) }
}

/// Text inside a Markdown table: nothing in it is markup, HTML, a link, a mention or a reference (`GH-12`).
pub(super) fn markdown(text: &str) -> String {
    escaped(text, false)
}

/// Stands where a mention, a reference or an address would go on. GitHub looks for these when entities are characters
/// again; for addresses of people also in code.
const BREAK: &str = "&#8203;";

fn escaped(text: &str, in_code: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = [' '; 2];
    while let Some(character) = characters.next() {
        let [_, last] = before;
        let is_of_tracker = before.map(|c| c.to_ascii_lowercase()) == ['g', 'h'];
        before = [last, character];
        match character {
            '-' if is_of_tracker && !in_code => escaped.push_str(&format!("-{BREAK}")),
            '@' if !in_code || !last.is_whitespace() => escaped.push_str(&format!("&#64;{BREAK}")),
            '#' if !in_code => escaped.push_str(&format!("&#35;{BREAK}")),
            '-' if characters.peek().is_some_and(char::is_ascii_digit) => escaped.push_str("&#45;"),
            // A dot or a colon could make a link of a bare address.
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '-' | ',' | '(' | ')' => escaped.push(character),
            character if is_unsafe_char(character) => escaped.push(' '),
            character if character.is_ascii() => escaped.push_str(&format!("&#{};", u32::from(character))),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{
        command_data, command_property, destination, dotenv, dotenv_json_of_gitlab, dotenv_of_gitlab,
        json_line, line, literal, markdown, pie_label,
    };

    #[test]
    fn no_line_is_a_command() {
        assert_eq!(line("::error::x"), "\\::error::x");
        assert_eq!(line("  ::error::x"), "\\::error::x");
        assert_eq!(line("a ##[error]x"), "a ##\\[error]x");
        assert_eq!(line("a\r::error::x\n\u{1b}[31m\0"), "a\\r::error::x\\n\\u{1b}[31m\\u{0}");
        assert_eq!(line("safe\u{202e}elif\u{2028}"), "safe\\u{202e}elif\\u{2028}");
        assert_eq!(line("plain: `x` – ü"), "plain: `x` – ü");
    }

    #[test]
    fn no_line_opens_or_closes_a_section() {
        let marker = "x\u{1b}[0Ksection_start:1:a[collapsed=true]\r\u{1b}[0Kb section_end:1:a\r\u{1b}[0K";
        let expected =
            "x\\u{1b}[0Ksection_start\\:1:a[collapsed=true]\\r\\u{1b}[0Kb section_end\\:1:a\\r\\u{1b}[0K";
        assert_eq!(line(marker), expected);
        let json = json_line(&serde_json::json!({"a": marker}).to_string());
        assert!(!json.contains("section_start:") && !json.contains("section_end:"), "{json}");
        assert!(!json.contains(['\u{1b}', '\r']), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"], marker);
    }

    #[test]
    fn a_command_keeps_its_data_together() {
        assert_eq!(command_data("50% :: a,b\r\n::x::"), "50%25 :: a,b%0D%0A::x::");
        assert_eq!(command_data("\u{1b}[31m\u{202e}\u{2028}"), "\\u{1b}[31m\\u{202e}\\u{2028}");
        assert_eq!(command_data("plain: `x` – ü"), "plain: `x` – ü");
        assert_eq!(command_property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }

    #[test]
    fn a_line_of_json_is_still_json() {
        let line = json_line("{\"a\":\"##[error]\u{202e}ü\"}");
        assert_eq!(line, "{\"a\":\"#\\u0023[error]\\u202eü\"}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["a"], "##[error]\u{202e}ü");
    }

    #[test]
    fn a_dotenv_value_is_one_line() {
        assert_eq!(dotenv("a\nB=c\r\0"), "a B=c  ");
    }

    #[test]
    fn gitlab_finds_no_variable_in_a_dotenv_value() {
        assert_eq!(dotenv_of_gitlab("a $B ${C} 'd'\n=e"), r"'a $$B $${C} '\''d'\'' =e'");
        assert_eq!(dotenv_of_gitlab("%CI_JOB_TOKEN% 5% %1A% %a-b%"), "'% CI_JOB_TOKEN% 5% %1A% %a-b%'");
        assert_eq!(dotenv_of_gitlab("%_A1% %é%"), "'% _A1% %é%'");
        assert_eq!(dotenv_of_gitlab("https://x/%C3%A4%20y"), "https://x/%C3%A4%20y");
        let json = dotenv_json_of_gitlab(r#"{"a":"$B %C%"}"#);
        assert_eq!(json, r#"{"a":"\u0024B \u0025C\u0025"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"], "$B %C%");
    }

    #[test]
    fn what_is_literal_is_code_unless_it_is_plain() {
        assert_eq!(literal("hello-fix not there"), "hello-fix not there");
        assert_eq!(literal("@all `x`"), "<code>&#64;all &#96;x&#96;</code>");
        // What is copied from there holds nothing that can't be seen.
        assert_eq!(literal("#1 GH-a"), "<code>&#35;1 GH-a</code>");
        for reference in ["!1", "#1", "~a", "%1", "&1", "*a", "GL-1", "ABC-1", "c0ffee1/", "</code>@a"] {
            let literal = literal(reference);
            let inner = literal.strip_prefix("<code>").unwrap().strip_suffix("</code>").unwrap();
            assert!(!inner.contains(['<', '@']), "{literal}");
        }
    }

    #[test]
    fn a_label_of_a_pie_is_the_name_of_a_package() {
        assert_eq!(pie_label("@acme/ui-kit_2.js"), "@acme/ui-kit_2.js");
        assert_eq!(pie_label("a\" : 9\n```\n%%{i}%% #35; <b>ü"), "a____9________i_____35___b__");
        assert_eq!(pie_label(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(pie_label(&"x".repeat(61)), "x".repeat(60) + "...");
    }

    #[test]
    fn a_link_leads_where_it_did() {
        let check =
            |address: &str, expected: Option<&str>| assert_eq!(destination(address).as_deref(), expected);
        check("https://x.example/?a=1&copy=2", Some("https://x.example/?a=1&amp;copy=2"));
        check("javascript:alert(1)", None);
        check("file:///repo", None);
    }

    #[test]
    fn markdown_is_text() {
        assert_eq!(markdown("a|b"), "a&#124;b");
        assert_eq!(markdown("日本 ü\n\u{202e}"), "日本 ü  ");
        assert_eq!(markdown("GH-12, a-b, c-1"), "GH-&#8203;12, a-b, c&#45;1");
        assert_eq!(
            markdown("<img> @me [x](y)\n# h"),
            "&#60;img&#62; &#64;&#8203;me &#91;x&#93;(y) &#35;&#8203; h"
        );
    }
}
