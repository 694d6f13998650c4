//! How something is asked for, what keeps it back, and what would change that.

use crate::{
    history::query::testing::{
        MapLedger, digest, event_uuid, known, ledger, main_destination, uuid_of,
    },
    misp::Source,
    model::{EntityKey, Marking, OrgUuid, Symbol, Timestamp, Tlp, kept_text},
    plan::{
        Awaits, BlockedReason, DestinationRecord, EventSettings, ExposedReason, FeedSet,
        KnownAttribute, OnForeign, Presence, Publishing, Standing, TagStanding, WithheldReason,
    },
};

use super::*;

fn ask(ledger: &MapLedger, text: &str) -> Vec<Answer> {
    why(ledger, &main_destination(), text, 20, Depth::Words).unwrap().answers
}

/// By what one event was found.
fn event_by(text: &str) -> Option<FoundBy> {
    match &ask(&ledger(), text)[..] {
        [Answer::Event(it)] => Some(it.found_by),
        _ => None,
    }
}

#[test]
fn an_event_is_found_by_its_number_its_address_and_words_of_its_title() {
    for (text, found_by) in [
        ("17", FoundBy::MispId),
        (" 17 ", FoundBy::MispId),
        ("https://misp.example/events/view/17", FoundBy::Address),
        ("http://misp.example:80/events/view/17.json", FoundBy::Address),
        ("https://misp.example:443/events/view/17/#x", FoundBy::Address),
        ("https://MISP.example/events/view/13cb1207-0674-4a54-a999-df5ff8e35c1a", FoundBy::Address),
        ("Phishing wave", FoundBy::Title),
        ("wave, phish", FoundBy::Title),
    ] {
        assert_eq!(event_by(text), Some(found_by), "{text}");
    }
    for nothing in [
        "18",
        "+17",
        "https://misp.example:8443/events/view/17",
        "https://misp.example/under/events/view/17",
        "https://other.example/events/view/17",
        "https://misp.example/events/view/18",
        "Phishing waves",
        "ishing",
        "wav",
    ] {
        assert_eq!(ask(&ledger(), nothing), [], "{nothing}");
    }
}

#[test]
fn an_attribute_is_found_by_the_entity_that_holds_it() {
    let (mut ledger, entity) = (ledger(), "aaaaaaaa-0000-4000-8000-000000000009");
    let attribute = |ledger: &mut MapLedger, value: &str, of: &str| {
        let event = ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap();
        let known = event.attributes.get_mut(&uuid_of(value)).unwrap();
        known.sources = vec![source(of)];
    };
    attribute(&mut ledger, "back.example", entity);
    attribute(&mut ledger, "red.example", "13cb1207-0674-4a54-a999-df5ff8e35c1a");
    for text in [entity, "indicator--aaaaaaaa-0000-4000-8000-000000000009"] {
        let [Answer::Attribute(it)] = &ask(&ledger, text)[..] else { panic!("{text}") };
        assert_eq!(it.found_by, FoundBy::Entity);
        assert_eq!(it.known.attribute.uuid, uuid_of("back.example"));
    }
    // What the incident itself holds is told by its event.
    let found = ask(&ledger, "13cb1207-0674-4a54-a999-df5ff8e35c1a");
    assert!(matches!(&found[..], [Answer::Event(_)]), "{found:?}");
}

fn source(entity: &str) -> Source {
    Source {
        entity: EntityKey::of(entity),
        kind: Symbol::new("domain"),
        rule: Symbol::new("observable.domain"),
        raw: None,
    }
}

fn marked(value: &str, standing: Standing, tlp: Tlp, entities: &[&str]) -> KnownAttribute {
    let sources = entities.iter().map(|entity| source(entity)).collect();
    KnownAttribute { marking: Marking::of(Some(tlp)), sources, ..known(value, standing) }
}

/// A ledger with one absent event that has these attributes.
fn absent(marking: Marking, attributes: Vec<KnownAttribute>) -> MapLedger {
    let mut ledger = ledger();
    let event = ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap();
    event.head.presence = Presence::Absent;
    event.head.marking = marking;
    event.attributes = attributes.into_iter().map(|known| (known.attribute.uuid, known)).collect();
    ledger
}

