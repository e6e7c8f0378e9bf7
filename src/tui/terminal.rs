//! The terminal itself: taken, given back, written to. Giving it back is safe at any time and as
//! often as one likes.
//!
//! Frames go out whole: what ratatui writes is collected and leaves in one `write`, between the
//! marks of a synchronised update.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge between the screens and the terminal: environment, panic reports"
)]

use std::cell::RefCell;
use std::io;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::ThreadId;

use crossterm::terminal;
use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::layout::Size;
use tokio::sync::mpsc;

use crate::text::Clean;
use crate::tui::msg::Msg;

/// Alternate screen, pasted text as one piece, focus of the window, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?25l";
/// In reverse, after the end of a frame that may have been cut off.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l";
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";

/// Whether the terminal is ours now. Global, because the panic hook is.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Writes bytes to the terminal; a terminal that is gone is no reason to fail.
pub(super) fn write(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(0) => return,
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}

/// Says something on standard error, after the terminal was given back.
pub(super) fn say(text: &str) {
    let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
}

/// Takes the terminal.
///
/// # Errors
/// When it cannot be put into raw mode.
pub(super) fn take() -> io::Result<()> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    terminal::enable_raw_mode().inspect_err(|_| TAKEN.store(false, Ordering::SeqCst))?;
    write(ENTER);
    Ok(())
}

/// Gives the terminal back.
pub(super) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        write(LEAVE);
        // After a hang-up there is nobody to tell.
        let _ = terminal::disable_raw_mode();
    }
}

/// The size of the terminal; what a terminal was for fifty years where it does not tell.
pub(super) fn size() -> Size {
    match terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => Size::new(width, height),
        _ => Size::new(80, 24),
    }
}

/// What ratatui writes, until the frame is whole.
#[derive(Debug, Clone, Default)]
struct Collected(Rc<RefCell<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The terminal while it is ours; dropped, it is given back.
pub(super) struct Canvas {
    terminal: Terminal<CrosstermBackend<Collected>>,
    collected: Collected,
}

impl Canvas {
    /// Takes the terminal.
    pub(super) fn take() -> io::Result<Self> {
        let collected = Collected::default();
        let terminal = Terminal::new(CrosstermBackend::new(collected.clone()))?;
        take()?;
        Ok(Self {
            terminal,
            collected,
        })
    }

    /// Draws a frame and writes what changed, at once.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(view)?;
        let mut bytes = self.collected.0.borrow_mut();
        let mut frame = Vec::with_capacity(bytes.len() + BEGIN_FRAME.len() + END_FRAME.len());
        frame.extend_from_slice(BEGIN_FRAME);
        frame.append(&mut bytes);
        frame.extend_from_slice(END_FRAME);
        write(&frame);
        Ok(())
    }

    /// Makes the next frame paint every cell. `Terminal::clear` would ask the terminal where the
    /// cursor is and die of no answer; `resize` does not ask.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        let size = size();
        self.terminal
            .resize(Rect::new(0, 0, size.width, size.height))?;
        Ok(())
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        give_back();
    }
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// While it lives, a panic on the drawing thread gives the terminal back before it is told; a panic
/// elsewhere leaves the screen alone, goes to a file and to the bus.
pub(super) struct PanicGuard {
    before: Arc<Hook>,
}

impl PanicGuard {
    pub(super) fn install(drawing: ThreadId, folder: PathBuf, bus: mpsc::Sender<Msg>) -> Self {
        let before: Arc<Hook> = Arc::new(std::panic::take_hook());
        let told = Arc::clone(&before);
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == drawing {
                give_back();
                told(info);
                return;
            }
            let path = folder.join(format!("loadline-panic-{}.txt", std::process::id()));
            let trace = std::backtrace::Backtrace::force_capture();
            let text = match std::fs::write(&path, format!("{info}\n\n{trace}\n")) {
                Ok(()) => format!(
                    "something in the background went wrong; the report is in {}",
                    path.display()
                ),
                Err(_) => format!("something in the background went wrong: {info}"),
            };
            let _ = bus.try_send(Msg::TaskPanicked(Clean::line(&text)));
        }));
        Self { before }
    }
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        // A thread that is unwinding may not touch the hook; the process is about to end.
        if !std::thread::panicking() {
            let before = Arc::clone(&self.before);
            std::panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}
