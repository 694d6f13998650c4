//! `demo`: a MISP in memory, two days of a made-up dataset, and the verbs that a user would type.
//!
//! Nothing is staged: each step runs the verb that it shows, and what the story says is compared with the
//! ledger and with the sandbox.

#[cfg(unix)]
mod live;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clap::Parser;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use uuid::Uuid;

use crate::{
    cli::{Cli, CliError, Context, Exit, live::runtime},
    config::{InitArgs, InitSource, KeySource, template},
    history::{Ledger, RunRecord},
    sandbox::{Keys, Misp, serve},
};

const DAYS: [&str; 2] = [include_str!("day1.json"), include_str!("day2.json")];
const DATASET: &str = "dataset.json";
const CONFIG: &str = "misp-trickle.toml";
const KEY: &str = "misp.key";

/// Arguments of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Print the dataset of its first day instead, to try other verbs with
    #[arg(long)]
    dataset: bool,
    /// Show the daemon instead: a platform, two MISPs of which one goes down, three short turns
    #[cfg(unix)]
    #[arg(long, conflicts_with = "dataset")]
    live: bool,
}

/// Tells the story; an error if anything in it does not hold.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    if args.dataset {
        context.ui.data(DAYS[0])?;
        return Ok(Exit::Done);
    }
    #[cfg(unix)]
    if args.live {
        return live::run(context);
    }
    let stage = Stage::build()?;
    let told = within(context, &stage.folder, |context| stage.story(context));
    stage.runtime.shutdown_background();
    told
}

/// Tells a story in a folder with a configuration.
fn within(
    context: &mut Context,
    folder: &Folder,
    story: impl FnOnce(&mut Context) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    let global = context.global.clone();
    context.global.config = folder.0.join(CONFIG);
    context.global.store = None;
    // The talk of the verbs is about files that will be gone in a moment.
    context.global.quiet = true;
    let told = story(context);
    context.global = global;
    told.map(|()| Exit::Done)
}

