//! From text to [`Config`]: everything but the destinations.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::DeTable;
use uuid::Uuid;

use crate::{
    graph::Rest,
    mapper::Comment,
    model::{
        DestinationName, EntityKey, EventUuid, FeedName, MarkingId, RouteName, Tlp,
        limits::{self, FEEDS_MAX},
    },
    plan::{MappingChange, Strategy},
};

use super::{
    CONTAINERS, Config, ConfigError, Destination, Feed, FeedSource, Holds, LocalPlace, LocalSource,
    MappingSettings, ScheduleSettings, StorePrivacy,
    destination::read_destination,
    read_text,
    reader::{At, Reader, Section},
    schedule::read_schedule,
    serve::read_serve,
    source::read_source,
};

/// The version of the configuration's form.
const VERSION: i64 = 1;
/// Longest name of a feed or destination, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Longest comment, in characters: MISP takes 65,535 bytes, and a character has at most three there.
const COMMENT_CHARS_MAX: usize = limits::MISP_TEXT_BYTES_MAX / 3;

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// If the file cannot be read or is not valid; see [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path, Holds::Settings).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            cause: error.to_string(),
            cure: match error.kind() {
                io::ErrorKind::NotFound => {
                    "`misp-trickle init` writes one, `--config FILE` names another"
                }
                io::ErrorKind::InvalidData => "save it as UTF-8",
                io::ErrorKind::FileTooLarge => "`--config FILE` names another",
                _ => "make it readable for this user, or name another with `--config FILE`",
            },
        })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a configuration file.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all faults.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let reader = Reader::new(text, file);
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            for error in &errors {
                let what = format!("is not TOML: {}", error.message().replace('\n', ", "));
                let cure = match error.message() {
                    "duplicate key" => {
                        "a table and a key stand once: put these lines under the ones that are there already"
                    }
                    _ => "correct the line; https://toml.io/en/v1.0.0 has the rules",
                };
                reader.fault("", &error.span().unwrap_or(0..0), what, cure);
            }
            return Err(ConfigError::Invalid { faults: reader.finish().0 });
        }
        let mut config = read(Section::root(&reader, document.get_ref()), file);
        config.named_files = reader.named_files();
        let (faults, warnings) = reader.finish();
        config.warnings = warnings;
        if faults.is_empty() { Ok(config) } else { Err(ConfigError::Invalid { faults }) }
    }

    /// The feed of a name; without a name the only one. `source` takes the place of its path: `-` is
    /// standard input, a folder is read as one. Where the configuration has no feed at all, `source`
    /// alone makes the feed `main`.
    ///
    /// # Errors
    /// If there is no such feed, or there are several and none was named.
    pub fn feed(&self, name: Option<&str>, source: Option<&Path>) -> Result<Feed, ConfigError> {
        let mut feed = match (&self.feeds[..], name, source) {
            ([], None | Some("main"), Some(_)) => {
                let source = FeedSource::Local(LocalSource::new(LocalPlace::File(None)));
                let (name, schedule) = (FeedName::new("main"), self.schedule.clone());
                Feed { name, was: None, source, destinations: None, schedule }
            }
            _ => choose("feed", &self.feeds, |feed| feed.name.as_str(), name)?.clone(),
        };
        if let Some(source) = source {
            feed.read_from(LocalPlace::named(source));
        }
        Ok(feed)
    }

    /// Every feed with every destination that it goes to, by name.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteName> {
        let each = self.feeds.iter().flat_map(|feed| {
            let goes = self.destinations.iter().filter(|to| feed.goes_to(&to.name));
            goes.map(|to| RouteName { feed: feed.name.clone(), destination: to.name.clone() })
        });
        each.collect()
    }

    /// Feeds that had another name before: the name that they have by that one.
    #[must_use]
    pub fn former_names(&self) -> BTreeMap<FeedName, FeedName> {
        let renamed = self.feeds.iter();
        renamed.filter_map(|feed| Some((feed.was.clone()?, feed.name.clone()))).collect()
    }

    /// The destination of a name; without a name the only one.
    ///
    /// # Errors
    /// If there is no such destination, or there are several and none was named.
    pub fn destination(&self, name: Option<&str>) -> Result<&Destination, ConfigError> {
        choose("destination", &self.destinations, |each| each.name.as_str(), name)
    }
}

