//! What is wrong with a Dockerfile before anything is built: one file per rule.
//!
//! [`check`] is instant and total: every text has an answer. A rule looks at the parsed file alone,
//! and at what [`Surroundings`] adds; it refuses to build, to ask a registry, or to know what an
//! exercise wants.

mod amend;
mod fix;
mod found;
mod known;
mod measured;
mod paths;
mod pragma;
pub mod registry;
mod rule;
mod subject;
mod tool;

mod add_for_archives;
mod add_for_files;
mod apk_cache;
mod apt_for_people;
mod apt_lists_kept;
mod apt_recommends;
mod apt_update_split;
mod arg_out_of_scope;
mod asks_back;
mod build_tools_shipped;
mod casing;
mod cd_in_run;
mod cmd_repeats_entrypoint;
mod consecutive_runs;
mod copy_before_install;
mod copy_from_self;
mod copy_needs_slash;
mod copy_root;
mod credentials_in_url;
mod dist_upgrade;
mod duplicate_stage;
mod empty_continuation;
mod end_of_life;
mod env_self_reference;
mod hard_coded_architecture;
mod ignored_copy;
mod invalid_port;
mod label_key;
mod latest_tag;
mod legacy_key_value;
mod libc_mismatch;
mod maintainer;
mod no_healthcheck;
mod no_ignore_file;
mod npm_cache;
mod numeric_user;
mod onbuild_forbidden;
mod pip_cache;
mod pipe_to_shell;
mod pipefail;
mod pointless_command;
mod recursive_chown;
mod redundant_platform;
mod relative_destination;
mod relative_workdir;
mod remove_in_later_layer;
mod repeated_instruction;
mod reserved_stage;
mod root_by_default;
mod root_user;
mod rpm_cache_kept;
mod secret_copied;
mod secret_in_env;
mod shell_form;
mod shell_link;
mod sudo;
mod suspicious;
mod syntax;
mod unknown_ignore;
mod unknown_stage;
mod unpinned_apk;
mod unpinned_apt;
mod unpinned_gem;
mod unpinned_go;
mod unpinned_npm;
mod unpinned_pip;
mod unpinned_rpm;
mod unset_in_from;
mod untagged_base;
mod untrusted_registry;
mod unverified_add;
mod useradd_big_uid;
mod version_mismatch;
mod wget_and_curl;
mod wget_progress;
mod yarn_cache;

pub use fix::Fixed;
pub use fix::apply;
pub use fix::fix;
pub use found::Edit;
pub use found::Finding;
use found::Found;
pub use measured::Waste;
pub use measured::with_measured;
use pragma::Pragmas;
pub use rule::Rule;
pub use rule::Severity;
use subject::Subject;

use super::ast::Dockerfile;
use super::ast::Span;
use super::ignore::Ignore;
use super::lines::Lines;

/// What is known of the ignore file of a build.
#[derive(Debug, Clone, Default)]
pub enum IgnoreFile {
    /// Nobody looked.
    #[default]
    Unknown,
    /// There is none.
    Missing,
    /// This one.
    Read(Ignore),
}

/// What a caller knows besides the Dockerfile itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Registries that images may come from; empty where any may be used.
    pub registries: Vec<String>,
    /// The ignore file beside the Dockerfile.
    pub ignore: IgnoreFile,
    /// Whether comments that silence rules are left aside, as a grader would have it.
    pub deaf: bool,
}

/// What the rules find in a Dockerfile, in the order of its lines.
#[must_use]
pub fn check(file: &Dockerfile) -> Vec<Finding> {
    check_in(file, &Surroundings::default())
}

/// What the rules find in a Dockerfile in its surroundings, in the order of its lines.
#[must_use]
pub fn check_in(file: &Dockerfile, around: &Surroundings) -> Vec<Finding> {
    let pragmas = Pragmas::read(file);
    let subject = Subject::new(file, around, &pragmas);
    let mut findings = Vec::new();
    for rule in registry::ALL {
        let mut found = Found {
            rule,
            findings: &mut findings,
        };
        (rule.check)(&subject, &mut found);
    }
    if !around.deaf {
        let starts = file.instructions();
        let spans: Vec<Span> = starts.iter().map(|one| one.span).collect();
        findings.retain(|finding| {
            let start = instruction_at(&spans, finding.span.start);
            !pragmas.silences(finding.rule, start)
        });
    }
    let lines = Lines::new(&file.text, usize::MAX);
    for finding in &mut findings {
        finding.line = lines.number(finding.span.start);
    }
    findings.sort_by(|a, b| {
        let place = |one: &Finding| (one.line, one.span.start);
        place(a)
            .cmp(&place(b))
            .then(b.severity.cmp(&a.severity))
            .then(a.rule.id.cmp(b.rule.id))
    });
    findings
}

/// Where the instruction begins that holds the byte `at`.
fn instruction_at(spans: &[Span], at: usize) -> Option<usize> {
    let next = spans.partition_point(|span| span.start <= at);
    let span = spans.get(next.checked_sub(1)?)?;
    (at <= span.end).then_some(span.start)
}

#[cfg(test)]
mod tests;
