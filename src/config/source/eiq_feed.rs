//! An outgoing feed of an EclecticIQ platform.

use url::Url;

use crate::{
    config::{
        ConnectionSettings, KeySource,
        connection::{Found, read_connection, read_secret, read_url},
        reader::Section,
    },
    source::eiq_feed::{self, Reach},
};

use super::platform::{PLATFORM, read_number, refuse_secrets};

/// An outgoing feed of an EclecticIQ platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EiqFeedSource {
    /// The address of the platform, http or https, without user, query or fragment; the path ends with `/`.
    pub url: Url,
    /// The number of the feed.
    pub feed: u64,
    /// Who may download it.
    pub access: FeedAccess,
    /// How the platform is reached.
    pub connection: ConnectionSettings,
}

/// Who may download a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedAccess {
    /// Who has a token.
    Token {
        /// Where the token comes from.
        from: KeySource,
        /// The update strategy that the feed must have. `None`: whichever it has.
        update_strategy: Option<eiq_feed::Strategy>,
    },
    /// Everybody. Such a feed does not say what its runs package.
    Public {
        /// So the configuration does.
        update_strategy: eiq_feed::Strategy,
    },
}

impl FeedAccess {
    /// The same without where the token comes from.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        match self {
            Self::Token { update_strategy, .. } => Reach::Token(*update_strategy),
            Self::Public { update_strategy } => Reach::Public(*update_strategy),
        }
    }
}

pub(super) fn read_eiq_feed(section: &mut Section<'_, '_>) -> Option<EiqFeedSource> {
    refuse_secrets(section);
    let url = read_url(section, &PLATFORM);
    let feed = read_number(section);
    let token = read_secret(section, ["token_env", "token_file"], &PLATFORM);
    let update_strategy = section.choice("update_strategy");
    let connection = read_connection(section, &PLATFORM, !matches!(token, Found::Absent));
    let access = match (token, update_strategy) {
        (Found::There(from), update_strategy) => FeedAccess::Token { from, update_strategy },
        (Found::Absent, Some(update_strategy)) => FeedAccess::Public { update_strategy },
        (Found::Absent, None) => {
            let what = "is missing, and so is token_file".to_owned();
            let cure = "write token_env = \"EIQ_TOKEN\" or token_file = \"PATH\"; for a public feed, which needs no \
                        token, write update_strategy = \"replace\" or \"append\", as it does not say which it has";
            section.reader().fault(&section.key("token_env"), &section.span, what, cure);
            return None;
        }
        (Found::Faulty, _) => return None,
    };
    Some(EiqFeedSource { url: url?, feed: feed?, access, connection })
}
