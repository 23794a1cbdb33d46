//! Lists in pages.

use super::{ApiKind, RequestError};

/// The maximum number of pages of a list. A server that sends more is broken.
const MAX_PAGES: usize = 1000;

/// Reads all pages of a list. `read` returns the items of a page and the position of the next one. `keep` selects and converts
/// the items; each page is dropped before the next is read, so that the memory holds only selected items.
///
/// # Errors
/// Returns errors of `read`, and [`RequestError::EndlessList`].
pub(crate) async fn pages<T, U, P, E, F>(
    api: ApiKind,
    first: P,
    mut keep: impl FnMut(T) -> Option<U>,
    mut read: impl FnMut(P) -> F,
) -> Result<Vec<U>, E>
where
    E: From<RequestError>,
    F: Future<Output = Result<(Vec<T>, Option<P>), E>>,
{
    let (mut items, mut position) = (Vec::new(), first);
    for _ in 0..MAX_PAGES {
        let (page, next) = read(position).await?;
        items.extend(page.into_iter().filter_map(&mut keep));
        match next {
            Some(next) => position = next,
            None => return Ok(items),
        }
    }
    Err(RequestError::EndlessList(api, MAX_PAGES).into())
}