impl Feed {
    /// Takes files in place of what it has. Of a feed that did not say so they are no whole: what they lack stays.
    fn read_from(&mut self, place: LocalPlace) {
        let local = match &self.source {
            FeedSource::Local(local) => LocalSource { place, ..local.clone() },
            FeedSource::EiqFeed(_) | FeedSource::EiqApi(_) | FeedSource::Taxii2(_) => {
                LocalSource { update_strategy: Strategy::Append, ..LocalSource::new(place) }
            }
        };
        self.source = FeedSource::Local(local);
    }
}

fn choose<'c, T>(
    noun: &str,
    all: &'c [T],
    name_of: impl Fn(&T) -> &str,
    asked: Option<&str>,
) -> Result<&'c T, ConfigError> {
    let found = match (asked, all) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(name), _) => all.iter().find(|each| name_of(each) == name),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(&name_of).collect();
        let what = match asked {
            Some(name) => format!("the configuration has no {noun} {name:?}"),
            None if all.is_empty() => format!("the configuration has no {noun}"),
            None => format!("the configuration has several {noun}s"),
        };
        let cure = match (noun, names.is_empty()) {
            ("feed", true) => {
                "add a table [source], or name a file with `--source PATH`".to_owned()
            }
            (_, true) => format!("add a table [{noun}s.main]"),
            _ => format!("name one with `--{noun} NAME`: {}", names.join(", ")),
        };
        ConfigError::Choice { what, cure }
    })
}

fn read(mut root: Section<'_, '_>, file: &Path) -> Config {
    if let Some(at) = root.integer("version", 0..=i64::MAX)
        && at.value != VERSION
    {
        let what = format!("is {}, a form that this version does not read", at.value);
        root.reader().wrong(&at, what, "write version = 1, or use a newer misp-trickle");
    }
    let (store_path, store_private) = read_store(&mut root);
    let schedule = read_schedule(root.section("schedule"), &ScheduleSettings::default());
    let named = root.sections("destinations");
    let names = named.iter().map(|(name, _)| name.value).collect();
    let feeds = read_feeds(&mut root, &Defaults { schedule: &schedule, destinations: names });
    let spans: BTreeMap<&str, Range<usize>> =
        named.iter().map(|(name, section)| (name.value, section.span.clone())).collect();
    let destinations: Vec<Destination> = named
        .into_iter()
        .filter_map(|(name, section)| {
            check_name(root.reader(), &name);
            read_destination(name.value, section)
        })
        .collect();
    let former = destinations.iter();
    let former = former.map(|it| (it.name.as_str(), it.was.as_ref().map(DestinationName::as_str)));
    check_former_names(&root, "destination", &former.collect::<Vec<_>>());
    check_addresses(&root, &destinations, &spans);
    let config = Config {
        file: file.to_owned(),
        store_path,
        store_private,
        feeds,
        destinations,
        mapping: read_mapping(&mut root),
        schedule,
        serve: read_serve(&mut root),
        warnings: Vec::new(),
        named_files: Vec::new(),
    };
    root.finish();
    config
}

fn read_store(root: &mut Section<'_, '_>) -> (PathBuf, StorePrivacy) {
    let default = root.reader().join("state");
    let Some(mut section) = root.section("store") else { return (default, StorePrivacy::Prefer) };
    let path = section.path("path").unwrap_or(default);
    let private = section.choice("private");
    section.finish();
    (path, private)
}

/// What a feed rests on that does not stand in its table.
struct Defaults<'a> {
    schedule: &'a ScheduleSettings,
    /// The names of all destinations.
    destinations: BTreeSet<&'a str>,
}

fn read_feeds(root: &mut Section<'_, '_>, defaults: &Defaults<'_>) -> Vec<Feed> {
    let mut feeds = Vec::new();
    for (name, section) in root.sections("feeds") {
        check_name(root.reader(), &name);
        feeds.extend(read_feed(name.value, section, defaults));
    }
    if let Some(mut section) = root.section("source") {
        if feeds.iter().any(|feed| feed.name.as_str() == "main") {
            let what = "is the feed main, and so is [feeds.main]".to_owned();
            let cure = "keep one of the two, or give the other a name of its own";
            root.reader().fault("source", &section.span, what, cure);
        }
        let (destinations, schedule) = read_route(&mut section, defaults);
        let (name, was) = (FeedName::new("main"), None);
        let source = read_source(section);
        feeds.extend(source.map(|source| Feed { name, was, source, destinations, schedule }));
    }
    if feeds.len() > FEEDS_MAX {
        let what = format!("are {}, and a store keeps at most {FEEDS_MAX}", feeds.len());
        root.reader().fault("feeds", &root.span, what, "use a second configuration and store");
    }
    let names =
        feeds.iter().map(|feed| (feed.name.as_str(), feed.was.as_ref().map(FeedName::as_str)));
    check_former_names(root, "feed", &names.collect::<Vec<_>>());
    feeds.sort_by(|a, b| a.name.cmp(&b.name));
    feeds
}

