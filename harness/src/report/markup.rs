//! Markdown (CommonMark with GitHub's tables) of texts that are not to be trusted: whatever they say, they stay text.

use crate::vocabulary::Finding;

/// How long a document may be, in bytes: GitHub takes 1 MiB for the summary of a step, and others may write to the same one.
const LIMIT: usize = 900 * 1024;

/// The blocks as one document. Of what is longer than a summary may be, the last blocks are left out, and it is said.
pub(crate) fn document(blocks: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    let mut left_out = 0;
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        if left_out > 0 || text.len() + block.len() > LIMIT {
            left_out += 1;
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&block);
        text.push('\n');
    }
    if left_out > 0 {
        text.push_str(&format!(
            "\n*{left_out} more blocks are left out: the report as JSON has all.*\n"
        ));
    }
    text
}

/// A block that shows only its summary, until somebody opens it. `blocks` are Markdown.
pub(crate) fn details(summary: &str, blocks: impl IntoIterator<Item = String>) -> String {
    // What stands in a line of HTML is HTML, and no Markdown (CommonMark, 4.6).
    format!(
        "<details>\n<summary>{}</summary>\n\n{}\n</details>",
        html(summary),
        document(blocks)
    )
}

/// A list with an item for each text; of many, the first ones.
pub(crate) fn list<'a>(items: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 100;
    let more = items.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> = items
        .take(SHOWN)
        .map(|item| format!("- {}", escape(item)))
        .collect();
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines.join("\n")
}

/// A table: a head, then rows of as many cells.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let mut lines = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let cells = row.iter().map(|cell| {
            // In a table a bar ends the cell even in code (GFM, 4.10).
            escape(cell).replace("\\|", "|").replace('|', "\\|")
        });
        let cells: Vec<String> = cells.collect();
        lines.push(format!("| {} |", cells.join(" | ")));
        if n == 0 {
            lines.push(format!("|{}", " --- |".repeat(row.len())));
        }
    }
    lines.join("\n")
}

/// Evidence as a fenced block within a list item; the fence is longer than any run of backticks in it.
pub(crate) fn quote(finding: &Finding, most: usize) -> String {
    let lines: Vec<String> = finding
        .evidence
        .iter()
        .take(most)
        .map(|e| format!("  {}", one_line(&format!("{}: {}", e.source, e.text))))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let text = lines.join("\n");
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("  {fence}text\n{text}\n  {fence}")
}

/// A code span, which holds backticks only where its fence is longer (CommonMark, 6.1).
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Takes their meaning from the characters that Markdown and HTML give one. What GitHub would make a link of, or tell a person of, is code.
pub(crate) fn escape(text: &str) -> String {
    let text = one_line(text);
    let words = text.split(' ').enumerate().map(|(n, word)| {
        let is_link = word.contains('@') || word.contains("://") || word.contains("www.");
        if is_link {
            code(word)
        } else {
            escape_word(word, n == 0)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn escape_word(word: &str, is_first: bool) -> String {
    let mut escaped = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    let mut last = ' ';
    // A number at the beginning, with what follows it, would make an item of a list.
    let mut counts = is_first;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let begins = is_first && escaped.is_empty();
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '.' | ')' if counts && !begins => escaped.extend(['\\', c]),
            '-' | '+' | '=' if begins => escaped.extend(['\\', c]),
            // Within a word it has no meaning.
            '_' if last.is_alphanumeric() && next.is_alphanumeric() => escaped.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                escaped.extend(['\\', c]);
            }
            _ => escaped.push(c),
        }
        counts &= c.is_ascii_digit();
        last = c;
    }
    escaped
}

/// Text in HTML.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A line that begins anew could begin another block.
fn one_line(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.collect::<String>().trim().to_owned()
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
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
            let finding = Finding::new(Check::UnitFailed, State::Before, "a", "b")
                .with_evidence(*text, *text);
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
}
