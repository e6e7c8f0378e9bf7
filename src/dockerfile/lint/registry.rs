//! The rules: one line each.

use super::Rule;

macro_rules! rules {
    ($($rule:ident),+ $(,)?) => {
        /// Every rule, in the order of lists.
        pub const ALL: &[Rule] = &[$(super::$rule::RULE),+];
    };
}

rules![
    syntax,
    suspicious,
    empty_continuation,
    duplicate_stage,
    reserved_stage,
    unset_in_from,
    arg_out_of_scope,
    copy_from_self,
    unknown_stage,
    onbuild_forbidden,
    invalid_port,
    copy_needs_slash,
    repeated_instruction,
    env_self_reference,
    relative_workdir,
    relative_destination,
    ignored_copy,
    asks_back,
    version_mismatch,
    libc_mismatch,
    cmd_repeats_entrypoint,
    shell_form,
    root_by_default,
    root_user,
    numeric_user,
    sudo,
    secret_in_env,
    secret_copied,
    credentials_in_url,
    pipe_to_shell,
    unverified_add,
    untrusted_registry,
    end_of_life,
    apt_lists_kept,
    apt_recommends,
    apk_cache,
    rpm_cache_kept,
    pip_cache,
    npm_cache,
    yarn_cache,
    remove_in_later_layer,
    recursive_chown,
    build_tools_shipped,
    copy_root,
    add_for_archives,
    useradd_big_uid,
    consecutive_runs,
    wget_and_curl,
    dist_upgrade,
    copy_before_install,
    apt_update_split,
    no_ignore_file,
    latest_tag,
    untagged_base,
    unpinned_apt,
    unpinned_apk,
    unpinned_rpm,
    unpinned_pip,
    unpinned_npm,
    unpinned_gem,
    unpinned_go,
    hard_coded_architecture,
    redundant_platform,
    pipefail,
    add_for_files,
    apt_for_people,
    cd_in_run,
    maintainer,
    no_healthcheck,
    pointless_command,
    shell_link,
    wget_progress,
    casing,
    label_key,
    legacy_key_value,
    unknown_ignore,
];

/// The rule with this id or alias, in any case.
#[must_use]
pub fn rule(name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.is_called(name))
}
