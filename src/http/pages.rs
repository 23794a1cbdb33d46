//! Reads lists that an API returns page by page.

use super::{ApiKind, RequestError};

/// The maximum number of pages of a list. A server that sends more pages is broken.
const MAX_PAGES: usize = 1000;

/// Reads all pages of a list and returns the items that `keep` selects and converts. `read_page` returns the items of a page and the
/// position of the next page. Each page is dropped before the next page is read, so that only selected items stay in memory.
///
/// # Errors
/// Returns the first error of `read_page`, or [`RequestError::TooManyPages`] if there are more than 1000 pages.
pub(crate) async fn read_all_pages<T, U, P, E, F>(
    api: ApiKind,
    first_position: P,
    mut keep: impl FnMut(T) -> Option<U>,
    mut read_page: impl FnMut(P) -> F,
) -> Result<Vec<U>, E>
where
    E: From<RequestError>,
    F: Future<Output = Result<(Vec<T>, Option<P>), E>>,
{
    let (mut items, mut position) = (Vec::new(), first_position);
    for _ in 0..MAX_PAGES {
        let (page, next) = read_page(position).await?;
        items.extend(page.into_iter().filter_map(&mut keep));
        match next {
            Some(next) => position = next,
            None => return Ok(items),
        }
    }
    Err(RequestError::TooManyPages(api, MAX_PAGES).into())
}
