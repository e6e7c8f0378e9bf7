//! `package`: a package is installed in the image, or is not.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::evidence::Noting;
use super::field::Scalar;
use super::field::some_scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;
use crate::finding::Ecosystem;
use crate::finding::order::Version;
use crate::image::package::Gap;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::inventory;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageGoal {
    name: String,
    #[serde(default, deserialize_with = "some_scalar")]
    version: Option<Range>,
    #[serde(default = "yes")]
    installed: bool,
}

const fn yes() -> bool {
    true
}

/// What a version must be: all of its parts hold.
#[derive(Debug, Clone)]
struct Range {
    text: String,
    parts: Vec<(Compare, String)>,
}

/// How a version is compared.
#[derive(Debug, Clone, Copy)]
struct Compare {
    sign: &'static str,
    holds: fn(Ordering) -> bool,
}

/// The longer of two signs that begin alike comes first.
const COMPARES: [Compare; 6] = [
    Compare {
        sign: ">=",
        holds: Ordering::is_ge,
    },
    Compare {
        sign: "<=",
        holds: Ordering::is_le,
    },
    Compare {
        sign: "!=",
        holds: Ordering::is_ne,
    },
    Compare {
        sign: "=",
        holds: Ordering::is_eq,
    },
    Compare {
        sign: ">",
        holds: Ordering::is_gt,
    },
    Compare {
        sign: "<",
        holds: Ordering::is_lt,
    },
];

const EQUAL: Compare = Compare {
    sign: "=",
    holds: Ordering::is_eq,
};

impl Scalar for Range {
    const EXPECTED: &'static str = "a version such as `1.2.3` or `>= 1.2, < 2`";

    fn read(text: &str) -> Result<Self, String> {
        let part = |part: &str| {
            let part = part.trim();
            let signed = COMPARES.iter().find_map(|compare| {
                let version = part.strip_prefix(compare.sign)?;
                Some((*compare, version.trim().to_owned()))
            });
            let (compare, version) = signed.unwrap_or_else(|| (EQUAL, part.to_owned()));
            let sound = !version.is_empty() && !version.contains(char::is_whitespace);
            sound
                .then_some((compare, version))
                .ok_or_else(|| format!("`{part}` is no version to compare with"))
        };
        let parts: Result<_, String> = text.split(',').map(part).collect();
        Ok(Self {
            text: text.trim().to_owned(),
            parts: parts?,
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Range {
    /// Whether a version is in it, in the order of its own ecosystem; `None` where one of the two
    /// cannot be read, or that order is not known.
    fn holds(&self, package: &Package) -> Option<bool> {
        let ecosystem = Ecosystem::ordering(package.kind)?;
        let found = Version::read(ecosystem, &package.version)?;
        let mut all = true;
        for (compare, version) in &self.parts {
            let wanted = Version::read(ecosystem, version)?;
            all &= (compare.holds)(found.partial_cmp(&wanted)?);
        }
        Some(all)
    }
}

impl Kind for PackageGoal {
    const ABOUT: About = About {
        name: "package",
        asks: "A package is installed in the image, or is not.",
        parameters: &[
            must(
                "name",
                "text",
                "Its name, as its records have it; Maven's as `group:artifact`.",
            ),
            may(
                "version",
                "version",
                "A version, or comparisons such as `>= 1.2, < 2`.",
            ),
            may("installed", "true or false", "Whether it is there; true."),
        ],
        example: "package: { name: flask, version: \">= 3.1\" }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Ok(Self {
            name: text.to_owned(),
            version: None,
            installed: true,
        }))
    }

    fn check(&self) -> Result<(), String> {
        if self.name.trim().is_empty() {
            return Err(String::from("`name` is empty"));
        }
        Ok(())
    }
}

impl PackageGoal {
    fn asked(&self) -> String {
        match &self.version {
            Some(version) => format!("`{}` {version}", self.name),
            None => format!("`{}`", self.name),
        }
    }

    fn is_named(&self, package: &Package, found: &Inventory) -> bool {
        let wanted = self.name.trim();
        if found.can_be(package, wanted) {
            return true;
        }
        Ecosystem::ordering(package.kind).map_or(wanted == package.name, |ecosystem| {
            ecosystem.normal(wanted) == ecosystem.normal(&package.name)
        })
    }

