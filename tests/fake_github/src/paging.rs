//! Lists in pages, with links from each to the next.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::call::Call;
use crate::response::Answer;
use crate::state::{REPOSITORY_ID, State};

/// How many entries a page has when nothing is said.
const USUAL: usize = 30;
/// How many entries a page has at most, which GitHub's document says in words only.
pub(crate) const MOST: usize = 100;

/// The page of the list that the request asks for.
pub(crate) fn page<T>(state: &State, call: &Call, entries: &[T], render: fn(&State, &T) -> String) -> Answer {
    let number = |name| call.parameter(name).and_then(|value| value.parse::<usize>().ok());
    let asked = number("per_page").unwrap_or(USUAL).clamp(1, MOST);
    let length = state.page_size.map_or(asked, |most| asked.min(most));
    let page = number("page").unwrap_or(1).max(1);
    let last = entries.len().div_ceil(length).max(1);
    let shown = entries.iter().skip((page - 1).saturating_mul(length)).take(length);
    let shown: Vec<String> = shown.map(|entry| render(state, entry)).collect();
    let answer = Answer::json(200, format!("[{}]", shown.join(",")));
    match links(state, call, page, last) {
        links if links.is_empty() => answer,
        links => answer.with("link", links),
    }
}

fn links(state: &State, call: &Call, page: usize, last: usize) -> String {
    let before = page > 1;
    let after = page < last;
    let all = [
        (before, "prev", page.saturating_sub(1).min(last)),
        (after, "next", page + 1),
        (after, "last", last),
        (before, "first", 1),
    ];
    let link = |(_, relation, number)| format!("<{}>; rel=\"{relation}\"", address(state, call, number));
    all.into_iter().filter(|(there, ..)| *there).map(link).collect::<Vec<_>>().join(", ")
}

/// GitHub's links name the repository by its number, so that they outlive a new name.
fn address(state: &State, call: &Call, page: usize) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let rest: Vec<String> = call.segments.iter().skip(3).map(|segment| encode(segment)).collect();
    let query: String = call
        .query
        .iter()
        .filter(|(name, _)| name != "page")
        .map(|(name, value)| format!("{}={}&", name, encode(value)))
        .collect();
    format!("{}/repositories/{REPOSITORY_ID}/{}?{query}page={page}", state.base, rest.join("/"))
}
