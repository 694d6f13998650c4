//! Datasets that change from run to run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use misp_trickle::model::Tlp;
use uuid::Uuid;

use crate::dice::Dice;

const INCIDENTS: u64 = 3;
pub(crate) const COLOURS: [Tlp; 3] = [Tlp::Green, Tlp::Amber, Tlp::Red];
pub(crate) const TAGS: [&str; 3] = ["sim:one", "sim:two", "sim:three"];

/// An incident's event, and a value in it.
pub(crate) type Place = (Uuid, String);

pub(crate) fn uuid(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// An incident without its indicators.
#[derive(Debug, Clone)]
struct Incident {
    title: String,
    tlp: Tlp,
    tags: BTreeSet<&'static str>,
}

/// What a dataset holds now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dataset {
    /// Per incident, per indicator, the values.
    incidents: BTreeMap<Uuid, BTreeMap<Uuid, BTreeSet<String>>>,
    /// What differs from the usual.
    about: BTreeMap<Uuid, Incident>,
    colours: BTreeMap<Uuid, Tlp>,
    /// Indicators that belong to a further incident.
    shared: BTreeSet<(Uuid, Uuid)>,
    /// Of incidents that were there once, in how many versions they stand.
    versions: BTreeMap<Uuid, Versions>,
}

/// The versions of an incident in a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versions {
    One,
    /// A newer one under an id of its own, and the older one that it updates.
    Two,
    /// The newer one alone: nothing in the dataset says what it updated.
    Newer,
}

impl Dataset {
    /// Values come, go and change; indicators and incidents come and go.
    pub(crate) fn edit(&mut self, dice: &mut Dice) {
        for _ in 0..=dice.below(6) {
            let incident = uuid(&format!("incident-{}", dice.below(INCIDENTS)));
            if dice.chance(5) {
                self.incidents.remove(&incident);
                continue;
            }
            let indicators = self.incidents.entry(incident).or_default();
            let indicator = uuid(&format!("{incident}-{}", dice.below(3)));
            if dice.chance(5) {
                indicators.remove(&indicator);
                continue;
            }
            let values = indicators.entry(indicator).or_default();
            for _ in 0..dice.below(8) {
                let value = format!("v{}.example.org", dice.below(40));
                if !values.insert(value.clone()) && dice.chance(30) {
                    values.remove(&value);
                }
            }
        }
    }

    /// Some incidents come as a newer version beside an older one, which leaves once the agent knows the event.
    pub(crate) fn edit_versions(&mut self, dice: &mut Dice, knows: impl Fn(Uuid) -> bool) {
        for incident in self.incidents.keys() {
            let first = if dice.chance(50) { Versions::Two } else { Versions::One };
            let versions = self.versions.entry(*incident).or_insert(first);
            if *versions == Versions::Two && knows(*incident) && dice.chance(60) {
                *versions = Versions::Newer;
            }
        }
    }

    /// The id of an incident's newest version.
    fn id(&self, incident: Uuid) -> Uuid {
        match self.versions.get(&incident) {
            None | Some(Versions::One) => incident,
            Some(Versions::Two | Versions::Newer) => uuid(&format!("{incident}-newer")),
        }
    }

    /// Titles, tags and colours change, values of other types come, indicators are shared.
    pub(crate) fn edit_more(&mut self, dice: &mut Dice) {
        let incidents: Vec<Uuid> = self.incidents.keys().copied().collect();
        for _ in 0..=dice.below(4) {
            let Some(incident) = dice.pick(&incidents).copied() else { return };
            let indicators: Vec<Uuid> = self.incidents[&incident].keys().copied().collect();
            let indicator = dice.pick(&indicators).copied();
            let about = self.about.entry(incident).or_insert_with(|| usual(incident));
            let colour = COLOURS[dice.below(3) as usize];
            match (dice.below(6), indicator) {
                (0, _) => {
                    about.title = format!("Incident {incident}, revision {}", dice.below(100));
                }
                (1, _) => about.tlp = colour,
                (2, _) => {
                    let tag = TAGS[dice.below(3) as usize];
                    if !about.tags.insert(tag) && dice.chance(30) {
                        about.tags.remove(tag);
                    }
                }
                (3, Some(indicator)) => {
                    self.colours.insert(indicator, colour);
                }
                (4, Some(indicator)) => {
                    let other = *dice.pick(&incidents).expect("there is an incident");
                    self.shared.insert((indicator, other));
                }
                (_, Some(indicator)) => {
                    let number = dice.below(40);
                    let value = match dice.below(3) {
                        0 => format!("198.51.100.{number}"),
                        1 => format!("https://v{number}.example.org/path"),
                        _ => format!("v{number}@example.org"),
                    };
                    let indicators = self.incidents.get_mut(&incident).expect("it is there");
                    indicators.get_mut(&indicator).expect("it is there").insert(value);
                }
                (_, None) => {}
            }
        }
    }

