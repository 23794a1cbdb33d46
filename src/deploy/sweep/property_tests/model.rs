//! What is open, and what is there because of it: kept by itself, so that the program is not asked about itself.

use std::collections::{BTreeMap, BTreeSet};

/// The repository that is swept.
pub(super) const OURS: &str = "github.com/acme/integrations";

/// The forge's id of it.
pub(super) const OUR_ID: u64 = 17;

/// How the manifests write the names of integrations. Case does not count.
pub(super) const PRODUCTION: [&str; 2] = ["Hello", "HELLO-A"];

/// The most that a sweep may delete.
const MOST: usize = 50;

/// Where everything stands.
#[derive(Default)]
pub(super) struct Model {
    /// The branches of the repository itself, but for the default one.
    pub(super) branches: BTreeSet<String>,
    /// All pull requests there ever were; the first is number 1.
    pub(super) pulls: Vec<Pull>,
    /// All integrations, by name.
    pub(super) holders: BTreeMap<String, Holder>,
}

pub(super) struct Pull {
    pub(super) history: usize,
    pub(super) head: String,
    pub(super) open: bool,
    pub(super) merged: bool,
    pub(super) fork_is_gone: bool,
}

/// What stands under a name.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) name: String,
    /// Whose preview its mark says it is.
    pub(super) maker: Option<Maker>,
    pub(super) rule: Rule,
    /// Whether nobody may change it although it has our mark.
    pub(super) is_public: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Maker {
    pub(super) repository: String,
    pub(super) integration: String,
    pub(super) head: String,
}

/// What a sweep has to do with it.
#[derive(Clone)]
pub(super) enum Rule {
    /// It stays as long as what it is the preview of is open.
    Follows(Preview),
    /// It stays, and the sweep says why.
    Kept(&'static str),
    /// It stays, and the sweep need not know of it.
    Ignored,
}

/// A branch's preview; a pull request's where the name has its number.
#[derive(Clone)]
pub(super) struct Preview {
    pub(super) head: String,
    pub(super) number: Option<u64>,
}

/// What a sweep should say of an integration.
pub(super) struct Expected {
    pub(super) name: String,
    pub(super) word: &'static str,
    /// What its note holds.
    pub(super) why: String,
    pub(super) is_open: bool,
}

impl Model {
    /// The numbers of a history's pull requests.
    pub(super) fn numbers(&self, history: usize) -> Vec<u64> {
        (1..).zip(&self.pulls).filter(|(_, pull)| pull.history == history).map(|(n, _)| n).collect()
    }

    /// The numbers of the open pull requests from a branch.
    pub(super) fn open_from(&self, head: &str) -> Vec<u64> {
        (1..).zip(&self.pulls).filter(|(_, pull)| pull.open && pull.head == head).map(|(n, _)| n).collect()
    }

    /// Nothing comes from a branch of the repository itself any more.
    pub(super) fn close_from(&mut self, head: &str) {
        self.pulls.iter_mut().filter(|pull| pull.head == head).for_each(|pull| pull.open = false);
    }

    /// An integration stands there from now on. One that could be a preview by its mark, and has the name of an
    /// integration itself, is none.
    pub(super) fn put(&mut self, holder: Holder) {
        let Holder { name, rule, .. } = &holder;
        let is_production = PRODUCTION.iter().any(|production| production.to_lowercase() == *name);
        let rule = match rule {
            Rule::Follows(_) | Rule::Kept("is public") if is_production => {
                Rule::Kept("has the name of an integration itself")
            }
            rule => rule.clone(),
        };
        self.holders.insert(name.clone(), Holder { rule, ..holder.clone() });
    }

    fn is_open(&self, preview: &Preview) -> bool {
        let Preview { head, number } = preview;
        match number {
            Some(number) => (1..).zip(&self.pulls).any(|(known, pull)| known == *number && pull.open),
            None if head.contains(':') => !self.open_from(head).is_empty(),
            None => self.branches.contains(head),
        }
    }

    /// What a sweep should say, in this order.
    pub(super) fn expected(&self, dry: bool) -> Vec<Expected> {
        let mut room = MOST;
        let mut expected = Vec::new();
        for (name, Holder { rule, .. }) in &self.holders {
            let (word, why, is_open) = match rule {
                Rule::Ignored => continue,
                Rule::Kept(why) => ("skipped", (*why).to_owned(), false),
                Rule::Follows(preview) if self.is_open(preview) => {
                    ("skipped", format!("{} is open", told(preview)), true)
                }
                Rule::Follows(_) if room == 0 => ("skipped", format!("{MOST} deletions"), false),
                Rule::Follows(preview) => {
                    room -= 1;
                    let gone = if preview.number.is_some() { "closed" } else { "gone" };
                    let word = if dry { "checked" } else { "deleted" };
                    (word, format!("{} is {gone}", told(preview)), false)
                }
            };
            expected.push(Expected { name: name.clone(), word, why, is_open });
        }
        expected
    }
}

fn told(preview: &Preview) -> String {
    match preview.number {
        Some(number) => format!("pull request #{number}"),
        None => format!("`{}`", preview.head),
    }
}
