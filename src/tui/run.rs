//! The loop: signals, input, news, time; one owner of the state; a frame only when something
//! changed.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the clock that the rules are told; this is the edge"
)]

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal as Sign;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::text::io_cause;
use crate::tui::effect::Effect;
use crate::tui::hangup;
use crate::tui::input::Input;
use crate::tui::model::Model;
use crate::tui::msg::Msg;
use crate::tui::outside;
use crate::tui::outside::Editing;
use crate::tui::outside::Options;
use crate::tui::outside::Start;
use crate::tui::runner::Runner;
use crate::tui::screen;
use crate::tui::terminal;
use crate::tui::terminal::Canvas;
use crate::tui::terminal::PanicGuard;
use crate::tui::update;
use crate::workshop::Services;
use crate::workshop::Trouble;

/// The shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(16);
/// The longest that news keeps a frame waiting.
const DRAIN: Duration = Duration::from_millis(4);
/// How many messages may wait.
const BUS: usize = 256;

/// Why the workshop was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The learner left.
    Quit,
    /// A signal asked for it, or the terminal went away.
    Terminated,
}

/// What stops when the workshop is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// This program: a signal came, and who sent it saw to the others.
    Alone,
    /// All that the shell started together with us: a key was pressed, and nobody else has read it.
    Job,
}

/// Opens the workshop on the terminal and returns when it was left. Nothing of `services` but the
/// course is used before the first screen is there.
///
/// # Errors
/// When the terminal cannot be used, or no threads can be had.
pub fn run(services: Services, options: Options) -> io::Result<Left> {
    let ui = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    ui.block_on(App::open(services, options))
}

struct App {
    model: Model,
    options: Options,
    canvas: Canvas,
    input: Input,
    runner: Runner,
    began: Instant,
    drawn: Instant,
    dirty: bool,
    left: Option<Left>,
}

impl App {
    async fn open(services: Services, options: Options) -> io::Result<Left> {
        let began = Instant::now();
        let mut canvas = Canvas::take()?;
        let mut model = Model::new(services.course, options.theme, terminal::size());
        model.has_editor = options.editor.is_some();
        model.has_shell = has_shell();
        if let Start::Unit(name) = &options.start {
            model.start_at(name);
        }
        // Opens what the screen shows; its effects wait until the screen is there.
        let effects = update::start(&mut model);
        canvas.draw(|frame| screen::view(&model, frame))?;

        let (sender, mut bus) = mpsc::channel(BUS);
        let guard = PanicGuard::install(
            std::thread::current().id(),
            options.reports.clone(),
            sender.clone(),
        );
        let mut signals = Signals::register()?;
        let mut app = Self {
            model,
            options,
            canvas,
            input: Input::new(),
            runner: Runner::new(services.workshop, sender)?,
            began,
            drawn: Instant::now(),
            dirty: false,
            left: None,
        };
        let left = app.live(effects, &mut signals, &mut bus).await;
        app.close(bus).await;
        drop(guard);
        left
    }

    /// Lives until the workshop is left. A terminal that fails is left in an orderly way, too.
    async fn live(
        &mut self,
        effects: Vec<Effect>,
        signals: &mut Signals,
        bus: &mut mpsc::Receiver<Msg>,
    ) -> io::Result<Left> {
        let mut lived = self.perform(effects, signals).await;
        while lived.is_ok() {
            if let Some(left) = self.left {
                return Ok(left);
            }
            lived = self.step(signals, bus).await;
        }
        let gone = hangup::is_gone();
        self.terminate(signals).await?;
        if gone {
            return Ok(Left::Terminated);
        }
        lived.map(|()| Left::Terminated)
    }

    /// Waits for one thing and takes it in.
    async fn step(
        &mut self,
        signals: &mut Signals,
        bus: &mut mpsc::Receiver<Msg>,
    ) -> io::Result<()> {
        let frame = self.drawn + FRAME;
        let tick = self.model.tick();
        tokio::select! {
            biased;
            sign = signals.next() => self.signal(sign, signals).await,
            msg = self.input.next() => match msg {
                Some(Ok(msg)) => {
                    self.take(msg, signals).await?;
                    self.draw()
                }
                // The terminal is gone: the same as being told to hang up.
                Some(Err(_)) | None => self.terminate(signals).await,
            },
            msg = bus.recv() => match msg {
                Some(msg) => self.drain(msg, signals, bus).await,
                None => Ok(()),
            },
            () = tokio::time::sleep_until(frame), if self.dirty => self.draw(),
            () = tokio::time::sleep(tick.unwrap_or_default()), if tick.is_some() => {
                self.take(Msg::Tick, signals).await?;
                self.draw()
            }
        }
    }

