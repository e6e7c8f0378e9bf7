//! Names of images: `python`, `python:3.13-slim`, `gcr.io/distroless/cc-debian13@sha256:…`.

use std::fmt;

/// A reference taken apart, with the parts that nobody writes filled in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    /// The registry: `docker.io` where none is written.
    pub registry: String,
    /// The repository: `library/python` for `python`.
    pub repository: String,
    /// The tag, as written.
    pub tag: Option<String>,
    /// The digest with its algorithm, as written.
    pub digest: Option<String>,
}

impl ImageName {
    /// Takes a reference apart as engines do.
    ///
    /// # Errors
    /// When no engine would accept it; the text says why, as a fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash is a registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if is_registry(first) => (first, path),
            _ => ("docker.io", name),
        };
        let registry = if registry == "index.docker.io" {
            "docker.io"
        } else {
            registry
        };
        check_registry(registry)?;
        check_path(path)?;
        if let Some(tag) = tag {
            check_tag(tag)?;
        }
        if let Some(digest) = digest {
            check_digest(digest)?;
        }
        let repository = if registry == "docker.io" && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// All of it: `docker.io/library/python:latest`. A digest stands without a tag that nobody
    /// wrote.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.with(&format!("{}/{}", self.registry, self.repository))
    }

    /// The shortest form that means the same: `python:latest`.
    #[must_use]
    pub fn familiar(&self) -> String {
        let name = match (self.registry.as_str(), self.repository.as_str()) {
            ("docker.io", path) => path.strip_prefix("library/").unwrap_or(path).to_owned(),
            (registry, path) => format!("{registry}/{path}"),
        };
        self.with(&name)
    }

    fn with(&self, name: &str) -> String {
        match (&self.tag, &self.digest) {
            (Some(tag), Some(digest)) => format!("{name}:{tag}@{digest}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (Some(tag), None) => format!("{name}:{tag}"),
            (None, None) => format!("{name}:latest"),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.familiar())
    }
}

/// Whether the first part of a name is a registry and not a folder of the default one.
fn is_registry(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.chars().any(char::is_uppercase)
}

fn check_registry(registry: &str) -> Result<(), String> {
    let (host, port) = registry.split_once(':').unwrap_or((registry, "0"));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if host.is_empty() || !host.chars().all(plain) || port.parse::<u16>().is_err() {
        return Err(format!("`{registry}` is not the name of a registry"));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err(String::from("it has no name"));
    }
    if path.chars().any(char::is_uppercase) {
        return Err(String::from("names of images have no capital letters"));
    }
    if path.len() > 255 {
        return Err(String::from("it is longer than 255 characters"));
    }
    for part in path.split('/') {
        check_part(part)?;
    }
    Ok(())
}

/// Letters and digits with single separators between them: `.`, `_`, `__` or any number of `-`.
fn check_part(part: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let known = |c: char| plain(c) || matches!(c, '.' | '_' | '-');
    if let Some(bad) = part.chars().find(|c| !known(*c)) {
        return Err(format!("`{bad}` cannot be in the name of an image"));
    }
    let ends_well = part.starts_with(plain) && part.ends_with(plain);
    let joined_well = part
        .split_inclusive(plain)
        .map(|run| run.trim_end_matches(plain))
        .all(|run| matches!(run, "" | "." | "_" | "__") || run.chars().all(|c| c == '-'));
    if ends_well && joined_well {
        Ok(())
    } else {
        Err(format!("`{part}` is not a name"))
    }
}

fn check_tag(tag: &str) -> Result<(), String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = tag.len() <= 128
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    if fits {
        Ok(())
    } else {
        Err(format!("`{tag}` is not a tag"))
    }
}

fn check_digest(digest: &str) -> Result<(), String> {
    let fits = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
    });
    if fits {
        Ok(())
    } else {
        Err(format!("`{digest}` is not a digest"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_is_filled_in() {
        for (text, canonical, familiar) in [
            ("python", "docker.io/library/python:latest", "python:latest"),
            (
                "python:3.13",
                "docker.io/library/python:3.13",
                "python:3.13",
            ),
            ("team/app", "docker.io/team/app:latest", "team/app:latest"),
            (
                "index.docker.io/library/python:3",
                "docker.io/library/python:3",
                "python:3",
            ),
            (
                "gcr.io/distroless/cc-debian13:nonroot",
                "gcr.io/distroless/cc-debian13:nonroot",
                "gcr.io/distroless/cc-debian13:nonroot",
            ),
            (
                "localhost:5000/a",
                "localhost:5000/a:latest",
                "localhost:5000/a:latest",
            ),
        ] {
            let name = ImageName::parse(text).expect(text);
            assert_eq!(name.canonical(), canonical);
            assert_eq!(name.familiar(), familiar);
        }
        let hex = "a".repeat(64);
        let pinned = ImageName::parse(&format!("python:3@sha256:{hex}")).expect("pinned");
        assert_eq!(pinned.familiar(), format!("python:3@sha256:{hex}"));
    }

    #[test]
    fn what_no_engine_accepts_is_refused_with_its_reason() {
        for (text, why) in [
            ("Python", "capital"),
            ("python:", "tag"),
            ("python:a b", "tag"),
            ("", "no name"),
            ("a//b", "not a name"),
            ("a/-b", "not a name"),
            ("a..b", "not a name"),
            ("a@sha256:12", "digest"),
            ("pyth\u{f6}n", "cannot be"),
            ("host:port/a", "registry"),
        ] {
            let error = ImageName::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
