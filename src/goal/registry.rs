//! The goal kinds, by name: one line each.
//!
//! Reading is generic over serde formats; which file a goal stands in, and how an error is shown,
//! is the course's business.

use std::fmt;
use std::sync::Arc;

use serde::Deserializer;
use serde::de::DeserializeSeed;
use serde::de::Error as _;
use serde::de::IntoDeserializer;

use super::Goal;
use super::kind;
use super::kind::About;
use super::kind::Kind;

macro_rules! kinds {
    ($($kind:path),+ $(,)?) => {
        /// What people read of each kind, in the order of lists.
        pub const ALL: &[About] = &[$(<$kind as Kind>::ABOUT),+];

        /// Reads a goal of the kind `name` from its parameters: a map, a scalar, a list or nothing.
        ///
        /// # Errors
        /// When there is no such kind, or its parameters are wrong.
        pub fn parse_kind<'de, D: Deserializer<'de>>(
            name: &str,
            parameters: D,
        ) -> Result<Arc<dyn Goal>, D::Error> {
            $(
                if name == <$kind as Kind>::ABOUT.name {
                    let goal: $kind = kind::read(parameters)?;
                    return Ok(Arc::new(goal));
                }
            )+
            Err(D::Error::custom(UnknownKind(name)))
        }
    };
}

kinds![
    super::builds::Builds,
    super::run::RunGoal,
    super::http::Http,
    super::stops::Stops,
    super::healthcheck::HealthcheckGoal,
    super::read_only::ReadOnly,
    super::max_size::MaxSize,
    super::reduction::Reduction,
    super::max_layers::MaxLayers,
    super::dead_bytes::DeadBytes,
    super::efficiency::Efficiency,
    super::largest_file::LargestFile,
    super::no_path::NoPath,
    super::file::FileGoal,
    super::no_shell::NoShell,
    super::no_package_manager::NoPackageManager,
    super::non_root::NonRoot,
    super::static_binary::StaticBinary,
    super::no_setuid::NoSetuid,
    super::no_secret::NoSecret,
    super::package::PackageGoal,
    super::licences::Licences,
    super::scannable::Scannable,
    super::vulnerabilities::Vulnerabilities,
    super::from::FromGoal,
    super::uses::Uses,
    super::avoids::Avoids,
    super::entrypoint_exec_form::EntrypointExecForm,
    super::metadata::Metadata,
    super::multi_arch::MultiArch,
    super::lint::Lint,
    super::context::Context,
    super::stays_cached::StaysCached,
    super::same_output::SameOutput,
    super::structure::StructureTests,
    super::touched::TouchedGoal,
];

/// Reads a goal that is written as its kind's name alone: `- no_shell`.
///
/// # Errors
/// When there is no such kind, or it cannot do without parameters.
pub fn parse_bare<E: serde::de::Error>(name: &str) -> Result<Arc<dyn Goal>, E> {
    parse_kind(name, ().into_deserializer())
}

/// What people read of the kind `name`.
#[must_use]
pub fn about(name: &str) -> Option<&'static About> {
    ALL.iter().find(|about| about.name == name)
}

/// The names of all kinds, in the order of lists.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|about| about.name)
}

/// Reads the value of a map whose key was the kind's name.
#[derive(Debug, Clone, Copy)]
pub struct KindSeed<'a>(pub &'a str);

impl<'de> DeserializeSeed<'de> for KindSeed<'_> {
    type Value = Arc<dyn Goal>;

    fn deserialize<D: Deserializer<'de>>(self, parameters: D) -> Result<Self::Value, D::Error> {
        parse_kind(self.0, parameters)
    }
}

/// There is no kind of that name.
struct UnknownKind<'a>(&'a str);

