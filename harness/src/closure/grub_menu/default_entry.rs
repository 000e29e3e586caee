use super::{Does, GrubEntry, GrubMenu};

impl GrubMenu {
    /// The entry that is started without a key being pressed, as GRUB's `normal/menu.c` finds it; `None` where the menu is empty or the
    /// default is a submenu as such.
    pub fn default_entry(&self) -> Option<&GrubEntry> {
        let mut entries = &self.entries;
        let mut rest = self.default.as_deref();
        loop {
            let (entry, inner) = chosen(entries, rest.unwrap_or_default())?;
            match (&entry.does, inner) {
                (Does::Start(_), _) => return Some(entry),
                (Does::Opens(_), None) => return None,
                (Does::Opens(inner), Some(_)) => entries = inner,
            }
            rest = inner;
        }
    }
}

/// The entry that the first part of a default names, and the part after its `>`. What begins with a number is one, 0 the first entry; else
/// it is a title or an id, in which `>>` stands for `>`; what names no entry means the first.
fn chosen<'a, 'b>(
    entries: &'a [GrubEntry],
    default: &'b str,
) -> Option<(&'a GrubEntry, Option<&'b str>)> {
    let (name, inner) = first_part(default);
    let digits = name.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let digits = &digits[..end.unwrap_or(digits.len())];
    let is_named = |entry: &&GrubEntry| entry.id.as_deref() == Some(&name) || entry.title == name;
    let entry = match digits {
        "" => entries.iter().find(is_named),
        digits => entries.get(digits.parse::<usize>().unwrap_or(usize::MAX)),
    };
    Some((entry.or(entries.first())?, inner))
}

/// What stands before the first `>` that is alone, and what after it.
fn first_part(default: &str) -> (String, Option<&str>) {
    let mut name = String::new();
    let mut rest = default;
    while let Some((before, after)) = rest.split_once('>') {
        name.push_str(before);
        let Some(further) = after.strip_prefix('>') else {
            return (name, Some(after).filter(|after| !after.is_empty()));
        };
        name.push('>');
        rest = further;
    }
    (name + rest, None)
}
