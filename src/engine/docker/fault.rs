//! What the client library and the engine say when something fails, as our errors.

#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: whether certificates and sockets can be read"
)]

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;

use crate::engine::EngineError;
use crate::text::Clean;
use crate::text::io_cause;
use crate::text::unnumbered;

/// Turns the client library's error into ours. `what` names the request, `address` the engine.
pub(super) fn fault(
    what: &'static str,
    address: &str,
    within: Duration,
    error: &Error,
) -> EngineError {
    tracing::debug!(what, address, %error, "the engine did not do it");
    match error {
        Error::RequestTimeoutError => EngineError::Silent { what, within },
        Error::SocketNotFoundError(path) => {
            let seen = std::fs::symlink_metadata(path);
            no_socket(path, address, seen.err().map(|error| error.kind()))
        }
        Error::DockerResponseServerError {
            status_code,
            message,
        } => refused(what, address, *status_code, message),
        Error::DockerStreamError { error } => refused(what, address, 0, error),
        other => match io_kind(other) {
            Some(io::ErrorKind::PermissionDenied) => EngineError::NoPermission {
                address: address.to_owned(),
            },
            Some(_) => EngineError::Gone {
                detail: innermost(other),
            },
            None if is_transport(other) => EngineError::Gone {
                detail: innermost(other),
            },
            None => EngineError::Refused {
                what,
                detail: innermost(other),
            },
        },
    }
}

/// What it means that the library sees no socket: it does not tell one that is not there from one in
/// a folder that may not be entered. `kind` is why it cannot be looked at, where it cannot.
fn no_socket(path: &str, address: &str, kind: Option<io::ErrorKind>) -> EngineError {
    match kind {
        Some(io::ErrorKind::PermissionDenied) => EngineError::NoPermission {
            address: address.to_owned(),
        },
        _ => EngineError::Gone {
            detail: Clean::line(&format!("there is no socket {path}")),
        },
    }
}

/// Why an engine behind TLS cannot be reached, where it is for the certificates of one side.
pub(super) fn of_certificates(error: EngineError, folder: &Path) -> EngineError {
    let EngineError::Gone { detail } = &error else {
        return error;
    };
    let has_own = folder.join("cert.pem").is_file();
    let folder = folder.display();
    let said = detail.as_str();
    let why = if said.contains("invalid peer certificate") {
        format!("its certificate is not one of the authority in `{folder}/ca.pem`: {said}")
    } else if said.contains("received fatal alert") && !has_own {
        format!("it wants a certificate of the user, and `{folder}` holds no `cert.pem`: {said}")
    } else if said.contains("received fatal alert") {
        format!("it refuses the certificate in `{folder}/cert.pem`: {said}")
    } else {
        return error;
    };
    EngineError::Gone {
        detail: Clean::line(&why),
    }
}

/// Why an engine behind ssh cannot be reached, where ssh says too much of it, too little, or what
/// would be taken for something else. `kind` is that of the library's error.
pub(super) fn of_ssh(
    error: EngineError,
    kind: Option<io::ErrorKind>,
    host: &str,
    port: Option<u16>,
) -> EngineError {
    let by_hand = match port {
        Some(port) => format!("ssh -p {port} {host}"),
        None => format!("ssh {host}"),
    };
    let says = |words: &str| matches!(&error, EngineError::Gone { detail } if detail.as_str().contains(words));
    let why = if says("connect: permission denied") {
        "the user at the host may not use the engine there".to_owned()
    } else if says("docker: not found") || says("docker: command not found") {
        "there is no program `docker` at the host, which passes on what is said".to_owned()
    } else if says("Permission denied") {
        format!("the host takes none of this user's keys; `{by_hand}` must work without a password")
    } else if says("Host key verification failed") {
        format!("its key is not the one that is known of it; `{by_hand}` tells more")
    } else if kind == Some(io::ErrorKind::NotFound) {
        "there is no program `ssh` here".to_owned()
    } else {
        return error;
    };
    EngineError::Gone {
        detail: Clean::line(&why),
    }
}

