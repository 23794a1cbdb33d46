//! Escapes untrusted text, with one function for each destination.

use crate::untrusted::{self, changes_direction, is_line_separator, is_unsafe_char};

/// Escapes a log line. The result contains no GitHub workflow commands, GitLab section markers or control characters except tabs.
/// GitHub recognizes old commands (`##[name]`) anywhere in a line, and so does GitLab with its markers.
pub(super) fn log_line(text: &str) -> String {
    let line = inside_log_line(text);
    if line.trim_start().starts_with("::") { format!("\\{}", line.trim_start()) } else { line }
}

/// Escapes text inside a log line. Does not escape `::` at the start, so the caller must put other text before the result: a
/// workflow command is at the start of a line.
pub(super) fn inside_log_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push('\t'),
            character if changes_direction(character) || is_line_separator(character) => {
                line.extend(character.escape_unicode());
            }
            character if character.is_control() => line.extend(character.escape_default()),
            character => line.push(character),
        }
    }
    let line = line.replace("##[", "##\\[").replace("section_start:", "section_start\\:");
    line.replace("section_end:", "section_end\\:")
}

/// Escapes a JSON document for one log line. JSON alone does not escape C1 control characters, characters that change the text
/// direction, old GitHub commands and GitLab markers.
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

/// Escapes the data of a workflow command (`::error::DATA`).
pub(super) fn command_data(text: &str) -> String {
    let mut data = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => data.push(character),
            character if changes_direction(character) || is_line_separator(character) => {
                data.extend(character.escape_unicode());
            }
            character if character.is_control() => data.extend(character.escape_default()),
            character => data.push(character),
        }
    }
    exact_command_data(&data)
}

