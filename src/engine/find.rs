#![expect(
    clippy::disallowed_methods,
    reason = "the edge that looks for an engine: environment, Docker's settings, sockets"
)]
//! Finds the engine that the user means, and says what was tried where there is none.
//!
//! An address that the user named, by a variable or by a Docker context, is the only one tried: a
//! build that silently goes to another engine than the one named would be worse than none.

mod candidates;

use std::path::Path;
use std::path::PathBuf;

use candidates::Candidate;
use candidates::Context;
use candidates::Facts;
use candidates::NO_CONTEXT;
use candidates::OF_ROOTS_PODMAN;
use candidates::candidates;
use sha2::Digest as _;

use crate::engine::EngineError;
use crate::engine::Tried;
use crate::engine::address::Address;
use crate::engine::docker::Choices;
use crate::engine::docker::Docker;
use crate::text::Clean;
use crate::text::hex;
use crate::units::show_duration;

pub(in crate::engine) use candidates::OF_DOCKER;

/// What a search came to.
#[derive(Debug)]
pub struct Search {
    /// The first engine that answered.
    pub found: Option<Docker>,
    /// The addresses tried before it, and what came of each.
    pub tried: Vec<Tried>,
    /// The first address where only the permission was missing, and where a group gives it.
    pub denied: Option<String>,
    /// The first address of this host where somebody is there and says nothing, and the error.
    pub silent: Option<(String, EngineError)>,
}

impl Search {
    /// The engine, or the error that says what was tried.
    ///
    /// # Errors
    ///
    /// Fails with [`EngineError::NoPermission`] where a socket is there and this user may not use
    /// it, with [`EngineError::Silent`] where one of several places has an engine that says nothing,
    /// otherwise with [`EngineError::NotFound`].
    pub fn engine(self) -> Result<Docker, EngineError> {
        match (self.found, self.denied, self.silent) {
            (Some(docker), ..) => Ok(docker),
            (None, Some(address), _) => Err(EngineError::NoPermission { address }),
            (None, None, Some((_, error))) if Tried::named(&self.tried).is_none() => Err(error),
            (None, None, _) => Err(EngineError::NotFound { tried: self.tried }),
        }
    }

    /// What a search means that led to no engine that can be used.
    #[must_use]
    pub fn error(self) -> EngineError {
        match self.engine() {
            Err(error) => error,
            Ok(_) => EngineError::NotFound { tried: Vec::new() },
        }
    }

    /// Keeps what came of an address that did not lead to an engine.
    fn note(&mut self, address: &Address, is_named: bool, error: EngineError) {
        let shown = || address.to_string();
        match error {
            EngineError::NoPermission { .. } if is_named || is_for_a_group(address) => {
                self.denied.get_or_insert_with(shown);
            }
            EngineError::Silent { .. } if matches!(address, Address::Unix(_)) => {
                self.silent.get_or_insert_with(|| (shown(), error));
            }
            _ => {}
        }
    }
}

/// Finds the engine that the user means.
///
/// # Errors
///
/// Fails as [`Search::engine`] does.
pub async fn find() -> Result<Docker, EngineError> {
    search().await.engine()
}

/// Looks for an engine and keeps what was tried, for `doctor`.
pub async fn search() -> Search {
    let asked = tokio::task::spawn_blocking(facts).await;
    look(&asked.unwrap_or_default()).await
}

/// Tries what the facts lead to, in order.
async fn look(facts: &Facts) -> Search {
    let mut search = Search {
        found: None,
        tried: Vec::new(),
        denied: None,
        silent: None,
    };
    let candidates = candidates(facts);
    let is_named = candidates.len() == 1;
    for candidate in candidates {
        let Candidate { address, because } = candidate;
        let (shown, outcome) = match address {
            Err((shown, reason)) => (shown, reason),
            Ok(address) => {
                let choices = Choices {
                    found_by: because.to_string(),
                    without_buildkit: facts.without_buildkit,
                };
                match Docker::connect(&address, choices).await {
                    Ok(docker) => {
                        search.found = Some(docker);
                        return search;
                    }
                    Err(error) => {
                        let outcome = Clean::line(&outcome(&error));
                        search.note(&address, is_named, error);
                        (Clean::line(&address.to_string()), outcome)
                    }
                }
            }
        };
        search.tried.push(Tried {
            address: shown,
            because,
            outcome,
        });
    }
    search
}

