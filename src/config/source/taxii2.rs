//! Collections of a TAXII 2.1 server.

use std::{collections::BTreeSet, time::Duration};

use url::Url;

use crate::{
    config::{
        ConnectionSettings, DEFAULT_TAXII_PASSWORD_ENV, DEFAULT_TAXII_TOKEN_ENV, KeySource,
        connection::{Found, Peer, read_connection, read_secret, read_url},
        reader::Section,
    },
    source::taxii2::{COLLECTIONS_MAX, NAME_BYTES_MAX},
};

use super::SECRETS;

/// How long an object may take from its time stamp to where others see it.
const OVERLAP: Duration = Duration::from_mins(10);
const MANIFEST_EVERY: Duration = Duration::from_hours(24);

/// Collections of a TAXII 2.1 server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxiiSource {
    /// The address of the API root, http or https, without user, query or fragment; the path ends with `/`.
    pub url: Url,
    /// Ids or aliases, each once, sorted.
    pub collections: Vec<String>,
    /// Who may read them.
    pub access: TaxiiAccess,
    /// How long an object may take from its time stamp to where others see it.
    pub overlap: Duration,
    /// How often the manifests are read, which tell what is gone. `None`: never.
    pub manifest_every: Option<Duration>,
    /// How the server is reached.
    pub connection: ConnectionSettings,
}

/// Who may read collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxiiAccess {
    /// Everybody.
    Public,
    /// Who has a bearer token, and where it comes from.
    Token(KeySource),
    /// A user, by HTTP Basic.
    User {
        /// The name, without a colon.
        name: String,
        /// Where the password comes from.
        password: KeySource,
    },
}

const TOKEN_CURE: &str = "remove it, make a new token on the server if others could read this file, and write \
     token_env = \"TAXII_TOKEN\" or token_file = \"PATH\"";
const PASSWORD_CURE: &str = "remove it, change it on the server if others could read this file, and write \
     password_env = \"TAXII_PASSWORD\" or password_file = \"PATH\"";
const SERVER: Peer = Peer {
    name: "the TAXII server",
    secret: "token",
    short: "token",
    direction: "read",
    secret_cure: TOKEN_CURE,
    elsewhere: None,
    example: DEFAULT_TAXII_TOKEN_ENV,
};
const SERVER_OF_USERS: Peer = Peer {
    secret: "password",
    short: "password",
    secret_cure: PASSWORD_CURE,
    example: DEFAULT_TAXII_PASSWORD_ENV,
    ..SERVER
};

pub(super) fn read_taxii2(section: &mut Section<'_, '_>) -> Option<TaxiiSource> {
    for secret in SECRETS {
        let cure = if secret == "password" { PASSWORD_CURE } else { TOKEN_CURE };
        section.refuse(secret, "is a secret, which has no place in a configuration", cure);
    }
    let url = read_url(section, &SERVER);
    let collections = read_collections(section);
    let access = read_access(section);
    let peer = match access {
        Found::There(TaxiiAccess::User { .. }) => &SERVER_OF_USERS,
        _ => &SERVER,
    };
    let is_open = matches!(access, Found::There(TaxiiAccess::Public));
    let connection = read_connection(section, peer, !is_open);
    let overlap = section.duration("overlap", OVERLAP);
    let manifest_every = section.duration_or_never("manifest_every", Some(MANIFEST_EVERY));
    let Found::There(access) = access else { return None };
    let (url, collections) = (url?, collections?);
    Some(TaxiiSource { url, collections, access, overlap, manifest_every, connection })
}

fn read_collections(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let cure =
        "write collections = [\"id or alias\"]; `misp-trickle doctor` names those that there are";
    let listed = section.texts("collections");
    let reader = section.reader();
    let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
        reader.fault(
            &section.key("collections"),
            &section.span,
            "names no collection".to_owned(),
            cure,
        );
        return None;
    };
    let is_name = |text: &str| {
        let fits = |letter: char| !letter.is_control() && !"/?#,".contains(letter);
        let is_long = text.len() > NAME_BYTES_MAX;
        !text.trim().is_empty() && !is_long && !matches!(text, "." | "..") && text.chars().all(fits)
    };
    let mut names = BTreeSet::new();
    for at in &listed {
        if !is_name(at.value) {
            reader.wrong(at, "cannot be the id or alias of a collection".to_owned(), cure);
        } else if !names.insert(at.value.to_owned()) {
            reader.wrong(at, "is there twice".to_owned(), "keep one of the two");
        }
    }
    if listed.len() > COLLECTIONS_MAX {
        let what = format!("names {} collections", listed.len());
        let cure = format!("name at most {COLLECTIONS_MAX}, and the others in another feed");
        reader.fault(&section.key("collections"), &section.span, what, &cure);
    }
    Some(names.into_iter().collect())
}

fn read_access(section: &mut Section<'_, '_>) -> Found<TaxiiAccess> {
    let token = read_secret(section, ["token_env", "token_file"], &SERVER);
    let name = section.text("username");
    let password = read_secret(section, ["password_env", "password_file"], &SERVER_OF_USERS);
    let reader = section.reader();
    match (token, name, password) {
        (Found::Absent, None, Found::Absent) => Found::There(TaxiiAccess::Public),
        (Found::There(token), None, Found::Absent) => Found::There(TaxiiAccess::Token(token)),
        (Found::Absent, Some(name), Found::There(password)) => {
            if name.value.is_empty() || name.value.contains(|it: char| it == ':' || it.is_control())
            {
                reader.wrong(
                    &name,
                    "cannot be the name of a user".to_owned(),
                    "write it without `:`",
                );
            }
            Found::There(TaxiiAccess::User { name: name.value.to_owned(), password })
        }
        (Found::Absent, Some(name), Found::Absent) => {
            let what = "has no password".to_owned();
            let cure = "write password_env = \"TAXII_PASSWORD\" or password_file = \"PATH\"";
            reader.wrong(&name, what, cure);
            Found::Faulty
        }
        (Found::Absent, None, Found::There(_)) => {
            let what = "is missing, and there is a password".to_owned();
            let cure = "write username = \"NAME\"";
            reader.fault(&section.key("username"), &section.span, what, cure);
            Found::Faulty
        }
        (Found::There(_), ..) => {
            let what = "stands beside a user name or password".to_owned();
            let cure = "keep the token, or username and password";
            reader.fault(&section.key("token_env"), &section.span, what, cure);
            Found::Faulty
        }
        (Found::Faulty, ..) | (_, _, Found::Faulty) => Found::Faulty,
    }
}
