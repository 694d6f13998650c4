//! An HTTP answer as a reply. Nothing that is not exactly what MISP answers passes for a success.

mod body;
#[cfg(test)]
mod odd;

use crate::{
    delivery::{Call, RefusedWhy, Reply, Trouble, rows},
    http::{self, Misread, PROXY_ASKS},
    remote::json::{self, NotMisp},
};

use super::{answered, route::describe};
use body::{attribute_answers, success};

/// An HTTP answer, its body decompressed.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// `Location`.
    pub location: Option<String>,
    /// `ETag`: MISP gives it where the request has `If-None-Match`.
    pub etag: Option<String>,
    /// `X-Result-Count`: more than the body holds where a limit of the server cut it.
    pub result_count: Option<u64>,
    /// `Retry-After` or MISP's `X-Rate-Limit-Reset`, in seconds.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// Reads an answer to a call.
#[must_use]
pub fn decode(call: &Call, answer: &Answer) -> Reply {
    let has_tag = call.has_tag();
    let call = call.bare();
    match answer.status {
        200 if lists(call) && answer.body.is_empty() => {
            let why = "an empty answer, where MISP ends a list with an empty line";
            Reply::Trouble(Trouble::ServerError { why: why.into() })
        }
        200 => intact(call, answer)
            .and_then(|()| success(call, &answer.body))
            .map(|reply| uncut(call, reply, answer))
            .unwrap_or_else(|error| unreadable(call, answer, &error)),
        304 if has_tag => Reply::NotModified,
        304 => {
            let why = "HTTP 304 to a request that asks for no such thing; MISP never answers so";
            Reply::Trouble(Trouble::NotMisp { why: why.into() })
        }
        300..=399 => Reply::Trouble(Trouble::NotMisp { why: redirect(answer) }),
        // Content, URI or header fields that are too large.
        413 | 414 | 431 => Reply::Trouble(Trouble::TooLarge { why: status_text(answer) }),
        425 | 429 => no_effect(answer),
        400 if speaks_tls(&answer.body) => {
            let why = "the server speaks TLS on this port; write https into `url`";
            Reply::Trouble(Trouble::NotMisp { why: why.into() })
        }
        400..=405 => refusal(call, answer),
        407 => Reply::Trouble(Trouble::NotMisp { why: format!("HTTP 407: {PROXY_ASKS}").into() }),
        // MISP's own 500 is JSON; any other comes from something before it.
        500 if json::errors(&answer.body).is_ok() => {
            Reply::Trouble(Trouble::ServerError { why: status_text(answer) })
        }
        500 | 504 | 524 => {
            let (why, retry_after) = (status_text(answer), answer.retry_after);
            Reply::Trouble(Trouble::Unknown { why, retry_after })
        }
        // RFC 9110, and what large proxies say of a server that they do not reach, or that is not ready.
        408 | 502 | 503 | 520..=523 | 525..=527 | 529 | 530 | 598 | 599 => {
            let (why, retry_after) = (status_text(answer), answer.retry_after);
            Reply::Trouble(Trouble::Busy { why, retry_after })
        }
        _ => Reply::Trouble(Trouble::NotMisp {
            why: format!("{}; MISP never answers so", status_text(answer)).into(),
        }),
    }
}

/// A search for attributes that a limit of the server cut says nothing of what it leaves out.
fn uncut(call: &Call, reply: Reply, answer: &Answer) -> Reply {
    let held = match &reply {
        // MISP counts one more than a full page holds, and than an empty one, whatever follows.
        Reply::Count(count) if *call == Call::AnyRows(*count) => return reply,
        Reply::Count(0) if matches!(call, Call::AnyRows(_)) => return reply,
        Reply::Count(count) => *count,
        Reply::RowsSince(rows) => rows.len() as u64,
        _ => return reply,
    };
    if answer.result_count.is_none_or(|all| all <= held) {
        return reply;
    }
    let words =
        "a limit of the server cut the answer (MISP.default_restsearch_limit, or the role's own)";
    Reply::Refused { why: RefusedWhy::Invalid, words: words.into() }
}

