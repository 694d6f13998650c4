//! demo
use super::{CliError, Context, Exit};
pub(super) fn run(_: &mut Context) -> Result<Exit, CliError> {
    Ok(Exit::Done)
}
