//! The configuration that `init` writes: every setting with its default and a word about it.

mod source;

use uuid::Uuid;

use crate::{
    model::{Tlp, Words},
    plan::{Policy, Unmarked},
};

use super::{DEFAULT_KEY_ENV, KeySource};

pub use source::InitSource;

/// What `init` puts into the configuration. Paths and addresses stand there as they are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitArgs {
    /// Where the dataset comes from.
    pub source: InitSource,
    /// Address of the MISP.
    pub url: String,
    /// Where its API key comes from.
    pub key: KeySource,
    /// The strictest colour that may be sent.
    pub max_tlp: Tlp,
    /// What becomes of entities without a colour.
    pub unmarked: Unmarked,
    /// Folder of the store.
    pub store: String,
    /// What becomes an event beside incidents.
    pub containers: Vec<&'static str>,
    /// UUID that is proposed for the event of the rest.
    pub rest_uuid: String,
}

impl Default for InitArgs {
    /// What is written where nothing else is said.
    fn default() -> Self {
        Self {
            source: InitSource::File("dataset.json".to_owned()),
            url: "https://misp.example.org".to_owned(),
            key: KeySource::Env(DEFAULT_KEY_ENV.to_owned()),
            max_tlp: Policy::default().allow_tlp.last().copied().unwrap_or(Tlp::Clear),
            unmarked: Policy::default().unmarked,
            store: "state".to_owned(),
            containers: Vec::new(),
            rest_uuid: Uuid::new_v4().to_string(),
        }
    }
}

/// A commented configuration that [`Config::parse`](super::Config::parse) reads.
#[must_use]
pub fn template(args: &InitArgs) -> String {
    let colours: Vec<&str> =
        Tlp::ALL.iter().filter(|tlp| **tlp <= args.max_tlp).map(|tlp| tlp.name()).collect();
    fill(
        TEMPLATE,
        &[
            ("{store}", quoted(&args.store)),
            ("{kind}", quoted(args.source.kind().word())),
            ("{source}", args.source.block()),
            ("{key}", secret("api_key", &args.key)),
            ("{url}", quoted(&args.url)),
            ("{allow_tlp}", format!("{colours:?}")),
            ("{unmarked}", quoted(args.unmarked.word())),
            ("{rest_uuid}", quoted(&args.rest_uuid)),
            ("{containers}", format!("{:?}", args.containers)),
        ],
    )
}

/// One mark on a line, and what takes its place is not looked at again. A word about it keeps its column.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let line = |line: &str| {
        let Some((mark, value)) = values.iter().find(|(mark, _)| line.contains(mark)) else {
            return line.to_owned() + "\n";
        };
        match line.split_once(" #") {
            Some((setting, word)) => {
                format!("{:<35} #{word}\n", setting.trim_end().replacen(mark, value, 1))
            }
            None => line.replacen(mark, value, 1) + "\n",
        }
    };
    template.lines().map(line).collect()
}

