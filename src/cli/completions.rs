//! `loadline completions`: what a shell needs to complete the verbs.

use clap_complete::Shell;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;

/// Print what your shell needs to complete `loadline`
///
/// Verbs, flags and their values complete with the Tab key once the shell has read it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline completions bash > ~/.local/share/bash-completion/completions/loadline
  loadline completions zsh > ~/.zfunc/_loadline
  loadline completions fish > ~/.config/fish/completions/loadline.fish")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "loadline", &mut text);
    context.output.result(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Ok)
}
