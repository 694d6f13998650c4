//! Addresses: of pages with what is asked of them, and of events in MISP's own pages.

use url::form_urlencoded::Serializer;

use crate::{model::EventUuid, plan::DestinationRecord};

/// What is asked of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// One more thing.
    pub(super) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.0.push((key, value.to_owned()));
        self
    }

    /// The address.
    pub(super) fn on(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }
}

/// An event in MISP's own pages. What is no address of the web is no link.
pub(super) fn misp_event(
    record: &DestinationRecord,
    event: EventUuid,
    misp_id: Option<u64>,
) -> Option<String> {
    let base = record.url.trim_end_matches('/');
    let is_web = base.starts_with("https://") || base.starts_with("http://");
    let event = misp_id.map_or_else(|| event.to_string(), |id| id.to_string());
    is_web.then(|| format!("{base}/events/view/{event}"))
}

/// The address of the same page as JSON.
#[must_use]
pub fn twin(path: &str, query: &[(String, String)]) -> String {
    let path = if path == "/" { "/status" } else { path };
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    if query.is_empty() { format!("{path}.json") } else { format!("{path}.json?{query}") }
}
