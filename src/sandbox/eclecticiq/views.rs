//! Rows of the platform in the words of its public API, version 2.

use serde_json::{Value, json};

use super::{
    answer::time,
    intel::{Entity, Intel, Observable, Relationship, leaves},
    setup::{Confidence, Setup},
};

/// Where rows are shown from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Views<'p> {
    pub(super) base_url: &'p str,
    pub(super) setup: &'p Setup,
    pub(super) intel: &'p Intel,
}

impl Views<'_> {
    /// The URL of a row.
    fn url(&self, list: &str, id: impl std::fmt::Display) -> String {
        format!("{}/api/v2/{list}/{id}", self.base_url)
    }

    pub(super) fn entity(&self, id: &str, entity: &Entity) -> Value {
        let element = &entity.element;
        let feeds = entity.is_in_feed.then(|| self.url("outgoing-feeds", self.setup.feed));
        let datasets = entity.is_in_feed.then(|| self.url("datasets", 1));
        json!({
            "attachments": [],
            "created_at": time(entity.times.created),
            "data": self.data(element),
            "datasets": datasets.as_slice(),
            "id": id,
            "incoming_feed": null,
            "last_updated_at": time(entity.times.updated),
            "meta": self.meta(element),
            "observables": self.observable_urls(entity),
            "outgoing_feeds": feeds.as_slice(),
            "relevancy": element.get("relevancy").cloned().unwrap_or(json!(1)),
            "sources": self.sources(element),
        })
    }

    pub(super) fn observable(&self, place: usize, observable: &Observable) -> Value {
        let entities = observable.entities.iter().map(|id| self.url("entities", id));
        json!({
            "created_at": time(observable.times.created),
            "entities": entities.collect::<Vec<_>>(),
            "id": place + 1,
            "last_updated_at": time(observable.times.updated),
            "meta": {"maliciousness": observable.maliciousness},
            "sources": [],
            "type": observable.kind,
            "value": observable.value,
        })
    }

    pub(super) fn relationship(&self, id: &str, relationship: &Relationship) -> Value {
        let element = &relationship.element;
        let mut data = element["data"].clone();
        for end in ["source", "target"] {
            if let Some(named) = element["data"][end].as_str() {
                data[end] = json!(self.url("entities", self.intel.entity_of(named)));
            }
        }
        for key in ["type", "id"] {
            data.as_object_mut().and_then(|data| data.remove(key));
        }
        json!({
            "created_at": time(relationship.times.created),
            "data": data,
            "id": id,
            "last_updated_at": time(relationship.times.updated),
            "meta": self.meta(element),
            "sources": self.sources(element),
        })
    }

    fn data(&self, element: &Value) -> Value {
        let mut data = element["data"].clone();
        let said = &element["data"]["confidence"];
        let word = said.as_str().or(said["value"].as_str());
        if let Some(word) = word {
            data["confidence"] = match self.setup.confidence {
                Confidence::Text => json!(word.to_ascii_lowercase()),
                Confidence::Object => json!({"type": "confidence", "value": word}),
            };
        }
        data
    }

    /// Without what the API has elsewhere or not at all.
    fn meta(&self, element: &Value) -> Value {
        let mut meta = element["meta"].clone();
        if let Some(meta) = meta.as_object_mut() {
            for key in ["taxonomy_paths", "taxonomy", "bundled_extracts", "manual_extracts"] {
                meta.remove(key);
            }
            let number = |name: &str| self.intel.taxonomies.iter().position(|known| known == name);
            let taxonomies = leaves(element).filter_map(number);
            let urls = taxonomies.map(|place| self.url("taxonomies", place + 1));
            meta.insert("taxonomies".to_owned(), urls.collect());
        }
        meta
    }

    fn observable_urls(&self, entity: &Entity) -> Vec<String> {
        entity.observables.iter().map(|place| self.url("observables", place + 1)).collect()
    }

    fn sources(&self, element: &Value) -> Vec<String> {
        let sources = element["sources"].as_array().into_iter().flatten();
        sources.filter_map(|it| Some(self.url("sources", it["source_id"].as_str()?))).collect()
    }
}

/// What comes last in a URL or path, whatever stands behind it.
pub(super) fn last_part(link: &str) -> &str {
    let path = link.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.rsplit('/').next().unwrap_or_default()
}
