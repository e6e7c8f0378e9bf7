//! What the learner did: attempts with their files and reports, hints, lessons, answers, position.
//!
//! One SQLite file, write-ahead logged: a record is there whole or not at all, whenever the
//! program is killed. Exercises and lessons are known by their ids, with the course's version
//! beside each attempt, so that progress survives an update of the course.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it opens a database and sets a damaged one aside"
)]

mod attempts;
mod migrate;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use attempts::AttemptRecord;
pub use attempts::Progress;
use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::MappedMutexGuard;
use tokio::sync::Mutex;
use tokio::sync::MutexGuard;

use super::Home;
use super::room;
use super::room::Room;
use crate::text::hex;

/// How long another `loadline` may hold the file before we give up.
const BUSY: Duration = Duration::from_secs(5);

/// Between two tries where the database does not wait by itself.
const PAUSE: Duration = Duration::from_millis(20);

/// The learner's records; clones share one connection.
#[derive(Debug, Clone)]
pub struct Records {
    /// One connection and no pool: closing a pool may return before its last connection has let
    /// go of the file, and a learner is never so fast that one is not enough.
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

/// Records that were opened.
#[derive(Debug)]
pub struct Opened {
    /// The records.
    pub records: Records,
    /// Where the records from before lie, if they were damaged and had to be set aside.
    pub set_aside: Option<PathBuf>,
}

/// What went wrong with the records. Workspace files are never touched by it.
#[derive(Debug, Error)]
pub enum RecordsError {
    /// No space is left, or a quota or a limit is used up.
    #[error("the disk takes no more, so this was not recorded")]
    Full(sqlx::Error),
    /// The folder cannot be made or written.
    #[error("the records in `{path}` cannot be opened")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer program wrote them.
    #[error("the records were written by a newer `loadline` (format {found}, not {ours})")]
    Newer {
        /// Theirs.
        found: i64,
        /// Ours.
        ours: i64,
    },
    /// Another program holds them.
    #[error("the records are in use by another program")]
    Busy(#[source] sqlx::Error),
    /// Anything else.
    #[error("the records cannot be used")]
    Database(#[source] sqlx::Error),
    /// They were closed.
    #[error("the records are closed already")]
    Closed,
    /// A report cannot be written as JSON.
    #[error("a report cannot be recorded")]
    Report(#[source] serde_json::Error),
}

impl RecordsError {
    /// What to do next with the records of this home.
    #[must_use]
    pub fn hint(&self, home: &Home) -> String {
        let file = file(home);
        let hint = match self {
            Self::Full(_) => {
                let room = Room::at(&file).hint(&file);
                return format!("{room}; your files are safe and earlier records are kept");
            }
            Self::Open { source, .. } if is_out_of_room(source.as_ref()) => {
                return Room::at(&file).hint(&file);
            }
            Self::Open { .. } => "set `LOADLINE_HOME` to a folder that you may write to",
            Self::Newer { .. } => "use the newer `loadline`, or set `LOADLINE_HOME` elsewhere",
            Self::Busy(_) => "close the other `loadline` and try again",
            Self::Database(_) | Self::Closed | Self::Report(_) => {
                "your files are safe; please report this"
            }
        };
        hint.to_owned()
    }
}

/// Whether no room is at the bottom of an error: a folder that could not be made on a full disk.
fn is_out_of_room(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if inner
            .downcast_ref::<std::io::Error>()
            .is_some_and(room::is_used_up)
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// What `SQLite` says where a write found no room (13) or was refused: by a quota or a limit on
/// the file's size while writing (778) and making it longer or shorter (1546), on a file system
/// that notices late while syncing (1034, 1290) or closing (4106), and for the shared memory
/// beside the log, which is a file, too (4618, 4874, 5386).
const NO_ROOM: [u32; 9] = [13, 778, 1034, 1290, 1546, 4106, 4618, 4874, 5386];

/// `SQLite`'s result codes that have their own story.
impl From<sqlx::Error> for RecordsError {
    fn from(error: sqlx::Error) -> Self {
        match extended_code(&error) {
            Some(code) if matches!(code & 0xff, 5 | 6) => Self::Busy(error),
            Some(code) if NO_ROOM.contains(&code) => Self::Full(error),
            _ => Self::Database(error),
        }
    }
}

fn extended_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    extended_code(error).map(|code| code & 0xff)
}

/// Whether the file is no database, or one with a broken inside.
fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(11 | 26))
}

fn now() -> String {
    OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// The file of a home's records.
fn file(home: &Home) -> PathBuf {
    home.state().join("records.db")
}

impl Records {
    /// Opens the records of a home, and makes them where there are none. A damaged file is set
    /// aside under another name and new records are begun.
    ///
    /// # Errors
    /// When there is no place to write, or a newer program wrote the records.
    pub async fn open(home: &Home) -> Result<Opened, RecordsError> {
        let path = file(home);
        home.make().map_err(|source| RecordsError::Open {
            path: path.clone(),
            source: Box::new(source),
        })?;
        match Self::open_file(&path, None).await {
            Ok(records) => Ok(Opened {
                records,
                set_aside: None,
            }),
            Err(Trouble::Damaged) => {
                let aside = set_aside(&path).map_err(|source| RecordsError::Open {
                    path: path.clone(),
                    source: Box::new(source),
                })?;
                let records = Self::open_file(&path, None)
                    .await
                    .map_err(RecordsError::from)?;
                Ok(Opened {
                    records,
                    set_aside: Some(aside),
                })
            }
            Err(Trouble::Other(error)) => Err(error),
        }
    }

    async fn open_file(path: &Path, max_pages: Option<u32>) -> Result<Self, Trouble> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let mut connection = options
            .connect()
            .await
            .map_err(|error| opening(path, error))?;
        match prepare(&mut connection, path, max_pages).await {
            Ok(()) => Ok(Self {
                connection: Arc::new(Mutex::new(Some(connection))),
            }),
            Err(trouble) => {
                // Let go of the file before anybody moves it.
                let _ = connection.close().await;
                Err(trouble)
            }
        }
    }

    /// Writes everything out and lets go of the file; what is recorded afterwards is an error.
    pub async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            // What was committed is on disk already; the rest is tidiness.
            let _ = connection.close().await;
        }
    }

