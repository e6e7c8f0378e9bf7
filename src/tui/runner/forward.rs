//! What an attempt tells, on its way to the screen in batches and to its log file line by line.

#![expect(
    clippy::disallowed_methods,
    reason = "writes the log file of an attempt; this is the edge"
)]

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::attempt::AttemptEvent;
use crate::engine::BuildEvent;
use crate::text::Clean;
use crate::tui::msg::JobId;
use crate::tui::msg::Msg;

/// Events wait at most this long for others to come with them.
const BATCH: Duration = Duration::from_millis(50);
/// So many events do not wait.
const FULL: usize = 256;
/// Lines that wait while the screen is busy; older ones are only in the file.
const WAITING: usize = 4096;

/// Passes an attempt's events on in batches and writes its whole log to a file, or tells once why it
/// cannot. Says whether the attempt told its end.
pub(super) async fn forward(
    job: JobId,
    mut events: mpsc::Receiver<AttemptEvent>,
    log: &Path,
    bus: mpsc::Sender<Msg>,
) -> bool {
    let mut batch = Batch::default();
    // Without a log file the attempt is still worth having.
    let mut file = create(log).map_err(|error| batch.lose(log, &error)).ok();
    let mut finished = false;
    loop {
        let ripe = batch.is_ripe();
        let due = batch.since.map(|since| since + BATCH);
        tokio::select! {
            biased;
            permit = bus.reserve(), if ripe => match permit {
                Ok(permit) => permit.send(batch.take(job)),
                Err(_) => return finished,
            },
            event = events.recv() => match event {
                Some(event) => {
                    finished |= matches!(event, AttemptEvent::Finished(_));
                    if let Some(open) = &mut file
                        && let Err(error) = write_line(open, &event)
                    {
                        batch.lose(log, &error);
                        file = None;
                    }
                    batch.push(event);
                }
                None => break,
            },
            () = sleep_until(due), if !ripe => batch.urgent = batch.since.is_some(),
        }
    }
    if let Some(Err(error)) = file.as_mut().map(BufWriter::flush) {
        batch.lose(log, &error);
    }
    while !batch.is_empty() {
        let _ = bus.send(batch.take(job)).await;
    }
    finished
}

fn create(log: &Path) -> io::Result<BufWriter<File>> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create(log).map(BufWriter::new)
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn write_line(file: &mut BufWriter<File>, event: &AttemptEvent) -> io::Result<()> {
    match event {
        AttemptEvent::Build(BuildEvent::Log { step, line, .. }) => match step {
            Some(step) => writeln!(file, "#{} {line}", step.0),
            None => writeln!(file, "{line}"),
        },
        AttemptEvent::Build(BuildEvent::StepPlanned { step, title, .. }) => {
            writeln!(file, "#{} {title}", step.0)
        }
        _ => Ok(()),
    }
}

/// Events on their way to the screen.
#[derive(Default)]
struct Batch {
    events: Vec<AttemptEvent>,
    lines: usize,
    skipped: u64,
    since: Option<Instant>,
    urgent: bool,
    /// Why there is no log file, until it was told.
    lost: Option<Clean>,
}

impl Batch {
    fn push(&mut self, event: AttemptEvent) {
        let is_line = is_line(&event);
        self.since.get_or_insert_with(Instant::now);
        self.urgent |= !is_line;
        self.lines += usize::from(is_line);
        self.events.push(event);
        if self.lines > WAITING {
            self.drop_lines();
        }
    }

    /// There is no log file, or no more of it than was written. A screen cuts a line off: the path
    /// may be long, and comes last.
    fn lose(&mut self, log: &Path, error: &io::Error) {
        let kind = error.kind();
        let next = match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "let yourself write there"
            }
            _ => "move away what is in its place",
        };
        self.lost = Some(Clean::line(&format!(
            "no log file: {kind}; {next}: {}",
            log.display()
        )));
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.skipped == 0 && self.lost.is_none()
    }

    fn is_ripe(&self) -> bool {
        let ripe = self.urgent || self.events.len() >= FULL;
        self.lost.is_some() || !self.events.is_empty() && ripe
    }

    /// Lets the older half of the lines go; steps and verdicts stay.
    fn drop_lines(&mut self) {
        let mut go = WAITING / 2;
        self.lines -= go;
        self.skipped += go as u64;
        self.events.retain(|event| {
            let drop = go > 0 && is_line(event);
            go -= usize::from(drop);
            !drop
        });
    }

    fn take(&mut self, job: JobId) -> Msg {
        if let Some(why) = self.lost.take() {
            return Msg::NoLog { job, why };
        }
        let batch = std::mem::take(self);
        Msg::Attempt {
            job,
            events: batch.events,
            skipped: batch.skipped,
        }
    }
}

