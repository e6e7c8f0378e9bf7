#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the task that sends files, and reads them"
)]
//! How BuildKit fetches the files of a folder: `DiffCopy` of its `FileSync` service.
//!
//! We list what the folder holds, one `Stat` each, in the order of the paths' parts. The engine
//! compares size, time and the like with what it has from the last time, and asks for the content of
//! what differs by its place in the list (`tonistiigi/fsutil`, `send.go` and `receive.go`).
//!
//! It would take a file that changed and kept its size for the one that it has if it kept its time,
//! too. Files of a context have no time of their own, so what is listed as theirs stands for their
//! content: the second 0, which layers show, and of that as many nanoseconds as the hash of the
//! bytes says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::Stream;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::Streaming;
use tonic::metadata::MetadataMap;
use tonic::server::StreamingService;

use crate::engine::ContextArchive;
use crate::engine::ContextEntries;
use crate::engine::ContextEntry;

/// Bytes of a file that are sent at once: far below what the engine takes.
const CHUNK: usize = 256 * 1024;
/// Packets on their way.
const QUEUE: usize = 64;
/// The name of the folder that BuildKit looks for the Dockerfile in.
const DOCKERFILE_FOLDER: &str = "dockerfile";

/// Go's `fs.FileMode`: what is a folder or a link besides its permissions.
const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;
/// Bits of a Unix mode and their places in Go's: set-user-id, set-group-id, sticky.
const SPECIAL: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];

/// An entry of a folder. The library's own messages hold text where names are bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Stat {
    #[prost(bytes = "bytes", tag = "1")]
    path: Bytes,
    /// Go's `fs.FileMode`.
    #[prost(uint32, tag = "2")]
    mode: u32,
    #[prost(int64, tag = "5")]
    size: i64,
    /// Nanoseconds since the epoch.
    #[prost(int64, tag = "6")]
    modified: i64,
    #[prost(bytes = "bytes", tag = "7")]
    link: Bytes,
}

/// What the two sides send each other.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Packet {
    #[prost(enumeration = "Kind", tag = "1")]
    kind: i32,
    /// Without one, the list is at its end.
    #[prost(message, optional, tag = "2")]
    stat: Option<Stat>,
    /// The place of a file in the list.
    #[prost(uint32, tag = "3")]
    id: u32,
    /// Without any, the file is at its end.
    #[prost(bytes = "bytes", tag = "4")]
    data: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum Kind {
    Stat = 0,
    Request = 1,
    Data = 2,
    Finish = 3,
    Error = 4,
}

impl Packet {
    fn new(kind: Kind) -> Self {
        let kind = kind.into();
        Self {
            kind,
            ..Self::default()
        }
    }
}

/// An entry, and where its content is.
#[derive(Debug, Clone)]
struct Listed {
    stat: Stat,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    None,
    Here(Bytes),
    Archive { at: u64, size: u64 },
}

/// What BuildKit may fetch.
#[derive(Debug)]
pub(super) struct Folders {
    archive: ContextArchive,
    context: Vec<Listed>,
    /// The bytes of the context's files.
    bytes: u64,
    has_links: bool,
    /// The Dockerfile as it is read, where that is not what lies in the context.
    dockerfile: Option<Listed>,
    sent: Arc<AtomicU64>,
}

