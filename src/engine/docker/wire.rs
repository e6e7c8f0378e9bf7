#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: connections and the tasks that carry them"
)]
//! Connections to an engine that go on as something else than questions and answers. The client
//! library makes them for its own purposes only.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpStream;
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;

use super::ssh;
use crate::engine::address::Address;
use crate::text::Clean;

/// Why there is no such connection.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nobody is reached.
    Lost(Clean),
    /// The engine, or what stands before it, answers with this status instead.
    Refused(StatusCode),
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Lost(Clean::line(&error.into().to_string()))
    }
}

/// Asks the engine to turn a connection into what the request names, and hands it over.
///
/// # Errors
/// Where nobody is reached, or the engine answers that it will not.
pub(super) async fn upgraded(
    address: &Address,
    request: http::Request<Empty<Bytes>>,
) -> Result<Upgraded, Fault> {
    match address {
        Address::Unix(path) => upgrade(UnixStream::connect(path).await?, request).await,
        Address::Tcp(host) => upgrade(TcpStream::connect(host).await?, request).await,
        Address::Tls { host, certificates } => {
            let name = host
                .rsplit_once(':')
                .map_or(host.as_str(), |(name, _)| name);
            let name = name.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(name.to_owned())?;
            let connector = TlsConnector::from(Arc::new(tls(certificates)?));
            let stream = TcpStream::connect(host).await?;
            upgrade(connector.connect(name, stream).await?, request).await
        }
        Address::Ssh { host, port } => upgrade(ssh::Wire::open(host, *port)?, request).await,
    }
}

async fn upgrade<I>(io: I, request: http::Request<Empty<Bytes>>) -> Result<Upgraded, Fault>
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to the engine ended");
        }
    });
    let response = sender.send_request(request).await?;
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => Ok(hyper::upgrade::on(response).await?),
        other => Err(Fault::Refused(other)),
    }
}

/// The engine's certificate is one of the host's authorities or of `ca.pem`; the user's own is shown
/// where there is one. So it is for the client library's connections.
fn tls(certificates: &Path) -> Result<ClientConfig, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let authorities = CertificateDer::pem_file_iter(certificates.join("ca.pem"))?;
    roots.add_parsable_certificates(authorities.collect::<Result<Vec<_>, _>>()?);
    let config = ClientConfig::builder().with_root_certificates(roots);
    let own = certificates.join("cert.pem");
    if !own.exists() {
        return Ok(config.with_no_client_auth());
    }
    let chain = CertificateDer::pem_file_iter(own)?;
    let key = PrivateKeyDer::from_pem_file(certificates.join("key.pem"))?;
    Ok(config.with_client_auth_cert(chain.collect::<Result<Vec<_>, _>>()?, key)?)
}
