use std::collections::BTreeSet;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

use super::*;
use crate::vocabulary::{Check, State};

/// Texts that would be something else than text.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script> &amp; <b>",
    "# heading",
    "1. item",
    "23) item",
    "- item",
    "+ item",
    "* item",
    "> quote",
    "a\n\n# heading\n\n---\n",
    "===",
    "~~~",
    "```",
    "``` `` ` a ```",
    "*a* _b_ __c__ **d** ~~e~~ snake_case_name",
    "![i](http://evil.example/x.png) [l](javascript:x) [r]: http://x",
    "http://evil.example www.evil.example mail@evil.example @team",
    "| a | b |",
    "\\* \\",
    "</details></summary>",
    "<!-- comment",
    "$x$",
    ":tada: &lt;",
];

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options
}

/// The kinds of nodes of a document, and the text that it shows.
fn read(markdown: &str) -> (BTreeSet<&'static str>, String) {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut kinds = BTreeSet::new();
    let mut shown = String::new();
    for node in root.descendants() {
        let value = &node.data.borrow().value;
        match value {
            NodeValue::Text(text) => shown.push_str(text),
            NodeValue::Code(code) => shown.push_str(&code.literal),
            NodeValue::CodeBlock(block) => shown.push_str(&block.literal),
            _ => {}
        }
        kinds.insert(match value {
            NodeValue::Document => "document",
            NodeValue::Paragraph => "paragraph",
            NodeValue::Text(_) => "text",
            NodeValue::List(_) => "list",
            NodeValue::Item(_) => "item",
            NodeValue::Code(_) => "code",
            NodeValue::CodeBlock(_) => "block of code",
            NodeValue::Table(_) => "table",
            NodeValue::TableRow(_) => "row",
            NodeValue::TableCell => "cell",
            NodeValue::HtmlBlock(_) => "html",
            _ => "something else",
        });
    }
    (kinds, shown)
}

fn has(kinds: &[&'static str]) -> BTreeSet<&'static str> {
    kinds.iter().copied().collect()
}

/// What would be a link is code, and there is nothing else.
fn assert_only(kinds: &BTreeSet<&str>, allowed: &[&str], text: &str) {
    let mut others = kinds.iter().filter(|kind| **kind != "code");
    let other = others.find(|kind| !allowed.contains(kind));
    assert_eq!(other, None, "{text:?}");
    assert!(
        allowed[..allowed.len() - 1]
            .iter()
            .all(|kind| kinds.contains(kind)),
        "{text:?}"
    );
}

#[test]
fn hostile_text_stays_text() {
    for text in HOSTILE {
        let (kinds, shown) = read(&escape(text));
        assert_only(&kinds, &["document", "paragraph", "text"], text);
        assert_eq!(shown, one_line(text));
        let (kinds, shown) = read(&list([*text].into_iter()));
        assert_only(
            &kinds,
            &["document", "list", "item", "paragraph", "text"],
            text,
        );
        assert_eq!(shown, one_line(text));
    }
}

#[test]
fn hostile_text_stays_in_its_cell() {
    for text in HOSTILE {
        let rows = [vec!["head".to_owned()], vec![(*text).to_owned()]];
        let (kinds, shown) = read(&table(&rows));
        assert_only(&kinds, &["document", "table", "row", "cell", "text"], text);
        assert_eq!(shown, format!("head{}", one_line(text)));
    }
}

#[test]
fn hostile_text_stays_code() {
    for text in HOSTILE {
        let (kinds, shown) = read(&code(text));
        assert_eq!(kinds, has(&["document", "paragraph", "code"]), "{text:?}");
        assert_eq!(shown.trim(), one_line(text));
        let finding =
            Finding::new(Check::UnitFailed, State::Before, "a", "b").with_evidence(*text, *text);
        let item = format!("- x\n\n{}\n\nafter", quote(&finding, 1));
        let (kinds, _) = read(&item);
        let expected = has(&[
            "document",
            "list",
            "item",
            "paragraph",
            "text",
            "block of code",
        ]);
        assert_eq!(kinds, expected, "{text:?}");
    }
}

#[test]
fn details_are_two_blocks_of_html_with_markdown_between() {
    for text in HOSTILE {
        let (kinds, shown) = read(&details(text, [escape(text)]));
        assert_only(&kinds, &["document", "html", "paragraph", "text"], text);
        assert_eq!(shown, one_line(text));
    }
}

#[test]
fn a_summary_is_shorter_than_github_takes_and_says_what_is_left_out() {
    let blocks = (0..100).map(|_| "x".repeat(100_000));
    let text = document(blocks);
    assert!(text.len() < 1 << 20);
    assert!(
        text.contains("91 more blocks are left out"),
        "{}",
        text.len()
    );
    assert_eq!(
        document(["a".to_owned(), String::new(), "b".to_owned()]),
        "a\n\nb\n"
    );
}
