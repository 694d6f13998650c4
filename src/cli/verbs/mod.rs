//! The verbs, a file each: arguments, a `run`, and nothing that another verb needs.

mod apply;
pub(super) mod check;
pub(super) mod completions;
pub(super) mod config;
mod demo;
pub(super) mod diff;
pub(super) mod doctor;
mod examples;
pub(super) mod export;
pub(super) mod feed;
pub(super) mod gc;
pub(super) mod import;
pub(super) mod init;
pub(super) mod log;
pub(super) mod man;
mod map;
#[cfg(unix)]
pub(super) mod pause;
mod plan;
pub(super) mod repair;
pub(super) mod report;
pub(super) mod sandbox;
pub(super) mod show;
pub(super) mod status;
pub(super) mod sync;
mod verify;
pub(super) mod web;
pub(super) mod why;

use std::path::Path;

use clap::Subcommand;

use crate::history::Ledger;

use super::{
    CliError, Context, Exit, args, beside::spared::spare, forward::forward, output::Rights,
    screen::logging::Style,
};

/// What can be asked of the program.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Write a commented configuration
    #[command(after_help = examples::INIT)]
    Init(init::Args),
    /// Check key, rights, MISP and store, and say what to do
    #[command(after_help = examples::DOCTOR)]
    Doctor(args::DoctorArgs),
    /// Show what a run would do, without a single request to MISP
    #[command(after_help = examples::PLAN)]
    Plan(args::PlanArgs),
    /// Send what MISP does not have yet
    #[command(after_help = examples::SYNC)]
    Sync(args::SyncArgs),
    /// Stay, run every feed when it is due, and answer questions meanwhile
    #[cfg(unix)]
    #[command(after_help = examples::RUN)]
    Run(args::DaemonArgs),
    /// Keep routes from running by themselves
    #[cfg(unix)]
    #[command(after_help = examples::PAUSE)]
    Pause(args::RouteArgs),
    /// Let routes run by themselves again
    #[cfg(unix)]
    #[command(after_help = examples::RESUME)]
    Resume(args::RouteArgs),
    /// Carry out a saved plan, unless anything moved since
    #[command(after_help = examples::APPLY)]
    Apply(args::ApplyArgs),
    /// Show how things stand at each destination
    #[command(after_help = examples::STATUS)]
    Status(status::Args),
    /// List the runs, newest first
    #[command(after_help = examples::LOG)]
    Log(log::Args),
    /// Show one run and what it changed
    #[command(after_help = examples::SHOW)]
    Show(show::Args),
    /// Show what MISP gained between two runs
    #[command(after_help = examples::DIFF)]
    Diff(diff::Args),
    /// Tell why a value, attribute or event is in MISP, or is not
    #[command(after_help = examples::WHY)]
    Why(why::Args),
    /// Write the history as one file of HTML, to look at and to keep
    #[command(after_help = examples::REPORT)]
    Report(report::Args),
    /// Show the history as pages in a browser of this machine
    #[command(after_help = examples::WEB)]
    Web(web::Args),
    /// Ask MISP whether it still holds what was sent; changes nothing
    #[command(after_help = examples::VERIFY)]
    Verify(verify::Args),
    /// Check every record of the store
    #[command(after_help = examples::CHECK)]
    Check,
    /// Keep of a damaged store what proves itself, and make a sound one of it
    #[command(after_help = examples::REPAIR)]
    Repair(repair::Args),
    /// Make the store's files smaller; nothing that is known is lost
    #[command(after_help = examples::GC)]
    Gc,
    /// Write all that the store knows as JSON lines
    #[command(after_help = examples::EXPORT)]
    Export(export::Args),
    /// Make a store of an export
    #[command(after_help = examples::IMPORT)]
    Import(import::Args),
    /// Forget a feed that left the configuration
    #[command(after_help = examples::FEED)]
    Feed(feed::Args),
    /// Show what a dataset becomes, without a store and without MISP
    #[command(after_help = examples::MAP)]
    Map(args::MapArgs),
    /// Serve a small MISP in memory, or an EclecticIQ platform, to try things out on
    #[command(after_help = examples::SANDBOX)]
    Sandbox(args::SandboxArgs),
    /// See all of it at work in a minute; nothing has to be installed
    #[command(after_help = examples::DEMO)]
    Demo(demo::Args),
    /// Print the configuration in effect, without secrets
    #[command(after_help = examples::CONFIG)]
    Config,
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Args),
    /// Write man pages, one for each verb
    #[command(after_help = examples::MAN)]
    Man(man::Args),
}

/// What a verb is to a daemon that has the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Whoever may ask has it answered.
    Question,
    /// The daemon does it for its own user and root alone.
    Act,
    /// It needs the store for itself.
    Alone,
    /// It has nothing to do with it.
    Apart,
}

/// Answers a question of the ledger.
fn answer(
    context: &mut Context,
    answer: impl FnOnce(&mut Context, &dyn Ledger) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    let ledger = context.ledger()?;
    answer(context, &ledger)
}

