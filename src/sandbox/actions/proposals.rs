//! shadow_attributes/add: a proposal to somebody else's event, which is no attribute of it.

use crate::sandbox::{
    Call,
    actions::attributes::visible_event,
    http::{
        answer::{Answer, Outcome},
        request,
    },
    output::{json::Json, views},
    rows::{
        draft::{Draft, Manner, Origin, Similar, Trouble},
        row::AttributeRow,
        state::State,
    },
};

/// POST shadow_attributes/add/{event}.
pub(crate) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    let event = visible_event(state, &call, call.route.id().unwrap_or_default())?.id;
    let fields = request::fields(request::unwrapped(call.data, "ShadowAttribute"));
    let origin = Origin::new(state, call.now);
    let refused = |errors: crate::sandbox::rows::draft::Errors| {
        let url = "/shadow_attributes/add".to_owned();
        Ok(Answer::refused("add ShadowAttribute", url, errors.json(), None, call.style))
    };
    let draft = match Draft::new(&fields, None, 0, Manner::Capture, origin) {
        Ok(draft) => draft,
        Err(Trouble::Refused(errors)) => return refused(errors),
        Err(Trouble::Crash) => return Err(crate::sandbox::http::answer::Halt::Crash),
    };
    match draft.validate(state, event, None, Similar::Allow) {
        Ok(errors) if errors.is_empty() => {}
        Ok(errors) => return refused(errors),
        Err(_) => return Err(crate::sandbox::http::answer::Halt::Crash),
    }
    let uuid = state.make_uuid();
    let mut row: AttributeRow = draft.into_row(uuid, event, 0);
    let proposals = &mut state.event_mut(event).proposals;
    row.id = u32::try_from(proposals.len()).expect("fewer than 2^32 proposals") + 1;
    proposals.push(row);
    let row = state.known_event(event).proposals.last();
    let json = row.map_or(Json::Null, views::bare_attribute);
    Ok(Answer::data(&Json::map([("ShadowAttribute", json)]), call.style))
}
