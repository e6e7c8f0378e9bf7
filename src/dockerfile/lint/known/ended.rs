//! Releases whose support has ended, with the month in which it did.
//!
//! From the calendars that the projects publish: Debian (long-term support), Ubuntu (standard
//! support), Alpine, Node.js, Python, Go (the two newest releases), Ruby, PHP, Postgres, and `centos`.
//! Only what had ended when this was written is here, so no clock is asked.

use super::super::super::reference::ImageName;
use super::distroless;
use super::official;

/// A release without support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Ended {
    /// `Node 18`
    pub(in super::super) what: &'static str,
    /// `April 2025`
    pub(in super::super) when: &'static str,
}

/// The image, how its tag begins, the release, and its last month.
type Row = (&'static str, &'static str, &'static str, &'static str);

const RELEASES: &[Row] = &[
    ("debian", "8", "Debian 8", "June 2020"),
    ("debian", "jessie", "Debian 8", "June 2020"),
    ("debian", "9", "Debian 9", "June 2022"),
    ("debian", "stretch", "Debian 9", "June 2022"),
    ("debian", "10", "Debian 10", "June 2024"),
    ("debian", "buster", "Debian 10", "June 2024"),
    ("debian", "11", "Debian 11", "August 2026"),
    ("debian", "bullseye", "Debian 11", "August 2026"),
    ("ubuntu", "14.04", "Ubuntu 14.04", "April 2019"),
    ("ubuntu", "16.04", "Ubuntu 16.04", "April 2021"),
    ("ubuntu", "xenial", "Ubuntu 16.04", "April 2021"),
    ("ubuntu", "18.04", "Ubuntu 18.04", "May 2023"),
    ("ubuntu", "bionic", "Ubuntu 18.04", "May 2023"),
    ("ubuntu", "20.04", "Ubuntu 20.04", "May 2025"),
    ("ubuntu", "focal", "Ubuntu 20.04", "May 2025"),
    ("alpine", "3.14", "Alpine 3.14", "May 2023"),
    ("alpine", "3.15", "Alpine 3.15", "November 2023"),
    ("alpine", "3.16", "Alpine 3.16", "May 2024"),
    ("alpine", "3.17", "Alpine 3.17", "November 2024"),
    ("alpine", "3.18", "Alpine 3.18", "May 2025"),
    ("alpine", "3.19", "Alpine 3.19", "November 2025"),
    ("alpine", "3.20", "Alpine 3.20", "April 2026"),
    ("alpine", "3.21", "Alpine 3.21", "November 2026"),
    ("node", "10", "Node 10", "April 2021"),
    ("node", "12", "Node 12", "April 2022"),
    ("node", "14", "Node 14", "April 2023"),
    ("node", "16", "Node 16", "September 2023"),
    ("node", "17", "Node 17", "June 2022"),
    ("node", "18", "Node 18", "April 2025"),
    ("node", "19", "Node 19", "June 2023"),
    ("node", "20", "Node 20", "April 2026"),
    ("node", "21", "Node 21", "June 2024"),
    ("node", "23", "Node 23", "June 2025"),
    ("node", "25", "Node 25", "June 2026"),
    ("python", "2", "Python 2", "January 2020"),
    ("python", "3.6", "Python 3.6", "December 2021"),
    ("python", "3.7", "Python 3.7", "June 2023"),
    ("python", "3.8", "Python 3.8", "October 2024"),
    ("python", "3.9", "Python 3.9", "October 2025"),
    ("python", "3.10", "Python 3.10", "October 2026"),
    ("golang", "1.18", "Go 1.18", "February 2023"),
    ("golang", "1.19", "Go 1.19", "August 2023"),
    ("golang", "1.20", "Go 1.20", "February 2024"),
    ("golang", "1.21", "Go 1.21", "August 2024"),
    ("golang", "1.22", "Go 1.22", "February 2025"),
    ("golang", "1.23", "Go 1.23", "August 2025"),
    ("golang", "1.24", "Go 1.24", "February 2026"),
    ("golang", "1.25", "Go 1.25", "August 2026"),
    ("ruby", "2", "Ruby 2", "March 2023"),
    ("ruby", "3.0", "Ruby 3.0", "April 2024"),
    ("ruby", "3.1", "Ruby 3.1", "March 2025"),
    ("ruby", "3.2", "Ruby 3.2", "March 2026"),
    ("php", "5", "PHP 5", "December 2018"),
    ("php", "7", "PHP 7", "November 2022"),
    ("php", "8.0", "PHP 8.0", "November 2023"),
    ("php", "8.1", "PHP 8.1", "December 2025"),
    ("postgres", "11", "PostgreSQL 11", "November 2023"),
    ("postgres", "12", "PostgreSQL 12", "November 2024"),
    ("postgres", "13", "PostgreSQL 13", "November 2025"),
    ("postgres", "14", "PostgreSQL 14", "November 2026"),
    ("centos", "", "CentOS", "June 2024"),
    ("openjdk", "", "the image `openjdk`", "July 2022"),
];

/// The release of an image, where its support has ended.
pub(in super::super) fn ended(name: &ImageName) -> Option<Ended> {
    if let Some(image) = distroless(name) {
        let (_, release) = image.rsplit_once("-debian")?;
        return find("debian", release);
    }
    let tag = name.tag.as_deref().unwrap_or_default();
    find(official(name)?, tag)
}

fn find(image: &str, tag: &str) -> Option<Ended> {
    let ends_well = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-']);
    let fits = |row: &&Row| {
        row.0 == image && (row.1.is_empty() || tag.strip_prefix(row.1).is_some_and(ends_well))
    };
    RELEASES
        .iter()
        .find(fits)
        .map(|(_, _, what, when)| Ended { what, when })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_the_tag() {
        let what =
            |text: &str| ended(&ImageName::parse(text).expect("a reference")).map(|one| one.what);
        assert_eq!(what("node:18-slim"), Some("Node 18"));
        assert_eq!(what("node:18.20.4"), Some("Node 18"));
        assert_eq!(what("node:22"), None);
        assert_eq!(what("golang:1.2"), None);
        assert_eq!(what("golang:1.26"), None);
        assert_eq!(what("python:3.1"), None);
        assert_eq!(what("python:3.10-slim"), Some("Python 3.10"));
        assert_eq!(what("golang:1.21-alpine"), Some("Go 1.21"));
        assert_eq!(what("ubuntu:focal-20240530"), Some("Ubuntu 20.04"));
        assert_eq!(
            what("gcr.io/distroless/cc-debian11:nonroot"),
            Some("Debian 11")
        );
        assert_eq!(what("centos"), Some("CentOS"));
        assert_eq!(what("corp.example/node:14"), None);
    }
}
