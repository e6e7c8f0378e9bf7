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

/// Refuses what no engine takes as the name of an image: some answer such a question as another one.
///
/// # Errors
/// When it is none, with what is wrong with it.
pub(super) fn check(image: &str) -> Result<(), EngineError> {
    let id = image.strip_prefix("sha256:").unwrap_or(image);
    if (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    match ImageName::parse(image) {
        Ok(_) => Ok(()),
        Err(why) => Err(bad(image, &why)),
    }
}

fn bad(image: &str, why: &str) -> EngineError {
    EngineError::BadName {
        image: Clean::path(image),
        why: Clean::path(why),
    }
}

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
    Some(bad(image, &why))
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
    fn what_is_no_name_is_refused_before_it_is_asked_for() {
        let (long, hex) = ("z".repeat(5000), "a".repeat(5000));
        for image in ["", ".", "..", "MyApp", "a b", "a@b", &long, &hex, "sha256:"] {
            let refused = check(image).unwrap_err();
            assert!(matches!(refused, EngineError::BadName { .. }), "{image}");
        }
        let digest = "f".repeat(64);
        let id = format!("sha256:{digest}");
        let pinned = format!("app@{id}");
        for image in ["app", "team/app:1.2", "0123456789ab", &digest, &id, &pinned] {
            assert!(check(image).is_ok(), "{image}");
        }
        let told = check("\u{1b}[2J").unwrap_err().to_string();
        assert!(told.starts_with("`\\x1B[2J` names no image: "), "{told}");
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
