//! `GITBOOK_SHARD`: how work is divided among machines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use super::value::Value;

/// GitHub starts no more than this many jobs from one matrix.
const MOST_SHARES: u64 = 256;

/// This machine's share of the integrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which share, from 1.
    pub index: usize,
    /// How many shares there are.
    pub total: usize,
}

impl Shard {
    /// The items that fall to this share, in the order in which they come. Each comes with how much work it is, and
    /// falls to exactly one of the shares, as every machine finds out for itself.
    pub(crate) fn of<T>(self, items: impl IntoIterator<Item = (u64, T)>) -> Vec<T> {
        let (weights, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let shares = divided(&weights, self.total);
        items
            .into_iter()
            .zip(shares)
            .filter(|(_, share)| share + 1 == self.index)
            .map(|(item, _)| item)
            .collect()
    }
}

/// The share, from 0, that each of several weights falls to: the heaviest first, each to the share that has least so far.
/// What is equal falls to one share after the other. No share has more than its part of the whole and one item.
fn divided(weights: &[u64], total: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..weights.len()).collect();
    order.sort_by_key(|&item| (Reverse(weights[item]), item));
    // More shares than items have nothing, and need not be counted.
    let mut loads: BinaryHeap<_> =
        (0..total.min(weights.len())).map(|share| Reverse((0_u64, share))).collect();
    let mut shares = vec![0; weights.len()];
    for item in order {
        if let Some(Reverse((load, share))) = loads.pop() {
            shares[item] = share;
            // What weighs nothing has to go on to the next one, too.
            loads.push(Reverse((load.saturating_add(weights[item].max(1)), share)));
        }
    }
    shares
}

/// How many shares are worth their machines, none of them empty: the fewest with which all is done hardly later than with
/// as many as there may be. `start` is how much work could be done in the time that a machine takes to start.
pub(crate) fn shares_worth(weights: &[u64], start: u64) -> usize {
    let sum = weights.iter().fold(0_u64, |sum, weight| sum.saturating_add(*weight));
    let heaviest = weights.iter().copied().max().unwrap_or(0);
    let time = |shares: u64| start.saturating_add(heaviest.max(sum.div_ceil(shares)));
    let most = u64::try_from(weights.len()).map_or(MOST_SHARES, |count| count.min(MOST_SHARES));
    // A tenth is hardly.
    let fewest = (1..=most).find(|&shares| time(shares) <= time(most).saturating_add(time(most) / 10));
    fewest.and_then(|shares| usize::try_from(shares).ok()).unwrap_or(0)
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

impl Value for Shard {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let parsed = text.split_once('/').and_then(|(index, total)| Some((number(index)?, number(total)?)));
        match parsed {
            None => Err(("not a share".to_owned(), None)),
            Some((0, _)) => Err(("not a share: they are counted from 1".to_owned(), None)),
            Some((index, total)) if index > total => {
                Err((format!("not a share: of {total}, there is no share {index}"), None))
            }
            Some((index, total)) => Ok(Self { index, total }),
        }
    }

    fn accepted() -> String {
        "`2/8` for the second of eight".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Shard, divided, shares_worth};
    use crate::config::value::Value as _;

    fn shares(weights: &[u64], total: usize) -> Vec<Vec<usize>> {
        let items = || weights.iter().copied().zip(0..);
        (1..=total).map(|index| Shard { index, total }.of(items())).collect()
    }

    #[test]
    fn the_heaviest_come_first_and_the_order_stays() {
        assert_eq!(shares(&[1, 1, 1, 1, 1], 2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(shares(&[1, 2, 3, 6], 2), [vec![3], vec![0, 1, 2]]);
        assert_eq!(shares(&[3, 3, 2, 2, 2], 2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(shares(&[7], 3), [vec![0], vec![], vec![]]);
        assert_eq!(shares(&[0, 0], 2), [[0], [1]]);
        assert_eq!(divided(&[], 3), [0; 0]);
        let last = Shard { index: usize::MAX, total: usize::MAX };
        assert_eq!(last.of([(1, 'a')]), [' '; 0]);
    }

    #[test]
    fn a_plan_starts_no_machine_that_is_not_worth_it() {
        let equal = |count: usize| shares_worth(&vec![10; count], 640);
        assert_eq!([0, 1, 7, 8, 100, 10_000].map(equal), [0, 1, 1, 2, 14, 203]);
        assert_eq!(equal(1_000_000), 233);
        // However many there are, the heaviest takes as long as it takes.
        assert_eq!(shares_worth(&[1000, 10, 10, 10], 0), 1);
        assert_eq!(shares_worth(&[1000, 1000, 10, 10], 0), 2);
        assert_eq!(shares_worth(&[1; 1000], 0), 250);
        assert_eq!(shares_worth(&[u64::MAX, u64::MAX], 1), 1);
    }

    proptest! {
        #[test]
        fn every_item_is_in_exactly_one_share(weights in prop::collection::vec(0..1_000_000_u64, 0..60), total in 1..70_usize) {
            let mut all = shares(&weights, total).concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..weights.len()).collect::<Vec<_>>());
        }

        #[test]
        fn no_share_has_more_than_its_part_and_one_item(weights in prop::collection::vec(1..1_000_000_u64, 1..60), total in 1..70_usize) {
            let load = |share: &Vec<usize>| share.iter().map(|&item| weights[item]).sum::<u64>();
            let loads: Vec<_> = shares(&weights, total).iter().map(load).collect();
            let (least, most) = (*loads.iter().min().unwrap(), *loads.iter().max().unwrap());
            prop_assert!(most - least <= *weights.iter().max().unwrap(), "{:?}", loads);
            // As few have nothing as can be.
            prop_assert_eq!(loads.iter().filter(|load| **load > 0).count(), total.min(weights.len()));
        }

        #[test]
        fn the_order_of_the_items_changes_no_load(weights in prop::collection::vec(0..50_u64, 1..60), total in 1..20_usize, seed in any::<u64>()) {
            let mut others = weights.clone();
            others.sort_by_key(|weight| weight.wrapping_mul(seed | 1));
            let loads = |weights: &[u64]| -> Vec<u64> {
                shares(weights, total).iter().map(|share| share.iter().map(|&item| weights[item]).sum()).collect()
            };
            prop_assert_eq!(loads(&weights), loads(&others));
        }

        #[test]
        fn a_plan_has_no_empty_share(weights in prop::collection::vec(1..1_000_000_u64, 0..40), start in 0..10_000_000_u64) {
            let total = shares_worth(&weights, start);
            prop_assert!(total <= weights.len().min(256));
            prop_assert_eq!(total == 0, weights.is_empty());
            let shares = divided(&weights, total);
            prop_assert!((0..total).all(|share| shares.contains(&share)));
        }

        #[test]
        fn a_share_is_read_as_it_is_shown(total in 1..8_usize, index in 1..8_usize) {
            let text = format!("{index}/{total}");
            let parsed = Shard::parse(&text).ok();
            prop_assert_eq!(parsed, (index <= total).then_some(Shard { index, total }));
            prop_assert_eq!(parsed.map(|shard| shard.to_string()), (index <= total).then_some(text));
        }
    }
}
