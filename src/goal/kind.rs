//! What a goal kind is to the course's reader: a name, its fields, and the short ways to write it.
//!
//! A kind is one struct whose fields are its YAML. This file turns a map, a scalar, a list or
//! nothing at all into that struct, for any serde format, so that the reader's error positions
//! survive.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde::de::value::MapDeserializer;

use super::Goal;

/// A goal kind.
pub(crate) trait Kind: Goal + DeserializeOwned + 'static {
    /// What people read of it.
    const ABOUT: About;

    /// The goal written as its main argument alone (`- max_size: 100 MB`); `None` where the kind
    /// has none.
    fn from_text(_text: &str) -> Option<Result<Self, String>> {
        None
    }

    /// The goal written as a list (`- avoids: [ADD, MAINTAINER]`); `None` where the kind has none.
    fn from_list(_list: Vec<String>) -> Option<Result<Self, String>> {
        None
    }

    /// What is wrong with fields that are each right, as a lower-case fragment.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What people read of a goal kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct About {
    /// The kind as YAML has it.
    pub name: &'static str,
    /// What it asks for, in one sentence.
    pub asks: &'static str,
    /// Its parameters, in the order of their use.
    pub parameters: &'static [Parameter],
    /// One goal of this kind as an exercise has it.
    pub example: &'static str,
}

/// A parameter of a goal kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What is written there: `size`, `duration`, `text`.
    pub shape: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// What it means, and its default.
    pub means: &'static str,
}

/// A parameter that must be given.
pub(crate) const fn must(
    name: &'static str,
    shape: &'static str,
    means: &'static str,
) -> Parameter {
    Parameter {
        name,
        shape,
        required: true,
        means,
    }
}

/// A parameter that may be given.
pub(crate) const fn may(name: &'static str, shape: &'static str, means: &'static str) -> Parameter {
    Parameter {
        name,
        shape,
        required: false,
        means,
    }
}

/// Reads a goal of one kind.
pub(crate) fn read<'de, K: Kind, D: Deserializer<'de>>(deserializer: D) -> Result<K, D::Error> {
    let goal = deserializer.deserialize_any(Reader::<K>(PhantomData))?;
    goal.check()
        .map_err(|what| D::Error::custom(format!("`{}`: {what}", K::ABOUT.name)))?;
    Ok(goal)
}

struct Reader<K>(PhantomData<K>);

impl<K: Kind> Reader<K> {
    fn of_text<E: serde::de::Error>(self, text: &str) -> Result<K, E> {
        match K::from_text(text) {
            Some(goal) => goal.map_err(|what| E::custom(format!("`{}`: {what}", K::ABOUT.name))),
            None => Err(E::invalid_type(serde::de::Unexpected::Str(text), &self)),
        }
    }
}

impl<'de, K: Kind> Visitor<'de> for Reader<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the parameters of `{}`, as in `- {}`",
            K::ABOUT.name,
            K::ABOUT.example
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<K, A::Error> {
        K::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<K, E> {
        let nothing: [(&str, &str); 0] = [];
        K::deserialize(MapDeserializer::new(nothing.into_iter()))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<K, E> {
        self.visit_unit()
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<K, E> {
        self.of_text(text)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<K, E> {
        self.of_text(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<K, E> {
        self.of_text(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<K, E> {
        self.of_text(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<K, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = sequence.next_element::<String>()? {
            list.push(one);
        }
        match K::from_list(list) {
            Some(goal) => {
                goal.map_err(|what| A::Error::custom(format!("`{}`: {what}", K::ABOUT.name)))
            }
            None => Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self)),
        }
    }
}
