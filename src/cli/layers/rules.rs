//! The rules of a `.dive-ci` file, checked by the formula that they were written for.
//!
//! The file is YAML: `rules:` with `lowestEfficiency` (0.9 unless it is set), `highestWastedBytes`
//! (disabled unless it is set) and `highestUserWastedPercent` (0.1 unless it is set). `disabled`,
//! `off`, `false` and nothing turn a rule off. The names that the same rules have among that tool's
//! own settings (`lowest-efficiency-threshold`, `highest-wasted-bytes` and
//! `highest-user-wasted-percent`) are read too, with or without `rules:`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;
use serde_yaml::Value;

use crate::cli::CliError;
use crate::cli::input;
use crate::cli::layers::LayersError;
use crate::image::efficiency::DiveFigures;
use crate::text::Clean;
use crate::text::nearest;
use crate::units::Bytes;

/// The file that is read where none is named.
const USUAL: &str = ".dive-ci";

/// The largest rule file that is read.
const FILE_CAP: u64 = 1_000_000;

/// Each rule, and its name among the settings.
const NAMES: [(&str, &str); 3] = [
    ("lowestEfficiency", "lowest-efficiency-threshold"),
    ("highestWastedBytes", "highest-wasted-bytes"),
    ("highestUserWastedPercent", "highest-user-wasted-percent"),
];

/// What an image must keep to; `None` turns a rule off.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    lowest_efficiency: Option<f64>,
    highest_wasted_bytes: Option<Bytes>,
    highest_user_wasted: Option<f64>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            lowest_efficiency: Some(0.9),
            highest_wasted_bytes: None,
            highest_user_wasted: Some(0.1),
        }
    }
}

/// What came of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Pass,
    Fail,
    /// The rule is turned off.
    Skip,
}

/// One rule, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) rule: &'static str,
    pub(super) status: Status,
    /// `at least 0.9`; nothing of a rule that is turned off.
    pub(super) wanted: String,
    /// `0.981`.
    pub(super) found: String,
}

impl Rules {
    /// The rules of a file, or of `.dive-ci` where none is named and it is there, or the usual
    /// ones.
    pub(super) fn read(file: Option<PathBuf>) -> Result<Self, CliError> {
        let named = file.is_some();
        let path = file.unwrap_or_else(|| PathBuf::from(USUAL));
        let unreadable = |cause| CliError::Unreadable {
            what: "the rule file",
            path: path.clone(),
            cause,
        };
        let file = match input::open(&path) {
            Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            file => file.map_err(unreadable)?,
        };
        let mut text = String::new();
        file.take(FILE_CAP)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Ok(Self::parse(&text, &path)?)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, LayersError> {
        let place = Clean::line(&path.display().to_string()).to_string();
        let wrong = |message: String| LayersError::Rules {
            message,
            place: place.clone(),
            hint: None,
        };
        let file: Option<BTreeMap<String, Value>> = serde_yaml::from_str(text)
            .map_err(|error| wrong(format!("the rules are not YAML: {error}")))?;
        let file = file.unwrap_or_default();
        let mut rules = Self::default();
        let known = |name: &str| {
            let mut names = NAMES.iter();
            names.find(|(old, new)| *old == name || *new == name)
        };
        let inner: Vec<(String, Value)> = match file.get("rules") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Mapping(rules)) => {
                let pairs = rules.iter();
                let name = |key: &Value| text_of(key).unwrap_or_default();
                pairs
                    .map(|(key, value)| (name(key), value.clone()))
                    .collect()
            }
            Some(_) => {
                let what = "`rules` is not a list of names with values";
                return Err(wrong(String::from(what)));
            }
        };
        for (name, value) in &inner {
            if known(name).is_none() {
                let names = NAMES.iter().map(|(old, _)| *old);
                let nearest = nearest(name, names);
                return Err(LayersError::Rules {
                    message: format!("unknown rule `{}`", Clean::line(name)),
                    place,
                    hint: nearest.map(|nearest| format!("did you mean `{nearest}`?")),
                });
            }
            rules.take(name, value, &place)?;
        }
        for (name, value) in file.iter().filter(|(name, _)| known(name).is_some()) {
            rules.take(name, value, &place)?;
        }
        Ok(rules)
    }

    fn take(&mut self, name: &str, value: &Value, place: &str) -> Result<(), LayersError> {
        let text = text_of(value).ok_or_else(|| LayersError::Rules {
            message: format!("the rule `{name}` has a value that is neither a text nor a number"),
            place: place.to_owned(),
            hint: None,
        })?;
        self.set(name, &text, place)
    }

    /// Sets one rule from a text; `place` is where it stands.
    pub(super) fn set(&mut self, name: &str, value: &str, place: &str) -> Result<(), LayersError> {
        let wrong = |wanted: &str| LayersError::Rules {
            message: format!("the rule `{name}` is `{}`, {wanted}", Clean::line(value)),
            place: place.to_owned(),
            hint: None,
        };
        let off = ["", "disabled", "off", "false"].contains(&value.trim().to_lowercase().as_str());
        let share = || {
            let share = value.trim().parse::<f64>().ok();
            let share = share.filter(|share| (0.0..=1.0).contains(share));
            share.ok_or_else(|| wrong("not a number from 0 to 1"))
        };
        let size = || {
            let size = value.parse::<Bytes>().ok();
            size.ok_or_else(|| wrong("not a size such as `20MB`"))
        };
        match NAMES
            .iter()
            .position(|(old, new)| *old == name || *new == name)
        {
            Some(0) => self.lowest_efficiency = if off { None } else { Some(share()?) },
            Some(1) => self.highest_wasted_bytes = if off { None } else { Some(size()?) },
            _ => self.highest_user_wasted = if off { None } else { Some(share()?) },
        }
        Ok(())
    }

    /// Checks an image's figures.
    pub(super) fn check(&self, figures: &DiveFigures) -> Vec<Check> {
        let share = |share: f64| format!("{share:.4}");
        // A share of nothing is above no limit.
        let user = figures.user_wasted;
        let user_text = user.map_or_else(|| String::from("nothing to compare with"), share);
        let rows = [
            (
                self.lowest_efficiency
                    .map(|limit| format!("at least {limit}")),
                share(figures.efficiency),
                self.lowest_efficiency
                    .is_some_and(|limit| figures.efficiency < limit),
            ),
            (
                self.highest_wasted_bytes
                    .map(|limit| format!("at most {limit}")),
                figures.wasted.to_string(),
                self.highest_wasted_bytes
                    .is_some_and(|limit| figures.wasted > limit),
            ),
            (
                self.highest_user_wasted
                    .map(|limit| format!("at most {limit}")),
                user_text,
                self.highest_user_wasted
                    .zip(user)
                    .is_some_and(|(limit, share)| share > limit),
            ),
        ];
        let rows = rows.into_iter().zip(NAMES);
        rows.map(|((wanted, found, broken), (rule, _))| Check {
            rule,
            status: match (&wanted, broken) {
                (None, _) => Status::Skip,
                (Some(_), true) => Status::Fail,
                (Some(_), false) => Status::Pass,
            },
            wanted: wanted.unwrap_or_default(),
            found,
        })
        .collect()
    }
}

