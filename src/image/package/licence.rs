//! Licences as records name them, and as SPDX does.
//!
//! Debian, Python's classifiers and authors of packages each have names of their own. What has no
//! SPDX name keeps its own, as a `LicenseRef`: nothing is guessed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use spdx::Expression;
use spdx::LicenseReq;
use spdx::ParseMode;

use super::fields;
use super::record::Record;
use super::record::licence;

/// The most licences that are kept of one package.
const LICENCES: usize = 64;

/// The most words of a licence's name; more are the beginning of its text.
const WORDS: usize = 6;

/// Words that sentences have and names have not.
const OF_TEXTS: [&str; 8] = [
    "is",
    "to",
    "this",
    "may",
    "any",
    "hereby",
    "you",
    "permitted",
];

/// Deprecated names are still names of the list.
const MODE: ParseMode = ParseMode {
    allow_deprecated: true,
    ..ParseMode::STRICT
};

/// Names that are in use and are not SPDX's.
const NAMES: [(&str, &str); 40] = [
    ("expat", "MIT"),
    ("mit license", "MIT"),
    ("mit-license", "MIT"),
    ("the mit license", "MIT"),
    ("mit/x11", "MIT"),
    ("x11", "X11"),
    ("isc license", "ISC"),
    ("isc license (iscl)", "ISC"),
    ("isc", "ISC"),
    ("apache", "Apache-2.0"),
    ("apache-2", "Apache-2.0"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license, version 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("apache software license", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("the apache software license, version 2.0", "Apache-2.0"),
    ("bsd-2-clause", "BSD-2-Clause"),
    ("bsd 2-clause", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("bsd-3-clause", "BSD-3-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("3-clause bsd license", "BSD-3-Clause"),
    ("new bsd license", "BSD-3-Clause"),
    ("bsd-4-clause", "BSD-4-Clause"),
    ("bsd-4-clause-uc", "BSD-4-Clause-UC"),
    ("zlib", "Zlib"),
    ("cc0", "CC0-1.0"),
    ("bsl", "BSL-1.0"),
    ("boost", "BSL-1.0"),
    ("psf", "PSF-2.0"),
    ("psfl", "PSF-2.0"),
    ("python software foundation license", "PSF-2.0"),
    ("mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"),
    ("mpl 2.0", "MPL-2.0"),
    ("the unlicense (unlicense)", "Unlicense"),
    ("libpng", "Libpng"),
    ("eclipse public license v2.0", "EPL-2.0"),
];

static GNU: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = r"gnu (?:(?P<long>affero|lesser|library)(?: or lesser)? )?general public license";
    Regex::new(&format!(
        r"(?i)^(?:(?P<short>[al]?gpl)|(?:the )?{names})[ -]?v?(?:ersion )?(?P<version>[0-9](?:\.[0-9])?)(?P<later>\+| or later)?(?: \([al]?gplv?[0-9.]*\+?\))?$"
    ))
    .ok()
});

/// The SPDX expression that a record's licence is; `None` where a part of it has no SPDX name.
#[must_use]
pub fn spdx(text: &str) -> Option<String> {
    let written = expression(text);
    (!written.contains("LicenseRef-")).then_some(written)
}

/// The same, with a `LicenseRef` for each part that has no SPDX name.
#[must_use]
pub fn expression(text: &str) -> String {
    let text = bare(text);
    if let Ok(parsed) = Expression::parse_mode(text, MODE) {
        return parsed.to_string();
    }
    let mut written = String::new();
    for part in Parts::of(text) {
        match part {
            Part::Word(word) => written.push_str(word),
            Part::Name(name) => written.push_str(&named(name)),
        }
    }
    match Expression::parse_mode(&written, MODE) {
        Ok(parsed) => parsed.to_string(),
        Err(_) => reference(text),
    }
}

/// A text without the parentheses around all of it, which Node's packages write.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner else {
        return text;
    };
    // `(A) OR (B)` has two pairs: the first one closes before the end.
    let mut depth = 0_usize;
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return text,
            ')' => depth -= 1,
            _ => {}
        }
    }
    inner
}

/// Whether a licence can be had without any that `denied` says yes to: where a record offers a
/// choice, one allowed licence is enough.
#[must_use]
pub fn is_allowed(text: &str, denied: impl Fn(&str) -> bool) -> bool {
    let allowed = |one: &LicenseReq| {
        let name = one.license.to_string();
        let own = name.strip_prefix("LicenseRef-").unwrap_or(&name);
        !denied(own)
    };
    match Expression::parse_mode(&expression(text), MODE) {
        Ok(parsed) => parsed.evaluate(allowed),
        Err(_) => !denied(text),
    }
}

