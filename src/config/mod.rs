//! The configuration: a TOML file becomes the settings of the other modules, checked once and whole.
//!
//! Every key that is read is known by being asked for; any other is an error. All faults of a file are
//! reported together, each with its place, its key, what is wrong and what to do. The file never holds
//! a secret: it names an environment variable or a file, and a key or password in the text is refused.

mod connection;
mod destination;
mod effective;
mod error;
mod file;
mod headers;
mod key;
mod load;
mod reader;
mod schedule;
mod serve;
mod settings;
mod shown;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod units;

pub use destination::{BWLIMIT_MIN, looks_like_key};
pub use effective::effective;
pub use error::{ConfigError, Notice};
pub use file::{Holds, read_file, read_text};
pub use key::SecretForm;
pub use settings::{
    CONTAINERS, Config, ConnectionSettings, Destination, Feed, FirstRun, HeaderSource, HookUrl,
    KeySource, MappingSettings, ScheduleSettings, ServeSettings, SocketPlace, StorePrivacy,
};
pub use source::{
    EiqApiSource, EiqFeedSource, FeedAccess, FeedSource, LocalPlace, LocalSource, SourceKind,
    TaxiiAccess, TaxiiSource, source_at,
};
pub use template::{InitArgs, InitSource, template};
pub use units::{format_duration, format_size, parse_duration, parse_size};

/// The file that is read when no other is named.
pub const DEFAULT_FILE: &str = "misp-trickle.toml";
/// The environment variable that `init` proposes for the API key.
pub const DEFAULT_KEY_ENV: &str = "MISP_API_KEY";
/// That for the token of a platform.
pub const DEFAULT_EIQ_TOKEN_ENV: &str = "EIQ_TOKEN";
/// That for the token of a TAXII server.
pub const DEFAULT_TAXII_TOKEN_ENV: &str = "TAXII_TOKEN";
/// That for the password of a user of a TAXII server.
pub const DEFAULT_TAXII_PASSWORD_ENV: &str = "TAXII_PASSWORD";
