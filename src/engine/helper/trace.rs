//! The program that starts an image's own command and lists the files that it opens.
//!
//! It is put into a container that was made and not started, and is that container's entrypoint.
//! As root with three capabilities it asks the kernel to tell of every file that is opened through
//! the container's root mount, forks a reader, becomes the image's own user without a capability
//! and executes the image's own command: the application is process 1, as in any other run. Each
//! open waits until the reader has written it down, so neither the first nor the last is lost.
//!
//! One file, nothing but the standard library and a few functions of the C library that it links
//! anyway: the build script compiles it without Cargo into a static program.
//!
//!     trace FOLDER
//!
//! FOLDER/order says what to start, in words that end with a zero byte: the number of the user and
//! of its group, its other groups (`1,2,3`), its home where the environment has none, then the
//! command.
//!
//! FOLDER/list gets records that end with a zero byte: first `held` or `told`, whether opens wait
//! for the reader; then `/path`, once per path; `lost`, some are missing; `full`, there were more
//! than are kept; `refused STEP NUMBER`, nothing was started because of this error of the system;
//! `exec NUMBER`, the command cannot be executed.
//!
//! This is the one file of the house with `unsafe` in it: the standard library has no way to ask
//! for these things. Each block says why it is sound.

use std::collections::HashSet;
use std::ffi::CString;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_ulong;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::fd::FromRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::ExitCode;

unsafe extern "C" {
    fn fanotify_init(flags: c_uint, event_flags: c_uint) -> c_int;
    fn fanotify_mark(
        group: c_int,
        flags: c_uint,
        mask: u64,
        folder: c_int,
        path: *const c_char,
    ) -> c_int;
    fn fork() -> c_int;
    fn setsid() -> c_int;
    fn setgroups(count: usize, groups: *const c_uint) -> c_int;
    fn setgid(group: c_uint) -> c_int;
    fn setuid(user: c_uint) -> c_int;
    fn capset(header: *const [u32; 2], data: *const [u32; 6]) -> c_int;
    fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int;
    fn signal(number: c_int, handler: usize) -> usize;
    fn close(fd: c_int) -> c_int;
    fn execve(
        path: *const c_char,
        arguments: *const *const c_char,
        environment: *const *const c_char,
    ) -> c_int;
}

// From `linux/fanotify.h`, the same on every architecture.
const FAN_CLOEXEC: c_uint = 0x1;
const FAN_CLASS_CONTENT: c_uint = 0x4;
const FAN_UNLIMITED_QUEUE: c_uint = 0x10;
const FAN_MARK_ADD: c_uint = 0x1;
const FAN_MARK_MOUNT: c_uint = 0x10;
const FAN_OPEN: u64 = 0x20;
const FAN_OPEN_PERM: u64 = 0x1_0000;
const FAN_Q_OVERFLOW: u64 = 0x4000;
const FAN_ALLOW: u32 = 1;
/// An event: its length, a version, the length of this head, a mask, a descriptor, a process.
const EVENT: usize = 24;

// From `fcntl.h`. `O_NONBLOCK`: a pipe that is opened must not hold the reader.
const AT_FDCWD: c_int = -100;
const O_RDONLY: c_uint = 0;
const O_NONBLOCK: c_uint = 0o4000;
const O_CLOEXEC: c_uint = 0o2_000_000;

const PR_SET_NO_NEW_PRIVS: c_int = 38;
const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;
const SIGPIPE: c_int = 13;
const SIG_DFL: usize = 0;
const EINVAL: i32 = 22;
const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const ENOTDIR: i32 = 20;

