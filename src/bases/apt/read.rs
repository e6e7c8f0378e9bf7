//! Reading what the host's apt says: which mirror it uses, which files a request needs, how far a
//! download is, and what an error means. Pure.

use crate::bases::apt::AptError;
use crate::text::Clean;

/// What [`mirrors`] reads: fields of `apt-get indextargets`.
pub(super) const TARGET_FORMAT: &str = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(LABEL)";

/// Suites of Debian; other vendors use the same names, so they are the last clue only.
const SUITES: [&str; 7] = [
    "bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing",
];

/// Where packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrors {
    /// The archive.
    pub main: String,
    /// Its security updates.
    pub security: String,
}

impl Mirrors {
    /// The mirrors under one address given by hand: security updates are its sibling.
    pub(super) fn of(main: &str) -> Self {
        let main = main.trim_end_matches('/').to_owned();
        Self {
            security: format!("{main}-security"),
            main,
        }
    }
}

/// The mirrors that the host's configuration names, read from [`TARGET_FORMAT`] lines.
///
/// The label tells Debian from others where the host has an index; before its first update the
/// address does: other vendors use Debian's suite names too, but not its folder names.
pub(super) fn mirrors(targets: &str) -> Option<Mirrors> {
    let mut main: Option<(u8, String)> = None;
    let mut security = None;
    for line in targets.lines() {
        let mut fields = line.split('|');
        let (Some(address), Some(suite), Some("main"), Some(label)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let address = address.trim_end_matches('/');
        if address.starts_with("cdrom:") {
            continue;
        }
        let folder = address.rsplit('/').next().unwrap_or_default();
        let labelled = !label.starts_with("$(");
        let known = SUITES.contains(&suite.split(['-', '/']).next().unwrap_or_default());
        if label == "Debian-Security" || (!labelled && known && folder == "debian-security") {
            security.get_or_insert_with(|| address.to_owned());
            continue;
        }
        let rank = match (label == "Debian", labelled, known && folder == "debian") {
            (true, ..) => 2,
            (false, false, true) => 1,
            _ => continue,
        };
        if main.as_ref().is_none_or(|(best, _)| rank > *best) {
            main = Some((rank, address.to_owned()));
        }
    }
    let mut mirrors = Mirrors::of(&main?.1);
    if let Some(security) = security {
        mirrors.security = security;
    }
    Some(mirrors)
}

/// A file that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) file: String,
    pub(super) size: u64,
    pub(super) sha256: String,
}

/// Reads `--print-uris` lines: `'address' file size SHA256:digest`.
pub(super) fn wanted(text: &str) -> Vec<Wanted> {
    text.lines()
        .filter(|line| line.starts_with('\''))
        .filter_map(|line| {
            let mut fields = line.rsplitn(4, ' ');
            let sha256 = fields.next()?.strip_prefix("SHA256:")?.to_owned();
            let size = fields.next()?.parse().ok()?;
            let file = fields.next()?.to_owned();
            // It becomes a path in the cache: a name is all it may be.
            let plain = !file.contains('/') && file.ends_with(".deb");
            plain.then_some(Wanted { file, size, sha256 })
        })
        .collect()
}

/// `name_version_architecture.deb` taken apart; apt writes a colon of the version as `%3a`.
pub(super) fn file_name(file: &str) -> Option<(String, String, String)> {
    let mut parts = file.strip_suffix(".deb")?.split('_');
    let (name, version, architecture) = (parts.next()?, parts.next()?, parts.next()?);
    let version = version.replace("%3a", ":").replace("%3A", ":");
    Some((name.to_owned(), version, architecture.to_owned()))
}

/// The share of a download that is done, from a status line `dlstatus:nth:percent:text`.
pub(super) fn percent(line: &str) -> Option<f64> {
    let mut fields = line.strip_prefix("dlstatus:")?.split(':');
    fields.nth(1)?.parse().ok()
}

