//! Where something stands, and what is written there.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

/// What a value was read from. Variables come first where problems are sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// An environment variable.
    Variable(String),
    /// A file, as an absolute path or relative to the folder that the program was started in.
    File(PathBuf),
}

impl Origin {
    /// Whether it is a file.
    #[must_use]
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

/// Line and column, both counted from 1, and the column behind the last character where that is known and on the
/// same line. Columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end: Option<usize>,
}

/// Where something stands: a file or a variable and, where known, the position in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceLocation {
    /// The file or variable.
    pub origin: Arc<Origin>,
    /// Line and column.
    pub position: Option<Position>,
    /// What was read there, where it may be shown.
    text: SourceLines,
}

/// A text that was kept, or none. It makes no place another.
#[derive(Clone, Default)]
struct SourceLines(Option<Arc<SourceText>>);

/// A text, or a line of it, to be shown with what is wrong there.
struct SourceText {
    text: String,
    /// The number of its first line.
    first: usize,
}

/// The line at a place, with the bytes of it that are marked. An empty line has the one above it in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The number of the first line.
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) marked: Range<usize>,
}

/// What stands for each character of a text that must not be seen; a private one, which nobody writes.
pub(crate) const HIDDEN: char = '\u{10fffd}';

/// Longer lines are no lines of anybody's, and take long to look for secrets in.
const LONGEST_LINE: usize = 256 * 1024;

impl SourceLocation {
    /// A whole file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self { origin: Arc::new(Origin::File(path.into())), position: None, text: SourceLines::default() }
    }

    /// A whole variable.
    pub(crate) fn variable(name: impl Into<String>) -> Self {
        Self { origin: Arc::new(Origin::Variable(name.into())), position: None, text: SourceLines::default() }
    }

    /// The same file or variable, at a line and a column.
    #[must_use]
    pub(crate) fn at(&self, line: usize, column: usize) -> Self {
        Self { position: Some(Position { line, column, end: None }), ..self.clone() }
    }

    /// The same place, up to a column.
    #[must_use]
    pub(crate) fn up_to(mut self, end: usize) -> Self {
        if let Some(position) = &mut self.position {
            position.end = Some(end).filter(|end| *end > position.column);
        }
        self
    }

    /// The same place, with all that is written in the file or variable and may be shown.
    #[must_use]
    pub(crate) fn with_text(&self, text: &str) -> Self {
        self.with_lines(text, 1)
    }

    /// The same place, with the lines from this one on.
    #[must_use]
    pub(crate) fn with_lines(&self, text: &str, first: usize) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        Self { text: SourceLines(Some(Arc::new(SourceText { text, first }))), ..self.clone() }
    }

    /// The path, if this is in a file.
    #[must_use]
    pub(crate) fn path(&self) -> Option<&Path> {
        match &*self.origin {
            Origin::File(path) => Some(path),
            Origin::Variable(_) => None,
        }
    }

    /// The same place in a file that is called otherwise.
    #[must_use]
    pub(crate) fn renamed(self, path: PathBuf) -> Self {
        Self { origin: Arc::new(Origin::File(path)), ..self }
    }

    /// The path or the variable's name.
    #[must_use]
    pub(crate) fn origin_text(&self) -> Cow<'_, str> {
        match &*self.origin {
            Origin::File(path) => display_path(path).into(),
            Origin::Variable(name) => name.into(),
        }
    }

    /// The lines that were kept of it, and the number of the first.
    #[must_use]
    pub(crate) fn lines(&self) -> Option<(&str, usize)> {
        self.text.0.as_ref().map(|text| (text.text.as_str(), text.first))
    }

    /// What is written at the position.
    #[must_use]
    pub(crate) fn excerpt(&self) -> Option<Excerpt> {
        self.text.0.as_ref()?.excerpt(self.position?)
    }
}

impl SourceText {
    fn excerpt(&self, position: Position) -> Option<Excerpt> {
        let index = position.line.checked_sub(self.first)?;
        let mut lines = self.text.lines().skip(index.saturating_sub(1));
        let above = if index == 0 { None } else { lines.next() };
        let line = lines.next().unwrap_or_default();
        let above = above.filter(|above| line.trim().is_empty() && !above.trim().is_empty());
        if self.text.is_empty() || [Some(line), above].iter().flatten().any(|line| line.len() > LONGEST_LINE)
        {
            return None;
        }
        let start = byte_of(line, position.column);
        let end = position.end.map_or_else(|| start + word(&line[start..]), |end| byte_of(line, end));
        let (before, number) = match above {
            Some(above) => (format!("{above}\n"), position.line - 1),
            None => (String::new(), position.line),
        };
        let marked = before.len() + start..before.len() + end;
        Some(Excerpt { line: number, text: before + line, marked })
    }
}

