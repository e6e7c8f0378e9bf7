//! What programs expect of any system, and a small image may not have: certificate authorities, time
//! zones, `/tmp`, an entry for its user, a home.

use super::libraries::Libraries;
use super::remark::Remark;
use super::remark::RemarkKind;
use super::remark::Weight;
use crate::image::Config;
use crate::image::Contents;
use crate::image::tree::Tree;
use crate::image::user::Identity;

/// Where programs look for certificate authorities, by distribution.
const CERTIFICATES: [&str; 7] = [
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/pki/tls/cacert.pem",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "etc/ssl/cert.pem",
    "usr/local/share/certs/ca-root-nss.crt",
];

/// Where time zones are; one of them is in every set.
const ZONES: [&str; 4] = [
    "usr/share/zoneinfo/Europe",
    "usr/share/zoneinfo/Etc",
    "usr/share/lib/zoneinfo/Europe",
    "usr/lib/locale/TZ/Europe",
];

pub(super) fn remarks(
    contents: &Contents,
    tree: &Tree<'_>,
    libraries: &Libraries<'_>,
) -> Vec<Remark> {
    let mut found = Vec::new();
    let here = |path: &str| tree.find(path).is_ok() || holds(tree, path);
    if !CERTIFICATES.iter().any(|path| here(path)) {
        found.push(Remark::new(
            RemarkKind::NoCertificates,
            Weight::Note,
            "No usual place has a list of certificate authorities: a program that brings none cannot tell whom to trust on the network.",
        ));
    }
    if !ZONES.iter().any(|path| here(path)) && !has_own_zones(tree) {
        found.push(Remark::new(
            RemarkKind::NoTimeZones,
            Weight::Note,
            "No time zones are here: a program that brings none knows UTC alone.",
        ));
    }
    if !here("tmp") {
        found.push(Remark::new(
            RemarkKind::NoTmp,
            Weight::Note,
            "There is no /tmp: a program that writes temporary files there fails.",
        ));
    }
    found.extend(of_user(&contents.config, tree, libraries));
    found
}

/// Whether something lies below a folder that has no entry of its own.
fn holds(tree: &Tree<'_>, folder: &str) -> bool {
    let below = |path: String| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    tree.paths().any(below)
}

/// Zones that a language brings: Go's archive, Python's package.
fn has_own_zones(tree: &Tree<'_>) -> bool {
    let mut paths = tree.paths();
    paths.any(|path| {
        path.ends_with("/lib/time/zoneinfo.zip") || path.ends_with("/tzdata/zoneinfo/UTC")
    })
}

/// A line of `/etc/passwd`.
struct Account {
    name: String,
    uid: String,
    home: String,
}

fn accounts(passwd: &[u8]) -> Vec<Account> {
    let text = String::from_utf8_lossy(passwd);
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            Some(Account {
                name: (*fields.first()?).to_owned(),
                uid: (*fields.get(2)?).to_owned(),
                home: (*fields.get(5)?).to_owned(),
            })
        })
        .collect()
}

/// A group that the image runs as and does not know.
fn of_group(config: &Config, tree: &Tree<'_>, libraries: &Libraries<'_>) -> Option<Remark> {
    let (_, group) = config.user.trim().split_once(':')?;
    let is_there = tree.find("etc/group").is_ok();
    let file = match libraries.file("etc/group") {
        Some(file) => String::from_utf8_lossy(file),
        // Without its content nothing can be said of an entry.
        None if is_there => return None,
        None => "".into(),
    };
    // Whatever the user is: only the group is asked about.
    Identity::resolve(&format!("0:{group}"), "", &file).err()?;
    let file = if is_there {
        "The image's /etc/group"
    } else {
        "The image has no /etc/group, so that it"
    };
    Some(Remark::new(
        RemarkKind::UnknownUser,
        Weight::Problem,
        format!(
            "{file} does not know the group `{group}` that it runs as: a container of it does not start."
        ),
    ))
}

fn of_user(config: &Config, tree: &Tree<'_>, libraries: &Libraries<'_>) -> Vec<Remark> {
    let mut found = Vec::new();
    let user = config.user.split(':').next().unwrap_or_default();
    let wanted = if user.is_empty() { "0" } else { user };
    let is_number = wanted.parse::<u64>().is_ok();
    let passwd = libraries.file("etc/passwd");
    let is_there = tree.find("etc/passwd").is_ok();
    // Without its content nothing can be said of an entry.
    if is_there && passwd.is_none() {
        return found;
    }
    let accounts = passwd.map(accounts).unwrap_or_default();
    // A number is never a name.
    let account = accounts.iter().find(|account| {
        let key = if is_number {
            &account.uid
        } else {
            &account.name
        };
        key == wanted
    });
    let file = if is_there {
        "The image's /etc/passwd"
    } else {
        "The image has no /etc/passwd, so that it"
    };
    match account {
        None if !is_number => found.push(Remark::new(
            RemarkKind::UnknownUser,
            Weight::Problem,
            format!("{file} does not know the user `{user}` that it runs as: a container of it does not start."),
        )),
        None if wanted != "0" => found.push(Remark::new(
            RemarkKind::UnknownUser,
            Weight::Note,
            format!("{file} has no entry for user {wanted}: a program that asks for its user's name or home finds none."),
        )),
        _ => {}
    }
    found.extend(of_group(config, tree, libraries));
    let own = config
        .env
        .iter()
        .find_map(|line| line.strip_prefix("HOME="));
    let home = own.or_else(|| account.map(|account| account.home.as_str()));
    if let Some(home) = home.filter(|home| !home.is_empty() && *home != "/")
        && !home.starts_with("/nonexistent")
        && tree.find(home).is_err()
        && !holds(tree, home.trim_matches('/'))
    {
        found.push(Remark::new(
            RemarkKind::NoHome,
            Weight::Note,
            format!(
                "Its user's home, {home}, is not there: a program that keeps something in it fails."
            ),
        ));
    }
    found
}