    /// The packages of the name, those of a wanted version first.
    fn judge(&self, evidence: &Evidence, found: &Inventory) -> Verdict {
        let named: Vec<&Package> = found
            .packages
            .iter()
            .filter(|package| self.is_named(package, found))
            .collect();
        let held: Vec<Option<bool>> = named
            .iter()
            .map(|package| match &self.version {
                Some(range) => range.holds(package),
                None => Some(true),
            })
            .collect();
        let fits = named
            .iter()
            .zip(&held)
            .find(|(_, held)| **held == Some(true));
        let unread = named.iter().zip(&held).find(|(_, held)| held.is_none());
        match (fits, unread, self.installed) {
            (Some((package, _)), _, true) => Verdict::met(shown(package)),
            (Some((package, _)), _, false) => self.unwanted(evidence, package),
            (None, Some((package, _)), _) => Verdict::unknown(&Missing::because(format!(
                "The version of `{}` cannot be compared with {}: it is `{}`.",
                package.name,
                self.version.as_ref().map_or("", |range| &range.text),
                package.version
            ))),
            (None, None, _) => self.absent(evidence, found, &named),
        }
    }

    /// No package fits: that is known where the records are whole.
    fn absent(&self, evidence: &Evidence, found: &Inventory, named: &[&Package]) -> Verdict {
        if let Some(package) = named.first() {
            return match self.installed {
                true => self.of_another_version(evidence, package),
                false => Verdict::met(format!("{}, which is another version", shown(package))),
            };
        }
        if let Some(gap) = found.gaps.iter().find(|gap| self.may_hide(gap)) {
            let why = format!("What is installed cannot be known: {gap}.");
            return Verdict::unknown(&Missing::because(why));
        }
        if !self.installed {
            return Verdict::met("not installed");
        }
        Verdict::unmet(
            format!("`{}` is not installed", self.name),
            format!(
                "None of the {} of the image has that name.",
                plural(found.packages.len(), "package")
            ),
            "Look at where the final stage gets its packages from, and at what it leaves behind.",
            Blame::default(),
        )
    }

    /// Whether a gap may be the reason why the package is not seen.
    fn may_hide(&self, gap: &Gap) -> bool {
        match gap {
            Gap::OpaqueBinary { path, .. } => path.rsplit('/').next() == Some(self.name.trim()),
            Gap::OtherRelease(_) => false,
            Gap::RecordsRemoved { .. }
            | Gap::RecordsRewritten { .. }
            | Gap::RecordsChanged { .. }
            | Gap::RecordsDisagree { .. }
            | Gap::NoRecords
            | Gap::RecordsMissing { .. }
            | Gap::RecordsUnread { .. }
            | Gap::RecordsBroken { .. } => true,
        }
    }

    fn of_another_version(&self, evidence: &Evidence, package: &Package) -> Verdict {
        let wanted = self.version.as_ref().map(ToString::to_string);
        Verdict::unmet(
            shown(package),
            format!(
                "{} The version should be {}.",
                origin(evidence, package),
                wanted.unwrap_or_default()
            ),
            "Look at what decides which version is installed there.",
            blame(evidence, package),
        )
    }

    fn unwanted(&self, evidence: &Evidence, package: &Package) -> Verdict {
        Verdict::unmet(
            shown(package),
            origin(evidence, package),
            "Ask what in the final image would miss it.",
            blame(evidence, package),
        )
    }
}

fn shown(package: &Package) -> String {
    format!("`{}` {}", package.name, package.version)
}

fn origin(evidence: &Evidence, package: &Package) -> String {
    let line = evidence.line_of_layer(package.layer);
    match line.and_then(|line| Some((line, base::quote_line(&evidence.dockerfile, line)?))) {
        Some((line, quoted)) => format!("Line {line}, {quoted}, brings it."),
        None => format!("It is in layer {}.", package.layer),
    }
}

fn blame(evidence: &Evidence, package: &Package) -> Blame {
    Blame::line(evidence.line_of_layer(package.layer))
        .in_layer(package.layer)
        .at_path(format!("/{}", package.path))
}

impl Goal for PackageGoal {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.installed {
            true => self.asked().replace('`', ""),
            false => format!("no {}", self.asked().replace('`', "")),
        }
    }

