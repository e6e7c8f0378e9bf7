//! Which addresses are tried, in which order, and why: decided from facts, nothing is opened.

use std::path::PathBuf;

use crate::engine::address::Address;
use crate::engine::address::AddressError;
use crate::text::Clean;

/// What the environment and Docker's settings say.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// `DOCKER_HOST`.
    pub(super) docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub(super) docker_context: Option<String>,
    /// `currentContext` of Docker's settings.
    pub(super) current_context: Option<String>,
    /// The contexts that there are.
    pub(super) contexts: Vec<Context>,
    /// The folder of certificates, where the environment asks for TLS.
    pub(super) certificates: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub(super) runtime: Option<PathBuf>,
    /// The user's home.
    pub(super) home: Option<PathBuf>,
    /// `DOCKER_BUILDKIT=0`.
    pub(super) without_buildkit: bool,
}

/// A Docker context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    /// Its name.
    pub(super) name: String,
    /// Its engine's address, or why it has none, as a fragment.
    pub(super) host: Result<String, String>,
    /// The folder of its certificates.
    pub(super) certificates: Option<PathBuf>,
}

/// An address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The address, or its text and why it cannot be used.
    pub(super) address: Result<Address, (Clean, Clean)>,
    /// Why it is tried, as a phrase.
    pub(super) because: Clean,
}

/// Sockets in the home folder, by who puts them there.
const IN_HOME: [(&str, &str); 7] = [
    (
        ".local/share/containers/podman/machine/podman.sock",
        "Podman's machine",
    ),
    (".colima/default/docker.sock", "Colima"),
    (".config/colima/default/docker.sock", "Colima"),
    (".rd/docker.sock", "Rancher Desktop"),
    (".docker/run/docker.sock", "Docker Desktop"),
    (".docker/desktop/docker.sock", "Docker Desktop"),
    (".orbstack/run/docker.sock", "OrbStack"),
];

/// The socket of Docker, which is for root and for a group.
pub(in crate::engine) const OF_DOCKER: &str = "/var/run/docker.sock";
/// The socket of root's own Podman, which is for root alone.
pub(super) const OF_ROOTS_PODMAN: &str = "/run/podman/podman.sock";

/// The addresses to try, in order. A named one is the only one.
pub(super) fn candidates(facts: &Facts) -> Vec<Candidate> {
    if let Some(host) = &facts.docker_host {
        let address = Address::parse(host, facts.certificates.as_deref());
        return vec![named(address, host, "the variable `DOCKER_HOST`")];
    }
    let by_variable = facts
        .docker_context
        .as_ref()
        .map(|name| (name, format!("the context `{name}` of `DOCKER_CONTEXT`")));
    let by_settings = facts
        .current_context
        .as_ref()
        .map(|name| (name, format!("the current Docker context `{name}`")));
    match by_variable.or(by_settings) {
        Some((name, because)) if name != "default" => vec![of_context(facts, name, &because)],
        _ => sockets(facts),
    }
}

/// The address of a context.
fn of_context(facts: &Facts, name: &str, because: &str) -> Candidate {
    let context = facts.contexts.iter().find(|context| context.name == name);
    let unusable = |why: &str| Candidate {
        address: Err((Clean::line(&format!("context {name}")), Clean::line(why))),
        because: Clean::line(because),
    };
    match context.map(|context| (context, &context.host)) {
        Some((context, Ok(host))) => {
            let address = Address::parse(host, context.certificates.as_deref());
            named(address, host, because)
        }
        Some((_, Err(why))) => unusable(why),
        None => unusable(NO_CONTEXT),
    }
}

/// What is said of a context that is named and not there.
pub(super) const NO_CONTEXT: &str = "there is no context of this name";

fn named(address: Result<Address, AddressError>, text: &str, because: &str) -> Candidate {
    let told = |error: AddressError| (Clean::line(text), Clean::line(&error.to_string()));
    Candidate {
        address: address.map_err(told),
        because: Clean::line(because),
    }
}

