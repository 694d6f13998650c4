//! `doctor`: whether everything is as it has to be, and what to do where it is not.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    agent::{Clock, PLAIN, SystemClock, WantedTags, learn},
    config::{Config, Destination, Publish},
    delivery::{Backoff, Call, NewEvent, RefusedWhy, Reply, TimedAttribute, Wire},
    history::{Commit, DestinationTally, Ledger, MemoryLedger},
    misp::{Attribute, AttributeType, EventFields, Value as AttributeValue, attribute_uuid},
    model::{EventUuid, Timestamp},
    plan::{self, DestinationRecord},
    remote::Remote,
    store::{OpenMode, Store, StoreId},
};

use super::{
    CliError, Context, Exit,
    args::DoctorArgs,
    error, job,
    live::Live,
    live::connect,
    render::{Clean, line},
    unmarked,
};

/// The MISP that our facts were measured on.
const MEASURED: &str = "2.5.1";
/// Clocks that differ by more than this are worth a word.
const CLOCK_SECONDS_MAX: i64 = 300;
/// Whoever looks for a fault wants to see it at once.
const IMPATIENT: Backoff = Backoff { tries_max: 1, ..job::BACKOFF };
const TEST_INFO: &str = "misp-trickle test event, may be deleted";
const TEST_VALUE: &str = "misp-trickle test attribute, may be deleted";

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Odd,
    Bad,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Odd => "warning",
            Self::Bad => "fault",
        }
    }
}

/// One line of the checklist.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    state: State,
    what: String,
    cure: Option<String>,
}

/// The checklist of one destination, or of the store.
#[derive(Debug)]
struct Checklist {
    findings: Vec<Finding>,
    exit: Exit,
}

impl Checklist {
    const fn new() -> Self {
        Self { findings: Vec::new(), exit: Exit::Done }
    }

    fn good(&mut self, check: &'static str, what: impl Into<String>) {
        let what = what.into();
        self.findings.push(Finding { check, state: State::Good, what, cure: None });
    }

    fn odd(&mut self, check: &'static str, what: impl Into<String>, cure: impl Into<String>) {
        let (what, cure) = (what.into(), Some(cure.into()));
        self.findings.push(Finding { check, state: State::Odd, what, cure });
    }

    fn bad(&mut self, check: &'static str, exit: Exit, what: String, cure: Option<&str>) {
        let cure = cure.map(str::to_owned);
        self.findings.push(Finding { check, state: State::Bad, what, cure });
        self.exit = exit;
    }
}

/// Checks the store and each destination, and remembers what MISP told.
pub(super) fn run(args: &DoctorArgs, context: &mut Context) -> Result<Exit, CliError> {
    let config = context.config()?;
    let destinations = job::destinations(&config, args.destination.as_deref())?;
    let live = Live::start()?;
    let mut about_store = Checklist::new();
    let mut store = open_store(context, &config, args, &mut about_store);
    let mut all = Vec::new();
    for destination in destinations {
        let mut list = Checklist::new();
        examine(context, &live, store.as_mut(), destination, args, &mut list)?;
        all.push((destination, list));
    }
    context.answer(|| json(&about_store, &all), || text(&about_store, &all))?;
    let exits = std::iter::once(about_store.exit).chain(all.iter().map(|(_, list)| list.exit));
    Ok(exits.into_iter().find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done))
}

fn open_store(
    context: &mut Context,
    config: &Config,
    args: &DoctorArgs,
    list: &mut Checklist,
) -> Option<Store> {
    let path = &config.store_path;
    // The test event is named by the store, so it needs one.
    let opened = match args.push_test_event {
        true => context.store(path).map(Some),
        false => context.store_if_any(path, OpenMode::ReadWrite),
    };
    match opened {
        Ok(Some(store)) => {
            list.good("store", format!("{} is free and can be written", path.display()));
            Some(store)
        }
        Ok(None) => {
            list.good("store", format!("there is none at {} yet; `sync` makes it", path.display()));
            None
        }
        Err(error) => {
            list.bad("store", error.exit(), error.to_string(), None);
            None
        }
    }
}