/// The byte at which a column begins, which may lie behind the end.
fn byte_of(line: &str, column: usize) -> usize {
    line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte)
}

/// The length of what begins a text: a word, something in quotes, or one character.
fn word(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    match first {
        '"' | '\'' | '`' => text[1..].find(first).map_or(1, |end| end + 2),
        first if is_part(first) => text.find(|c| !is_part(c)).unwrap_or(text.len()),
        first => first.len_utf8(),
    }
}

impl PartialEq for SourceLines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for SourceLines {}

impl PartialOrd for SourceLines {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SourceLines {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

/// Nothing of a manifest is to be seen in a log by chance.
impl fmt::Debug for SourceLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "kept" } else { "none" })
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin_text())?;
        match self.position {
            Some(Position { line, column, .. }) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// A path as messages have it: with `/` between its parts, on Windows too, as manifests, workflows and GitHub write it.
#[must_use]
pub(crate) fn display_path(path: &Path) -> String {
    path.to_string_lossy().replace(MAIN_SEPARATOR, "/")
}

#[cfg(test)]
mod tests {
    use super::SourceLocation;

    /// What is marked at a place in a text, between `>` and `<`.
    fn check(text: &str, place: impl Fn(SourceLocation) -> SourceLocation, expected: Option<(usize, &str)>) {
        let excerpt = place(SourceLocation::file("m").with_text(text)).excerpt();
        let found = excerpt.map(|excerpt| {
            let (text, marked) = (excerpt.text, excerpt.marked);
            let parts = [&text[..marked.start], ">", &text[marked.clone()], "<", &text[marked.end..]];
            (excerpt.line, parts.concat())
        });
        assert_eq!(found.as_ref().map(|(line, text)| (*line, text.as_str())), expected);
    }

    #[test]
    fn a_place_without_an_end_marks_a_word() {
        check("a: b\nkey-1: x\n", |place| place.at(2, 1), Some((2, ">key-1<: x")));
        check("a: 'b c' d", |place| place.at(1, 4), Some((1, "a: >'b c'< d")));
        check("a: 'b c", |place| place.at(1, 4), Some((1, "a: >'<b c")));
        check("a: [b", |place| place.at(1, 4), Some((1, "a: >[<b")));
        check("é: ü\u{301}x!", |place| place.at(1, 4), Some((1, "é: >ü<\u{301}x!")));
    }

    #[test]
    fn a_place_with_an_end_marks_all_up_to_it() {
        check("a: b c d", |place| place.at(1, 4).up_to(7), Some((1, "a: >b c< d")));
        check("a: b", |place| place.at(1, 4).up_to(99), Some((1, "a: >b<")));
        check("a: b", |place| place.at(1, 4).up_to(2), Some((1, "a: >b<")));
    }

    #[test]
    fn neither_byte_order_mark_nor_carriage_return_is_shown() {
        check("\u{feff}a: b\r\nc: d\r\n", |place| place.at(1, 1), Some((1, ">a<: b")));
        check("\u{feff}a: b\r\nc: d\r\n", |place| place.at(2, 5), Some((2, "c: d><")));
    }

    #[test]
    fn the_end_of_a_file_has_its_last_line() {
        check("a: [\n", |place| place.at(2, 1), Some((1, "a: [\n><")));
        check("a: [", |place| place.at(2, 1), Some((1, "a: [\n><")));
        check("a: [", |place| place.at(9, 9), Some((9, "><")));
        check("", |place| place.at(1, 1), None);
        check("a", |place| place, None);
    }

    #[test]
    fn a_part_of_a_text_has_its_own_numbers() {
        let place = SourceLocation::file("m").with_lines("seventh", 7);
        assert_eq!(place.at(7, 1).excerpt().unwrap().text, "seventh");
        assert!(place.at(6, 1).excerpt().is_none());
    }

    #[test]
    fn what_is_no_line_of_anybodys_is_not_shown() {
        check(&"x".repeat(300_000), |place| place.at(1, 1), None);
    }

    #[test]
    fn a_place_is_the_same_whatever_is_kept_of_its_text() {
        assert_eq!(SourceLocation::file("m").with_text("hush"), SourceLocation::file("m"));
        assert!(!format!("{:?}", SourceLocation::file("m").with_text("hush")).contains("hush"));
    }
}