/// A former name is that of nobody else, now or before.
fn check_former_names(root: &Section<'_, '_>, noun: &str, all: &[(&str, Option<&str>)]) {
    for (name, was) in all {
        let Some(was) = was else { continue };
        let has = |(other, before): &&(&str, Option<&str>)| other == was || *before == Some(*was);
        if all.iter().filter(has).count() > 1 || name == was {
            let what = format!("was {was}, and so is or was another {noun}");
            let cure = format!("keep `was` at the one {noun} that has another name now");
            root.reader().fault(&format!("{noun}s.{name}.was"), &root.span, what, &cure);
        }
    }
}

/// Two policies may be meant for one MISP; that it is one, nobody else says.
fn check_addresses(
    root: &Section<'_, '_>,
    destinations: &[Destination],
    spans: &BTreeMap<&str, Range<usize>>,
) {
    for (place, one) in destinations.iter().enumerate() {
        let first = destinations[..place].iter().find(|other| other.url == one.url);
        let Some(first) = first else { continue };
        let key = format!("destinations.{}.url", one.name);
        let what =
            format!("is that of destination {} as well: both deliver to one MISP", first.name);
        let cure = "keep one of the two tables, unless two policies are meant";
        let span = spans.get(one.name.as_str()).unwrap_or(&root.span).clone();
        root.reader().warn(&At { key, span, value: () }, what, cure);
    }
}

/// The name that a feed or destination had before.
pub(super) fn read_former_name<'r>(section: &mut Section<'r, '_>) -> Option<&'r str> {
    let was = section.text("was")?;
    check_name(section.reader(), &was);
    Some(was.value)
}

/// The source stands in a table of its own, or its keys in that of the feed.
fn read_feed(name: &str, mut section: Section<'_, '_>, defaults: &Defaults<'_>) -> Option<Feed> {
    let (destinations, schedule) = read_route(&mut section, defaults);
    let was = read_former_name(&mut section).map(FeedName::new);
    let source = match section.section("source") {
        None => read_source(section)?,
        Some(inner) => {
            section.finish();
            read_source(inner)?
        }
    };
    Some(Feed { name: FeedName::new(name), was, source, destinations, schedule })
}

/// Where a feed goes, and when.
fn read_route(
    section: &mut Section<'_, '_>,
    defaults: &Defaults<'_>,
) -> (Option<BTreeSet<DestinationName>>, ScheduleSettings) {
    let schedule = read_schedule(section.section("schedule"), defaults.schedule);
    (read_names(section, defaults), schedule)
}

/// The destinations that a feed names.
fn read_names(
    section: &mut Section<'_, '_>,
    defaults: &Defaults<'_>,
) -> Option<BTreeSet<DestinationName>> {
    let known = &defaults.destinations;
    let list = section.item("destinations")?;
    let names = section.texts("destinations")?;
    if names.is_empty() {
        let cure = "remove it for all destinations, or name some";
        section.reader().wrong(&list, "names no destination".to_owned(), cure);
    }
    for name in names.iter().filter(|name| !known.contains(name.value)) {
        let what = format!("names {:?}, and there is no [destinations.{}]", name.value, name.value);
        let known: Vec<&str> = known.iter().copied().collect();
        let cure = format!("name some of these, or none for all: {}", known.join(", "));
        section.reader().wrong(name, what, &cure);
    }
    Some(names.iter().map(|name| DestinationName::new(name.value)).collect())
}

