//! Parses the pie diagrams that the program writes, by the rules of Mermaid's grammar `pie.langium`. Any other syntax is an
//! injection.

use super::markdown::Page;

/// The label and the number of a slice.
pub(super) type Slice = (String, u64);

/// The maximum number of slices: the own source, six packages, and all other packages together.
const MAX_SLICES: usize = 8;

/// Parses a pie diagram. Returns an error for any syntax that the program does not write.
pub(super) fn slices(code: &str) -> Result<Vec<Slice>, String> {
    let lines = code.strip_prefix("pie showData\n").and_then(|rest| rest.strip_suffix('\n'));
    let lines = lines.ok_or("has no line `pie showData` at the beginning or no line break at the end")?;
    let mut slices = Vec::<Slice>::new();
    for line in lines.split('\n') {
        let slice = slice(line).ok_or_else(|| format!("has the invalid line {line:?}"))?;
        // Mermaid ignores a slice with the label of an earlier one.
        if slices.iter().any(|(label, _)| *label == slice.0) {
            return Err(format!("has two slices with the label {:?}", slice.0));
        }
        slices.push(slice);
    }
    if slices.len() > MAX_SLICES { Err(format!("has {} slices", slices.len())) } else { Ok(slices) }
}

/// Parses `"label" : 12`. The label must not contain entities (`#35;`), escapes, comments, directives (`%%`),
/// HTML or Markdown.
fn slice(line: &str) -> Option<Slice> {
    let (label, number) = line.strip_prefix("    \"")?.split_once("\" : ")?;
    let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_own = label == "own source" || {
        let rest = label.split_once(" other package");
        rest.is_some_and(|(count, rest)| count.parse::<usize>().is_ok() && matches!(rest, "" | "s"))
    };
    let is_package = |c: char| c.is_ascii_alphanumeric() || "@/._-".contains(c);
    let is_label = is_own || !label.is_empty() && label.len() <= 63 && label.chars().all(is_package);
    if is_number && is_label { Some((label.to_owned(), number.parse().ok()?)) } else { None }
}

/// Removes pie diagrams and the `<details>` elements around them from a page. Returns the injections in them.
pub(super) fn remove_pies(page: &mut Page) -> Vec<String> {
    let mut injections = Vec::new();
    for (info, code) in page.code.drain(..) {
        match slices(&code) {
            Ok(slices) if info == "mermaid" && !slices.is_empty() => {}
            Ok(_) => injections.push(format!("contains a code block: {info:?}")),
            Err(error) => injections.push(format!("a pie {error}")),
        }
    }
    let is_fold = |html: &String| *html == "</details>" || is_opening(html);
    let (folds, others): (Vec<_>, Vec<_>) = page.html.drain(..).partition(is_fold);
    page.html = others;
    let alternate = folds.iter().enumerate().all(|(at, html)| is_opening(html) == (at % 2 == 0));
    if !alternate || folds.len() % 2 != 0 {
        injections.push(format!("has unbalanced `<details>`: {folds:?}"));
    }
    injections
}

/// Returns true for the beginning of a folded section: `<details><summary>TEXT</summary>`.
fn is_opening(html: &str) -> bool {
    let rest =
        ["<details><summary>", "<details open><summary>"].iter().find_map(|tag| html.strip_prefix(tag));
    let text = rest.and_then(|rest| rest.strip_suffix("</summary>"));
    text.is_some_and(|text| !text.contains(['<', '>', '\n', '@']))
}

#[test]
fn finds_injections_in_pie_diagrams() {
    let pie = |lines: &str| slices(&format!("pie showData\n{lines}"));
    let good = pie("    \"own source\" : 12\n    \"@a/b\" : 3\n    \"2 other packages\" : 1\n").unwrap();
    assert_eq!(good[1], ("@a/b".to_owned(), 3));
    for bad in [
        "",
        "    \"a\" : 0\n",
        "    \"a\" : -1\n",
        "    \"a\" : 1",
        "    \"a b\" : 1\n",
        "    \"a\" : 1\n    \"a\" : 2\n",
        "    title pwned\n",
        "    \"a#35;\" : 1\n",
        "    \"a\\\"\" : 1\n",
        "    \"a\" : 1\n%%{init: {}}%%\n",
        "    \"a\" : 1\n\n",
    ] {
        assert!(pie(bad).is_err(), "{bad:?}");
    }
    let mut page = super::markdown::page(
        "<details><summary>x</summary>\n\n```mermaid\npie showData\n    \"a\" : 1\n```\n\n</details>\n",
    );
    assert_eq!(remove_pies(&mut page), Vec::<String>::new());
    assert_eq!(page, Page::default());
    for bad in [
        "</details>\n",
        "```js\npie showData\n    \"a\" : 1\n```\n",
        "<details>\n",
        "<details><summary><b></summary>\n",
    ] {
        let mut page = super::markdown::page(bad);
        assert!(!remove_pies(&mut page).is_empty() || !page.html.is_empty(), "{bad:?}");
    }
}