/// Bytes of paths that are kept, and paths.
const KEPT: usize = 16 * 1024 * 1024;
const PATHS: usize = 250_000;
/// Who the reader is: not root, so that an application that is root without capabilities cannot
/// end it, and not the application.
const READERS: [c_uint; 2] = [65_531, 65_530];
/// The status where nothing was started.
const REFUSED: u8 = 125;
/// The status where the command cannot be executed.
const NOT_STARTED: u8 = 127;

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).unwrap_or_default();
    let folder = Path::new(&folder);
    let Ok(mut list) = File::create(folder.join("list")) else {
        return ExitCode::from(REFUSED);
    };
    let order = read_order(folder).map_err(|error| ("order", error));
    let started = order.and_then(|order| start(&list, &order).map(|()| order));
    match started {
        Err((step, error)) => {
            note(
                &mut list,
                format!("refused {step} {}", number_of(&error)).as_bytes(),
            );
            ExitCode::from(REFUSED)
        }
        Ok(order) => {
            let error = execute(&order);
            note(&mut list, format!("exec {}", number_of(&error)).as_bytes());
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// What to start, and as whom.
struct Order {
    uid: c_uint,
    gid: c_uint,
    groups: Vec<c_uint>,
    home: OsString,
    command: Vec<OsString>,
}

fn read_order(folder: &Path) -> io::Result<Order> {
    let bytes = std::fs::read(folder.join("order"))?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    let mut words = bytes.split(|byte| *byte == 0).map(OsStr::from_bytes);
    let wrong = || io::Error::from_raw_os_error(EINVAL);
    let number = |text: &OsStr| text.to_str()?.parse().ok();
    let mut next = || words.next().ok_or_else(wrong);
    let uid = number(next()?).ok_or_else(wrong)?;
    let gid = number(next()?).ok_or_else(wrong)?;
    let groups = next()?.to_str().ok_or_else(wrong)?;
    let groups = groups.split(',').filter(|group| !group.is_empty());
    let groups = groups.map(|group| number(OsStr::new(group)));
    Ok(Order {
        uid,
        gid,
        groups: groups.collect::<Option<_>>().ok_or_else(wrong)?,
        home: next()?.to_owned(),
        command: words.map(OsStr::to_owned).collect(),
    })
}

fn number_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or_default()
}

/// A record of the list; where it cannot be written, nobody can be told.
fn note(list: &mut File, record: &[u8]) {
    let mut bytes = record.to_vec();
    bytes.push(0);
    let _ = list.write_all(&bytes);
}

type Step = (&'static str, io::Error);

/// Starts the reader and becomes the image's user.
fn start(list: &File, order: &Order) -> Result<(), Step> {
    let (group, held) = watch()?;
    let list = list.try_clone().map_err(|error| ("list", error))?;
    let (mut ready, tell_ready) = io::pipe().map_err(|error| ("pipe", error))?;
    // SAFETY: this process has one thread, so the child may do whatever the parent may.
    match unsafe { fork() } {
        -1 => return Err(("fork", io::Error::last_os_error())),
        0 => {
            drop(ready);
            let reader = READERS.into_iter().find(|reader| *reader != order.uid);
            let _ = read(group, list, held, reader.unwrap_or_default(), tell_ready);
            std::process::exit(0);
        }
        _ => {}
    }
    // The reader alone may hold it: an open would otherwise wait for a reader that has ended.
    drop(group);
    drop(tell_ready);
    let mut byte = [0];
    ready
        .read_exact(&mut byte)
        .map_err(|error| ("reader", error))?;
    become_user(order.uid, order.gid, &order.groups)?;
    // SAFETY: it installs no handler. The standard library ignores this signal; the application
    // would inherit that.
    unsafe { signal(SIGPIPE, SIG_DFL) };
    Ok(())
}

/// Asks the kernel to tell of every open through the root mount. Returns whether opens wait for
/// the reader: a kernel may be built without that.
fn watch() -> Result<(OwnedFd, bool), Step> {
    let flags = FAN_CLOEXEC | FAN_CLASS_CONTENT | FAN_UNLIMITED_QUEUE;
    // SAFETY: it takes numbers and returns a new descriptor or -1.
    let fd = unsafe { fanotify_init(flags, O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
    if fd < 0 {
        return Err(("fanotify_init", io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is new, and nobody else has it.
    let group = unsafe { OwnedFd::from_raw_fd(fd) };
    let mark = |mask| {
        let flags = FAN_MARK_ADD | FAN_MARK_MOUNT;
        // SAFETY: the path is a C string that lives as long as the program.
        match unsafe { fanotify_mark(fd, flags, mask, AT_FDCWD, c"/".as_ptr()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    match mark(FAN_OPEN_PERM) {
        Ok(()) => Ok((group, true)),
        Err(error) if error.raw_os_error() == Some(EINVAL) => match mark(FAN_OPEN) {
            Ok(()) => Ok((group, false)),
            Err(error) => Err(("fanotify_mark", error)),
        },
        Err(error) => Err(("fanotify_mark", error)),
    }
}

/// Becomes a user without a capability, for good.
fn become_user(uid: c_uint, gid: c_uint, groups: &[c_uint]) -> Result<(), Step> {
    let done = |step, result| match result {
        0 => Ok(()),
        _ => Err((step, io::Error::last_os_error())),
    };
    // SAFETY: the pointer and the count are those of one slice.
    done("setgroups", unsafe {
        setgroups(groups.len(), groups.as_ptr())
    })?;
    // SAFETY: it takes a number.
    done("setgid", unsafe { setgid(gid) })?;
    // SAFETY: it takes a number.
    done("setuid", unsafe { setuid(uid) })?;
    // Root would keep its capabilities, and get them again when it executes a program.
    // SAFETY: it takes numbers.
    done("no-new-privileges", unsafe {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    })?;
    let header = [LINUX_CAPABILITY_VERSION_3, 0];
    // SAFETY: both have the size and the alignment of version 3: two and six words of 32 bits.
    done("capset", unsafe { capset(&header, &[0; 6]) })
}

/// Writes down what is opened, until the container ends and takes this process with it.
fn read(
    group: OwnedFd,
    mut list: File,
    held: bool,
    reader: c_uint,
    mut ready: io::PipeWriter,
) -> Result<(), Step> {
    become_user(reader, reader, &[])?;
    // SAFETY: both take numbers. Nothing here uses the three descriptors after this: the streams
    // are the application's, and end when it closes them.
    unsafe {
        setsid();
        for fd in 0..3 {
            close(fd);
        }
    }
    note(&mut list, if held { b"held" } else { b"told" });
    let written = |error| ("list", error);
    ready.write_all(&[1]).map_err(written)?;
    drop(ready);
    let mut group = File::from(group);
    let mut seen = Seen::default();
    let mut events = vec![0; 64 * 1024];
    loop {
        let count = match group.read(&mut events) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(("read", error)),
        };
        let mut records = Vec::new();
        let mut waiting = Vec::new();
        for (mask, fd) in parse(events.get(..count).unwrap_or_default()) {
            if mask & FAN_Q_OVERFLOW != 0 {
                records.extend_from_slice(b"lost\0");
            }
            if fd >= 0 {
                // SAFETY: the kernel made this descriptor for this event and for this process.
                let file = unsafe { OwnedFd::from_raw_fd(fd) };
                seen.take(path_of(&file), &mut records);
                waiting.push((mask, file));
            }
        }
        // First written, then allowed: the application may end this process at any time.
        let _ = list.write_all(&records);
        for (mask, file) in waiting {
            if mask & FAN_OPEN_PERM != 0 {
                let mut answer = file.as_raw_fd().to_ne_bytes().to_vec();
                answer.extend(FAN_ALLOW.to_ne_bytes());
                let _ = group.write_all(&answer);
            }
        }
    }
}

/// The mask and the descriptor of each event.
fn parse(mut bytes: &[u8]) -> Vec<(u64, c_int)> {
    let mut events = Vec::new();
    while let Some(head) = bytes.first_chunk::<EVENT>() {
        let [
            l0,
            l1,
            l2,
            l3,
            _,
            _,
            _,
            _,
            mask @ ..,
            f0,
            f1,
            f2,
            f3,
            _,
            _,
            _,
            _,
        ] = *head;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        events.push((
            u64::from_ne_bytes(mask),
            c_int::from_ne_bytes([f0, f1, f2, f3]),
        ));
        bytes = bytes.get(length.max(EVENT)..).unwrap_or_default();
    }
    events
}

/// The path of an open file, all links followed.
fn path_of(file: &OwnedFd) -> Option<Vec<u8>> {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    Some(std::fs::read_link(link).ok()?.into_os_string().into_vec())
}

/// The paths that were written down.
#[derive(Default)]
struct Seen {
    paths: HashSet<Vec<u8>>,
    bytes: usize,
    full: bool,
}

impl Seen {
    fn take(&mut self, path: Option<Vec<u8>>, records: &mut Vec<u8>) {
        let Some(path) = path else {
            records.extend_from_slice(b"lost\0");
            return;
        };
        // What is not below the root lies outside of what the application sees.
        if self.full || !path.starts_with(b"/") || self.paths.contains(&path) {
            return;
        }
        self.bytes += path.len() + 1;
        if self.bytes > KEPT || self.paths.len() == PATHS {
            self.full = true;
            records.extend_from_slice(b"full\0");
            return;
        }
        records.extend_from_slice(&path);
        records.push(0);
        self.paths.insert(path);
    }
}

/// Executes the command as a container's runtime does: a name without a slash is looked for in
/// `PATH`, and what is not a program is not given to a shell. Returns why it cannot be.
fn execute(order: &Order) -> io::Error {
    let Some((words, environment)) = strings(&order.command).zip(environment(&order.home)) else {
        return io::Error::from_raw_os_error(EINVAL);
    };
    let Some(program) = words.first() else {
        return io::Error::from_raw_os_error(ENOENT);
    };
    let (arguments, variables) = (pointers(&words), pointers(&environment));
    let run = |path: &CString| {
        // SAFETY: the path, the arguments and the environment are C strings that live until it
        // returns, and a null pointer ends both lists.
        unsafe { execve(path.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
        io::Error::last_os_error()
    };
    if program.as_bytes().contains(&b'/') {
        return run(program);
    }
    let mut last = io::Error::from_raw_os_error(ENOENT);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&folders) {
        let path = folder.join(OsStr::from_bytes(program.as_bytes()));
        let Ok(path) = CString::new(path.into_os_string().into_vec()) else {
            continue;
        };
        let error = run(&path);
        match error.raw_os_error() {
            Some(ENOENT | ENOTDIR) => {}
            Some(EACCES) => last = error,
            _ => return error,
        }
    }
    last
}

/// This process's variables, with another home where one is given: this one is root's.
fn environment(home: &OsStr) -> Option<Vec<CString>> {
    let mut lines = Vec::new();
    for (name, value) in std::env::vars_os() {
        if home.is_empty() || name != "HOME" {
            lines.push([name.as_bytes(), b"=", value.as_bytes()].concat());
        }
    }
    if !home.is_empty() {
        lines.push([b"HOME=", home.as_bytes()].concat());
    }
    lines
        .into_iter()
        .map(|line| CString::new(line).ok())
        .collect()
}

fn strings(words: &[OsString]) -> Option<Vec<CString>> {
    words
        .iter()
        .map(|word| CString::new(word.as_bytes()).ok())
        .collect()
}

/// Pointers to each string and a null pointer, good for as long as the strings are.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    let strings = strings.iter().map(|string| string.as_ptr());
    strings.chain([std::ptr::null()]).collect()
}
