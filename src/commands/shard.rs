//! Selects this machine's share of the work.

use super::Context;
use crate::config::Shard;
use crate::error::count;
use crate::integration::{self, Source};

/// A share of the work.
pub(super) struct Share<T> {
    pub(super) items: Vec<T>,
    /// A sentence on the division, unless this machine does all the work.
    pub(super) division: Option<String>,
}

impl Context<'_> {
    /// Returns this machine's share of the sources, divided by their estimated work.
    pub(super) fn share<'s>(&self, sources: &'s [Source]) -> Share<&'s Source> {
        match self.shard {
            Some(shard) => divided(shard, integration::weights(sources).into_iter().zip(sources)),
            None => Share { items: sources.iter().collect(), division: None },
        }
    }

    /// Returns this machine's share of items that need the same work each.
    pub(super) fn share_of_equals<T>(&self, items: Vec<T>) -> Share<T> {
        match self.shard {
            Some(shard) => divided(shard, items.into_iter().map(|item| (integration::REQUEST, item))),
            None => Share { items, division: None },
        }
    }
}

/// Divides weighted items and logs the division, since an empty share is not a mistake.
fn divided<T>(shard: Shard, items: impl ExactSizeIterator<Item = (u64, T)>) -> Share<T> {
    let all = count(items.len(), "integration");
    let items = shard.select(items);
    let division = match items.len() {
        0 => format!("shard {shard} has none of {all}: nothing to do"),
        number => format!("shard {shard} has {number} of {all}"),
    };
    tracing::info!("{division}");
    Share { items, division: Some(division) }
}