fn event(ledger: &MapLedger) -> EventAnswer {
    match &ask(ledger, &event_uuid().to_string())[..] {
        [Answer::Event(it)] => (**it).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_withheld_event_says_which_policy_which_marking_and_whose() {
    let incident = Standing::Withheld(WithheldReason::Incident);
    let red = Marking::of(Some(Tlp::Red));
    let root = EntityKey::of("13cb1207-0674-4a54-a999-df5ff8e35c1a");
    let by = |why: &[_], marking| {
        let (why, entities) = (why.to_vec(), vec![root.clone()]);
        Withheld { why, marking, entities, whose: Whose::Incident }
    };
    let (too_red, unmarked) = (WithheldReason::Tlp(Tlp::Red), WithheldReason::Unmarked);
    for (marking, why, remedies) in [
        (red, vec![too_red], vec![Remedy::AllowTlp(Tlp::Red)]),
        (Marking::of(None), vec![unmarked], vec![Remedy::Mark]),
        // Of two feeds, one gave it no marking: the policy that denies either is not known.
        (
            red.and(Marking::of(None)),
            vec![too_red, unmarked],
            vec![Remedy::AllowTlp(Tlp::Red), Remedy::Mark],
        ),
    ] {
        let a = marked("a.example", incident.clone(), Tlp::Red, &["a"]);
        let ledger = absent(marking, vec![a]);
        let found = event(&ledger);
        assert_eq!(found.withheld, Some(by(&why, marking)));
        assert_eq!((found.blocked, &found.remedies), (None, &remedies));
        for answer in ask(&ledger, "a.example") {
            let Answer::Attribute(it) = answer else { panic!("{answer:?}") };
            assert_eq!(it.withheld, Some(by(&why, marking)));
            assert_eq!(it.remedies, remedies);
        }
    }
    // What keeps back an event without attributes is not kept: it may be rejected.
    let found = event(&absent(red, vec![]));
    assert_eq!((found.withheld, found.blocked), (None, None));
    assert_eq!(found.remedies, [Remedy::Unknown]);
    let rejected = Standing::Blocked(BlockedReason::IncidentNotAccepted);
    let found = event(&absent(red, vec![marked("a.example", rejected, Tlp::Red, &["a"])]));
    assert_eq!((found.withheld, found.blocked), (None, Some(BlockedReason::IncidentNotAccepted)));
    assert_eq!(found.remedies, [Remedy::AcceptIncident]);
    let pending =
        event(&absent(red, vec![marked("a.example", Standing::Pending, Tlp::Red, &["a"])]));
    assert_eq!((pending.withheld, pending.remedies), (None, vec![Remedy::NextRun]));
    let present = event(&ledger());
    assert_eq!((present.withheld, present.remedies), (None, vec![Remedy::InPlace]));
}

#[test]
fn an_event_says_what_is_to_be_done_about_it_before_that_it_is_in_place() {
    let of = |change: &dyn Fn(&mut KnownEvent)| {
        let mut ledger = ledger();
        change(ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap());
        event(&ledger).remedies
    };
    let only = |event: &mut KnownEvent, known: Vec<KnownAttribute>| {
        event.attributes = known.into_iter().map(|it| (it.attribute.uuid, it)).collect();
    };
    let later = ExposedReason::MarkedLater(Tlp::Red);
    let exposed =
        |value| KnownAttribute { exposed: Some(later.clone()), ..known(value, Standing::Sent) };
    let leave = |event: &mut KnownEvent| {
        event.head.feeds.values_mut().for_each(|feed| feed.gone = true);
    };
    assert_eq!(of(&|_| {}), [Remedy::InPlace]);
    let by_hand = of(&|it| only(it, vec![exposed("a.example"), exposed("b.example")]));
    assert_eq!(by_hand, [Remedy::ByHand(later.clone())]);
    for (publishing, remedy) in [
        (Publishing::Owed, Remedy::NextRun),
        (Publishing::WaitsForRight, Remedy::PublishRight),
        (Publishing::Failed("why".into()), Remedy::Publish),
    ] {
        assert_eq!(of(&|it| it.head.publishing = publishing.clone()), [remedy]);
    }
    let refused = TagStanding::Refused { why: "why".into(), terms: digest("terms") };
    let lacks = of(&|it| assert!(it.head.tags.set("osint:x", refused.clone())));
    assert_eq!(lacks, [Remedy::TakeTags]);
    let held = |it: &mut KnownEvent| only(it, vec![known("a.example", Standing::Held)]);
    assert_eq!(of(&held), [Remedy::AcceptMapping]);
    let absent = |it: &mut KnownEvent| it.head.presence = Presence::Absent;
    assert_eq!(of(&|it| (held(it), absent(it)).1), [Remedy::AcceptMapping]);
    // Of what left the dataset MISP keeps what it has.
    assert_eq!(of(&leave), [Remedy::Stays]);
    assert_eq!(of(&|it| (leave(it), absent(it)).1), [Remedy::Return]);
}

#[test]
fn a_marking_that_may_be_that_of_the_way_blames_no_entity() {
    let too_red = Standing::Withheld(WithheldReason::Tlp(Tlp::Red));
    for (holder, whose) in
        [("a", Whose::EntityOrWay), ("13cb1207-0674-4a54-a999-df5ff8e35c1a", Whose::Incident)]
    {
        let a = marked("a.example", too_red.clone(), Tlp::Red, &[holder]);
        let found = ask(&absent(Marking::of(Some(Tlp::Green)), vec![a]), "a.example");
        let [Answer::Attribute(it)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(it.withheld.as_ref().map(|it| it.whose), Some(whose), "{holder}");
    }
}

#[test]
fn of_a_long_value_all_counts() {
    let (mut ledger, long) = (ledger(), "q".repeat(5_000));
    let event = ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap();
    let known = event.attributes.get_mut(&uuid_of("back.example")).unwrap();
    known.sources = vec![Source { raw: Some(kept_text(&long).into()), ..source("a") }];
    assert!(
        matches!(&ask(&ledger, &long)[..], [Answer::Attribute(it)] if it.found_by == FoundBy::SourceValue)
    );
    assert_eq!(ask(&ledger, &format!("{long}z")), []);
}

#[test]
fn what_is_known_and_not_told_is_not_nothing() {
    let none = why(&ledger(), &main_destination(), "back.example", 0, Depth::Words).unwrap();
    assert!(none.answers.is_empty() && !none.is_nothing(), "{none:?}");
}

#[test]
fn a_withheld_attribute_names_the_sources_that_are_marked_so() {
    let red = || Standing::Withheld(WithheldReason::Tlp(Tlp::Red));
    let of = |attributes: Vec<KnownAttribute>| {
        let mut ledger = absent(Marking::of(Some(Tlp::Green)), attributes);
        let event = ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap();
        event.head.presence = Presence::Present;
        let found = ask(&ledger, "both.example");
        let [Answer::Attribute(it)] = &found[..] else { panic!("{found:?}") };
        it.withheld.clone().unwrap().entities
    };
    let both = || marked("both.example", red(), Tlp::Red, &["a", "b"]);
    let alone = marked("alone.example", red(), Tlp::Red, &["b"]);
    let green = marked("green.example", Standing::Sent, Tlp::Green, &["a"]);
    assert_eq!(of(vec![both(), alone, green.clone()]), [EntityKey::of("b")]);
    assert_eq!(of(vec![both(), green]), [EntityKey::of("a"), EntityKey::of("b")]);
}

/// The head of an event that MISP has.
fn present() -> EventHead {
    let head = ledger().events[&(main_destination(), event_uuid())].head.clone();
    EventHead { presence: Presence::Present, ..head }
}

/// Where the whole event was deleted, nothing in it can be restored or edited, whatever its attributes were before.
#[test]
fn of_an_event_that_was_deleted_nobody_is_told_to_restore_anything() {
    let mut ledger = ledger();
    let known_event = ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap();
    known_event.head.presence = Presence::Declined;
    let standings = [Standing::Declined, Standing::Sent, Standing::Pending, Standing::Held];
    for (number, standing) in standings.into_iter().enumerate() {
        let known =
            KnownAttribute { overruled: true, ..known(&format!("d{number}.example"), standing) };
        known_event.attributes.insert(known.attribute.uuid, known);
    }
    assert_eq!(event(&ledger).remedies, [Remedy::OtherIncident]);
    for number in 0..4 {
        let found = ask(&ledger, &format!("d{number}.example"));
        let [Answer::Attribute(it)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(it.remedies, [Remedy::OtherIncident], "{:?}", it.known.standing);
        assert!(it.remedies[0].to_string().contains("blocklist"));
    }
}

#[test]
fn each_standing_says_what_would_change_it() {
    let plain = |standing: Standing| known("x.example", standing);
    let exposed = ExposedReason::MarkedLater(Tlp::Red);
    let rejected = Standing::Rejected { words: "no".into(), version: "2.5.1".into() };
    let tag = WithheldReason::MarkingCannotBeCarried;
    let owner = BlockedReason::OwnerUnknown("2.5.1".into());
    for (known, remedies) in [
        (plain(Standing::Sent), vec![Remedy::InPlace]),
        (plain(Standing::Adopted), vec![Remedy::InPlace]),
        (plain(Standing::Pending), vec![Remedy::NextRun]),
        (plain(Standing::Declined), vec![Remedy::Restore]),
        (plain(rejected), vec![Remedy::OtherValue]),
        (plain(Standing::Held), vec![Remedy::AcceptMapping]),
        (plain(Standing::Withheld(WithheldReason::Unmarked)), vec![Remedy::Mark]),
        (plain(Standing::Withheld(tag)), vec![Remedy::TakeTag]),
        (plain(Standing::Blocked(BlockedReason::UuidTaken)), vec![Remedy::Nothing]),
        (plain(Standing::Blocked(BlockedReason::EventHidden)), vec![Remedy::OtherKey]),
        (plain(Standing::Blocked(owner)), vec![Remedy::OtherMisp]),
        (
            KnownAttribute { exposed: Some(exposed.clone()), ..plain(Standing::Sent) },
            vec![Remedy::ByHand(exposed)],
        ),
        (KnownAttribute { overruled: true, ..plain(Standing::Sent) }, vec![Remedy::Edit]),
        (KnownAttribute { overruled: true, ..plain(Standing::Adopted) }, vec![Remedy::Edit]),
        (KnownAttribute { overruled: true, ..plain(Standing::Declined) }, vec![Remedy::Restore]),
        (
            KnownAttribute { wanted: FeedSet::default(), ..plain(Standing::Sent) },
            vec![Remedy::Stays],
        ),
        (
            KnownAttribute { wanted: FeedSet::default(), ..plain(Standing::Held) },
            vec![Remedy::Return],
        ),
        (
            KnownAttribute {
                wanted: FeedSet::default(),
                superseded_by: Some(uuid_of("new.example")),
                ..plain(Standing::Sent)
            },
            vec![Remedy::Nothing],
        ),
    ] {
        assert_eq!(
            remedy::of_attribute(&present(), &known, None),
            remedies,
            "{:?}",
            known.standing
        );
    }
}

/// Whatever else is known of it: what is said of MISP, of an analyst and of what is sent holds.
#[test]
fn what_would_change_an_attribute_says_nothing_that_is_not_so() {
    let standings = [
        Standing::Pending,
        Standing::Sent,
        Standing::Adopted,
        Standing::Declined,
        Standing::Rejected { words: "no".into(), version: "2.5.1".into() },
        Standing::Withheld(WithheldReason::Tlp(Tlp::Red)),
        Standing::Withheld(WithheldReason::Unmarked),
        Standing::Withheld(WithheldReason::Incident),
        Standing::Withheld(WithheldReason::MarkingCannotBeCarried),
        Standing::Held,
        Standing::Blocked(BlockedReason::UuidTaken),
        Standing::Blocked(BlockedReason::EventHidden),
    ];
    for standing in standings {
        for bits in 0..16_u8 {
            let has = |bit: u8| bits & 1 << bit != 0;
            let plain = known("x.example", standing.clone());
            let known = KnownAttribute {
                overruled: has(0),
                wanted: if has(1) { FeedSet::default() } else { plain.wanted },
                superseded_by: has(2).then(|| uuid_of("new.example")),
                exposed: has(3).then_some(ExposedReason::MarkedLater(Tlp::Red)),
                ..plain
            };
            let remedies = remedy::of_attribute(&present(), &known, None);
            let words: Vec<String> = remedies.iter().map(ToString::to_string).collect();
            let (words, is_there) = (words.join("; "), known.standing.is_in_misp());
            let says = |text: &str| words.contains(text);
            let told = format!("{known:?}: {words}");
            assert!(!words.is_empty(), "{told}");
            let is_declined = known.standing == Standing::Declined;
            assert_eq!(says("took it out") || says("never sent again"), is_declined, "{told}");
            assert!(!says("MISP has it") || is_there && !known.overruled, "{told}");
            assert!(!says("stays there") || is_there, "{told}");
            assert!(!says("changed it there") || is_there && known.overruled, "{told}");
            let is_current = !known.wanted.is_empty() && known.superseded_by.is_none();
            if is_there && known.overruled && is_current {
                assert!(says("changed it there") && says("left as it is"), "{told}");
            }
            assert!(!says("dataset holds it again") || known.wanted.is_empty(), "{told}");
        }
    }
}

/// What the remedy of a block says is done, and then the event is looked at again: nothing is promised that nobody
/// keeps. A new reason finds its row here, or this does not compile.
#[test]
fn what_would_lift_a_block_lifts_it() {
    let (us, other) =
        (OrgUuid::new(uuid::Uuid::from_u128(1)), OrgUuid::new(uuid::Uuid::from_u128(2)));
    let before = DestinationRecord {
        version: "2.5.1".to_owned(),
        org: Some(us),
        user: Some(1),
        asked: Some(Timestamp::from_seconds(1)),
        ..DestinationRecord::default()
    };
    let append = EventSettings { on_foreign: OnForeign::Append, ..EventSettings::default() };
    let admin =
        DestinationRecord { permissions: ["perm_site_admin".to_owned()].into(), ..before.clone() };
    let owners = DestinationRecord { org: Some(other), user: Some(2), ..before.clone() };
    let updated = DestinationRecord { version: "2.5.2".to_owned(), ..before.clone() };
    let block = EventSettings::default();
    for why in BlockedReason::each(other) {
        let mut head = ledger().events.into_values().next().unwrap().head;
        head.seen.orgc = None;
        head.presence = Presence::Blocked(why.clone());
        let released = |settings, record| head.is_released(settings, record);
        assert!(!released(&block, &before), "{why}: nothing changed");
        let remedy = remedy::of_blocked(&why);
        let lifts = match &why {
            BlockedReason::OwnedBy(_) | BlockedReason::AppendNeedsAdmin(_) => {
                assert!(!released(&append, &before), "{why}: the key sees it already");
                assert_eq!(remedy, Remedy::AppendToForeign, "{why}");
                why.awaits() == Awaits::Misp
                    && released(&append, &admin)
                    && released(&block, &owners)
            }
            BlockedReason::OwnerUnknown(_) => {
                assert_eq!(remedy, Remedy::OtherMisp, "{why}");
                why.awaits() == Awaits::Misp && released(&block, &updated)
            }
            BlockedReason::EventHidden => {
                assert_eq!(remedy, Remedy::OtherKey, "{why}");
                let looked_for = |now: &DestinationRecord| now.may_see_more_than(&before);
                why.awaits() == Awaits::Misp && looked_for(&owners) && looked_for(&admin)
            }
            // It stands with what the dataset says, not with what is known of MISP.
            BlockedReason::IncidentNotAccepted => {
                assert_eq!(remedy, Remedy::AcceptIncident, "{why}");
                why.awaits() == Awaits::Dataset
            }
            BlockedReason::UuidTaken | BlockedReason::Other(_) => {
                assert_eq!(remedy, Remedy::Nothing, "{why}");
                why.awaits() == Awaits::Nothing
            }
        };
        assert!(lifts, "{why}: {remedy}");
    }
}
