//! Whose classes an archive of Java's holds, as far as the names of their folders tell, and which
//! modules one of Python's does.

use std::collections::BTreeSet;

use super::python;

/// The most makers that are kept: an archive with more of them was made of others.
const MOST: usize = 32;

/// First parts of names that are a domain's end: whose domain it is stands behind them. Those of
/// two letters are countries.
const DOMAINS: [&str; 11] = [
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "dev", "name",
];

/// What countries put before the owner: `co` of `uk.co.acme`.
const BELOW_COUNTRIES: [&str; 7] = ["com", "co", "org", "net", "gov", "edu", "ac"];

/// Makers whose groups have another name, which no one else has.
const OTHER_NAMES: [(&str, &str); 1] = [("h2", "h2database")];

/// Folders of an archive below which its own classes lie.
const OWN: [&str; 2] = ["BOOT-INF/classes/", "WEB-INF/classes/"];

/// The makers of the classes in an archive.
#[derive(Debug, Default)]
pub(super) struct Roots(BTreeSet<String>);

impl Roots {
    /// Looks at the name of an entry.
    pub(super) fn take(&mut self, name: &str) {
        let new = root(name).filter(|root| self.0.len() < MOST && !self.0.contains(*root));
        self.0.extend(new.map(str::to_owned));
    }

    /// Whether there are any.
    pub(super) fn are_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether there are more than one.
    pub(super) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// The makers: `com/acme`.
    pub(super) fn makers(self) -> BTreeSet<String> {
        self.0
    }
}

/// The modules in an archive that Python imports from.
#[derive(Debug, Default)]
pub(super) struct Modules {
    names: BTreeSet<String>,
    /// Whether metadata of an installer's is among them.
    are_named: bool,
}

impl Modules {
    /// Looks at the name of an entry.
    pub(super) fn take(&mut self, name: &str) {
        self.are_named |= python::is_metadata(name);
        let known = |module: &&str| self.names.len() < MOST && !self.names.contains(*module);
        let new = module(name).filter(known);
        self.names.extend(new.map(str::to_owned));
    }

    /// Whether there are several of which nothing says where they come from. One alone is
    /// somebody's own program.
    pub(super) fn are_mute(&self) -> bool {
        !self.are_named && self.names.len() > 1
    }
}

/// `flask` of `flask/__init__.py`, as what is on the path has it, or below the folders that
/// `shiv` and `pex` unpack.
fn module(name: &str) -> Option<&str> {
    let folder = name
        .strip_suffix("/__init__.py")
        .or_else(|| name.strip_suffix("/__init__.pyc"))?;
    let (place, module) = folder.rsplit_once('/').unwrap_or(("", folder));
    let of_pex = place
        .strip_prefix(".deps/")
        .is_some_and(|wheel| !wheel.contains('/'));
    let is_root = matches!(place, "" | "site-packages") || of_pex;
    is_root.then_some(module)
}

/// The maker of a class: `com/acme` of `com/acme/util/Text.class`, `kotlin` of
/// `kotlin/text/Regex.class`, empty for a class without a package; `None` of what is no class.
fn root(name: &str) -> Option<&str> {
    let name = match name.strip_prefix("META-INF/versions/") {
        // The same classes for later releases of Java.
        Some(versioned) => versioned.split_once('/')?.1,
        None if name.starts_with("META-INF/") => return None,
        None => name,
    };
    let own = OWN.iter().find_map(|folder| name.strip_prefix(folder));
    let name = own.unwrap_or(name);
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    // What describes a module or a package is nobody's program.
    let described = matches!(file, "module-info.class" | "package-info.class");
    if described || !file.ends_with(".class") {
        return None;
    }
    let mut ends = folder.match_indices('/').map(|(at, _)| at);
    let end = ends.nth(domain(folder.split('/')));
    folder.get(..end.unwrap_or(folder.len()))
}

/// How many of the first parts of a name are a domain's end: 1 of `com.acme`, 2 of `br.com.acme`.
fn domain<'n>(mut parts: impl Iterator<Item = &'n str>) -> usize {
    let first = parts.next().unwrap_or_default();
    if first.len() == 2 {
        let second = parts.next().unwrap_or_default();
        return 1 + usize::from(BELOW_COUNTRIES.contains(&second));
    }
    usize::from(DOMAINS.contains(&first))
}

