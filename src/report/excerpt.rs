//! Formats problems with excerpts of the source, redacted and escaped for the log.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Printer, escape};
use crate::diagnostic::{Diagnostic, Excerpt, REDACTED_CHAR, Severity, SourceLocation};

/// The maximum width of an excerpt in characters. A longer line is cut to the part around the marked range.
const MAX_WIDTH: usize = 120;

/// Returns the excerpt at a location, with `***` in place of secrets.
pub(super) fn redacted_excerpt(location: &SourceLocation, printer: &Printer) -> Option<Excerpt> {
    let excerpt = mark_whole_secret(location.excerpt()?);
    Some(map_text(&excerpt, |text| collapse_redacted(&printer.redact(text))))
}

/// Returns a problem in the style of a compiler. The message and hint must already be redacted.
pub(super) fn render(problem: &Diagnostic, location: &SourceLocation, printer: &Printer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(escape::log_line(&problem.message)))
        .element(origin_line(location, printer));
    if let Some(excerpt) = redacted_excerpt(location, printer) {
        let Excerpt { line, text, marked } = map_text(&excerpt, escape_lines);
        let annotation = AnnotationKind::Primary.span(marked);
        // The line above the excerpt already shows the path and the position in the file. If the snippet had a path, it would
        // show a second position, relative to the excerpt.
        let snippet =
            Snippet::source(text).line_start(line).fold(false).path(None::<String>).annotation(annotation);
        group = group.element(snippet);
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.with_name("hint").message(escape::log_line(hint)));
    }
    let text = Renderer::plain().term_width(MAX_WIDTH).render(&[group]);
    // Remove trailing spaces. Also remove the line `:::` between the location and the excerpt, which stands for omitted text.
    text.lines()
        .map(str::trim_end)
        .filter(|line| line.trim() != ":::")
        .map(|line| format!("{line}\n"))
        .collect()
}

fn origin_line<'a>(location: &SourceLocation, printer: &Printer) -> Origin<'a> {
    let origin = Origin::path(escape::inside_log_line(&printer.redact(&location.origin_name())));
    match location.position {
        Some(position) => origin.line(position.line).char_column(position.column),
        None => origin,
    }
}

/// Changes the text of an excerpt and adapts the marked range. If a replaced text extends across the start or end of the marked
/// range, marks the whole line.
fn map_text(excerpt: &Excerpt, change: impl Fn(&str) -> String) -> Excerpt {
    let text = change(&excerpt.text);
    let before = change(&excerpt.text[..excerpt.marked.start]);
    let up_to_end = change(&excerpt.text[..excerpt.marked.end]);
    let is_intact = text.starts_with(&up_to_end) && up_to_end.starts_with(&before);
    let whole_line = || text.rfind('\n').map_or(0, |end| end + 1)..text.len();
    let marked = if is_intact { before.len()..up_to_end.len() } else { whole_line() };
    Excerpt { line: excerpt.line, text, marked }
}

/// Extends the marked range to the whole redacted secret if the range starts inside a secret.
fn mark_whole_secret(mut excerpt: Excerpt) -> Excerpt {
    let Excerpt { text, marked, .. } = &mut excerpt;
    if text[marked.start..].starts_with(REDACTED_CHAR) {
        marked.start = text[..marked.start].trim_end_matches(REDACTED_CHAR).len();
        marked.end =
            marked.end.max(text.len() - text[marked.start..].trim_start_matches(REDACTED_CHAR).len());
    }
    excerpt
}

/// Replaces each sequence of redacted characters with `***`.
fn collapse_redacted(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut is_redacted = false;
    for character in text.chars() {
        match (character == REDACTED_CHAR, is_redacted) {
            (true, true) => {}
            (true, false) => collapsed.push_str("***"),
            (false, _) => collapsed.push(character),
        }
        is_redacted = character == REDACTED_CHAR;
    }
    collapsed
}

/// Escapes each line of a text.
fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape::inside_log_line).collect::<Vec<_>>().join("\n")
}
