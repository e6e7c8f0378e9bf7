//! The program as a user's shell starts it: nothing inherited, a home of its own.

use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use loadline::engine::Engine as _;
use loadline::engine::HOME_LABEL;
use loadline::engine::MADE_BY_LABEL;
use loadline::engine::address::Address;
use loadline::engine::docker::Choices;
use loadline::engine::docker::Docker;
use loadline::learner::Home;

/// Where no engine answers.
const NOWHERE: &str = "unix:///nonexistent/engine.sock";

/// A folder with a home in it, removed at the end with the images that were built from it.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    /// The programs that may have built: the ends of the labels that they give their images.
    makers: Mutex<Vec<String>>,
}

/// What the program printed and how it ended.
#[must_use]
pub(crate) struct Ended {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Sandbox {
    /// No engine answers here.
    pub(crate) fn without_engine() -> Self {
        let sandbox = Self::new();
        sandbox.with("DOCKER_HOST", NOWHERE)
    }

    /// The engine that the environment names, or the default one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("home")).expect("a home");
        let sandbox = Self {
            folder,
            variables: Vec::new(),
            makers: Mutex::default(),
        };
        let home = sandbox.path("home").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        sandbox.with("HOME", &home).with("PATH", &path)
    }

    /// With one variable more, or another value of it.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let above = path.parent().expect("it is below the folder");
        std::fs::create_dir_all(above).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        self.prepared(env!("CARGO_BIN_EXE_loadline"), args)
    }

    /// A program with the variables of this sandbox, in its folder.
    fn prepared(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.start(args).end()
    }

    /// Starts the program.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let child = self.spawn(self.command(args));
        Running {
            child,
            folder: self.folder.path().display().to_string(),
        }
    }

    /// Runs a script of the shell, which gets the program as `$0`, to its end.
    pub(crate) fn script(&self, script: &str, args: &[&str]) -> Ended {
        let mut all = vec!["-c", script, env!("CARGO_BIN_EXE_loadline")];
        all.extend(args);
        self.ends(self.prepared("sh", &all))
    }

    /// Starts a script that gets the program as `$0`, with something to read.
    pub(crate) fn start_script(&self, script: &str, args: &[&str], stdin: Stdio) -> Running {
        let mut all = vec!["-c", script, env!("CARGO_BIN_EXE_loadline")];
        all.extend(args);
        let mut command = self.prepared("sh", &all);
        command.stdin(stdin);
        let child = self.spawn(command);
        Running {
            child,
            folder: self.folder.path().display().to_string(),
        }
    }

    /// Runs the program as a user who owns nothing, where root runs the tests; as ourselves
    /// otherwise, who then must not be let in either.
    pub(crate) fn run_as_nobody(&self, args: &[&str]) -> Ended {
        use std::os::unix::fs::PermissionsExt as _;
        use std::os::unix::process::CommandExt as _;

        if !rustix::process::geteuid().is_root() {
            for entry in std::fs::read_dir(self.folder.path()).expect("it is ours") {
                let path = entry.expect("readable").path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "sock")
                {
                    let closed = std::fs::Permissions::from_mode(0o000);
                    std::fs::set_permissions(&path, closed).expect("it is ours");
                }
            }
            return self.run(args);
        }
        // The folder of the build may be one that only root enters.
        let program = self.path("loadline");
        if !program.exists() {
            std::fs::copy(env!("CARGO_BIN_EXE_loadline"), &program).expect("there is room");
        }
        for open in [self.folder.path(), &program, &self.path("home")] {
            let open_to_all = std::fs::Permissions::from_mode(0o777);
            std::fs::set_permissions(open, open_to_all).expect("it is ours");
        }
        let mut command = self.prepared(&program.to_string_lossy(), args);
        command.uid(65534).gid(65534);
        self.ends(command)
    }

    /// Runs a command to its end.
    fn ends(&self, command: Command) -> Ended {
        let child = self.spawn(command);
        let folder = self.folder.path().display().to_string();
        Running { child, folder }.end()
    }

    /// Starts the program with something to read.
    pub(crate) fn start_from(&self, args: &[&str], stdin: Stdio) -> Running {
        let mut command = self.command(args);
        command.stdin(stdin);
        let child = self.spawn(command);
        Running {
            child,
            folder: self.folder.path().display().to_string(),
        }
    }

    /// Starts the program with somewhere else for its standard output.
    pub(crate) fn start_into(&self, args: &[&str], stdout: Stdio) -> Running {
        let mut command = self.command(args);
        command.stdout(stdout);
        let child = self.spawn(command);
        Running {
            child,
            folder: self.folder.path().display().to_string(),
        }
    }

    /// The engine that is built with here.
    fn address(&self) -> Whose {
        let Some(host) = self.variable("DOCKER_HOST") else {
            return Whose::Environment;
        };
        // Its `ssh` is a stand-in on its own PATH that leads to the environment's engine; the real
        // one would ask a real host.
        if host.starts_with("ssh://") {
            return Whose::Environment;
        }
        let folder = self.variable("DOCKER_CERT_PATH").map(PathBuf::from);
        let folder = folder.filter(|_| self.variable("DOCKER_TLS_VERIFY").is_some());
        Whose::Own(Address::parse(host, folder.as_deref()).ok())
    }

    /// Starts a program, and takes note of one that may build images.
    fn spawn(&self, mut command: Command) -> Child {
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let builds = |word: &str| word.contains("check") || word.contains("learn");
        let builds = words.is_empty() || words.iter().any(|word| builds(word));
        let child = command.spawn().expect("it starts");
        // When it began, in ticks: its pid may be another's one day.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()));
        let stat = stat.unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
        let start = fields.and_then(|fields| fields.split_whitespace().nth(19));
        if let (Some(start), Ok(mut makers), true) = (start, self.makers.lock(), builds) {
            makers.push(format!("/{}/{start}", child.id()));
        }
        child
    }
}

