//! A folder that others fill: it is read once nobody changed it for a while.

use std::{
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use crate::{
    cli::{CliError, live::Waiter},
    config::{Feed, FeedSource, LocalPlace},
    source::{FolderState, SourceError},
};

/// So long a folder is watched that somebody changes all the time.
const WATCHED_MAX: Duration = Duration::from_mins(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until nothing changed in a feed's folder for as long as the configuration says. Other sources need no wait.
///
/// # Errors
/// If the folder cannot be read, changes all the time, or somebody wants the program to stop.
pub(super) fn wait_for_quiet(feed: &Feed, waiter: &Waiter) -> Result<(), CliError> {
    let FeedSource::Local(local) = &feed.source else { return Ok(()) };
    match &local.place {
        LocalPlace::Folder(Some(path)) if !local.quiet.is_zero() => {
            watch(path, local.quiet, WATCHED_MAX, waiter)
        }
        _ => Ok(()),
    }
}

/// By the clock of the folder's files where it can be ours, and in any case by what is seen to change.
fn watch(path: &Path, quiet: Duration, at_most: Duration, waiter: &Waiter) -> Result<(), CliError> {
    let look = || FolderState::of(path).map_err(|error| CliError::Agent(error.into()));
    let (begun, mut seen) = (Instant::now(), look()?);
    if seen.age().is_some_and(|age| age >= quiet) {
        return Ok(());
    }
    let mut since = Instant::now();
    while since.elapsed() < quiet && seen.age().is_none_or(|age| age < quiet) {
        if waiter.flag().load(Ordering::Relaxed) {
            return Err(CliError::Interrupted);
        }
        if begun.elapsed() >= at_most {
            let (path, watched) = (path.to_owned(), at_most);
            return Err(CliError::Agent(SourceError::Restless { path, watched }.into()));
        }
        thread::sleep(PAUSE.min(quiet));
        let now = look()?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use super::*;
    use crate::cli::live::Live;

    #[test]
    fn a_folder_is_read_once_nobody_changes_it() {
        let live = Live::without_signals().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        let quiet = Duration::from_millis(600);
        fs::write(&file, "1").unwrap();
        let writer = thread::spawn({
            let file = file.clone();
            move || {
                for round in 0..8 {
                    thread::sleep(Duration::from_millis(150));
                    fs::write(&file, "1".repeat(round)).unwrap();
                }
                Instant::now()
            }
        });
        let longest = Duration::from_secs(60);
        watch(folder.path(), quiet, longest, live.waiter()).unwrap();
        let done = Instant::now();
        assert!(done - writer.join().unwrap() > quiet / 2, "it was read while it was written");
        // What is at rest is read at once, and what a clock says that runs ahead is no rest.
        let old = SystemTime::now() - Duration::from_secs(60);
        let open = |path: &Path| fs::File::open(path).unwrap();
        open(&file).set_modified(old).unwrap();
        open(folder.path()).set_modified(old).unwrap();
        let begun = Instant::now();
        watch(folder.path(), Duration::from_secs(50), longest, live.waiter()).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5));
        open(&file).set_modified(SystemTime::now() + Duration::from_secs(3_600)).unwrap();
        watch(folder.path(), quiet, longest, live.waiter()).unwrap();
    }

    #[test]
    fn one_that_changes_all_the_time_is_told_and_nobody_waits_for_it_at_the_end() {
        let live = Live::without_signals().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.json"), "1").unwrap();
        let (quiet, short) = (Duration::from_secs(50), Duration::from_millis(300));
        let error = watch(folder.path(), quiet, short, live.waiter()).unwrap_err();
        assert!(error.report().to_string().contains("changed all the time"), "{error}");
        live.waiter().interrupt();
        let error = watch(folder.path(), quiet, WATCHED_MAX, live.waiter()).unwrap_err();
        assert!(matches!(error, CliError::Interrupted), "{error}");
    }
}
