//! Integrations that somebody made by hand, most of which no sweep may touch.

use serde_json::{Value, json};

use super::model::{Holder, Maker, OUR_ID, OURS, Preview, Rule};
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

/// What somebody else's integration looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unmarked,
    OtherRepository,
    OtherHost,
    OtherId,
    OtherOwnersCase,
    FormerName,
    OtherOrganization,
    OtherBranch,
    OtherName,
    Public,
    WithoutVisibility,
    ProductionName,
    HalfAMark,
    MarkWithTwoBranches,
    MarkWithoutEnd,
    MarkNotAtTheEnd,
    /// The name tells pull requests apart, and the mark names none.
    WithoutNumber,
    /// The name does not tell pull requests apart, and the mark names one all the same.
    WithNumber,
    /// A copy of a preview of ours that nothing tells from one.
    Copy,
    /// The same, by a later version of the program.
    LaterVersion,
}

impl Kind {
    pub(super) const ALL: [Self; 20] = [
        Self::Unmarked,
        Self::OtherRepository,
        Self::OtherHost,
        Self::OtherId,
        Self::OtherOwnersCase,
        Self::FormerName,
        Self::OtherOrganization,
        Self::OtherBranch,
        Self::OtherName,
        Self::Public,
        Self::WithoutVisibility,
        Self::ProductionName,
        Self::HalfAMark,
        Self::MarkWithTwoBranches,
        Self::MarkWithoutEnd,
        Self::MarkNotAtTheEnd,
        Self::WithoutNumber,
        Self::WithNumber,
        Self::Copy,
        Self::LaterVersion,
    ];
}

/// An integration as the API tells it, and what is to be expected of it.
pub(super) struct Stranger {
    pub(super) record: Value,
    pub(super) holder: Holder,
}

/// The stranger that looks like the preview of `integration` that `preview` is, but for its kind; `None` where there
/// can be none of this kind. `any_number` is of some pull request.
pub(super) fn stranger(
    kind: Kind,
    integration: &str,
    preview: &Preview,
    text: &str,
    any_number: Option<u64>,
) -> Option<Stranger> {
    let template: Template = text.parse().ok()?;
    let (numbered, head) = (preview.number.is_some(), preview.head.clone());
    let mut name = template.name(integration, &Branch::new(&head), preview.number);
    let (repository, repository_id, whose) = repository(kind);
    let mut mark = OwnershipMarker {
        integration: integration.to_owned(),
        repository,
        repository_id,
        branch: head,
        pull_request: preview.number,
        commit: "c0ffee".to_owned(),
        run: 1,
        counter: String::new(),
        hash: "00".to_owned(),
        script_bytes: Some(58),
    };
    let (mut owner, mut visibility, mut rule) = ("acme", json!("private"), Rule::Ignored);
    let misnamed = Rule::Kept("its name is not what");
    match kind {
        Kind::OtherOrganization => owner = "other",
        Kind::OtherBranch => {
            mark.branch = "elsewhere".to_owned();
            // The name need not tell branches apart where it tells pull requests apart.
            rule = if text == "{name}-pr{pr}" { Rule::Follows(preview.clone()) } else { misnamed };
        }
        Kind::OtherName => (name, rule) = (format!("stray-{name}"), misnamed),
        Kind::Public => (visibility, rule) = (json!("public"), Rule::Kept("is public")),
        Kind::WithoutVisibility => (visibility, rule) = (Value::Null, Rule::Kept("is public")),
        Kind::ProductionName => {
            (name, mark.integration, mark.branch) =
                ("hello-a".to_owned(), "hello".to_owned(), "a".to_owned());
            rule = if text == "{name}-{branch}" { Rule::Follows(preview.clone()) } else { misnamed };
        }
        Kind::WithoutNumber if numbered => {
            mark.pull_request = None;
            (name, rule) = (template.name(integration, &Branch::new(&preview.head), None), misnamed);
        }
        Kind::WithNumber if !numbered => {
            mark.pull_request = Some(any_number?);
            rule = Rule::Follows(preview.clone());
        }
        Kind::Copy | Kind::OtherOwnersCase | Kind::FormerName => rule = Rule::Follows(preview.clone()),
        Kind::LaterVersion => {
            (visibility, rule) = (json!("unlisted"), Rule::Follows(preview.clone()));
        }
        Kind::WithoutNumber | Kind::WithNumber => return None,
        Kind::OtherRepository
        | Kind::OtherHost
        | Kind::OtherId
        | Kind::Unmarked
        | Kind::HalfAMark
        | Kind::MarkWithTwoBranches
        | Kind::MarkWithoutEnd
        | Kind::MarkNotAtTheEnd => {}
    }
    let is_public = visibility.is_null() || visibility == "public";
    let (summary, marked) = summary(kind, &mark);
    let OwnershipMarker { integration, branch: head, .. } = mark;
    let maker = marked.then_some(Maker { repository: whose, integration, head });
    let record = record(&name, &summary, &visibility, owner);
    Some(Stranger { record, holder: Holder { name, maker, rule, is_public } })
}

fn record(name: &str, summary: &str, visibility: &Value, owner: &str) -> Value {
    json!({
        "object": "integration", "name": name, "version": 7, "title": "Theirs", "summary": summary,
        "visibility": visibility, "owner": {"object": "organization", "id": owner},
    })
}

/// The repository in a mark, its id, and the one that it really is.
fn repository(kind: Kind) -> (String, Option<u64>, String) {
    let ours = || OURS.to_owned();
    let by_name = |name: String| (name.clone(), None, name);
    match kind {
        Kind::OtherRepository => by_name(format!("{OURS}-too")),
        Kind::OtherHost => by_name(OURS.replace("github.com", "git.example.com")),
        Kind::OtherId => (ours(), Some(OUR_ID + 1), format!("{OURS} of another id")),
        Kind::OtherOwnersCase => (OURS.replace("acme", "Acme"), None, ours()),
        Kind::FormerName => (OURS.replace("integrations", "former"), Some(OUR_ID), ours()),
        _ => by_name(ours()),
    }
}

/// The summary with a mark, and whether that is a whole one.
fn summary(kind: Kind, mark: &OwnershipMarker) -> (String, bool) {
    let text = mark.to_string();
    match kind {
        Kind::Unmarked => ("Ours, and made by hand.".to_owned(), false),
        Kind::HalfAMark => (text.replace(" repository=", " depository="), false),
        Kind::MarkWithTwoBranches => (text.replace(" branch=", " branch=x branch="), false),
        Kind::MarkWithoutEnd => (text.trim_end_matches(" -->").to_owned(), false),
        Kind::MarkNotAtTheEnd => (format!("{text}\n\nThat is what a mark looks like."), false),
        Kind::LaterVersion => (text.replace(" hash=", " later=yes hash="), true),
        _ => (format!("Hello.\n\n{text}"), true),
    }
}