    fn about(&self, incident: Uuid) -> Incident {
        self.about.get(&incident).cloned().unwrap_or_else(|| usual(incident))
    }

    fn colour(&self, indicator: Uuid) -> Tlp {
        self.colours.get(&indicator).copied().unwrap_or(Tlp::Green)
    }

    /// Every indicator with its values, once for each incident that it belongs to.
    fn links(&self) -> Vec<(Uuid, Uuid, &BTreeSet<String>)> {
        let mut links = Vec::new();
        for (incident, indicators) in &self.incidents {
            for (indicator, values) in indicators {
                links.push((*incident, *indicator, values));
                let shared = self.shared.iter().filter(|(shared, _)| shared == indicator);
                let others = shared.map(|(_, other)| *other);
                let others = others.filter(|it| it != incident && self.incidents.contains_key(it));
                links.extend(others.map(|other| (other, *indicator, values)));
            }
        }
        links
    }

    /// The values that are to be in MISP, each with the colour under which it goes there.
    pub(crate) fn desired(&self) -> BTreeMap<Place, Tlp> {
        let mut all = BTreeMap::new();
        for (incident, indicator, values) in self.links() {
            let colour = self.about(incident).tlp.max(self.colour(indicator));
            for value in values {
                let strictest = all.entry((incident, value.clone())).or_insert(colour);
                *strictest = colour.max(*strictest);
            }
        }
        all
    }

    pub(crate) fn incidents(&self) -> impl Iterator<Item = Uuid> {
        self.incidents.keys().copied()
    }

    pub(crate) fn title(&self, incident: Uuid) -> String {
        self.about(incident).title
    }

    pub(crate) fn tags(&self, incident: Uuid) -> BTreeSet<&'static str> {
        self.about(incident).tags
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut entities = Vec::new();
        let mut written = BTreeSet::new();
        for incident in self.incidents() {
            let Incident { title, tlp, tags } = self.about(incident);
            let tags: Vec<String> = tags.iter().map(|tag| format!("{tag:?}")).collect();
            let (tlp, tags, newest) =
                (tlp.name().to_uppercase(), tags.join(","), self.id(incident));
            let version = |id: Uuid, month: u8| {
                format!(
                    r#"{{"id":"{id}","data":{{"id":"{{https://x.example}}incident-{id}","type":"incident","title":"{title}","timestamp":"2024-{month:02}-14T11:00:00+00:00"}},"meta":{{"tlp_color":"{tlp}","tags":[{tags}]}}}}"#
                )
            };
            entities.push(version(newest, 5));
            if self.versions.get(&incident) == Some(&Versions::Two) {
                entities.push(version(incident, 4));
                entities.push(format!(
                    r#"{{"data":{{"type":"relation","subtype":"stix_update_of","source":"{newest}","target":"{incident}"}}}}"#
                ));
            }
        }
        for (incident, indicator, values) in self.links() {
            if written.insert(indicator) {
                entities.push(self.indicator(indicator, values));
            }
            let incident = self.id(incident);
            entities.push(format!(
                r#"{{"data":{{"type":"relation","key":"related","source":"{indicator}","target":"{incident}"}}}}"#
            ));
        }
        let entities = entities.join(",");
        let package =
            format!(r#"{{"content-type":"urn:eclecticiq.com:json:1.0","entities":[{entities}]}}"#);
        std::fs::write(path, package).unwrap();
    }

    fn indicator(&self, indicator: Uuid, values: &BTreeSet<String>) -> String {
        let mut extracts = String::new();
        for value in values {
            let comma = if extracts.is_empty() { "" } else { "," };
            let kind = kind(value);
            write!(extracts, r#"{comma}{{"kind":"{kind}","value":"{value}","meta":{{"classification":"bad","confidence":"high"}}}}"#).unwrap();
        }
        let tlp = self.colour(indicator).name().to_uppercase();
        format!(
            r#"{{"id":"{indicator}","data":{{"id":"{{https://x.example}}indicator-{indicator}","type":"indicator","title":"Indicator","timestamp":"2024-05-14T11:00:00+00:00"}},"meta":{{"tlp_color":"{tlp}"}},"extracts":[{extracts}]}}"#
        )
    }
}

fn usual(incident: Uuid) -> Incident {
    let title = format!("Incident {incident}");
    Incident { title, tlp: Tlp::Green, tags: BTreeSet::new() }
}

fn kind(value: &str) -> &'static str {
    match value {
        value if value.contains("://") => "uri",
        value if value.contains('@') => "email",
        value if value.starts_with(|first: char| first.is_ascii_digit()) => "ipv4",
        _ => "domain",
    }
}
