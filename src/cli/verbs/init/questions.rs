//! What `init` has to know, in the order in which it is asked.

use std::path::Path;

use crate::{
    cli::CliError,
    config::{
        Config, ConfigError, DEFAULT_EIQ_TOKEN_ENV, DEFAULT_KEY_ENV, DEFAULT_TAXII_PASSWORD_ENV,
        DEFAULT_TAXII_TOKEN_ENV, FeedAccess, InitArgs, InitSource, KeySource, SecretForm,
        SourceKind, TaxiiAccess, looks_like_key, template,
    },
    model::{Fault, Tlp, Words},
    plan::Unmarked,
    source::eiq_feed::Strategy,
};

use super::{
    args::Args,
    dialogue::{Dialogue, Question, SecretQuestion},
};

const API_KEY: SecretQuestion = SecretQuestion {
    noun: "API key",
    form: SecretForm::Word,
    variable: DEFAULT_KEY_ENV,
    file: "api-key",
    options: ["--api-key-env", "--api-key-file"],
    sound: sound_key,
    odd: |text| {
        (!looks_like_key(text)).then_some("it is not 40 letters and digits, as MISP's keys are")
    },
};
const EIQ_TOKEN: SecretQuestion = SecretQuestion {
    noun: "API token",
    form: SecretForm::Word,
    variable: DEFAULT_EIQ_TOKEN_ENV,
    file: "token",
    options: ["--token-env", "--token-file"],
    sound: sound_key,
    odd: |_| None,
};
const TAXII_TOKEN: SecretQuestion =
    SecretQuestion { noun: "token", variable: DEFAULT_TAXII_TOKEN_ENV, ..EIQ_TOKEN };
const PASSWORD: SecretQuestion = SecretQuestion {
    noun: "password",
    form: SecretForm::Line,
    variable: DEFAULT_TAXII_PASSWORD_ENV,
    file: "password",
    options: ["--password-env", "--password-file"],
    sound: sound_key,
    odd: |_| None,
};

/// What lets a reader in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Token,
    User,
    Public,
}

/// All that goes into the configuration.
pub(super) fn answer(args: &Args, dialogue: &mut Dialogue<'_>) -> Result<InitArgs, CliError> {
    let source = source(args, dialogue)?;
    let example = InitArgs::default();
    let question = Question {
        text: "URL of MISP",
        option: "--url",
        // An example for whoever is asked nothing.
        default: (!dialogue.asks()).then_some(&*example.url),
    };
    let url = dialogue.settle(args.url.as_deref(), &question, |text| {
        let url = text.to_owned();
        sound(&InitArgs { url, ..InitArgs::default() }).map(|()| text.to_owned())
    })?;
    let key =
        dialogue.secret(args.api_key_env.as_deref(), args.api_key_file.as_deref(), &API_KEY)?;
    let question = Question {
        text: "Strictest TLP that may be sent (clear, green, amber, amber+strict, red)",
        option: "--max-tlp",
        default: Some(example.max_tlp.name()),
    };
    let given = args.max_tlp.map(Tlp::name);
    let max_tlp = dialogue.settle(given, &question, |text| {
        text.parse::<Tlp>().map_err(|error| Fault::new(error.to_string(), "write one of them"))
    })?;
    let text = ("What has no TLP colour may be sent", "--unmarked");
    let unmarked = dialogue.choose(args.unmarked.map(Words::word), text, Unmarked::WORDS)?;
    Ok(InitArgs { source, url, key, max_tlp, unmarked, ..example })
}

fn source(args: &Args, dialogue: &mut Dialogue<'_>) -> Result<InitSource, CliError> {
    let kind = kind(args, dialogue)?;
    args.fit(kind)?;
    match kind {
        SourceKind::File => Ok(InitSource::File(path(args, dialogue, kind)?)),
        SourceKind::Folder => Ok(InitSource::Folder(path(args, dialogue, kind)?)),
        SourceKind::Stdin => Ok(InitSource::Stdin),
        SourceKind::EiqFeed => eiq_feed(args, dialogue),
        SourceKind::EiqApi => {
            let (url, feed) = platform(args, dialogue)?;
            Ok(InitSource::EiqApi { url, feed, token: token(args, dialogue, &EIQ_TOKEN)? })
        }
        SourceKind::Taxii2 => taxii2(args, dialogue),
    }
}

/// The kind that is named, or that of the path that is.
fn kind(args: &Args, dialogue: &mut Dialogue<'_>) -> Result<SourceKind, CliError> {
    let of_path = |path: &String| match dialogue.at(path).is_dir() {
        true => SourceKind::Folder,
        false => SourceKind::File,
    };
    let given = args.kind.or_else(|| args.source.as_ref().map(of_path));
    if given.is_none() {
        dialogue.say("Kinds of sources:");
        for (word, kind) in SourceKind::WORDS {
            dialogue.say(&format!("  {word:<9} {}", kind.about()));
        }
    }
    dialogue.choose(given.map(Words::word), ("Kind of the source", "--kind"), SourceKind::WORDS)
}

/// A path of files, which may come later.
fn path(args: &Args, dialogue: &mut Dialogue<'_>, kind: SourceKind) -> Result<String, CliError> {
    let config = dialogue.at("");
    let (text, default) = match kind {
        SourceKind::Folder => ("Folder, from that of the configuration", None),
        _ => ("File, from the folder of the configuration", Some("dataset.json")),
    };
    let question = Question { text, option: "--source", default };
    dialogue.settle(args.source.as_deref(), &question, |text| {
        let there = config.join(text);
        let source = match kind {
            SourceKind::Folder if there.is_file() => {
                return Err(Fault::new("is a file", "name a folder, or take the kind file"));
            }
            SourceKind::Folder => InitSource::Folder(text.to_owned()),
            _ if there.is_dir() => {
                return Err(Fault::new("is a folder", "name a file, or take the kind folder"));
            }
            _ => InitSource::File(text.to_owned()),
        };
        sound_source(source).map(|()| text.to_owned())
    })
}

