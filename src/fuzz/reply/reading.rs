//! One answer to one call: what is read of it stands in it.

use arbitrary::{Result, Unstructured};

use crate::{
    delivery::{AttributeAnswer, AttributeResult, Call, Listed, NewEvent, Reply, TimedAttribute},
    fuzz::{dataset::many, plan::attribute},
    model::AttributeUuid,
    plan::{FieldEdit, Publish, Row},
    remote::{self, Answer},
};

use super::{event, fields, liar, settings};

/// Reads an answer.
pub(super) fn alone(input: &mut Unstructured<'_>) -> Result<()> {
    let call = call(input)?;
    let answer = liar::answer(&call, input)?;
    let reply = remote::decode(&call, &answer);
    assert_eq!(reply, remote::decode(&call, &answer));
    says_no_more(&call, &answer, &reply);
    Ok(())
}

/// One call of every kind.
fn call(input: &mut Unstructured<'_>) -> Result<Call> {
    let event = event(0);
    let mut attributes: Vec<TimedAttribute> = Vec::new();
    for each in many(input, 4, |input| attribute(input, event))? {
        if attributes.iter().all(|known| known.attribute.uuid != each.attribute.uuid) {
            attributes.push(TimedAttribute { attribute: each.attribute, timestamp: 1_700_000_000 });
        }
    }
    let row = |sent: &TimedAttribute| Row {
        uuid: sent.attribute.uuid,
        deleted: false,
        timestamp: sent.timestamp,
    };
    let expected = attributes.iter().map(row).collect();
    Ok(match input.int_in_range(0..=14_u8)? {
        0 => Call::AddEvent(Box::new(NewEvent {
            uuid: event,
            fields: fields("Ebb"),
            settings: settings(Publish::Never),
            attributes,
        })),
        1 => Call::AppendQuietly { event, attributes },
        2 | 3 => Call::AppendLoudly { event, attributes },
        4 => Call::EditFields { event, edit: FieldEdit::default(), timestamp: 1 },
        5 => Call::Rows { events: vec![event], expected },
        6 => Call::RowsSince { events: vec![7], since: 1 },
        7 => Call::CountLive(vec![7]),
        8 => Call::Listing(event),
        9 => Call::Metadata(event),
        10 => Call::AttachTag { event, tag: "tlp:green".into() },
        11 => Call::WhichEvents(vec![event]),
        12 => Call::Version,
        13 => Call::Whoami,
        _ => Call::FindTags(vec!["tlp:green".into(), "x:y".into()]),
    })
}

/// What was read stands in the answer.
fn says_no_more(call: &Call, answer: &Answer, reply: &Reply) {
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    let has = |what: &str| text.contains(&what.to_lowercase());
    let ok = answer.status == 200;
    let said_no = (401..=405).contains(&answer.status);
    match reply {
        Reply::Event(event) => assert!(ok && has(&event.uuid.to_string()), "{call:?} {text}"),
        Reply::Metadata(Some(event)) => assert!(ok && has(&event.uuid.to_string()), "{text}"),
        Reply::NotModified => {
            assert!(answer.status == 304 && matches!(call, Call::Rows { .. }), "{call:?}");
        }
        Reply::Attributes(answers) => attributes(call, answers, &has),
        Reply::Rows(rows) => {
            assert!(ok && rows.iter().all(|row| stands_in(&text, row)), "{rows:?} of {text}");
        }
        Reply::RowsSince(rows) => {
            assert!(ok && rows.iter().all(|(_, row)| stands_in(&text, row)), "{rows:?} of {text}");
        }
        Reply::Listing(listed) => {
            let all = |each: &Listed| stands_in(&text, &each.row) && has(&each.kind);
            assert!(ok && listed.iter().all(all), "{listed:?} of {text}");
        }
        Reply::Done => assert!(ok && has("saved") && has("true"), "{text}"),
        Reply::Count(number) => {
            let digits = text.trim().trim_start_matches('+').trim_start_matches('0');
            let expected = if *number == 0 { String::new() } else { number.to_string() };
            assert_eq!(digits, expected, "{text}");
        }
        Reply::WhichEvents(events) => {
            assert!(ok && events.iter().all(|event| has(&event.to_string())), "{text}");
        }
        Reply::Tags(tags) => {
            let Call::FindTags(asked) = call else { panic!("{call:?} gave tags") };
            assert!(ok && tags.iter().all(|tag| asked.contains(tag)));
        }
        Reply::Whoami { org, .. } => assert!(ok && has(&org.to_string()), "{text}"),
        Reply::Metadata(None) | Reply::Version { .. } => assert!(ok),
        Reply::EventExists => assert!(said_no),
        Reply::Refused { .. } => assert!(ok || said_no),
        Reply::Trouble(trouble) => assert!(!trouble.why().is_empty()),
    }
}

/// Each attribute of the request has its answer, and one that was saved is in the echo.
fn attributes(call: &Call, answers: &[AttributeAnswer], has: &dyn Fn(&str) -> bool) {
    let Call::AppendLoudly { attributes, .. } = call else { panic!("{call:?} gave attributes") };
    let sent: Vec<AttributeUuid> = attributes.iter().map(|each| each.attribute.uuid).collect();
    let told: Vec<AttributeUuid> = answers.iter().map(|answer| answer.uuid).collect();
    assert_eq!(sent, told);
    for answer in answers {
        if matches!(answer.result, AttributeResult::Saved { .. }) {
            assert!(has(&answer.uuid.to_string()), "{answer:?} is in no echo");
        }
    }
}

fn stands_in(text: &str, row: &Row) -> bool {
    let (uuid, time) = (row.uuid.to_string(), row.timestamp.to_string());
    text.contains(&uuid) && text.contains(time.trim_start_matches('-'))
}