/// Whether a Maven group names a maker: with the maker's own part as one of its parts, or as what one
/// begins with before a hyphen (`scala` in `org.scala-lang`). What a domain ends in is nobody's name.
pub(super) fn is_named(maker: &str, group: &str) -> bool {
    let Some(own) = maker.split('/').nth(domain(maker.split('/'))) else {
        return false;
    };
    let is_own = |part: &str| {
        let rest = part.strip_prefix(own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            || OTHER_NAMES.contains(&(own, part))
    };
    let mut parts = group.split('.').skip(domain(group.split('.')));
    own.len() > 1 && parts.any(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_told_by_the_first_folders() {
        for (name, maker) in [
            ("com/acme/Main.class", Some("com/acme")),
            ("com/acme/util/deep/Text.class", Some("com/acme")),
            ("com/fasterxml/jackson/X.class", Some("com/fasterxml")),
            ("io/netty/util/X.class", Some("io/netty")),
            ("kotlin/text/Regex.class", Some("kotlin")),
            ("br/com/empresa/x/A.class", Some("br/com/empresa")),
            ("uk/co/acme/A.class", Some("uk/co/acme")),
            ("de/acme/com/A.class", Some("de/acme")),
            ("br/com/A.class", Some("br/com")),
            ("com/Main.class", Some("com")),
            ("Main.class", Some("")),
            ("BOOT-INF/classes/com/acme/Main.class", Some("com/acme")),
            ("WEB-INF/classes/Main.class", Some("")),
            ("META-INF/versions/9/com/acme/Main.class", Some("com/acme")),
            ("META-INF/versions/9/module-info.class", None),
            ("META-INF/versions/9", None),
            ("META-INF/x/Main.class", None),
            ("module-info.class", None),
            ("com/acme/package-info.class", None),
            ("com/acme/", None),
            ("com/acme/logo.png", None),
            ("", None),
        ] {
            assert_eq!(root(name), maker, "{name}");
        }
    }

    #[test]
    fn a_group_names_a_maker_by_a_whole_part_that_no_domain_ends_in() {
        for (maker, group, is) in [
            ("org/apache", "org.apache.tomcat.embed", true),
            ("okhttp3", "com.squareup.okhttp3", true),
            ("scala", "org.scala-lang", true),
            ("org/h2", "com.h2database", true),
            ("com/mysql", "mysql", true),
            ("javax", "javax.servlet", true),
            ("uk/co/acme", "uk.co.acme", true),
            ("okhttp3", "com.squareup.okhttp", false),
            ("com/acme", "org.acme2", false),
            ("com/google", "com.googlecode.x", false),
            ("br/com/empresa", "com.thoughtworks.gocd", false),
            ("uk/co/acme", "com.nobody.common", false),
            ("br/com", "com.thoughtworks.gocd", false),
            ("br/com", "br.com.empresa", false),
            ("com", "com.acme", false),
            ("", "com.acme", false),
        ] {
            assert_eq!(is_named(maker, group), is, "{maker} {group}");
        }
    }

    #[test]
    fn a_module_is_a_folder_on_the_path() {
        for (name, is) in [
            ("flask/__init__.py", Some("flask")),
            ("flask/__init__.pyc", Some("flask")),
            ("site-packages/flask/__init__.py", Some("flask")),
            (".deps/flask-2.whl/flask/__init__.py", Some("flask")),
            ("flask/json/__init__.py", None),
            ("project-1.0/flask/__init__.py", None),
            ("__init__.py", None),
            ("flask/app.py", None),
        ] {
            assert_eq!(module(name), is, "{name}");
        }
    }

    #[test]
    fn one_maker_is_not_several() {
        let several = |names: &[&str]| {
            let mut roots = Roots::default();
            for name in names {
                roots.take(name);
            }
            roots.are_several()
        };
        assert!(!several(&[]));
        assert!(!several(&["com/acme/A.class", "com/acme/b/B.class"]));
        assert!(several(&["com/acme/A.class", "com/fasterxml/B.class"]));
        // A library may hide behind a program without a package as well.
        assert!(several(&["Main.class", "org/apache/B.class"]));
        assert!(!several(&["Main.class", "Other.class", "logo.png"]));
    }
}