/// The address of a platform and the number of an outgoing feed there.
fn platform(args: &Args, dialogue: &mut Dialogue<'_>) -> Result<(String, u64), CliError> {
    let token = || KeySource::Env(DEFAULT_EIQ_TOKEN_ENV.to_owned());
    let question = Question { text: "URL of the platform", option: "--source-url", default: None };
    let url = dialogue.settle(args.source_url.as_deref(), &question, |text| {
        let source = InitSource::EiqApi { url: text.to_owned(), feed: 1, token: token() };
        sound_source(source).map(|()| text.to_owned())
    })?;
    let question =
        Question { text: "Number of the outgoing feed", option: "--feed", default: None };
    let feed = dialogue.settle(args.feed.as_deref(), &question, |text| {
        let feed = text
            .parse()
            .map_err(|_| Fault::new("is no number", "write that of its page on the platform"))?;
        sound_source(InitSource::EiqApi { url: url.clone(), feed, token: token() }).map(|()| feed)
    })?;
    Ok((url, feed))
}

fn eiq_feed(args: &Args, dialogue: &mut Dialogue<'_>) -> Result<InitSource, CliError> {
    let (url, feed) = platform(args, dialogue)?;
    let words = [("token", Entry::Token), ("public", Entry::Public)];
    let access = match entry(args, dialogue, &words)? {
        Entry::Public => {
            let given = args.update_strategy.map(Words::word);
            let text = ("Its update strategy", "--update-strategy");
            let update_strategy = dialogue.choose(given, text, Strategy::WORDS)?;
            FeedAccess::Public { update_strategy }
        }
        Entry::Token | Entry::User => {
            let from = token(args, dialogue, &EIQ_TOKEN)?;
            FeedAccess::Token { from, update_strategy: args.update_strategy }
        }
    };
    Ok(InitSource::EiqFeed { url, feed, access })
}

fn taxii2(args: &Args, dialogue: &mut Dialogue<'_>) -> Result<InitSource, CliError> {
    let question = Question { text: "URL of the API root", option: "--source-url", default: None };
    let of = |url: &str, collections: &[String], access| {
        let (url, collections) = (url.to_owned(), collections.to_vec());
        InitSource::Taxii2 { url, collections, access }
    };
    let any = ["any".to_owned()];
    let url = dialogue.settle(args.source_url.as_deref(), &question, |text| {
        sound_source(of(text, &any, TaxiiAccess::Public)).map(|()| text.to_owned())
    })?;
    let text = "Collections, by id or alias, with commas between them";
    let question = Question { text, option: "--collection", default: None };
    let given = (!args.collection.is_empty()).then(|| args.collection.join(","));
    let collections = dialogue.settle(given.as_deref(), &question, |text| {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        sound_source(of(&url, &names, TaxiiAccess::Public)).map(|()| names)
    })?;
    let words = [("token", Entry::Token), ("user", Entry::User), ("public", Entry::Public)];
    let access = match entry(args, dialogue, &words)? {
        Entry::Public => TaxiiAccess::Public,
        Entry::Token => TaxiiAccess::Token(token(args, dialogue, &TAXII_TOKEN)?),
        Entry::User => {
            let question = Question { text: "Name of the user", option: "--user", default: None };
            let password = || KeySource::Env(DEFAULT_TAXII_PASSWORD_ENV.to_owned());
            let name = dialogue.settle(args.user.as_deref(), &question, |text| {
                let access = TaxiiAccess::User { name: text.to_owned(), password: password() };
                sound_source(of(&url, &collections, access)).map(|()| text.to_owned())
            })?;
            let (variable, file) = (args.password_env.as_deref(), args.password_file.as_deref());
            TaxiiAccess::User { name, password: dialogue.secret(variable, file, &PASSWORD)? }
        }
    };
    Ok(InitSource::Taxii2 { url, collections, access })
}

/// What lets a reader in: what an option says, or one of these.
fn entry(
    args: &Args,
    dialogue: &mut Dialogue<'_>,
    words: &[(&'static str, Entry)],
) -> Result<Entry, CliError> {
    let given = match args {
        Args { public: true, .. } => Some("public"),
        Args { user: Some(_), .. } => Some("user"),
        Args { token_env: Some(_), .. } | Args { token_file: Some(_), .. } => Some("token"),
        _ => None,
    };
    dialogue.choose(given, ("What it is read with", "--token-env"), words)
}

fn token(
    args: &Args,
    dialogue: &mut Dialogue<'_>,
    question: &SecretQuestion,
) -> Result<KeySource, CliError> {
    dialogue.secret(args.token_env.as_deref(), args.token_file.as_deref(), question)
}

/// All secrets come from places of the same kinds.
fn sound_key(key: &KeySource) -> Result<(), Fault> {
    sound(&InitArgs { key: key.clone(), ..InitArgs::default() })
}

fn sound_source(source: InitSource) -> Result<(), Fault> {
    sound(&InitArgs { source, ..InitArgs::default() })
}

/// Whether the configuration takes these, in its own words.
fn sound(args: &InitArgs) -> Result<(), Fault> {
    match Config::parse(&template(args), Path::new("")) {
        Ok(_) => Ok(()),
        Err(ConfigError::Invalid { faults }) => {
            let fault = faults.first().expect("what is invalid has a fault");
            Err(Fault::new(&fault.what, &fault.cure))
        }
        Err(error) => Err(error.faults().remove(0)),
    }
}
