//! Selects this machine's share of the work.

use super::Context;
use crate::config::Shard;
use crate::error::pluralize;
use crate::integration::{self, IntegrationSource};

/// The items that this machine processes.
pub(super) struct Share<T> {
    pub(super) items: Vec<T>,
    /// A sentence such as `shard 2/4 has 13 of 51 integrations`; `None` if this machine does all the work.
    pub(super) share_description: Option<String>,
}

impl Context<'_> {
    /// Returns this machine's share of the sources. All machines have about the same estimated work.
    pub(super) fn share<'s>(&self, sources: &'s [IntegrationSource]) -> Share<&'s IntegrationSource> {
        match self.shard {
            Some(shard) => {
                select_share(shard, integration::integration_weights(sources).into_iter().zip(sources))
            }
            None => Share { items: sources.iter().collect(), share_description: None },
        }
    }

    /// Returns this machine's share of items that each need the same work.
    pub(super) fn share_equally<T>(&self, items: Vec<T>) -> Share<T> {
        match self.shard {
            Some(shard) => {
                select_share(shard, items.into_iter().map(|item| (integration::REQUEST_WEIGHT, item)))
            }
            None => Share { items, share_description: None },
        }
    }
}

/// Returns the items of a shard. Logs their number, so that users can see why a machine with an empty share does nothing.
fn select_share<T>(shard: Shard, items: impl ExactSizeIterator<Item = (u64, T)>) -> Share<T> {
    let all = pluralize(items.len(), "integration");
    let items = shard.select(items);
    let share_description = format!("shard {shard} has {} of {all}", items.len());
    tracing::info!("{share_description}");
    Share { items, share_description: Some(share_description) }
}