fn examine(
    context: &mut Context,
    live: &Live,
    store: Option<&mut Store>,
    destination: &Destination,
    args: &DoctorArgs,
    list: &mut Checklist,
) -> Result<(), CliError> {
    let known = match &store {
        Some(store) => store.destination(&destination.name)?,
        None => None,
    };
    let connected = match &store {
        Some(store) => connect(context, destination, &**store),
        None => connect(context, destination, &MemoryLedger::default()),
    };
    let remote = match connected {
        Ok(remote) => remote,
        Err(error) => {
            list.bad("access", error.exit(), error.to_string(), None);
            return Ok(());
        }
    };
    let mut record = known.unwrap_or_default();
    record.url = destination.url.to_string();
    // What was found not to get there is tried anew.
    record.encodings.clear();
    let tags: Vec<Box<str>> =
        destination.event.tags.iter().map(|tag| tag.as_str().into()).collect();
    let (now, mut tally) = (SystemClock.now(), DestinationTally::default());
    let wanted = WantedTags { always: &tags, of_events: &[] };
    let learned =
        live.ask(learn(&remote, &mut record, wanted, &SystemClock, IMPATIENT, &mut tally));
    if let Err(why) = learned.ok_or(CliError::Interrupted)? {
        list.bad("MISP", error::of_learning(&why), why.to_string(), None);
        return Ok(());
    }
    list.good("key", format!("{} takes it", destination.url));
    let packed = live.ask(remote.takes_packed()).ok_or(CliError::Interrupted)?;
    if packed == Some(false) {
        record.encodings = vec![PLAIN.to_owned()];
    }
    version(&record, list);
    clock(&record, list);
    rights(&record, destination, list);
    carried(&record, destination, &tags, list);
    if unmarked::are_withheld(destination) {
        let cure = unmarked::cure(destination.name.as_str());
        list.good("policy", format!("what has no TLP colour is withheld; to send it, {cure}"));
    }
    if let Some(store) = store {
        if args.push_test_event {
            let uuid = test_event(store.id(), destination);
            let pushed = live.ask(push(&remote, uuid, &record, now));
            written(pushed.ok_or(CliError::Interrupted)?, uuid, list);
        }
        let run = store.last_run()?;
        let commit = Commit { destination: Some(record), ..Commit::default() };
        store.commit(&destination.name, run, commit)?;
    }
    Ok(())
}

fn version(record: &DestinationRecord, list: &mut Checklist) {
    let version = &record.version;
    let encodings = match record.encodings.is_empty() {
        true => "none".to_owned(),
        false => record.encodings.join(", "),
    };
    let minor = MEASURED.rsplit_once('.').map_or(MEASURED, |(minor, _)| minor);
    if version.starts_with(minor) {
        list.good("version", format!("MISP {version}; measured on {MEASURED}"));
    } else {
        let cure = format!(
            "try a small dataset first; `show` tells what it refuses, `{MEASURED}` is known"
        );
        list.odd("version", format!("MISP {version} was not measured"), cure);
    }
    if record.encodings == [PLAIN] {
        let cure = "let what stands before MISP pass Content-Encoding on; until then it costs three times the bytes";
        list.odd("encodings", "a compressed body is refused: bodies go as they are", cure);
    } else {
        list.good("encodings", format!("request bodies: {encodings}"));
    }
}

fn clock(record: &DestinationRecord, list: &mut Checklist) {
    let offset = record.clock_offset_seconds;
    let (size, side) = (offset.unsigned_abs(), if offset < 0 { "behind" } else { "ahead of" });
    match offset {
        0 => list.good("clock", "MISP's and ours agree"),
        _ if offset.abs() <= CLOCK_SECONDS_MAX => {
            list.good("clock", format!("MISP's is {size} s {side} ours; allowed for"));
        }
        _ => {
            let cure = "set both by NTP; until then it is allowed for";
            list.odd("clock", format!("MISP's is {size} s {side} ours"), cure);
        }
    }
}

fn rights(record: &DestinationRecord, destination: &Destination, list: &mut Checklist) {
    let role = Some("give the key's user the role User, Publisher or Sync user");
    let faults = list.findings.len();
    let mut needs = |permission: &str, what: &str| {
        if !record.may(permission) {
            let what = format!("the key lacks {permission}: {what}");
            list.bad("rights", Exit::Refused, what, role);
        }
    };
    needs("perm_add", "it may not create events or attributes");
    needs("perm_tagger", "it may not attach tags, TLP included");
    if destination.event.publish != Publish::Never {
        needs("perm_publish", "`publish` is not \"never\"");
    }
    if record.may("read_only") {
        let cure = "make another key, without the mark \"read only\"";
        list.bad("rights", Exit::Refused, "the key may only read".to_owned(), Some(cure));
    }
    if list.findings.len() == faults {
        list.good("rights", "the key may add, tag and what else is needed");
    }
    if record.may("perm_site_admin") {
        let cure = "use a key with the role User, Publisher or Sync user";
        list.odd("rights", "the key is a site administrator's, who may do everything", cure);
    }
}