/// What came of an address, as a fragment for a list.
fn outcome(error: &EngineError) -> String {
    match error {
        EngineError::NoPermission { .. } => "permission denied".to_owned(),
        EngineError::Silent { within, .. } => {
            format!("no answer within {}", show_duration(*within))
        }
        EngineError::Gone { detail } | EngineError::Refused { detail, .. } => detail.to_string(),
        other => other.to_string(),
    }
}

/// Whether a socket that was tried unasked is one that a group opens: the others are a user's own,
/// root's among them, to which a package of Podman's makes Docker's a link.
fn is_for_a_group(address: &Address) -> bool {
    let Address::Unix(path) = address else {
        return false;
    };
    let end = std::fs::read_link(path).unwrap_or_default();
    path.as_os_str() == OF_DOCKER && end.as_os_str() != OF_ROOTS_PODMAN
}

/// Where a login puts the sockets of this user, told by no variable (`su`, `cron`).
fn own_runtime_folder() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    PathBuf::from(format!("/run/user/{uid}"))
}

/// Reads the environment and Docker's settings.
fn facts() -> Facts {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home = etcetera::home_dir().ok();
    let settings = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| home.as_ref().map(|home| home.join(".docker")));
    let certificates = variable("DOCKER_CERT_PATH")
        .map(PathBuf::from)
        .or_else(|| settings.clone());
    let tls = variable("DOCKER_TLS_VERIFY").is_some() || variable("DOCKER_TLS").is_some();
    let docker_context = variable("DOCKER_CONTEXT");
    let current_context = settings.as_deref().and_then(current_context);
    let contexts = [&docker_context, &current_context]
        .into_iter()
        .flatten()
        .filter_map(|name| Some(context(settings.as_deref()?, name)));
    Facts {
        docker_host: variable("DOCKER_HOST"),
        contexts: contexts.collect(),
        docker_context,
        current_context,
        certificates: certificates.filter(|_| tls),
        runtime: variable("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .or_else(|| Some(own_runtime_folder()).filter(|folder| folder.is_dir())),
        home,
        without_buildkit: variable("DOCKER_BUILDKIT").is_some_and(|value| value == "0"),
    }
}

