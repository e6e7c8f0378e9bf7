//! Questions that an engine stumbles over because somebody removes an image or a container at that
//! moment. They are asked again: nothing was wrong with what they ask for.

use std::time::Duration;

use super::Docker;
use crate::engine::EngineError;
use crate::engine::EngineName;
use crate::engine::Store;

/// How often, and how far apart, a question is asked again. A machine that removes many images in
/// a row (seen on Podman 4.3 under a test run) makes an engine stumble several times.
const AGAIN: usize = 6;
const PAUSE: Duration = Duration::from_millis(300);

/// Asks the engine, and asks again where it stumbled over another's work.
///
/// # Errors
///
/// What the last answer said.
pub(super) async fn asked_again<T, F>(
    docker: &Docker,
    ask: impl Fn() -> F,
) -> Result<T, EngineError>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let info = &docker.inner.info;
    for _ in 0..AGAIN {
        match ask().await {
            Err(EngineError::Refused { detail, .. })
                if is_a_race(info.name, info.store, detail.as_str()) =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
    ask().await
}

/// Whether an engine stumbled over what somebody else does to another image or container.
pub(super) fn is_a_race(name: EngineName, store: Store, said: &str) -> bool {
    match (name, store) {
        (EngineName::Podman, _) => is_of_podman(said),
        (EngineName::Docker, Store::Containerd) => is_of_containerd(said) || is_of_buildkit(said),
        (EngineName::Docker, _) => is_of_buildkit(said) || is_of_graphdriver(said),
    }
}

/// Whether Podman looked through its images or containers while somebody removed one of them.
fn is_of_podman(said: &str) -> bool {
    const LOST: [&str; 5] = [
        // The id of an image that is no longer there, which is then taken for a name.
        "cannot specify 64-byte hexadecimal strings",
        "layer not known",
        "image not known",
        "container not known",
        "locating image with ID",
    ];
    LOST.iter().any(|lost| said.contains(lost))
}

/// Whether BuildKit waited in vain for work of its own (seen on Docker 20.10, with a `COPY` of many
/// names).
fn is_of_buildkit(said: &str) -> bool {
    said.ends_with("flightcontrol: exceeded retry timeout")
}

/// Whether a build came to an image that was there already, and was put away at that moment (seen on
/// Docker 20.10): images of the same content are one and the same.
fn is_of_graphdriver(said: &str) -> bool {
    said.starts_with("failed to get digest sha256:") && said.ends_with("no such file or directory")
}

/// Whether Docker's containerd store looked at an image while it put another one away: a layer that
/// both have is looked for at that moment, and found the next time.
fn is_of_containerd(said: &str) -> bool {
    let lost = said.starts_with("snapshot sha256:")
        // A builder's word (seen on Docker 26.1): the layer below the one that it unpacks was put away.
        || said.contains("failed to prepare extraction snapshot");
    // A list that counts what an image weighs, which is put away meanwhile.
    let uncounted = said.starts_with("failed to calculate size of image");
    (lost && said.contains("does not exist")) || (uncounted && said.ends_with("not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_removes_at_that_moment_is_a_race() {
        let snapshot = "snapshot sha256:68bda52db95a does not exist: not found";
        let of = |name, store, said| is_a_race(name, store, said);
        assert!(of(EngineName::Docker, Store::Containerd, snapshot));
        let below = "failed to solve: failed to prepare extraction snapshot \"extract-4951-JiOG \
                     sha256:b0b0\": parent snapshot sha256:25b1f9736236 does not exist: not found";
        assert!(of(EngineName::Docker, Store::Containerd, below));
        let uncounted = "failed to calculate size of image a.local/b:1: content digest \
                         sha256:378ebedf8aa4: not found";
        assert!(of(EngineName::Docker, Store::Containerd, uncounted));
        assert!(!of(EngineName::Docker, Store::Graphdriver, uncounted));
        assert!(!of(EngineName::Docker, Store::Graphdriver, snapshot));
        let waited = "failed to compute cache key: flightcontrol: exceeded retry timeout";
        for store in [Store::Graphdriver, Store::Containerd] {
            assert!(of(EngineName::Docker, store, waited));
        }
        assert!(!of(EngineName::Podman, Store::Graphdriver, waited));
        let the_same = "failed to get digest sha256:c73a54fe8b0e: open /var/lib/docker/image/\
                        overlay2/imagedb/content/sha256/c73a54fe8b0e: no such file or directory";
        assert!(of(EngineName::Docker, Store::Graphdriver, the_same));
        assert!(!of(EngineName::Docker, Store::Containerd, the_same));
        assert!(!of(
            EngineName::Docker,
            Store::Containerd,
            "No such image: x:latest"
        ));
        for said in [
            "retrieving size of image \"b41b\": you may need to remove the image to resolve the \
             error: locating image with ID \"b41b\": image not known",
            "checking if image \"afbd\" is dangling: reading image \"afbd\": image not known",
            "getting source imageReference for \"8982\": parsing named reference \"8982\": invalid \
             repository name (8982), cannot specify 64-byte hexadecimal strings",
        ] {
            assert!(of(EngineName::Podman, Store::Graphdriver, said), "{said}");
        }
        assert!(!of(
            EngineName::Podman,
            Store::Graphdriver,
            "short-name did not resolve"
        ));
    }
}