    /// Takes in what has come, for as long as a frame may wait.
    async fn drain(
        &mut self,
        first: Msg,
        signals: &mut Signals,
        bus: &mut mpsc::Receiver<Msg>,
    ) -> io::Result<()> {
        let until = Instant::now() + DRAIN;
        self.take(first, signals).await?;
        while self.left.is_none() && Instant::now() < until {
            match bus.try_recv() {
                Ok(msg) => self.take(msg, signals).await?,
                Err(_) => break,
            }
        }
        if self.dirty && self.drawn.elapsed() >= FRAME {
            self.draw()?;
        }
        Ok(())
    }

    async fn take(&mut self, msg: Msg, signals: &mut Signals) -> io::Result<()> {
        let effects = update::update(&mut self.model, self.began.elapsed(), msg);
        self.dirty = true;
        self.perform(effects, signals).await
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.left.is_some() {
            return Ok(());
        }
        let model = &self.model;
        self.canvas.draw(|frame| screen::view(model, frame))?;
        self.dirty = false;
        self.drawn = Instant::now();
        Ok(())
    }

    /// Does effects; those on the terminal itself here, the others on the workers.
    async fn perform(&mut self, effects: Vec<Effect>, signals: &mut Signals) -> io::Result<()> {
        let mut queue: std::collections::VecDeque<Effect> = effects.into();
        while let Some(effect) = queue.pop_front() {
            let msg = match effect {
                Effect::Quit => {
                    self.left.get_or_insert(Left::Quit);
                    None
                }
                Effect::Repaint => {
                    self.canvas.forget()?;
                    self.dirty = true;
                    None
                }
                Effect::Suspend => {
                    self.suspend(signals, Stop::Job).await?;
                    Some(Msg::Resumed)
                }
                Effect::Edit { path, line } => Some(self.edit(path, line, signals).await?),
                Effect::FixEngine => Some(self.fix_engine(signals).await?),
                Effect::Copy(text) => {
                    copy(&text);
                    None
                }
                Effect::Notify(text) => {
                    notify(&text);
                    None
                }
                other => {
                    self.runner.perform(other);
                    None
                }
            };
            if let Some(msg) = msg {
                let more = update::update(&mut self.model, self.began.elapsed(), msg);
                self.dirty = true;
                queue.extend(more);
            }
        }
        Ok(())
    }

    async fn signal(&mut self, sign: Sign, signals: &mut Signals) -> io::Result<()> {
        match sign {
            Sign::WINCH => {
                self.take(Msg::Resize(terminal::size()), signals).await?;
                self.draw()
            }
            Sign::TSTP => {
                self.suspend(signals, Stop::Alone).await?;
                self.take(Msg::Resumed, signals).await?;
                self.draw()
            }
            Sign::CONT => {
                // Whoever stopped us may have changed the terminal.
                self.input.pause();
                terminal::give_back();
                terminal::take()?;
                self.input.resume();
                self.take(Msg::Resumed, signals).await?;
                self.draw()
            }
            _ => self.terminate(signals).await,
        }
    }

    async fn terminate(&mut self, signals: &mut Signals) -> io::Result<()> {
        self.left = Some(Left::Terminated);
        self.take(Msg::Terminate, signals).await
    }

    /// Stops until the shell lets us go on.
    async fn suspend(&mut self, signals: &mut Signals, stop: Stop) -> io::Result<()> {
        if !self.model.has_shell {
            return Ok(());
        }
        self.input.pause();
        terminal::give_back();
        signals.stopped(stop).await;
        terminal::take()?;
        self.input.resume();
        Ok(())
    }

    /// Gives the terminal to the learner's editor until it ends.
    async fn edit(&mut self, path: PathBuf, line: usize, signals: &mut Signals) -> io::Result<Msg> {
        let editor = self.options.editor.clone().unwrap_or_default();
        let windowed = outside::is_windowed(&editor);
        if !windowed {
            self.input.pause();
            terminal::give_back();
        }
        let result = match outside::edit(&editor, &path, line) {
            Ok(Editing::Beside) => Ok(()),
            Ok(Editing::Here(child)) => {
                let ended = self.wait_for(child, signals).await;
                ended.map_err(|what| trouble(&editor, &what))
            }
            Err(error) => {
                let what = format!("cannot be started: {}", io_cause(&error));
                Err(trouble(&editor, &what))
            }
        };
        if !windowed {
            terminal::take()?;
            self.input.resume();
        }
        Ok(Msg::EditorClosed(result))
    }

    /// Gives the terminal to `loadline doctor --fix` until it ends.
    async fn fix_engine(&mut self, signals: &mut Signals) -> io::Result<Msg> {
        self.input.pause();
        terminal::give_back();
        let result = match outside::fix_engine() {
            Ok(child) => self.wait_for(child, signals).await,
            Err(error) => Err(format!("did not start: {}", io_cause(&error))),
        };
        terminal::take()?;
        self.input.resume();
        let result = result.map_err(|_what| {
            Trouble::new("no engine was started")
                .advise("`loadline doctor --fix` in a shell shows why.")
        });
        Ok(Msg::Fixed(result))
    }

