//! Whether the key may do what a run needs: the rights of its role, and the limits of the key itself.

use crate::{
    cli::{
        Exit,
        verbs::doctor::{Subject, finding::Finding},
    },
    delivery::Reply,
    plan::{OnForeign, Publish},
};

/// The roles of a new MISP that have a right.
const HOLDERS: [(&str, &[&str]); 4] = [
    ("perm_add", &["User", "Publisher", "Sync user"]),
    ("perm_tagger", &["User", "Publisher", "Sync user"]),
    ("perm_publish", &["Publisher", "Sync user"]),
    ("perm_tag_editor", &["Sync user"]),
];
/// A key that expires within this time is worth a word.
const EXPIRES_SOON_SECONDS: i64 = 30 * 24 * 3_600;

/// What gives a right: the roles of a new MISP that have it.
pub(crate) fn cure(right: &str) -> String {
    let holders = HOLDERS.iter().find(|(known, _)| *known == right).map_or(&[][..], |(_, it)| it);
    let roles = match holders {
        [] => return format!("give the key's user a role with {right}"),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    };
    format!("give the key's user the role {roles}, or another with {right}")
}

/// What the role may.
pub(crate) fn role(subject: &Subject<'_>) -> Vec<Finding> {
    let mut needed = vec![
        ("perm_add", "it may not create events or attributes"),
        ("perm_tagger", "it may not attach tags, TLP included"),
    ];
    if subject.destination.event.publish != Publish::Never {
        needed.push(("perm_publish", "`publish` is not \"never\""));
    }
    needed.extend(to_append_to_others(subject));
    let lacking = needed.into_iter().filter(|(right, _)| !subject.record.may(right));
    let lacking = lacking.map(|(right, what)| {
        Finding::bad("rights", Exit::Refused, format!("the key lacks {right}: {what}"), cure(right))
    });
    let mut findings: Vec<Finding> = lacking.collect();
    if findings.is_empty() {
        findings.push(Finding::good("rights", "the role may add, tag and what else is needed"));
    }
    let needs_admin = to_append_to_others(subject).is_some();
    if subject.record.may("perm_site_admin") && !needs_admin {
        let cure = "use a key with the role User, Publisher or Sync user";
        let what = "the key is a site administrator's, who may do everything";
        findings.push(Finding::odd("rights", what, cure));
    }
    findings
}

/// The right to append to events of other organisations, where that is wanted.
fn to_append_to_others(subject: &Subject<'_>) -> Option<(&'static str, &'static str)> {
    let wanted = subject.destination.event.on_foreign == OnForeign::Append;
    let why = "`on_foreign` is \"append\", and MISP lets nobody else append to another organisation's event";
    wanted.then_some(("perm_site_admin", why))
}

/// Whose key it is.
pub(crate) fn organisation(subject: &Subject<'_>) -> Vec<Finding> {
    let uuid = subject.record.org.map(|org| org.to_string()).unwrap_or_default();
    vec![Finding::good("org", format!("events will belong to the organisation {uuid}"))]
}

/// What the key itself may, whatever the role says: MISP shows it nowhere else.
pub(crate) fn key(subject: &Subject<'_>) -> Vec<Finding> {
    const CHECK: &str = "key";
    let rows = match subject.keys {
        Some(Reply::Keys(rows)) => rows.as_slice(),
        _ => &[],
    };
    let mut own = rows.iter().filter(|row| subject.remote.holds(row));
    let Some(row) = own.next() else {
        let what = "MISP does not show whether the key is for reading only, or expires";
        let cure = "`misp-trickle doctor --push-test-event` tries whether it may write";
        return vec![Finding::odd(CHECK, what, cure)];
    };
    let mut findings = Vec::new();
    if row.read_only {
        let cure = "make another key, without the mark \"read only\"";
        findings.push(Finding::bad(CHECK, Exit::Refused, "the key may only read", cure));
    }
    let left = row.expiration - (subject.now.seconds() + subject.record.clock_offset_seconds);
    let days = left / (24 * 3_600);
    match row.expiration {
        0 => findings.push(Finding::good(CHECK, "it does not expire")),
        _ if left < EXPIRES_SOON_SECONDS => {
            let cure = "make a new key before that";
            findings.push(Finding::odd(CHECK, format!("it expires in {days} days"), cure));
        }
        _ => findings.push(Finding::good(CHECK, format!("it expires in {days} days"))),
    }
    if let Some(list) = row.allowed_ips.as_deref().filter(|list| !list.is_empty()) {
        let what = format!("it opens MISP from {} only, this machine included", list.join(", "));
        findings.push(Finding::good(CHECK, what));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Keys, Misp, Request};

    /// The permissions that a MISP's role of this title has.
    fn granted(title: &str, right: &str) -> bool {
        let keys = Keys::demo("roles");
        let mut misp = Misp::new("http://misp.example", keys.clone());
        let asked = ["user", "publisher", "sync"].map(|role| {
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let request = Request {
                method: "GET".to_owned(),
                path: "/users/view/me".to_owned(),
                headers: vec![
                    header("Accept", "application/json"),
                    header("Authorization", keys.get(role).unwrap()),
                ],
                body: Vec::new(),
            };
            let reply = misp.handle(&request, 1_800_000_000);
            serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap()
        });
        let of_title = asked.iter().find(|me| me["Role"]["name"] == title);
        of_title.is_some_and(|me| me["Role"][right] == true)
    }

    #[test]
    fn the_roles_that_are_named_for_a_right_have_it() {
        for (right, holders) in HOLDERS {
            let words = cure(right);
            for title in ["User", "Publisher", "Sync user"] {
                assert_eq!(holders.contains(&title), granted(title, right), "{title}: {right}");
                assert_eq!(words.contains(title), holders.contains(&title), "{words}");
            }
        }
    }
}
