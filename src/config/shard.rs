//! Parses `GITBOOK_SHARD` and divides the integrations among machines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use super::from_variable::{FromVariable, InvalidValue};

/// The maximum number of jobs that GitHub starts from one matrix.
const MAX_SHARDS: u64 = 256;

/// One machine's share of the integrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// The number of this shard, from 1.
    pub index: usize,
    /// The total number of shards.
    pub total: usize,
}

impl Shard {
    /// Returns the items of this shard in the original order. Each pair consists of an item and its weight, which is the amount
    /// of work.
    ///
    /// The result depends only on the weights and their order, so all machines agree without communicating.
    pub(crate) fn select<T>(self, items: impl IntoIterator<Item = (u64, T)>) -> Vec<T> {
        let (weights, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let shards = assign_shards(&weights, self.total);
        items
            .into_iter()
            .zip(shards)
            .filter(|(_, shard)| shard + 1 == self.index)
            .map(|(item, _)| item)
            .collect()
    }
}

/// Returns the shard of each weight, as a number from 0.
///
/// Assigns the weights from the heaviest to the lightest, each to the shard with the least work so far. Therefore no shard has
/// more work than an equal share plus one item.
fn assign_shards(weights: &[u64], total: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..weights.len()).collect();
    order.sort_by_key(|&item| (Reverse(weights[item]), item));
    // Shards beyond the number of items stay empty, so they are not allocated: `total` may be huge.
    let mut loads: BinaryHeap<_> =
        (0..total.min(weights.len())).map(|shard| Reverse((0_u64, shard))).collect();
    let mut shards = vec![0; weights.len()];
    for item in order {
        if let Some(Reverse((load, shard))) = loads.pop() {
            shards[item] = shard;
            // A weight of zero counts as one. Otherwise all items without weight would go to the same shard.
            loads.push(Reverse((load.saturating_add(weights[item].max(1)), shard)));
        }
    }
    shards
}

