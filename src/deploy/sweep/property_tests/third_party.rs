//! Integrations of third parties that resemble previews. A sweep must not change most of them.

use serde_json::{Value, json};

use super::model::{MarkerOwner, ModelIntegration, OUR_ID, OURS, Preview, Treatment};
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

/// The way in which a third party's integration differs from a preview of this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThirdPartyKind {
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
    IncompleteMarker,
    MarkerWithTwoBranches,
    MarkerWithoutEnd,
    MarkerNotAtTheEnd,
    /// The name contains a pull request, but the marker does not.
    WithoutNumber,
    /// The marker contains a pull request, but the name does not.
    WithNumber,
    /// The integration is an exact copy of a preview.
    Copy,
    /// The integration is a copy of a preview, with a marker from a later version of the program.
    LaterVersion,
}

impl ThirdPartyKind {
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
        Self::IncompleteMarker,
        Self::MarkerWithTwoBranches,
        Self::MarkerWithoutEnd,
        Self::MarkerNotAtTheEnd,
        Self::WithoutNumber,
        Self::WithNumber,
        Self::Copy,
        Self::LaterVersion,
    ];
}

/// An integration of a third party: its file content and its model.
pub(super) struct ThirdPartyIntegration {
    pub(super) record: Value,
    pub(super) integration: ModelIntegration,
}

/// Returns a preview's marker with the repository of the given kind, and the repository that this marker stands for.
fn marker(kind: ThirdPartyKind, integration: &str, preview: &Preview) -> (OwnershipMarker, String) {
    let (repository, repository_id, actual_repository) = repository(kind);
    let marker = OwnershipMarker {
        integration: integration.to_owned(),
        repository,
        repository_id,
        branch: preview.head.clone(),
        pull_request: preview.number,
        commit: "c0ffee".to_owned(),
        run: 1,
        counter: String::new(),
        hash: "00".to_owned(),
        script_bytes: Some(58),
    };
    (marker, actual_repository)
}

/// Returns a third party's integration that resembles a preview of `integration`, or `None` if the kind does not fit the template.
/// `any_number` is the number of some pull request.
pub(super) fn third_party_integration(
    kind: ThirdPartyKind,
    integration: &str,
    preview: &Preview,
    text: &str,
    any_number: Option<u64>,
) -> Option<ThirdPartyIntegration> {
    let template: Template = text.parse().ok()?;
    let numbered = preview.number.is_some();
    let mut name = template.name(integration, &Branch::new(&preview.head), preview.number);
    let (mut marker, actual_repository) = marker(kind, integration, preview);
    let (mut owner, mut visibility, mut treatment) = ("acme", json!("private"), Treatment::Ignored);
    let wrong_name = Treatment::Kept("its name does not match");
    match kind {
        ThirdPartyKind::OtherOrganization => owner = "other",
        ThirdPartyKind::OtherBranch => {
            marker.branch = "elsewhere".to_owned();
            // With this template, the name does not contain the branch, so the other branch is not detected.
            treatment =
                if text == "{name}-pr{pr}" { Treatment::Follows(preview.clone()) } else { wrong_name };
        }
        ThirdPartyKind::OtherName => (name, treatment) = (format!("stray-{name}"), wrong_name),
        ThirdPartyKind::Public => (visibility, treatment) = (json!("public"), Treatment::Kept("is public")),
        ThirdPartyKind::WithoutVisibility => {
            (visibility, treatment) = (Value::Null, Treatment::Kept("is public"));
        }
        ThirdPartyKind::ProductionName => {
            (name, marker.integration, marker.branch) =
                ("hello-a".to_owned(), "hello".to_owned(), "a".to_owned());
            treatment =
                if text == "{name}-{branch}" { Treatment::Follows(preview.clone()) } else { wrong_name };
        }
        ThirdPartyKind::WithoutNumber if numbered => {
            marker.pull_request = None;
            (name, treatment) = (template.name(integration, &Branch::new(&preview.head), None), wrong_name);
        }
        ThirdPartyKind::WithNumber if !numbered => {
            marker.pull_request = Some(any_number?);
            treatment = Treatment::Follows(preview.clone());
        }
        ThirdPartyKind::Copy | ThirdPartyKind::OtherOwnersCase | ThirdPartyKind::FormerName => {
            treatment = Treatment::Follows(preview.clone());
        }
        ThirdPartyKind::LaterVersion => {
            (visibility, treatment) = (json!("unlisted"), Treatment::Follows(preview.clone()));
        }
        ThirdPartyKind::WithoutNumber | ThirdPartyKind::WithNumber => return None,
        ThirdPartyKind::OtherRepository
        | ThirdPartyKind::OtherHost
        | ThirdPartyKind::OtherId
        | ThirdPartyKind::Unmarked
        | ThirdPartyKind::IncompleteMarker
        | ThirdPartyKind::MarkerWithTwoBranches
        | ThirdPartyKind::MarkerWithoutEnd
        | ThirdPartyKind::MarkerNotAtTheEnd => {}
    }
    let is_public = visibility.is_null() || visibility == "public";
    let (summary, marked) = summary(kind, &marker);
    let OwnershipMarker { integration, branch: head, .. } = marker;
    let owner_in_marker = marked.then_some(MarkerOwner { repository: actual_repository, integration, head });
    let record = record(&name, &summary, &visibility, owner);
    Some(ThirdPartyIntegration {
        record,
        integration: ModelIntegration { name, owner_in_marker, treatment, is_public },
    })
}

fn record(name: &str, summary: &str, visibility: &Value, owner: &str) -> Value {
    json!({
        "object": "integration", "name": name, "version": 7, "title": "Theirs", "summary": summary,
        "visibility": visibility, "owner": {"object": "organization", "id": owner},
    })
}

/// Returns the repository name and ID for the marker of a kind, and the repository that they stand for.
fn repository(kind: ThirdPartyKind) -> (String, Option<u64>, String) {
    let own = || OURS.to_owned();
    let by_name = |name: String| (name.clone(), None, name);
    match kind {
        ThirdPartyKind::OtherRepository => by_name(format!("{OURS}-too")),
        ThirdPartyKind::OtherHost => by_name(OURS.replace("github.com", "git.example.com")),
        ThirdPartyKind::OtherId => (own(), Some(OUR_ID + 1), format!("{OURS} of another id")),
        ThirdPartyKind::OtherOwnersCase => (OURS.replace("acme", "Acme"), None, own()),
        ThirdPartyKind::FormerName => (OURS.replace("integrations", "former"), Some(OUR_ID), own()),
        _ => by_name(own()),
    }
}

/// Returns the summary that contains a marker in the form of a kind, and true if the marker is valid.
fn summary(kind: ThirdPartyKind, marker: &OwnershipMarker) -> (String, bool) {
    let text = marker.to_string();
    match kind {
        ThirdPartyKind::Unmarked => ("Ours, and made by hand.".to_owned(), false),
        ThirdPartyKind::IncompleteMarker => (text.replace(" repository=", " depository="), false),
        ThirdPartyKind::MarkerWithTwoBranches => (text.replace(" branch=", " branch=x branch="), false),
        ThirdPartyKind::MarkerWithoutEnd => (text.trim_end_matches(" -->").to_owned(), false),
        ThirdPartyKind::MarkerNotAtTheEnd => (format!("{text}\n\nThat is what a marker looks like."), false),
        ThirdPartyKind::LaterVersion => (text.replace(" hash=", " later=yes hash="), true),
        _ => (format!("Hello.\n\n{text}"), true),
    }
}
