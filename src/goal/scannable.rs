//! `scannable`: what is in the image can be known, so that no finding means something.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::evidence::Noting;
use super::field::OneOrMore;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::image::glob::Glob;
use crate::image::package::Gap;
use crate::image::package::OtherRelease;
use crate::image::package::inventory;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scannable {
    #[serde(default)]
    except: Option<OneOrMore<Glob>>,
}

impl Scannable {
    fn names(&self) -> Vec<String> {
        let except = self.except.iter().flat_map(|list| &list.0);
        except.map(|glob| format!("`{glob}`")).collect()
    }

    fn counts(&self, gap: &Gap) -> bool {
        let Gap::OpaqueBinary { path, .. } = gap else {
            return true;
        };
        let mut except = self.except.iter().flat_map(|list| &list.0);
        !except.any(|glob| glob.matches(path))
    }
}

impl Kind for Scannable {
    const ABOUT: About = About {
        name: "scannable",
        asks: "The image's own records say what is in it, so that a scanner can see it.",
        parameters: &[may(
            "except",
            "path or list of paths",
            "Programs that need not say what they were made of; `*` and `**` work.",
        )],
        example: "scannable: { except: /app/server }",
    };
}

impl Goal for Scannable {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.names().as_slice() {
            [] => String::from("scannable"),
            names => format!("scannable but for {}", names.join(", ").replace('`', "")),
        }
    }

    fn wanted(&self) -> String {
        let names = self.names();
        if names.is_empty() {
            return String::from("the image's records say what is in it");
        }
        format!(
            "the image's records say what is in it, {} apart",
            names.join(", ")
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            notes: [Noting::Packages].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return Verdict::unknown(missing),
        };
        let found = inventory(contents);
        let gaps: Vec<&Gap> = found.gaps.iter().filter(|gap| self.counts(gap)).collect();
        let Some(first) = gaps.first() else {
            let packages = plural(found.packages.len(), "package");
            return Verdict::met(format!("{packages} on record"));
        };
        let more = match gaps.len() - 1 {
            0 => String::new(),
            more => format!(", and {}", plural(more, "more gap")),
        };
        let blame = blame(evidence, first);
        let origin = match blame.line {
            Some(line) => base::quote_line(&evidence.dockerfile, line)
                .map(|quoted| format!("Line {line}, {quoted}, does that. ")),
            None => None,
        };
        Verdict::unmet(
            format!("{first}{more}"),
            format!("{}{}", origin.unwrap_or_default(), why(first)),
            next(first),
            blame,
        )
    }
}

const fn why(gap: &Gap) -> &'static str {
    match gap {
        Gap::OpaqueBinary { .. } => {
            "A scanner finds nothing in it, whatever its libraries are: no finding means nothing."
        }
        Gap::RecordsRemoved { .. } => {
            "The files are still there, and no scanner can tell any more which versions they are."
        }
        Gap::RecordsRewritten { .. } => {
            "Its files are still there, and no scanner asks about a package that is not named."
        }
        Gap::RecordsChanged { .. } | Gap::RecordsDisagree { .. } => {
            "A scanner compares the version that is written there, and another one is installed."
        }
        Gap::OtherRelease(_) => {
            "A scanner asks for the advisories of the release that is written there."
        }
        Gap::RecordsMissing { .. } | Gap::NoRecords => {
            "Files without the records of their packages are files that no scanner knows."
        }
        Gap::RecordsUnread { .. } => "What is installed is in them, and they cannot be read here.",
        Gap::RecordsBroken { .. } => "What they were to say cannot be known.",
    }
}

const fn next(gap: &Gap) -> &'static str {
    match gap {
        Gap::OpaqueBinary { .. } => {
            "Find out how its toolchain can leave in it what it was made of, or which package has it."
        }
        Gap::RecordsRemoved { .. } => "Ask what is gained by removing them: they weigh little.",
        Gap::RecordsRewritten { .. } => {
            "Let the package manager remove what is not needed: it takes the files along."
        }
        Gap::RecordsChanged { .. } | Gap::RecordsDisagree { .. } => {
            "Let whatever installed the package upgrade it: it brings the newer files along."
        }
        Gap::OtherRelease(_) => {
            "Look at what writes that file: the base's own package brings the right one."
        }
        Gap::RecordsMissing { .. } | Gap::NoRecords => {
            "Look at what the final stage copies, and at what belongs with it."
        }
        Gap::RecordsUnread { .. } => "Choose a base whose records can be read here.",
        Gap::RecordsBroken { .. } => "Look at the file, and at what wrote it.",
    }
}

