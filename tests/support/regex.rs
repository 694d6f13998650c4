//! The part of regular expressions that the conformance scenarios use: classes, `\d` and `\s`, `*`, `+`,
//! `?`, `{n}`, `(?!...)`, `^`, and `$`, which also fits before a line feed at the end. A point is any
//! character.

/// Whether the pattern fits somewhere in the text.
///
/// # Panics
/// If the pattern uses something else; the scenarios are data of this repository.
pub fn search(pattern: &str, text: &str) -> bool {
    let nodes = parse(&mut pattern.chars().collect::<Vec<_>>().into_iter().peekable());
    let text: Vec<char> = text.chars().collect();
    (0..=text.len()).any(|start| fits(&nodes, &text, start))
}

#[derive(Debug, Clone)]
enum Atom {
    Any,
    Start,
    End,
    Class { members: Vec<(char, char)>, negated: bool },
    NotAhead(Vec<Node>),
}

#[derive(Debug, Clone)]
struct Node {
    atom: Atom,
    least: usize,
    most: usize,
}

type Chars = std::iter::Peekable<std::vec::IntoIter<char>>;

fn parse(chars: &mut Chars) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some(next) = chars.next() {
        let atom = match next {
            '^' => Atom::Start,
            '$' => Atom::End,
            '.' => Atom::Any,
            '[' => class(chars),
            '\\' => escaped(chars.next().expect("something follows a backslash")),
            '(' => {
                assert_eq!((chars.next(), chars.next()), (Some('?'), Some('!')), "groups");
                Atom::NotAhead(parse(chars))
            }
            ')' => break,
            '|' | '*' | '+' | '?' | '{' => panic!("{next:?} is not understood here"),
            literal => single(literal),
        };
        let (least, most) = quantity(chars);
        nodes.push(Node { atom, least, most });
    }
    nodes
}

fn single(character: char) -> Atom {
    Atom::Class { members: vec![(character, character)], negated: false }
}

fn escaped(character: char) -> Atom {
    match character {
        'd' => Atom::Class { members: vec![('0', '9')], negated: false },
        's' => Atom::Class { members: vec![(' ', ' '), ('\t', '\r')], negated: false },
        'n' => single('\n'),
        letter if letter.is_alphanumeric() => panic!("\\{letter} is not understood"),
        literal => single(literal),
    }
}

fn class(chars: &mut Chars) -> Atom {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut members: Vec<(char, char)> = Vec::new();
    loop {
        match chars.next().expect("a class ends in ]") {
            ']' => return Atom::Class { members, negated },
            '-' if !members.is_empty() && chars.peek() != Some(&']') => {
                let last = members.last_mut().expect("a range has a beginning");
                last.1 = chars.next().expect("a range has an end");
            }
            first => members.push((first, first)),
        }
    }
}

fn quantity(chars: &mut Chars) -> (usize, usize) {
    let bounds = match chars.peek() {
        Some('*') => (0, usize::MAX),
        Some('+') => (1, usize::MAX),
        Some('?') => (0, 1),
        Some('{') => {
            let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
            let count = digits.parse().expect("a number of repetitions");
            return (count, count);
        }
        _ => return (1, 1),
    };
    chars.next();
    bounds
}

fn fits(nodes: &[Node], text: &[char], at: usize) -> bool {
    let Some((node, rest)) = nodes.split_first() else { return true };
    let here = match &node.atom {
        Atom::Start => Some(at == 0),
        Atom::End => Some(at == text.len() || text[at..] == ['\n']),
        Atom::NotAhead(ahead) => Some(!fits(ahead, text, at)),
        Atom::Any | Atom::Class { .. } => None,
    };
    if let Some(here) = here {
        return here && fits(rest, text, at);
    }
    let matching = text[at..].iter().take(node.most).take_while(|c| is_member(&node.atom, **c));
    let longest = matching.count();
    longest >= node.least && (node.least..=longest).rev().any(|taken| fits(rest, text, at + taken))
}

fn is_member(atom: &Atom, character: char) -> bool {
    match atom {
        Atom::Any => true,
        Atom::Class { members, negated } => {
            members.iter().any(|(first, last)| (*first..=*last).contains(&character)) != *negated
        }
        Atom::Start | Atom::End | Atom::NotAhead(_) => false,
    }
}

#[test]
fn expressions() {
    let fitting = [
        (r"^2\.\d+\.\d+$", "2.5.1"),
        (r"^[0-9a-f-]{36}$", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"),
        ("^a(?!b,?\n)1[789]\\d{2}\n$", "a1812\n"),
        (r"^\{[^x]*\}\n*$", "{abc}\n\n"),
        ("b+c?", "xbbb"),
        (r"^\s*3\s*$", " 3\n"),
    ];
    for (pattern, text) in fitting {
        assert!(search(pattern, text), "{pattern} should fit {text:?}");
    }
    let others = [
        (r"^2\.\d+$", "2.5.1"),
        (r"^[0-9a-f]{3}$", "abcd"),
        ("^a(?!1)\\d", "a1"),
        ("^b", "ab"),
        (r"^\{[^x]*\}$", "{axb}"),
        ("a$", "a\n\n"),
    ];
    for (pattern, text) in others {
        assert!(!search(pattern, text), "{pattern} should not fit {text:?}");
    }
}
