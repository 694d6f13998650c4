//! eventBlocklists/* and orgBlocklists/*: what may not be added (again).

use std::collections::BTreeMap;

use serde_json::Value as Data;
use uuid::Uuid;

use crate::sandbox::{
    Call,
    http::{
        answer::{Answer, Halt, Outcome},
        php, request,
    },
    output::json::Json,
    rows::state::{State, exact_uuid},
};

/// An entry of a blocklist.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocked {
    /// Title of the event, or name of the organisation.
    pub(crate) name: String,
    /// Name of the organisation that created the event.
    pub(crate) orgc: String,
    pub(crate) comment: String,
}

/// Entries by UUID of the event or organisation.
pub(crate) type Blocklist = BTreeMap<Uuid, Blocked>;

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Events,
    Organisations,
}

impl List {
    fn of(self, state: &State) -> &Blocklist {
        match self {
            Self::Events => &state.blocked,
            Self::Organisations => &state.blocked_orgs,
        }
    }

    fn of_mut(self, state: &mut State) -> &mut Blocklist {
        match self {
            Self::Events => &mut state.blocked,
            Self::Organisations => &mut state.blocked_orgs,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Events => "eventBlocklists",
            Self::Organisations => "orgBlocklists",
        }
    }
}

/// GET index: all entries.
pub(crate) fn index(state: &State, call: &Call<'_>, list: List) -> Outcome {
    let entries = list.of(state).iter().zip(1_u32..).map(|((uuid, blocked), id)| {
        let uuid = Json::text(uuid.to_string());
        let comment = ("comment", Json::text(blocked.comment.as_str()));
        match list {
            List::Events => Json::map([
                ("id", Json::id(id)),
                ("event_uuid", uuid),
                ("event_info", Json::text(blocked.name.as_str())),
                comment,
                ("event_orgc", Json::text(blocked.orgc.as_str())),
            ]),
            List::Organisations => Json::map([
                ("id", Json::id(id)),
                ("org_uuid", uuid),
                ("org_name", Json::text(blocked.name.as_str())),
                comment,
            ]),
        }
    });
    Ok(Answer::data(&Json::List(entries.collect()), call.style))
}

/// POST add `{"uuids": [...]}`.
pub(crate) fn add(state: &mut State, call: Call<'_>, list: List) -> Outcome {
    let fields = request::fields(call.data);
    let text = |name| php::isset(&fields, name).and_then(php::text).unwrap_or_default();
    let given: Vec<String> = match php::isset(&fields, "uuids") {
        Some(uuids @ (Data::Array(_) | Data::Object(_))) => {
            php::elements(uuids).into_iter().filter_map(|(_, uuid)| php::text(uuid)).collect()
        }
        Some(one) => php::text(one).unwrap_or_default().lines().map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let (mut successes, mut fails) = (Vec::new(), Vec::new());
    for uuid in given {
        match exact_uuid(uuid.trim()) {
            Some(known) => {
                let blocked =
                    Blocked { name: String::new(), orgc: String::new(), comment: text("comment") };
                list.of_mut(state).entry(known).or_insert(blocked);
                successes.push(uuid);
            }
            None => fails.push(uuid),
        }
    }
    let result = Json::map([("successes", Json::texts(successes)), ("fails", Json::texts(fails))]);
    Ok(Answer::data(&Json::map([("result", result)]), call.style))
}

/// POST or DELETE delete/{uuid}.
pub(crate) fn delete(state: &mut State, call: &Call<'_>, list: List) -> Outcome {
    let uuid = call.route.id().and_then(exact_uuid);
    let known = uuid.and_then(|uuid| list.of_mut(state).remove(&uuid));
    known.ok_or_else(|| Halt::exception(404, "Invalid blocklist entry"))?;
    let url = format!("/{}/delete", list.path());
    Ok(Answer::saved("Blocklist entry removed", url, call.route.id(), call.style))
}