/// The line that says where a secret comes from.
fn secret(name: &str, from: &KeySource) -> String {
    match from {
        KeySource::Env(variable) => format!("{name}_env = {}", quoted(variable)),
        KeySource::File(path) => format!("{name}_file = {}", quoted(&path.display().to_string())),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

const TEMPLATE: &str = r##"# misp-trickle: what to carry, and where to. Paths are relative to this file.
# `misp-trickle config` prints what is in effect; an unknown key is an error.
version = 1

[store]
path = {store}                      # what was sent is remembered here; keep it safe
# private = "require"               # refuse a file system on which other users could read it

[source]                            # the feed "main"; [feeds.NAME] for several, with the same keys
kind = {kind}                       # file | folder | stdin | eiq-feed | eiq-api | taxii2; docs/reference/configuration.md has the keys of each
{source}
# destinations = ["main"]           # where it goes; without it to all
# [feeds.NAME.schedule]             # of one feed, what [schedule] below says for all

[destinations.main]                 # one table for each MISP
url = {url}
{key}
# The key itself never stands here: api_key_env names a variable, api_key_file a file.
# auth_header = "X-MISP-AUTH"       # where something on the way takes the usual header, Authorization, away
verify_tls = true
# ca_bundle = "ca.pem"              # an authority of your own
# client_cert = "client.pem"        # and client_key, for mutual TLS
# proxy = "http://proxy:3128"       # "none": straight, whatever the environment says
timeout = "5m"                      # longest wait for an answer; MISP takes minutes for a large event
compression = "auto"                # auto | smallest: whatever time it takes | br | gzip | off
bwlimit = "none"                    # most bytes a second, up and down together, such as "64k"
max_transfer = "none"               # most bytes of a run, such as "50m"; the next goes on from there
concurrency = "auto"                # events in flight: auto, or a number
on_foreign = "block"                # block | append (a site administrator's key): an event under our UUID owned by others
verify_every = "24h"                # look for what was sent, although nothing changed; or "never"
# [destinations.main.headers]       # what something before MISP wants beside
# "X-Client-Id" = "misp-trickle"    # and secret ones: "X-Client-Secret" = { env = "NAME" }, or { file = "PATH" }

[destinations.main.event]           # what events get when they are created
distribution = 0                    # 0 own organisation, 1 community, 2 connected, 3 all, 4 sharing group
# sharing_group_id = 1              # with distribution = 4
threat_level_id = 4                 # 1 high, 2 medium, 3 low, 4 undefined
tags = []                           # tags that every event gets
disable_correlation = false
publish = "never"                   # never | keep | always
include_tags = "event"              # none | event | all

[destinations.main.policy]          # what may be sent at all
allow_tlp = {allow_tlp}
unmarked = {unmarked}                   # deny | allow: entities without a colour

[mapping]
rules_file = ""                     # TOML rules that override or add to the built-in ones
text_fallback = false               # kinds without a MISP type become text attributes
comment = "title"                   # title | none
comment_max = 120                   # characters
depth = 1                           # relations between an incident and an entity
containers = {containers}                     # STIX: "report", "grouping" and others become events too
# rest = true                       # one event for what belongs to no incident; needs the next three lines
# rest_uuid = {rest_uuid}           # its UUID, for good
# rest_title = "Loose indicators"
# rest_tlp = "green"                # marks the event itself; what is in it keeps its own marking
on_change = "hold"                  # hold | apply: what only changed rules call for

[mapping.markings]                  # what STIX markings are that the source does not define
# "marking-definition--…" = "green" # a colour, or "none"

[schedule]
every = "15m"                       # from the end of a run to the next; "none": only when somebody asks
# at = "02:30"                      # instead of every; on some days only: on = ["mon", "fri"]
# cron = "0 6-20/2 * * *"           # instead of every
# timezone = "Europe/Berlin"        # of at and cron; without it UTC
# jitter = "5m"                     # begin up to so much later
deadline = "never"                  # a run that takes longer stops; the next goes on from there
first_run = "run"                   # run | hold: the daemon's first run of a route waits for `misp-trickle resume`

[serve]                             # where `misp-trickle run` answers while it runs
# socket = "agent.sock"             # "": nowhere; without it where the system wants sockets, else in the store's folder
# group = "analysts"                # who may ask by `socket` beside its owner: status, log, show, diff, why
# metrics = "127.0.0.1:9184"        # /metrics, /healthz and /readyz for Prometheus, on a loopback address
# web = "127.0.0.1:8090"            # the history as pages, on a loopback address; `misp-trickle web` prints the link
# max_tlp = "green"                 # pages show nothing that is marked stricter; what has no colour counts as red
# on_failure = ["alarm", "ops"]     # told by JSON on standard input when a route fails, and when it does not any more
# on_failure_url = "https://…"      # the same by POST; on_failure_url_env or on_failure_url_file where it is a secret
"##;