impl Folders {
    /// The context, and the Dockerfile where it comes apart from that, by its path. `sent` counts the
    /// bytes that went to the engine; it is all of them once the engine has what it lacked.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub(super) fn of(
        archive: ContextArchive,
        dockerfile: Option<(&str, &Bytes)>,
        sent: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let entries = archive.entries()?;
        let bytes = entries.values().map(ContextEntry::size).sum();
        let is_link = |entry: &ContextEntry| matches!(entry, ContextEntry::Link(_));
        Ok(Self {
            archive,
            has_links: entries.values().any(is_link),
            context: listed(&entries),
            bytes,
            dockerfile: dockerfile.map(|(path, text)| file(path, text)),
            sent,
        })
    }

    /// The bytes of the context's files.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is listed where the engine asks: of the folder that it names, the files that it names, or
    /// all that the instructions take. It asks for the ignore file to leave out what that says: nothing
    /// of that is in a context in the first place, and a list of it may be longer than a request.
    fn wanted(&self, asked: &MetadataMap) -> Wanted {
        let values = |key: &str| -> Vec<Bytes> {
            let all = asked.get_all(key).iter();
            all.map(|value| Bytes::copy_from_slice(value.as_bytes()))
                .collect()
        };
        let named = values("include-patterns");
        let is_dockerfile = values("dir-name") == [DOCKERFILE_FOLDER];
        if !named.is_empty() && !is_dockerfile {
            return Wanted::default();
        }
        let apart = self.dockerfile.as_ref().filter(|_| is_dockerfile);
        let folder = apart.map_or(self.context.as_slice(), std::slice::from_ref);
        let taken = match asked.contains_key("followpaths-encoded") {
            true => Vec::new(),
            false => values("followpaths"),
        };
        let is_wanted = |listed: &&Listed| {
            let path = &listed.stat.path;
            (named.is_empty() || named.contains(path)) && self.is_taken(path, &taken)
        };
        Wanted {
            listed: folder.iter().filter(is_wanted).cloned().collect(),
            is_context: !is_dockerfile,
        }
    }

    /// Whether instructions that take `taken` may take what lies at a path. Where that is not plain,
    /// everything may be: a pattern matches many, and a link leads anywhere.
    fn is_taken(&self, path: &[u8], taken: &[Bytes]) -> bool {
        let is_plain = |taken: &Bytes| {
            let mut parts = taken.split(|byte| *byte == b'/');
            !taken.iter().any(|byte| b"*?[\\".contains(byte))
                && !parts.any(|part| matches!(part, b"" | b"." | b".."))
        };
        if taken.is_empty() || self.has_links || !taken.iter().all(is_plain) {
            return true;
        }
        let is_at_or_below = |path: &[u8], above: &[u8]| {
            let rest = path.strip_prefix(above);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let meets = |taken: &Bytes| is_at_or_below(path, taken) || is_at_or_below(taken, path);
        taken.iter().any(meets)
    }
}

/// What is listed for the engine.
#[derive(Debug, Default)]
struct Wanted {
    listed: Vec<Listed>,
    /// Whether it is the context, of which it is told how much was sent.
    is_context: bool,
}

/// The files of a context as they are listed.
fn listed(entries: &ContextEntries) -> Vec<Listed> {
    let one = |(parts, entry): (&Vec<Vec<u8>>, &ContextEntry)| {
        let mut stat = Stat {
            path: parts.join(&b'/').into(),
            ..Stat::default()
        };
        let content = match entry {
            ContextEntry::Folder { mode } => {
                stat.mode = FOLDER | go(*mode);
                Content::None
            }
            ContextEntry::Link(target) => {
                stat.mode = LINK | 0o777;
                stat.link = Bytes::copy_from_slice(target);
                Content::None
            }
            ContextEntry::File {
                mode,
                at,
                size,
                hash,
            } => {
                stat.mode = go(*mode);
                stat.size = (*size).try_into().unwrap_or(i64::MAX);
                stat.modified = time_of(*hash);
                Content::Archive {
                    at: *at,
                    size: *size,
                }
            }
        };
        Listed { stat, content }
    };
    entries.iter().map(one).collect()
}

/// A Unix mode as Go has it.
fn go(mode: u32) -> u32 {
    let special = SPECIAL.iter().filter(|(unix, _)| mode & unix != 0);
    special.fold(mode & 0o777, |all, (_, go)| all | go)
}

/// A file of memory.
fn file(path: &str, text: &Bytes) -> Listed {
    let stat = Stat {
        path: Bytes::copy_from_slice(path.as_bytes()),
        mode: 0o644,
        size: text.len().try_into().unwrap_or(i64::MAX),
        modified: time_of(xxhash_rust::xxh3::xxh3_64(text)),
        link: Bytes::new(),
    };
    Listed {
        stat,
        content: Content::Here(text.clone()),
    }
}

