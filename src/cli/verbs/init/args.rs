//! What `init` is told on the command line.

use std::path::PathBuf;

use crate::{
    cli::{CliError, Kind, Report, args::words},
    config::SourceKind,
    model::{Fault, Tlp, Words},
    plan::Unmarked,
    source::eiq_feed::Strategy,
};

/// Arguments of `init`; `--config` says where to, `--store` where the store will be.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Args {
    /// Ask nothing: what no option says gets its default, as it does where there is no terminal
    #[arg(long)]
    pub(super) no_input: bool,
    /// The kind of the source; that of --source where it is not given
    #[arg(long, value_name = "KIND", value_parser = words::<SourceKind>())]
    pub(super) kind: Option<SourceKind>,
    /// The file or folder, relative to the configuration
    #[arg(long, value_name = "PATH")]
    pub(super) source: Option<String>,
    /// Address of the platform, or of the API root of the TAXII server
    #[arg(long, value_name = "URL")]
    pub(super) source_url: Option<String>,
    /// Number of the outgoing feed
    #[arg(long, value_name = "NUMBER")]
    pub(super) feed: Option<String>,
    /// Update strategy of the feed, which a public one does not say itself
    #[arg(long, value_name = "STRATEGY", value_parser = words::<Strategy>())]
    pub(super) update_strategy: Option<Strategy>,
    /// Id or alias of a collection; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) collection: Vec<String>,
    /// The environment variable that holds the token of the source
    #[arg(long, value_name = "NAME", group = "entry")]
    pub(super) token_env: Option<String>,
    /// The file that holds the token of the source, relative to the configuration
    #[arg(long, value_name = "PATH", group = "entry")]
    pub(super) token_file: Option<PathBuf>,
    /// The user of the TAXII server
    #[arg(long, value_name = "NAME", group = "entry")]
    pub(super) user: Option<String>,
    /// The environment variable that holds the user's password
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(super) password_env: Option<String>,
    /// The file that holds the user's password, relative to the configuration
    #[arg(long, value_name = "PATH", requires = "user", conflicts_with = "password_env")]
    pub(super) password_file: Option<PathBuf>,
    /// The source wants neither token nor user
    #[arg(long, group = "entry")]
    pub(super) public: bool,
    /// Address of the MISP
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The environment variable that holds the API key
    #[arg(long, value_name = "NAME")]
    pub(super) api_key_env: Option<String>,
    /// The file that holds the API key, relative to the configuration
    #[arg(long, value_name = "PATH", conflicts_with = "api_key_env")]
    pub(super) api_key_file: Option<PathBuf>,
    /// The strictest TLP that may be sent: clear, green, amber, amber+strict or red
    #[arg(long, value_name = "TLP")]
    pub(super) max_tlp: Option<Tlp>,
    /// What becomes of entities without a TLP colour
    #[arg(long, value_name = "WORD", value_parser = words::<Unmarked>())]
    pub(super) unmarked: Option<Unmarked>,
}

impl Args {
    /// Refuses an option that says nothing of this kind of source.
    pub(super) fn fit(&self, kind: SourceKind) -> Result<(), CliError> {
        use SourceKind::{EiqApi, EiqFeed, File, Folder, Taxii2};
        let bound: [(&str, bool, &[SourceKind]); 11] = [
            ("--source", self.source.is_some(), &[File, Folder]),
            ("--source-url", self.source_url.is_some(), &[EiqFeed, EiqApi, Taxii2]),
            ("--feed", self.feed.is_some(), &[EiqFeed, EiqApi]),
            ("--update-strategy", self.update_strategy.is_some(), &[EiqFeed]),
            ("--collection", !self.collection.is_empty(), &[Taxii2]),
            ("--token-env", self.token_env.is_some(), &[EiqFeed, EiqApi, Taxii2]),
            ("--token-file", self.token_file.is_some(), &[EiqFeed, EiqApi, Taxii2]),
            ("--user", self.user.is_some(), &[Taxii2]),
            ("--password-env", self.password_env.is_some(), &[Taxii2]),
            ("--password-file", self.password_file.is_some(), &[Taxii2]),
            ("--public", self.public, &[EiqFeed, Taxii2]),
        ];
        let stray = bound.iter().find(|(_, is_given, kinds)| *is_given && !kinds.contains(&kind));
        let Some((option, _, kinds)) = stray else { return Ok(()) };
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
        let what = format!("says nothing of a source of the kind {}", kind.word());
        let cure = format!("leave it out, or give --kind {}", kinds.join(" or "));
        Err(wrong(option, Fault::new(what, cure)))
    }
}

/// An option that makes no sense.
pub(super) fn wrong(option: &str, fault: Fault) -> CliError {
    CliError::Told(Box::new(Report::new(Kind::Usage, fault.at(option))))
}