/// Returns the smallest number of shards with which a run takes at most 10 % longer than with the maximum number of shards. No
/// shard is empty.
///
/// `start_cost` is the amount of work that takes as long as starting a machine.
pub(crate) fn recommended_shard_count(weights: &[u64], start_cost: u64) -> usize {
    let sum = weights.iter().fold(0_u64, |sum, weight| sum.saturating_add(*weight));
    let heaviest = weights.iter().copied().max().unwrap_or(0);
    let time = |shards: u64| start_cost.saturating_add(heaviest.max(sum.div_ceil(shards)));
    let max = u64::try_from(weights.len()).map_or(MAX_SHARDS, |count| count.min(MAX_SHARDS));
    let smallest = (1..=max).find(|&shards| time(shards) <= time(max).saturating_add(time(max) / 10));
    smallest.and_then(|shards| usize::try_from(shards).ok()).unwrap_or(0)
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

impl FromVariable for Shard {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let parsed = text.split_once('/').and_then(|(index, total)| Some((number(index)?, number(total)?)));
        match parsed {
            None => Err("invalid shard".into()),
            Some((0, _)) => Err("shard 0 does not exist; shards are numbered from 1".into()),
            Some((index, total)) if index > total => {
                Err(format!("shard {index} does not exist; the total is {total}").into())
            }
            Some((index, total)) => Ok(Self { index, total }),
        }
    }

    fn hint() -> String {
        "use a number and a total, such as `2/8` for the second of eight shards".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Shard, assign_shards, recommended_shard_count};
    use crate::config::from_variable::FromVariable as _;

    /// Returns the positions of the items in each shard.
    fn items_by_shard(weights: &[u64], total: usize) -> Vec<Vec<usize>> {
        let items = || weights.iter().copied().zip(0..);
        (1..=total).map(|index| Shard { index, total }.select(items())).collect()
    }

    #[test]
    fn balances_the_weights_and_keeps_the_order() {
        assert_eq!(items_by_shard(&[1, 1, 1, 1, 1], 2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(items_by_shard(&[1, 2, 3, 6], 2), [vec![3], vec![0, 1, 2]]);
        assert_eq!(items_by_shard(&[3, 3, 2, 2, 2], 2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(items_by_shard(&[7], 3), [vec![0], vec![], vec![]]);
        assert_eq!(items_by_shard(&[0, 0], 2), [[0], [1]]);
        assert_eq!(assign_shards(&[], 3), [0; 0]);
        let last = Shard { index: usize::MAX, total: usize::MAX };
        assert_eq!(last.select([(1, 'a')]), [' '; 0]);
    }

    #[test]
    fn recommends_more_shards_only_if_they_save_time() {
        let equal = |count: usize| recommended_shard_count(&vec![10; count], 640);
        assert_eq!([0, 1, 7, 8, 100, 10_000].map(equal), [0, 1, 1, 2, 14, 203]);
        assert_eq!(equal(1_000_000), 233);
        // The heaviest item takes the same time with more shards.
        assert_eq!(recommended_shard_count(&[1000, 10, 10, 10], 0), 1);
        assert_eq!(recommended_shard_count(&[1000, 1000, 10, 10], 0), 2);
        assert_eq!(recommended_shard_count(&[1; 1000], 0), 250);
        assert_eq!(recommended_shard_count(&[u64::MAX, u64::MAX], 1), 1);
    }

    proptest! {
        #[test]
        fn every_item_is_in_exactly_one_shard(weights in prop::collection::vec(0..1_000_000_u64, 0..60), total in 1..70_usize) {
            let mut all = items_by_shard(&weights, total).concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..weights.len()).collect::<Vec<_>>());
        }

        #[test]
        fn loads_differ_by_at_most_one_item(weights in prop::collection::vec(1..1_000_000_u64, 1..60), total in 1..70_usize) {
            let load = |shard: &Vec<usize>| shard.iter().map(|&item| weights[item]).sum::<u64>();
            let loads: Vec<_> = items_by_shard(&weights, total).iter().map(load).collect();
            let (min, max) = (*loads.iter().min().unwrap(), *loads.iter().max().unwrap());
            prop_assert!(max - min <= *weights.iter().max().unwrap(), "{:?}", loads);
            // If there are enough items, no shard is empty.
            prop_assert_eq!(loads.iter().filter(|load| **load > 0).count(), total.min(weights.len()));
        }

        #[test]
        fn loads_do_not_depend_on_the_order_of_the_items(weights in prop::collection::vec(0..50_u64, 1..60), total in 1..20_usize, seed in any::<u64>()) {
            let mut reordered = weights.clone();
            reordered.sort_by_key(|weight| weight.wrapping_mul(seed | 1));
            let loads = |weights: &[u64]| -> Vec<u64> {
                items_by_shard(weights, total).iter().map(|shard| shard.iter().map(|&item| weights[item]).sum()).collect()
            };
            prop_assert_eq!(loads(&weights), loads(&reordered));
        }

        #[test]
        fn useful_shards_are_not_empty(weights in prop::collection::vec(1..1_000_000_u64, 0..40), start in 0..10_000_000_u64) {
            let total = recommended_shard_count(&weights, start);
            prop_assert!(total <= weights.len().min(256));
            prop_assert_eq!(total == 0, weights.is_empty());
            let shards = assign_shards(&weights, total);
            prop_assert!((0..total).all(|shard| shards.contains(&shard)));
        }

        #[test]
        fn parses_its_own_display_format(total in 1..8_usize, index in 1..8_usize) {
            let text = format!("{index}/{total}");
            let parsed = Shard::parse(&text).ok();
            prop_assert_eq!(parsed, (index <= total).then_some(Shard { index, total }));
            prop_assert_eq!(parsed.map(|shard| shard.to_string()), (index <= total).then_some(text));
        }
    }
}
