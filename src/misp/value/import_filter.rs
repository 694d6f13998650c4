//! The import filters that a fresh MISP comes with.
//!
//! They run on the normalised value and turn paths of one Windows machine into those of any. They are
//! settings, not rules: an administrator may change them. So [`normalise`](super::normalise) leaves them out.

use std::borrow::Cow;

use super::{Refusal, Stage};

/// Pattern and replacement, in order; without a replacement the value is blocked. In a pattern `.` is any
/// character, `*` as few characters as will do, `#` a digit; case does not count.
const FILTERS: [(&str, Option<&str>); 25] = [
    (r".:.ProgramData.", Some(r"%ALLUSERSPROFILE%\")),
    (r".:.Documents and Settings.All Users.", Some(r"%ALLUSERSPROFILE%\")),
    (r".:.Program Files.Common Files.", Some(r"%COMMONPROGRAMFILES%\")),
    // The brackets of the original are a group there, so that this never fits a real path.
    (r".:.Program Files x86.Common Files.", Some(r"%COMMONPROGRAMFILES(x86)%\")),
    (r".:.Users\*\AppData.Local.Temp.", Some(r"%TEMP%\")),
    (r".:.Program Files.", Some(r"%PROGRAMFILES%\")),
    (r".:.Program Files x86.", Some(r"%PROGRAMFILES(X86)%\")),
    (r".:.Users.Public.", Some(r"%PUBLIC%\")),
    (r".:.Documents and Settings\*\Local Settings.Temp.", Some(r"%TEMP%\")),
    (r".:.Users\*\AppData.Local.", Some(r"%LOCALAPPDATA%\")),
    (r".:.Users\*\AppData.Roaming.", Some(r"%APPDATA%\")),
    (r".:.Users\*\Application Data.", Some(r"%APPDATA%\")),
    (r".:.Windows\*\Application Data.", Some(r"%APPDATA%\")),
    (r".:.Users\*\", Some(r"%USERPROFILE%\")),
    (r".:.DOCUME~1.\*\", Some(r"%USERPROFILE%\")),
    (r".:.Documents and Settings\*\", Some(r"%USERPROFILE%\")),
    (r".:.Windows.", Some(r"%WINDIR%\")),
    (r".REGISTRY.USER.S-#-#-##-#########-##########-#########-####", Some("HKCU")),
    (r".REGISTRY.USER.S-#-#-##-##########-##########-#########-####", Some("HKCU")),
    (r".REGISTRY.USER.S-#-#-##-##########-##########-##########-####", Some("HKCU")),
    (r".REGISTRY.MACHINE.", Some(r"HKLM\")),
    (r"%USERPROFILE%.Application Data.Microsoft.UProof", None),
    (r"%USERPROFILE%.Local Settings.History", None),
    (r"%APPDATA%.Microsoft.UProof", None),
    (r"%LOCALAPPDATA%.Microsoft.Windows.Temporary Internet Files", None),
];

/// The value as it is stored by a MISP whose import filters nobody changed.
///
/// # Errors
/// If one of the filters blocks it.
pub fn import_filtered(value: &str) -> Result<Cow<'_, str>, Refusal> {
    let mut text = Cow::Borrowed(value);
    // Every pattern has one of these.
    if !value.bytes().any(|byte| matches!(byte, b':' | b'%')) && !has_registry(value) {
        return Ok(text);
    }
    for (pattern, replacement) in FILTERS {
        match replacement {
            Some(replacement) => {
                if let Some(new) = replaced(pattern, replacement, &text) {
                    text = Cow::Owned(new);
                }
            }
            None if found(pattern, &text).is_some() => {
                return Err(Refusal {
                    message: "This value is blocked by a regular expression in the import filters."
                        .to_owned(),
                    normalised: text.into_owned(),
                    stage: Stage::Format,
                });
            }
            None => {}
        }
    }
    Ok(text)
}

fn has_registry(text: &str) -> bool {
    found("REGISTRY", text).is_some()
}

fn replaced(pattern: &str, replacement: &str, text: &str) -> Option<String> {
    let mut new = String::new();
    let mut rest = text;
    while let Some((start, end)) = found(pattern, rest) {
        new.push_str(&rest[..start]);
        new.push_str(replacement);
        rest = &rest[end..];
    }
    (rest.len() < text.len()).then(|| new + rest)
}

/// Where the pattern first fits.
fn found(pattern: &str, text: &str) -> Option<(usize, usize)> {
    text.char_indices().find_map(|(start, _)| {
        let length = fitting(pattern, &text[start..])?;
        Some((start, start + length))
    })
}

/// How much of the start of the text fits the pattern.
fn fitting(pattern: &str, text: &str) -> Option<usize> {
    let mut wanted = pattern.chars();
    let Some(first) = wanted.next() else { return Some(0) };
    let pattern = wanted.as_str();
    if first == '*' {
        let line = text.find('\n').unwrap_or(text.len());
        let mut ends = (0..=line).filter(|&at| text.is_char_boundary(at));
        return ends.find_map(|at| Some(at + fitting(pattern, &text[at..])?));
    }
    let char = text.chars().next()?;
    let fits = match first {
        '.' => char != '\n',
        '#' => char.is_ascii_digit(),
        _ => char.eq_ignore_ascii_case(&first),
    };
    fits.then(|| fitting(pattern, &text[char.len_utf8()..]))?.map(|rest| char.len_utf8() + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_become_those_of_any() {
        for (sent, stored) in [
            (r"C:\Windows\09.exe", r"%WINDIR%\09.exe"),
            (r"c:\users\Bob\AppData\Local\Temp\a.exe", r"%TEMP%\a.exe"),
            (r"C:\Users\Bob\AppData\Roaming\a.exe", r"%APPDATA%\a.exe"),
            (r"C:\Users\Bob\a.exe", r"%USERPROFILE%\a.exe"),
            (r"C:\ProgramData\a|C:\Windows\b", r"%ALLUSERSPROFILE%\a|%WINDIR%\b"),
            (r"C:\Program Files (x86)\a", r"%PROGRAMFILES%\(x86)\a"),
            (r"\REGISTRY\MACHINE\Software", r"HKLM\Software"),
            ("http://example.com/%20", "http://example.com/%20"),
            (r"D:\a.exe", r"D:\a.exe"),
        ] {
            assert_eq!(import_filtered(sent).unwrap(), stored, "{sent}");
        }
    }

    #[test]
    fn some_paths_are_blocked() {
        assert!(import_filtered(r"C:\Users\Bob\Local Settings\History\x").is_err());
    }
}
