//! Pages of texts that others wrote, and of what not everybody may see.

use proptest::prelude::*;

use super::*;
use crate::{
    history::{
        Change, ChangeKind, Clearance, Cleared, FORGETS, Ledger, Outcome, Pull, PullOutcome,
        RunKind, RunRecord,
        query::{
            self, Depth, EventFilter, RunFilter, RunsFilter, Selected,
            testing::{MapLedger, event_uuid, ledger, main_destination, uuid_of},
        },
    },
    misp::Value,
    model::{
        DestinationName, Digest, EventUuid, FeedName, Marking, RouteName, RunNumber, Timestamp,
        Tlp, steers,
    },
    plan::{BlockedReason, EventHead, ExposedReason, KnownEvent, Standing, TagStanding},
};

fn view_of(ledger: &MapLedger, clearance: Clearance) -> ReportView {
    let cleared = Cleared::new(ledger, clearance);
    let runs = query::log(&cleared, &RunFilter::default(), None).unwrap();
    let name = RouteName { feed: FeedName::new("main"), destination: main_destination() };
    let destinations = ledger.destinations().unwrap();
    ReportView {
        store: "00ff".to_owned(),
        now: Timestamp::from_seconds(1_700_100_000),
        clearance,
        routes: vec![Route {
            name,
            last_success: runs.first().and_then(|run| run.ended),
            last: None,
            failures: 0,
            next: Next::OnRequest,
        }],
        overviews: destinations
            .iter()
            .map(|name| {
                query::overview(ledger, name, clearance, &mut query::Memory::default()).unwrap()
            })
            .collect(),
        days: query::traffic(&runs),
        run_count: runs.len() as u64,
        runs: runs
            .into_iter()
            .map(|run| RunView { shown: Some(query::show(&cleared, run.clone()).unwrap()), run })
            .collect(),
    }
}

fn written(ledger: &MapLedger, clearance: Clearance) -> Report {
    report(&view_of(ledger, clearance))
}

/// Every page of a site.
fn pages(ledger: &MapLedger, clearance: Clearance, asked: &str) -> Vec<String> {
    let cleared = Cleared::new(ledger, clearance);
    let site = Site {
        store: "00ff".to_owned(),
        now: Timestamp::from_seconds(1_700_100_000),
        clearance,
        twin: Some(twin("/value", &[("q".to_owned(), asked.to_owned())])),
    };
    let main = main_destination();
    let runs = query::runs_page(&cleared, &|_| true, None, 2).unwrap();
    let filter = RunFilter { feed: Some(FeedName::new(asked)), destination: None };
    let listed = RunsAsked {
        filter: RunsFilter { runs: filter, ..RunsFilter::default() },
        feeds: vec![FeedName::new("main")],
        destinations: vec![DestinationName::new("other"), main.clone()],
    };
    let filter = EventFilter::default();
    let found = query::events_page(ledger, &main, clearance, &filter, (None, 1)).unwrap();
    let view = |head: &EventHead| EventView {
        destination: DestinationName::new(asked),
        record: ledger.destination(&main).unwrap(),
        event: cleared.event(&main, head.uuid).unwrap().unwrap(),
    };
    let views: Vec<EventView> = found.events.iter().map(view).collect();
    let why = |asked: &str| query::why(&cleared, &main, asked, 20, Depth::Words).unwrap();
    let whys = [why(asked), why("example"), why(&event_uuid().to_string())];
    let newest = cleared.run(RunNumber(4)).unwrap().unwrap();
    let difference = query::diff(&cleared, &Selected::Beginning, &newest, usize::MAX).unwrap();
    let part = |run| query::show_part(&cleared, run, None, 3).unwrap();
    let mut pages = vec![
        overview_page(&view_of(ledger, clearance)),
        runs_page(&site, &runs, &listed),
        faults_page(&site, &runs),
        events(&site, &found, &listed.destinations, &EventsAsked::default()),
        event(&site, &views, None),
        value_page(&site, asked, &whys),
        diff_page(&site, &difference),
        trouble(&site, "Failed", asked),
    ];
    let all = cleared.runs().unwrap().into_iter();
    pages.extend(all.map(|run| run_page(&site, &part(run))));
    pages
}