const fn is_line(event: &AttemptEvent) -> bool {
    matches!(event, AttemptEvent::Build(BuildEvent::Log { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;
    use crate::engine::StepId;
    use crate::text::Clean;

    fn line(number: usize) -> AttemptEvent {
        AttemptEvent::Build(BuildEvent::Log {
            step: Some(StepId(1)),
            stream: LogStream::Out,
            line: Clean::line(&number.to_string()),
        })
    }

    #[test]
    fn a_flood_drops_lines_with_a_count_and_never_a_step() {
        let mut batch = Batch::default();
        batch.push(AttemptEvent::Build(BuildEvent::StepStarted {
            step: StepId(1),
        }));
        for number in 0..10_000 {
            batch.push(line(number));
        }
        let Msg::Attempt {
            events, skipped, ..
        } = batch.take(JobId(1))
        else {
            panic!("a batch is told as an attempt");
        };
        let lines = events.iter().filter(|event| is_line(event)).count();
        assert!(lines <= WAITING);
        assert_eq!(lines as u64 + skipped, 10_000);
        assert!(!is_line(&events[0]));
    }

    /// 20,000 lines, and who writes them.
    fn written() -> (mpsc::Receiver<AttemptEvent>, tokio::task::JoinHandle<()>) {
        let (sender, events) = mpsc::channel(8);
        let writer = tokio::task::spawn(async move {
            for number in 0..20_000 {
                sender.send(line(number)).await.unwrap();
            }
        });
        (events, writer)
    }

    #[tokio::test]
    async fn the_whole_log_is_in_the_file_and_the_end_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs").join("log");
        let (events, writer) = written();
        let (bus, mut told) = mpsc::channel(2);
        let slow_screen = tokio::task::spawn(async move {
            let mut lines = 0;
            while let Some(msg) = told.recv().await {
                if let Msg::Attempt {
                    events, skipped, ..
                } = msg
                {
                    lines += events.len() as u64 + skipped;
                }
            }
            lines
        });
        assert!(!forward(JobId(1), events, &path, bus).await);
        writer.await.unwrap();
        assert_eq!(slow_screen.await.unwrap(), 20_000);
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written.lines().count(), 20_000);
        assert_eq!(written.lines().last(), Some("#1 19999"));
    }

    /// What a screen is told of 20,000 lines, and how many come to it.
    async fn told_without(log: &Path) -> (Vec<Clean>, u64) {
        let (events, writer) = written();
        let (bus, mut told) = mpsc::channel(2);
        let screen = tokio::task::spawn(async move {
            let (mut causes, mut lines) = (Vec::new(), 0);
            while let Some(msg) = told.recv().await {
                match msg {
                    Msg::NoLog { why, .. } => causes.push(why),
                    Msg::Attempt {
                        events, skipped, ..
                    } => lines += events.len() as u64 + skipped,
                    other => panic!("{other:?}"),
                }
            }
            (causes, lines)
        });
        forward(JobId(1), events, log, bus).await;
        writer.await.unwrap();
        screen.await.unwrap()
    }

    #[tokio::test]
    async fn a_log_file_that_cannot_be_written_is_told_once_and_no_line_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for (log, why) in [
            (
                Path::new("/dev/full"),
                "no log file: no storage space; make room: /dev/full",
            ),
            (
                &file.join("logs/log"),
                "no log file: not a directory; move away what is in its place: ",
            ),
        ] {
            let (causes, lines) = told_without(log).await;
            assert_eq!(lines, 20_000);
            let [cause] = &causes[..] else {
                panic!("{causes:?}");
            };
            assert!(cause.as_str().starts_with(why), "{cause}");
        }
    }
}
