//! Fetches one archive over HTTP so that nothing that has come is fetched again.
//!
//! What has come lies in a partial file beside a note of what it is part of. The rest is asked for
//! with `Range` and `If-Range`: a server whose archive has changed meanwhile answers with the whole
//! of the new one.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: the network, and the partial file"
)]

use std::fs;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use ureq::Agent;
use ureq::Body;
use ureq::http::HeaderMap;
use ureq::http::Response;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use super::AdvisoriesError;
use super::archive::Limits;
use super::import;
use super::manifest::Origin;
use crate::text::Clean;
use crate::text::io_cause;
use crate::units::Bytes;

/// How long a server may take to be reached, and to say its first word.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How long nothing may come in the middle of an archive.
const SILENCE: Duration = Duration::from_secs(60);

/// What came of asking for an archive.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is still the one that is known.
    Unchanged,
    /// It is here.
    Came(PathBuf, Origin),
}

/// What a partial file is part of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    url: String,
    /// What `If-Range` may say: a strong entity tag, or a date.
    validator: Option<String>,
    etag: Option<String>,
    total: Option<u64>,
}

/// A client that honours the host's proxies (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) and the
/// certificates that the host trusts, a company's own among them.
pub(super) fn client() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_recv_response(Some(ANSWER_WITHIN))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("loadline/", env!("CARGO_PKG_VERSION")))
        // A body that a proxy packs again has other bytes than the ones that were announced.
        .accept_encoding("identity")
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build(),
        )
        .build()
        .new_agent()
}

/// One archive on its way.
pub(super) struct Fetch<'a> {
    pub(super) client: &'a Agent,
    pub(super) url: &'a str,
    /// Where the partial file is, without its ending.
    pub(super) stem: PathBuf,
    /// The entity tag of the archive that is known already.
    pub(super) known: Option<&'a str>,
    pub(super) cancel: &'a CancellationToken,
}

