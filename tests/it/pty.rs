//! A program on a pseudo-terminal that answers no question, and what it has drawn there.

use std::io::Read;
use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use loadline::learner::Home;
use portable_pty::Child;
use portable_pty::CommandBuilder;
use portable_pty::MasterPty;
use portable_pty::PtySize;
use portable_pty::native_pty_system;
use rustix::process::Pid;
use rustix::process::Signal;

use crate::sandbox::remove_made;

/// How long a screen may take to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A program and its terminal.
pub(crate) struct Pty {
    pub(crate) master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    pub(crate) bytes: mpsc::Receiver<Vec<u8>>,
    reader: Option<std::thread::JoinHandle<()>>,
    pub(crate) seen: Vec<u8>,
    pub(crate) screen: vt100::Parser,
    pub(crate) folder: tempfile::TempDir,
}

/// A size of a terminal.
pub(crate) const fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Pty {
    /// Starts a program on a terminal of 120x36. Without a session that owns the terminal, nobody is
    /// told when it goes.
    pub(crate) fn run(
        mut command: CommandBuilder,
        folder: tempfile::TempDir,
        env: &[(&str, &str)],
        owned: bool,
    ) -> Self {
        let pair = native_pty_system()
            .openpty(size(120, 36))
            .expect("a pseudo-terminal");
        command.set_controlling_tty(owned);
        for name in ["NO_COLOR", "VISUAL", "EDITOR"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the child starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (sender, bytes) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            writer: pair.master.take_writer().expect("a writer"),
            master: pair.master,
            child,
            bytes,
            reader: Some(thread),
            seen: Vec::new(),
            screen: vt100::Parser::new(36, 120, 0),
            folder,
        }
    }

    /// What is on the screen.
    pub(crate) fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen is as wanted.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !wanted(self) {
            let left = end.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left.min(Duration::from_millis(50))) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.seen.extend_from_slice(&bytes);
                }
                Err(_) => assert!(
                    Instant::now() < end,
                    "waited in vain for {what}; the screen is:\n{}",
                    self.contents()
                ),
            }
        }
    }

    /// Waits until a text is on the screen.
    pub(crate) fn shows(&mut self, text: &str) {
        self.until(text, |pty| pty.contents().contains(text));
    }

    /// Waits until a text is gone.
    pub(crate) fn hides(&mut self, text: &str) {
        let what = format!("{text} to go");
        self.until(&what, |pty| !pty.contents().contains(text));
    }

    /// Types keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.send(keys.as_bytes());
    }

    /// Sends what a terminal with any locale would.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.writer
            .write_all(bytes)
            .expect("the terminal takes keys");
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("the child can be signalled");
    }

    /// The program's id.
    pub(crate) fn pid(&self) -> Pid {
        let pid = self.child.process_id().expect("the child has an id");
        Pid::from_raw(i32::try_from(pid).expect("an id is small")).expect("an id is not zero")
    }

    /// Waits for the end; returns its exit code.
    pub(crate) fn ends(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(10)) {
                self.screen.process(&bytes);
                self.seen.extend_from_slice(&bytes);
            }
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                while let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(100)) {
                    self.screen.process(&bytes);
                    self.seen.extend_from_slice(&bytes);
                }
                return status.exit_code();
            }
            assert!(
                Instant::now() < end,
                "it does not end; the screen is:\n{}",
                self.contents()
            );
        }
    }

    /// The other end of the terminal closes. Nobody is told where no session owns it.
    pub(crate) fn vanishes(&mut self) {
        // The thread that reads holds on to it until it has something to pass on and cannot.
        self.bytes = mpsc::channel().1;
        self.press("\x0c");
        let reader = self.reader.take().expect("it did not vanish before");
        reader.join().expect("the reader ends");
        self.say_nothing_at_the_end();
        self.writer = Box::new(std::io::sink());
        let other = native_pty_system().openpty(size(1, 1));
        self.master = other.expect("a pseudo-terminal").master;
    }

    /// The library types the key for an end of file where it closes a terminal that has one: a
    /// terminal that vanishes types nothing.
    fn say_nothing_at_the_end(&self) {
        use rustix::fs::Mode;
        use rustix::fs::OFlags;
        use rustix::termios::OptionalActions;
        use rustix::termios::SpecialCodeIndex;

        let name = self.master.tty_name().expect("the terminal has a name");
        let terminal = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let terminal = terminal.expect("it is there");
        let mut modes = rustix::termios::tcgetattr(&terminal).expect("it has modes");
        modes.special_codes[SpecialCodeIndex::VEOF] = 0;
        rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &modes).expect("they are set");
    }

    /// Whether these bytes came, at any time.
    pub(crate) fn wrote(&self, bytes: &[u8]) -> bool {
        self.seen.windows(bytes.len()).any(|window| window == bytes)
    }

    /// Whether the terminal collects lines, as a shell wants it.
    pub(crate) fn is_canonical(&self) -> bool {
        let termios = self.master.get_termios().expect("the terminal has modes");
        format!("{:?}", termios.local_flags).contains("ICANON")
    }

    /// The terminal is as it was before.
    pub(crate) fn is_restored(&self) {
        for sequence in [
            "\x1b[?1049l",
            "\x1b[?2004l",
            "\x1b[?1004l",
            "\x1b[?25h",
            "\x1b[?2026l",
        ] {
            assert!(self.wrote(sequence.as_bytes()), "{sequence:?} is missing");
        }
        assert!(!self.screen.screen().alternate_screen());
        assert!(!self.screen.screen().hide_cursor());
        assert!(self.is_canonical(), "the terminal is still raw");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Where an attempt was logged, an image may have been made.
        let home = self.folder.path().join("loadline");
        if home.join(".loadline/logs").exists() {
            remove_made(Vec::new(), Home::at(home));
        }
    }
}