    fn wanted(&self) -> String {
        match self.installed {
            true => format!("{} is installed", self.asked()),
            false => format!("{} is not installed", self.asked()),
        }
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            notes: [Noting::Packages].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        match &evidence.contents {
            Ok(contents) => self.judge(evidence, &inventory(contents)),
            Err(missing) => Verdict::unknown(missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::noted;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::try_goal;

    const STATUS: &[u8] = b"Package: curl\nVersion: 8.14.1-2\n";
    const FLASK: &[u8] = b"Name: Flask\nVersion: 3.1.0\n";

    fn judge(yaml: &str) -> String {
        let mut evidence = nothing("FROM debian\nRUN pip install flask");
        evidence.contents = Ok(contents(vec![
            noted(&[("var/lib/dpkg/status", STATUS)]),
            noted(&[("usr/lib/python3/flask-3.1.0.dist-info/METADATA", FLASK)]),
        ]));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn an_installed_package_meets_it() {
        assert_eq!(judge("package: curl"), "met: `curl` 8.14.1-2");
        assert_eq!(judge("package: FLASK"), "met: `flask` 3.1.0");
        assert_eq!(
            judge("package: { name: flask, version: '>= 3.1, < 4' }"),
            "met: `flask` 3.1.0"
        );
        assert_eq!(
            judge("package: { name: flask, version: 3.1 }"),
            "met: `flask` 3.1.0"
        );
        assert_eq!(
            judge("package: { name: curl, version: '> 8.14.1~rc1' }"),
            "met: `curl` 8.14.1-2"
        );
    }

    #[test]
    fn an_absent_package_meets_the_opposite() {
        assert_eq!(
            judge("package: { name: gcc, installed: false }"),
            "met: not installed"
        );
        assert_eq!(
            judge("package: { name: flask, version: '< 3', installed: false }"),
            "met: `flask` 3.1.0, which is another version"
        );
    }

    #[test]
    fn an_archive_that_does_not_say_its_group_is_told_by_its_classes() {
        use std::io::Write as _;
        let mut jar = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default();
        jar.start_file("org/springframework/beans/X.class", stored)
            .unwrap();
        jar.write_all(b"").unwrap();
        let jar = jar.finish().unwrap().into_inner();
        let mut evidence = nothing("FROM debian");
        let files: [(&str, &[u8]); 2] = [
            ("var/lib/dpkg/status", STATUS),
            ("app/spring-beans-5.3.17.jar", &jar),
        ];
        evidence.contents = Ok(contents(vec![noted(&files)]));
        let absent = |name: &str| {
            let yaml = format!("package: {{ name: '{name}', installed: false }}");
            show(&goal(&yaml).evaluate(&evidence))
        };
        let found = absent("org.springframework:spring-beans");
        assert!(found.starts_with("unmet: `spring-beans` 5.3.17"), "{found}");
        assert_eq!(absent("org.acme:spring-beans"), "met: not installed");
    }

    #[test]
    fn each_difference_has_its_reason() {
        insta::assert_snapshot!(judge("package: gcc"), @r"
        unmet: `gcc` is not installed
        why:   None of the 2 packages of the image has that name.
        next:  Look at where the final stage gets its packages from, and at what it leaves behind.
        blame:
        ");
        insta::assert_snapshot!(judge("package: { name: flask, version: '>= 3.2' }"), @r"
        unmet: `flask` 3.1.0
        why:   Line 2, `RUN pip install flask`, brings it. The version should be >= 3.2.
        next:  Look at what decides which version is installed there.
        blame: line 2, layer 1, /usr/lib/python3/flask-3.1.0.dist-info/METADATA
        ");
        insta::assert_snapshot!(judge("package: { name: curl, installed: false }"), @r"
        unmet: `curl` 8.14.1-2
        why:   Line 1, `FROM debian`, brings it.
        next:  Ask what in the final image would miss it.
        blame: line 1, layer 0, /var/lib/dpkg/status
        ");
    }

    #[test]
    fn a_version_that_cannot_be_compared_is_unknown() {
        assert_eq!(
            judge("package: { name: flask, version: '>= three' }"),
            "unknown: The version of `flask` cannot be compared with >= three: it is `3.1.0`."
        );
    }

    #[test]
    fn removed_records_prove_nothing() {
        let mut evidence = nothing("FROM debian");
        evidence.contents = Ok(contents(vec![noted(&[
            ("usr/lib/os-release", b"ID=debian\n"),
            (
                "usr/bin/x",
                b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0",
            ),
        ])]));
        let absent = goal("package: { name: gcc, installed: false }").evaluate(&evidence);
        assert_eq!(
            show(&absent),
            "unknown: What is installed cannot be known: files of debian are there, the package records are not."
        );
    }

    #[test]
    fn versions_are_read_or_refused() {
        let error = try_goal("package: { name: a, version: '>= ' }")
            .err()
            .unwrap();
        assert!(error.contains("no version to compare with"), "{error}");
        let error = try_goal("package: { name: ' ' }").err().unwrap();
        assert!(error.contains("`name` is empty"), "{error}");
        assert_eq!(
            goal("package: { name: a, version: '>= 1' }").title(),
            "a >= 1"
        );
        assert_eq!(
            goal("package: { name: a, installed: false }").wanted(),
            "`a` is not installed"
        );
    }
}
