//! Annotations, which GitHub shows beside the line in question: ten of a kind in a step, and no more.

use super::escape;
use crate::diagnostic::{Diagnostic, Position, Severity, SourceLocation};

/// GitHub drops all further ones without a word.
const MOST: usize = 10;

/// What GitHub shows an annotation beside.
#[derive(Debug)]
pub(super) enum Beside {
    File(String),
    /// No file: the message says where.
    Nothing(String),
}

/// How many of each kind there were.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    errors: usize,
    warnings: usize,
}

impl Annotations {
    /// Whether there is room for one more. The last error is kept for how the run ended.
    pub(super) fn take(&mut self, kind: Severity) -> bool {
        let has_room = self.left(kind) > 0;
        *self.used(kind) += usize::from(has_room);
        has_room
    }

    /// An annotation for each problem as long as there is room. The last one of a kind says how many more there are.
    pub(super) fn of(&mut self, problems: &[Diagnostic], at: impl Fn(&SourceLocation) -> Beside) -> String {
        let mut lines = String::new();
        let total = |kind| problems.iter().filter(|problem| problem.severity == kind).count();
        let mut behind = [Severity::Error, Severity::Warning].map(total);
        for problem in problems {
            let behind = &mut behind[usize::from(!problem.is_error())];
            *behind -= 1;
            if self.take(problem.severity) {
                let is_last = self.left(problem.severity) == 0;
                let beside = problem.place.as_ref().map(&at);
                lines.push_str(&annotation(problem, beside, if is_last { *behind } else { 0 }));
            }
        }
        lines
    }

    fn left(&mut self, kind: Severity) -> usize {
        let reserved = usize::from(kind == Severity::Error);
        (MOST - reserved).saturating_sub(*self.used(kind))
    }

    fn used(&mut self, kind: Severity) -> &mut usize {
        match kind {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        }
    }
}

fn annotation(problem: &Diagnostic, beside: Option<Beside>, more: usize) -> String {
    let mut properties = Vec::new();
    let mut message = problem.message.clone();
    match beside {
        Some(Beside::File(file)) => {
            properties.push(format!("file={}", escape::command_property(&file)));
            let position = problem.place.as_ref().and_then(|place| place.position);
            if let Some(Position { line, column, end }) = position {
                properties.push(format!("line={line},col={column}"));
                properties.extend(end.map(|end| format!("endLine={line},endColumn={end}")));
            }
        }
        Some(Beside::Nothing(place)) => message = format!("{place}: {message}"),
        None => {}
    }
    if let Some(hint) = &problem.hint {
        message.push_str(&format!("\nhint: {hint}"));
    }
    if more > 0 {
        message.push_str(&format!("\nand {more} more: GitHub shows ten, the log has them all"));
    }
    let space = if properties.is_empty() { "" } else { " " };
    format!("::{}{space}{}::{}\n", problem.severity, properties.join(","), escape::command_data(&message))
}

#[cfg(test)]
mod tests {
    use super::Annotations;
    use crate::diagnostic::{Diagnostic, Severity};

    #[test]
    fn the_last_one_says_how_many_more_there_are() {
        let mut annotations = Annotations::default();
        let errors: Vec<_> = (1..=12).map(|number| Diagnostic::error(None, format!("e{number}"))).collect();
        let warnings: Vec<_> =
            (1..=10).map(|number| Diagnostic::warning(None, format!("w{number}"))).collect();
        let lines = annotations.of(&[errors, warnings].concat(), |_| unreachable!("no problem has a place"));
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), 9 + 10);
        assert_eq!(
            lines[7..9],
            ["::error::e8", "::error::e9%0Aand 3 more: GitHub shows ten, the log has them all"]
        );
        assert_eq!(lines[18], "::warning::w10");
        assert!(!annotations.take(Severity::Error) && !annotations.take(Severity::Warning));
    }

    #[test]
    fn what_came_before_counts() {
        let mut annotations = Annotations::default();
        assert!((0..9).all(|_| annotations.take(Severity::Warning)));
        let warnings = ["a", "b", "c"].map(|text| Diagnostic::warning(None, text));
        let line = "::warning::a%0Aand 2 more: GitHub shows ten, the log has them all\n";
        assert_eq!(annotations.of(&warnings, |_| unreachable!("no problem has a place")), line);
        assert_eq!(annotations.of(&warnings, |_| unreachable!("no problem has a place")), "");
    }
}