fn no_effect(answer: &Answer) -> Reply {
    let why = status_text(answer);
    Reply::Trouble(Trouble::NoEffect { why, retry_after: answer.retry_after })
}

fn status_text(answer: &Answer) -> Box<str> {
    let words = json::errors(&answer.body).map(|error| error.words()).unwrap_or_default();
    let status = answer.status;
    if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") }
        .into()
}

/// What Apache and nginx say, in HTML, to somebody who does not speak TLS where they do.
fn speaks_tls(body: &[u8]) -> bool {
    let says = |words: &str| memchr::memmem::find(body, words.as_bytes()).is_some();
    says("plain HTTP to an SSL-enabled") || says("plain HTTP request was sent to HTTPS")
}

fn redirect(answer: &Answer) -> Box<str> {
    // What follows the path may be long, and is meant for a browser.
    let to = answer.location.as_deref().unwrap_or("nowhere");
    let to = to.split(['?', '#']).next().unwrap_or_default();
    if to.contains("/users/login") {
        "MISP redirects to its login page: it is in maintenance, or `url` is not the address of its API; look \
         at it with a browser"
            .into()
    } else {
        format!(
            "the server redirects to {to}, and the key goes nowhere else; if MISP is there, write that \
             address into `url`; if it is a login page, have the way to MISP's API exempted from it"
        )
        .into()
    }
}

/// A success that cannot be read: a login page, another program, or an answer that was cut.
fn unreadable(call: &Call, answer: &Answer, error: &NotMisp) -> Reply {
    if let Some(why) = answered::php_notice(&answer.body) {
        return Reply::Trouble(Trouble::NotMisp { why });
    }
    if answer.body.trim_ascii_start().starts_with(b"<") {
        let why = "a web page came back, not an answer of MISP's API: perhaps the login page of something \
                   before it; correct `url`, or have the way to MISP's API exempted from the login";
        return Reply::Trouble(Trouble::NotMisp { why: why.into() });
    }
    // Whole, and of something else: asking again does not help.
    let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
    if matches!(call, Call::Version) && is_whole {
        return Reply::Trouble(Trouble::NotMisp { why: answered::elsewhere(answer) });
    }
    let seen = Misread::at_first_sight(&answer.body).map(|why| NotMisp::misread("", &why));
    let error = seen.as_ref().unwrap_or(error);
    let why = format!("{}: {error}", describe(call)).into();
    Reply::Trouble(Trouble::Unknown { why, retry_after: None })
}

/// Lists decide what counts as deleted by an analyst, for good: where one carries MISP's tag, the SHA-1 of the
/// body, it has to agree. A web server may have marked the tag as weak, or as that of a packed body.
fn intact(call: &Call, answer: &Answer) -> Result<(), NotMisp> {
    let tag = match (call, &answer.etag) {
        (
            Call::Rows { .. } | Call::TaggedRows { .. } | Call::Listing(_) | Call::Page(_),
            Some(tag),
        ) => tag,
        _ => return Ok(()),
    };
    let bare = tag.trim_start_matches("W/").trim_matches('"');
    let bare = bare.strip_suffix("-gzip").or_else(|| bare.strip_suffix("-br")).unwrap_or(bare);
    let is_sha1 = bare.len() == 40 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sha1 && rows::etag(&answer.body).trim_matches('"') != bare {
        let what = "it is not what MISP sent, by its ETag: it was damaged or changed on the way";
        return Err(NotMisp::new(what));
    }
    Ok(())
}

/// Whether CSV is asked for. PHP that runs out of memory over it may answer with nothing at all.
const fn lists(call: &Call) -> bool {
    matches!(
        call,
        Call::Rows { .. }
            | Call::TaggedRows { .. }
            | Call::Listing(_)
            | Call::Page(_)
            | Call::RowsSince { .. }
    )
}

