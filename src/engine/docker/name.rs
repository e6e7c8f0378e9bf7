//! Names of images that an engine does not take: what is wrong with them, rather than with it.

use bollard::errors::Error;

use crate::dockerfile::ImageName;
use crate::engine::EngineError;
use crate::text::Clean;

/// What engines say of a name that is none.
const NO_NAME: [&str; 5] = [
    "invalid reference format",
    "invalid tag format",
    "must be lowercase",
    "parsing reference",
    "normalizing name",
];

/// What Docker says where a word is no name that it knows, and begins the ids of several images.
const AMBIGUOUS: &str = "ambiguous digest";

/// What is wrong with `image`, where the engine's answer is about its name.
pub(super) fn fault(image: &str, error: &Error) -> Option<EngineError> {
    let Error::DockerResponseServerError { message, .. } = error else {
        return None;
    };
    let lower = message.to_ascii_lowercase();
    let why = if lower.contains(AMBIGUOUS) {
        String::from("no image is called so, and the ids of several begin with it")
    } else if NO_NAME.iter().any(|words| lower.contains(words)) {
        ImageName::parse(image).err().unwrap_or_else(|| {
            // What it names first is the name itself.
            let said = message.trim();
            said.rsplit_once(": ")
                .map_or(said, |(_, why)| why)
                .to_owned()
        })
    } else {
        return None;
    };
    Some(EngineError::BadName {
        image: Clean::line(image),
        why: Clean::line(&why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(image: &str, message: &str) -> Option<String> {
        let error = Error::DockerResponseServerError {
            status_code: 500,
            message: message.to_owned(),
        };
        fault(image, &error).map(|error| error.to_string())
    }

    #[test]
    fn a_name_that_is_none_is_told_with_what_is_wrong_with_it() {
        let format = "invalid reference format";
        for (image, message, wanted) in [
            (
                "MyApp",
                "no such image: MyApp: invalid reference format: repository name must be lowercase",
                "`MyApp` names no image: names of images have no capital letters",
            ),
            ("a@b", format, "`a@b` names no image: `b` is not a digest"),
            (
                "x y",
                format,
                "`x y` names no image: ` ` cannot be in the name of an image",
            ),
            (
                "app",
                format,
                "`app` names no image: invalid reference format",
            ),
            (
                "a",
                "ambiguous digest string",
                "`a` names no image: no image is called so, and the ids of several begin with it",
            ),
        ] {
            assert_eq!(told(image, message).as_deref(), Some(wanted));
        }
        assert_eq!(told("app", "no space left on device"), None);
    }
}
