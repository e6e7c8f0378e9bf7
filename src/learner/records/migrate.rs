//! The tables, and how older ones become newer ones. A step is never edited once it was released.

use sqlx::Connection as _;
use sqlx::SqliteConnection;

use super::RecordsError;

/// Each step brings the file from format `index` to `index + 1`.
pub(super) const STEPS: [&str; 2] = [
    "
CREATE TABLE contents (
    digest TEXT PRIMARY KEY,
    content BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course TEXT NOT NULL,
    course_version TEXT NOT NULL,
    exercise TEXT NOT NULL,
    outcome TEXT NOT NULL,
    is_starter INTEGER NOT NULL,
    shipped_bytes INTEGER,
    started_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    report TEXT NOT NULL
);
CREATE INDEX attempts_of_exercise ON attempts (exercise, id);
CREATE TABLE attempt_files (
    attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES contents (digest),
    PRIMARY KEY (attempt, path)
) WITHOUT ROWID;
CREATE TABLE hints (
    exercise TEXT NOT NULL,
    goal TEXT NOT NULL,
    level INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    PRIMARY KEY (exercise, goal, level)
) WITHOUT ROWID;
CREATE TABLE lessons_read (
    lesson TEXT PRIMARY KEY,
    read_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE answers (
    lesson TEXT NOT NULL,
    quiz TEXT NOT NULL,
    chosen TEXT NOT NULL,
    is_right INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    answered_at TEXT NOT NULL,
    PRIMARY KEY (lesson, quiz)
) WITHOUT ROWID;
CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE tokens (
    exercise TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    made_at TEXT NOT NULL
) WITHOUT ROWID;
",
    // Attempts have numbers of their own. Until then a number was the count of those that came to
    // a verdict.
    "
ALTER TABLE attempts ADD COLUMN number INTEGER;
UPDATE attempts SET number = (
    SELECT COUNT(*) FROM attempts AS earlier
    WHERE earlier.exercise = attempts.exercise AND earlier.id <= attempts.id
        AND earlier.outcome NOT IN ('cancelled', 'engine_unavailable')
) WHERE outcome NOT IN ('cancelled', 'engine_unavailable');
CREATE TABLE numbers (
    exercise TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO numbers (exercise, last)
    SELECT exercise, COUNT(number) FROM attempts GROUP BY exercise;
",
];

/// Brings the file to the newest format, each step in one transaction.
pub(super) async fn to_newest(connection: &mut SqliteConnection) -> Result<(), RecordsError> {
    let ours = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if format(connection, ours).await? == ours {
        return Ok(());
    }
    // Asked again inside, so that two programs starting at once do not both migrate.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found = format(&mut transaction, ours).await?;
    let done = usize::try_from(found).unwrap_or(0);
    for step in STEPS.into_iter().skip(done) {
        sqlx::raw_sql(step).execute(&mut *transaction).await?;
    }
    sqlx::raw_sql(&format!("PRAGMA user_version = {ours}"))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// The format of the file, which may not be newer than ours.
async fn format(connection: &mut SqliteConnection, ours: i64) -> Result<i64, RecordsError> {
    let found = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await?;
    if found > ours {
        return Err(RecordsError::Newer { found, ours });
    }
    Ok(found)
}