    async fn connection(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, RecordsError> {
        let guard = self.connection.lock().await;
        MutexGuard::try_map(guard, Option::as_mut).map_err(|_guard| RecordsError::Closed)
    }

    /// Notes that a hint was opened.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn open_hint(
        &self,
        exercise: &str,
        goal: &str,
        level: u8,
    ) -> Result<(), RecordsError> {
        sqlx::query(
            "INSERT OR IGNORE INTO hints (exercise, goal, level, opened_at) VALUES (?, ?, ?, ?)",
        )
        .bind(exercise)
        .bind(goal)
        .bind(level)
        .bind(now())
        .execute(&mut *self.connection().await?)
        .await?;
        Ok(())
    }

    /// The hints of an exercise that were opened: goal and level.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn hints(&self, exercise: &str) -> Result<Vec<(String, u8)>, RecordsError> {
        let rows =
            sqlx::query("SELECT goal, level FROM hints WHERE exercise = ? ORDER BY goal, level")
                .bind(exercise)
                .fetch_all(&mut *self.connection().await?)
                .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// Notes that a lesson was read to its end; lessons are known by their slug.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn mark_read(&self, lesson: &str) -> Result<(), RecordsError> {
        sqlx::query("INSERT OR IGNORE INTO lessons_read (lesson, read_at) VALUES (?, ?)")
            .bind(lesson)
            .bind(now())
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }

    /// The slugs of the lessons that were read.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn lessons_read(&self) -> Result<Vec<String>, RecordsError> {
        let slugs = sqlx::query_scalar("SELECT lesson FROM lessons_read ORDER BY lesson");
        Ok(slugs.fetch_all(&mut *self.connection().await?).await?)
    }

    /// Notes an answer to a question: the choices by their index, and whether they were right. A
    /// try that arrives after a later one changes nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn answer(&self, answer: &Answer) -> Result<(), RecordsError> {
        let chosen: Vec<String> = answer.chosen.iter().map(usize::to_string).collect();
        sqlx::query(
            "INSERT INTO answers (lesson, quiz, chosen, is_right, tries, answered_at) \
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (lesson, quiz) DO UPDATE SET \
             chosen = excluded.chosen, is_right = excluded.is_right, tries = excluded.tries, \
             answered_at = excluded.answered_at WHERE excluded.tries >= answers.tries",
        )
        .bind(&answer.lesson)
        .bind(&answer.quiz)
        .bind(chosen.join(","))
        .bind(answer.right)
        .bind(answer.tries)
        .bind(now())
        .execute(&mut *self.connection().await?)
        .await?;
        Ok(())
    }

    /// The newest answer to each question.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn answers(&self) -> Result<Vec<Answer>, RecordsError> {
        let rows = sqlx::query(
            "SELECT lesson, quiz, chosen, is_right, tries FROM answers ORDER BY lesson, quiz",
        )
        .fetch_all(&mut *self.connection().await?)
        .await?;
        rows.iter()
            .map(|row| {
                let chosen: String = row.try_get(2)?;
                Ok(Answer {
                    lesson: row.try_get(0)?,
                    quiz: row.try_get(1)?,
                    chosen: chosen
                        .split(',')
                        .filter_map(|index| index.parse().ok())
                        .collect(),
                    right: row.try_get(3)?,
                    tries: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// Keeps a setting, such as the screen to come back to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep(&self, key: &str, value: &str) -> Result<(), RecordsError> {
        sqlx::query("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(key)
            .bind(value)
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }

    /// A setting that was kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn kept(&self, key: &str) -> Result<Option<String>, RecordsError> {
        let value = sqlx::query_scalar("SELECT value FROM settings WHERE key = ?").bind(key);
        Ok(value.fetch_optional(&mut *self.connection().await?).await?)
    }

    /// The token that is planted in an exercise's workspace; made on the first call and the same
    /// ever after, so that builds can be cached.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn token(&self, exercise: &str) -> Result<String, RecordsError> {
        sqlx::query("INSERT OR IGNORE INTO tokens (exercise, token, made_at) VALUES (?, ?, ?)")
            .bind(exercise)
            .bind(new_token())
            .bind(now())
            .execute(&mut *self.connection().await?)
            .await?;
        let token = sqlx::query_scalar("SELECT token FROM tokens WHERE exercise = ?");
        Ok(token
            .bind(exercise)
            .fetch_one(&mut *self.connection().await?)
            .await?)
    }
}

/// The place to come back to, in [`Records::keep`] and [`Records::kept`].
pub const POSITION: &str = "position";

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The lesson's slug.
    pub lesson: String,
    /// The question's id.
    pub quiz: String,
    /// The choices by their index.
    pub chosen: Vec<usize>,
    /// Whether they were right.
    pub right: bool,
    /// How many tries it took so far.
    pub tries: u32,
}