impl Verb {
    /// Does what was asked, or has it done by the daemon that has the store, and says how it ended.
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, CliError> {
        if let Some((path, _)) = self.output() {
            spare(path, self.source(), context)?;
        }
        if let Some(exit) = forward(self, context)? {
            return Ok(exit);
        }
        match self {
            Self::Init(args) => init::run(args, context),
            Self::Doctor(args) => doctor::run(args, context),
            Self::Plan(args) => plan::run(args, context),
            Self::Sync(args) => sync::run(args, context),
            #[cfg(unix)]
            Self::Run(args) => super::daemon::start::run(args, context),
            #[cfg(unix)]
            Self::Pause(args) => pause::run(args, context, true),
            #[cfg(unix)]
            Self::Resume(args) => pause::run(args, context, false),
            Self::Apply(args) => apply::run(args, context),
            Self::Status(args) => {
                answer(context, |context, ledger| status::run(args, context, ledger))
            }
            Self::Log(args) => answer(context, |context, ledger| log::run(args, context, ledger)),
            Self::Show(args) => answer(context, |context, ledger| show::run(args, context, ledger)),
            Self::Diff(args) => answer(context, |context, ledger| diff::run(args, context, ledger)),
            Self::Why(args) => answer(context, |context, ledger| why::run(args, context, ledger)),
            Self::Report(args) => report::run(args, context),
            Self::Web(args) => web::run(args, context),
            Self::Verify(args) => verify::run(args, context),
            Self::Check => check::run(context),
            Self::Repair(args) => repair::run(args, context),
            Self::Gc => gc::run(context),
            Self::Export(args) => export::run(args, context),
            Self::Import(args) => import::run(args, context),
            Self::Feed(args) => feed::run(args, context),
            Self::Map(args) => map::run(args, context),
            Self::Sandbox(args) => sandbox::run(args, context),
            Self::Demo(args) => demo::run(args, context),
            Self::Config => config::run(context),
            Self::Completions(args) => completions::run(args, context),
            Self::Man(args) => man::run(args, context),
        }
    }

    /// What it is to a daemon that has the store.
    pub(super) const fn beside(&self) -> Beside {
        match self {
            Self::Status(_) | Self::Log(_) | Self::Show(_) | Self::Diff(_) | Self::Why(_) => {
                Beside::Question
            }
            // A daemon pulls when its feeds are due, and two do not write to one mirror.
            Self::Plan(args) if args.pull => Beside::Alone,
            // All of a dataset or of the store is too much for whoever may ask, in what it takes and in what it tells.
            Self::Plan(_) | Self::Check | Self::Export(_) | Self::Report(_) | Self::Web(_) => {
                Beside::Act
            }
            Self::Sync(_) | Self::Apply(_) | Self::Verify(_) | Self::Doctor(_) => Beside::Act,
            #[cfg(unix)]
            Self::Pause(_) | Self::Resume(_) => Beside::Act,
            Self::Repair(_) | Self::Gc | Self::Import(_) | Self::Feed(_) => Beside::Alone,
            #[cfg(unix)]
            Self::Run(_) => Beside::Apart,
            Self::Init(_)
            | Self::Map(_)
            | Self::Sandbox(_)
            | Self::Demo(_)
            | Self::Config
            | Self::Completions(_)
            | Self::Man(_) => Beside::Apart,
        }
    }

    /// The file that it reads, beside configuration, source and store.
    pub(super) fn input(&self) -> Option<&Path> {
        match self {
            Self::Apply(args) => Some(&args.plan),
            _ => None,
        }
    }

    /// The dataset that it reads in the place of the configured one.
    fn source(&self) -> Option<&Path> {
        match self {
            Self::Plan(args) => args.run.source.as_deref(),
            _ => None,
        }
    }

    /// The file that it writes, and who may read that.
    pub(super) fn output(&self) -> Option<(&Path, Rights)> {
        match self {
            Self::Plan(args) => Some((args.output.as_deref()?, Rights::Usual)),
            Self::Export(args) => Some((args.file()?, Rights::Private)),
            Self::Report(args) => Some((&args.output, Rights::Private)),
            _ => None,
        }
    }

    /// Whether it is to read another source, or keep to other limits than the configured ones.
    pub(super) const fn is_of_its_own(&self) -> bool {
        match self {
            Self::Plan(args) => args.run.source.is_some(),
            Self::Sync(args) => args.run.source.is_some() || args.is_limited(),
            Self::Apply(args) => args.bwlimit.is_some(),
            Self::Verify(args) => args.bwlimit.is_some(),
            _ => false,
        }
    }

    /// Whether its answer may be long, and it is over once that is given.
    pub(super) const fn is_paged(&self) -> bool {
        matches!(self.beside(), Beside::Question) || matches!(self, Self::Plan(_) | Self::Check)
    }

    /// How its log is written.
    pub(super) const fn log_style(&self) -> Style {
        match self {
            #[cfg(unix)]
            Self::Run(args) => Style::Daemon(args.log_format),
            _ => Style::Tool,
        }
    }

    /// The verb as others see it who find the store locked.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Doctor(_) => "doctor",
            Self::Plan(_) => "plan",
            Self::Sync(_) => "sync",
            #[cfg(unix)]
            Self::Run(_) => "run",
            #[cfg(unix)]
            Self::Pause(_) => "pause",
            #[cfg(unix)]
            Self::Resume(_) => "resume",
            Self::Apply(_) => "apply",
            Self::Status(_) => "status",
            Self::Log(_) => "log",
            Self::Show(_) => "show",
            Self::Diff(_) => "diff",
            Self::Why(_) => "why",
            Self::Report(_) => "report",
            Self::Web(_) => "web",
            Self::Verify(_) => "verify",
            Self::Check => "check",
            Self::Repair(_) => "repair",
            Self::Gc => "gc",
            Self::Export(_) => "export",
            Self::Import(_) => "import",
            Self::Feed(_) => "feed",
            Self::Map(_) => "map",
            Self::Sandbox(_) => "sandbox",
            Self::Demo(_) => "demo",
            Self::Config => "config",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}