/// Why an engine that is asked without TLS does not answer, where it is for the TLS.
pub(super) fn of_plain(error: EngineError) -> EngineError {
    // What Docker says in plain text; and what the library makes of an answer that is no HTTP, be it
    // TLS or something that never was an engine.
    const TLS: &str = "HTTP request to an HTTPS server";
    const NO_HTTP: &str = "invalid HTTP version";
    let (EngineError::Gone { detail } | EngineError::Refused { detail, .. }) = &error else {
        return error;
    };
    let why = if detail.as_str().contains(TLS) {
        "it speaks TLS on this port: set `DOCKER_TLS_VERIFY=1`, and `DOCKER_CERT_PATH` to the \
         folder of the certificates"
    } else if detail.as_str().contains(NO_HTTP) {
        "what answers on this port does not speak HTTP: it is no container engine, or one that \
         wants TLS, for which `DOCKER_TLS_VERIFY=1` and `DOCKER_CERT_PATH` are set"
    } else {
        return error;
    };
    EngineError::Gone {
        detail: Clean::line(why),
    }
}

/// Whether the files of a folder of certificates can be read; the error names the first that cannot.
/// An engine need not ask for the user's own: that is there with its key, or neither is.
pub(super) fn certificates(folder: &Path) -> Result<(), EngineError> {
    let own = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    let has_own = own
        .iter()
        .any(|path| std::fs::symlink_metadata(path).is_ok());
    let authority = folder.join("ca.pem");
    for path in [authority]
        .into_iter()
        .chain(own.into_iter().filter(|_| has_own))
    {
        if let Err(error) = std::fs::File::open(&path) {
            let why = format!("`{}` cannot be read: {}", path.display(), io_cause(&error));
            return Err(EngineError::Gone {
                detail: Clean::line(&why),
            });
        }
    }
    Ok(())
}

/// A message of an engine without what it quotes: an engine's own words are outside of that, and
/// what a learner named or ran is inside. Everything from the first quote to the last one goes,
/// since what is quoted may hold quotes itself.
fn unquoted(message: &str) -> String {
    let mut own = message.to_owned();
    for (open, close) in [("running [", "]: "), ("\"", "\""), ("`", "`")] {
        if let (Some(from), Some(to)) = (own.find(open), own.rfind(close))
            && from + open.len() <= to
        {
            own.replace_range(from..to + close.len(), "");
        }
    }
    own
}

/// Whether a message of an engine ends with one of these words of its own, in lower case. What comes
/// before may be a learner's: what went wrong stands last.
pub(super) fn ends_with(message: &str, words: &[&str]) -> bool {
    let own = unquoted(message).to_ascii_lowercase();
    let own = own.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let own = own.strip_suffix(": unknown").unwrap_or(own);
    words.iter().any(|words| own.ends_with(words))
}

/// Whether an engine says that its disk is full.
pub(super) fn is_disk_full(message: &str) -> bool {
    let own = message.trim_end();
    // Podman's storage puts its helper's status behind the cause, which it has in brackets.
    let helper = own.strip_suffix(": exit status 1");
    let own = helper.filter(|own| own.ends_with(')')).unwrap_or(own);
    ends_with(own, &["no space left on device", "disk quota exceeded"])
}

/// An answer of the engine that says no.
fn refused(what: &'static str, address: &str, status: u16, message: &str) -> EngineError {
    let lower = message.to_ascii_lowercase();
    if is_disk_full(message) {
        return EngineError::DiskFull(Clean::line(message));
    }
    if status == 403 && lower.contains("permission denied") {
        return EngineError::NoPermission {
            address: address.to_owned(),
        };
    }
    // An engine says why in its own words; whatever else speaks HTTP says nothing, or shows a page.
    let said = message.trim_start();
    let detail = if said.is_empty() && status != 0 {
        format!("it answers with HTTP status {status}: no container engine")
    } else if matches!(status, 502 | 504) || (status != 0 && said.starts_with('<')) {
        format!(
            "the answer is HTTP status {status} and not from a container engine: something in \
             between, such as a proxy, gave it"
        )
    } else {
        message.to_owned()
    };
    EngineError::Refused {
        what,
        detail: Clean::line(&detail),
    }
}

/// Whether the connection failed, rather than the request.
fn is_transport(error: &Error) -> bool {
    matches!(
        error,
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. }
    )
}

