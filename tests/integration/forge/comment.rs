//! The comment on a pull request.

use forge_stand_in::{Head, StandIn};

use super::{on_pull_request, sha};
use crate::support::{Sandbox, repository};

#[tokio::test]
async fn a_preview_is_told_of_from_its_first_publish_to_its_end() {
    let (gitbook, forge) = (Sandbox::start().await, StandIn::start().await);
    let folder = repository().integration("hello");
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));

    let ended = on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&folder).runs().await;
    assert_eq!(ended.code, Some(0));
    forge.close_pull_request(12);
    let ended = on_pull_request("closed", '1', 101, &gitbook, &forge).folder(&folder).runs().await;
    assert_eq!(gitbook.names(), Vec::<String>::new());
}
