//! The public API, version 2: lists and single rows.

use serde_json::{Value, json};

use crate::{model::Words, sandbox::Reply};

use super::{
    Platform,
    answer::{Refusal, json_of},
    dataset::Content,
    feeds::Family,
    intel::{Entity, Intel, Observable, Relationship, Times},
    query::{Query, Row},
    setup::{DatasetsFilter, Permission},
    views::{Views, last_part},
};

impl Platform {
    /// What stands behind `/api/v2/`.
    pub(super) fn public_api(&self, parts: &[&str], query: &str) -> Result<Reply, Refusal> {
        match parts {
            ["outgoing-feeds", rest @ ..] => {
                self.needs(Permission::OutgoingFeeds)?;
                match rest {
                    [] => self.feeds(query),
                    [number] => self.feed_by_number(number, Family::Public),
                    _ => Err(unknown(parts)),
                }
            }
            ["entities", rest @ ..] => {
                self.needs(Permission::Entities).and_then(|()| self.entities(rest, query))
            }
            ["relationships", rest @ ..] => {
                self.needs(Permission::Entities).and_then(|()| self.relationships(rest, query))
            }
            ["observables", rest @ ..] => {
                self.needs(Permission::Extracts).and_then(|()| self.observables(rest, query))
            }
            ["sources", rest @ ..] => {
                self.needs(Permission::Sources).and_then(|()| self.sources(rest, query))
            }
            ["taxonomies", rest @ ..] => {
                self.needs(Permission::Taxonomies).and_then(|()| self.taxonomies(rest, query))
            }
            _ => Err(unknown(parts)),
        }
    }

    pub(super) fn needs(&self, permission: Permission) -> Result<(), Refusal> {
        let has = self.setup.permissions.contains(&permission);
        let detail = || format!("The permission \"{}\" is missing", permission.word());
        has.then_some(()).ok_or_else(|| Refusal::Error(403, detail()))
    }

