#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the task that reads a container's output"
)]
//! A container's output as it comes, bounded whatever the container writes.

use std::fmt;
use std::io::ErrorKind;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::AttachContainerOptionsBuilder;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::Xxh3;

use crate::engine::EngineError;
use crate::engine::docker::Docker;
use crate::image::output::Output as Text;

/// Bytes that are kept of a stream's beginning, and again of its end.
const KEPT: usize = 32 * 1024;

/// A container whose output is being read.
#[derive(Debug)]
pub(in crate::engine::docker) struct Attached {
    reader: JoinHandle<Output>,
    done: tokio::sync::watch::Receiver<bool>,
}

impl Attached {
    /// Attaches to a container that has not started yet, so that nothing is missed.
    pub(in crate::engine::docker) async fn attach(
        docker: &Docker,
        id: &str,
        stdin: Option<String>,
    ) -> Result<Self, EngineError> {
        let options = AttachContainerOptionsBuilder::default()
            .stdin(stdin.is_some())
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let attached = docker
            .inner
            .client
            .attach_container(id, Some(options))
            .await
            .map_err(|error| docker.fault("attach to a container", &error))?;
        let (said, done) = tokio::sync::watch::channel(false);
        let mut input = attached.input;
        let mut chunks = attached.output;
        // Behind input that nobody read, an end may come as an error.
        let has_input = stdin.is_some();
        let reader = tokio::spawn(async move {
            let mut output = Output::default();
            let write = async {
                // A container that does not read its input, or ends first, is no error.
                if let Some(stdin) = stdin {
                    let _ = input.write_all(stdin.as_bytes()).await;
                    let _ = input.shutdown().await;
                }
                input
            };
            let read = async {
                let broken = loop {
                    match chunks.next().await {
                        None => break false,
                        Some(Err(error)) => break !has_input && is_break(&error),
                        Some(Ok(chunk)) => output.take(chunk),
                    }
                };
                output.broken |= broken;
                let _ = said.send(true);
            };
            let (_input, ()) = tokio::join!(write, read);
            output
        });
        Ok(Self { reader, done })
    }

    /// Waits until the container closed its output: until it ended.
    pub(in crate::engine::docker) async fn wait(&mut self) {
        let _ = self.done.wait_for(|done| *done).await;
    }

    /// Waits likewise and hands over what was kept.
    pub(in crate::engine::docker) async fn ended(mut self) -> Output {
        (&mut self.reader).await.unwrap_or_default()
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Whether an error is more than an end without a farewell.
fn is_break(error: &Error) -> bool {
    !matches!(error, Error::IOError { err } if err.kind() == ErrorKind::UnexpectedEof)
}

/// What was kept of both streams.
#[derive(Debug, Default)]
pub(in crate::engine::docker) struct Output {
    out: Kept,
    err: Kept,
    /// Whether an unknown rest of both never came.
    broken: bool,
}

impl Output {
    fn take(&mut self, chunk: LogOutput) {
        match chunk {
            LogOutput::StdErr { message } => self.err.push(&message),
            LogOutput::StdOut { message } => self.out.push(&message),
            // No container of ours has a terminal: a piece of what was broken off.
            LogOutput::Console { message } => {
                self.broken = true;
                self.out.push(&message);
            }
            LogOutput::StdIn { .. } => {}
        }
    }

    /// Standard output and standard error.
    pub(in crate::engine::docker) fn into_streams(self) -> (Text, Text) {
        let (out, err) = (self.out.text(), self.err.text());
        if self.broken {
            return (out.broken_off(), err.broken_off());
        }
        (out, err)
    }

    /// Standard output as it came, for our own helper.
    pub(in crate::engine::docker) fn raw(&self) -> Bytes {
        Bytes::from([self.out.head.as_slice(), self.out.tail.as_slice()].concat())
    }

    /// The last `count` lines of standard error, or of standard output where there are none.
    pub(in crate::engine::docker) fn last_lines(self, count: usize) -> Vec<String> {
        let (out, err) = self.into_streams();
        let lines = if err.is_empty() { out } else { err };
        let skip = lines.len().saturating_sub(count);
        lines
            .iter()
            .skip(skip)
            .map(|line| line.as_str().to_owned())
            .collect()
    }
}

/// The beginning and the end of a stream, and a digest of all of it.
#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: u64,
    hash: Xxh3,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.head.len() + self.tail.len();
        write!(f, "{kept} bytes kept, {} dropped", self.dropped)
    }
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        let room = KEPT.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        // Cut in large pieces, so that a flood costs one copy per 32 KiB.
        if self.tail.len() > 2 * KEPT {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let over = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..over);
        self.dropped += u64::try_from(over).unwrap_or(u64::MAX);
    }

    fn text(self) -> Text {
        Text::cut(self.head, self.tail, self.dropped, Some(self.hash.digest()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Clean;

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end_and_counts_the_rest() {
        let mut kept = Kept::default();
        for number in 0..100_000u32 {
            kept.push(format!("line {number}\n").as_bytes());
        }
        assert!(kept.dropped > 900_000);
        let lines = kept.text();
        assert_eq!(lines.first().map(Clean::as_str), Some("line 0"));
        assert_eq!(lines.last().map(Clean::as_str), Some("line 99999"));
        assert!(lines.iter().any(|line| line.as_str().contains("left out")));
        let shown: usize = lines.iter().map(|line| line.as_str().len()).sum();
        assert!(shown < 4 * KEPT, "{shown} bytes are kept");
        let all: String = (0..100_000u32)
            .map(|number| format!("line {number}\n"))
            .collect();
        assert_eq!(lines.is_same(&Text::whole(all.as_bytes())), Some(true));
    }

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut kept = Kept::default();
        kept.push(b"one\ntw");
        kept.push(b"o");
        let lines = kept.text();
        let texts: Vec<&str> = lines.iter().map(Clean::as_str).collect();
        assert_eq!(texts, ["one", "two"]);
        assert!(Kept::default().text().is_empty());
    }
}