impl Fetch<'_> {
    fn partial(&self) -> PathBuf {
        self.stem.with_extension("part")
    }

    fn note(&self) -> PathBuf {
        self.stem.with_extension("note")
    }

    /// The finished archive.
    pub(super) fn whole(&self) -> PathBuf {
        self.stem.with_extension("zip")
    }

    /// Fetches it.
    ///
    /// # Errors
    /// When it cannot be had whole; what has come is kept.
    pub(super) fn run(
        &self,
        progress: &mut dyn FnMut(Bytes, Option<Bytes>),
    ) -> Result<Answer, AdvisoriesError> {
        // A server that no longer wants to go on where it stopped is asked for the whole once.
        for _ in 0..2 {
            let (have, note) = self.have();
            let response = self.ask(have, &note)?;
            let status = response.status().as_u16();
            let begins = match status {
                304 if self.known.is_some() => return Ok(Answer::Unchanged),
                200 => 0,
                206 if range_start(response.headers()) == Some(have) => have,
                206 | 412 | 416 => {
                    self.forget();
                    continue;
                }
                status => {
                    return Err(AdvisoriesError::Status {
                        place: self.url.to_owned(),
                        status,
                    });
                }
            };
            let note = self.keep_note(response.headers(), begins, note)?;
            return self.receive(response, begins, &note, progress);
        }
        Err(self.corrupt("the server gives no part of it that fits"))
    }

    /// How much has come, and of what.
    fn have(&self) -> (u64, Note) {
        let note: Option<Note> = fs::read(self.note())
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        let have = fs::metadata(self.partial()).map_or(0, |about| about.len());
        match note {
            Some(note)
                if note.url == self.url
                    && note.validator.is_some()
                    && note.total.is_none_or(|total| have < total) =>
            {
                (have, note)
            }
            _ => {
                self.forget();
                (0, Note::default())
            }
        }
    }

    /// Removes what has come.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(self.partial());
        let _ = fs::remove_file(self.note());
        let _ = fs::remove_file(self.whole());
    }

    fn ask(&self, have: u64, note: &Note) -> Result<Response<Body>, AdvisoriesError> {
        let mut request = self.client.get(self.url);
        if have > 0 {
            request = request.header("range", format!("bytes={have}-"));
            if let Some(validator) = &note.validator {
                request = request.header("if-range", validator);
            }
        } else if let Some(known) = self.known {
            request = request.header("if-none-match", known);
        }
        request.call().map_err(|error| match error {
            ureq::Error::Io(error) => self.network(&io_cause(&error), have),
            error => self.network(&error.to_string(), have),
        })
    }

    /// Notes what is coming before its first byte is written.
    fn keep_note(
        &self,
        headers: &HeaderMap,
        begins: u64,
        before: Note,
    ) -> Result<Note, AdvisoriesError> {
        if begins > 0 {
            return Ok(before);
        }
        let text = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            (!value.is_empty() && value.len() < 200).then(|| value.to_owned())
        };
        let etag = text("etag");
        let strong = etag.clone().filter(|etag| !etag.starts_with("W/"));
        let total = text("content-length").and_then(|length| length.parse().ok());
        let note = Note {
            url: self.url.to_owned(),
            validator: strong.or_else(|| text("last-modified")),
            etag,
            total,
        };
        self.forget();
        let json = serde_json::to_vec(&note).unwrap_or_default();
        import::write(&self.note(), &json)?;
        Ok(note)
    }

    fn receive(
        &self,
        response: Response<Body>,
        begins: u64,
        note: &Note,
        progress: &mut dyn FnMut(Bytes, Option<Bytes>),
    ) -> Result<Answer, AdvisoriesError> {
        let partial = self.partial();
        let failed = |error| AdvisoriesError::file(&partial, error);
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&partial)
            .map_err(failed)?;
        let most = Limits::default().archive;
        let mut have = begins;
        let mut body = response
            .into_body()
            .into_with_config()
            .limit(u64::MAX)
            .reader();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            if self.cancel.is_cancelled() {
                return Err(AdvisoriesError::Cancelled);
            }
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return Err(self.network(&io_cause(&error), have)),
            };
            file.write_all(buffer.get(..count).unwrap_or_default())
                .map_err(failed)?;
            have += count as u64;
            if Bytes(have) > most {
                self.forget();
                return Err(AdvisoriesError::TooMuch {
                    place: self.url.to_owned(),
                    why: format!("it has more than {most}"),
                });
            }
            progress(Bytes(have), note.total.map(Bytes));
        }
        file.sync_all().map_err(failed)?;
        self.settle(have, note)
    }

    /// Checks the size and gives the archive its name.
    fn settle(&self, have: u64, note: &Note) -> Result<Answer, AdvisoriesError> {
        match note.total {
            Some(total) if have < total => {
                return Err(self.network("the connection ended in the middle", have));
            }
            Some(total) if have > total => {
                self.forget();
                return Err(self.corrupt("it has more bytes than were announced"));
            }
            _ => {}
        }
        let whole = self.whole();
        fs::rename(self.partial(), &whole).map_err(|error| AdvisoriesError::file(&whole, error))?;
        let (sha256, bytes) = import::digest(&whole)?;
        let origin = Origin {
            place: self.url.to_owned(),
            sha256,
            bytes,
            etag: note.etag.clone(),
        };
        Ok(Answer::Came(whole, origin))
    }

    fn network(&self, why: &str, kept: u64) -> AdvisoriesError {
        AdvisoriesError::Network {
            place: self.url.to_owned(),
            why: Clean::line(why),
            kept: Bytes(kept),
        }
    }

    fn corrupt(&self, why: &str) -> AdvisoriesError {
        AdvisoriesError::Corrupt {
            place: self.url.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// The first byte of a partial answer: `bytes 200-999/1000`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get("content-range")?.to_str().ok()?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.trim().parse().ok()
}

/// Removes partial files whose archive was imported.
pub(super) fn clean(folder: &Path) {
    if let Ok(entries) = fs::read_dir(folder) {
        for entry in entries.flatten() {
            let done = entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "zip");
            if done {
                let _ = fs::remove_file(entry.path());
                let _ = fs::remove_file(entry.path().with_extension("note"));
            }
        }
    }
}