/// A history in which everything that others write is one text.
fn saying(text: &str) -> MapLedger {
    let mut ledger = ledger();
    let event = ledger.events.values_mut().next().unwrap();
    event.head.fields.info = text.into();
    event.head.tags.set(text, TagStanding::Refused { why: text.into(), terms: Digest::plain(b"") });
    for (known, place) in event.attributes.values_mut().zip(0..) {
        known.attribute.value = Value::stored(&format!("{text}{place}"));
        if place == 0 {
            known.exposed = Some(ExposedReason::Other(text.into()));
        }
        if place == 1 {
            known.standing = Standing::Rejected { words: text.into(), version: text.into() };
        }
    }
    for record in ledger.destinations.values_mut() {
        record.version = text.to_owned();
    }
    for run in &mut ledger.runs {
        run.notes = vec![text.to_owned()];
        run.source = text.to_owned();
        run.outcome = Outcome::Partial;
        run.pull = Some(Pull {
            begun: run.begun,
            outcome: PullOutcome::Failed,
            error: Some(text.to_owned()),
            requests: 1,
            bytes_received: 2,
            objects: 3,
            notes: vec![text.to_owned()],
        });
    }
    ledger.changes.values_mut().flatten().for_each(|change| match &mut change.kind {
        ChangeKind::Rejected(words) | ChangeKind::Tagged(words) => *words = text.into(),
        _ => {}
    });
    ledger
}

const ELEMENTS: &str = "html head meta title style body a header h1 h2 h3 h4 p span strong nav ul li main section table \
    thead tbody tfoot tr th td caption br code bdi details summary link form label input select option button ol svg rect path figure figcaption div dl dt dd footer time";
const VOID: [&str; 5] = ["meta", "br", "link", "input", "!DOCTYPE"];
const ATTRIBUTES: &str = "lang charset http-equiv content name class href id aria-labelledby aria-label aria-hidden \
    scope data-label datetime colspan viewBox preserveAspectRatio role focusable x y width height d tabindex rel title method action for type name value placeholder autocomplete spellcheck aria-current size inputmode";