/// A scalar as it is written, or nearly so.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Paint;

    fn parse(text: &str) -> Result<Rules, String> {
        let rules = Rules::parse(text, Path::new(".dive-ci"));
        rules.map_err(|error| CliError::from(error).render(Paint::none()))
    }

    #[test]
    fn the_documented_file_is_read() {
        let rules = parse(
            "rules:\n  # If the efficiency is below this, fail.\n  lowestEfficiency: 0.95\n  \
             highestWastedBytes: 20MB\n  highestUserWastedPercent: 0.20\n",
        );
        let wanted = Rules {
            lowest_efficiency: Some(0.95),
            highest_wasted_bytes: Some(Bytes(20_000_000)),
            highest_user_wasted: Some(0.2),
        };
        assert_eq!(rules, Ok(wanted.clone()));
        let newer = "lowest-efficiency-threshold: '0.95'\nhighest-wasted-bytes: '20MB'\n\
                     highest-user-wasted-percent: 0.2\n";
        assert_eq!(parse(newer), Ok(wanted));
    }

    #[test]
    fn what_is_not_set_has_the_usual_value_and_any_rule_can_be_turned_off() {
        assert_eq!(parse(""), Ok(Rules::default()));
        assert_eq!(parse("rules:\n"), Ok(Rules::default()));
        for off in ["disabled", "Disabled", "off", "false", "", "'false'"] {
            let rules = parse(&format!("rules: {{ lowestEfficiency: {off} }}")).unwrap();
            assert_eq!(rules.lowest_efficiency, None, "{off}");
            assert_eq!(rules.highest_user_wasted, Some(0.1));
        }
    }

    #[test]
    fn a_rule_that_cannot_be_used_is_named() {
        insta::assert_snapshot!(parse("rules: { lowestEfficiency: 95 }").unwrap_err(), @r"
        error: the rule `lowestEfficiency` is `95`, not a number from 0 to 1
          --> .dive-ci
        ");
        insta::assert_snapshot!(parse("rules: { highestWastedBytes: lots }").unwrap_err(), @r"
        error: the rule `highestWastedBytes` is `lots`, not a size such as `20MB`
          --> .dive-ci
        ");
        insta::assert_snapshot!(parse("rules: { lowestEfficency: 0.9 }").unwrap_err(), @r"
        error: unknown rule `lowestEfficency`
          --> .dive-ci
          hint: did you mean `lowestEfficiency`?
        ");
        insta::assert_snapshot!(parse("rules: [1]").unwrap_err(), @r"
        error: `rules` is not a list of names with values
          --> .dive-ci
        ");
        assert!(
            parse("rules: { lowestEfficiency: [1] }")
                .unwrap_err()
                .contains("neither")
        );
        assert!(parse("a: [").unwrap_err().contains("are not YAML"));
        assert!(parse("rules: { highestUserWastedPercent: .nan }").is_err());
        assert!(parse("rules: { lowestEfficiency: true }").is_err());
    }

    #[test]
    fn figures_are_held_against_the_rules() {
        let figures = DiveFigures {
            efficiency: 0.9,
            wasted: Bytes(20_000_001),
            user_wasted: Some(0.11),
        };
        let rules = parse("rules: { highestWastedBytes: 20MB }").unwrap();
        let statuses = |rules: &Rules, figures: &DiveFigures| -> Vec<Status> {
            let checks = rules.check(figures);
            checks.iter().map(|check| check.status).collect()
        };
        assert_eq!(
            statuses(&rules, &figures),
            [Status::Pass, Status::Fail, Status::Fail]
        );
        let single = DiveFigures {
            efficiency: 0.89,
            wasted: Bytes(0),
            user_wasted: None,
        };
        assert_eq!(
            statuses(&Rules::default(), &single),
            [Status::Fail, Status::Skip, Status::Pass]
        );
    }
}
