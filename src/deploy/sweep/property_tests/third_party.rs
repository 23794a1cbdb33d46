//! Integrations of third parties that resemble previews. A sweep must not change most of them.

use serde_json::{Value, json};

use super::model::ExpectedAction::{DeleteIfClosed, Ignore, Keep};
use super::model::{MarkerOwner, ModelIntegration, OUR_REPOSITORY, OUR_REPOSITORY_ID, Preview};
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

/// The way in which a third party's integration differs from a preview of this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThirdPartyKind {
    Unmarked,
    OtherRepository,
    OtherHost,
    OtherRepositoryId,
    OwnerInOtherCase,
    FormerRepositoryName,
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
    /// The template contains `{pr}`, but neither the name nor the marker contains a number.
    NameWithoutNumber,
    /// The marker contains a pull request number, but the name does not.
    MarkerWithNumber,
    /// The integration is an exact copy of a preview.
    Copy,
    /// The integration is a copy of a preview, with a marker from a later version of the program.
    MarkerFromLaterVersion,
}

impl ThirdPartyKind {
    pub(super) const ALL: [Self; 20] = [
        Self::Unmarked,
        Self::OtherRepository,
        Self::OtherHost,
        Self::OtherRepositoryId,
        Self::OwnerInOtherCase,
        Self::FormerRepositoryName,
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
        Self::NameWithoutNumber,
        Self::MarkerWithNumber,
        Self::Copy,
        Self::MarkerFromLaterVersion,
    ];
}

/// An integration of a third party: the content of its file in the sandbox, and the model of the integration.
pub(super) struct ThirdPartyIntegration {
    pub(super) record: Value,
    pub(super) integration: ModelIntegration,
}

/// Returns a marker with the repository that a kind requires, and the repository that the marker must be assigned to.
fn marker_for(kind: ThirdPartyKind, integration: &str, preview: &Preview) -> (OwnershipMarker, String) {
    let (repository, repository_id, actual_repository) = repository_for(kind);
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
    template_text: &str,
    any_number: Option<u64>,
) -> Option<ThirdPartyIntegration> {
    let template: Template = template_text.parse().ok()?;
    let numbered = preview.number.is_some();
    let mut name = template.name(integration, &Branch::new(&preview.head), preview.number);
    let (mut marker, actual_repository) = marker_for(kind, integration, preview);
    let (mut owner, mut visibility, mut action) = ("acme", json!("private"), Ignore);
    let wrong_name = Keep("its name does not match");
    match kind {
        ThirdPartyKind::OtherOrganization => owner = "other",
        ThirdPartyKind::OtherBranch => {
            marker.branch = "elsewhere".to_owned();
            // With this template, the name does not contain the branch, so the other branch is not detected.
            action =
                if template_text == "{name}-pr{pr}" { DeleteIfClosed(preview.clone()) } else { wrong_name };
        }
        ThirdPartyKind::OtherName => (name, action) = (format!("stray-{name}"), wrong_name),
        ThirdPartyKind::Public => {
            (visibility, action) = (json!("public"), Keep("is public"));
        }
        ThirdPartyKind::WithoutVisibility => {
            (visibility, action) = (Value::Null, Keep("visibility is unknown"));
        }
        ThirdPartyKind::ProductionName => {
            (name, marker.integration, marker.branch) =
                ("hello-a".to_owned(), "hello".to_owned(), "a".to_owned());
            action =
                if template_text == "{name}-{branch}" { DeleteIfClosed(preview.clone()) } else { wrong_name };
        }
        ThirdPartyKind::NameWithoutNumber if numbered => {
            marker.pull_request = None;
            (name, action) = (template.name(integration, &Branch::new(&preview.head), None), wrong_name);
        }
        ThirdPartyKind::MarkerWithNumber if !numbered => {
            marker.pull_request = Some(any_number?);
            action = DeleteIfClosed(preview.clone());
        }
        ThirdPartyKind::Copy | ThirdPartyKind::OwnerInOtherCase | ThirdPartyKind::FormerRepositoryName => {
            action = DeleteIfClosed(preview.clone());
        }
        ThirdPartyKind::MarkerFromLaterVersion => {
            (visibility, action) = (json!("unlisted"), DeleteIfClosed(preview.clone()));
        }
        ThirdPartyKind::NameWithoutNumber | ThirdPartyKind::MarkerWithNumber => return None,
        ThirdPartyKind::OtherRepository
        | ThirdPartyKind::OtherHost
        | ThirdPartyKind::OtherRepositoryId
        | ThirdPartyKind::Unmarked
        | ThirdPartyKind::IncompleteMarker
        | ThirdPartyKind::MarkerWithTwoBranches
        | ThirdPartyKind::MarkerWithoutEnd
        | ThirdPartyKind::MarkerNotAtTheEnd => {}
    }
    let is_public = visibility.is_null() || visibility == "public";
    let (summary, marked) = summary_for(kind, &marker);
    let OwnershipMarker { integration, branch: head, .. } = marker;
    let owner_in_marker = marked.then_some(MarkerOwner { repository: actual_repository, integration, head });
    let record = record(&name, &summary, &visibility, owner);
    Some(ThirdPartyIntegration {
        record,
        integration: ModelIntegration { name, owner_in_marker, expected_action: action, is_public },
    })
}

fn record(name: &str, summary: &str, visibility: &Value, owner: &str) -> Value {
    json!({
        "object": "integration", "name": name, "version": 7, "title": "Theirs", "summary": summary,
        "visibility": visibility, "owner": {"object": "organization", "id": owner},
    })
}

/// Returns the repository name and ID in the marker of a kind, and the repository that the marker must be assigned to.
fn repository_for(kind: ThirdPartyKind) -> (String, Option<u64>, String) {
    let own = || OUR_REPOSITORY.to_owned();
    let by_name = |name: String| (name.clone(), None, name);
    match kind {
        ThirdPartyKind::OtherRepository => by_name(format!("{OUR_REPOSITORY}-too")),
        ThirdPartyKind::OtherHost => by_name(OUR_REPOSITORY.replace("github.com", "git.example.com")),
        ThirdPartyKind::OtherRepositoryId => {
            (own(), Some(OUR_REPOSITORY_ID + 1), format!("{OUR_REPOSITORY} of another id"))
        }
        ThirdPartyKind::OwnerInOtherCase => (OUR_REPOSITORY.replace("acme", "Acme"), None, own()),
        ThirdPartyKind::FormerRepositoryName => {
            (OUR_REPOSITORY.replace("integrations", "former"), Some(OUR_REPOSITORY_ID), own())
        }
        _ => by_name(own()),
    }
}

/// Returns a summary with the marker, damaged if the kind requires this. Also returns true if the marker is valid.
fn summary_for(kind: ThirdPartyKind, marker: &OwnershipMarker) -> (String, bool) {
    let text = marker.to_string();
    match kind {
        ThirdPartyKind::Unmarked => ("Ours, and made by hand.".to_owned(), false),
        ThirdPartyKind::IncompleteMarker => (text.replace(" repository=", " depository="), false),
        ThirdPartyKind::MarkerWithTwoBranches => (text.replace(" branch=", " branch=x branch="), false),
        ThirdPartyKind::MarkerWithoutEnd => (text.trim_end_matches(" -->").to_owned(), false),
        ThirdPartyKind::MarkerNotAtTheEnd => (format!("{text}\n\nThat is what a marker looks like."), false),
        ThirdPartyKind::MarkerFromLaterVersion => (text.replace(" hash=", " later=yes hash="), true),
        _ => (format!("Hello.\n\n{text}"), true),
    }
}