/// Reads a page as a strict reader does: what it holds are known elements with known attributes, each closed, and no letter
/// that steers.
fn assert_harmless(html: &str) {
    let html = match html.split_once("<style>") {
        Some((head, style)) => format!("{head}{}", style.split_once("</style>").unwrap().1),
        None => html.to_owned(),
    };
    assert!(html.chars().all(|letter| letter == '\n' || !steers(letter)), "a letter steers");
    let mut open = Vec::new();
    for tag in html.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('>') && !text.contains('"'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if VOID.contains(&name) {
            continue;
        }
        assert!(ELEMENTS.split_whitespace().any(|known| known == name), "<{name}>");
        open.push(name);
        let parts: Vec<&str> = attributes.split('"').collect();
        for pair in parts.chunks_exact(2) {
            let names: Vec<&str> = pair[0].trim().trim_end_matches('=').split(' ').collect();
            let (key, alone) = names.split_last().unwrap();
            assert!(alone.iter().all(|name| *name == "selected" || *name == "checked"), "{tag}");
            assert!(ATTRIBUTES.split_whitespace().any(|known| known == *key), "{key} in {tag}");
            let is_own = pair[1].starts_with('/') && !pair[1].starts_with("//");
            let is_safe = is_own
                || pair[1].starts_with('#')
                || pair[1].starts_with("https://misp.example/events/view/");
            assert!(*key != "href" || is_safe, "{}", pair[1]);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn hostile_texts_do_no_harm() {
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='x",
        "</main><main id=\"main\">",
        "javascript:alert(1)",
        "\u{202e}gnp.exe\u{2066}\u{200f}",
        "\u{1b}[2J\u{7}\0\r\n\u{85}\u{2028}",
        "&lt;b&gt;&#x3c;",
        "]]><!--",
        "{{7*7}}${7*7}",
        "\u{fffe}\u{ffff}\u{e0041}",
        &"A".repeat(64 << 10),
        &"\u{202e}<".repeat(16 << 10),
    ] {
        let Report { html, digest } = written(&saying(text), Clearance::ALL);
        assert_harmless(&html);
        let main = html.lines().find(|line| line.starts_with("<main")).unwrap();
        assert!(main.ends_with("</main>"), "what is proven is one line");
        assert_eq!(Digest::plain(format!("{main}\n").as_bytes()), digest);
        assert!(html.contains(&digest.to_string()));
        pages(&saying(text), Clearance::ALL, text).iter().for_each(|page| assert_harmless(page));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_text_does_no_harm(text in any::<String>(), more in "[<>&\"'/=\\-!\u{202e}\u{0}-\u{1f}a-z ]{0,40}") {
        assert_harmless(&written(&saying(&text), Clearance::ALL).html);
        assert_harmless(&written(&saying(&more), Clearance::up_to(Tlp::Green)).html);
        pages(&saying(&text), Clearance::ALL, &more).iter().for_each(|page| assert_harmless(page));
    }
}

#[test]
fn a_long_text_is_shortened_and_all_of_it_is_there() {
    let text = "long ".repeat(13_000);
    let html = written(&saying(&text), Clearance::ALL).html;
    let summaries =
        html.split("<summary>").skip(1).map(|it| it.split("</summary>").next().unwrap());
    assert!(summaries.map(str::len).max().unwrap() < 1_000);
    assert!(html.contains(&text));
}

/// A history of which a part is red: an event, and attributes of another, with all that is said of them.
fn partly_red() -> MapLedger {
    let mut ledger = saying("SECRET");
    let red = Marking::of(Some(Tlp::Red));
    let mut free = ledger.events.values().next().unwrap().clone();
    free.head.fields.info = "Known to all".into();
    free.head.tags = crate::plan::EventTags::default();
    for known in free.attributes.values_mut() {
        known.marking = red;
    }
    let seen = free.attributes.get_mut(&uuid_of("old.example")).unwrap();
    seen.marking = Marking::of(Some(Tlp::Green));
    seen.attribute.value = Value::stored("seen.example");
    (seen.standing, seen.exposed) = (Standing::Sent, None);
    let other = EventUuid::new(uuid::Uuid::from_u128(7));
    let secret = ledger.events.values_mut().next().unwrap();
    secret.head.uuid = other;
    secret.head.marking = red;
    let mut secret: KnownEvent = secret.clone();
    let known = secret.attributes.values_mut().next().unwrap();
    known.standing = Standing::Blocked(BlockedReason::Other("SECRET".into()));
    ledger.events = [(event_uuid(), free), (other, secret)]
        .map(|(uuid, event)| ((main_destination(), uuid), event))
        .into();
    let moved = |change: &Change| Change { event: other, ..change.clone() };
    for changes in ledger.changes.values_mut() {
        let more: Vec<Change> = changes.iter().map(moved).collect();
        for change in changes.iter_mut().filter(|change| change.attribute.is_none()) {
            change.kind = ChangeKind::Published;
        }
        changes.extend(more);
    }
    ledger
}

/// Nothing of what is marked stricter, not even the names from which a value could be guessed.
fn assert_silent(text: &str) {
    let named = ["new.example", "gone.example", "back.example", "red.example", "bad.example"];
    let hidden = named.map(|value| uuid_of(value).to_string());
    let other = EventUuid::new(uuid::Uuid::from_u128(7)).to_string();
    for secret in hidden.iter().map(String::as_str).chain([&*other, "SECRET"]) {
        let told = text.find(secret).map(|at| text.get(at.saturating_sub(200)..at));
        assert_eq!(told, None, "{secret}");
    }
}

#[test]
fn what_is_marked_stricter_is_counted_and_not_shown() {
    let mut ledger = partly_red();
    for record in ledger.destinations.values_mut() {
        record.version = "2.5.1".to_owned();
    }
    let Report { html, .. } = written(&ledger, Clearance::up_to(Tlp::Green));
    assert_silent(&html);
    assert!(html.contains("seen[.]example") && html.contains("Known to all"), "{html}");
    assert!(html.contains("2 not shown: marked stricter than green"), "{html}");
    assert!(html.contains("12 attributes in 2 events"), "all are counted");
    let pages = pages(&ledger, Clearance::up_to(Tlp::Green), "example");
    pages.iter().for_each(|page| assert_silent(page));
    assert!(pages[3].contains("1 not shown") && pages[4].contains("seen[.]example"));
    let whole = written(&ledger, Clearance::up_to(Tlp::Red)).html;
    assert!(whole.contains("SECRET") && !whole.contains("not shown:"));
}

#[test]
fn no_question_tells_what_is_marked_stricter() {
    let ledger = partly_red();
    let cleared = Cleared::new(&ledger, Clearance::up_to(Tlp::AmberStrict));
    let main = main_destination();
    for run in query::log(&cleared, &RunFilter::default(), None).unwrap() {
        assert_silent(&format!("{:?}", query::show(&cleared, run).unwrap()));
    }
    let mut to = cleared.run(RunNumber(4)).unwrap().unwrap();
    to.source.clear();
    assert_silent(&format!(
        "{:?}",
        query::diff(&cleared, &Selected::Beginning, &to, usize::MAX).unwrap()
    ));
    for asked in ["SECRET", "SECRET1", &uuid_of("red.example").to_string(), "seen.example"] {
        let found = query::why(&cleared, &main, asked, 20, Depth::Words).unwrap();
        assert_silent(&format!("{:?}", found.answers));
        assert_eq!(found.answers.len(), usize::from(asked == "seen.example"));
    }
}

#[test]
fn what_a_run_was_for_is_told_whatever_is_marked_stricter() {
    let mut ledger = partly_red();
    let mut run = ledger.runs[0].clone();
    (run.source, run.source_digest) = (FORGETS.to_owned(), None);
    ledger.runs.push(run);
    let cleared = Cleared::new(&ledger, Clearance::up_to(Tlp::Green));
    let kinds = |ledger: &dyn Ledger| {
        ledger.runs().unwrap().iter().map(RunRecord::kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&cleared), kinds(&ledger));
    assert!(kinds(&cleared).contains(&RunKind::Forgetting));
}

#[test]
fn what_is_to_be_done_by_hand_says_what_would_change_it_as_why_does() {
    for (why, remedy) in [
        (
            BlockedReason::OwnerUnknown("2.4".into()),
            "a version of MISP that says whose the event is",
        ),
        (BlockedReason::EventHidden, "a key of the organisation that owns the event"),
        (BlockedReason::IncidentNotAccepted, "the source accepts the incident"),
    ] {
        let mut ledger = ledger();
        let event = ledger.events.values_mut().next().unwrap();
        event.attributes.values_mut().next().unwrap().standing = Standing::Blocked(why);
        let all = written(&ledger, Clearance::ALL).html;
        assert!(all.contains(remedy), "{remedy} is not in {all}");
        let none = written(&ledger, Clearance::up_to(Tlp::Clear)).html;
        assert!(!none.contains(remedy), "{remedy}");
    }
}

/// A clock that was wrong, or is: of what lies in the future nobody says how long ago it was.
#[test]
fn what_lies_in_the_future_is_told_as_that() {
    const WORDS: &str = "in the future by this machine";
    let mut view = view_of(&ledger(), Clearance::ALL);
    let html = report(&view).html;
    assert!(!html.contains(WORDS) && html.contains(" ago"), "{html}");
    view.now = Timestamp::from_seconds(1_000_000_000);
    let html = report(&view).html;
    assert!(html.contains(WORDS), "{html}");
    assert!(!html.contains(" ago"), "{html}");
}
