//! `metadata`: parts of the image's config are as they should be.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::OneOrMore;
use super::field::TextMatch;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::dockerfile::Keyword;
use crate::image::Config;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metadata {
    env: BTreeMap<String, TextMatch>,
    unset_env: Option<OneOrMore<String>>,
    labels: BTreeMap<String, TextMatch>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    exposed: Option<OneOrMore<String>>,
    volumes: Option<OneOrMore<String>>,
    workdir: Option<String>,
    user: Option<String>,
    stop_signal: Option<String>,
}

/// A part of the config that is not as it should be.
struct Fault {
    found: String,
    wanted: String,
    keyword: Keyword,
}

impl Metadata {
    /// All that is wanted, each as a phrase.
    fn wishes(&self) -> Vec<String> {
        let mut wishes = Vec::new();
        wishes.extend(
            self.env
                .iter()
                .map(|(name, value)| format!("`{name}` {value}")),
        );
        wishes.extend(all(&self.unset_env).map(|name| format!("no `{name}`")));
        wishes.extend(
            self.labels
                .iter()
                .map(|(name, value)| format!("label `{name}` {value}")),
        );
        wishes.extend(
            self.entrypoint
                .iter()
                .map(|words| format!("entrypoint {}", json(words))),
        );
        wishes.extend(self.cmd.iter().map(|words| format!("cmd {}", json(words))));
        wishes.extend(all(&self.exposed).map(|port| format!("port {port} exposed")));
        wishes.extend(all(&self.volumes).map(|path| format!("volume {path}")));
        wishes.extend(
            self.workdir
                .iter()
                .map(|path| format!("working directory {path}")),
        );
        wishes.extend(self.user.iter().map(|user| format!("user {user}")));
        wishes.extend(
            self.stop_signal
                .iter()
                .map(|signal| format!("stop signal {signal}")),
        );
        wishes
    }

    fn fault(&self, config: &Config) -> Option<Fault> {
        self.texts(config)
            .or_else(|| self.commands(config))
            .or_else(|| self.lists(config))
            .or_else(|| self.words(config))
    }

    fn texts(&self, config: &Config) -> Option<Fault> {
        let env = |name: &str| {
            let mut lines = config.env.iter().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        for (name, wanted) in &self.env {
            if let Some(fault) = text(&format!("`{name}`"), env(name), wanted, Keyword::Env) {
                return Some(fault);
            }
        }
        for name in all(&self.unset_env) {
            if env(name).is_some() {
                return Some(Fault {
                    found: format!("`{name}` is set"),
                    wanted: String::from("It should not be set in the image."),
                    keyword: Keyword::Env,
                });
            }
        }
        self.labels.iter().find_map(|(name, wanted)| {
            let value = config.labels.get(name).map(String::as_str);
            text(&format!("label `{name}`"), value, wanted, Keyword::Label)
        })
    }

    fn commands(&self, config: &Config) -> Option<Fault> {
        let entrypoint = (
            &self.entrypoint,
            &config.entrypoint,
            "entrypoint",
            Keyword::Entrypoint,
        );
        let cmd = (&self.cmd, &config.cmd, "cmd", Keyword::Cmd);
        [entrypoint, cmd]
            .into_iter()
            .find_map(|(wanted, found, name, keyword)| {
                let wanted = wanted.as_ref().filter(|wanted| *wanted != found)?;
                Some(Fault {
                    found: format!("{name} {}", json(found)),
                    wanted: format!("It should be {}.", json(wanted)),
                    keyword,
                })
            })
    }

    fn lists(&self, config: &Config) -> Option<Fault> {
        let port = |text: &str| text.strip_suffix("/tcp").unwrap_or(text).to_owned();
        let exposed: Vec<String> = config.exposed_ports.iter().map(|one| port(one)).collect();
        if let Some(missing) = all(&self.exposed).find(|wanted| !exposed.contains(&port(wanted))) {
            return Some(Fault {
                found: format!("port {missing} is not exposed"),
                wanted: format!("The image exposes {}.", or_nothing(&exposed)),
                keyword: Keyword::Expose,
            });
        }
        let missing = all(&self.volumes).find(|wanted| !config.volumes.contains(wanted))?;
        Some(Fault {
            found: format!("no volume {missing}"),
            wanted: format!("The image declares {}.", or_nothing(&config.volumes)),
            keyword: Keyword::Volume,
        })
    }

    fn words(&self, config: &Config) -> Option<Fault> {
        let tidy = |path: &str| match path.trim_end_matches('/') {
            "" => String::from("/"),
            path => path.to_owned(),
        };
        let signal = config.stop_signal.as_deref().unwrap_or("SIGTERM");
        let rows = [
            (
                &self.workdir,
                tidy(&config.working_dir),
                "working directory",
                Keyword::Workdir,
            ),
            (&self.user, config.user.clone(), "user", Keyword::User),
            (
                &self.stop_signal,
                signal.to_owned(),
                "stop signal",
                Keyword::Stopsignal,
            ),
        ];
        rows.into_iter().find_map(|(wanted, found, name, keyword)| {
            let wanted = wanted.as_ref()?;
            let same = if keyword == Keyword::Workdir {
                tidy(wanted) == found
            } else {
                *wanted == found
            };
            let shown = if found.is_empty() {
                "(none)"
            } else {
                found.as_str()
            };
            (!same).then(|| Fault {
                found: format!("{name} {shown}"),
                wanted: format!("It should be {wanted}."),
                keyword,
            })
        })
    }
}

fn all(list: &Option<OneOrMore<String>>) -> impl Iterator<Item = &String> {
    list.iter().flat_map(|list| list.0.iter())
}

fn json(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(", "))
}