/// Encodes `%` and line breaks in the data of a workflow command. The runner decodes the result to the exact text, which
/// `::add-mask::` requires.
pub(super) fn exact_command_data(text: &str) -> String {
    // The runner decodes `%25` last, so it does not decode a sequence such as `%0A` in the text itself.
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command (`::error file=PROPERTY::`).
pub(super) fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Replaces unsafe characters, including line breaks, with spaces in the value of an output or a dotenv line. A dotenv value
/// cannot contain line breaks.
pub(super) fn output_value(text: &str) -> String {
    text.chars().map(|character| if is_unsafe_char(character) { ' ' } else { character }).collect()
}

/// Returns the value of a dotenv line, quoted if a shell would interpret any part of it.
pub(super) fn quoted_dotenv(text: &str) -> String {
    let text = output_value(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Escapes the value of a dotenv line for GitLab. GitLab keeps quotes as part of the value, and expands variables (`$NAME`,
/// `%NAME%`) in the next job.
pub(super) fn gitlab_dotenv(text: &str) -> String {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let text = output_value(text).replace('$', "$$");
    let mut parts = text.split('%').peekable();
    let mut value = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        // Two characters between percent signs are part of an encoded URL, not a variable.
        let is_variable = is_name(part) && part.len() != 2 && parts.peek().is_some();
        value.push_str(if is_variable { "% " } else { "%" });
        value.push_str(part);
    }
    // The quotes become part of the value in GitLab, but they are needed in case a shell reads the file.
    quoted_dotenv(&value)
}

/// Escapes a JSON document in a dotenv line for GitLab. Replaces the characters that begin variables with JSON escapes.
pub(super) fn gitlab_dotenv_json(json: &str) -> String {
    // If a shell reads the file, it runs commands between backticks even in the double quotes of JSON strings, so backticks are
    // replaced, too.
    output_value(json).replace('$', "\\u0024").replace('%', "\\u0025").replace('`', "\\u0060")
}

/// Returns a label for a Mermaid pie chart. The label contains only characters that are usual in package names. So it cannot end
/// the quotes or the code block around it, and cannot be an entity, a comment or a directive.
pub(super) fn pie_label(text: &str) -> String {
    const MAX_LENGTH: usize = 60;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '/' | '.' | '_' | '-');
    let label: String = text.chars().take(MAX_LENGTH).map(|c| if is_plain(c) { c } else { '_' }).collect();
    if text.chars().nth(MAX_LENGTH).is_some() { label + "..." } else { label }
}

/// Returns the target of a Markdown link, or `None` if the address is not an `http` or `https` URL.
pub(super) fn link_target(address: &str) -> Option<String> {
    // Markdown decodes entities in link targets.
    untrusted::web_link(address).map(|link| link.replace('&', "&amp;"))
}

/// Escapes text in a Markdown table cell for GitHub and GitLab. Formats text with special characters as code: GitLab decodes
/// entities before it looks for mentions and references, but does not look for them in code.
pub(super) fn markdown_literal(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ' ' | ',' | '-');
    if text.chars().all(is_plain) {
        markdown(text)
    } else {
        format!("<code>{}</code>", escape_markdown(text, true))
    }
}

/// Escapes text in a Markdown table cell for GitHub. The result contains no markup, HTML, link, mention or reference
/// (`GH-12`).
pub(super) fn markdown(text: &str) -> String {
    escape_markdown(text, false)
}

/// A zero-width space that breaks up mentions, references and email addresses. GitHub decodes entities before it
/// looks for these three, and it looks for email addresses even in code.
const ZERO_WIDTH_SPACE: &str = "&#8203;";

fn escape_markdown(text: &str, in_code: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = [' '; 2];
    while let Some(character) = characters.next() {
        let [_, last] = before;
        let is_after_gh = before.map(|c| c.to_ascii_lowercase()) == ['g', 'h'];
        before = [last, character];
        match character {
            '-' if is_after_gh && !in_code => escaped.push_str(&format!("-{ZERO_WIDTH_SPACE}")),
            '@' if !in_code || !last.is_whitespace() => escaped.push_str(&format!("&#64;{ZERO_WIDTH_SPACE}")),
            '#' if !in_code => escaped.push_str(&format!("&#35;{ZERO_WIDTH_SPACE}")),
            '-' if characters.peek().is_some_and(char::is_ascii_digit) => escaped.push_str("&#45;"),
            // Dots and colons must be escaped, since they could turn text into a link.
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
        command_data, command_property, gitlab_dotenv, gitlab_dotenv_json, json_line, link_target, log_line,
        markdown, markdown_literal, output_value, pie_label,
    };

    #[test]
    fn escapes_commands_in_a_line() {
        assert_eq!(log_line("::error::x"), "\\::error::x");
        assert_eq!(log_line("  ::error::x"), "\\::error::x");
        assert_eq!(log_line("a ##[error]x"), "a ##\\[error]x");
        assert_eq!(log_line("a\r::error::x\n\u{1b}[31m\0"), "a\\r::error::x\\n\\u{1b}[31m\\u{0}");
        assert_eq!(log_line("safe\u{202e}elif\u{2028}"), "safe\\u{202e}elif\\u{2028}");
        assert_eq!(log_line("plain: `x` – ü"), "plain: `x` – ü");
    }

    #[test]
    fn escapes_section_markers() {
        let marker = "x\u{1b}[0Ksection_start:1:a[collapsed=true]\r\u{1b}[0Kb section_end:1:a\r\u{1b}[0K";
        let expected =
            "x\\u{1b}[0Ksection_start\\:1:a[collapsed=true]\\r\\u{1b}[0Kb section_end\\:1:a\\r\\u{1b}[0K";
        assert_eq!(log_line(marker), expected);
        let json = json_line(&serde_json::json!({"a": marker}).to_string());
        assert!(!json.contains("section_start:") && !json.contains("section_end:"), "{json}");
        assert!(!json.contains(['\u{1b}', '\r']), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"], marker);
    }

    #[test]
    fn escapes_data_and_properties_of_a_command() {
        assert_eq!(command_data("50% :: a,b\r\n::x::"), "50%25 :: a,b%0D%0A::x::");
        assert_eq!(command_data("\u{1b}[31m\u{202e}\u{2028}"), "\\u{1b}[31m\\u{202e}\\u{2028}");
        assert_eq!(command_data("plain: `x` – ü"), "plain: `x` – ü");
        assert_eq!(command_property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }

    #[test]
    fn an_escaped_json_line_has_the_same_value() {
        let line = json_line("{\"a\":\"##[error]\u{202e}ü\"}");
        assert_eq!(line, "{\"a\":\"#\\u0023[error]\\u202eü\"}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["a"], "##[error]\u{202e}ü");
    }

    #[test]
    fn replaces_line_breaks_in_an_output_value() {
        assert_eq!(output_value("a\nB=c\r\0"), "a B=c  ");
    }

    #[test]
    fn escapes_variables_in_a_gitlab_dotenv_value() {
        assert_eq!(gitlab_dotenv("a $B ${C} 'd'\n=e"), r"'a $$B $${C} '\''d'\'' =e'");
        assert_eq!(gitlab_dotenv("%CI_JOB_TOKEN% 5% %1A% %a-b%"), "'% CI_JOB_TOKEN% 5% %1A% %a-b%'");
        assert_eq!(gitlab_dotenv("%_A1% %é%"), "'% _A1% %é%'");
        assert_eq!(gitlab_dotenv("https://x/%C3%A4%20y"), "https://x/%C3%A4%20y");
        let json = gitlab_dotenv_json(r#"{"a":"$B %C%"}"#);
        assert_eq!(json, r#"{"a":"\u0024B \u0025C\u0025"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"], "$B %C%");
    }

    #[test]
    fn formats_a_literal_as_code_unless_it_is_plain() {
        assert_eq!(markdown_literal("hello-fix not there"), "hello-fix not there");
        assert_eq!(markdown_literal("@all `x`"), "<code>&#64;all &#96;x&#96;</code>");
        // Text in code contains no zero-width spaces here, so that users can copy it.
        assert_eq!(markdown_literal("#1 GH-a"), "<code>&#35;1 GH-a</code>");
        for reference in ["!1", "#1", "~a", "%1", "&1", "*a", "GL-1", "ABC-1", "c0ffee1/", "</code>@a"] {
            let text = markdown_literal(reference);
            let inner = text.strip_prefix("<code>").unwrap().strip_suffix("</code>").unwrap();
            assert!(!inner.contains(['<', '@']), "{text}");
        }
    }

    #[test]
    fn restricts_a_pie_label_to_safe_characters() {
        assert_eq!(pie_label("@acme/ui-kit_2.js"), "@acme/ui-kit_2.js");
        assert_eq!(pie_label("a\" : 9\n```\n%%{i}%% #35; <b>ü"), "a____9________i_____35___b__");
        assert_eq!(pie_label(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(pie_label(&"x".repeat(61)), "x".repeat(60) + "...");
    }

    #[test]
    fn accepts_web_links_only() {
        let check =
            |address: &str, expected: Option<&str>| assert_eq!(link_target(address).as_deref(), expected);
        check("https://x.example/?a=1&copy=2", Some("https://x.example/?a=1&amp;copy=2"));
        check("javascript:alert(1)", None);
        check("file:///repo", None);
    }

    #[test]
    fn escapes_markdown() {
        assert_eq!(markdown("a|b"), "a&#124;b");
        assert_eq!(markdown("日本 ü\n\u{202e}"), "日本 ü  ");
        assert_eq!(markdown("GH-12, a-b, c-1"), "GH-&#8203;12, a-b, c&#45;1");
        assert_eq!(
            markdown("<img> @me [x](y)\n# h"),
            "&#60;img&#62; &#64;&#8203;me &#91;x&#93;(y) &#35;&#8203; h"
        );
    }
}