    /// Waits for a program that has the terminal. The error is what came of it, without its name.
    async fn wait_for(
        &mut self,
        child: std::process::Child,
        signals: &mut Signals,
    ) -> Result<(), String> {
        let id = outside::id(&child);
        let mut ended = self.runner.wait_for(child);
        loop {
            let end = tokio::select! {
                sign = signals.next() => match sign {
                    // The editor was stopped with us; the shell must see that we stop, too.
                    Sign::TSTP if self.model.has_shell => {
                        signals.stopped(Stop::Alone).await;
                        continue;
                    }
                    Sign::TERM | Sign::HUP => sign,
                    _ => continue,
                },
                () = self.input.hung_up() => Sign::HUP,
                result = &mut ended => return match result {
                    Ok(Ok(true)) => Ok(()),
                    Ok(Ok(false)) => Err("ended with an error".to_owned()),
                    Ok(Err(error)) => Err(format!("cannot be waited for: {}", io_cause(&error))),
                    Err(error) => Err(format!("cannot be waited for: {error}")),
                },
            };
            // Told to end, an editor keeps what was not saved where it always does.
            if let Some(id) = id {
                let _ = rustix::process::kill_process(id, end);
            }
            self.left = Some(Left::Terminated);
            return Ok(());
        }
    }

    /// Gives the terminal back at once; what still runs is stopped behind it.
    async fn close(mut self, bus: mpsc::Receiver<Msg>) {
        drop(self.canvas);
        // Stopping a build takes time: nobody reads the terminal meanwhile, least of all its end.
        if hangup::is_gone() {
            self.input.let_go();
        }
        self.input.pause();
        if self.runner.is_building() {
            terminal::say("loadline: stopping the build on the engine\n");
        }
        for line in self.runner.finish(bus).await {
            terminal::say(&format!("loadline: {line}\n"));
        }
    }
}

fn trouble(editor: &[String], what: &str) -> Trouble {
    let name = editor.first().map_or("the editor", String::as_str);
    Trouble::new(format!("`{name}` {what}"))
        .advise("Set $VISUAL or $EDITOR, or press e to edit here.")
}

/// Puts a text on the clipboard of the terminal's machine.
fn copy(text: &str) {
    use crossterm::Command as _;
    use crossterm::clipboard::CopyToClipboard;
    let mut sequence = String::new();
    if CopyToClipboard::to_clipboard_from(text)
        .write_ansi(&mut sequence)
        .is_ok()
    {
        terminal::write(sequence.as_bytes());
    }
}

/// Tells the terminal's window that something has ended.
fn notify(text: &str) {
    let text = crate::text::Clean::line(text);
    terminal::write(format!("\x1b]9;{text}\x07").as_bytes());
}

/// Whether a shell waits behind us. It gives each of its jobs a group of processes of its own; in the
/// group that a session began with (`ssh -t HOST loadline`, a terminal's or a container's own
/// command), nobody would let us go on, and the kernel stops nobody for a key there either.
fn has_shell() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session != rustix::process::getpgrp())
}

/// The signals that matter to a program that owns a terminal.
struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    stop: Signal,
    go_on: Signal,
    resize: Signal,
}

impl Signals {
    fn register() -> io::Result<Self> {
        let kind = |sign: Sign| signal(SignalKind::from_raw(sign.as_raw()));
        Ok(Self {
            terminate: kind(Sign::TERM)?,
            hang_up: kind(Sign::HUP)?,
            interrupt: kind(Sign::INT)?,
            stop: kind(Sign::TSTP)?,
            go_on: kind(Sign::CONT)?,
            resize: kind(Sign::WINCH)?,
        })
    }

    /// Stops the program, or all that the shell started together with us, as the terminal does where
    /// it reads the key itself: while a `make` that waits for us goes on, the shell does not come
    /// back. All of us at once: a shell that is back may let us go on at any moment, and who stopped
    /// after that would stay so. Over when the program goes on.
    async fn stopped(&mut self, stop: Stop) {
        let sent = match stop {
            Stop::Alone => rustix::process::kill_process(rustix::process::getpid(), Sign::STOP),
            Stop::Job => rustix::process::kill_current_process_group(Sign::STOP),
        };
        // The signal may take effect on another thread first: without waiting for the one that
        // ends the stop, this thread would take the terminal back before it is stopped.
        if sent.is_ok() {
            self.go_on.recv().await;
        }
    }

    async fn next(&mut self) -> Sign {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Sign::TERM,
            _ = self.hang_up.recv() => Sign::HUP,
            _ = self.interrupt.recv() => Sign::INT,
            _ = self.stop.recv() => Sign::TSTP,
            _ = self.go_on.recv() => Sign::CONT,
            _ = self.resize.recv() => Sign::WINCH,
        }
    }
}
