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
use candidates::candidates;
use candidates::is_roots_own;
use sha2::Digest as _;

use crate::engine::EngineError;
use crate::engine::Tried;
use crate::engine::docker::Choices;
use crate::engine::docker::Docker;
use crate::units::show_duration;

/// What a search came to.
#[derive(Debug)]
pub struct Search {
    /// The first engine that answered.
    pub found: Option<Docker>,
    /// The addresses tried before it, and what came of each.
    pub tried: Vec<Tried>,
    /// The first address where only the permission was missing, and where a group gives it.
    pub denied: Option<String>,
}

impl Search {
    /// The engine, or the error that says what was tried.
    ///
    /// # Errors
    ///
    /// Fails with [`EngineError::NoPermission`] where a socket is there and this user may not use
    /// it, otherwise with [`EngineError::NotFound`].
    pub fn engine(self) -> Result<Docker, EngineError> {
        match (self.found, self.denied) {
            (Some(docker), _) => Ok(docker),
            (None, Some(address)) => Err(EngineError::NoPermission { address }),
            (None, None) => Err(EngineError::NotFound { tried: self.tried }),
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
    };
    for candidate in candidates(facts) {
        let Candidate { address, because } = candidate;
        let (shown, outcome) = match address {
            Err((shown, reason)) => (shown, reason),
            Ok(address) => {
                let choices = Choices {
                    found_by: because.clone(),
                    without_buildkit: facts.without_buildkit,
                };
                match Docker::connect(&address, choices).await {
                    Ok(docker) => {
                        search.found = Some(docker);
                        return search;
                    }
                    Err(error) => {
                        let shown = address.to_string();
                        if matches!(error, EngineError::NoPermission { .. })
                            && !is_roots_own(&address)
                        {
                            search.denied.get_or_insert_with(|| shown.clone());
                        }
                        (shown, outcome(&error))
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
    Facts {
        docker_host: variable("DOCKER_HOST"),
        docker_context: variable("DOCKER_CONTEXT"),
        current_context: settings.as_deref().and_then(current_context),
        contexts: settings.as_deref().map(contexts).unwrap_or_default(),
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

/// The contexts that Docker's settings know.
fn contexts(settings: &Path) -> Vec<Context> {
    let Ok(folders) = std::fs::read_dir(settings.join("contexts").join("meta")) else {
        return Vec::new();
    };
    folders
        .filter_map(|folder| {
            let text = std::fs::read(folder.ok()?.path().join("meta.json")).ok()?;
            let json: serde_json::Value = serde_json::from_slice(&text).ok()?;
            let name = json.get("Name")?.as_str()?.to_owned();
            let host = json.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned();
            let certificates = certificates_of(settings, &name);
            Some(Context {
                name,
                host,
                certificates,
            })
        })
        .collect()
}

/// The folder of a context's certificates, where it has some.
fn certificates_of(settings: &Path, name: &str) -> Option<PathBuf> {
    let mut folder = String::new();
    for byte in sha2::Sha256::digest(name.as_bytes()) {
        folder.push_str(&format!("{byte:02x}"));
    }
    let folder = settings
        .join("contexts")
        .join("tls")
        .join(folder)
        .join("docker");
    folder.join("cert.pem").is_file().then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_read_as_docker_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path();
        let meta = settings.join("contexts/meta/abc");
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"lab","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://lab:2376"}}}"#,
        )
        .unwrap();
        std::fs::create_dir_all(settings.join("contexts/meta/broken")).unwrap();
        std::fs::write(settings.join("config.json"), r#"{"currentContext":"lab"}"#).unwrap();
        assert_eq!(current_context(settings).as_deref(), Some("lab"));
        let without = contexts(settings);
        assert_eq!(without.len(), 1);
        assert_eq!(without[0].host, "tcp://lab:2376");
        assert_eq!(without[0].certificates, None);

        // The folder is the digest of the context's name.
        let digest = "a51146d38077ff992eba84cf1d5e9b249073503eb74868699016153b031a38f7";
        let tls = settings.join("contexts/tls").join(digest).join("docker");
        std::fs::create_dir_all(&tls).unwrap();
        std::fs::write(tls.join("cert.pem"), "x").unwrap();
        assert_eq!(certificates_of(settings, "lab"), Some(tls));
        assert_eq!(certificates_of(settings, "another"), None);
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
        assert!(search.tried[0].outcome.contains("no socket"));
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
