//! Selects this machine's share of the work.

use super::Context;
use crate::config::Shard;
use crate::error::pluralize;
use crate::integration::{self, IntegrationSource};

/// A share of the work.
pub(super) struct Share<T> {
    pub(super) items: Vec<T>,
    /// A sentence on the division, unless this machine does all the work.
    pub(super) division: Option<String>,
}

impl Context<'_> {
    /// Returns this machine's share of the sources, divided by their estimated work.
    pub(super) fn share<'s>(&self, sources: &'s [IntegrationSource]) -> Share<&'s IntegrationSource> {
        match self.shard {
            Some(shard) => divide(shard, integration::weights(sources).into_iter().zip(sources)),
            None => Share { items: sources.iter().collect(), division: None },
        }
    }

    /// Returns this machine's share of items that need the same work each.
    pub(super) fn share_of_equals<T>(&self, items: Vec<T>) -> Share<T> {
        match self.shard {
            Some(shard) => divide(shard, items.into_iter().map(|item| (integration::REQUEST_WEIGHT, item))),
            None => Share { items, division: None },
        }
    }
}

/// Divides weighted items and logs the division, since an empty share is not a mistake.
fn divide<T>(shard: Shard, items: impl ExactSizeIterator<Item = (u64, T)>) -> Share<T> {
    let all = pluralize(items.len(), "integration");
    let items = shard.select(items);
    let division = match items.len() {
        0 => format!("shard {shard} has none of {all}: nothing to do"),
        number => format!("shard {shard} has {number} of {all}"),
    };
    tracing::info!("{division}");
    Share { items, division: Some(division) }
}
