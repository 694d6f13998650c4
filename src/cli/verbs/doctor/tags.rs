//! Whether what an event needs of MISP is there: TLP tags that this key may use, and the sharing group.

use crate::{
    cli::{
        Exit, unmarked,
        verbs::doctor::{Subject, finding::Finding, rights},
    },
    delivery::Reply,
    plan::{TagFact, Unmarked},
};

const CHECK: &str = "tags";

/// What makes the tags of the taxonomy, which is not there in a new MISP.
pub(crate) const MAKE_TAGS: &str = "have an administrator of MISP enable the taxonomy `tlp` and then create its tags \
     (on its page, or by tags/add; enabling alone makes none)";

/// Whether the tags that may be needed are there, or may be made.
pub(crate) fn tags(subject: &Subject<'_>) -> Vec<Finding> {
    let (record, destination) = (subject.record, subject.destination);
    let colours: Vec<&str> = destination.policy.allow_tlp.iter().map(|tlp| tlp.tag()).collect();
    let others = destination.event.tags.iter().map(|tag| &**tag);
    let wanted = colours.iter().copied().chain(others);
    let lacking: Vec<&str> = wanted.filter(|tag| !record.can_carry(tag)).collect();
    if lacking.is_empty() {
        return vec![Finding::good(CHECK, "this key may use or make all that may be needed")];
    }
    // Without a single colour nothing that is marked goes, and without a marking nothing at all.
    let nothing_goes = destination.policy.unmarked == Unmarked::Deny
        && colours.iter().all(|colour| lacking.contains(colour));
    let told = |what: String, cure: String| match nothing_goes {
        true => Finding::bad(CHECK, Exit::AllWithheld, what, cure),
        false => Finding::odd(CHECK, what, cure),
    };
    let is_missing = |tag: &&str| matches!(record.tag(tag), Some(TagFact::Missing) | None);
    let (missing, others): (Vec<&str>, Vec<&str>) = lacking.into_iter().partition(is_missing);
    let mut findings = Vec::new();
    if !missing.is_empty() {
        let names = missing.join(", ");
        let (is, it) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
        let what = format!("{names} {is} not in MISP, and the key may not make {it}");
        let cure = format!(
            "{MAKE_TAGS}, or {}; until then what is marked so is withheld",
            rights::cure("perm_tag_editor")
        );
        findings.push(told(what, cure));
    }
    for tag in others {
        let why = record.tag(tag).map(ToString::to_string).unwrap_or_default();
        let cure = "have an administrator of MISP give the tag to everybody, exportable and not local only; \
                    until then what is marked so is withheld";
        findings.push(told(format!("{tag}: {why}"), cure.to_owned()));
    }
    findings
}

/// What becomes of what has no colour.
pub(crate) fn without_colour(subject: &Subject<'_>) -> Vec<Finding> {
    if !unmarked::are_withheld(subject.destination) {
        return Vec::new();
    }
    let cure = unmarked::cure(subject.destination.name.as_str());
    let what = format!("what has no TLP colour is withheld; to send it, {cure}");
    vec![Finding::good("policy", what)]
}

/// Whether the sharing group can be used. MISP lists exactly those that the key may use.
pub(crate) fn sharing_group(subject: &Subject<'_>) -> Vec<Finding> {
    const CHECK: &str = "group";
    let Some(group) = subject.destination.event.sharing_group_id else { return Vec::new() };
    vec![match subject.groups {
        Some(Reply::SharingGroups(usable)) if usable.contains(&group) => {
            Finding::good(CHECK, format!("this key may use the sharing group {group}"))
        }
        Some(Reply::SharingGroups(usable)) => {
            let usable: Vec<String> = usable.iter().map(ToString::to_string).collect();
            let those = match usable.is_empty() {
                true => "it may use none".to_owned(),
                false => format!("it may use {}", usable.join(", ")),
            };
            let cure = format!(
                "write another `sharing_group_id` ({those}), or have the key's organisation added to an active group"
            );
            let what =
                format!("this key may not use the sharing group {group}: no event can be made");
            Finding::bad(CHECK, Exit::Refused, what, cure)
        }
        _ => {
            let cure = "look at the group in MISP; `misp-trickle show` tells what MISP refuses";
            Finding::odd(CHECK, "MISP does not list the sharing groups of this key", cure)
        }
    }]
}
