//! The `loadline` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadline::run(std::env::args_os())
}
