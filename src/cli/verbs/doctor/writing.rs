//! A small event of its own, to see that writing works.

use uuid::Uuid;

use crate::{
    cli::{Exit, Kind, Report, verbs::doctor::finding::Finding},
    config::Destination,
    delivery::{Call, NewEvent, RefusedWhy, Reply, TimedAttribute, Wire},
    misp::{Attribute, AttributeType, EventFields, Value as AttributeValue},
    model::{EventUuid, Fault, Timestamp},
    plan::{self, DestinationRecord},
    remote::Remote,
    store::StoreId,
};

const CHECK: &str = "writing";
const TEST_INFO: &str = "misp-trickle test event, may be deleted";
const TEST_VALUE: &str = "misp-trickle test attribute, may be deleted";

/// The UUID of the test event: the same whenever this store asks this destination.
pub(crate) fn test_event(store: StoreId, destination: &Destination) -> EventUuid {
    let name = format!("misp-trickle test event {store} {}", destination.name);
    EventUuid::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

/// Has MISP make the event.
pub(crate) async fn push(
    remote: &Remote,
    uuid: EventUuid,
    record: &DestinationRecord,
    now: Timestamp,
) -> Reply {
    let kind = AttributeType::named("comment").expect("MISP has the type comment");
    let value = AttributeValue::stored(TEST_VALUE);
    let attribute = Attribute { to_ids: false, ..Attribute::plain(uuid, kind, value) };
    let timestamp = now.seconds() + record.clock_offset_seconds;
    let event = NewEvent {
        uuid,
        fields: EventFields {
            info: TEST_INFO.into(),
            date: now.day().into(),
            analysis: 0,
            tags: Vec::new(),
        },
        settings: plan::EventSettings {
            distribution: 0,
            sharing_group_id: None,
            threat_level_id: 4,
            tags: Vec::new(),
            disable_correlation: true,
            publish: plan::Publish::Never,
            on_foreign: plan::OnForeign::Block,
        },
        attributes: vec![TimedAttribute { attribute, timestamp }],
    };
    remote.exchange(&Call::AddEvent(Box::new(event))).await.reply
}

/// What came of it.
pub(crate) fn told(reply: Reply, uuid: EventUuid) -> Finding {
    match reply {
        Reply::Event(event) => {
            Finding::good(CHECK, format!("event {uuid} was created, number {}", event.id))
        }
        Reply::EventExists => {
            Finding::good(CHECK, format!("MISP has the test event {uuid} already"))
        }
        Reply::Refused { why: RefusedWhy::Blocklisted, .. } => {
            Finding::good(CHECK, format!("MISP answers; somebody deleted the test event {uuid}"))
        }
        Reply::Refused { words, .. } => {
            let what = format!("MISP refuses the test event: {words}");
            Finding::bad(
                CHECK,
                Exit::Refused,
                what,
                crate::cli::verbs::doctor::rights::cure("perm_add"),
            )
        }
        Reply::Trouble(trouble) => unanswered(trouble.why()),
        _ => unanswered("MISP answers another question"),
    }
}

fn unanswered(why: &str) -> Finding {
    Finding::fault(CHECK, &Report::new(Kind::Unreachable, Fault::of_message(why)))
}
