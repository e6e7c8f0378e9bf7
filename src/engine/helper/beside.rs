//! The program that Loadline runs beside a container that it looks at.
//!
//! It shares the container's network and nothing else, so the image under test needs no shell and
//! no network. One file, nothing but the standard library: the build script compiles it without
//! Cargo into a static program that runs on an empty image.
//!
//!     beside port PORT MILLIS                      waits until the port takes a connection
//!     beside http PORT MILLIS METHOD PATH [BODY]   asks until it is answered
//!
//! It prints `open MILLIS`, or `answer STATUS MILLIS LENGTH DIGEST`, headers, an empty line and the
//! beginning of the body, or `failed MILLIS REASON`. Length and digest are those of the whole body;
//! of one that is longer than is read, the digest is `-`.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(5);
/// The longest body that is handed over.
const BODY: usize = 64 * 1024;
/// The longest body that is read.
const WHOLE: usize = 4 * 1024 * 1024;
/// The longest head that is read.
const HEAD: usize = 16 * 1024;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let began = Instant::now();
    let (port, within, request) = match words.as_slice() {
        ["port", port, within] => (port, within, None),
        ["http", port, within, method, path] => (port, within, Some(request(method, path, ""))),
        ["http", port, within, method, path, body] => {
            (port, within, Some(request(method, path, body)))
        }
        _ => return fail(began, "the helper was asked for something that it does not know"),
    };
    let (Ok(port), Ok(within)) = (port.parse(), within.parse()) else {
        return fail(began, "the helper was given no number");
    };
    let deadline = began + Duration::from_millis(within);
    let mut reason = "nothing listens on the port".to_owned();
    while Instant::now() < deadline {
        match attempt(port, deadline, request.as_deref()) {
            Ok(answer) => return tell(began, &answer),
            Err(Some(why)) => reason = why,
            Err(None) => {}
        }
        std::thread::sleep(PAUSE);
    }
    fail(began, &reason);
}

/// The bytes of a request.
fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: loadline\r\nAccept: */*\r\n\
         Connection: close\r\n"
    );
    if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// What came of a try that worked.
enum Answer {
    Open,
    Http {
        status: u16,
        headers: Vec<String>,
        body: Vec<u8>,
        /// Whether there is no more of it.
        whole: bool,
    },
}

/// One try; the reason is worth telling where somebody listened.
fn attempt(port: u16, deadline: Instant, request: Option<&[u8]>) -> Result<Answer, Option<String>> {
    let left = |deadline: Instant| {
        deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
    };
    let local = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ];
    let mut socket = local
        .iter()
        .find_map(|address| TcpStream::connect_timeout(address, left(deadline)).ok())
        .ok_or(None)?;
    let Some(request) = request else {
        return Ok(Answer::Open);
    };
    let why = |error: std::io::Error| Some(format!("the connection broke: {}", error.kind()));
    socket.set_write_timeout(Some(left(deadline))).map_err(why)?;
    socket.write_all(request).map_err(why)?;
    let method_is_head = request.starts_with(b"HEAD ");
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    let late = || Some("it took the request and did not answer in time".to_owned());
    loop {
        // What trickles never lets a single read wait.
        if Instant::now() >= deadline {
            return Err(late());
        }
        socket.set_read_timeout(Some(left(deadline))).map_err(why)?;
        let count = match socket.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Err(late()),
            Err(error) => return Err(why(error)),
        };
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(answer) = read(&bytes, count == 0, method_is_head)? {
            return Ok(answer);
        }
        if count == 0 {
            return Err(Some("it closed the connection without an answer".to_owned()));
        }
    }
}

/// Reads an answer from what has come; `None` while it is not complete.
fn read(bytes: &[u8], ended: bool, head_only: bool) -> Result<Option<Answer>, Option<String>> {
    let no_http = || Some("what it answered is not HTTP".to_owned());
    let Some((head, rest)) = split(bytes) else {
        return if bytes.len() > HEAD { Err(no_http()) } else { Ok(None) };
    };
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    if !words.next().is_some_and(|word| word.starts_with("HTTP/1.")) {
        return Err(no_http());
    }
    let status: u16 = words.next().and_then(|word| word.parse().ok()).ok_or_else(no_http)?;
    if (100..200).contains(&status) {
        return read(rest, ended, head_only);
    }
    let headers: Vec<String> = lines.map(str::to_owned).collect();
    let value = |name: &str| {
        headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_ascii_lowercase())
        })
    };
    let chunked = value("transfer-encoding").is_some_and(|value| value.contains("chunked"));
    let (body, complete) = if head_only || status == 204 || status == 304 {
        (Cow::Borrowed([].as_slice()), true)
    } else if chunked {
        let read = unchunk(rest).map(|(body, complete)| (Cow::Owned(body), complete));
        read.unwrap_or((Cow::Borrowed(rest), false))
    } else if let Some(length) = value("content-length").and_then(|value| value.parse().ok()) {
        (Cow::Borrowed(&rest[..rest.len().min(length)]), rest.len() >= length)
    } else {
        (Cow::Borrowed(rest), ended)
    };
    // What is long enough to be cut need not be complete, nor need what was broken off.
    let whole = complete || ended;
    if !whole && rest.len() <= WHOLE {
        return Ok(None);
    }
    let body = body.into_owned();
    Ok(Some(Answer::Http { status, headers, body, whole }))
}

/// The head and what follows the empty line behind it; lines may end without a carriage return.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        let rest = &bytes[at + 1..];
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n")?;
        Some((&bytes[..at], rest))
    })
}

/// What has come of a chunked body, and whether that is all of it; `None` where it is none.
fn unchunk(mut bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Some((body, true));
        }
        body.extend_from_slice(&bytes[..size.min(bytes.len())]);
        match bytes.get(size.saturating_add(2)..) {
            Some(rest) => bytes = rest,
            None => break,
        }
    }
    Some((body, false))
}

fn tell(began: Instant, answer: &Answer) {
    let millis = began.elapsed().as_millis();
    let mut out = Vec::new();
    match answer {
        Answer::Open => out.extend_from_slice(format!("open {millis}\n").as_bytes()),
        Answer::Http { status, headers, body, whole } => {
            let mut hasher = DefaultHasher::new();
            hasher.write(body);
            let digest = if *whole { format!("{:x}", hasher.finish()) } else { "-".to_owned() };
            let first = format!("answer {status} {millis} {} {digest}\n", body.len());
            out.extend_from_slice(first.as_bytes());
            for header in headers {
                out.extend_from_slice(header.replace(['\r', '\n'], " ").as_bytes());
                out.push(b'\n');
            }
            out.push(b'\n');
            out.extend_from_slice(&body[..body.len().min(BODY)]);
        }
    }
    write(&out);
}

fn fail(began: Instant, reason: &str) {
    write(format!("failed {} {reason}\n", began.elapsed().as_millis()).as_bytes());
}

fn write(bytes: &[u8]) {
    let mut out = std::io::stdout();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}
