//! Locations in files and variables, with excerpts of their texts.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

/// The file or variable that contains a value. Sorting puts variables before files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// An environment variable.
    Variable(String),
    /// A file. The path is absolute, or relative to the working directory.
    File(PathBuf),
}

impl Origin {
    #[must_use]
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

/// A position in a text. Lines and columns start at 1. Columns are counted in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TextPosition {
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The column after the last character. It is `None` if the end is unknown or on another line.
    pub(crate) end_column: Option<usize>,
}

/// A file or variable, and the position of a value in its text, if known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceLocation {
    pub origin: Arc<Origin>,
    pub position: Option<TextPosition>,
    text: AttachedText,
}

/// The text for excerpts. All values compare as equal, because the text must not affect comparisons of locations.
#[derive(Clone, Default)]
struct AttachedText(Option<Arc<SourceText>>);

/// The text of a file or variable, or some lines of this text.
struct SourceText {
    text: String,
    /// The number of the first line of `text` in the file or variable.
    first_line: usize,
}

/// The line at a location, and the range to mark in it. If the line is empty, the excerpt begins with the line above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The number of the first line of the excerpt.
    pub(crate) line: usize,
    pub(crate) text: String,
    /// The byte range of `text` to mark.
    pub(crate) marked: Range<usize>,
}

/// The character that replaces each character of a secret. It is a private-use code point, so manifests do not contain it.
pub(crate) const REDACTED_CHAR: char = '\u{10fffd}';

/// The maximum length in bytes of a line in an excerpt. A longer line was not written by hand, and searching such a line for secrets is
/// slow.
const MAX_LINE_LENGTH: usize = 256 * 1024;

impl SourceLocation {
    /// Returns the location of a whole file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self { origin: Arc::new(Origin::File(path.into())), position: None, text: AttachedText::default() }
    }

    /// Returns the location of a whole variable.
    pub(crate) fn variable(name: impl Into<String>) -> Self {
        Self {
            origin: Arc::new(Origin::Variable(name.into())),
            position: None,
            text: AttachedText::default(),
        }
    }

    /// Returns the location of a line and a column in the same file or variable.
    #[must_use]
    pub(crate) fn at(&self, line: usize, column: usize) -> Self {
        Self { position: Some(TextPosition { line, column, end_column: None }), ..self.clone() }
    }

    /// Sets the end of the location, which is on the same line. `end` is the column after the last character.
    #[must_use]
    pub(crate) fn up_to_column(mut self, end: usize) -> Self {
        if let Some(position) = &mut self.position {
            position.end_column = Some(end).filter(|end| *end > position.column);
        }
        self
    }

    /// Attaches the text of the file or variable for excerpts. The text must not contain secrets.
    #[must_use]
    pub(crate) fn with_text(&self, text: &str) -> Self {
        self.with_lines(text, 1)
    }

    /// Attaches some lines of the file or variable for excerpts. The lines must not contain secrets.
    #[must_use]
    pub(crate) fn with_lines(&self, text: &str, first_line: usize) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        Self { text: AttachedText(Some(Arc::new(SourceText { text, first_line }))), ..self.clone() }
    }

    /// Returns the path of a file, or `None` for a variable.
    #[must_use]
    pub(crate) fn path(&self) -> Option<&Path> {
        match &*self.origin {
            Origin::File(path) => Some(path),
            Origin::Variable(_) => None,
        }
    }

    /// Returns the same position in another file.
    #[must_use]
    pub(crate) fn with_path(self, path: PathBuf) -> Self {
        Self { origin: Arc::new(Origin::File(path)), ..self }
    }

    /// Returns the path of the file or the name of the variable.
    #[must_use]
    pub(crate) fn origin_name(&self) -> Cow<'_, str> {
        match &*self.origin {
            Origin::File(path) => display_path(path).into(),
            Origin::Variable(name) => name.into(),
        }
    }

    /// Returns the attached text and the number of its first line.
    #[must_use]
    pub(crate) fn attached_text(&self) -> Option<(&str, usize)> {
        self.text.0.as_ref().map(|text| (text.text.as_str(), text.first_line))
    }

    /// Returns the excerpt at the position. Returns `None` if the position or the text is unknown, if the text begins after the
    /// position, or if a line is too long.
    #[must_use]
    pub(crate) fn excerpt(&self) -> Option<Excerpt> {
        self.text.0.as_ref()?.excerpt(self.position?)
    }
}