/// The time that stands for a content, within the first second.
fn time_of(hash: u64) -> i64 {
    (hash % 1_000_000_000).try_into().unwrap_or_default()
}

/// Answers one `DiffCopy`.
pub(super) struct DiffCopy(pub(super) Arc<Folders>);

type Packets = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

impl StreamingService<Packet> for DiffCopy {
    type Response = Packet;
    type ResponseStream = Packets;
    type Future = BoxFuture<'static, Result<Response<Packets>, Status>>;

    fn call(&mut self, request: Request<Streaming<Packet>>) -> Self::Future {
        let folders = Arc::clone(&self.0);
        let wanted = folders.wanted(request.metadata());
        let asked = request.into_inner();
        let (send, receive) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            // The engine asks for all files at once, and the list goes on meanwhile: whoever waited
            // for the one before the other was done would wait without end.
            let (queue, queued) = mpsc::channel(wanted.listed.len() + QUEUE);
            let listing = list(&wanted.listed, &send);
            let taking = take(asked, queue);
            let sending = folders.send(&wanted, queued, &send);
            if let Err(status) = futures_util::future::try_join3(listing, taking, sending).await {
                let _ = send.send(Err(status)).await;
            }
        });
        let packets = futures_util::stream::unfold(receive, |mut receive| async move {
            let packet = receive.recv().await?;
            Some((packet, receive))
        });
        let packets: Packets = Box::pin(packets);
        async { Ok(Response::new(packets)) }.boxed()
    }
}

type Sender = mpsc::Sender<Result<Packet, Status>>;

/// The engine no longer listens.
fn gone<E>(_: E) -> Status {
    Status::cancelled("the engine has enough")
}

/// Lists a folder.
async fn list(listed: &[Listed], send: &Sender) -> Result<(), Status> {
    for entry in listed {
        let stat = Some(entry.stat.clone());
        let packet = Packet {
            stat,
            ..Packet::new(Kind::Stat)
        };
        send.send(Ok(packet)).await.map_err(gone)?;
    }
    send.send(Ok(Packet::new(Kind::Stat))).await.map_err(gone)
}

/// Takes what the engine says as it comes, up to its end.
async fn take(
    mut said: impl Stream<Item = Result<Packet, Status>> + Unpin,
    queue: mpsc::Sender<Packet>,
) -> Result<(), Status> {
    while let Some(packet) = said.next().await.transpose()? {
        let is_end = packet.kind() == Kind::Finish;
        queue.send(packet).await.map_err(gone)?;
        if is_end {
            break;
        }
    }
    Ok(())
}

impl Folders {
    /// Sends what is asked for, until the engine has all.
    async fn send(
        &self,
        wanted: &Wanted,
        mut said: mpsc::Receiver<Packet>,
        send: &Sender,
    ) -> Result<(), Status> {
        if wanted.is_context {
            self.sent.store(0, Ordering::Relaxed);
        }
        while let Some(packet) = said.recv().await {
            match packet.kind() {
                Kind::Request => {
                    let place = usize::try_from(packet.id).unwrap_or(usize::MAX);
                    let Some(entry) = wanted.listed.get(place) else {
                        return Err(Status::out_of_range("nothing is listed there"));
                    };
                    self.send_file(packet.id, entry, wanted.is_context, send)
                        .await?;
                }
                Kind::Finish => {
                    if wanted.is_context {
                        self.sent.store(self.bytes, Ordering::Relaxed);
                    }
                    return send.send(Ok(Packet::new(Kind::Finish))).await.map_err(gone);
                }
                Kind::Error => {
                    let said = String::from_utf8_lossy(&packet.data).into_owned();
                    return Err(Status::aborted(said));
                }
                Kind::Stat | Kind::Data => {}
            }
        }
        Ok(())
    }

