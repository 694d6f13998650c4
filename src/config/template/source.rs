//! The table `[source]` that `init` writes, for each kind of source.

use crate::{
    config::{FeedAccess, KeySource, SourceKind, TaxiiAccess},
    model::Words,
};

use super::{fill, quoted, secret};

/// Where the dataset comes from, as `init` writes it: paths and addresses stand as they are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitSource {
    /// A file; empty if it is left to `--source`.
    File(String),
    /// A folder.
    Folder(String),
    /// Standard input.
    Stdin,
    /// An outgoing feed of a platform.
    EiqFeed {
        /// Address of the platform.
        url: String,
        /// The number of the feed.
        feed: u64,
        /// Who may download it.
        access: FeedAccess,
    },
    /// The entities of one.
    EiqApi {
        /// Address of the platform.
        url: String,
        /// The number of the feed.
        feed: u64,
        /// Where the token comes from.
        token: KeySource,
    },
    /// Collections of a TAXII server.
    Taxii2 {
        /// Address of the API root.
        url: String,
        /// Ids or aliases.
        collections: Vec<String>,
        /// Who may read them.
        access: TaxiiAccess,
    },
}

impl InitSource {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> SourceKind {
        match self {
            Self::File(_) => SourceKind::File,
            Self::Folder(_) => SourceKind::Folder,
            Self::Stdin => SourceKind::Stdin,
            Self::EiqFeed { .. } => SourceKind::EiqFeed,
            Self::EiqApi { .. } => SourceKind::EiqApi,
            Self::Taxii2 { .. } => SourceKind::Taxii2,
        }
    }

    /// The lines of the table behind its kind, without an end behind the last.
    pub(super) fn block(&self) -> String {
        let lines = match self {
            Self::File(path) => {
                fill(&[PATH, FILES, QUIET_OFF].concat(), &[("{path}", quoted(path))])
            }
            Self::Folder(path) => fill(&[PATH, FILES, QUIET].concat(), &[("{path}", quoted(path))]),
            Self::Stdin => FILES.to_owned(),
            Self::EiqFeed { url, feed, access } => {
                let (token, strategy) = match access {
                    FeedAccess::Token { from, update_strategy } => {
                        (secret("token", from), update_strategy.word())
                    }
                    FeedAccess::Public { update_strategy } => {
                        (NO_TOKEN.to_owned(), update_strategy.word())
                    }
                };
                let strategy = ("{strategy}", quoted(strategy));
                fill(&[FEED, EIQ_FEED, CONNECTION].concat(), &of_feed(url, *feed, token, strategy))
            }
            Self::EiqApi { url, feed, token } => {
                let none = ("{strategy}", String::new());
                let token = secret("token", token);
                fill(&[FEED, CONNECTION].concat(), &of_feed(url, *feed, token, none))
            }
            Self::Taxii2 { url, collections, access } => {
                let names: Vec<toml::Value> = collections.iter().cloned().map(Into::into).collect();
                let values = [
                    ("{url}", quoted(url)),
                    ("{collections}", toml::Value::Array(names).to_string()),
                    ("{access}", of_access(access)),
                ];
                fill(&[TAXII2, CONNECTION].concat(), &values)
            }
        };
        lines.trim_end_matches('\n').to_owned()
    }
}

fn of_feed(
    url: &str,
    feed: u64,
    token: String,
    strategy: (&'static str, String),
) -> [(&'static str, String); 4] {
    [("{url}", quoted(url)), ("{feed}", feed.to_string()), ("{token}", token), strategy]
}

fn of_access(access: &TaxiiAccess) -> String {
    match access {
        TaxiiAccess::Public => NO_TOKEN.to_owned(),
        TaxiiAccess::Token(from) => secret("token", from),
        TaxiiAccess::User { name, password } => {
            format!("username = {}\n{}", quoted(name), secret("password", password))
        }
    }
}

const PATH: &str = "path = {path}                     # `--source PATH` takes its place\n";
const FILES: &str = r#"format = "auto"                     # auto | eclecticiq | stix21
update_strategy = "replace"         # replace | append | diff; none of them deletes in MISP
"#;
const QUIET: &str = "quiet = \"10s\"                       # the daemon waits until nothing in it changed for so long\n";
const QUIET_OFF: &str = "# quiet = \"10s\"                     # kind folder: the daemon waits until nothing in it \
     changed for so long\n";

const FEED: &str = "url = {url}
feed = {feed}                           # the number of the outgoing feed
{token}
";
const EIQ_FEED: &str = "update_strategy = {strategy}            # auto | replace | append; of a public feed the one that it has
";
const TAXII2: &str = r#"url = {url}
collections = {collections}         # ids or aliases; several are one dataset
{access}
overlap = "10m"                     # what is added may be seen so long after its time stamp
manifest_every = "24h"              # how often to look for what is gone; or "never"
"#;
const NO_TOKEN: &str =
    "# token_env = \"NAME\"                # or token_file; it is public, and needs none";
const CONNECTION: &str = "# ca_bundle, client_cert, client_key, proxy, headers, verify_tls and timeout as for a destination\n";