impl fmt::Display for UnknownKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown goal kind `{}`", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::try_goal;

    #[test]
    fn every_example_is_a_goal_of_its_kind() {
        for about in ALL {
            let goal = goal(about.example);
            assert_eq!(goal.kind(), about.name);
            assert!(
                !goal.title().is_empty() && !goal.wanted().is_empty(),
                "{}",
                about.name
            );
            assert!(about.asks.ends_with('.'), "{}", about.name);
        }
    }

    #[test]
    fn goals_that_differ_have_titles_that_differ() {
        for (one, other) in [
            ("dead_bytes: 1 kB", "dead_bytes: { max: 1 kB, scope: user }"),
            ("largest_file: 1 MB", "largest_file: { max: 1 MB, in: any }"),
            (
                "no_path: { glob: /x/* }",
                "no_path: { glob: /x/*, in: any }",
            ),
            ("no_setuid", "no_setuid: { in: any }"),
            ("non_root", "non_root: { numeric: true }"),
            ("scannable", "scannable: { except: /a }"),
            (
                "context: { max: 1 MB }",
                "context: { max: 1 MB, excludes: [.git] }",
            ),
            (
                "vulnerabilities: { max: 0 }",
                "vulnerabilities: { max: 0, min_evidence: 9 }",
            ),
        ] {
            assert_ne!(goal(one).title(), goal(other).title(), "{other}");
        }
    }

    #[test]
    fn no_goal_is_met_without_evidence() {
        for about in ALL {
            let verdict = goal(about.example).evaluate(&nothing(""));
            assert!(!verdict.is_met(), "{}", about.name);
        }
    }

    #[test]
    fn the_documented_parameters_are_the_fields() {
        for about in ALL {
            let error = try_goal(&format!("{}: {{ no_such_field: 1 }}", about.name))
                .err()
                .unwrap();
            let expected = error.split("expected").nth(1).unwrap_or_default();
            let fields: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            let names: Vec<&str> = about.parameters.iter().map(|one| one.name).collect();
            let mut sorted = (fields.clone(), names.clone());
            sorted.0.sort_unstable();
            sorted.1.sort_unstable();
            assert_eq!(sorted.0, sorted.1, "{}: {error}", about.name);
        }
    }

    #[test]
    fn required_parameters_are_those_that_must_be_given() {
        for about in ALL
            .iter()
            .filter(|about| about.parameters.iter().any(|one| one.required))
        {
            let error = try_goal(&format!("{}: {{}}", about.name)).err().unwrap();
            let first = about.parameters.iter().find(|one| one.required).unwrap();
            assert!(
                error.contains(&format!("missing field `{}`", first.name)),
                "{error}"
            );
        }
    }

    #[test]
    fn names_are_unique_and_the_issue_s() {
        let names: Vec<&str> = names().collect();
        assert_eq!(
            names,
            [
                "builds",
                "run",
                "http",
                "stops",
                "healthcheck",
                "read_only",
                "max_size",
                "reduction",
                "max_layers",
                "dead_bytes",
                "efficiency",
                "largest_file",
                "no_path",
                "file",
                "no_shell",
                "no_package_manager",
                "non_root",
                "static_binary",
                "no_setuid",
                "no_secret",
                "package",
                "licences",
                "scannable",
                "vulnerabilities",
                "from",
                "uses",
                "avoids",
                "entrypoint_exec_form",
                "metadata",
                "multi_arch",
                "lint",
                "context",
                "stays_cached",
                "same_output",
                "structure_tests",
                "touched",
            ]
        );
        assert!(about("http").is_some() && about("https").is_none());
    }

    #[test]
    fn errors_keep_their_place() {
        let error = try_goal("http:\n  port: 80\n  stauts: 1").err().unwrap();
        assert!(error.contains("unknown field `stauts`"), "{error}");
        assert!(error.contains("line 3 column 3"), "{error}");
        let error = try_goal("max_size: 100 MBB").err().unwrap();
        assert!(error.contains("is not a size"), "{error}");
        assert_eq!(
            try_goal("no_shel").err().unwrap(),
            "unknown goal kind `no_shel`"
        );
        let error = try_goal("no_shell: yes").err().unwrap();
        assert!(error.contains("the parameters of `no_shell`"), "{error}");
    }
}