/// The sockets that engines use without being told.
fn sockets(facts: &Facts) -> Vec<Candidate> {
    let mut found = vec![(PathBuf::from(OF_DOCKER), "the default socket".to_owned())];
    if let Some(runtime) = &facts.runtime {
        found.push((
            runtime.join("docker.sock"),
            "the socket of rootless Docker".to_owned(),
        ));
        found.push((
            runtime.join("podman/podman.sock"),
            "the socket of rootless Podman".to_owned(),
        ));
    }
    found.push((
        PathBuf::from(OF_ROOTS_PODMAN),
        "the socket of Podman".to_owned(),
    ));
    if let Some(home) = &facts.home {
        for (path, who) in IN_HOME {
            found.push((home.join(path), format!("the socket of {who}")));
        }
    }
    found
        .into_iter()
        .map(|(path, because)| Candidate {
            address: Ok(Address::Unix(path)),
            because: Clean::line(&because),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(facts: &Facts) -> Vec<(String, String)> {
        candidates(facts)
            .into_iter()
            .map(|candidate| {
                let address = match candidate.address {
                    Ok(address) => address.to_string(),
                    Err((text, reason)) => format!("{text}: {reason}"),
                };
                (address, candidate.because.to_string())
            })
            .collect()
    }

    fn colima() -> Context {
        Context {
            name: "colima".to_owned(),
            host: Ok("unix:///home/me/.colima/default/docker.sock".to_owned()),
            certificates: None,
        }
    }

    #[test]
    fn the_variable_comes_before_the_context_and_both_before_any_socket() {
        let mut facts = Facts {
            docker_host: Some("tcp://lab:2375".to_owned()),
            docker_context: Some("colima".to_owned()),
            current_context: Some("other".to_owned()),
            contexts: vec![colima()],
            ..Facts::default()
        };
        assert_eq!(
            shown(&facts),
            [(
                "tcp://lab:2375".to_owned(),
                "the variable `DOCKER_HOST`".to_owned()
            )]
        );
        facts.docker_host = None;
        assert_eq!(
            shown(&facts),
            [(
                "unix:///home/me/.colima/default/docker.sock".to_owned(),
                "the context `colima` of `DOCKER_CONTEXT`".to_owned()
            )]
        );
        facts.docker_context = None;
        let other = shown(&facts);
        assert_eq!(other.len(), 1);
        assert_eq!(
            other[0].0,
            "context other: there is no context of this name"
        );
    }

    #[test]
    fn what_a_variable_or_a_context_holds_cannot_write_on_the_terminal() {
        let facts = Facts {
            docker_context: Some("x\u{1b}]0;owned\u{7}y".to_owned()),
            ..Facts::default()
        };
        let wanted = (
            "context xy: there is no context of this name".to_owned(),
            "the context `xy` of `DOCKER_CONTEXT`".to_owned(),
        );
        assert_eq!(shown(&facts), [wanted]);
    }

    #[test]
    fn the_default_context_means_the_sockets_in_order() {
        let facts = Facts {
            docker_context: Some("default".to_owned()),
            runtime: Some("/run/user/7".into()),
            home: Some("/home/me".into()),
            ..Facts::default()
        };
        let shown: Vec<String> = shown(&facts).into_iter().map(|(text, _)| text).collect();
        assert_eq!(
            shown.iter().take(4).map(String::as_str).collect::<Vec<_>>(),
            [
                "unix:///var/run/docker.sock",
                "unix:///run/user/7/docker.sock",
                "unix:///run/user/7/podman/podman.sock",
                "unix:///run/podman/podman.sock",
            ]
        );
        assert!(shown.contains(&"unix:///home/me/.rd/docker.sock".to_owned()));
    }

    #[test]
    fn tls_is_used_where_the_environment_or_the_context_has_certificates() {
        let facts = Facts {
            docker_host: Some("tcp://lab:2376".to_owned()),
            certificates: Some("/certs".into()),
            ..Facts::default()
        };
        assert_eq!(
            candidates(&facts)[0].address,
            Ok(Address::Tls {
                host: "lab:2376".to_owned(),
                certificates: "/certs".into()
            })
        );
    }
}
