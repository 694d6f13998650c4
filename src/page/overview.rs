//! The first page of a site: what is asked first.

use maud::html;

use super::{
    ReportView,
    frame::{Place, Site, within},
    parts::{routes::routes, standings::standings, tasks::tasks, traffic::traffic},
};

/// Whether each route does what it is for, what is to be done by hand, what travelled, where the values stand.
#[must_use]
pub fn overview_page(view: &ReportView) -> String {
    let ReportView { store, now, clearance, .. } = view;
    let twin = Some("/status.json".to_owned());
    let site = Site { store: store.clone(), now: *now, clearance: *clearance, twin };
    let main = html! {
        (routes(&view.routes, *now))
        (tasks(&view.overviews, *clearance))
        (traffic(&view.days, *now))
        (standings(&view.overviews))
    };
    within(&site, "Overview", Place::Overview, &main)
}