/// `currentContext` of Docker's settings.
fn current_context(settings: &Path) -> Option<String> {
    let text = std::fs::read(settings.join("config.json")).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let name = json.get("currentContext")?.as_str()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// What Docker's settings say of a context, which they keep under the digest of its name.
fn context(settings: &Path, name: &str) -> Context {
    let digest = hex(&sha2::Sha256::digest(name.as_bytes()));
    let contexts = settings.join("contexts");
    let certificates = contexts.join("tls").join(&digest).join("docker");
    let certificates = certificates.is_dir().then_some(certificates);
    let meta = contexts.join("meta").join(&digest).join("meta.json");
    Context {
        name: name.to_owned(),
        host: host_of(&meta, certificates.as_deref()),
        certificates,
    }
}

/// The address of a context's engine; the error is why it cannot be used, as a fragment.
fn host_of(meta: &Path, certificates: Option<&Path>) -> Result<String, String> {
    let shown = meta.display();
    let text = std::fs::read(meta).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => NO_CONTEXT.to_owned(),
        kind => format!("its settings in `{shown}` cannot be read: {kind}"),
    })?;
    let json: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| format!("its settings in `{shown}` are broken: {error}"))?;
    let docker = json.pointer("/Endpoints/docker");
    let field = |name: &str| docker.and_then(|docker| docker.get(name));
    let host = field("Host").and_then(serde_json::Value::as_str);
    let host = host.ok_or_else(|| format!("its settings in `{shown}` name no Docker engine"))?;
    // The client library verifies in any case; a socket and ssh have no certificate.
    let has_tls = !host.starts_with("unix://") && !host.starts_with("ssh://");
    let unverified = field("SkipTLSVerify").and_then(serde_json::Value::as_bool) == Some(true);
    let has_authority = certificates.is_some_and(|folder| folder.join("ca.pem").is_file());
    if has_tls && unverified && !has_authority {
        return Err(
            "it skips the check of the engine's certificate, which Loadline does not: give the \
             context the authority of that certificate (`ca=FILE`)"
                .to_owned(),
        );
    }
    Ok(host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings with a context `lab`, whose folder is the digest of its name.
    fn lab(meta: &str) -> (tempfile::TempDir, PathBuf) {
        let digest = "a51146d38077ff992eba84cf1d5e9b249073503eb74868699016153b031a38f7";
        let folder = tempfile::tempdir().unwrap();
        let contexts = folder.path().join("contexts");
        let place = contexts.join("meta").join(digest);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("meta.json"), meta).unwrap();
        (folder, contexts.join("tls").join(digest).join("docker"))
    }

    #[test]
    fn contexts_are_read_as_docker_writes_them() {
        let (folder, tls) =
            lab(r#"{"Name":"lab","Endpoints":{"docker":{"Host":"tcp://lab:2376"}}}"#);
        let settings = folder.path();
        std::fs::write(settings.join("config.json"), r#"{"currentContext":"lab"}"#).unwrap();
        assert_eq!(current_context(settings).as_deref(), Some("lab"));
        let without = context(settings, "lab");
        assert_eq!(without.host.as_deref(), Ok("tcp://lab:2376"));
        assert_eq!(without.certificates, None);
        let none = context(settings, "another");
        assert_eq!(none.host, Err(NO_CONTEXT.to_owned()));

        // One file is enough: an engine need not ask for the certificate of a user.
        std::fs::create_dir_all(&tls).unwrap();
        std::fs::write(tls.join("ca.pem"), "x").unwrap();
        assert_eq!(context(settings, "lab").certificates, Some(tls));
    }

    #[test]
    fn a_context_that_cannot_be_used_says_why() {
        let why = |meta| {
            let (folder, _) = lab(meta);
            context(folder.path(), "lab").host.unwrap_err()
        };
        assert!(why("{").contains("meta.json` are broken"), "{}", why("{"));
        let kubernetes = why(r#"{"Name":"lab","Endpoints":{"kubernetes":{}}}"#);
        assert!(kubernetes.contains("name no Docker engine"), "{kubernetes}");
        let skips = r#"{"Endpoints":{"docker":{"Host":"tcp://lab:1","SkipTLSVerify":true}}}"#;
        assert!(why(skips).contains("skips the check"), "{}", why(skips));
        let (folder, tls) = lab(skips);
        std::fs::create_dir_all(&tls).unwrap();
        std::fs::write(tls.join("ca.pem"), "x").unwrap();
        let checked = context(folder.path(), "lab");
        assert_eq!(checked.host.as_deref(), Ok("tcp://lab:1"));
        for host in ["unix:///lab.sock", "ssh://lab"] {
            let (folder, _) = lab(&skips.replace("tcp://lab:1", host));
            let without_tls = context(folder.path(), "lab");
            assert_eq!(without_tls.host.as_deref(), Ok(host));
        }
    }

    #[tokio::test]
    async fn a_search_without_an_engine_names_every_address_and_its_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let facts = Facts {
            runtime: Some(folder.path().to_owned()),
            docker_host: Some(format!("unix://{}/none.sock", folder.path().display())),
            ..Facts::default()
        };
        let search = look(&facts).await;
        assert_eq!(search.tried.len(), 1, "a named address is the only one");
        assert!(search.tried[0].outcome.as_str().contains("no socket"));
        let error = search.engine().unwrap_err();
        assert!(matches!(error, EngineError::NotFound { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_socket_without_permission_is_told_from_no_socket() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
        let facts = Facts {
            docker_host: Some(socket.display().to_string()),
            ..Facts::default()
        };
        let error = tokio::time::timeout(std::time::Duration::from_secs(30), look(&facts))
            .await
            .unwrap()
            .engine()
            .unwrap_err();
        // Root passes every permission and meets a socket that never answers.
        if rustix::process::geteuid().is_root() {
            assert!(matches!(error, EngineError::NotFound { .. }), "{error:?}");
        } else {
            assert!(
                matches!(error, EngineError::NoPermission { .. }),
                "{error:?}"
            );
        }
    }
}
