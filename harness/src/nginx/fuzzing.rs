//! nginx configurations of any text, with what must hold of the result. Called through `crate::fuzzing` only.

use super::{Directive, Included, Parsed, endpoints, parse};

/// A fuzzer's file may include itself this often.
const INCLUDES: usize = 3;

/// A configuration: its tree is bounded, written again it is the same tree, and what is asked for can stand in a request.
pub fn nginx(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = including_itself(&text);
    assert_eq!(parsed, including_itself(&text));
    let mut written = String::new();
    write(&parsed.directives, 0, &mut written);
    let again = parse("", &written, &mut |_| Err("nothing is included".to_owned()));
    assert_eq!(again.directives, parsed.directives, "{written}");
    let found = endpoints(&parsed.directives);
    assert!(found.endpoints.len() <= 200);
    for endpoint in &found.endpoints {
        let url = endpoint.url();
        assert!(endpoint.path.starts_with('/'), "{url}");
        assert!(endpoint.path.bytes().all(|b| b.is_ascii_graphic()), "{url}");
        let name = &endpoint.server_name;
        assert!(name.bytes().all(|b| b.is_ascii_graphic()), "{url}");
    }
}

fn including_itself(text: &str) -> Parsed {
    let mut left = INCLUDES;
    parse("nginx.conf", text, &mut |pattern| {
        left = left.checked_sub(1).ok_or("too often")?;
        Ok(vec![Included {
            path: pattern.to_owned(),
            text: text.to_owned(),
        }])
    })
}

/// The tree as text, every word in quotes.
fn write(directives: &[Directive], depth: usize, text: &mut String) {
    assert!(depth <= 49, "blocks nest too deep");
    for directive in directives {
        for word in [&directive.name].into_iter().chain(&directive.arguments) {
            let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
            text.push_str(&format!("\"{escaped}\" "));
        }
        match &directive.block {
            None => text.push_str(";\n"),
            Some(block) => {
                text.push_str("{\n");
                write(block, depth + 1, text);
                text.push_str("}\n");
            }
        }
    }
}
