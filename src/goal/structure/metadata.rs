//! The image's config, as that tool asks for it.

use regex::Regex;

use super::NAME;
use super::config;
use crate::goal::Blame;
use crate::goal::Evidence;
use crate::goal::Goal;
use crate::goal::Needs;
use crate::goal::Verdict;
use crate::image::Config;
use crate::text::plural;

/// What a value must be.
#[derive(Debug)]
pub(super) enum Wanted {
    Is(String),
    Matches(Regex),
}

impl Wanted {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Is(wanted) => wanted == value,
            Self::Matches(regex) => regex.is_match(value),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Is(wanted) => format!("`{wanted}`"),
            Self::Matches(regex) => format!("/{}/", regex.as_str()),
        }
    }
}

#[derive(Debug)]
pub(super) struct MetadataTest {
    pub(super) env: Vec<(String, Wanted)>,
    pub(super) unset_env: Vec<String>,
    pub(super) labels: Vec<(String, Wanted)>,
    pub(super) entrypoint: Option<Vec<String>>,
    pub(super) cmd: Option<Vec<String>>,
    pub(super) ports: Vec<String>,
    pub(super) no_ports: Vec<String>,
    pub(super) volumes: Vec<String>,
    pub(super) no_volumes: Vec<String>,
    pub(super) workdir: Option<String>,
    pub(super) user: Option<String>,
}

/// A part that is not as it should be: what was found, and what is wanted.
type Fault = (String, String);

impl MetadataTest {
    fn faults(&self, config: &Config) -> Vec<Fault> {
        let mut faults = Vec::new();
        let variable = |key: &str| {
            let mut lines = config.env.iter();
            lines.find_map(|line| line.split_once('=').filter(|(name, _)| *name == key))
        };
        for (key, wanted) in &self.env {
            let value = variable(key).map(|(_, value)| value);
            faults.extend(of_value("environment variable", key, value, wanted));
        }
        for key in self.unset_env.iter().filter(|key| variable(key).is_some()) {
            faults.push((
                format!("the environment variable `{key}` is set"),
                String::from("It should not be set."),
            ));
        }
        for (key, wanted) in &self.labels {
            let value = config.labels.get(key).map(String::as_str);
            faults.extend(of_value("label", key, value, wanted));
        }
        for (name, found, wanted) in [
            ("entrypoint", &config.entrypoint, &self.entrypoint),
            ("command", &config.cmd, &self.cmd),
        ] {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != found) {
                let fault = (
                    format!("the {name} {found:?}"),
                    format!("The {name} should be {wanted:?}."),
                );
                faults.push(fault);
            }
        }
        for (name, found, wanted) in [
            ("working directory", &config.working_dir, &self.workdir),
            ("user", &config.user, &self.user),
        ] {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != found) {
                faults.push((
                    format!("the {name} `{found}`"),
                    format!("The {name} should be `{wanted}`."),
                ));
            }
        }
        faults.extend(self.faults_of_lists(config));
        faults
    }

    fn faults_of_lists(&self, config: &Config) -> Vec<Fault> {
        let same_port = |found: &String, wanted: &String| {
            found == wanted || found.split('/').next() == Some(wanted.as_str())
        };
        let ports = List {
            name: "exposed port",
            found: &config.exposed_ports,
            same: &same_port,
        };
        let volumes = List {
            name: "volume",
            found: &config.volumes,
            same: &|found, wanted| found == wanted,
        };
        let mut faults = ports.faults(&self.ports, &self.no_ports);
        faults.extend(volumes.faults(&self.volumes, &self.no_volumes));
        faults
    }
}

/// A list of the config, and when one of its values is the one that is meant.
struct List<'a> {
    name: &'static str,
    found: &'a [String],
    same: &'a dyn Fn(&String, &String) -> bool,
}

impl List<'_> {
    fn faults(&self, wanted: &[String], unwanted: &[String]) -> Vec<Fault> {
        let name = self.name;
        let has = |one: &String| self.found.iter().any(|found| (self.same)(found, one));
        let missing = wanted.iter().filter(|one| !has(one)).map(|one| {
            let why = format!("The image should have the {name} `{one}`.");
            (format!("no {name} `{one}`"), why)
        });
        let extra = unwanted.iter().filter(|one| has(one)).map(|one| {
            let why = format!("The image should not have the {name} `{one}`.");
            (format!("the {name} `{one}`"), why)
        });
        missing.chain(extra).collect()
    }
}

fn of_value(what: &str, key: &str, value: Option<&str>, wanted: &Wanted) -> Option<Fault> {
    match value {
        Some(value) if wanted.holds(value) => None,
        Some(value) => Some((
            format!("the {what} `{key}` is `{value}`"),
            format!("It should be {}.", wanted.shown()),
        )),
        None => Some((
            format!("no {what} `{key}`"),
            format!("The image should have it, as {}.", wanted.shown()),
        )),
    }
}

impl Goal for MetadataTest {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> String {
        String::from("metadata")
    }

    fn wanted(&self) -> String {
        let lists = [
            self.env.len() + self.unset_env.len(),
            self.labels.len(),
            usize::from(self.entrypoint.is_some()),
            usize::from(self.cmd.is_some()),
            self.ports.len() + self.no_ports.len(),
            self.volumes.len() + self.no_volumes.len(),
            usize::from(self.workdir.is_some()),
            usize::from(self.user.is_some()),
        ];
        format!(
            "{} of the image's config as they are asked for",
            plural(lists.iter().sum(), "value")
        )
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let config = match config(evidence) {
            Ok(config) => config,
            Err(missing) => return Verdict::unknown(missing),
        };
        let faults = self.faults(config);
        match faults.split_first() {
            None => Verdict::met("as asked for"),
            Some(((found, why), rest)) => {
                let more = match rest.len() {
                    0 => String::new(),
                    more => format!(", and {} more", plural(more, "value")),
                };
                Verdict::unmet(
                    format!("{found}{more}"),
                    why,
                    "Look for the instruction of the final stage that sets it.",
                    Blame::default(),
                )
            }
        }
    }
}
