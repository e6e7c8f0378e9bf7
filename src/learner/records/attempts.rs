//! Attempts: each one with its report and the files that it built.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::StrDeserializer;
use sha2::Digest as _;
use sha2::Sha256;
use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::Records;
use super::RecordsError;
use crate::course::Exercise;
use crate::course::Files;
use crate::report::Outcome;
use crate::report::Report;
use crate::text::hex;
use crate::units::Bytes;

/// An attempt in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Grows with each attempt.
    pub id: i64,
    /// Its number among the attempts at its exercise, as it was shown; `None` where an older
    /// program gave the number to another one, too.
    pub number: Option<u32>,
    /// The exercise's id.
    pub exercise: String,
    /// The course's version at that time.
    pub course_version: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the files were still the starter's.
    pub is_starter: bool,
    /// What the image weighed, where one was built and weighed.
    pub shipped: Option<Bytes>,
    /// RFC 3339, UTC.
    pub finished_at: String,
}

/// How far the learner is with an exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many attempts there were.
    pub attempts: u64,
    /// Whether one of them passed.
    pub passed: bool,
    /// The smallest image that passed.
    pub best: Option<Bytes>,
    /// The newest image.
    pub last: Option<Bytes>,
    /// What the starter weighed when it was built here.
    pub baseline: Option<Bytes>,
}

impl Records {
    /// Gives the next attempt at an exercise its number, from 1. No other attempt gets it, whatever
    /// comes of this one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn next_number(&self, exercise: &str) -> Result<u32, RecordsError> {
        let mut connection = self.connection().await?;
        // Without a transaction of its own, an error of the commit might not be seen: the row is
        // there before it.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let number = next_number(&mut transaction, exercise).await?;
        transaction.commit().await?;
        Ok(number)
    }

    /// The number that was given last at an exercise; 0 before the first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn last_number(&self, exercise: &str) -> Result<u32, RecordsError> {
        let last = sqlx::query_scalar("SELECT last FROM numbers WHERE exercise = ?").bind(exercise);
        let last: Option<u32> = last.fetch_optional(&mut *self.connection().await?).await?;
        Ok(last.unwrap_or_default())
    }

    /// Keeps an attempt: its report and the learner's files that were built. All of it or nothing.
    /// It gets the next number where it has none yet.
    ///
    /// # Errors
    /// When it cannot be written; earlier records are untouched then.
    pub async fn add_attempt(
        &self,
        exercise: &Exercise,
        report: &Report,
        files: &Files,
        number: Option<u32>,
    ) -> Result<i64, RecordsError> {
        let text = serde_json::to_string(report).map_err(RecordsError::Report)?;
        let shipped = report
            .image
            .as_ref()
            .map(|image| signed(image.shipped_bytes));
        let mut connection = self.connection().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let number = match number {
            Some(number) => {
                use_up(&mut transaction, &report.exercise, number).await?;
                number
            }
            None => next_number(&mut transaction, &report.exercise).await?,
        };
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO attempts (course, course_version, exercise, outcome, is_starter, \
             shipped_bytes, started_at, finished_at, report, number) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(&report.course.id)
        .bind(&report.course.version)
        .bind(&report.exercise)
        .bind(report.outcome.to_string())
        .bind(is_starter(exercise, files))
        .bind(shipped)
        .bind(&report.started_at)
        .bind(&report.finished_at)
        .bind(text)
        .bind(number)
        .fetch_one(&mut *transaction)
        .await?;
        for (path, content) in files {
            let digest = digest(content);
            sqlx::query("INSERT OR IGNORE INTO contents (digest, content) VALUES (?, ?)")
                .bind(&digest)
                .bind(&**content)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("INSERT INTO attempt_files (attempt, path, digest) VALUES (?, ?, ?)")
                .bind(id)
                .bind(path)
                .bind(&digest)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// The attempts at an exercise, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn attempts(
        &self,
        exercise: &str,
        limit: u32,
    ) -> Result<Vec<AttemptRecord>, RecordsError> {
        let rows = sqlx::query(
            "SELECT id, exercise, course_version, outcome, is_starter, shipped_bytes, finished_at, \
             number FROM attempts WHERE exercise = ? ORDER BY id DESC LIMIT ?",
        )
        .bind(exercise)
        .bind(limit)
        .fetch_all(&mut *self.connection().await?)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The whole report of an attempt; `None` where there is no such attempt, or its report was
    /// written by a version that we cannot read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn report(&self, attempt: i64) -> Result<Option<Report>, RecordsError> {
        let text: Option<String> = sqlx::query_scalar("SELECT report FROM attempts WHERE id = ?")
            .bind(attempt)
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The reports of the newest attempts at an exercise, oldest first, with their numbers; those
    /// that cannot be read are left out.
    ///
    /// # Errors
    /// When they cannot be read from the file.
    pub async fn reports(
        &self,
        exercise: &str,
        limit: u32,
    ) -> Result<Vec<(i64, Report)>, RecordsError> {
        let query = "SELECT id, report FROM attempts WHERE exercise = ? ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(query)
            .bind(exercise)
            .bind(limit)
            .fetch_all(&mut *self.connection().await?)
            .await?;
        let mut reports = Vec::new();
        for row in rows.iter().rev() {
            if let Ok(report) = serde_json::from_str(row.try_get(1)?) {
                reports.push((row.try_get(0)?, report));
            }
        }
        Ok(reports)
    }

    /// The learner's files as an attempt built them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn files(&self, attempt: i64) -> Result<Files, RecordsError> {
        let rows = sqlx::query(
            "SELECT path, content FROM attempt_files JOIN contents USING (digest) \
             WHERE attempt = ?",
        )
        .bind(attempt)
        .fetch_all(&mut *self.connection().await?)
        .await?;
        let mut files = Files::new();
        for row in rows {
            let content: Vec<u8> = row.try_get(1)?;
            files.insert(row.try_get(0)?, content.into());
        }
        Ok(files)
    }

    /// How far the learner is, by exercise.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn progress(&self) -> Result<BTreeMap<String, Progress>, RecordsError> {
        let rows = sqlx::query(
            "SELECT exercise, outcome, is_starter, shipped_bytes FROM attempts ORDER BY id",
        )
        .fetch_all(&mut *self.connection().await?)
        .await?;
        let mut all: BTreeMap<String, Progress> = BTreeMap::new();
        for row in rows {
            let of = all.entry(row.try_get(0)?).or_default();
            let passed = outcome(row.try_get(1)?) == Outcome::Passed;
            let starter: bool = row.try_get(2)?;
            let shipped = row.try_get::<Option<i64>, _>(3)?.map(unsigned);
            of.attempts += 1;
            of.passed |= passed;
            of.last = shipped.or(of.last);
            if starter {
                of.baseline = shipped.or(of.baseline);
            }
            if passed {
                of.best = [of.best, shipped].into_iter().flatten().min();
            }
        }
        Ok(all)
    }
}