/// The kind of the input or output error at the bottom of `error`, where there is one.
pub(super) fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    if let Error::IOError { err } = error {
        return Some(err.kind());
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = inner.source();
    }
    // The transparent variants are their own source, one level further down.
    if let Error::HyperLegacyError { err } = error {
        let mut cause = err.source();
        while let Some(inner) = cause {
            if let Some(io) = inner.downcast_ref::<io::Error>() {
                return Some(io.kind());
            }
            cause = inner.source();
        }
    }
    None
}

/// What is said of an answer that ended in the middle of a line.
const CUT: &str = "its answer was cut off";

/// Whether an answer ended in the middle of a line.
pub(super) fn is_cut(error: &EngineError) -> bool {
    matches!(error, EngineError::Gone { detail } if detail.as_str() == CUT)
}

/// The words of the innermost cause: outer layers only say that something failed.
fn innermost(error: &Error) -> Clean {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    // The words of the reader of lines, which has the rest of one in hand.
    if text == "bytes remaining on stream" {
        return Clean::line(CUT);
    }
    Clean::line(unnumbered(&text))
}

/// Whether the engine says that it has no such thing.
pub(super) const fn is_missing(error: &Error) -> bool {
    matches!(
        error,
        Error::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &Error) -> EngineError {
        fault("list images", "unix:///x", Duration::from_secs(5), error)
    }

    #[test]
    fn a_full_disk_is_told_from_any_other_refusal() {
        let full = Error::DockerStreamError {
            error: "write /var/lib: No space left on device".to_owned(),
        };
        assert!(matches!(of(&full), EngineError::DiskFull(_)));
        let other = Error::DockerResponseServerError {
            status_code: 500,
            message: "boom\u{1b}[31m".to_owned(),
        };
        assert_eq!(
            of(&other),
            EngineError::Refused {
                what: "list images",
                detail: Clean::line("boom")
            }
        );
    }

    #[test]
    fn words_that_an_engine_only_quotes_are_not_its_own() {
        for message in [
            "OCI runtime create failed: starting container process caused: exec: \"no space left on \
             device\": executable file not found in $PATH: unknown",
            "crun: executable file `no space left on device` not found in $PATH",
            "exec: \"a\\\" no space left on device\"",
            "stat no space left on device: file does not exist",
        ] {
            assert!(!is_disk_full(message), "{message}");
            let error = Error::DockerResponseServerError {
                status_code: 400,
                message: message.to_owned(),
            };
            assert!(matches!(of(&error), EngineError::Refused { .. }));
        }
        for message in [
            "error creating overlay mount to /var/lib/docker/overlay2/x: no space left on device",
            "OCI runtime create failed: mkdir \"/run/x\": No space left on device: unknown\n",
            "Error processing tar file(exit status 1): write /x: no space left on device",
            "write /x: disk quota exceeded.",
        ] {
            assert!(is_disk_full(message), "{message}");
        }
    }

    #[test]
    fn an_answer_without_a_word_is_told_by_its_status() {
        let silent = Error::DockerResponseServerError {
            status_code: 502,
            message: "\n".to_owned(),
        };
        let told = of(&silent).to_string();
        assert!(
            told.contains("HTTP status 502: no container engine"),
            "{told}"
        );
    }

    #[test]
    fn a_page_of_a_proxy_is_not_shown_as_the_words_of_an_engine() {
        for (status_code, message) in [
            (502, "<html>bad gateway</html>"),
            (504, "upstream timed out"),
            (403, "\n<!DOCTYPE html><p>no"),
        ] {
            let told = of(&Error::DockerResponseServerError {
                status_code,
                message: message.to_owned(),
            })
            .to_string();
            let status = format!("HTTP status {status_code}");
            assert!(told.contains(&status) && told.contains("proxy"), "{told}");
            assert!(!told.contains('<') && !told.contains("upstream"), "{told}");
        }
    }

    #[test]
    fn what_ssh_refuses_is_no_lack_of_a_group() {
        let gone = |text: &str| EngineError::Gone {
            detail: Clean::line(text),
        };
        let cases = [
            (
                gone("me@lab: Permission denied (publickey)."),
                "`ssh -p 2222 lab` must work",
            ),
            (
                gone("dial unix /x.sock: connect: permission denied"),
                "the user at the host",
            ),
            (gone("sh: 1: docker: not found"), "no program `docker`"),
            (gone("@@@ Host key verification failed."), "its key"),
            (
                gone("dial unix /x.sock: connect: No such file or directory"),
                "dial unix /x.sock",
            ),
            (gone("Connection refused"), "Connection refused"),
        ];
        let own = of_ssh(
            gone("No such file or directory (os error 2)"),
            Some(io::ErrorKind::NotFound),
            "lab",
            None,
        );
        assert!(own.to_string().contains("no program `ssh` here"), "{own}");
        for (error, wanted) in cases {
            let told = of_ssh(error, Some(io::ErrorKind::Other), "lab", Some(2222));
            assert!(
                matches!(&told, EngineError::Gone { detail } if detail.as_str().contains(wanted)),
                "{told:?}"
            );
        }
    }

    #[test]
    fn certificates_of_either_side_are_named() {
        let gone = |text: &str| EngineError::Gone {
            detail: Clean::line(text),
        };
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| of_certificates(gone(text), folder.path()).to_string();
        let (unknown, alert) = (
            "invalid peer certificate: UnknownIssuer",
            "received fatal alert",
        );
        let in_ca = format!("{}/ca.pem`: {unknown}", folder.path().display());
        assert!(told(unknown).contains(&in_ca), "{}", told(unknown));
        assert!(told(alert).contains("no `cert.pem`"), "{}", told(alert));
        std::fs::write(folder.path().join("cert.pem"), "").unwrap();
        let in_cert = format!("{}/cert.pem`: {alert}", folder.path().display());
        assert!(told(alert).contains(&in_cert), "{}", told(alert));
        let other = gone("Connection refused");
        assert_eq!(of_certificates(other.clone(), folder.path()), other);
        assert!(certificates(Path::new("/nowhere")).is_err());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "").unwrap();
        assert_eq!(certificates(folder.path()), Ok(()));
        std::fs::write(folder.path().join("key.pem"), "").unwrap();
        let half = certificates(folder.path()).unwrap_err().to_string();
        assert!(half.contains("cert.pem` cannot be read"), "{half}");
    }

    #[test]
    fn an_engine_that_wants_tls_is_told_from_one_that_is_gone() {
        let http = EngineError::Refused {
            what: "connect",
            detail: Clean::line("Client sent an HTTP request to an HTTPS server."),
        };
        let alert = EngineError::Gone {
            detail: Clean::line("invalid HTTP version parsed"),
        };
        let told = of_plain(http).to_string();
        assert!(told.contains("it speaks TLS"), "{told}");
        assert!(told.contains("`DOCKER_TLS_VERIFY=1`"), "{told}");
        // This may be anything: neither is said to be so.
        let told = of_plain(alert).to_string();
        assert!(told.contains("no container engine, or one"), "{told}");
        assert!(told.contains("`DOCKER_TLS_VERIFY=1`"), "{told}");
        let closed = EngineError::Gone {
            detail: Clean::line("Connection refused"),
        };
        assert_eq!(of_plain(closed.clone()), closed);
    }

    #[test]
    fn a_socket_in_a_folder_that_may_not_be_entered_is_not_one_that_is_not_there() {
        let of = |kind| no_socket("/closed/x.sock", "unix:///closed/x.sock", kind);
        let denied = of(Some(io::ErrorKind::PermissionDenied));
        assert!(
            matches!(denied, EngineError::NoPermission { .. }),
            "{denied:?}"
        );
        for other in [Some(io::ErrorKind::NotFound), None] {
            let gone = of(other);
            assert!(matches!(gone, EngineError::Gone { .. }), "{gone:?}");
        }
    }

    #[test]
    fn permission_and_a_closed_connection_are_told_apart() {
        let denied = Error::IOError {
            err: io::Error::from(io::ErrorKind::PermissionDenied),
        };
        assert!(matches!(of(&denied), EngineError::NoPermission { .. }));
        let closed = Error::IOError {
            err: io::Error::from(io::ErrorKind::ConnectionReset),
        };
        assert!(matches!(of(&closed), EngineError::Gone { .. }));
    }
}
