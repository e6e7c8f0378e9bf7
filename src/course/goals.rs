//! Goals as exercises write them: a kind with its parameters, and beside it what the exercise adds.
//!
//! `- no_shell`, `- max_size: 100 MB`, or a map whose one other key is the kind:
//! `{ max_size: 100 MB, id: small, why: … }`.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Deserializer;
use serde::de;
use serde::de::DeserializeSeed;
use serde::de::MapAccess;
use serde::de::Visitor;

use super::GoalEntry;
use super::suggest;
use crate::goal::Goal;
use crate::goal::registry;
use crate::goal::registry::KindSeed;

/// A goal as written.
#[derive(Debug)]
pub(super) struct GoalYaml(pub(super) GoalEntry);

/// Stands between what is wrong and what to do about it.
pub(super) const HINT: &str = "\u{1f}";

const LIST: &str = "`loadline goals` lists every kind";

/// The keys that may stand beside a kind.
const BESIDE: [&str; 6] = ["id", "title", "points", "why", "read", "hidden"];

impl<'de> Deserialize<'de> for GoalYaml {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(GoalVisitor)
    }
}

struct GoalVisitor;

impl<'de> Visitor<'de> for GoalVisitor {
    type Value = GoalYaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a goal kind, alone or with its parameters (`- max_size: 100 MB`)")
    }

    fn visit_str<E: de::Error>(self, kind: &str) -> Result<GoalYaml, E> {
        let kind = known(kind)?;
        let goal: Result<_, de::value::Error> = registry::parse_bare(kind);
        match goal {
            Ok(goal) => Ok(GoalYaml(Beside::default().entry(goal))),
            Err(why) => Err(E::custom(format!("`{kind}` needs its parameters: {why}"))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GoalYaml, A::Error> {
        let mut goal: Option<Arc<dyn Goal>> = None;
        let mut beside = Beside::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::Kind(kind) if goal.is_none() => {
                    goal = Some(map.next_value_seed(KindSeed(kind))?);
                }
                Key::Kind(kind) => {
                    let first = goal.map_or("", |goal| goal.kind());
                    return Err(de::Error::custom(format!(
                        "one goal has two kinds, `{first}` and `{kind}`; each needs its own `-`"
                    )));
                }
                Key::Beside(name) => beside.read(name, &mut map)?,
            }
        }
        let Some(goal) = goal else {
            return Err(de::Error::custom("this goal names no kind"));
        };
        Ok(GoalYaml(beside.entry(goal)))
    }
}

/// What an exercise adds to a goal.
#[derive(Default)]
struct Beside {
    id: Option<String>,
    title: Option<String>,
    points: Option<u32>,
    why: Option<String>,
    read: Option<String>,
    hidden: bool,
}

impl Beside {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "id" => self.id = Some(map.next_value()?),
            "title" => self.title = Some(map.next_value()?),
            "points" => self.points = Some(map.next_value()?),
            "why" => self.why = Some(map.next_value()?),
            "read" => self.read = Some(map.next_value()?),
            _ => self.hidden = map.next_value()?,
        }
        Ok(())
    }

    fn entry(self, goal: Arc<dyn Goal>) -> GoalEntry {
        GoalEntry {
            id: self.id.unwrap_or_else(|| goal.kind().to_owned()),
            title: self.title,
            points: self.points.unwrap_or(1),
            why: self.why,
            read: self.read,
            hidden: self.hidden,
            goal,
        }
    }
}

/// A key of a goal's map.
enum Key {
    Kind(&'static str),
    Beside(&'static str),
}

/// Reads a key, so that an unknown one is an error at its own place.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a goal kind")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
        match BESIDE.into_iter().find(|name| *name == key) {
            Some(name) => Ok(Key::Beside(name)),
            None => known(key).map(Key::Kind),
        }
    }
}

/// The kind of this name, or an error that says which one was most likely meant.
fn known<E: de::Error>(name: &str) -> Result<&'static str, E> {
    let kinds: Vec<&'static str> = registry::names().collect();
    if let Some(kind) = kinds.iter().find(|kind| **kind == name) {
        return Ok(kind);
    }
    let names = kinds.iter().copied().chain(BESIDE);
    let near = suggest::nearest(name, names);
    Err(E::custom(match near {
        Some(near) => format!("unknown goal kind `{name}`{HINT}did you mean `{near}`? {LIST}"),
        None => format!("unknown goal kind `{name}`{HINT}{LIST}"),
    }))
}
