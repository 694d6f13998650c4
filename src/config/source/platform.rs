//! What all sources on an EclecticIQ platform have in common.

use crate::config::{DEFAULT_EIQ_TOKEN_ENV, connection::Peer, reader::Section};

use super::SECRETS;

const SECRET_CURE: &str = "remove it, make a new token on the platform if others could read this file, and \
     write token_env = \"EIQ_TOKEN\" or token_file = \"PATH\"";
pub(super) const PLATFORM: Peer = Peer {
    name: "the platform",
    secret: "token",
    short: "token",
    direction: "read",
    secret_cure: SECRET_CURE,
    elsewhere: None,
    example: DEFAULT_EIQ_TOKEN_ENV,
};

/// Refuses keys that would hold a secret.
pub(super) fn refuse_secrets(section: &mut Section<'_, '_>) {
    for secret in SECRETS {
        section.refuse(secret, "is a secret, which has no place in a configuration", SECRET_CURE);
    }
}

/// The number of an outgoing feed.
pub(super) fn read_number(section: &mut Section<'_, '_>) -> Option<u64> {
    if section.item("feed").is_none() {
        let what = "is missing".to_owned();
        let cure = "write the number of the outgoing feed, as its page on the platform has it";
        section.reader().fault(&section.key("feed"), &section.span, what, cure);
    }
    section.integer("feed", 1..=i64::MAX).map(|at| at.value.unsigned_abs())
}
