//! Reads Rust as far as the rules need it: which paths a file names, and what of it is test code.

use std::collections::BTreeSet;

/// What a file says, comments and literals aside.
pub(crate) struct Scan {
    /// Every path of more than one segment, groups of `use` taken apart: `["std", "fs", "File"]`. `crate`,
    /// `self` and `super` are resolved, so that a path into this crate begins with `crate`.
    pub(crate) paths: BTreeSet<Vec<String>>,
    /// Macros called, without their `!`.
    pub(crate) macros: BTreeSet<String>,
    /// Every name, outside test code.
    pub(crate) words: BTreeSet<String>,
    /// Modules that are compiled for tests only: `#[cfg(test)] mod name;`.
    pub(crate) test_modules: BTreeSet<String>,
}

/// Scans a file. `module` is its place in the crate, such as `["graph", "walk"]`; inline modules are followed.
pub(crate) fn scan(text: &str, module: &[&str]) -> Scan {
    let mut scanner = Scanner {
        tokens: tokens(text),
        at: 0,
        module: module.iter().map(ToString::to_string).collect(),
        inline: Vec::new(),
        depth: 0,
        test_from: None,
        found: Scan {
            paths: BTreeSet::new(),
            macros: BTreeSet::new(),
            words: BTreeSet::new(),
            test_modules: BTreeSet::new(),
        },
    };
    scanner.run();
    scanner.found
}

struct Scanner {
    tokens: Vec<String>,
    at: usize,
    module: Vec<String>,
    /// Depths at which inline modules began.
    inline: Vec<usize>,
    depth: usize,
    /// Depth of the test module that we are in.
    test_from: Option<usize>,
    found: Scan,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn run(&mut self) {
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "mod" if is_word(self.peek(1)) => self.module_begins(),
                "{" => {
                    self.depth += 1;
                    self.at += 1;
                }
                "}" => self.block_ends(),
                word if is_word(word) => self.word(),
                _ => self.at += 1,
            }
        }
    }

    fn module_begins(&mut self) {
        let name = self.peek(1).to_owned();
        // `#[cfg(test)]`, then perhaps `pub(crate)`.
        let before = self.tokens[..self.at].rsplit(|token| token == ";" || token == "}").next();
        let is_test = before.is_some_and(|tokens| tokens.join("").contains("#[cfg(test)]"));
        if self.peek(2) == "{" {
            self.module.push(name);
            self.inline.push(self.depth);
            if is_test {
                self.test_from.get_or_insert(self.depth);
            }
        } else if is_test {
            self.found.test_modules.insert(name);
        }
        self.at += 2;
    }

    fn block_ends(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.inline.last() == Some(&self.depth) {
            self.inline.pop();
            self.module.pop();
        }
        if self.test_from == Some(self.depth) {
            self.test_from = None;
        }
        self.at += 1;
    }

    fn word(&mut self) {
        if self.test_from.is_none() {
            self.found.words.insert(self.peek(0).to_owned());
        }
        match self.peek(1) {
            "::" => self.tree(&mut Vec::new()),
            "!" => {
                self.found.macros.insert(self.peek(0).to_owned());
                self.at += 1;
            }
            _ => self.at += 1,
        }
    }

    /// A path with all that hangs on it: `a::{b, c::{d, e}}`.
    fn tree(&mut self, path: &mut Vec<String>) {
        let length = path.len();
        loop {
            path.push(self.peek(0).to_owned());
            if self.test_from.is_none() {
                self.found.words.insert(self.peek(0).to_owned());
            }
            self.at += 1;
            if self.peek(0) != "::" {
                break;
            }
            self.at += 1;
            if self.peek(0) == "{" {
                self.group(path);
                path.truncate(length);
                return;
            }
            if !is_word(self.peek(0)) && self.peek(0) != "*" {
                break;
            }
        }
        if path.len() > 1 {
            let resolved = self.resolve(path);
            self.found.paths.insert(resolved);
        }
        path.truncate(length);
    }

    fn group(&mut self, path: &mut Vec<String>) {
        self.at += 1;
        while !matches!(self.peek(0), "}" | "") {
            match self.peek(0) {
                word if is_word(word) || word == "*" => self.tree(path),
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }

    fn resolve(&self, path: &[String]) -> Vec<String> {
        let climbs = path.iter().take_while(|segment| *segment == "super").count();
        let base = match path[0].as_str() {
            "super" => &self.module[..self.module.len().saturating_sub(climbs)],
            "self" => &self.module[..],
            _ => return path.to_vec(),
        };
        let rest = &path[climbs.max(1)..];
        std::iter::once("crate".to_owned()).chain(base.iter().chain(rest).cloned()).collect()
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::`, and single other characters; comments and literals are left out.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let word: String =
                rest.chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect();
            let length = word.len();
            tokens.push(word);
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Length of the string or character literal that a text begins with.
fn literal(text: &str) -> Option<usize> {
    let after = text.strip_prefix('b').unwrap_or(text);
    let prefix = text.len() - after.len();
    if let Some(raw) = after.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = body.find(&close).map_or(body.len(), |end| end + close.len());
        return Some(prefix + 1 + hashes + 1 + end);
    }
    let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let body = &after[1..];
    // A lifetime is no literal.
    let is_character = body.starts_with('\\') || body.chars().nth(1) == Some('\'');
    if quote == '\'' && !is_character {
        return None;
    }
    let mut escaped = false;
    for (at, letter) in body.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(prefix + 1 + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, module: &[&str]) -> Vec<String> {
        scan(text, module).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn groups_are_taken_apart() {
        assert_eq!(
            paths("use crate::{graph::{Entity, why::Why}, model::*, misp};", &["mapper"]),
            ["crate::graph::Entity", "crate::graph::why::Why", "crate::misp", "crate::model::*"]
        );
        assert_eq!(
            paths("use std::{collections::BTreeMap, fs};", &["mapper"]),
            ["std::collections::BTreeMap", "std::fs"]
        );
    }

    #[test]
    fn climbing_is_followed() {
        let text = "use super::super::store::Store; mod tests { use super::super::super::cli; }";
        assert_eq!(paths(text, &["plan", "diff"]), ["crate::cli", "crate::store::Store"]);
        assert_eq!(paths("use self::inner::X;", &["plan"]), ["crate::plan::inner::X"]);
        assert_eq!(paths("let x = crate::misp::y::<u8>(1);", &["plan"]), ["crate::misp::y"]);
    }

    #[test]
    fn comments_and_literals_say_nothing() {
        let text = r####"
            // std::fs::read
            /* std::net::X */
            let x = ("std::env::var", r#"std::"process"::id"#, b"a\"std::fs", '"', 'a', '\'');
            fn f<'a>(x: &'a str) -> tokio::Y {}
        "####;
        assert_eq!(paths(text, &["model"]), ["tokio::Y"]);
    }

    #[test]
    fn test_code_is_told_apart() {
        let text = "fn a() { b.expect(c) } #[cfg(test)] mod sample; #[cfg(test)] mod tests { \
                    fn d() { e.unwrap() } } fn f() { println!(x) }";
        let found = scan(text, &["graph"]);
        assert!(found.words.contains("expect") && found.words.contains("f"));
        assert!(!found.words.contains("unwrap"));
        assert_eq!(found.test_modules, ["sample".to_owned()].into());
        assert_eq!(found.macros, ["println".to_owned()].into());
    }
}
