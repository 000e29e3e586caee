use super::*;

fn parse_alone(text: &str) -> Parsed {
    parse("nginx.conf", text, &mut |_| Err("not here".to_owned()))
}

#[test]
fn directives_nest() {
    let parsed = parse_alone("user nginx; http { server { listen 80 ssl; } }");
    assert!(parsed.problems.is_empty());
    assert_eq!(parsed.directives[0].argument(), "nginx");
    let server = parsed.directives[1].child("server").unwrap();
    assert_eq!(server.child("listen").unwrap().arguments, ["80", "ssl"]);
}

#[test]
fn an_include_is_replaced_by_its_files() {
    let parsed = parse("nginx.conf", "a; include x*; d;", &mut |pattern| {
        assert_eq!(pattern, "x*");
        let file = |text: &str| Included {
            path: text.to_owned(),
            text: format!("{text};"),
        };
        Ok(vec![file("b"), file("c")])
    });
    let names: Vec<_> = parsed.directives.iter().map(|d| &d.name[..]).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn an_include_of_itself_ends() {
    let parsed = parse("loop", "a; include loop; include loop;", &mut |path| {
        Ok(vec![Included {
            path: path.to_owned(),
            text: "a; include loop; include loop;".to_owned(),
        }])
    });
    assert!(parsed.directives.len() <= MAX_INCLUDES + 1);
    assert!(!parsed.problems.is_empty());
}

#[test]
fn a_large_file_that_includes_itself_is_read_a_few_times_only() {
    let text = format!("{}; include loop; include loop;", "a ".repeat(1 << 19));
    let parsed = parse("loop", &text, &mut |path| {
        Ok(vec![Included {
            path: path.to_owned(),
            text: text.clone(),
        }])
    });
    assert!(parsed.directives.len() * (1 << 19) <= MAX_WORDS);
    assert!(!parsed.problems.is_empty());
}

#[test]
fn of_many_problems_the_first_are_told() {
    let text: String = (0..100_000).map(|n| format!("include {n};")).collect();
    assert_eq!(parse_alone(&text).problems.len(), MAX_PROBLEMS + 1);
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    for text in ["a; } b;", "a; b { c;", "a; b", "a; include gone; b;"] {
        let parsed = parse_alone(text);
        assert_eq!(parsed.problems.len(), 1, "{text}: {:?}", parsed.problems);
        assert_eq!(parsed.directives[0].name, "a");
    }
    let deep = parse_alone(&("a {".repeat(100_000) + "b;"));
    assert!(!deep.problems.is_empty());
}

#[test]
fn only_what_every_nginx_refuses_is_certain() {
    for text in ["a; b { c;", "a; } b;", "a; b", "a { b \"c; }"] {
        assert_eq!(parse_alone(text).refused.len(), 1, "{text}");
    }
    for text in [
        "",
        "a { b ${c}; d ~^\\.x$; } # {",
        "a \u{a0}\" b; c { d '}{'; }",
        "a { include gone; }",
        "content_by_lua_block { x = [[ } ' ]] } a {",
        "some_block { odd } } {",
    ] {
        assert_eq!(parse_alone(text).refused, [], "{text}");
    }
    let deep = parse_alone(&"a {".repeat(MAX_DEPTH + 2));
    assert_eq!(deep.refused, []);
}

#[test]
fn an_included_file_closes_what_it_opens() {
    let parsed = parse("nginx.conf", "http { include a; }", &mut |_| {
        let text = "server { listen 80;".to_owned();
        let path = "a".to_owned();
        Ok(vec![Included { path, text }])
    });
    let reason = "a `{` is never closed".to_owned();
    assert_eq!(parsed.refused, [("a".to_owned(), reason)]);
}

#[test]
fn lua_does_not_break_the_rest() {
    let parsed = parse_alone("content_by_lua_block { if x then y = {'}'} end } a;");
    assert!(parsed.problems.is_empty());
    assert_eq!(parsed.directives[1].name, "a");
}
