//! Pagination of lists, with `Link` headers.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::call::Call;
use crate::response::Answer;
use crate::state::{REPOSITORY_ID, State};

/// The default number of entries per page.
const DEFAULT_PAGE_SIZE: usize = 30;
/// The maximum number of entries per page, which GitHub's OpenAPI document states only in prose.
pub(crate) const MAX_PAGE_SIZE: usize = 100;

/// Returns the page of a list that the query parameters `page` and `per_page` select.
pub(crate) fn page<T>(state: &State, call: &Call, entries: &[T], render: fn(&State, &T) -> String) -> Answer {
    let parameter = |name| call.parameter(name).and_then(|value| value.parse::<usize>().ok());
    let requested = parameter("per_page").unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, MAX_PAGE_SIZE);
    let length = state.page_size.map_or(requested, |max| requested.min(max));
    let page = parameter("page").unwrap_or(1).max(1);
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
    let link = |(_, relation, number)| format!("<{}>; rel=\"{relation}\"", page_url(state, call, number));
    all.into_iter().filter(|(exists, ..)| *exists).map(link).collect::<Vec<_>>().join(", ")
}

/// Returns the URL of a page. Like GitHub's links, it contains the repository's number, which never changes.
fn page_url(state: &State, call: &Call, page: usize) -> String {
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
