//! What a run would do.

use serde::Serialize;

use crate::{
    agent::Preview,
    cli::render::plan::{dataset, events_of, title},
    history::DatasetTally,
    misp::Attribute,
    model::{AttributeUuid, DestinationName, EventUuid},
    plan::{AttributeTally, Change, ChangeKind, EventPlan, EventTally, FieldEdit, Refusal},
};

use super::{
    map::MispAttribute,
    state::{AttributeChangeView, ChangeView},
};

/// `plan`: what a run would do, with the fields of `sync` as they would come out if nothing goes wrong; what is to be
/// sent counts as `pending`. Requests and bytes are estimates.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/plan/2")]
pub struct PlanAnswer<'a> {
    /// Null: there was no run.
    pub run: Option<()>,
    /// Null: there was no run.
    pub run_id: Option<()>,
    /// Whether there is anything to do.
    pub outcome: PlanOutcome,
    /// What would be done, by destination.
    pub destinations: Vec<DestinationPlan<'a>>,
    /// What the dataset holds.
    pub dataset: Option<DatasetTally>,
}

/// Whether there is anything to do.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlanOutcome {
    /// Nothing would be done.
    Empty,
    /// Something would be done.
    Planned,
}

/// What would be done at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DestinationPlan<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// About how many requests.
    pub requests: u64,
    /// About how many bytes go out.
    pub bytes_sent: u64,
    /// About how many bytes come back.
    pub bytes_received: u64,
    /// Events by what would become of them.
    pub events: EventTally,
    /// Attributes by what would become of them.
    pub attributes: AttributeTally,
    /// What a person should know.
    pub notes: &'a [String],
    /// The events that something would be done about.
    pub plans: Vec<EventPlanView<'a>>,
}

/// What would be done about one event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventPlanView<'a> {
    /// The event.
    pub event: EventUuid,
    /// Its title as the dataset has it now.
    pub title: &'a str,
    /// What would be done.
    pub action: Action,
    /// Why nothing of it is sent, if so.
    pub refused_because: Option<String>,
    /// Fields of the event that would change.
    pub fields: Option<FieldsView<'a>>,
    /// Tags that would be attached to the event.
    pub tags: &'a [Box<str>],
    /// Whether it would be published.
    pub publishes: bool,
    /// Whether the change would leave it unpublished.
    pub unpublishes: bool,
    /// The attributes that would be sent, in MISP's own JSON.
    pub attributes: Vec<MispAttribute<'a>>,
    /// What the history would gain at once.
    pub changes: Vec<PlannedChange<'a>>,
}

/// What would be done about an event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It would be made.
    Create,
    /// Something of it would be sent.
    Update,
    /// Nothing is sent; the history gains something.
    Note,
    /// Policy keeps it back.
    Withhold,
    /// It may not be written.
    Block,
}

/// Fields of an event that would change; null stays as it is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FieldsView<'a> {
    /// The new title.
    pub info: Option<&'a str>,
    /// The new day.
    pub date: Option<&'a str>,
    /// The new analysis level.
    pub analysis: Option<u8>,
}

/// What the history would gain: of an attribute, or of the event itself.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum PlannedChange<'a> {
    /// Of an attribute.
    Attribute(AttributeChangeView<'a>),
    /// Of the event itself.
    Event(ChangeView),
}

impl<'a> PlanAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(previews: &'a [(DestinationName, Preview)]) -> Self {
        let empty = previews.iter().all(|(_, preview)| preview.saved.empty);
        Self {
            run: None,
            run_id: None,
            outcome: if empty { PlanOutcome::Empty } else { PlanOutcome::Planned },
            destinations: previews.iter().map(|(name, preview)| of(name, preview)).collect(),
            dataset: previews.first().map(|(_, preview)| dataset(preview)),
        }
    }
}

fn of<'a>(destination: &'a DestinationName, preview: &'a Preview) -> DestinationPlan<'a> {
    DestinationPlan {
        destination,
        requests: preview.cost.requests,
        bytes_sent: preview.cost.bytes_sent,
        bytes_received: preview.cost.bytes_received,
        events: events_of(preview),
        attributes: preview.attributes,
        notes: &preview.notes,
        plans: preview.plans.iter().map(event).collect(),
    }
}

fn event(plan: &EventPlan) -> EventPlanView<'_> {
    let fields = plan.fields.as_ref().map(|FieldEdit { info, date, analysis }| FieldsView {
        info: info.as_deref(),
        date: date.as_deref(),
        analysis: *analysis,
    });
    let sent = plan.send.iter().filter_map(|uuid| attribute(plan, uuid));
    EventPlanView {
        event: plan.event.head.uuid,
        title: title(plan),
        action: action(plan),
        refused_because: plan.refusal.as_ref().map(ToString::to_string),
        fields,
        tags: &plan.tags,
        publishes: plan.publish,
        unpublishes: plan.unpublishes,
        attributes: sent.map(MispAttribute::from).collect(),
        changes: plan.changes.iter().map(|it| change(plan, it)).collect(),
    }
}

fn change<'a>(plan: &'a EventPlan, change: &'a Change) -> PlannedChange<'a> {
    let Some(uuid) = change.attribute else { return PlannedChange::Event((&change.kind).into()) };
    let content = attribute(plan, &uuid).map(|it| (it.kind, &it.value));
    let by = match &change.kind {
        ChangeKind::Superseded(by) => attribute(plan, by).map(|by| &by.value),
        _ => None,
    };
    PlannedChange::Attribute(AttributeChangeView::new(uuid, content, &change.kind, by))
}

fn action(plan: &EventPlan) -> Action {
    match &plan.refusal {
        Some(Refusal::Withheld(_)) => Action::Withhold,
        Some(Refusal::Declined | Refusal::Blocked(_)) => Action::Block,
        None if plan.create => Action::Create,
        None if plan.needs_misp() => Action::Update,
        None => Action::Note,
    }
}

fn attribute<'p>(plan: &'p EventPlan, uuid: &AttributeUuid) -> Option<&'p Attribute> {
    plan.event.attributes.get(uuid).map(|known| &known.attribute)
}
