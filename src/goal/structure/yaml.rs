//! The file of that tool, as it is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::StructureTest;
use super::command::CommandTest;
use super::file::ContentTest;
use super::file::ExecutableBy;
use super::file::ExistenceTest;
use super::license::LicenseTest;
use super::metadata::MetadataTest;
use super::metadata::Wanted;
use super::regex;
use crate::goal::Goal;

/// The most tests of one file.
const MOST: usize = 500;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct StructureError {
    /// What is wrong, as a fragment.
    pub message: String,
    /// Line and column, from 1, where they are known.
    pub place: Option<(usize, usize)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    schema_version: String,
    #[serde(default)]
    global_env_vars: Vec<Variable>,
    #[serde(default)]
    command_tests: Vec<Command>,
    #[serde(default)]
    file_existence_tests: Vec<Existence>,
    #[serde(default)]
    file_content_tests: Vec<Content>,
    #[serde(default)]
    metadata_test: Option<Metadata>,
    #[serde(default)]
    license_tests: Vec<License>,
    #[serde(default)]
    container_run_options: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Variable {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    is_regex: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Command {
    name: String,
    #[serde(default)]
    setup: Vec<Vec<String>>,
    #[serde(default)]
    teardown: Vec<Vec<String>>,
    #[serde(default)]
    env_vars: Vec<Variable>,
    #[serde(default)]
    exit_code: i64,
    command: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    expected_output: Vec<String>,
    #[serde(default)]
    excluded_output: Vec<String>,
    #[serde(default)]
    expected_error: Vec<String>,
    #[serde(default)]
    excluded_error: Vec<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Existence {
    name: String,
    path: String,
    #[serde(default = "yes")]
    should_exist: bool,
    #[serde(default)]
    permissions: String,
    #[serde(default)]
    uid: Option<u64>,
    #[serde(default)]
    gid: Option<u64>,
    #[serde(default)]
    is_executable_by: Option<ExecutableBy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Content {
    name: String,
    path: String,
    #[serde(default)]
    expected_contents: Vec<String>,
    #[serde(default)]
    excluded_contents: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Metadata {
    #[serde(default, alias = "env")]
    env_vars: Vec<Variable>,
    #[serde(default)]
    unbound_env_vars: Vec<Variable>,
    #[serde(default)]
    labels: Vec<Variable>,
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    #[serde(default)]
    cmd: Option<Vec<String>>,
    #[serde(default)]
    exposed_ports: Vec<String>,
    #[serde(default)]
    unexposed_ports: Vec<String>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    unmounted_volumes: Vec<String>,
    #[serde(default)]
    workdir: String,
    #[serde(default)]
    user: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct License {
    #[serde(default)]
    debian: bool,
    #[serde(default)]
    files: Vec<String>,
}

/// Reads a file of tests.
///
/// # Errors
/// When it is no such file, or asks for something that a hardened run does not do.
pub fn parse(text: &str) -> Result<Vec<StructureTest>, StructureError> {
    let document: Document = serde_yaml::from_str(text).map_err(|error| StructureError {
        place: error.location().map(|at| (at.line(), at.column())),
        message: match error.to_string() {
            // Its words hold all of a text that is something else altogether.
            whole if whole.contains("expected struct Document") => {
                String::from("it holds no document of tests")
            }
            words => words,
        },
    })?;
    tests(document).map_err(|message| StructureError {
        message,
        place: None,
    })
}

fn tests(document: Document) -> Result<Vec<StructureTest>, String> {
    if document.schema_version != "2.0.0" {
        return Err(format!(
            "`schemaVersion` is `{}`, and only `2.0.0` can be read",
            document.schema_version
        ));
    }
    if let Some(options) = &document.container_run_options
        && let Some(option) = options.keys().next()
    {
        return Err(format!(
            "`containerRunOptions` sets `{option}`, and every run here has the same limits: no privilege, no mount, the image's own user"
        ));
    }
    let mut all = Vec::new();
    let mut add = |name: String, goal: Arc<dyn Goal>| {
        if name.trim().is_empty() {
            return Err(String::from("a test has no name"));
        }
        all.push(StructureTest { name, goal });
        Ok(())
    };
    let globals = variables(&document.global_env_vars);
    for test in document.command_tests {
        let name = test.name.clone();
        add(name, Arc::new(command(test, &globals)?))?;
    }
    for test in document.file_existence_tests {
        let name = test.name.clone();
        add(name, Arc::new(existence(test)?))?;
    }
    for test in document.file_content_tests {
        let name = test.name.clone();
        add(name, Arc::new(content(test)?))?;
    }
    if let Some(test) = document.metadata_test {
        add(String::from("Metadata Test"), Arc::new(metadata(test)?))?;
    }
    for (index, test) in document.license_tests.into_iter().enumerate() {
        let name = match index {
            0 => String::from("License Test"),
            more => format!("License Test {}", more + 1),
        };
        let goal = LicenseTest {
            debian: test.debian,
            files: test.files,
        };
        add(name, Arc::new(goal))?;
    }
    match all.len() {
        0 => Err(String::from("it has no test")),
        count if count > MOST => Err(format!("it has {count} tests, and {MOST} is the most")),
        _ => Ok(all),
    }
}

fn variables(list: &[Variable]) -> BTreeMap<String, String> {
    let pairs = list.iter().map(|one| (one.key.clone(), one.value.clone()));
    pairs.collect()
}

fn all_regexes(list: &[String]) -> Result<Vec<::regex::Regex>, String> {
    list.iter().map(|text| regex(text)).collect()
}

fn command(test: Command, globals: &BTreeMap<String, String>) -> Result<CommandTest, String> {
    let name = &test.name;
    // Steps before a test change the image that is judged. Those after it are not run by that
    // tool's own engine driver either.
    let _ = test.teardown;
    if !test.setup.is_empty() {
        return Err(format!(
            "the test `{name}` has `setup`, which would change the image before it is judged; write such a step into the Dockerfile or into the command itself"
        ));
    }
    if test.command.trim().is_empty() {
        return Err(format!("the test `{name}` has no command"));
    }
    let mut env = globals.clone();
    env.extend(variables(&test.env_vars));
    Ok(CommandTest {
        command: test.command,
        args: test.args,
        env,
        exit: test.exit_code,
        expected_output: all_regexes(&test.expected_output)?,
        excluded_output: all_regexes(&test.excluded_output)?,
        expected_error: all_regexes(&test.expected_error)?,
        excluded_error: all_regexes(&test.excluded_error)?,
    })
}

fn existence(test: Existence) -> Result<ExistenceTest, String> {
    let name = &test.name;
    if test.path.trim().is_empty() {
        return Err(format!("the test `{name}` has no path"));
    }
    let asks = !test.permissions.is_empty()
        || test.uid.is_some()
        || test.gid.is_some()
        || test.is_executable_by.is_some();
    if !test.should_exist && asks {
        return Err(format!(
            "the test `{name}` asks for permissions or an owner of a file that should not exist"
        ));
    }
    Ok(ExistenceTest {
        path: test.path,
        exists: test.should_exist,
        permissions: Some(test.permissions).filter(|text| !text.is_empty()),
        uid: test.uid,
        gid: test.gid,
        executable_by: test.is_executable_by,
    })
}

fn content(test: Content) -> Result<ContentTest, String> {
    if test.path.trim().is_empty() {
        return Err(format!("the test `{}` has no path", test.name));
    }
    Ok(ContentTest {
        path: test.path,
        expected: all_regexes(&test.expected_contents)?,
        excluded: all_regexes(&test.excluded_contents)?,
    })
}

fn metadata(test: Metadata) -> Result<MetadataTest, String> {
    let pairs = |list: &[Variable]| -> Result<Vec<(String, Wanted)>, String> {
        list.iter()
            .map(|one| {
                let wanted = if one.is_regex {
                    Wanted::Matches(regex(&one.value)?)
                } else {
                    Wanted::Is(one.value.clone())
                };
                Ok((one.key.clone(), wanted))
            })
            .collect()
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut unbound = test.unbound_env_vars.iter();
    if unbound.any(|one| one.key.is_empty()) {
        return Err(String::from("a variable of `unboundEnvVars` has no key"));
    }
    Ok(MetadataTest {
        env: pairs(&test.env_vars)?,
        unset_env: test
            .unbound_env_vars
            .into_iter()
            .map(|one| one.key)
            .collect(),
        labels: pairs(&test.labels)?,
        entrypoint: test.entrypoint,
        cmd: test.cmd,
        ports: test.exposed_ports,
        no_ports: test.unexposed_ports,
        volumes: test.volumes,
        no_volumes: test.unmounted_volumes,
        workdir: some(test.workdir),
        user: some(test.user),
    })
}
