use super::{Does, GrubEntry, GrubMenu};

impl GrubMenu {
    /// The entry that is started without a key being pressed, as GRUB's `normal/menu.c` finds it; `None` where the menu is empty or the
    /// default is a submenu as such.
    pub fn default_entry(&self) -> Option<&GrubEntry> {
        let last = self.default_path().pop()?;
        matches!(last.does, Does::Start(_)).then_some(last)
    }

    /// The submenu or entry on the way to the default that nobody gets past without a password.
    pub fn asks_for_password(&self) -> Option<&GrubEntry> {
        let mut path = self.default_path().into_iter();
        path.find(|entry| self.has_superusers && !entry.is_unrestricted)
    }

    /// The submenus that the default is in, and what it names in the last of them.
    fn default_path(&self) -> Vec<&GrubEntry> {
        let mut path = Vec::new();
        let mut entries = &self.entries;
        let mut rest = self.default.as_deref();
        while let Some((entry, inner)) = chosen(entries, rest.unwrap_or_default()) {
            path.push(entry);
            let (Does::Opens(below), Some(_)) = (&entry.does, inner) else {
                break;
            };
            entries = below;
            rest = inner;
        }
        path
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
