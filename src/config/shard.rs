//! `GITBOOK_SHARD`.

use std::fmt;

use super::value::Value;

/// This machine's share of the integrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which share, from 1.
    pub index: usize,
    /// How many shares there are.
    pub total: usize,
}

impl Shard {
    /// The items that fall to this share.
    pub(crate) fn of<T>(self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        items.into_iter().skip(self.index - 1).step_by(self.total).collect()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

impl Value for Shard {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let parsed = text.split_once('/').and_then(|(index, total)| {
            let shard = Self { index: index.trim().parse().ok()?, total: total.trim().parse().ok()? };
            (1..=shard.total).contains(&shard.index).then_some(shard)
        });
        parsed.ok_or_else(|| ("not a share".to_owned(), None))
    }

    fn accepted() -> String {
        "`2/8` for the second of eight".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;
    use crate::config::value::Value as _;

    fn check(text: &str, expected: &str) {
        let shard = Shard::parse(text).unwrap();
        assert_eq!(shard.of("abcdefg".chars()).into_iter().collect::<String>(), expected, "{text}");
        assert_eq!(shard.to_string(), text);
    }

    #[test]
    fn the_shares_are_all_there_is_and_each_once() {
        check("1/1", "abcdefg");
        check("1/3", "adg");
        check("2/3", "be");
        check("3/3", "cf");
        check("8/8", "");
    }
}