fn blame(evidence: &Evidence, gap: &Gap) -> Blame {
    match gap {
        Gap::OpaqueBinary { path, layer }
        | Gap::RecordsRemoved { path, layer }
        | Gap::RecordsRewritten { path, layer, .. }
        | Gap::RecordsChanged { path, layer, .. }
        | Gap::OtherRelease(OtherRelease { path, layer, .. }) => {
            Blame::line(evidence.line_of_layer(*layer))
                .in_layer(*layer)
                .at_path(format!("/{path}"))
        }
        Gap::RecordsUnread { path }
        | Gap::RecordsBroken { path, .. }
        | Gap::RecordsDisagree { path, .. } => Blame::default().at_path(format!("/{path}")),
        Gap::RecordsMissing { .. } | Gap::NoRecords => Blame::default(),
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
    use crate::image::Entry;
    use crate::image::EntryKind;
    use crate::image::Layer;

    const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";
    const STATUS: (&str, &[u8]) = ("var/lib/dpkg/status", b"Package: a\nVersion: 1\n");
    const LIST: (&str, &[u8]) = ("var/lib/dpkg/info/a.list", b"/usr/bin/a\n");

    fn judge(yaml: &str, layers: Vec<Layer>) -> String {
        let mut evidence = nothing("FROM debian\nCOPY --from=b /x /x\nRUN rm -r /var/lib/dpkg");
        evidence.contents = Ok(contents(layers));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1), (Some(3), 0)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    fn base() -> Layer {
        noted(&[STATUS, LIST, ("usr/bin/a", ELF)])
    }

    #[test]
    fn whole_records_meet_it() {
        assert_eq!(judge("scannable", vec![base()]), "met: 1 package on record");
        assert_eq!(judge("scannable", Vec::new()), "met: 0 packages on record");
    }

    #[test]
    fn an_opaque_program_misses_it_unless_it_is_excepted() {
        let layers = || vec![base(), noted(&[("x/tool", ELF), ("x/more", ELF)])];
        insta::assert_snapshot!(judge("scannable", layers()), @r"
        unmet: /x/more does not say what it was made of, and 1 more gap
        why:   Line 2, `COPY --from=b /x /x`, does that. A scanner finds nothing in it, whatever its libraries are: no finding means nothing.
        next:  Find out how its toolchain can leave in it what it was made of, or which package has it.
        blame: line 2, layer 1, /x/more
        ");
        assert_eq!(
            judge("scannable: { except: /x/** }", layers()),
            "met: 1 package on record"
        );
    }

    #[test]
    fn records_that_were_written_anew_miss_it() {
        let emptied = noted(&[("var/lib/dpkg/status", b"")]);
        insta::assert_snapshot!(judge("scannable", vec![base(), noted(&[]), emptied]), @r"
        unmet: the package records /var/lib/dpkg/status no longer name `a`, whose files are still there
        why:   Line 3, `RUN rm -r /var/lib/dpkg`, does that. Its files are still there, and no scanner asks about a package that is not named.
        next:  Let the package manager remove what is not needed: it takes the files along.
        blame: line 3, layer 2, /var/lib/dpkg/status
        ");
        let other = noted(&[("var/lib/dpkg/status", b"Package: a\nVersion: 99\n")]);
        insta::assert_snapshot!(judge("scannable", vec![base(), noted(&[]), other]), @r"
        unmet: the records of `a` in /var/lib/dpkg/status were changed, its files were not
        why:   Line 3, `RUN rm -r /var/lib/dpkg`, does that. A scanner compares the version that is written there, and another one is installed.
        next:  Let whatever installed the package upgrade it: it brings the newer files along.
        blame: line 3, layer 2, /var/lib/dpkg/status
        ");
        assert_eq!(
            goal("scannable: { except: [/a, /b/*] }").title(),
            "scannable but for /a, /b/*"
        );
    }

    #[test]
    fn removed_records_miss_it() {
        let mut removed = noted(&[]);
        removed.entries.push(Entry {
            path: String::from("var/lib/dpkg"),
            kind: EntryKind::Whiteout,
            ..base().entries.remove(0)
        });
        insta::assert_snapshot!(judge("scannable", vec![base(), noted(&[]), removed]), @r"
        unmet: the package records /var/lib/dpkg/status were removed
        why:   Line 3, `RUN rm -r /var/lib/dpkg`, does that. The files are still there, and no scanner can tell any more which versions they are.
        next:  Ask what is gained by removing them: they weigh little.
        blame: line 3, layer 2, /var/lib/dpkg/status
        ");
    }
}