/// Whether the tags that may be needed are there, or may be made.
fn carried(
    record: &DestinationRecord,
    destination: &Destination,
    tags: &[Box<str>],
    list: &mut Checklist,
) {
    let tlp = destination.policy.allow_tlp.iter().map(|tlp| tlp.tag());
    let wanted = tlp.chain(tags.iter().map(|tag| &**tag));
    let lacking: Vec<&str> = wanted.filter(|tag| !record.can_carry(tag)).collect();
    if lacking.is_empty() {
        return list.good("tags", "this key may use or make all that may be needed");
    }
    let (missing, others): (Vec<&str>, Vec<&str>) = lacking
        .into_iter()
        .partition(|tag| matches!(record.tag(tag), Some(plan::TagFact::Missing) | None));
    if !missing.is_empty() {
        let what = format!("{} not in MISP, and the key may not make tags", missing.join(", "));
        let cure = "enable the taxonomy `tlp` in MISP and create its tags, or give the role perm_tag_editor; \
                    until then what is marked so is withheld";
        list.odd("tags", what, cure);
    }
    for tag in others {
        let why = record.tag(tag).map(ToString::to_string).unwrap_or_default();
        let cure = "have an administrator of MISP give the tag to everybody, exportable and not local only; \
                    until then what is marked so is withheld";
        list.odd("tags", format!("{tag}: {why}"), cure);
    }
}

/// The UUID of the test event: the same whenever this store asks this destination.
fn test_event(store: StoreId, destination: &Destination) -> EventUuid {
    let name = format!("misp-trickle test event {store} {}", destination.name);
    EventUuid::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

async fn push(
    remote: &Remote,
    uuid: EventUuid,
    record: &DestinationRecord,
    now: Timestamp,
) -> Reply {
    let kind = AttributeType::named("comment").expect("MISP has the type comment");
    let value = AttributeValue::stored(TEST_VALUE);
    let attribute = Attribute {
        uuid: attribute_uuid(uuid, kind, &value),
        kind,
        category: kind.default_category(),
        value,
        to_ids: false,
        comment: "".into(),
        first_seen: None,
        last_seen: None,
        tags: Vec::new(),
    };
    let timestamp = now.seconds() + record.clock_offset_seconds;
    let event = NewEvent {
        uuid,
        fields: EventFields {
            info: TEST_INFO.into(),
            date: now.day().into(),
            analysis: 0,
            tags: Vec::new(),
        },
        settings: plan::EventSettings {
            distribution: 0,
            sharing_group_id: None,
            threat_level_id: 4,
            tags: Vec::new(),
            disable_correlation: true,
            publish: plan::Publish::Never,
            on_foreign: plan::OnForeign::Block,
        },
        attributes: vec![TimedAttribute { attribute, timestamp }],
    };
    remote.exchange(&Call::AddEvent(Box::new(event))).await.reply
}

fn written(reply: Reply, uuid: EventUuid, list: &mut Checklist) {
    const CHECK: &str = "writing";
    match reply {
        Reply::Event(event) => {
            list.good(CHECK, format!("event {uuid} was created, number {}", event.id));
        }
        Reply::EventExists => list.good(CHECK, format!("MISP has the test event {uuid} already")),
        Reply::Refused { why: RefusedWhy::Blocklisted, .. } => {
            list.good(CHECK, format!("MISP answers; somebody deleted the test event {uuid}"));
        }
        Reply::Refused { words, .. } => {
            let cure = Some("give the key's role the right to add events");
            list.bad(CHECK, Exit::Refused, format!("MISP refuses the test event: {words}"), cure);
        }
        Reply::Trouble(trouble) => {
            list.bad(CHECK, Exit::Network, trouble.why().to_owned(), None);
        }
        _ => list.bad(CHECK, Exit::Network, "MISP answers another question".to_owned(), None),
    }
}

fn text(store: &Checklist, all: &[(&Destination, Checklist)]) -> String {
    let mut out = String::new();
    lines(&mut out, store);
    for (destination, list) in all {
        line!(out, "\ndestination {}", destination.name);
        lines(&mut out, list);
    }
    out
}

fn lines(out: &mut String, list: &Checklist) {
    for Finding { check, state, what, cure } in &list.findings {
        line!(out, "{:<8} {check:<10} {}", state.name(), Clean(what));
        if let Some(cure) = cure {
            line!(out, "{:<19} -> {cure}", "");
        }
    }
}

fn json(store: &Checklist, all: &[(&Destination, Checklist)]) -> Value {
    let list = |list: &Checklist| {
        let each = |finding: &Finding| {
            let Finding { check, state, what, cure } = finding;
            json!({ "check": check, "state": state.name(), "what": what, "cure": cure })
        };
        list.findings.iter().map(each).collect::<Vec<_>>()
    };
    let destinations: Map<String, Value> = all
        .iter()
        .map(|(destination, found)| (destination.name.to_string(), json!(list(found))))
        .collect();
    json!({
        "schema": "misp-trickle/doctor/1",
        "store": list(store),
        "destinations": destinations,
    })
}