fn or_nothing(list: &[String]) -> String {
    if list.is_empty() {
        String::from("none")
    } else {
        list.join(", ")
    }
}

fn text(name: &str, found: Option<&str>, wanted: &TextMatch, keyword: Keyword) -> Option<Fault> {
    let found = match found {
        Some(value) if wanted.holds_for(value) => return None,
        Some(value) => format!("{name} is {}", super::field::quoted(value)),
        None => format!("{name} is not set"),
    };
    Some(Fault {
        found,
        wanted: format!("It should be a text {wanted}."),
        keyword,
    })
}

impl Kind for Metadata {
    const ABOUT: About = About {
        name: "metadata",
        asks: "The image's config is as it should be.",
        parameters: &[
            may("env", "names with texts to match", "Environment variables."),
            may(
                "unset_env",
                "name or list of names",
                "Variables that must not be set.",
            ),
            may("labels", "names with texts to match", "Labels."),
            may("entrypoint", "list of words", "The whole entrypoint."),
            may("cmd", "list of words", "The whole command."),
            may(
                "exposed",
                "port or list of ports",
                "Exposed ports: `8000` or `53/udp`.",
            ),
            may("volumes", "path or list of paths", "Declared volumes."),
            may("workdir", "path", "The working directory."),
            may("user", "text", "The user as written."),
            may("stop_signal", "name", "The signal that stops it."),
        ],
        example: "metadata: { workdir: /app, labels: { org.opencontainers.image.source: https } }",
    };

    fn check(&self) -> Result<(), String> {
        if self.wishes().is_empty() {
            return Err(String::from(
                "it asks for nothing; `loadline goals` lists its parameters",
            ));
        }
        Ok(())
    }
}

