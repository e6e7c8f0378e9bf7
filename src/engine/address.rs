//! Where an engine answers: `unix://`, `tcp://` with or without TLS, `ssh://`.
//!
//! Reads addresses as Docker's own client does and names what it cannot use. It opens nothing.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;

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
    /// `[user@]host`, reached by the `ssh` program.
    Ssh(String),
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
    #[error("`{0}` needs certificates; set `DOCKER_CERT_PATH` to their folder")]
    NoCertificates(String),
    /// `ssh://` with a port, which the client library takes for a part of the host's name.
    #[error(
        "a port of ssh is not passed on from `{0}`; write `Port` under a `Host` in `~/.ssh/config` and name that host"
    )]
    SshPort(String),
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
            None => ("tcp", text),
        };
        if rest.is_empty() {
            return Err(AddressError::Empty(text.to_owned()));
        }
        let host = rest.trim_end_matches('/');
        match (scheme, certificates) {
            ("unix", _) => Ok(Self::Unix(PathBuf::from(rest))),
            ("tcp" | "http", None) => Ok(Self::Tcp(with_port(host, PLAIN_PORT))),
            ("tcp" | "https", Some(folder)) => Ok(Self::Tls {
                host: with_port(host, TLS_PORT),
                certificates: folder.to_owned(),
            }),
            ("https", None) => Err(AddressError::NoCertificates(text.to_owned())),
            ("ssh", _) if has_port(host) => Err(AddressError::SshPort(text.to_owned())),
            ("ssh", _) => Ok(Self::Ssh(host.to_owned())),
            _ => Err(AddressError::Scheme(text.to_owned())),
        }
    }

    /// A socket in the file system.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::Unix(path.into())
    }
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
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) | Self::Tls { host, .. } => write!(f, "tcp://{host}"),
            Self::Ssh(host) => write!(f, "ssh://{host}"),
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
            ("ssh://me@lab", None, "ssh://me@lab"),
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
        assert!(Address::parse("https://lab", None).is_err());
        let port = Address::parse("ssh://me@lab:2222", None);
        assert_eq!(
            port,
            Err(AddressError::SshPort("ssh://me@lab:2222".to_owned()))
        );
    }
}
