//! What an image that was built from the Dockerfile wastes, line by line.

use crate::attempt;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::interrupt::Interrupt;
use crate::cli::target::Target;
use crate::cli::wiring;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::lint::Waste;
use crate::image::archive::Options;
use crate::image::dead::Ledger;

/// Reads the image, and says which lines of the Dockerfile shipped and hid its dead bytes.
pub(super) fn of(
    image: &str,
    file: &Dockerfile,
    context: &Context,
) -> Result<Vec<Waste>, CliError> {
    let contents = wiring::block_on(async {
        let interrupt = Interrupt::listen(context.output).map_err(CliError::Output)?;
        let options = Options {
            facts: wiring::facts(),
            ..Options::default()
        };
        Target::of(image).read(options, &interrupt).await
    })?;
    let layers = contents.layers.len();
    let lines = attempt::layer_lines(file, &BuildArgs::new(), &contents.history, layers, 0);
    let line = |layer: usize| lines.get(layer).copied().flatten();
    let waste = Ledger::of(&contents)
        .heaps()
        .into_iter()
        .filter_map(|heap| {
            Some(Waste {
                shipped: line(heap.shipped_in)?,
                hidden: line(heap.hidden_in)?,
                bytes: heap.bytes,
            })
        });
    Ok(waste.collect())
}
