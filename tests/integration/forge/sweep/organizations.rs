//! The selection of organizations for a sweep, and the pages of their lists.

use fake_github::FakeGitHub;
use serde_json::Value;

use super::gitbook::GitBook;
use super::{count, ownership_marker, preview, sweep, sweep_without_organization};
use crate::support::repository;

/// The organizations, by id and subdomain.
const ORGANIZATIONS: [(&str, &str); 5] =
    [("o1", "one"), ("o2", "two"), ("o3", "three"), ("oAcme", "acme"), ("oOther", "other")];

/// Returns a preview of a branch in an organization.
fn preview_in(organization: &str, branch: &str) -> Value {
    let name = format!("hello-{branch}");
    let mut preview = preview(&name, &ownership_marker(branch));
    preview["owner"]["id"] = organization.into();
    preview
}

/// Starts a GitBook in which two organizations have one preview of a deleted branch each.
async fn gitbook_with_two_organizations() -> GitBook {
    GitBook::start(&ORGANIZATIONS, vec![preview_in("oAcme", "gone"), preview_in("oOther", "lost")]).await
}

#[tokio::test]
async fn finds_an_organization_by_id_or_subdomain() {
    let forge = FakeGitHub::start().await;
    for organization in ["acme", "oAcme"] {
        let gitbook = gitbook_with_two_organizations().await;
        let run = sweep_without_organization(&gitbook.endpoint(), &forge)
            .variable("GITBOOK_ORGANIZATION", organization);
        assert_eq!(run.run().await.code, Some(0));
        assert_eq!(gitbook.names(), ["hello-lost"], "{organization}");

        let gitbook = gitbook_with_two_organizations().await;
        let checkout = repository().integration("hello");
        let manifest = std::fs::read_to_string(checkout.path("hello/gitbook-manifest.yaml")).unwrap();
        let manifest = manifest.replace("organization: acme", &format!("organization: {organization}"));
        let checkout = checkout.file("hello/gitbook-manifest.yaml", manifest);
        let run = sweep_without_organization(&gitbook.endpoint(), &forge).folder(&checkout);
        assert_eq!(run.run().await.code, Some(0));
        assert_eq!(gitbook.names(), ["hello-lost"], "{organization} in the manifest");
    }
}

#[tokio::test]
async fn sweeps_each_organization_of_the_manifests() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_two_organizations().await;
    let checkout = repository()
        .integration("hello")
        .file("two/gitbook-manifest.yaml", "name: two\ntitle: Two\norganization: other\nscript: x.ts\n")
        .integration("three");
    let finished = sweep_without_organization(&gitbook.endpoint(), &forge).folder(&checkout).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: deleted hello-gone (… s): branch `gone` was deleted
    info: deleted hello-lost (… s): branch `lost` was deleted
    info: sweep: deleted 2 previews, kept 0
    ");
    assert_eq!(gitbook.names(), [""; 0]);

    // `GITBOOK_ORGANIZATION` overrides the organizations of all manifests.
    let gitbook = gitbook_with_two_organizations().await;
    assert_eq!(sweep(&gitbook.endpoint(), &forge).folder(&checkout).run().await.code, Some(0));
    assert_eq!(gitbook.names(), ["hello-lost"]);
}

#[tokio::test]
async fn sweeps_a_repeated_organization_once() {
    let forge = FakeGitHub::start().await;
    let gitbook = GitBook::start(&ORGANIZATIONS, vec![preview_in("oAcme", "gone")]).await;
    let by_id = "name: two\ntitle: Two\norganization: oAcme\nscript: x.ts\n";
    let checkout = repository().integration("hello").file("two/gitbook-manifest.yaml", by_id);
    let finished = sweep_without_organization(&gitbook.endpoint(), &forge).folder(&checkout).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: deleted hello-gone (… s): branch `gone` was deleted
    info: sweep: deleted 1 preview, kept 0
    ");
    assert_eq!((finished.output("count"), count(&finished, "deleted")), ("1".to_owned(), 1));
}

#[tokio::test]
async fn deletes_nothing_with_an_unknown_organization() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_two_organizations().await;
    let unknown =
        sweep_without_organization(&gitbook.endpoint(), &forge).variable("GITBOOK_ORGANIZATION", "acmes");
    insta::assert_snapshot!(unknown.run().await.log(), @"
    exit 1
    error: sweep failed
    cause: the token's user is not a member of organization `acmes`, or it does not exist
     hint: correct `organization` in the manifest or `GITBOOK_ORGANIZATION`, or use the token of a member
    ");
    let unknown = "name: two\ntitle: Two\norganization: zzz\nscript: x.ts\n";
    let checkout = repository().integration("hello").file("two/gitbook-manifest.yaml", unknown);
    let finished = sweep_without_organization(&gitbook.endpoint(), &forge).folder(&checkout).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 1
    error: sweep failed
    cause: the token's user is not a member of organization `zzz`, or it does not exist
     hint: correct `organization` in the manifest or `GITBOOK_ORGANIZATION`, or use the token of a member
    ");
    assert_eq!(gitbook.names(), ["hello-gone", "hello-lost"]);
}

#[tokio::test]
async fn requires_an_organization_and_the_names_of_all_integrations() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_two_organizations().await;
    let finished = sweep_without_organization(&gitbook.endpoint(), &forge).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: cannot sweep: no manifest names an organization
     hint: set `GITBOOK_ORGANIZATION` to the ID or subdomain of the organization
    ");
    let checkout = repository().file("gitbook-manifest.yaml", "name: hello\ntitle: Hello\nscript: x.ts\n");
    let finished = sweep_without_organization(&gitbook.endpoint(), &forge).folder(&checkout).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: cannot sweep: no manifest names an organization
     hint: set `GITBOOK_ORGANIZATION` to the ID or subdomain of the organization
    ");
    // Without the name of an integration, a sweep cannot know which name it must never delete.
    let checkout = repository().integration("hello").file("two/gitbook-manifest.yaml", "title: Two\n");
    let finished = sweep(&gitbook.endpoint(), &forge).folder(&checkout).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 2
    error: `name` is missing
    --> two/gitbook-manifest.yaml
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    assert_eq!(gitbook.names(), ["hello-gone", "hello-lost"]);
    assert_eq!(forge.requests(), []);
}

#[tokio::test]
async fn sweeps_all_pages_of_an_organization() {
    let forge = FakeGitHub::start().await;
    forge.set_branch("b-07", &super::sha('7'));
    let previews = (0..20).map(|number| preview_in("oAcme", &format!("b-{number:02}"))).collect();
    let gitbook = GitBook::start(&ORGANIZATIONS, previews).await;
    let finished = sweep(&gitbook.endpoint(), &forge).run().await;
    assert_eq!((finished.code, count(&finished, "deleted"), count(&finished, "skipped")), (Some(0), 19, 1));
    assert_eq!(gitbook.names(), ["hello-b-07"]);
    assert_eq!(gitbook.count("GET", "/v1/orgs").await, 2);
    assert_eq!(gitbook.count("GET", "/v1/orgs/oAcme/integrations").await, 7);
}
