//! The menu that a `grub.cfg` makes: what GRUB would start, told from the text alone.
//!
//! It is for the file that NixOS's `install-grub.pl` writes and for what else is found on a disk. Nothing of the script is run: conditions
//! are taken to hold, so that a menu has every entry that the script can make.

mod default_entry;
mod lexer;

use lexer::{Lexer, Token};

/// Submenus within submenus, and blocks within them.
const MAX_DEPTH: usize = 16;
/// A machine keeps at most some hundred generations.
const MAX_ENTRIES: usize = 20_000;

/// What a `grub.cfg` offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrubMenu {
    /// The last `default` that is set without a variable: a number, a title or an id, `>` between a submenu and what is in it. It counts
    /// unless `grubenv` has a `saved_entry`.
    pub default: Option<String>,
    pub entries: Vec<GrubEntry>,
    /// Whether `superusers` is set: what is not unrestricted then starts only with a user's name and password (GRUB manual, "Authentication").
    pub has_superusers: bool,
    /// Whether the last `timeout` that is set without a variable is negative: the menu waits for a key for ever.
    pub waits: bool,
    /// Why a part was left out.
    pub problems: Vec<&'static str>,
}

/// A line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrubEntry {
    pub title: String,
    /// `--id`.
    pub id: Option<String>,
    /// `--unrestricted`: nobody is asked for a password.
    pub is_unrestricted: bool,
    pub does: Does,
}

/// What choosing an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    Start(Start),
    Opens(Vec<GrubEntry>),
}

/// What an entry starts, as GRUB sees it: paths with their drives, `($drive1)//kernels/…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// `None` for an entry that starts no Linux, such as a memory test or another bootloader.
    pub kernel: Option<String>,
    /// Of the kernel, in order.
    pub params: Vec<String>,
    /// One or more, which GRUB joins.
    pub initrds: Vec<String>,
    /// What starts the kernel in turn: Xen.
    pub hypervisor: Option<String>,
}

impl Start {
    /// What `init=` names: the kernel takes the last.
    pub fn init(&self) -> Option<&str> {
        let mut named = self.params.iter().filter_map(|p| p.strip_prefix("init="));
        named.next_back()
    }
}

