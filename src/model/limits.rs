//! A limit on everything that input or a peer could make large. Each hit is a named error or issue.

/// Deepest nesting of JSON that is read; `serde_json` has the same limit built in.
pub const JSON_DEPTH_MAX: usize = 128;
/// Longest single object of a dataset that is decoded, in bytes. Longer ones are skipped and reported.
pub const OBJECT_BYTES_MAX: usize = 64 << 20;
/// Deepest nesting of lists of packages, and of bundles in one another.
pub const ENVELOPE_DEPTH_MAX: usize = 16;
/// Most bytes that a compressed source may unpack to.
pub const SOURCE_BYTES_MAX: u64 = 64 << 30;
/// Longest document or list of a source over HTTP that is read, in bytes.
pub const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// Longest body of a source over HTTP that is downloaded, as it comes over the wire, in bytes.
pub const DOWNLOAD_BYTES_MAX: u64 = 4 << 30;
/// A download that brings fewer bytes a second than these, once its time-out passed, is given up.
pub const DOWNLOAD_RATE_MIN: u64 = 100;
/// Longest line of a pack of a mirror, in bytes; objects are not among them.
pub const PACK_LINE_BYTES_MAX: usize = 64 << 10;
/// Longest bookmark of a source, in bytes.
pub const BOOKMARK_BYTES_MAX: usize = 16 << 10;
/// Most objects and removals that a mirror's packs may hold.
pub const MIRROR_RECORDS_MAX: usize = 100_000_000;
/// Most damaged objects of a mirror that are kept one by one; the rest is counted.
pub const DAMAGED_KEPT_MAX: usize = 10_000;
/// Longest value or comment that MISP takes, in bytes (MISP 2.5.1: a longer one is refused or a 500).
pub const MISP_TEXT_BYTES_MAX: usize = 65_535;
/// Longest tag name, in characters; MISP cuts longer ones and then does not find them again.
pub const TAG_CHARS_MAX: usize = 255;
/// Most observables that one STIX pattern may give.
pub const PATTERN_COMPARISONS_MAX: usize = 10_000;
/// Deepest nesting of parentheses in a STIX pattern.
pub const PATTERN_DEPTH_MAX: usize = 128;
/// Most bytes of observables that STIX objects take over from the objects they refer to, in one source.
pub const OBSERVED_BYTES_MAX: usize = 1 << 30;
/// Farthest an entity may be from its incident, in relations.
pub const GRAPH_DEPTH_MAX: u8 = 8;
/// Most issues of one source that are kept one by one; the rest is counted.
pub const ISSUES_KEPT_MAX: usize = 1_000;
/// Longest text that is kept of what others say, in characters: notes, reasons, MISP's words. What stands behind
/// that is cut off.
pub const WORDS_CHARS_MAX: usize = 1_000;
/// Longest name that is kept as it is, in bytes: the id of an entity, a kind. A longer one is known by its beginning
/// and its digest.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Most sources of one attribute that are kept: the first in order.
pub const SOURCES_KEPT_MAX: usize = 200;
/// Most tags of incidents that an event gets, beside those of TLP and of reliability: the first in order.
pub const EVENT_TAGS_MAX: usize = 1_000;
/// Most tags of entities that an attribute gets, beside that of TLP: the first in order.
pub const ATTRIBUTE_TAGS_MAX: usize = 100;
/// Most feeds of a store: each has a bit in what an attribute is wanted by.
pub const FEEDS_MAX: usize = 32;
/// Most notes that are kept of one run; the rest is counted.
pub const NOTES_KEPT_MAX: usize = 1_000;
/// Most notes that are kept of one pull; the rest is counted. Each run that rests on it has them.
pub const PULL_NOTES_KEPT_MAX: usize = 20;
/// Longest answer of a MISP that is read, in bytes.
pub const REPLY_BYTES_MAX: usize = 256 << 20;
/// The earliest day of a MISP event, 1600-01-01, in seconds since 1970 (MISP 2.5.1 refuses earlier ones).
pub const EVENT_DATE_SECONDS_MIN: i64 = -11_676_096_000;
/// Behind the latest day of a MISP event: the year 9999 is how sources write "never".
pub const EVENT_DATE_SECONDS_END: i64 = 253_370_764_800;
/// The earliest point in time that is sent as a `first_seen` or `last_seen`: the year 1.
pub const TIME_SECONDS_MIN: i64 = -62_135_596_800;
/// The latest point in time that has a name in ISO 8601 as MISP reads it, in seconds since 1970.
pub const TIME_SECONDS_MAX: i64 = 253_402_207_200;
