//! Ruby's records: the specification of each gem that an installer put here.

use super::PackageKind;
use super::record::Record;
use super::record::Stated;
use super::record::licence;

/// Whether a file is the specification of an installed gem: `specifications/NAME-VERSION.gemspec`,
/// and in `default` below it for those that come with the interpreter. One in a gem's own folder is
/// a part of its sources.
pub(super) fn is_specification(path: &str) -> bool {
    let Some(stem) = path.strip_suffix(".gemspec") else {
        return false;
    };
    let mut folders = stem.rsplit('/').skip(1);
    match folders.next() {
        Some("specifications") => true,
        Some("default") => folders.next() == Some("specifications"),
        _ => false,
    }
}

/// Reads a specification. It is a program and is not run: installers write the gem's name and
/// version into a line of their own, and into the name of the file.
pub(super) fn specification(path: &str, bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".gemspec").unwrap_or(name);
    let Some((name, version)) = stub(&text).or_else(|| split(stem)) else {
        return Record::Broken(String::from("it has no name or no version"));
    };
    match Stated::new(PackageKind::Ruby, name, version) {
        Some(mut gem) => {
            gem.licences = licences(&text);
            Record::Packages(vec![gem])
        }
        None => Record::Broken(String::from("it has no name or no version")),
    }
}

/// `# stub: nokogiri 1.16.0 x86_64-linux lib`, among the first lines.
fn stub(text: &str) -> Option<(&str, &str)> {
    let line = text
        .lines()
        .take(3)
        .find_map(|line| line.strip_prefix("# stub: "))?;
    let mut words = line.split(' ');
    Some((words.next()?, words.next()?)).filter(|(_, version)| is_version(version))
}

/// `nokogiri` and `1.16.0` of `nokogiri-1.16.0-x86_64-linux`: the version is the first part with
/// a full stop, as names may have numbers in them too.
fn split(stem: &str) -> Option<(&str, &str)> {
    let parts = || {
        let hyphens = stem.match_indices('-').map(|(at, _)| at);
        hyphens.filter_map(|at| {
            let version = stem.get(at + 1..)?.split('-').next()?;
            let name = stem.get(..at).filter(|name| !name.is_empty())?;
            is_version(version).then_some((name, version))
        })
    };
    parts()
        .find(|(_, version)| version.contains('.'))
        .or_else(|| parts().next())
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
}

/// `s.licenses = ["MIT".freeze, "Ruby".freeze]`.
fn licences(text: &str) -> Vec<String> {
    let mut lines = text.lines().map(str::trim);
    let list = lines.find_map(|line| {
        let (before, list) = line.split_once('=')?;
        before.trim_end().ends_with(".licenses").then_some(list)
    });
    let quoted = list.into_iter().flat_map(|list| list.split('"').skip(1));
    quoted.step_by(2).filter_map(licence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gem(path: &str, text: &str) -> String {
        match specification(path, text.as_bytes()) {
            Record::Packages(gems) => {
                let gem = &gems[0];
                format!("{} {} {}", gem.name, gem.version, gem.licences.join("+"))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_specifications_of_installed_gems_count() {
        for path in [
            "usr/local/bundle/specifications/rack-3.0.8.gemspec",
            "usr/lib/ruby/gems/3.3.0/specifications/default/json-2.7.1.gemspec",
            "specifications/a-1.gemspec",
        ] {
            assert!(is_specification(path), "{path}");
        }
        for path in [
            "app/app.gemspec",
            "usr/local/bundle/gems/rack-3.0.8/rack.gemspec",
            "app/default/a-1.gemspec",
            "specifications/a-1.rb",
        ] {
            assert!(!is_specification(path), "{path}");
        }
    }

    #[test]
    fn the_installer_s_own_line_says_it_best() {
        let text = "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.16.0 x86_64-linux lib\n\n\
            Gem::Specification.new do |s|\n  s.licenses = [\"MIT\".freeze, \"Ruby\".freeze]\nend\n";
        assert_eq!(
            gem("specifications/x-2.gemspec", text),
            "nokogiri 1.16.0 MIT+Ruby"
        );
    }

    #[test]
    fn the_name_of_the_file_does_without_it() {
        for (name, shown) in [
            ("rack-3.0.8", "rack 3.0.8 "),
            ("nokogiri-1.16.0-x86_64-linux", "nokogiri 1.16.0 "),
            ("foo-2-bar-1.0.rc1", "foo-2-bar 1.0.rc1 "),
            ("a-7", "a 7 "),
        ] {
            assert_eq!(gem(&format!("specifications/{name}.gemspec"), ""), shown);
        }
        let broken = gem("specifications/rack.gemspec", "# stub: rack\n");
        assert!(broken.starts_with("Broken"), "{broken}");
    }
}