/// A folder that is gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, CliError> {
        let path = std::env::temp_dir().join(format!("misp-trickle-demo-{}", Uuid::new_v4()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|cause| cannot_write(&path, cause))?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), CliError> {
        let path = self.0.join(name);
        fs::write(&path, text).map_err(|cause| cannot_write(&path, cause))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn cannot_write(path: &Path, cause: io::Error) -> CliError {
    let cure = "set TMPDIR to a folder that can be written";
    CliError::Write { path: path.to_owned(), cause, cure }
}

/// The sandbox, and the folder with configuration, dataset and store.
struct Stage {
    runtime: Runtime,
    misp: Arc<Mutex<Misp>>,
    folder: Folder,
}

impl Stage {
    fn build() -> Result<Self, CliError> {
        let runtime = runtime(&mut Builder::new_multi_thread()).map_err(CliError::System)?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.map_err(CliError::System)?;
        let url = format!("http://{}", listener.local_addr().map_err(CliError::System)?);
        let keys = Keys::demo(&Uuid::new_v4().to_string());
        let folder = Folder::make()?;
        folder.write(KEY, keys.get("sync").unwrap_or_default())?;
        folder.write(DATASET, DAYS[0])?;
        let config = template(&InitArgs {
            url: url.clone(),
            key: KeySource::File(KEY.into()),
            source: InitSource::File(DATASET.to_owned()),
            ..InitArgs::default()
        });
        folder.write(CONFIG, &config)?;
        let misp = Arc::new(Mutex::new(Misp::new(&url, keys)));
        drop(runtime.spawn(serve(listener, misp.clone())));
        Ok(Self { runtime, misp, folder })
    }

    fn story(&self, context: &mut Context) -> Result<(), CliError> {
        self.first_day(context)?;
        self.second_day(context)?;
        self.history(context)
    }

    fn first_day(&self, context: &mut Context) -> Result<(), CliError> {
        tell(
            context,
            "A MISP in memory, and a dataset of four incidents. Is everything in place?",
        )?;
        step(context, "misp-trickle doctor")?;
        tell(
            context,
            "What would be sent? The incident marked TLP:RED stays here, and so does what is marked amber+strict.",
        )?;
        step(context, "misp-trickle plan --stat")?;
        tell(context, "Send it.")?;
        step(context, "misp-trickle sync")?;
        let run = last_run(context)?;
        let tally = &run.tally;
        let sent = tally.attributes.sent;
        holds("three events were created", tally.events.created == 3)?;
        holds("the red incident was withheld", tally.events.withheld == 1)?;
        holds("all else was sent", sent + tally.attributes.withheld == tally.attributes.planned)?;
        holds("MISP has what the ledger says", self.held() == (3, sent))?;
        tell(context, "And again: nothing changed, so not one request is made.")?;
        step(context, "misp-trickle sync")?;
        let run = last_run(context)?;
        holds("nothing was asked", run.tally.requests == 0)?;
        holds("nothing was sent twice", run.tally.attributes.unchanged == sent)
    }

    fn second_day(&self, context: &mut Context) -> Result<(), CliError> {
        let (_, before) = self.held();
        self.folder.write(DATASET, DAYS[1])?;
        tell(
            context,
            "The next day: an address was corrected, another one withdrawn, an indicator came, an incident has a new title.",
        )?;
        step(context, "misp-trickle plan")?;
        step(context, "misp-trickle sync")?;
        let run = last_run(context)?;
        let (tally, attributes) = (&run.tally, &run.tally.attributes);
        holds(
            "two events were updated, none created",
            (tally.events.updated, tally.events.created) == (2, 0),
        )?;
        holds("one value was superseded", attributes.superseded == 1)?;
        holds("one value was retired", attributes.retired == 1)?;
        holds("only what is new was sent", attributes.sent == 5)?;
        holds("nothing left MISP", self.held() == (3, before + attributes.sent))
    }

    fn history(&self, context: &mut Context) -> Result<(), CliError> {
        tell(context, "All of it is remembered.")?;
        step(context, "misp-trickle log --oneline")?;
        step(context, "misp-trickle show @")?;
        step(context, "misp-trickle diff 0 @ --stat")?;
        tell(context, "Why is the old address still in MISP?")?;
        step(context, "misp-trickle why 203.0.113.41")?;
        tell(
            context,
            "Next: `misp-trickle init` writes a configuration for your own MISP. Nothing of this is left.",
        )
    }

    /// Events and attributes that the sandbox holds.
    fn held(&self) -> (usize, u64) {
        let misp = self.misp.lock().unwrap_or_else(PoisonError::into_inner);
        let events = misp.events();
        (events.len(), events.iter().map(|event| u64::from(event.attribute_count)).sum())
    }
}

/// Runs a command line as it stands, in the demonstration's folder.
fn step(context: &mut Context, line: &str) -> Result<(), CliError> {
    if !context.global.json {
        context.ui.text(&format!("\n$ {line}\n"))?;
    }
    let cli = Cli::try_parse_from(line.split_whitespace())
        .map_err(|error| CliError::Demo(error.to_string()))?;
    context.verb = cli.verb.name();
    context.args = line.split_whitespace().skip(1).map(str::to_owned).collect();
    let exit = cli.verb.run(context)?;
    holds(&format!("`{line}` ends well"), exit == Exit::Done)
}

/// Says what comes next. With `--json` only the answers of the verbs are printed.
fn tell(context: &mut Context, text: &str) -> Result<(), CliError> {
    if !context.global.json {
        context.ui.text(&format!("\n# {text}\n"))?;
    }
    Ok(())
}

fn holds(fact: &str, is_so: bool) -> Result<(), CliError> {
    if is_so { Ok(()) } else { Err(CliError::Demo(format!("it is not so that {fact}"))) }
}

fn last_run(context: &mut Context) -> Result<RunRecord, CliError> {
    let store = context.ledger()?;
    let run = store.run(store.last_run()?)?;
    run.ok_or_else(|| CliError::Demo("there is no run".to_owned()))
}
