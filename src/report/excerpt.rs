//! What is written where a problem is, for people: with its line marked, without secrets, and harmless in a log.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Printer, escape};
use crate::diagnostic::{Diagnostic, Excerpt, HIDDEN, Severity, SourceLocation};

/// Longer lines are cut around the place.
const WIDTH: usize = 120;

/// The line at a place, with `***` for all that must not be seen.
pub(super) fn safe(place: &SourceLocation, printer: &Printer) -> Option<Excerpt> {
    let excerpt = widened(place.excerpt()?);
    Some(changed(&excerpt, |text| collapsed(&printer.redacted(text))))
}

/// A problem as a compiler shows it. Its message and its hint are free of secrets.
pub(super) fn rendered(problem: &Diagnostic, place: &SourceLocation, printer: &Printer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(escape::line(&problem.message)))
        .element(origin(place, printer));
    if let Some(excerpt) = safe(place, printer) {
        let Excerpt { line, text, marked } = changed(&excerpt, harmless);
        let mark = AnnotationKind::Primary.span(marked);
        // Without a path of its own: places in the text are those of what is shown, not of the file.
        let snippet =
            Snippet::source(text).line_start(line).fold(false).path(None::<String>).annotation(mark);
        group = group.element(snippet);
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.with_name("hint").message(escape::line(hint)));
    }
    let text = Renderer::plain().term_width(WIDTH).render(&[group]);
    // Lines of nothing but a margin end in a blank, and between the place and the text there is no other text.
    text.lines()
        .map(str::trim_end)
        .filter(|line| line.trim() != ":::")
        .map(|line| format!("{line}\n"))
        .collect()
}

fn origin<'a>(place: &SourceLocation, printer: &Printer) -> Origin<'a> {
    let origin = Origin::path(escape::part_of_line(&printer.redacted(&place.origin_text())));
    match place.position {
        Some(position) => origin.line(position.line).char_column(position.column),
        None => origin,
    }
}

/// The excerpt with a changed text. Where the change does not keep apart what is marked, all of the line is.
fn changed(excerpt: &Excerpt, change: impl Fn(&str) -> String) -> Excerpt {
    let text = change(&excerpt.text);
    let before = change(&excerpt.text[..excerpt.marked.start]);
    let until = change(&excerpt.text[..excerpt.marked.end]);
    let is_kept = text.starts_with(&until) && until.starts_with(&before);
    let all = || text.rfind('\n').map_or(0, |end| end + 1)..text.len();
    let marked = if is_kept { before.len()..until.len() } else { all() };
    Excerpt { line: excerpt.line, text, marked }
}

/// The excerpt with all of what is hidden marked where a part of it is.
fn widened(mut excerpt: Excerpt) -> Excerpt {
    let Excerpt { text, marked, .. } = &mut excerpt;
    if text[marked.start..].starts_with(HIDDEN) {
        marked.start = text[..marked.start].trim_end_matches(HIDDEN).len();
        marked.end = marked.end.max(text.len() - text[marked.start..].trim_start_matches(HIDDEN).len());
    }
    excerpt
}

fn collapsed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut is_hidden = false;
    for character in text.chars() {
        match (character == HIDDEN, is_hidden) {
            (true, true) => {}
            (true, false) => shown.push_str("***"),
            (false, _) => shown.push(character),
        }
        is_hidden = character == HIDDEN;
    }
    shown
}

/// Nothing of it acts, and its lines stay lines.
fn harmless(text: &str) -> String {
    text.split('\n').map(escape::part_of_line).collect::<Vec<_>>().join("\n")
}
