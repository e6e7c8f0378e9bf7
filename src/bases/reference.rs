//! References of images, taken apart: `python`, `docker.io/library/python:3.13`, `host:5000/a@sha256:…`.

/// Where stand-ins live: a name that no vendor owns and no registry serves.
pub const LOCAL: &str = "loadline.local";

/// The registry that a reference without one means.
const DEFAULT_REGISTRY: &str = "docker.io";

/// A reference in its shortest form: `docker.io/library/python` is `python`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Registry and repository, the default registry left out.
    pub name: String,
    /// The tag; `latest` where none is written.
    pub tag: String,
    /// The digest, where it is pinned.
    pub digest: Option<String>,
}

impl Reference {
    /// Takes a reference apart. Every text has an answer: one that no engine would accept simply
    /// names an image that nobody has.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        // A colon before the last slash is a registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (rest, "latest"),
        };
        let name = name
            .strip_prefix("index.docker.io/")
            .or_else(|| name.strip_prefix("docker.io/"))
            .unwrap_or(name);
        let name = match name.strip_prefix("library/") {
            Some(short) if !short.contains('/') => short,
            _ => name,
        };
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
            digest,
        }
    }

    /// The registry that serves it.
    #[must_use]
    pub fn registry(&self) -> &str {
        match self.name.split_once('/') {
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
            _ => DEFAULT_REGISTRY,
        }
    }

    /// The name of its stand-in: `loadline.local/python:3.13`.
    #[must_use]
    pub fn local(name: &str, tag: &str) -> String {
        format!("{LOCAL}/{name}:{tag}")
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)?;
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_registry_is_left_out() {
        for text in [
            "python:3.13",
            "library/python:3.13",
            "docker.io/python:3.13",
            "docker.io/library/python:3.13",
            "index.docker.io/library/python:3.13",
        ] {
            assert_eq!(Reference::parse(text).to_string(), "python:3.13", "{text}");
        }
    }

    #[test]
    fn a_port_is_not_a_tag() {
        let reference = Reference::parse("localhost:5000/team/app");
        assert_eq!(reference.name, "localhost:5000/team/app");
        assert_eq!(reference.tag, "latest");
        assert_eq!(reference.registry(), "localhost:5000");
    }

    #[test]
    fn a_registry_is_told_from_a_folder() {
        assert_eq!(Reference::parse("team/app").registry(), "docker.io");
        assert_eq!(
            Reference::parse("gcr.io/distroless/cc-debian13").registry(),
            "gcr.io"
        );
    }

    proptest! {
        #[test]
        fn the_short_form_stays_as_it_is(text in "[a-z./:@-]{0,40}") {
            let once = Reference::parse(&text).to_string();
            let reparsed = Reference::parse(&once);
            if !text.contains("docker.io") && !text.contains("library/") && !text.contains('@') {
                prop_assert_eq!(reparsed.to_string(), once);
            }
        }
    }
}