    fn feeds(&self, query: &str) -> Result<Reply, Refusal> {
        let query = Query::parse(query, &self.setup)?;
        let document = self.feed_document(Family::Public);
        let times = Times { created: self.feed.created_at, updated: self.feed.created_at };
        let row = Row { id: "", times, row: &document };
        let keeps = |name: &str, values: &[String], row: &Row<'_, Value>| match name {
            "content_type" | "transport_type" | "name" => {
                Some(wanted(values, row.row[name].as_str()))
            }
            _ => None,
        };
        query.page([row].into_iter(), keeps, |row| row.row.clone())
    }

    fn entities(&self, parts: &[&str], query: &str) -> Result<Reply, Refusal> {
        let (intel, views) = self.views()?;
        if let [id] = parts {
            let (id, entity) =
                intel.entities.get_key_value(*id).ok_or_else(|| missing("entity", id))?;
            return Ok(single(&views.entity(id, entity)));
        }
        let query = list(parts, query, self)?;
        let (feed, datasets) = (self.setup.feed.to_string(), self.setup.datasets_filter);
        let keeps = |name: &str, values: &[String], row: &Row<'_, Entity>| {
            let entity = row.row;
            Some(match name {
                "id" => wanted(values, Some(row.id)),
                "type" => wanted(values, entity.element["data"]["type"].as_str()),
                "data.title" => wanted(values, entity.element["data"]["title"].as_str()),
                "observables" => {
                    let places = values.iter().filter_map(|it| last_part(it).parse::<usize>().ok());
                    places
                        .into_iter()
                        .any(|number| entity.observables.contains(&number.wrapping_sub(1)))
                }
                "outgoing_feeds" => {
                    entity.is_in_feed && values.iter().any(|it| last_part(it) == feed)
                }
                "datasets" if datasets == DatasetsFilter::Ignored => true,
                "datasets" => entity.is_in_feed && values.iter().any(|it| last_part(it) == "1"),
                _ => return None,
            })
        };
        let rows = intel.entities.iter().map(|(id, row)| Row { id, times: row.times, row });
        query.page(rows, keeps, |row| views.entity(row.id, row.row))
    }

    fn relationships(&self, parts: &[&str], query: &str) -> Result<Reply, Refusal> {
        let (intel, views) = self.views()?;
        if let [id] = parts {
            let found = intel.relationships.get_key_value(*id);
            let (id, row) = found.ok_or_else(|| missing("relationship", id))?;
            return Ok(single(&views.relationship(id, row)));
        }
        let query = list(parts, query, self)?;
        let keeps = |name: &str, values: &[String], row: &Row<'_, Relationship>| {
            let end =
                |end: &str| row.row.element["data"][end].as_str().map(|end| intel.entity_of(end));
            Some(match name {
                "data.source" => values.iter().any(|it| Some(last_part(it)) == end("source")),
                "data.target" => values.iter().any(|it| Some(last_part(it)) == end("target")),
                _ => return None,
            })
        };
        let rows = intel.relationships.iter().map(|(id, row)| Row { id, times: row.times, row });
        query.page(rows, keeps, |row| views.relationship(row.id, row.row))
    }

    fn observables(&self, parts: &[&str], query: &str) -> Result<Reply, Refusal> {
        let (intel, views) = self.views()?;
        if let [id] = parts {
            let place = id.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let found = place.and_then(|place| Some((place, intel.observables.get(place)?)));
            let (place, row) = found.ok_or_else(|| missing("observable", id))?;
            return Ok(single(&views.observable(place, row)));
        }
        let query = list(parts, query, self)?;
        let keeps = |name: &str, values: &[String], row: &Row<'_, Observable>| {
            Some(match name {
                "type" => wanted(values, Some(&row.row.kind)),
                "value" => wanted(values, Some(&row.row.value)),
                "entities" => values.iter().any(|it| row.row.entities.contains(last_part(it))),
                _ => return None,
            })
        };
        let numbers: Vec<String> = (1..=intel.observables.len()).map(|it| it.to_string()).collect();
        let rows = intel.observables.iter().zip(&numbers);
        let rows = rows.map(|(row, id)| Row { id, times: row.times, row });
        let place =
            |row: &Row<'_, Observable>| row.id.parse::<usize>().map_or(0, |number| number - 1);
        query.page(rows, keeps, |row| views.observable(place(row), row.row))
    }

    fn sources(&self, parts: &[&str], query: &str) -> Result<Reply, Refusal> {
        let (intel, _) = self.views()?;
        let show = |id: &str, name: &str| json!({"id": id, "name": name});
        if let [id] = parts {
            let name = intel.sources.get(*id).ok_or_else(|| missing("source", id))?;
            return Ok(single(&show(id, name)));
        }
        let query = list(parts, query, self)?;
        let keeps = |name: &str, values: &[String], row: &Row<'_, String>| {
            (name == "name").then(|| wanted(values, Some(row.row)))
        };
        let rows = intel.sources.iter().map(|(id, row)| Row { id, times: self.unmoved(), row });
        query.page(rows, keeps, |row| show(row.id, row.row))
    }

    fn taxonomies(&self, parts: &[&str], query: &str) -> Result<Reply, Refusal> {
        let (intel, _) = self.views()?;
        let numbers: Vec<String> = (1..=intel.taxonomies.len()).map(|it| it.to_string()).collect();
        let show = |id: &str, name: &str| json!({"id": id.parse::<usize>().ok(), "name": name});
        let named = || intel.taxonomies.iter().zip(&numbers);
        if let [id] = parts {
            let found = named().find(|(_, number)| number == id);
            let (name, id) = found.ok_or_else(|| missing("taxonomy", id))?;
            return Ok(single(&show(id, name)));
        }
        let query = list(parts, query, self)?;
        let keeps = |name: &str, values: &[String], row: &Row<'_, String>| {
            (name == "name").then(|| wanted(values, Some(row.row)))
        };
        let rows = named().map(|(row, id)| Row { id, times: self.unmoved(), row });
        query.page(rows, keeps, |row| show(row.id, row.row))
    }

    /// Times of what nobody ever changes here.
    fn unmoved(&self) -> Times {
        Times { created: self.feed.created_at, updated: self.feed.created_at }
    }

    fn views(&self) -> Result<(&Intel, Views<'_>), Refusal> {
        let intel = match (self.dataset.content(), &self.intel) {
            (Content::EclecticIq, Some(intel)) => intel,
            _ => return Err(Refusal::NotHere("the API over a dataset of STIX".to_owned())),
        };
        Ok((intel, Views { base_url: &self.base_url, setup: &self.setup, intel }))
    }
}

fn list(parts: &[&str], query: &str, platform: &Platform) -> Result<Query, Refusal> {
    if !parts.is_empty() {
        return Err(unknown(parts));
    }
    Query::parse(query, &platform.setup)
}

fn wanted(values: &[String], is: Option<&str>) -> bool {
    values.iter().any(|value| Some(value.as_str()) == is)
}

fn single(row: &Value) -> Reply {
    json_of(&json!({"data": row}))
}

fn missing(kind: &str, id: &str) -> Refusal {
    Refusal::not_found(format!("No {kind} {id}"))
}

fn unknown(parts: &[&str]) -> Refusal {
    Refusal::NotHere(format!("/api/v2/{}", parts.join("/")))
}
