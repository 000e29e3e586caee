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
mod tests;
