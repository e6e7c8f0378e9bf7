//! Where an engine answers: `unix://`, `tcp://` with or without TLS, `ssh://`.
//!
//! Reads addresses as Docker's own client does and names what it cannot use. It opens nothing.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;

use crate::text::Clean;

/// The port of an engine that answers without TLS.
const PLAIN_PORT: u16 = 2375;
/// The port of an engine that answers with TLS.
const TLS_PORT: u16 = 2376;

/// Where an engine answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A host and a port, not encrypted.
    Tcp(String),
    /// A host and a port, encrypted.
    Tls {
        /// `host:port`.
        host: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`.
        certificates: PathBuf,
    },
    /// A host that the `ssh` program reaches.
    Ssh {
        /// `[user@]host`, as `ssh` takes it.
        host: String,
        /// The port, where it is not the usual one or that of the settings of `ssh`.
        port: Option<u16>,
    },
}

/// A text that is no engine's address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// The scheme is not one that engines answer on.
    #[error("`{0}` is not an address; it starts with unix://, tcp:// or ssh://")]
    Scheme(String),
    /// There is nothing after the scheme.
    #[error("`{0}` names no host or socket")]
    Empty(String),
    /// `https://`, or TLS asked for, without a folder of certificates.
    #[error(
        "`{0}` needs certificates; set `DOCKER_TLS_VERIFY=1`, and `DOCKER_CERT_PATH` to their folder"
    )]
    NoCertificates(String),
    /// `ssh://` with a port that is none.
    #[error("the port of `{0}` is no number from 1 to 65535")]
    SshPort(String),
    /// `ssh://` with a path.
    #[error("`{0}` names a path; `docker` at the host decides which engine is used there")]
    SshPath(String),
}

impl Address {
    /// Reads an address as `DOCKER_HOST` has it; `certificates` is the folder of certificates
    /// where TLS is asked for.
    ///
    /// # Errors
    ///
    /// Fails where the text has another scheme, names nothing, or needs certificates that are not
    /// given.
    pub fn parse(text: &str, certificates: Option<&Path>) -> Result<Self, AddressError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some(parts) => parts,
            None if text.starts_with('/') => ("unix", text),
            // `unix:/x` is no host with a port.
            None if text.trim_end_matches('/').contains('/') => ("", text),
            None => ("tcp", text),
        };
        if rest.is_empty() {
            return Err(AddressError::Empty(text.to_owned()));
        }
        let host = rest.trim_end_matches('/');
        match (scheme, certificates) {
            ("unix", _) => Ok(Self::Unix(PathBuf::from(rest))),
            ("tcp" | "http", None) => Ok(Self::Tcp(with_port(host, PLAIN_PORT))),
            ("tcp" | "http" | "https", Some(folder)) => Ok(Self::Tls {
                host: with_port(host, TLS_PORT),
                certificates: folder.to_owned(),
            }),
            ("https", None) => Err(AddressError::NoCertificates(text.to_owned())),
            ("ssh", _) if host.contains('/') => Err(AddressError::SshPath(text.to_owned())),
            ("ssh", _) => ssh(host).ok_or_else(|| AddressError::SshPort(text.to_owned())),
            _ => Err(AddressError::Scheme(text.to_owned())),
        }
    }

    /// A socket in the file system.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::Unix(path.into())
    }
}

/// A host that `ssh` reaches; `None` where its port is no number.
fn ssh(text: &str) -> Option<Address> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if has_port(text) => {
            (host, Some(port.parse().ok().filter(|&it| it > 0)?))
        }
        _ => (text, None),
    };
    // `ssh` has no brackets around an address of IPv6.
    let host = host.replace(['[', ']'], "");
    Some(Address::Ssh { host, port })
}

/// Whether `host` names a port; the colons of `[::1]` are none of a port.
fn has_port(host: &str) -> bool {
    let after_bracket = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_bracket.contains(':')
}

/// `host` with a port: its own, or `port`.
fn with_port(host: &str, port: u16) -> String {
    if has_port(host) {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever shows it need not know that variables and contexts can hold anything.
        match self {
            Self::Unix(path) => write!(f, "unix://{}", Clean::path(&path.to_string_lossy())),
            Self::Tcp(host) | Self::Tls { host, .. } => write!(f, "tcp://{}", Clean::line(host)),
            Self::Ssh { host, port: None } => write!(f, "ssh://{}", Clean::line(host)),
            Self::Ssh {
                host,
                port: Some(port),
            } => write!(f, "ssh://{}:{port}", Clean::line(host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_docker_client_reads_them() {
        let folder = Path::new("/certs");
        let cases = [
            ("unix:///run/x.sock", None, "unix:///run/x.sock"),
            ("/run/x.sock", None, "unix:///run/x.sock"),
            ("tcp://10.0.0.1:2375", None, "tcp://10.0.0.1:2375"),
            ("tcp://10.0.0.1", None, "tcp://10.0.0.1:2375"),
            ("tcp://[::1]", None, "tcp://[::1]:2375"),
            ("tcp://[::1]:4", None, "tcp://[::1]:4"),
            ("tcp://lab/", Some(folder), "tcp://lab:2376"),
            ("http://lab", Some(folder), "tcp://lab:2376"),
            ("lab:2375/", None, "tcp://lab:2375"),
            ("tcp://a\u{1b}[31m:3", None, "tcp://a:3"),
            ("ssh://me@lab", None, "ssh://me@lab"),
            ("ssh://me@lab:2222/", None, "ssh://me@lab:2222"),
        ];
        for (text, certificates, shown) in cases {
            let address = Address::parse(text, certificates).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        assert_eq!(
            Address::parse("npipe:////./pipe/docker", None),
            Err(AddressError::Scheme("npipe:////./pipe/docker".to_owned()))
        );
        assert_eq!(
            Address::parse("unix://", None),
            Err(AddressError::Empty("unix://".to_owned()))
        );
        assert_eq!(
            Address::parse("unix:/x", None),
            Err(AddressError::Scheme("unix:/x".to_owned()))
        );
        let bare = Address::parse("https://lab", None).unwrap_err();
        assert!(bare.to_string().contains("`DOCKER_TLS_VERIFY=1`"), "{bare}");
        for text in [
            "ssh://me@lab:x",
            "ssh://lab:0",
            "ssh://lab:70000",
            "ssh://lab:",
        ] {
            let port = Address::parse(text, None);
            assert_eq!(port, Err(AddressError::SshPort(text.to_owned())));
        }
        assert!(Address::parse("ssh://lab/run/x.sock", None).is_err());
    }

    #[test]
    fn ssh_gets_hosts_and_ports_apart() {
        let ssh = |text| match Address::parse(text, None) {
            Ok(Address::Ssh { host, port }) => (host, port),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(ssh("ssh://me@lab:2222"), ("me@lab".to_owned(), Some(2222)));
        assert_eq!(ssh("ssh://me@[::1]:22"), ("me@::1".to_owned(), Some(22)));
        assert_eq!(ssh("ssh://[::1]"), ("::1".to_owned(), None));
    }
}