/// A random token for a canary, for whoever has no records (a check of any folder, say).
#[must_use]
pub fn new_token() -> String {
    let random: [u8; 16] = rand::random();
    format!("canary-{}", hex(&random))
}

/// Why a file could not be opened.
enum Trouble {
    Damaged,
    Other(RecordsError),
}

impl From<Trouble> for RecordsError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Other(error) => error,
            Trouble::Damaged => Self::Closed,
        }
    }
}

/// Sets the connection up, makes sure that the file is sound, and brings it to our format.
async fn prepare(
    connection: &mut SqliteConnection,
    path: &Path,
    max_pages: Option<u32>,
) -> Result<(), Trouble> {
    let failed = |error| opening(path, error);
    write_ahead(connection).await.map_err(failed)?;
    if let Some(pages) = max_pages {
        let limit = format!("PRAGMA max_page_count = {pages}");
        sqlx::raw_sql(&limit)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    let checked: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if checked != "ok" {
        return Err(Trouble::Damaged);
    }
    migrate::to_newest(connection).await.map_err(Trouble::Other)
}

/// Turns the log on. Where two programs do so at once, one is told that the file is busy without
/// the usual wait, so that we wait ourselves.
async fn write_ahead(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tries_left = BUSY.as_millis() / PAUSE.as_millis();
    loop {
        let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
        match sqlx::raw_sql(setup).execute(&mut *connection).await {
            Err(error) if primary_code(&error) == Some(5) && tries_left > 0 => {
                tries_left -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            other => return other.map(drop),
        }
    }
}

fn opening(path: &Path, error: sqlx::Error) -> Trouble {
    if is_damage(&error) {
        return Trouble::Damaged;
    }
    // Its files cannot be made (14) where no room is left for their names.
    if primary_code(&error) == Some(14) && Room::at(path) == Room::Full {
        return Trouble::Other(RecordsError::Full(error));
    }
    Trouble::Other(match RecordsError::from(error) {
        RecordsError::Database(error) => RecordsError::Open {
            path: path.to_owned(),
            source: Box::new(error),
        },
        other => other,
    })
}

/// Moves a damaged database away, its logs with it, and says where it lies now.
fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let stamp = now().replace(':', "-");
    let aside = path.with_file_name(format!("records-damaged-{stamp}.db"));
    fs::rename(path, &aside)?;
    for log in ["-wal", "-shm"] {
        let from = PathBuf::from(format!("{}{log}", path.display()));
        if from.exists() {
            fs::rename(&from, format!("{}{log}", aside.display()))?;
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