/// MISP's 400 to 405, told apart by its own words.
fn refusal(call: &Call, answer: &Answer) -> Reply {
    let asks = matches!(call, Call::Version | Call::Whoami);
    if let Some(why) = answered::php_notice(&answer.body) {
        return Reply::Trouble(Trouble::NotMisp { why });
    }
    // Whoever MISP knows may ask what it is; where it knows nothing of the question, it is another address.
    if asks && answer.status == 404 {
        return Reply::Trouble(Trouble::NotMisp { why: answered::elsewhere(answer) });
    }
    let Ok(error) = json::errors(&answer.body) else {
        let (status, what) = (answer.status, http::answered(&answer.body));
        let why =
            format!("HTTP {status} without MISP's JSON: something before MISP answered, {what}");
        return Reply::Trouble(Trouble::NotMisp { why: why.into() });
    };
    // Whoever it knows may ask what it is, and whoever it does not gets 401 or 403.
    if asks && !matches!(answer.status, 401 | 403) {
        let why = answered::no_matter_of_the_key(answer.status, &error.words());
        return Reply::Trouble(Trouble::NotMisp { why });
    }
    if let (403, Call::AppendLoudly { attributes, .. }) = (answer.status, call)
        && error.errors.is_object()
        && let Ok(reply) = attribute_answers(&answer.body, attributes)
    {
        return reply;
    }
    let words = error.words();
    let has = |text: &str| words.contains(text) || error.message.contains(text);
    let appends =
        matches!(call, Call::AddEvent(_) | Call::AppendQuietly { .. } | Call::AppendLoudly { .. });
    let why = if has("Authentication failed") || has("this Auth key") {
        RefusedWhy::Key
    } else if has("permission to use this functionality") {
        if appends {
            // MISP shows of a key that may only read the rights of its role.
            let words = format!(
                "{words} Its role lacks perm_add, or the key itself may only read: then make another without that mark"
            );
            return Reply::Refused { why: RefusedWhy::Key, words: words.into() };
        }
        RefusedWhy::NotPermitted
    } else if has("already exists") && matches!(call, Call::AddEvent(_)) {
        return Reply::EventExists;
    } else if has("blocked by event blocklist") {
        RefusedWhy::Blocklisted
    } else if has("not newer than the local copy") {
        RefusedWhy::NotNewer
    } else if has("permission") || has("not authorised") {
        RefusedWhy::NotPermitted
    } else if answer.status == 404 || has("Invalid event") {
        RefusedWhy::NoSuchEvent
    } else if has("rate limit") {
        return no_effect(answer);
    } else {
        RefusedWhy::Invalid
    };
    Reply::Refused { why, words: words.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "\"13cb1207-0674-4a54-a999-df5ff8e35c1a\",0,1700000000\n\n";

    fn asked(body: &str, etag: Option<String>) -> Reply {
        let call = Call::Rows { events: Vec::new(), expected: Vec::new() };
        let body = body.as_bytes().to_vec();
        decode(&call, &Answer { status: 200, etag, body, ..Answer::default() })
    }

    #[test]
    fn a_list_that_is_not_what_misp_sent_is_no_answer() {
        let tag = rows::etag(ROW.as_bytes());
        let bare = tag.trim_matches('"');
        for sound in [&tag, &format!("W/{tag}"), &format!("\"{bare}-gzip\""), "\"another's\""] {
            assert!(matches!(asked(ROW, Some(sound.to_owned())), Reply::Rows(_)), "{sound}");
        }
        assert!(matches!(asked(ROW, None), Reply::Rows(_)));
        let changed = ROW.replace("00000\n", "00001\n");
        assert!(matches!(asked(&changed, Some(tag)), Reply::Trouble(Trouble::Unknown { .. })));
    }
}
