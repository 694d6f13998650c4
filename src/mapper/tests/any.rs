//! What holds for every dataset and every set of rules.

use super::*;

fn any_rules() -> impl Strategy<Value = Rules> {
    let tags =
        proptest::sample::select(vec![IncludeTags::None, IncludeTags::Event, IncludeTags::All]);
    let comment = proptest::sample::select(vec![Comment::None, Comment::Title]);
    (tags, comment, 0..200_u32, any::<bool>()).prop_map(
        |(include_tags, comment, comment_max, text_fallback)| {
            let settings = Settings { include_tags, comment, comment_max, text_fallback };
            Rules::standard().with_settings(settings)
        },
    )
}

fn map_all(graph: &Graph, rules: &Rules) -> Vec<Mapped> {
    graph.incidents().map(|incident| map(&incident, rules, NOW)).collect()
}

fn is_short(text: &str) -> bool {
    text.len() <= 65_535 && text.chars().all(|c| c <= '\u{ffff}' && !c.is_control())
}

proptest! {
    #[test]
    fn order_of_input_has_no_say((one, other) in shuffled_facts(), rules in any_rules()) {
        let [one, other] = [one, other]
            .map(|facts| Graph::build(facts, &Aliases::default(), &Options::default()));
        prop_assert_eq!(map_all(&one, &rules), map_all(&other, &rules));
    }

    #[test]
    fn every_event_is_one_that_misp_takes(facts in any_facts(), rules in any_rules(), depth in 0..3_u8) {
        let options = Options { depth, ..Options::default() };
        let graph = Graph::build(facts, &Aliases::default(), &options);
        for mapped in map_all(&graph, &rules) {
            let Mapped { event, losses, tally } = mapped;
            prop_assert!(tally.adds_up());
            prop_assert_eq!(tally.mapped, event.attributes.len() as u64);
            prop_assert_eq!(tally.lost_total(), losses.len() as u64);
            let sources: usize = event.attributes.iter().map(|desired| desired.sources.len()).sum();
            prop_assert_eq!(tally.mapped + tally.merged, sources as u64);
            prop_assert!(!event.fields.info.is_empty() && is_short(&event.fields.info));
            prop_assert!(&*event.fields.date >= "1600-01-01" && event.fields.date.len() == 10);
            let uuids: Vec<_> = event.attributes.iter().map(|desired| desired.attribute.uuid).collect();
            prop_assert!(uuids.is_sorted_by(|one, next| one < next));
            for DesiredAttribute { attribute, marking, .. } in &event.attributes {
                let kind: AttributeType = attribute.kind;
                prop_assert!(kind.allows(attribute.category));
                prop_assert_eq!(normalise(kind, attribute.value.as_str()), Ok(attribute.value.clone()));
                prop_assert!(is_short(&attribute.comment));
                prop_assert!(marking.tlp >= event.marking.tlp);
                prop_assert!(marking.unmarked || !event.marking.unmarked);
                let seen = attribute.first_seen.zip(attribute.last_seen);
                prop_assert!(seen.is_none_or(|(first, last)| first <= last));
                prop_assert!(attribute.tags.is_sorted());
            }
        }
    }
}
