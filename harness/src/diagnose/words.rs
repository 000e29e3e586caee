/// How many names a sentence bears.
const NAMES_SHOWN: usize = 3;

/// `a`, `a, b`, `a, b, c`, `a, b, c and 2 more`.
pub(super) fn names<S: AsRef<str>>(all: &[S]) -> String {
    let shown: Vec<&str> = all.iter().take(NAMES_SHOWN).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match all.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `verb` for one subject, `verbs` for many.
pub(super) fn agree<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// The name of a platform with its article, as it is spoken.
pub(super) fn with_article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'x', '8']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        assert_eq!(names(&["a"]), "a");
        assert_eq!(names(&["a", "b", "c"]), "a, b, c");
        assert_eq!(names(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }

    #[test]
    fn articles_follow_the_ear() {
        assert_eq!(with_article("i686-linux"), "an i686-linux");
        assert_eq!(with_article("x86_64-linux"), "an x86_64-linux");
        assert_eq!(with_article("riscv64-linux"), "a riscv64-linux");
    }
}
