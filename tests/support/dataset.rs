//! A builder of small EclecticIQ datasets, written to a file of its own at every change.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Value as Data, json};
use uuid::Uuid;

/// A dataset in the making.
pub struct Dataset {
    folder: tempfile::TempDir,
    incidents: BTreeMap<u16, Incident>,
    files: u32,
}

/// An incident with its indicators: one for each TLP colour.
#[derive(Debug, Clone)]
pub struct Incident {
    title: String,
    day: String,
    tlp: Option<&'static str>,
    tags: Vec<String>,
    is_linked: bool,
    indicators: BTreeMap<Option<&'static str>, Vec<(String, String)>>,
}

/// The UUID of an incident, which its event takes over.
pub fn event(number: u16) -> Uuid {
    Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 | u128::from(number))
}

impl Default for Dataset {
    fn default() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, incidents: BTreeMap::new(), files: 0 }
    }
}

impl Dataset {
    /// The incident of this number, made if it is not there.
    pub fn incident(&mut self, number: u16) -> &mut Incident {
        self.incidents.entry(number).or_insert_with(|| Incident {
            title: format!("Incident {number}"),
            day: "2025-03-01".to_owned(),
            tlp: Some("CLEAR"),
            tags: Vec::new(),
            is_linked: true,
            indicators: BTreeMap::new(),
        })
    }

    pub fn remove(&mut self, number: u16) {
        self.incidents.remove(&number);
    }

    /// Another dataset with the same content.
    pub fn copy(&self) -> Self {
        Self { incidents: self.incidents.clone(), ..Self::default() }
    }

    /// Writes the dataset as it is now.
    pub fn write(&mut self) -> PathBuf {
        self.files += 1;
        let path = self.folder.path().join(format!("{}.json", self.files));
        let entities: Vec<Data> =
            self.incidents.iter().flat_map(|(number, it)| it.entities(*number)).collect();
        let dataset = json!({"content-type": "urn:eclecticiq.com:json:1.0", "entities": entities});
        write(&path, &dataset);
        path
    }
}

fn write(path: &Path, dataset: &Data) {
    std::fs::write(path, dataset.to_string()).unwrap();
}

impl Incident {
    pub fn title(&mut self, title: &str) -> &mut Self {
        title.clone_into(&mut self.title);
        self
    }

    pub fn day(&mut self, day: &str) -> &mut Self {
        day.clone_into(&mut self.day);
        self
    }

    pub fn tlp(&mut self, tlp: Option<&'static str>) -> &mut Self {
        let indicators = std::mem::take(&mut self.indicators);
        let moved =
            indicators.into_iter().map(|(it, all)| (if it == self.tlp { tlp } else { it }, all));
        self.indicators = moved.collect();
        self.tlp = tlp;
        self
    }

    pub fn tag(&mut self, tag: &str) -> &mut Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Domains `<name>-<n>.example.com` in the indicator that has the incident's own colour.
    pub fn domains(&mut self, name: &str, numbers: std::ops::Range<usize>) -> &mut Self {
        for number in numbers {
            self.observe("domain", &domain(name, number));
        }
        self
    }

    pub fn observe(&mut self, kind: &str, value: &str) -> &mut Self {
        self.observe_as(self.tlp, kind, value)
    }

    /// An observable of an indicator with another colour than the incident's.
    pub fn observe_as(&mut self, tlp: Option<&'static str>, kind: &str, value: &str) -> &mut Self {
        self.indicators.entry(tlp).or_default().push((kind.to_owned(), value.to_owned()));
        self
    }

    /// Whether relations lead from its indicators to it.
    pub fn link(&mut self, is_linked: bool) -> &mut Self {
        self.is_linked = is_linked;
        self
    }

    pub fn forget(&mut self, value: &str) -> &mut Self {
        for observables in self.indicators.values_mut() {
            observables.retain(|(_, known)| known != value);
        }
        self
    }

    fn entities(&self, number: u16) -> Vec<Data> {
        let incident = event(number).to_string();
        let entity = |id: &str, kind: &str, title: &str, tlp: Option<&str>, extracts: Vec<Data>| {
            json!({
                "id": id,
                "data": {"id": format!("{{https://eiq.example.org}}{kind}-{id}"), "type": kind,
                    "title": title, "timestamp": "2025-03-02T10:00:00.000000+00:00"},
                "meta": {"title": title, "tlp_color": tlp,
                    "tags": if kind == "incident" { self.tags.clone() } else { Vec::new() },
                    "estimated_threat_start_time": format!("{}T00:00:00.000000+00:00", self.day)},
                "extracts": extracts,
            })
        };
        let mut all = vec![entity(&incident, "incident", &self.title, self.tlp, Vec::new())];
        for (place, (tlp, observables)) in self.indicators.iter().enumerate() {
            let extracts = observables.iter().map(|(kind, value)| {
                json!({"kind": kind, "value": value,
                    "meta": {"classification": "bad", "confidence": "high"},
                    "instance_meta": {"link_types": ["test-mechanism"]}})
            });
            let place = u128::from(number) << 16 | (place as u128) << 1;
            let id =
                |last| Uuid::from_u128(0x2000_0000_0000_4000_8000_0000_0000_0000 | place | last);
            let indicator = id(0).to_string();
            let title = format!("Indicator of {number}");
            all.push(entity(&indicator, "indicator", &title, *tlp, extracts.collect()));
            if !self.is_linked {
                continue;
            }
            all.push(json!({
                "id": id(1).to_string(),
                "data": {"type": "relation", "key": "related_incidents",
                    "id": format!("{{https://eiq.example.org}}relation-{}", id(1)),
                    "source": indicator, "target": incident},
                "meta": {},
            }));
        }
        all
    }
}

/// A domain by its name and number.
pub fn domain(name: &str, number: usize) -> String {
    format!("{name}-{number}.example.com")
}