impl SourceText {
    fn excerpt(&self, position: TextPosition) -> Option<Excerpt> {
        let index = position.line.checked_sub(self.first_line)?;
        let mut lines = self.text.lines().skip(index.saturating_sub(1));
        let above = if index == 0 { None } else { lines.next() };
        let line = lines.next().unwrap_or_default();
        let above = above.filter(|above| line.trim().is_empty() && !above.trim().is_empty());
        if self.text.is_empty()
            || [Some(line), above].iter().flatten().any(|line| line.len() > MAX_LINE_LENGTH)
        {
            return None;
        }
        let start = byte_index(line, position.column);
        let end = position
            .end_column
            .map_or_else(|| start + token_length(&line[start..]), |end| byte_index(line, end));
        let (before, number) = match above {
            Some(above) => (format!("{above}\n"), position.line - 1),
            None => (String::new(), position.line),
        };
        let marked = before.len() + start..before.len() + end;
        Some(Excerpt { line: number, text: before + line, marked })
    }
}

/// Returns the byte index of a column, or the length of the line if the line has fewer columns.
fn byte_index(line: &str, column: usize) -> usize {
    line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte)
}

/// Returns the length in bytes of the first token in a text: a word, a quoted text or a single character.
fn token_length(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let is_word_character = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    match first {
        '"' | '\'' | '`' => text[1..].find(first).map_or(1, |end| end + 2),
        first if is_word_character(first) => text.find(|c| !is_word_character(c)).unwrap_or(text.len()),
        first => first.len_utf8(),
    }
}

impl PartialEq for AttachedText {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for AttachedText {}

impl PartialOrd for AttachedText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AttachedText {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

/// Omits the text, so that debug output does not contain a manifest.
impl fmt::Debug for AttachedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "attached" } else { "none" })
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin_name())?;
        match self.position {
            Some(TextPosition { line, column, .. }) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Returns a path for messages, with `/` as the separator on all systems.
#[must_use]
pub(crate) fn display_path(path: &Path) -> String {
    path.to_string_lossy().replace(MAIN_SEPARATOR, "/")
}

#[cfg(test)]
mod tests {
    use super::SourceLocation;

    /// Checks the excerpt at a location in a text. In `expected`, `>` and `<` enclose the marked range.
    fn check(text: &str, locate: impl Fn(SourceLocation) -> SourceLocation, expected: Option<(usize, &str)>) {
        let excerpt = locate(SourceLocation::file("m").with_text(text)).excerpt();
        let found = excerpt.map(|excerpt| {
            let (text, marked) = (excerpt.text, excerpt.marked);
            let parts = [&text[..marked.start], ">", &text[marked.clone()], "<", &text[marked.end..]];
            (excerpt.line, parts.concat())
        });
        assert_eq!(found.as_ref().map(|(line, text)| (*line, text.as_str())), expected);
    }

    #[test]
    fn marks_a_token_without_an_end_column() {
        check("a: b\nkey-1: x\n", |file| file.at(2, 1), Some((2, ">key-1<: x")));
        check("a: 'b c' d", |file| file.at(1, 4), Some((1, "a: >'b c'< d")));
        check("a: 'b c", |file| file.at(1, 4), Some((1, "a: >'<b c")));
        check("a: [b", |file| file.at(1, 4), Some((1, "a: >[<b")));
        check("é: ü\u{301}x!", |file| file.at(1, 4), Some((1, "é: >ü<\u{301}x!")));
    }

    #[test]
    fn marks_the_text_before_the_end_column() {
        check("a: b c d", |file| file.at(1, 4).up_to_column(7), Some((1, "a: >b c< d")));
        check("a: b", |file| file.at(1, 4).up_to_column(99), Some((1, "a: >b<")));
        check("a: b", |file| file.at(1, 4).up_to_column(2), Some((1, "a: >b<")));
    }

    #[test]
    fn omits_the_byte_order_mark_and_carriage_returns() {
        check("\u{feff}a: b\r\nc: d\r\n", |file| file.at(1, 1), Some((1, ">a<: b")));
        check("\u{feff}a: b\r\nc: d\r\n", |file| file.at(2, 5), Some((2, "c: d><")));
    }

    #[test]
    fn shows_the_line_above_an_empty_line() {
        check("a: [\n", |file| file.at(2, 1), Some((1, "a: [\n><")));
        check("a: [", |file| file.at(2, 1), Some((1, "a: [\n><")));
        check("a: [", |file| file.at(9, 9), Some((9, "><")));
        check("", |file| file.at(1, 1), None);
        check("a", |file| file, None);
    }

    #[test]
    fn numbers_attached_lines_from_their_first_line() {
        let file = SourceLocation::file("m").with_lines("seventh", 7);
        assert_eq!(file.at(7, 1).excerpt().unwrap().text, "seventh");
        assert!(file.at(6, 1).excerpt().is_none());
    }

    #[test]
    fn omits_an_extremely_long_line() {
        check(&"x".repeat(300_000), |file| file.at(1, 1), None);
    }

    #[test]
    fn compares_and_prints_locations_without_their_text() {
        assert_eq!(SourceLocation::file("m").with_text("hush"), SourceLocation::file("m"));
        assert!(!format!("{:?}", SourceLocation::file("m").with_text("hush")).contains("hush"));
    }
}
