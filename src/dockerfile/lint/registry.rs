//! The rules: one line each.

use super::Rule;

macro_rules! rules {
    ($($rule:ident),+ $(,)?) => {
        /// Every rule, in the order of lists.
        pub const ALL: &[Rule] = &[$(super::$rule::RULE),+];
    };
}

rules![
    apt_lists_kept,
    apt_recommends,
    apk_cache,
    latest_tag,
    unpinned_apt,
    root_by_default,
    shell_form,
    pipe_to_shell,
    unknown_ignore,
    syntax,
    suspicious,
];

/// The rule with this id or alias, in any case.
#[must_use]
pub fn rule(name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.is_called(name))
}