/// Reads a menu; every text is one, if an empty one.
pub fn parse(text: &str) -> GrubMenu {
    let mut reader = Reader {
        lexer: Lexer::new(text),
        entries: 0,
        menu: GrubMenu::default(),
    };
    let mut entries = Vec::new();
    // A stray `}` ends a block of which this is the outermost.
    while reader.menu_block(&mut entries, 0) {
        reader.problem("a `}` closes nothing");
    }
    GrubMenu {
        entries,
        ..reader.menu
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    entries: usize,
    menu: GrubMenu,
}

/// What may stand before a command.
const KEYWORDS: &[&str] = &["if", "then", "elif", "else", "do", "while", "until", "!"];

impl Reader<'_> {
    /// Reads the commands of a menu or submenu up to its end; `true` when it ended with `}`.
    fn menu_block(&mut self, entries: &mut Vec<GrubEntry>, depth: usize) -> bool {
        let mut words = Vec::new();
        while let Some(token) = self.lexer.next() {
            match token {
                Token::Word(word) => words.push(word),
                Token::End => self.assign(&std::mem::take(&mut words)),
                Token::Close => {
                    self.assign(&words);
                    return true;
                }
                Token::Open => {
                    let words = std::mem::take(&mut words);
                    let is_submenu = is(&words, "submenu");
                    if !is_submenu && !is(&words, "menuentry") {
                        self.skip_block();
                        continue;
                    }
                    let does = match is_submenu {
                        true if depth >= MAX_DEPTH => {
                            self.problem("submenus nest too deep");
                            self.skip_block();
                            continue;
                        }
                        true => {
                            let mut inner = Vec::new();
                            self.menu_block(&mut inner, depth + 1);
                            Does::Opens(inner)
                        }
                        false => Does::Start(self.entry_block()),
                    };
                    self.push(entries, &words, does);
                }
            }
        }
        self.assign(&words);
        false
    }

    /// Reads the commands of an entry.
    fn entry_block(&mut self) -> Start {
        let mut start = Start::default();
        let mut words = Vec::new();
        while let Some(token) = self.lexer.next() {
            match token {
                Token::Word(word) => words.push(word),
                Token::End => start.command(std::mem::take(&mut words)),
                Token::Close => break,
                Token::Open => {
                    words.clear();
                    self.skip_block();
                }
            }
        }
        start.command(words);
        start
    }

    fn skip_block(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.lexer.next() {
                Some(Token::Open) => depth += 1,
                Some(Token::Close) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    fn push(&mut self, entries: &mut Vec<GrubEntry>, words: &[String], does: Does) {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return self.problem("there are too many entries");
        }
        let (title, id) = title_and_id(words);
        entries.push(GrubEntry {
            title,
            id,
            is_unrestricted: words.iter().any(|word| word == "--unrestricted"),
            does,
        });
    }

    /// Takes note of `set default=…` and what else decides on what starts by itself.
    fn assign(&mut self, words: &[String]) {
        let [set, assignment] = without_keywords(words) else {
            return;
        };
        let Some((name, value)) = assignment.split_once('=').filter(|_| set == "set") else {
            return;
        };
        match name {
            "default" if !value.contains('$') => self.menu.default = Some(value.to_owned()),
            "timeout" if !value.contains('$') => self.menu.waits = value.starts_with('-'),
            "superusers" => self.menu.has_superusers = !value.is_empty(),
            _ => {}
        }
    }

    fn problem(&mut self, problem: &'static str) {
        if !self.menu.problems.contains(&problem) {
            self.menu.problems.push(problem);
        }
    }
}

impl Start {
    /// Takes note of a command; of several of one kind GRUB keeps what the last has loaded.
    fn command(&mut self, words: Vec<String>) {
        let skipped = words.len() - without_keywords(&words).len();
        let mut words = words.into_iter().skip(skipped);
        let Some(name) = words.next() else { return };
        match name.as_str() {
            "linux" | "linux16" | "linuxefi" => {
                self.kernel = words.next();
                self.params = words.collect();
            }
            "initrd" | "initrd16" | "initrdefi" => self.initrds = words.collect(),
            "multiboot" | "multiboot2" | "xen_hypervisor" => {
                *self = Self {
                    hypervisor: words.next(),
                    ..Self::default()
                };
            }
            "module" | "module2" | "xen_module" if self.hypervisor.is_some() => {
                if self.kernel.is_none() {
                    self.kernel = words.next();
                    self.params = words.collect();
                } else {
                    self.initrds.extend(words.next());
                }
            }
            _ => {}
        }
    }
}

fn is(words: &[String], command: &str) -> bool {
    without_keywords(words)
        .first()
        .is_some_and(|w| w == command)
}

fn without_keywords(words: &[String]) -> &[String] {
    let is_keyword = |word: &&String| KEYWORDS.contains(&word.as_str());
    &words[words.iter().take_while(is_keyword).count()..]
}

/// The first word that is no option, and what `--id` says. Where GRUB is too old for ids, `$menuentry_id_option` of `grub-mkconfig` is empty.
fn title_and_id(words: &[String]) -> (String, Option<String>) {
    let mut title = None;
    let mut id = None;
    let mut words = without_keywords(words).iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--id" | "$menuentry_id_option" | "${menuentry_id_option}" => {
                id = words.next().cloned()
            }
            "--class" | "--users" | "--hotkey" | "--source" => drop(words.next()),
            option if option.starts_with("--id=") => id = Some(option["--id=".len()..].to_owned()),
            option if option.starts_with("--") => {}
            _ => title = title.or_else(|| Some(word.clone())),
        }
    }
    (title.unwrap_or_default(), id)
}

#[cfg(test)]
mod tests;