/// The version of SPDX's list of licences that names are compared with: `3.29`.
#[must_use]
pub fn list_version() -> String {
    let numbers: Vec<&str> = spdx::license_version().split('.').take(2).collect();
    numbers.join(".")
}

/// A piece of a licence's text.
enum Part<'a> {
    /// An operator with its blanks, or a parenthesis.
    Word(&'static str),
    /// A licence's name, with its exception.
    Name(&'a str),
}

struct Parts;

static OPERATORS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*,\s*(?:and|or)\s+|\s+(?:and/or|and|or)\s+|\s*[,;|]\s*").ok()
});

impl Parts {
    /// Splits at the operators, as Debian and authors write them. A comma stands for "and".
    fn of(text: &str) -> Vec<Part<'_>> {
        let Some(operators) = OPERATORS.as_ref() else {
            return vec![Part::Name(text)];
        };
        if whole(text).is_some() {
            return vec![Part::Name(text)];
        }
        let mut parts = Vec::new();
        let mut rest = 0;
        for found in operators.find_iter(text) {
            parts.push(Part::Name(
                text.get(rest..found.start()).unwrap_or_default(),
            ));
            let lower = found.as_str().to_ascii_lowercase();
            let either = lower.contains("or") || lower.contains('|');
            parts.push(Part::Word(if either { " OR " } else { " AND " }));
            rest = found.end();
        }
        parts.push(Part::Name(text.get(rest..).unwrap_or_default()));
        parts
    }
}

/// The SPDX id of a name, where the name is a known one.
fn whole(name: &str) -> Option<String> {
    let lower = name.trim().to_ascii_lowercase();
    if let Some((_, id)) = NAMES.iter().find(|(known, _)| *known == lower) {
        return Some((*id).to_owned());
    }
    // The list's own search passes over a `+` at the end.
    let exact = spdx::license_id(name.trim()).filter(|id| id.name == name.trim());
    exact.map_or_else(|| gnu(name.trim()), |id| Some(id.name.to_owned()))
}

fn named(name: &str) -> String {
    whole(name).unwrap_or_else(|| match Expression::parse_mode(name.trim(), MODE) {
        Ok(parsed) => parsed.to_string(),
        Err(_) => reference(name),
    })
}

/// GNU's licences: `GPL-2+`, `LGPLv2.1`, `GNU General Public License v3 or later (GPLv3+)`.
fn gnu(name: &str) -> Option<String> {
    let found = GNU.as_ref()?.captures(name)?;
    let part = |group: &str| {
        found
            .name(group)
            .map(|found| found.as_str().to_ascii_uppercase())
    };
    let base = part("short").unwrap_or_else(|| match part("long").as_deref() {
        Some("AFFERO") => String::from("AGPL"),
        Some(_) => String::from("LGPL"),
        None => String::from("GPL"),
    });
    let mut version = part("version")?;
    if !version.contains('.') {
        version.push_str(".0");
    }
    let ending = if part("later").is_some() {
        "or-later"
    } else {
        "only"
    };
    let id = format!("{base}-{version}-{ending}");
    spdx::license_id(&id).map(|id| id.name.to_owned())
}

/// A name of our own for a licence without one.
fn reference(name: &str) -> String {
    let mut own = String::from("LicenseRef-");
    for c in name.trim().chars().take(100) {
        let sound = c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        match sound {
            true => own.push(c),
            false if own.ends_with('-') => {}
            false => own.push('-'),
        }
    }
    let trimmed = own.trim_end_matches('-');
    match trimmed {
        "LicenseRef" => String::from("LicenseRef-unnamed"),
        trimmed => trimmed.to_owned(),
    }
}

/// Reads a Debian package's `copyright`: its `License:` fields where it is in the machine-readable
/// form, otherwise the common licences that it points to.
pub(super) fn copyright(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let mut found = BTreeSet::new();
    let formal = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.starts_with("Format"));
    if formal {
        let names = fields::paragraphs(&text).flat_map(|paragraph| {
            let names: Vec<String> = paragraph.all("License").filter_map(short).collect();
            names
        });
        found.extend(names.take(LICENCES));
    } else {
        let pieces = text.split("/usr/share/common-licenses/").skip(1);
        found.extend(pieces.filter_map(common).take(LICENCES));
    }
    Record::Licences(found.into_iter().collect())
}

