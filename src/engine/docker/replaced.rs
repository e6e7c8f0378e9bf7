//! The image that a build takes the name of.
//!
//! Whoever builds on an attempt's image inherits its labels, so that labels do not tell whose an image
//! without a name is. Before a build, the image that has its name gets another one of ours: what is
//! ours always has a name of ours, and only names are removed. One that the user gave stays, and the
//! image with it.

use super::Docker;
use super::containers::may_be_used;
use super::images;
use crate::engine::EngineError;
use crate::engine::MADE_BY_LABEL;
use crate::engine::OURS;

/// Where such names are.
const PLACE: &str = "loadline.local/replaced:";

/// The name of an image whose own a build is about to take.
#[derive(Debug)]
pub(super) struct Replaced(String);

impl Replaced {
    /// Names the image that has `reference`; `None` where there is none. A name that the process did
    /// not come to remove is swept up as what a crash left.
    pub(super) async fn keep(docker: &Docker, reference: &str) -> Option<Self> {
        let name = format!("{PLACE}{:032x}", rand::random::<u128>());
        match images::tag(docker, reference, &name).await {
            Ok(()) => Some(Self(name)),
            Err(EngineError::NoSuchImage(_)) => None,
            Err(error) => {
                tracing::debug!("`{reference}` could not be named before its build: {error}");
                None
            }
        }
    }

    /// Removes the name, and the image with it where that has no other. What another process may still
    /// judge is left to the sweep: two of them build under the same name where containers on one engine
    /// check the same path.
    pub(super) async fn put_away(self, docker: &Docker, is_built: bool) {
        if is_built && !self.is_free(docker).await {
            return;
        }
        if let Err(error) = images::remove(docker, &self.0).await {
            tracing::debug!("`{}` was not removed: {error}", self.0);
        }
    }

    /// Whether an attempt made the image, and no other process works with it.
    async fn is_free(&self, docker: &Docker) -> bool {
        let Ok(Some(image)) = images::with_name(docker, &self.0).await else {
            return false;
        };
        let maker = image.labels.get(MADE_BY_LABEL);
        maker.is_some_and(|maker| !may_be_used(maker, &docker.inner.maker))
    }
}

/// Whether a reference is such a name: nothing else is ever below it.
pub(super) fn is_replaced(reference: &str) -> bool {
    reference.starts_with(PLACE)
}

/// Such names among those of an image, where a build has taken its own: while one of ours is there, a
/// process may be building that is about to.
pub(super) fn names_left(names: Vec<String>) -> Vec<String> {
    if names
        .iter()
        .any(|name| name.starts_with(OURS) && !is_replaced(name))
    {
        return Vec::new();
    }
    names.into_iter().filter(|name| is_replaced(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_left_once_a_build_has_taken_the_image_s_own() {
        let left =
            |names: &[&str]| names_left(names.iter().map(|name| (*name).to_owned()).collect());
        let (attempt, one, other) = (
            "loadline.local/attempt/tiny:somebody",
            "loadline.local/replaced:1",
            "loadline.local/replaced:2",
        );
        assert!(left(&[attempt, one]).is_empty());
        assert!(left(&["mine/app:latest"]).is_empty());
        assert_eq!(left(&[one, "mine/app:latest", other]), [one, other]);
    }

    #[test]
    fn only_names_of_replaced_images_are_below_their_place() {
        assert!(is_replaced("loadline.local/replaced:0123"));
        for other in [
            "mine/app:latest",
            "loadline.local/attempt/tiny:somebody",
            "loadline.local/replaced-by:1",
            "sha256:0123",
        ] {
            assert!(!is_replaced(other), "{other}");
        }
    }
}