fn read_mapping(root: &mut Section<'_, '_>) -> MappingSettings {
    let mut settings = MappingSettings {
        rules_file: None,
        text_fallback: false,
        comment: Comment::Title,
        comment_max: 120,
        depth: 1,
        containers: BTreeSet::new(),
        rest: None,
        on_change: MappingChange::Hold,
        markings: BTreeMap::new(),
    };
    let Some(mut section) = root.section("mapping") else { return settings };
    settings.rules_file = section.path("rules_file");
    settings.text_fallback = section.flag("text_fallback", false);
    settings.comment = section.choice("comment");
    let longest = i64::try_from(COMMENT_CHARS_MAX).expect("a MISP text is short");
    if let Some(at) = section.integer("comment_max", 1..=longest) {
        settings.comment_max = u32::try_from(at.value).expect("checked against the range");
    }
    if let Some(at) = section.integer("depth", 1..=i64::from(limits::GRAPH_DEPTH_MAX)) {
        settings.depth = u8::try_from(at.value).expect("checked against the range");
    }
    let kinds = CONTAINERS.map(|kind| (kind, kind));
    let containers = section.texts("containers").unwrap_or_default();
    settings.containers = containers.iter().filter_map(|at| section.word(at, &kinds)).collect();
    settings.rest = read_rest(&mut section);
    settings.on_change = section.choice("on_change");
    settings.markings = read_markings(&mut section);
    section.finish();
    settings
}

/// Needs all of it: an event that got its UUID, title or marking by accident would be there for good.
fn read_rest(section: &mut Section<'_, '_>) -> Option<Rest> {
    let wanted = section.flag("rest", false);
    let is_there = ["rest_uuid", "rest_title", "rest_tlp"].map(|key| section.item(key).is_some());
    let uuid = section.text("rest_uuid").and_then(|at| {
        let uuid = Uuid::try_parse(at.value).ok();
        let uuid = uuid.filter(|uuid| EventUuid::new(*uuid).is_taken_by_misp());
        if uuid.is_none() {
            let cure = "`misp-trickle init` writes one, `uuidgen` prints one";
            section.reader().wrong(&at, "is no UUID that MISP takes".to_owned(), cure);
        }
        uuid
    });
    let title = section.text("rest_title").filter(|at| {
        let is_blank = at.value.trim().is_empty();
        if is_blank {
            section.reader().wrong(at, "is blank".to_owned(), "write the title of the event");
        }
        !is_blank
    });
    let colours = Tlp::ALL.map(|tlp| (tlp.name(), tlp));
    let tlp = section.text("rest_tlp").and_then(|at| section.word(&at, &colours));
    if !wanted {
        return None;
    }
    match (uuid, title, tlp) {
        (Some(uuid), Some(title), Some(tlp)) => {
            let root = EntityKey::whole(&format!("rest--{uuid}"));
            Some(Rest { root, title: title.value.into(), tlp })
        }
        // What is wrong with each was said.
        _ if is_there == [true; 3] => None,
        _ => {
            let (key, span) = (section.key("rest"), section.span.clone());
            let what = "needs `rest_uuid`, `rest_title` and `rest_tlp`".to_owned();
            let cure = "write all three: the event's UUID (`misp-trickle init` writes one), its title, its TLP colour";
            section.reader().fault(&key, &span, what, cure);
            None
        }
    }
}

/// `"marking-definition--…" = "green"`, or `"none"`.
fn read_markings(mapping: &mut Section<'_, '_>) -> BTreeMap<MarkingId, Option<Tlp>> {
    let reader = mapping.reader();
    let mut markings = BTreeMap::new();
    for (name, colour) in mapping.named_texts("markings") {
        let id = MarkingId::of(name);
        if let Some(fixed) = id.fixed() {
            let what = format!("is the id that stands for TLP {fixed} everywhere");
            reader.wrong(&colour, what, "remove it");
            continue;
        }
        let said = match colour.value.trim() {
            none if none.eq_ignore_ascii_case("none") => Ok(None),
            text => text.parse::<Tlp>().map(Some),
        };
        match said {
            Ok(said) if markings.insert(id, said).is_some() => {
                reader.wrong(&colour, "is there twice".to_owned(), "keep one of the two");
            }
            Ok(_) => {}
            Err(error) => {
                let cure = "write the colour that it stands for, or \"none\" if it is no TLP";
                reader.wrong(&colour, error.to_string(), cure);
            }
        }
    }
    markings
}

/// Names are keys of the ledger, arguments and parts of file names.
fn check_name(reader: &Reader<'_>, name: &At<&str>) {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.is_empty() || name.value.len() > NAME_BYTES_MAX || !name.value.chars().all(fits) {
        let what = format!("{:?} cannot be a name", name.value);
        let cure = "use 1 to 64 of the letters a-z and A-Z, digits, `-`, `_` and `.`";
        reader.wrong(name, what, cure);
    }
}
