//! `licences`: no package of the image has a licence that is not wanted.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::evidence::Noting;
use super::field::OneOrMore;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;
use crate::image::glob::Glob;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::inventory;
use crate::image::package::licence;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Licences {
    deny: OneOrMore<String>,
    #[serde(default)]
    allow_unsaid: bool,
}

impl Licences {
    fn names(&self) -> String {
        let names: Vec<String> = self.deny.0.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }

    /// Whether a licence of SPDX's list, or one's own name for it, is denied. GNU's licences are
    /// denied with and without later versions.
    fn denies(&self, id: &str) -> bool {
        let same = |id: &str| {
            self.deny.0.iter().any(|name| {
                let pattern = name.to_lowercase().replace(' ', "-");
                let id = id.to_lowercase();
                Glob::parse(&pattern).map_or(pattern == id, |glob| glob.matches(&id))
            })
        };
        let plain = id
            .strip_suffix("-only")
            .or_else(|| id.strip_suffix("-or-later"))
            .unwrap_or(id);
        same(id) || same(plain)
    }

    fn is_denied(&self, package: &Package) -> Option<String> {
        let denied = |text: &&String| !licence::is_allowed(text, |id| self.denies(id));
        package.licences.iter().find(denied).cloned()
    }

    fn judge(&self, evidence: &Evidence, found: &Inventory) -> Verdict {
        let denied: Vec<(&Package, String)> = found
            .packages
            .iter()
            .filter_map(|package| Some((package, self.is_denied(package)?)))
            .collect();
        if let Some((package, licence)) = denied.first() {
            return unmet(evidence, package, licence, denied.len());
        }
        let mut unsaid = found
            .packages
            .iter()
            .filter(|package| package.licences.is_empty());
        let first = unsaid.next();
        let count = unsaid.count() + usize::from(first.is_some());
        match first {
            Some(package) if !self.allow_unsaid => Verdict::unknown(&Missing::because(format!(
                "The records of {} name no licence, those of `{}` among them.",
                plural(count, "package"),
                package.name
            ))),
            _ => match (found.gaps.first(), count) {
                (Some(gap), _) => Verdict::unknown(&Missing::because(format!(
                    "Not all licences can be known: {gap}."
                ))),
                (None, 0) => Verdict::met(format!("in none of {}", of(found))),
                (None, count) => {
                    Verdict::met(format!("in none of {}; {count} name no licence", of(found)))
                }
            },
        }
    }
}

fn of(found: &Inventory) -> String {
    plural(found.packages.len(), "package")
}

fn unmet(evidence: &Evidence, package: &Package, licence: &str, count: usize) -> Verdict {
    let line = evidence.line_of_layer(package.layer);
    let quoted = line.and_then(|line| Some((line, base::quote_line(&evidence.dockerfile, line)?)));
    let why = match quoted {
        Some((line, quoted)) => format!("Line {line}, {quoted}, brings it."),
        None => format!("It is in layer {}.", package.layer),
    };
    let more = match count - 1 {
        0 => String::new(),
        more => format!(", and {}", plural(more, "more package")),
    };
    Verdict::unmet(
        format!(
            "`{}` {} under {licence}{more}",
            package.name, package.version
        ),
        why,
        "Find out what needs it, and whether the final image does.",
        Blame::line(line)
            .in_layer(package.layer)
            .at_path(format!("/{}", package.path)),
    )
}

impl Kind for Licences {
    const ABOUT: About = About {
        name: "licences",
        asks: "No package of the image has a licence that is not wanted.",
        parameters: &[
            must(
                "deny",
                "text or list of texts",
                "Licences by their SPDX names; `*` works. A choice between licences is denied only where all of them are.",
            ),
            may(
                "allow_unsaid",
                "true or false",
                "Whether packages whose records name no licence are passed over; false.",
            ),
        ],
        example: "licences: { deny: [AGPL-3.0, WTFPL], allow_unsaid: true }",
    };

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(OneOrMore::of(&list).map(|deny| Self {
            deny,
            allow_unsaid: false,
        }))
    }

    fn check(&self) -> Result<(), String> {
        match self.deny.0.iter().find(|name| name.trim().is_empty()) {
            Some(_) => Err(String::from("a licence without a name denies nothing")),
            None => Ok(()),
        }
    }
}

impl Goal for Licences {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("no {}", self.names().replace('`', ""))
    }

    fn wanted(&self) -> String {
        format!("no package is under {}", self.names())
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

    fn judge(yaml: &str, licences: &[&str]) -> String {
        let mut evidence = nothing("FROM node\nRUN npm install");
        let manifests: Vec<(String, String)> = licences
            .iter()
            .enumerate()
            .map(|(index, licence)| {
                let path = format!("app/node_modules/p{index}/package.json");
                let licence = match *licence {
                    "" => String::new(),
                    licence => format!(r#","license":"{licence}""#),
                };
                (
                    path,
                    format!(r#"{{"name":"p{index}","version":"1.0.0"{licence}}}"#),
                )
            })
            .collect();
        let files: Vec<(&str, &[u8])> = manifests
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_bytes()))
            .collect();
        evidence.contents = Ok(contents(vec![noted(&[]), noted(&files)]));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    const DENY: &str = "licences: { deny: [AGPL-3.0, 'GPL-*'] }";

    #[test]
    fn wanted_licences_meet_it() {
        assert_eq!(
            judge(DENY, &["MIT", "MIT OR GPL-3.0-only"]),
            "met: in none of 2 packages"
        );
        let lax = "licences: { deny: WTFPL, allow_unsaid: true }";
        assert_eq!(
            judge(lax, &["MIT", ""]),
            "met: in none of 2 packages; 1 name no licence"
        );
    }

    #[test]
    fn a_denied_licence_is_named_with_its_package() {
        insta::assert_snapshot!(judge(DENY, &["MIT", "AGPL-3.0-or-later", "GPL-2.0-only AND MIT"]), @r"
        unmet: `p1` 1.0.0 under AGPL-3.0-or-later, and 1 more package
        why:   Line 2, `RUN npm install`, brings it.
        next:  Find out what needs it, and whether the final image does.
        blame: line 2, layer 1, /app/node_modules/p1/package.json
        ");
        let own = judge("licences: [Proprietary thing]", &["Proprietary thing"]);
        assert!(
            own.starts_with("unmet: `p0` 1.0.0 under Proprietary thing"),
            "{own}"
        );
    }

    #[test]
    fn what_names_no_licence_is_unknown() {
        assert_eq!(
            judge(DENY, &["MIT", "", ""]),
            "unknown: The records of 2 packages name no licence, those of `p1` among them."
        );
    }

    #[test]
    fn it_must_deny_something() {
        assert!(
            try_goal("licences: []")
                .err()
                .unwrap()
                .contains("asks for nothing")
        );
        assert!(
            try_goal("licences: ['']")
                .err()
                .unwrap()
                .contains("denies nothing")
        );
    }
}
