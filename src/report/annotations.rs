//! GitHub annotations for problems. GitHub shows at most 10 errors and 10 warnings per step.

use super::escape;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation, TextPosition};
use crate::error::pluralize;

/// The maximum number of annotations of one severity. GitHub silently ignores further annotations.
const MAX_ANNOTATIONS: usize = 10;

/// The location of an annotation.
#[derive(Debug)]
pub(super) enum AnnotationTarget {
    /// A path, relative to GitHub's workspace.
    File(String),
    /// A location outside of files, such as a variable. It becomes the beginning of the message.
    Message(String),
}

/// The number of annotations printed so far, by severity.
#[derive(Debug, Default)]
pub(super) struct AnnotationCounts {
    errors: usize,
    warnings: usize,
}

impl AnnotationCounts {
    /// Counts an annotation that the caller will print. Returns false if the limit is reached. Reserves the last error annotation
    /// within the limit for the error of the run.
    pub(super) fn reserve(&mut self, severity: Severity) -> bool {
        let is_available = self.count_left(severity) > 0;
        *self.used_count(severity) += usize::from(is_available);
        is_available
    }

    /// Returns annotations for problems, up to the limit. If problems of a severity are omitted, the last annotation of this
    /// severity states their number.
    pub(super) fn render(
        &mut self,
        problems: &[Diagnostic],
        target: impl Fn(&SourceLocation) -> AnnotationTarget,
    ) -> String {
        let mut lines = String::new();
        let total = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
        let mut remaining = [Severity::Error, Severity::Warning].map(total);
        for problem in problems {
            let remaining = &mut remaining[usize::from(!problem.is_error())];
            *remaining -= 1;
            if self.reserve(problem.severity) {
                let is_last = self.count_left(problem.severity) == 0;
                let target = problem.location.as_ref().map(&target);
                lines.push_str(&format_annotation(problem, target, if is_last { *remaining } else { 0 }));
            }
        }
        lines
    }

    fn count_left(&mut self, severity: Severity) -> usize {
        let reserved = usize::from(severity == Severity::Error);
        (MAX_ANNOTATIONS - reserved).saturating_sub(*self.used_count(severity))
    }

    fn used_count(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        }
    }
}

fn format_annotation(problem: &Diagnostic, target: Option<AnnotationTarget>, omitted: usize) -> String {
    let mut properties = Vec::new();
    let mut message = problem.message.clone();
    match target {
        Some(AnnotationTarget::File(file)) => {
            properties.push(format!("file={}", escape::command_property(&file)));
            let position = problem.location.as_ref().and_then(|location| location.position);
            if let Some(TextPosition { line, column, end_column }) = position {
                properties.push(format!("line={line},col={column}"));
                properties.extend(end_column.map(|end| format!("endLine={line},endColumn={end}")));
            }
        }
        Some(AnnotationTarget::Message(location)) => message = format!("{location}: {message}"),
        None => {}
    }
    if let Some(hint) = &problem.hint {
        message.push_str(&format!("\nhint: {hint}"));
    }
    if omitted > 0 {
        message.push_str(&format!(
            "\nand {}; see the log",
            pluralize(omitted, &format!("more {}", problem.severity))
        ));
    }
    let space = if properties.is_empty() { "" } else { " " };
    format!("::{}{space}{}::{}\n", problem.severity, properties.join(","), escape::command_data(&message))
}

#[cfg(test)]
mod tests {
    use super::AnnotationCounts;
    use crate::diagnostic::{Diagnostic, Severity};

    #[test]
    fn the_last_annotation_states_the_number_of_omitted_problems() {
        let mut annotations = AnnotationCounts::default();
        let errors: Vec<_> = (1..=12).map(|number| Diagnostic::error(None, format!("e{number}"))).collect();
        let warnings: Vec<_> =
            (1..=10).map(|number| Diagnostic::warning(None, format!("w{number}"))).collect();
        let lines =
            annotations.render(&[errors, warnings].concat(), |_| unreachable!("no problem has a location"));
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), 9 + 10);
        assert_eq!(lines[7..9], ["::error::e8", "::error::e9%0Aand 3 more errors; see the log"]);
        assert_eq!(lines[18], "::warning::w10");
        assert!(!annotations.reserve(Severity::Error) && !annotations.reserve(Severity::Warning));
    }

    #[test]
    fn earlier_annotations_count_towards_the_limit() {
        let mut annotations = AnnotationCounts::default();
        assert!((0..9).all(|_| annotations.reserve(Severity::Warning)));
        let warnings = ["a", "b", "c"].map(|text| Diagnostic::warning(None, text));
        let line = "::warning::a%0Aand 2 more warnings; see the log\n";
        assert_eq!(annotations.render(&warnings, |_| unreachable!("no problem has a location")), line);
        assert_eq!(annotations.render(&warnings, |_| unreachable!("no problem has a location")), "");
    }
}
