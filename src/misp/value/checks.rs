//! The checks of one test and one answer, with MISP's words for who fails them.

use super::{
    datetime, hashes, names, network, numbers, people,
    rule::Check::{self, Fits},
    text, vulnerability, weblink,
};

/// Where a type has no words of its own.
const WRONG_FORMAT: &str =
    "Value not in the right type/format. Please double check the value or select type \"other\".";

pub(super) const ONE_LINE: Check =
    Fits(text::is_one_line, "Value must not contain new line character.");
pub(super) const LINE: Check = Fits(text::is_one_line, WRONG_FORMAT);
pub(super) const HEX_DIGITS: Check = Fits(text::is_hex, WRONG_FORMAT);
pub(super) const NUMERIC: Check = Fits(text::is_numeric, WRONG_FORMAT);
pub(super) const ALPHANUMERIC: Check = Fits(text::is_alphanumeric, WRONG_FORMAT);
pub(super) const URL: Check = Fits(weblink::is_url, WRONG_FORMAT);
pub(super) const JSON: Check = Fits(text::is_json, WRONG_FORMAT);
pub(super) const MAC: Check = Fits(network::is_mac, WRONG_FORMAT);
pub(super) const EUI_64: Check = Fits(network::is_eui_64, WRONG_FORMAT);

/// MISP asks for a PHP integer and always holds a string.
pub(super) const INTEGER: Check = Fits(|_| false, "The value has to be an integer value.");
pub(super) const WHOLE_NUMBER: Check =
    Fits(text::is_digits, "The value has to be a whole number greater or equal 0.");
pub(super) const AS_NUMBER: Check =
    Fits(numbers::is_as_number, "AS number have to be integer between 1 and 4294967295");
pub(super) const DATETIME: Check =
    Fits(datetime::is_canonical, "Datetime has to be in the ISO 8601 format.");

pub(super) const DOMAIN: Check = Fits(
    names::is_domain,
    "Domain has an invalid format. Please double check the value or select type \"other\".",
);
pub(super) const HOSTNAME: Check = Fits(
    names::is_domain,
    "Hostname has an invalid format. Please double check the value or select type \"other\".",
);
pub(super) const SMALL_INTEGER: Check =
    Fits(numbers::is_integer, "The value has to be an integer value.");
pub(super) const ONION_OF_ANY_VERSION: Check =
    Fits(names::is_onion_of_any_version, "Onion address has an invalid format.");
pub(super) const VULNERABILITY: Check =
    Fits(vulnerability::is_id, "Invalid vulnerability ID format.");
pub(super) const ONION: Check = Fits(names::is_onion, "Onion address has an invalid format.");
pub(super) const HTTP_METHOD: Check = Fits(weblink::has_http_method, "Unknown HTTP method.");
pub(super) const EMAIL: Check = Fits(
    people::is_email,
    "Email address has an invalid format. Please double check the value or select type \"other\".",
);
pub(super) const CVE: Check = Fits(people::is_cve, "Invalid format. Expected: CVE-xxxx-xxxx...");
pub(super) const CWE: Check = Fits(people::is_cwe, "Invalid format. Expected: CWE-x...");
pub(super) const SERVICE_NAME: Check = Fits(
    text::is_service_name,
    "Invalid format. Only values shorter than 256 characters that don't include any forward or \
     backward slashes are allowed.",
);

pub(super) const PE_HASH: Check = Fits(
    hashes::is_pehash,
    "The input doesn't match the expected sha1 format (expected: 40 hexadecimal characters). Keep in \
     mind that MISP currently only supports SHA1 for PEhashes, if you would like to get the support \
     extended to other hash types, make sure to create a github ticket about it at \
     https://github.com/MISP/MISP!",
);
pub(super) const FILENAME_PE_HASH: Check = Fits(
    hashes::is_filename_and_pehash,
    "The input doesn't match the expected filename|sha1 format (expected: filename|40 hexadecimal \
     characters). Keep in mind that MISP currently only supports SHA1 for PEhashes, if you would like \
     to get the support extended to other hash types, make sure to create a github ticket about it at \
     https://github.com/MISP/MISP!",
);
pub(super) const CD_HASH: Check = Fits(
    hashes::is_cdhash,
    "The input doesn't match the expected format (expected: 40 or more hexadecimal characters)",
);
pub(super) const TLSH: Check = Fits(
    hashes::is_tlsh,
    "Checksum has an invalid length or format (expected: at least 35 hexadecimal characters, \
     optionally starting with t1 instead of hexadecimal characters). Please double check the value or \
     select type \"other\".",
);
pub(super) const TELFHASH: Check = Fits(
    hashes::is_telfhash,
    "Checksum has an invalid length or format (expected: 70 or 72 hexadecimal characters). Please \
     double check the value or select type \"other\".",
);
pub(super) const SSDEEP: Check =
    Fits(hashes::is_ssdeep, "Invalid SSDeep hash. The format has to be blocksize:hash:hash");
pub(super) const IMPFUZZY: Check =
    Fits(hashes::is_impfuzzy, "Invalid impfuzzy format. The format has to be imports:hash:hash");
pub(super) const SSH_FINGERPRINT: Check =
    Fits(hashes::is_ssh_fingerprint, "SSH fingerprint must be in MD5 or SHA256 format.");
pub(super) const FILENAME_LINE: Check = Fits(
    hashes::is_filename_and_line,
    "Checksum has an invalid length or format (expected: filename|string characters). Please double \
     check the value or select type \"other\".",
);