impl Goal for Metadata {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        self.wishes().join(", ").replace('`', "")
    }

    fn wanted(&self) -> String {
        format!("the image's config has {}", self.wishes().join(", "))
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let config = match &evidence.summary {
            Ok(summary) => &summary.config,
            Err(missing) => return Verdict::unknown(missing),
        };
        let Some(fault) = self.fault(config) else {
            return Verdict::met("as wanted");
        };
        let line = base::line_of(&evidence.dockerfile, fault.keyword);
        let written = base::last(&evidence.dockerfile, fault.keyword);
        let origin = match written {
            Some(instruction) => format!("Line {} sets it last.", instruction.line),
            None => format!("No {} of the final stage sets it.", fault.keyword),
        };
        Verdict::unmet(
            fault.found,
            format!("{} {origin}", fault.wanted),
            format!(
                "Look at what {} does, and in which stage it stands.",
                fault.keyword
            ),
            Blame::line(line),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::try_goal;
    use crate::goal::fixture::with_config;

    fn judge(yaml: &str) -> String {
        let config = Config {
            user: String::from("app"),
            entrypoint: vec![String::from("python")],
            env: vec![String::from("MODE=prod")],
            working_dir: String::from("/app"),
            labels: [(String::from("by"), String::from("me"))].into(),
            exposed_ports: vec![String::from("8000/tcp"), String::from("53/udp")],
            ..Config::default()
        };
        let file = "FROM a\nWORKDIR /app\nENV MODE=prod\nUSER app";
        show(&goal(&format!("metadata: {yaml}")).evaluate(&with_config(file, config)))
    }

    #[test]
    fn a_config_as_wanted_meets_it() {
        let yaml = "{ env: { MODE: { equals: prod } }, unset_env: TOKEN, labels: { by: me }, exposed: [8000, 53/udp], workdir: /app/, user: app, stop_signal: SIGTERM, entrypoint: [python], cmd: [] }";
        assert_eq!(judge(yaml), "met: as wanted");
    }

    #[test]
    fn each_part_that_differs_is_named() {
        insta::assert_snapshot!(judge("{ env: { MODE: test } }"), @r#"
        unmet: `MODE` is "prod"
        why:   It should be a text with "test". Line 3 sets it last.
        next:  Look at what ENV does, and in which stage it stands.
        blame: line 3
        "#);
        insta::assert_snapshot!(judge("{ unset_env: [MODE] }"), @r"
        unmet: `MODE` is set
        why:   It should not be set in the image. Line 3 sets it last.
        next:  Look at what ENV does, and in which stage it stands.
        blame: line 3
        ");
        insta::assert_snapshot!(judge("{ labels: { source: https } }"), @r#"
        unmet: label `source` is not set
        why:   It should be a text with "https". No LABEL of the final stage sets it.
        next:  Look at what LABEL does, and in which stage it stands.
        blame: line 1
        "#);
        insta::assert_snapshot!(judge("{ entrypoint: [node, x] }"), @r#"
        unmet: entrypoint ["python"]
        why:   It should be ["node", "x"]. No ENTRYPOINT of the final stage sets it.
        next:  Look at what ENTRYPOINT does, and in which stage it stands.
        blame: line 1
        "#);
        insta::assert_snapshot!(judge("{ exposed: 9000 }"), @r"
        unmet: port 9000 is not exposed
        why:   The image exposes 8000, 53/udp. No EXPOSE of the final stage sets it.
        next:  Look at what EXPOSE does, and in which stage it stands.
        blame: line 1
        ");
        insta::assert_snapshot!(judge("{ volumes: /data }"), @r"
        unmet: no volume /data
        why:   The image declares none. No VOLUME of the final stage sets it.
        next:  Look at what VOLUME does, and in which stage it stands.
        blame: line 1
        ");
        insta::assert_snapshot!(judge("{ workdir: /srv }"), @r"
        unmet: working directory /app
        why:   It should be /srv. Line 2 sets it last.
        next:  Look at what WORKDIR does, and in which stage it stands.
        blame: line 2
        ");
        insta::assert_snapshot!(judge("{ stop_signal: SIGINT }"), @r"
        unmet: stop signal SIGTERM
        why:   It should be SIGINT. No STOPSIGNAL of the final stage sets it.
        next:  Look at what STOPSIGNAL does, and in which stage it stands.
        blame: line 1
        ");
    }

    #[test]
    fn it_must_ask_for_something() {
        assert!(
            try_goal("metadata")
                .err()
                .unwrap()
                .contains("asks for nothing")
        );
        let verdict = goal("metadata: { user: a }").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
