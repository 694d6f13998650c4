//! The entities of an outgoing feed of an EclecticIQ platform.

use url::Url;

use crate::config::{
    ConnectionSettings, KeySource,
    connection::{Found, read_connection, read_secret, read_url},
    reader::Section,
};

use super::platform::{PLATFORM, read_number, refuse_secrets};

/// The entities of an outgoing feed of an EclecticIQ platform, by its public API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EiqApiSource {
    /// The address of the platform, http or https, without user, query or fragment; the path ends with `/`.
    pub url: Url,
    /// The number of the feed.
    pub feed: u64,
    /// Where the token comes from.
    pub token: KeySource,
    /// How the platform is reached.
    pub connection: ConnectionSettings,
}

pub(super) fn read_eiq_api(section: &mut Section<'_, '_>) -> Option<EiqApiSource> {
    refuse_secrets(section);
    let url = read_url(section, &PLATFORM);
    let feed = read_number(section);
    let token = read_secret(section, ["token_env", "token_file"], &PLATFORM);
    let connection = read_connection(section, &PLATFORM, !matches!(token, Found::Absent));
    let token = match token {
        Found::There(from) => from,
        Found::Absent => {
            let what = "is missing, and so is token_file".to_owned();
            let cure = "write token_env = \"EIQ_TOKEN\" or token_file = \"PATH\"";
            section.reader().fault(&section.key("token_env"), &section.span, what, cure);
            return None;
        }
        Found::Faulty => return None,
    };
    Some(EiqApiSource { url: url?, feed: feed?, token, connection })
}