    /// Sends one file, and its end.
    async fn send_file(
        &self,
        id: u32,
        entry: &Listed,
        is_told: bool,
        send: &Sender,
    ) -> Result<(), Status> {
        let say = async |data: Bytes| {
            let length = data.len().try_into().unwrap_or(u64::MAX);
            let packet = Packet {
                id,
                data,
                ..Packet::new(Kind::Data)
            };
            send.send(Ok(packet)).await.map_err(gone)?;
            if is_told {
                self.sent.fetch_add(length, Ordering::Relaxed);
            }
            Ok::<(), Status>(())
        };
        match &entry.content {
            Content::None => {}
            Content::Here(text) => {
                if !text.is_empty() {
                    say(text.clone()).await?;
                }
            }
            Content::Archive { at, size } => {
                let (mut at, end) = (*at, at.saturating_add(*size));
                while at < end {
                    let chunk = self.read(at, end).await.map_err(|error| {
                        Status::data_loss(format!("the context cannot be read: {error}"))
                    })?;
                    at = at.saturating_add(chunk.len().try_into().unwrap_or(u64::MAX));
                    say(chunk).await?;
                }
            }
        }
        say(Bytes::new()).await
    }

    /// Some bytes of the archive.
    async fn read(&self, at: u64, end: u64) -> io::Result<Bytes> {
        let archive = self.archive.clone();
        let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let reading = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; left.min(CHUNK)];
            let length = archive.read_at(&mut chunk, at)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            chunk.truncate(length);
            Ok(Bytes::from(chunk))
        });
        reading.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A context of two files in a folder, and the Dockerfile apart from it.
    fn folders() -> Folders {
        let file = tempfile::tempfile().unwrap();
        let mut archive = tar::Builder::new(&file);
        let long = vec![b'x'; CHUNK + 1];
        for (name, bytes) in [("a/long", long.as_slice()), (".dockerignore", b"")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, bytes).unwrap();
        }
        archive.into_inner().unwrap().flush().unwrap();
        let text = Bytes::from_static(b"FROM a\n");
        let apart = Some(("Dockerfile", &text));
        Folders::of(ContextArchive::from(file), apart, Arc::default()).unwrap()
    }

    fn asked(pairs: &[(&'static str, &'static str)]) -> MetadataMap {
        let mut map = MetadataMap::new();
        for (key, value) in pairs {
            map.append(*key, value.parse().unwrap());
        }
        map
    }

    fn paths(listed: &[Listed]) -> Vec<String> {
        let paths = listed.iter().map(|listed| listed.stat.path.to_vec());
        paths.map(|path| String::from_utf8(path).unwrap()).collect()
    }

    #[test]
    fn each_folder_is_listed_and_of_it_what_is_named_or_taken() {
        let folders = folders();
        let listed =
            |pairs: &[(&'static str, &'static str)]| paths(&folders.wanted(&asked(pairs)).listed);
        let context = ("dir-name", "context");
        let all = [".dockerignore", "a", "a/long"];
        assert_eq!(listed(&[context]), all);
        let ignore_file = ("include-patterns", ".dockerignore");
        assert!(listed(&[context, ignore_file]).is_empty());
        let dockerfile = [
            ("dir-name", "dockerfile"),
            ("include-patterns", "Dockerfile"),
            ("include-patterns", "Dockerfile.dockerignore"),
            ("followpaths", "Dockerfile"),
        ];
        assert_eq!(listed(&dockerfile), ["Dockerfile"]);
        for taken in ["a", "a/long"] {
            assert_eq!(listed(&[context, ("followpaths", taken)]), ["a", "a/long"]);
        }
        for taken in ["a/lo", "lo", "a/long/x"] {
            let listed = listed(&[context, ("followpaths", taken)]);
            assert!(!listed.contains(&".dockerignore".to_owned()), "{taken}");
        }
        for taken in [".", "a/", "./a", "a/*", "[a]", "a\\long"] {
            assert_eq!(listed(&[context, ("followpaths", taken)]), all, "{taken}");
        }
        let encoded = [
            context,
            ("followpaths", "a%C3"),
            ("followpaths-encoded", "1"),
        ];
        assert_eq!(listed(&encoded), all);
    }

    /// What is sent where the engine says `said`, and how it ends.
    async fn sent(
        folders: &Folders,
        folder: &'static str,
        said: Vec<Packet>,
    ) -> (Vec<Packet>, Result<(), Status>) {
        let wanted = folders.wanted(&asked(&[("dir-name", folder)]));
        let (send, mut receive) = mpsc::channel(QUEUE);
        let (queue, queued) = mpsc::channel(QUEUE);
        let said = futures_util::stream::iter(said.into_iter().map(Ok));
        take(said, queue).await.unwrap();
        let ended = folders.send(&wanted, queued, &send).await;
        drop(send);
        let mut packets = Vec::new();
        while let Some(packet) = receive.recv().await {
            packets.push(packet.unwrap());
        }
        (packets, ended)
    }

    fn request(id: u32) -> Packet {
        Packet {
            id,
            ..Packet::new(Kind::Request)
        }
    }

    #[tokio::test]
    async fn what_is_asked_for_is_sent_in_parts_with_an_end_and_then_all_is_told() {
        let folders = folders();
        let said = vec![request(2), request(0), Packet::new(Kind::Finish)];
        let (packets, ended) = sent(&folders, "context", said).await;
        ended.unwrap();
        let shape: Vec<_> = packets
            .iter()
            .map(|packet| (packet.kind(), packet.id, packet.data.len()))
            .collect();
        let wanted = [
            (Kind::Data, 2, CHUNK),
            (Kind::Data, 2, 1),
            (Kind::Data, 2, 0),
            (Kind::Data, 0, 0),
            (Kind::Finish, 0, 0),
        ];
        assert_eq!(shape, wanted);
        assert_eq!(folders.sent.load(Ordering::Relaxed), folders.bytes());
    }

    #[tokio::test]
    async fn only_the_context_is_told() {
        let folders = folders();
        let (packets, ended) = sent(&folders, "dockerfile", vec![request(0)]).await;
        ended.unwrap();
        assert_eq!(packets.len(), 2);
        assert_eq!(folders.sent.load(Ordering::Relaxed), 0);
        let (_, ended) = sent(&folders, "context", vec![request(2)]).await;
        ended.unwrap();
        // Begun again, it is told anew.
        let (_, ended) = sent(&folders, "context", vec![request(2)]).await;
        ended.unwrap();
        assert_eq!(folders.sent.load(Ordering::Relaxed), folders.bytes());
    }

    #[tokio::test]
    async fn what_is_not_listed_or_goes_wrong_there_ends_it() {
        let folders = folders();
        let (_, ended) = sent(&folders, "context", vec![request(9)]).await;
        assert_eq!(ended.unwrap_err().code(), tonic::Code::OutOfRange);
        let wrong = Packet {
            data: Bytes::from_static(b"disk full"),
            ..Packet::new(Kind::Error)
        };
        let (_, ended) = sent(&folders, "context", vec![wrong]).await;
        assert_eq!(ended.unwrap_err().message(), "disk full");
    }

    #[test]
    fn modes_are_those_of_go() {
        assert_eq!(go(0o755), 0o755);
        // What Go's own `fs.FileMode` says of them.
        assert_eq!(go(0o4755), 0x0080_01ed);
        assert_eq!(go(0o2750), 0x0040_01e8);
        assert_eq!(go(0o1777), 0x0010_01ff);
    }

    #[test]
    fn another_content_of_the_same_size_has_another_time_in_the_same_second() {
        let listed = |text: &'static [u8]| file("f", &Bytes::from_static(text)).stat;
        let (one, two) = (listed(b"one"), listed(b"two"));
        assert_eq!((one.size, one.mode), (two.size, two.mode));
        assert_ne!(one.modified, two.modified);
        assert!(
            [one, two]
                .iter()
                .all(|stat| (0..1_000_000_000).contains(&stat.modified))
        );
    }
}
