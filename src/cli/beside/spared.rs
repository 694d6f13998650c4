//! Files of a run that no answer takes the place of: its configuration, dataset and store, and what the configuration
//! names, such as keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    cli::{CliError, Context},
    config::Config,
    source::is_dataset,
};

const CURE: &str = "name another file";

/// Refuses to write an answer to a file that is one of the run's own. Links lead to the file that they name.
///
/// # Errors
/// If it is one, with which.
pub(in crate::cli) fn spare(
    path: &Path,
    source: Option<&Path>,
    context: &Context,
) -> Result<(), CliError> {
    // Who asked looked before; and what is not there yet, or is a pipe or a device, is nobody's.
    let there =
        fs::canonicalize(path).ok().filter(|there| context.host.is_none() && there.is_file());
    let Some(there) = there else { return Ok(()) };
    let config = Config::load(&context.global.config).ok();
    match whose(&there, source, context, config.as_ref()) {
        None => Ok(()),
        Some(whose) => Err(CliError::Write {
            path: path.to_owned(),
            cause: io::Error::other(format!("it is {whose}, which an answer does not replace")),
            cure: CURE,
        }),
    }
}

fn whose(
    there: &Path,
    source: Option<&Path>,
    context: &Context,
    config: Option<&Config>,
) -> Option<String> {
    if is(&context.global.config, there) {
        return Some("the configuration".to_owned());
    }
    if source.is_some_and(|source| is_of(source, there)) {
        return Some("the dataset that --source names".to_owned());
    }
    let store: Option<&PathBuf> =
        context.global.store.as_ref().or_else(|| config.map(|config| &config.store_path));
    let store = store.and_then(|store| fs::canonicalize(store).ok());
    if store.is_some_and(|store| there.starts_with(store)) {
        return Some("a file of the store".to_owned());
    }
    let named = config.into_iter().flat_map(|config| &config.named_files);
    let named = named.into_iter().find(|(_, path)| is_of(path, there));
    named.map(|(key, _)| format!("what `{key}` names"))
}

fn is(path: &Path, there: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|path| path == there)
}

/// Whether it is the file, or one that is read of the folder.
fn is_of(path: &Path, there: &Path) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    path == there || (there.parent() == Some(&*path) && there.file_name().is_some_and(is_dataset))
}