/// What a failed run of apt means.
pub(super) fn failure(output: &str) -> AptError {
    let mut said = output
        .lines()
        .filter(|line| line.starts_with("E:") || line.starts_with("Err:"))
        .chain(output.lines().filter(|line| line.starts_with("W:")));
    let detail = Clean::line(
        said.next()
            .or_else(|| output.lines().last())
            .unwrap_or_default(),
    );
    let has = |words: &[&str]| words.iter().any(|word| output.contains(word));
    let line_with = |words: &[&str]| {
        let mut lines = output.lines();
        lines.find(|line| words.iter().any(|word| line.contains(word)))
    };
    if has(&["No space left on device", "enough free space"]) {
        return AptError::DiskFull(line_with(&["space"]).map_or(detail, Clean::line));
    }
    if has(&[
        "NO_PUBKEY",
        "EXPKEYSIG",
        "BADSIG",
        "REVKEYSIG",
        "is not signed",
        "Missing key",
        "signature",
        "Hash Sum mismatch",
    ]) {
        let about = [
            "NO_PUBKEY",
            "EXPKEYSIG",
            "BADSIG",
            "REVKEYSIG",
            "Missing key",
            "is not signed",
            "Hash Sum",
        ];
        return AptError::Signature(line_with(&about).map_or(detail, Clean::line));
    }
    let network = [
        "Could not resolve",
        "Temporary failure resolving",
        "Could not connect",
        "Unable to connect",
        "Connection failed",
        "Connection timed out",
        "Network is unreachable",
        "connection timed out",
        "Cannot initiate the connection",
        "Failed to fetch",
    ];
    if let Some(line) = line_with(&network) {
        return AptError::Network(Clean::line(line));
    }
    // The address with its answer is another line than the first.
    line_with(&["have a Release file"]).map_or(AptError::Refused(detail), |line| {
        AptError::NoRelease(Clean::line(line.trim_start_matches("E: ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_tells_the_distribution_from_others() {
        let targets = "https://vendor.example/linux/debian/|trixie|main|Vendor\n\
                       http://mirror.example/debian/|trixie|main|Debian\n\
                       http://mirror.example/debian-security/|trixie-security|main|Debian-Security\n";
        let mirrors = mirrors(targets).expect("there is one");
        assert_eq!(mirrors.main, "http://mirror.example/debian");
        assert_eq!(mirrors.security, "http://mirror.example/debian-security");
    }

    #[test]
    fn before_the_first_update_the_address_tells() {
        let targets = "https://vendor.example/linux/debian/|bookworm|stable|$(LABEL)\n\
                       cdrom://disc/|bookworm|main|$(LABEL)\n\
                       http://mirror.example/debian/|bookworm|main|$(LABEL)\n";
        let mirrors = mirrors(targets).expect("there is one");
        assert_eq!(mirrors.main, "http://mirror.example/debian");
        assert_eq!(mirrors.security, "http://mirror.example/debian-security");
        assert_eq!(
            super::mirrors("http://x.example/ubuntu/|noble|main|Ubuntu\n"),
            None
        );
    }

    #[test]
    fn files_that_a_request_needs_are_read() {
        let digest = "ab".repeat(32);
        let text = format!(
            "Reading package lists...\n'http://m.example/c/c_1%2b2_amd64.deb' c_1%3a1+2_amd64.deb 42 SHA256:{digest}\n'http://m.example/x' ../x.deb 1 SHA256:{digest}\n"
        );
        let wanted = wanted(&text);
        assert_eq!(
            wanted.len(),
            1,
            "a path that leaves the folder is not a file name"
        );
        assert_eq!(
            (wanted[0].size, wanted[0].sha256.as_str()),
            (42, digest.as_str())
        );
        assert_eq!(
            file_name(&wanted[0].file),
            Some(("c".to_owned(), "1:1+2".to_owned(), "amd64".to_owned()))
        );
    }

    #[test]
    fn progress_is_read_from_status_lines() {
        assert_eq!(
            percent("dlstatus:18:2.9827:Retrieving file 18 of 455"),
            Some(2.9827)
        );
        assert_eq!(percent("pmstatus:x:1:y"), None);
    }

    #[test]
    fn failures_are_told_apart() {
        let cases = [
            (
                "Err:1 http://m trixie InRelease\n  Could not resolve 'm'\nE: Failed to fetch http://m",
                "Network",
            ),
            (
                "W: GPG error: http://m trixie InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 6ED0E7B8\nE: The repository is not signed.",
                "Signature",
            ),
            (
                "E: Write error - write (28: No space left on device)",
                "DiskFull",
            ),
            (
                "Ign:1 http://m/x trixie InRelease\nErr:2 http://m/x trixie Release\n  404  Not Found\nE: The repository 'http://m/x trixie Release' does not have a Release file.",
                "NoRelease(Clean(\"The repository 'http://m/x trixie Release' does not",
            ),
            ("E: Unable to locate package nope", "Refused"),
        ];
        for (output, wanted) in cases {
            let failure = format!("{:?}", failure(output));
            assert!(failure.starts_with(wanted), "{failure}");
        }
    }
}