/// Counts one on.
async fn next_number(
    connection: &mut SqliteConnection,
    exercise: &str,
) -> Result<u32, RecordsError> {
    let next = sqlx::query_scalar(
        "INSERT INTO numbers (exercise, last) VALUES (?, 1) \
         ON CONFLICT (exercise) DO UPDATE SET last = last + 1 RETURNING last",
    );
    Ok(next.bind(exercise).fetch_one(connection).await?)
}

/// Makes sure that this number is not given again.
async fn use_up(
    connection: &mut SqliteConnection,
    exercise: &str,
    number: u32,
) -> Result<(), RecordsError> {
    sqlx::query(
        "INSERT INTO numbers (exercise, last) VALUES (?, ?) \
         ON CONFLICT (exercise) DO UPDATE SET last = max(numbers.last, excluded.last)",
    )
    .bind(exercise)
    .bind(number)
    .execute(connection)
    .await?;
    Ok(())
}

fn record(row: &SqliteRow) -> Result<AttemptRecord, RecordsError> {
    Ok(AttemptRecord {
        id: row.try_get(0)?,
        exercise: row.try_get(1)?,
        course_version: row.try_get(2)?,
        outcome: outcome(row.try_get(3)?),
        is_starter: row.try_get(4)?,
        shipped: row.try_get::<Option<i64>, _>(5)?.map(unsigned),
        finished_at: row.try_get(6)?,
        number: row.try_get(7)?,
    })
}

/// Whether the learner's files are the starter's.
fn is_starter(exercise: &Exercise, files: &Files) -> bool {
    let mut edit = exercise.edit.iter();
    edit.all(|name| files.get(name) == exercise.files.get(name))
}

fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// `SQLite` has no unsigned numbers; no image comes near the difference.
fn signed(bytes: Bytes) -> i64 {
    i64::try_from(bytes.0).unwrap_or(i64::MAX)
}

fn unsigned(bytes: i64) -> Bytes {
    Bytes(u64::try_from(bytes).unwrap_or(0))
}

/// As a report has it. A name that a newer program wrote is something that we cannot judge.
fn outcome(name: &str) -> Outcome {
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    Outcome::deserialize(name).unwrap_or(Outcome::CouldNotJudge)
}
