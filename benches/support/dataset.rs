//! Made-up datasets of any size in EclecticIQ JSON; the same numbers always give the same bytes.

use std::fmt::Write as _;

/// How large a dataset is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Incidents; each becomes an event.
    pub(crate) incidents: u32,
    /// Observables of each incident, spread over its indicators: each becomes an attribute.
    pub(crate) observables: u32,
}

/// Observables of one indicator; EclecticIQ's own extraction gives a handful.
const PER_INDICATOR: u32 = 4;

impl Size {
    /// Attributes that the dataset calls for.
    pub(crate) const fn attributes(self) -> u64 {
        self.incidents as u64 * self.observables as u64
    }
}

/// A dataset: incidents, their indicators and the relations between them.
pub(crate) fn eclecticiq(size: Size) -> Vec<u8> {
    changed(size, |_| 0)
}

/// The same where the observables of these numbers, counted over the dataset, have other values: those of a version,
/// of which the first is 0.
pub(crate) fn changed(size: Size, version: impl Fn(u64) -> u64) -> Vec<u8> {
    let mut noise = Noise(0x6d69_7370);
    let mut place = 0;
    let mut version = || {
        place += 1;
        version(place - 1)
    };
    let mut text = String::from("{\"content-type\":\"urn:eclecticiq.com:json:1.0\",\"entities\":[");
    for incident in 0..size.incidents {
        let id = uuid(1, incident, 0);
        if incident > 0 {
            text.push(',');
        }
        entity(&mut text, "incident", &id, &format!("Intrusion {incident} of a made-up company"));
        text.push_str("\"extracts\":[]}");
        let mut left = size.observables;
        let mut number = 0;
        while left > 0 {
            let count = left.min(PER_INDICATOR);
            indicator(&mut text, &mut noise, [incident, number], count, &mut version);
            relation(&mut text, [incident, number], &id);
            left -= count;
            number += 1;
        }
    }
    text.push_str("]}");
    text.into_bytes()
}

fn indicator(
    text: &mut String,
    noise: &mut Noise,
    at: [u32; 2],
    count: u32,
    version: &mut impl FnMut() -> u64,
) {
    text.push(',');
    let title = format!("Indicator {} of intrusion {}", at[1], at[0]);
    entity(text, "indicator", &uuid(2, at[0], at[1]), &title);
    text.push_str("\"extracts\":[");
    for place in 0..count {
        if place > 0 {
            text.push(',');
        }
        let (kind, value) = observable(noise, version());
        write!(
            text,
            "{{\"kind\":\"{kind}\",\"value\":\"{value}\",\"meta\":{{\"classification\":\"bad\",\
             \"confidence\":\"high\"}},\"instance_meta\":{{\"link_types\":[\"test-mechanism\"]}}}}"
        )
        .expect("writing to a String never fails");
    }
    text.push_str("]}");
}

fn entity(text: &mut String, kind: &str, id: &str, title: &str) {
    write!(
        text,
        "{{\"id\":\"{id}\",\"data\":{{\"id\":\"{{https://eiq.example.org}}{kind}-{id}\",\
         \"type\":\"{kind}\",\"title\":\"{title}\",\"timestamp\":\"2024-05-14T11:00:00.000000+00:00\",\
         \"description\":\"Nothing of this ever happened.\"}},\"meta\":{{\"title\":\"{title}\",\
         \"tlp_color\":\"GREEN\",\"tags\":[\"made-up\"],\
         \"estimated_threat_start_time\":\"2024-05-01T00:00:00.000000+00:00\"}},"
    )
    .expect("writing to a String never fails");
}

fn relation(text: &mut String, at: [u32; 2], incident: &str) {
    let (id, indicator) = (uuid(3, at[0], at[1]), uuid(2, at[0], at[1]));
    write!(
        text,
        ",{{\"id\":\"{id}\",\"data\":{{\"type\":\"relation\",\
         \"id\":\"{{https://eiq.example.org}}relation-{id}\",\"key\":\"related_incidents\",\
         \"source\":\"{indicator}\",\"target\":\"{incident}\"}},\"meta\":{{}}}}"
    )
    .expect("writing to a String never fails");
}

fn uuid(kind: u8, one: u32, other: u32) -> String {
    format!("{one:08x}-{kind:04x}-4000-8000-{other:012x}")
}

/// A value that never comes twice: the mixture of kinds is that of an incident with malware.
fn observable(noise: &mut Noise, version: u64) -> (&'static str, String) {
    let number = noise.next() ^ version;
    match noise.next() % 10 {
        0..=3 => {
            let halves = [number, noise.next(), noise.next(), noise.next()];
            ("hash-sha256", halves.map(|half| format!("{half:016x}")).concat())
        }
        4 => ("hash-md5", format!("{number:016x}{:016x}", noise.next())),
        5 | 6 => ("domain", format!("host-{number:x}.example.org")),
        7 => ("uri", format!("https://host-{number:x}.example.org/path/{}", number % 97)),
        8 => {
            let [.., a, b, c, d] = number.to_be_bytes();
            ("ipv6", format!("2001:db8:{a:x}:{b:x}:{c:x}:{d:x}:{:x}:1", number >> 48))
        }
        _ => ("file", format!("invoice-{number:x}.exe")),
    }
}

/// SplitMix64.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