impl Drop for Sandbox {
    /// Removes the images of its attempts, also where the test fails.
    fn drop(&mut self) {
        let makers = self
            .makers
            .get_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        let nowhere = self.variable("DOCKER_HOST") == Some(NOWHERE);
        if makers.is_empty() || nowhere {
            return;
        }
        let home = self.variable("LOADLINE_HOME").map(PathBuf::from);
        let home = home.unwrap_or_else(|| self.path("home/loadline"));
        remove_at(self.address(), makers, Home::at(home));
    }
}

/// Removes the images of attempts that one of `makers`, or anybody for `home`, built at the engine
/// of this environment.
pub(crate) fn remove_made(makers: Vec<String>, home: Home) {
    remove_at(Whose::Environment, makers, home);
}

/// The engine that a sandbox's program builds with.
enum Whose {
    /// The one that the environment of the tests leads to.
    Environment,
    /// One of its own; none where its address is not readable.
    Own(Option<Address>),
}

/// Removes them there.
fn remove_at(whose: Whose, makers: Vec<String>, home: Home) {
    // A test may be on a runtime of its own, which another must not block.
    let removing = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map(|runtime| runtime.block_on(remove_images(&whose, &makers, &home)))
    });
    let _ = removing.join();
}

/// The engine, where it answers.
async fn reach(whose: &Whose) -> Option<Docker> {
    match whose {
        Whose::Environment => loadline::engine::find::find().await.ok(),
        Whose::Own(address) => Docker::connect(address.as_ref()?, Choices::default())
            .await
            .ok(),
    }
}

async fn remove_images(whose: &Whose, makers: &[String], home: &Home) {
    let Some(engine) = reach(whose).await else {
        return;
    };
    let home = home.known_id().ok().flatten();
    let images = engine.images(Some(MADE_BY_LABEL)).await;
    for image in images.unwrap_or_default() {
        let label = |name: &str| image.labels.get(name).map_or("", String::as_str);
        let made = makers
            .iter()
            .any(|maker| label(MADE_BY_LABEL).ends_with(maker.as_str()))
            || home
                .as_deref()
                .is_some_and(|home| label(HOME_LABEL) == home);
        if !made {
            continue;
        }
        // One that lost its name to a later attempt has only its id.
        if image.tags.is_empty() {
            let _ = engine.remove_image(&image.id).await;
        }
        for tag in &image.tags {
            if tag.starts_with("loadline.local/attempt/") {
                let _ = engine.remove_image(tag).await;
            }
        }
    }
}

/// The program while it runs.
pub(crate) struct Running {
    child: Child,
    folder: String,
}

impl Running {
    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).expect("a small number");
        let pid = rustix::process::Pid::from_raw(pid).expect("not zero");
        rustix::process::kill_process(pid, signal).expect("it is ours");
    }

    /// Waits for its end; a program that runs for two minutes hangs.
    pub(crate) fn end(mut self) -> Ended {
        let reader = |pipe: Option<Box<dyn std::io::Read + Send>>| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                if let Some(mut pipe) = pipe {
                    pipe.read_to_end(&mut text).expect("a pipe is readable");
                }
                String::from_utf8(text).expect("it prints UTF-8")
            })
        };
        let stdout = reader(self.child.stdout.take().map(|pipe| Box::new(pipe) as _));
        let stderr = reader(self.child.stderr.take().map(|pipe| Box::new(pipe) as _));
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            if began.elapsed() > Duration::from_secs(120) {
                let _ = self.child.kill();
                panic!("the program hangs");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let tidy = |text: String| text.replace(&self.folder, "[folder]");
        Ended {
            stdout: tidy(stdout.join().expect("the reader ends")),
            stderr: tidy(stderr.join().expect("the reader ends")),
            code: status.code(),
        }
    }
}

impl Ended {
    /// Everything, for a snapshot.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        let mut text = String::new();
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(name);
                text.push_str(":\n");
                text.push_str(stream);
                if !stream.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        text.push_str(&format!("exit code: {code}\n"));
        text
    }
}

/// Whether a process of this machine, in a container or not, has `mark` in its command line.
pub(crate) fn is_running(mark: &str) -> bool {
    std::fs::read_dir("/proc")
        .expect("processes can be listed")
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(mark))
}

/// Waits until `wanted`, and fails after a minute.
pub(crate) fn wait_until(what: &str, mut wanted: impl FnMut() -> bool) {
    let began = Instant::now();
    while !wanted() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "waited a minute for this: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
