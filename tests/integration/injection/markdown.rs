//! Parses Markdown like GitHub and GitLab, with the crate comrak, and finds mentions and issue references in the text.

use comrak::arena_tree::NodeEdge;
use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

/// A parsed Markdown page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The blocks in order, such as `heading`, `paragraph`, `table` and `row 5` for a row with five cells.
    pub(super) blocks: Vec<String>,
    /// The targets of links.
    pub(super) links: Vec<String>,
    /// Raw HTML.
    pub(super) html: Vec<String>,
    /// Fenced code blocks, as pairs of language and content.
    pub(super) code: Vec<(String, String)>,
    /// Other markup, such as emphasis, images, code spans, footnotes and mathematics.
    pub(super) markup: Vec<String>,
    /// Mentions and issue references.
    pub(super) references: Vec<String>,
}

/// Parses a page with the Markdown extensions of GitHub and GitLab.
pub(super) fn page(text: &str) -> Page {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut page = Page::default();
    let (mut code, mut link, mut cells, mut words) = (0_usize, 0_usize, 0, String::new());
    for edge in root.traverse() {
        let (node, is_start) = match edge {
            NodeEdge::Start(node) => (node, true),
            NodeEdge::End(node) => (node, false),
        };
        let data = node.data();
        match (&data.value, is_start) {
            (NodeValue::Document, _) => {}
            (NodeValue::Text(text), true) if code == 0 && link == 0 => words.push_str(text),
            (NodeValue::Text(_), _) => {}
            (NodeValue::HtmlInline(html), true) => {
                match &**html {
                    "<code>" => code += 1,
                    "</code>" => code = code.saturating_sub(1),
                    _ => {}
                }
                // HTML separates words: a mention may begin after it.
                words.push(' ');
                page.html.push(html.clone());
            }
            (NodeValue::HtmlBlock(block), true) => page.html.push(block.literal.trim_end().to_owned()),
            (NodeValue::CodeBlock(block), true) if block.fenced => {
                page.code.push((block.info.clone(), block.literal.clone()));
            }
            (NodeValue::Link(to), true) => {
                link += 1;
                page.links.push(to.url.clone());
            }
            (NodeValue::Link(_), false) => link -= 1,
            (NodeValue::TableCell, true) => {
                cells += 1;
                words.push('\n');
            }
            (NodeValue::TableRow(_), true) => cells = 0,
            (NodeValue::TableRow(_), false) => page.blocks.push(format!("row {cells}")),
            (NodeValue::TableCell, false) | (NodeValue::Table(_), false) => {}
            (NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::Table(_), true) => {
                words.push('\n');
                page.blocks.push(name(&data.value));
            }
            (NodeValue::SoftBreak | NodeValue::LineBreak, true) => words.push('\n'),
            (value, true) => page.markup.push(name(value)),
            (_, false) => {}
        }
    }
    page.references = references(&words);
    page
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    for on in [
        &mut extension.strikethrough,
        &mut extension.table,
        &mut extension.autolink,
        &mut extension.tasklist,
        &mut extension.footnotes,
        &mut extension.alerts,
        &mut extension.math_dollars,
        &mut extension.math_code,
        &mut extension.wikilinks_title_after_pipe,
        &mut extension.multiline_block_quotes,
        &mut extension.description_lists,
    ] {
        *on = true;
    }
    options
}

fn name(value: &NodeValue) -> String {
    let text = format!("{value:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_lowercase()
}

/// Returns mentions (`@name`) and issue references at the beginning of a word: `#1`, `GH-1`, and GitLab's `!1`, `~label`, `%1`,
/// `&1`, `$1` and `GL-1`.
fn references(text: &str) -> Vec<String> {
    let characters: Vec<_> = text.chars().collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let next = characters.get(at + 1).copied().unwrap_or(' ');
        let starts_word = before.is_none_or(|before| !is_word(before) && before != '&');
        let has_number = matches!(character, '#' | '!' | '%' | '&' | '$') && next.is_ascii_digit();
        let has_name = matches!(character, '@' | '~') && is_word(next);
        let rest: String = characters[at..].iter().take(3).collect();
        let has_prefix = starts_word
            && ["GH-", "GL-", "gh-", "gl-"].contains(&&*rest)
            && characters.get(at + 3).is_some_and(char::is_ascii_digit);
        // `#1` may also follow the name of a repository, as in `acme/docs#1`.
        if (has_number && (starts_word || *character == '#')) || (has_name && starts_word) || has_prefix {
            found.push(characters[at..].iter().take_while(|c| !c.is_whitespace()).collect());
        }
    }
    found
}

#[test]
fn finds_injections_in_markdown() {
    let page = page(
        "### a\n\n```x y\n@me\n```\n\n| a | b |\n|---|---|\n| [x](<https://x>) <b> | ![i](y) **s** |\n\n&#64;me GH-1 <code>@you #2</code> https://z",
    );
    assert_eq!(page.blocks, ["heading", "table", "row 2", "row 2", "paragraph"]);
    assert_eq!(page.links, ["https://x", "https://z"]);
    assert_eq!(page.code, [("x y".to_owned(), "@me\n".to_owned())]);
    assert_eq!(page.html, ["<b>", "<code>", "</code>"]);
    assert_eq!(page.markup, ["image", "strong"]);
    assert_eq!(page.references, ["@me", "GH-1"]);
}
