//! Finds control characters and GitLab's section markers in a log.

/// A marker for the start or the end of a section in a GitLab log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) opens: bool,
    pub(super) name: String,
}

/// Returns all section markers in a log, also those in the middle of a line.
pub(super) fn sections(log: &str) -> Vec<Section> {
    let mut found = Vec::new();
    for part in log.split("section_").skip(1) {
        let Some((opens, rest)) = part
            .strip_prefix("start:")
            .map(|rest| (true, rest))
            .or_else(|| part.strip_prefix("end:").map(|rest| (false, rest)))
        else {
            continue;
        };
        let Some((time, rest)) = rest.split_once(':') else { continue };
        if time.is_empty() || !time.chars().all(|c| c.is_ascii_digit()) {
            continue;
        }
        let is_name_character = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        found.push(Section { opens, name: rest.chars().take_while(is_name_character).collect() });
    }
    found
}

/// Removes the markers of the program's own sections. They contain the only control characters that the program writes.
pub(super) fn without_own_sections(log: &str) -> String {
    let lines = log.split_inclusive('\n').map(|line| {
        let marker = line.strip_prefix("\u{1b}[0Ksection_").and_then(|rest| rest.split_once("\r\u{1b}[0K"));
        match marker {
            Some((marker, title)) if marker.contains(":gitbook_deploy_") => title.to_owned(),
            _ => line.to_owned(),
        }
    });
    lines.collect()
}

/// Returns a description of each control character.
pub(super) fn describe_control_characters(text: &str) -> impl Iterator<Item = String> {
    control_characters(text).into_iter().map(|c| format!("contains the raw character {c:?}"))
}

/// Returns the control characters except LF and tab, and Unicode's line separators and bidirectional characters.
fn control_characters(log: &str) -> Vec<char> {
    let is_unsafe = |c: &char| match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' => true,
        other => other.is_control(),
    };
    log.chars().filter(is_unsafe).collect()
}

#[test]
fn finds_sections_and_control_characters() {
    let log = "\u{1b}[0Ksection_start:17:gitbook_deploy_1[collapsed=true]\r\u{1b}[0Ka\nx section_end:1:pwned y\u{9b}";
    let names: Vec<_> = sections(log).into_iter().map(|section| (section.opens, section.name)).collect();
    assert_eq!(names, [(true, "gitbook_deploy_1".to_owned()), (false, "pwned".to_owned())]);
    assert_eq!(control_characters(&without_own_sections(log)), ['\u{9b}']);
}