/// A licence's name; `None` for the beginning of its text.
fn short(value: &str) -> Option<String> {
    let names = |part: &Part<'_>| match part {
        Part::Name(name) => {
            let words: Vec<&str> = name.split_whitespace().collect();
            words.len() <= WORDS && !words.iter().any(|word| OF_TEXTS.contains(word))
        }
        Part::Word(_) => true,
    };
    licence(value).filter(|value| Parts::of(value).iter().all(names))
}

/// The file name at the beginning of a text.
fn common(rest: &str) -> Option<String> {
    let name: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        .take(40)
        .collect();
    licence(name.trim_end_matches(['.', '-']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_others_become_spdx_ids() {
        for (name, id) in [
            ("MIT", "MIT"),
            ("Expat", "MIT"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPL-2", "GPL-2.0-only"),
            ("LGPLv2.1+", "LGPL-2.1-or-later"),
            ("GPL-2.0", "GPL-2.0"),
            ("AGPLv3", "AGPL-3.0-only"),
            (
                "GNU General Public License v3 or later (GPLv3+)",
                "GPL-3.0-or-later",
            ),
            (
                "GNU Lesser General Public License v2 (LGPLv2)",
                "LGPL-2.0-only",
            ),
            ("GNU Affero General Public License v3", "AGPL-3.0-only"),
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("BSD-3-clause or GPL-2", "BSD-3-Clause OR GPL-2.0-only"),
            (
                "GPL-2+ and LGPL-2.1+",
                "GPL-2.0-or-later AND LGPL-2.1-or-later",
            ),
            ("MIT, BSD-2-clause", "MIT AND BSD-2-Clause"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            (
                "Apache-2.0 WITH LLVM-exception",
                "Apache-2.0 WITH LLVM-exception",
            ),
        ] {
            assert_eq!(spdx(name).as_deref(), Some(id), "{name}");
        }
    }

    #[test]
    fn what_has_no_spdx_name_keeps_its_own() {
        for (name, written) in [
            ("BSD", "LicenseRef-BSD"),
            ("public-domain", "LicenseRef-public-domain"),
            (
                "Artistic or GPL-1+",
                "LicenseRef-Artistic OR GPL-1.0-or-later",
            ),
            (
                "GPL-2+ with Autoconf exception",
                "LicenseRef-GPL-2-with-Autoconf-exception",
            ),
            (
                "SEE LICENSE IN README.md",
                "LicenseRef-SEE-LICENSE-IN-README.md",
            ),
            ("(odd", "LicenseRef-odd"),
            ("***", "LicenseRef-unnamed"),
        ] {
            assert_eq!(expression(name), written, "{name}");
            assert_eq!(spdx(name), None, "{name}");
        }
    }

    #[test]
    fn a_choice_needs_one_allowed_licence() {
        let no_gpl = |text: &str| is_allowed(text, |id| id.starts_with("GPL"));
        assert!(no_gpl("MIT") && no_gpl("MIT OR GPL-2.0-only") && no_gpl("BSD"));
        assert!(!no_gpl("GPL-2+") && !no_gpl("MIT AND GPL-2.0-only"));
        assert!(!is_allowed("WTFPL", |id| id == "WTFPL"));
        assert!(!is_allowed("Beerware thing", |id| id == "Beerware-thing"));
    }

    #[test]
    fn copyright_files_name_licences_in_either_form() {
        let formal = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
            Files: *\nLicense: GPL-2+ or MIT\n\nLicense: GPL-2+\n the whole text\n\n\
            License: Permission is hereby granted, free of charge, to any person obtaining\n";
        let names = |text: &str| match copyright(text.as_bytes()) {
            Record::Licences(names) => names,
            other => panic!("{other:?}"),
        };
        assert_eq!(names(formal), ["GPL-2+", "GPL-2+ or MIT"]);
        let prose =
            "See `/usr/share/common-licenses/GPL-2'.\nAnd /usr/share/common-licenses/LGPL-2.1.\n";
        assert_eq!(names(prose), ["GPL-2", "LGPL-2.1"]);
        assert!(names("nothing at all").is_empty());
    }

    proptest! {
        #[test]
        fn every_text_becomes_a_valid_expression(text in "[A-Za-z0-9+.() ,/-]{0,40}") {
            let written = expression(&text);
            prop_assert!(Expression::parse_mode(&written, MODE).is_ok(), "{}", written);
        }
    }
}
