//! Lists in pages.

use super::{ApiKind, RequestError};

/// The maximum number of pages of a list. A server that sends more is broken.
const MAX_PAGES: usize = 1000;

/// Reads all pages of a list. `read` returns the items of a page and the position of the next one.
///
/// # Errors
/// Returns errors of `read`, and [`RequestError::EndlessList`].
pub(crate) async fn pages<T, P, E, F>(
    api: ApiKind,
    first: P,
    mut read: impl FnMut(P) -> F,
) -> Result<Vec<T>, E>
where
    E: From<RequestError>,
    F: Future<Output = Result<(Vec<T>, Option<P>), E>>,
{
    let (mut items, mut position) = (Vec::new(), first);
    for _ in 0..MAX_PAGES {
        let (page, next) = read(position).await?;
        items.extend(page);
        match next {
            Some(next) => position = next,
            None => return Ok(items),
        }
    }
    Err(RequestError::EndlessList(api, MAX_PAGES).into())
}
