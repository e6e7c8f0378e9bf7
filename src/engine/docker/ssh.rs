#![expect(
    clippy::disallowed_methods,
    reason = "the edge to an engine at a distance: `ssh` is a process"
)]
//! An engine behind `ssh`.
//!
//! Each connection is one `ssh HOST docker system dial-stdio`, as Docker's own client makes them. It
//! ends with the connection, so nothing is left behind, neither here nor there.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::task::ready;

use bollard::API_DEFAULT_VERSION;
use bollard::BollardRequest;
use bollard::errors::Error;
use http::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::process::Child;
use tokio::process::ChildStderr;
use tokio::process::ChildStdin;
use tokio::process::ChildStdout;
use tokio::process::Command;
use tokio::task::JoinHandle;

/// The library's client for an engine that `ssh` leads to; nothing is started yet.
pub(super) fn client(
    host: &str,
    port: Option<u16>,
    seconds: u64,
) -> Result<bollard::Docker, Error> {
    let host = host.to_owned();
    let connector = tower::service_fn(move |_: Uri| {
        let opened = Wire::open(&host, port).map(TokioIo::new);
        std::future::ready(opened)
    });
    let client = Client::builder(TokioExecutor::new()).build(connector);
    bollard::Docker::connect_with_custom_transport(
        move |request: BollardRequest| {
            let client = client.clone();
            async move { client.request(request).await.map_err(Error::from) }
        },
        Some("http://engine"),
        seconds,
        API_DEFAULT_VERSION,
    )
}

/// The arguments of `ssh`. It asks nothing: the terminal is not its own.
fn arguments(host: &str, port: Option<u16>) -> Vec<String> {
    let mut all = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
        .map(str::to_owned)
        .to_vec();
    if let Some(port) = port {
        all.extend(["-p".to_owned(), port.to_string()]);
    }
    // What is no host must not be taken for an option.
    all.extend(["--", host, "docker", "system", "dial-stdio"].map(str::to_owned));
    all
}

/// One connection.
#[derive(Debug)]
pub(super) struct Wire {
    /// Taken when our end is closed.
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// What `ssh` says; taken when the engine has said something.
    said: Option<JoinHandle<String>>,
    /// Whether the engine was asked anything. What `ssh` says before would be told to nobody: the
    /// client gives its reason only to a request that is on its way.
    asked: bool,
    /// Who waits to read since before that.
    reader: Option<Waker>,
    _ssh: Child,
}

impl Wire {
    pub(super) fn open(host: &str, port: Option<u16>) -> io::Result<Self> {
        let mut ssh = Command::new("ssh")
            .args(arguments(host, port))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for us: what we made on the engine is removed before it ends.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (ssh.stdin.take(), ssh.stdout.take(), ssh.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self {
            stdin: Some(stdin),
            stdout,
            said: Some(tokio::spawn(last_line(stderr))),
            asked: false,
            reader: None,
            _ssh: ssh,
        })
    }

    fn stdin(&mut self) -> io::Result<Pin<&mut ChildStdin>> {
        let stdin = self.stdin.as_mut().map(Pin::new);
        stdin.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

/// The last line that is said, once all is; of very much, of its beginning.
async fn last_line(stderr: ChildStderr) -> String {
    const LONGEST: u64 = 64 * 1024;
    let mut said = Vec::new();
    let mut beginning = stderr.take(LONGEST);
    let _ = beginning.read_to_end(&mut said).await;
    // A pipe that nobody reads would hold the connection up.
    let _ = tokio::io::copy(&mut beginning.into_inner(), &mut tokio::io::sink()).await;
    let text = String::from_utf8_lossy(&said);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or_default().trim().to_owned()
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if !wire.asked {
            wire.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut wire.stdout).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            // From here on an end is an end; what `ssh` says is still read.
            wire.said = None;
            return Poll::Ready(Ok(()));
        }
        // The engine was never reached: `ssh` knows why.
        let Some(said) = &mut wire.said else {
            return Poll::Ready(Ok(()));
        };
        let said = ready!(Pin::new(said).poll(context)).unwrap_or_default();
        wire.said = None;
        if said.is_empty() {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(io::Error::other(said)))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        wire.asked = true;
        if let Some(reader) = wire.reader.take() {
            reader.wake();
        }
        match wire.stdin()?.poll_write(context, bytes) {
            // An `ssh` that has ended has said why; who reads is told.
            Poll::Ready(Err(error))
                if error.kind() == io::ErrorKind::BrokenPipe && wire.said.is_some() =>
            {
                Poll::Ready(Ok(bytes.len()))
            }
            written => written,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stdin()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if let Some(stdin) = &mut wire.stdin {
            ready!(Pin::new(stdin).poll_shutdown(context))?;
        }
        // Shutting a pipe down closes nothing; dropping it does.
        wire.stdin = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_gets_the_port_and_never_an_option_for_a_host() {
        let line = |host, port| arguments(host, port).join(" ");
        assert!(line("me@lab", Some(2222)).ends_with("-p 2222 -- me@lab docker system dial-stdio"));
        assert!(line("-oProxyCommand=x", None).contains(" -- -oProxyCommand=x docker"));
    }

    #[tokio::test]
    async fn the_last_line_that_ssh_says_is_kept() {
        let mut child = Command::new("sh")
            .args([
                "-c",
                "printf 'Warning: one\\nlab: Permission denied\\n\\n' >&2",
            ])
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let stderr = child.stderr.take().expect("it is piped");
        assert_eq!(last_line(stderr).await, "lab: Permission denied");
    }
}
