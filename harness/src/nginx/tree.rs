use std::collections::BTreeSet;

use super::lexer::{Lexer, Token};

/// nginx's own contexts nest five or six deep.
const MAX_DEPTH: usize = 48;
/// Includes within includes; also what ends a file that includes itself.
const MAX_INCLUDE_DEPTH: usize = 16;
const MAX_INCLUDES: usize = 4_000;
const MAX_DIRECTIVES: usize = 1_000_000;
/// Names and arguments of all directives; a list of all networks of the world has a million.
const MAX_WORDS: usize = 4_000_000;
/// Bytes of all files together, each as often as it is included.
const MAX_TEXT: usize = 32 << 20;
/// A configuration with more of them is none.
const MAX_PROBLEMS: usize = 200;

/// A directive with its arguments and, where it has one, its block; includes are replaced by what they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    pub name: String,
    pub arguments: Vec<String>,
    pub block: Option<Vec<Directive>>,
}

impl Directive {
    /// The directives in its block; none where it has no block.
    pub fn children(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The first directive of that name in its block.
    pub fn child(&self, name: &str) -> Option<&Directive> {
        self.children().iter().find(|child| child.name == name)
    }

    /// The first argument, or nothing.
    pub fn argument(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }
}

/// A file that an `include` named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    pub path: String,
    pub text: String,
}

/// Reads the files that an `include`'s argument names, or says why it cannot.
pub type Include<'a> = dyn FnMut(&str) -> Result<Vec<Included>, String> + 'a;

/// A configuration as far as it could be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub directives: Vec<Directive>,
    /// The file, then what in it was not understood.
    pub problems: Vec<(String, String)>,
    /// Those of the problems for which nginx refuses the configuration whatever modules it has: the first of each file.
    pub refused: Vec<(String, String)>,
}

/// Parses the text of `path` and of everything that it includes.
pub fn parse(path: &str, text: &str, include: &mut Include) -> Parsed {
    let mut parser = Parser {
        include,
        includes: 0,
        directives: 0,
        words: 0,
        text: 0,
        problems: Vec::new(),
        refused: Vec::new(),
        unsure: BTreeSet::new(),
    };
    let directives = parser.file(path, text, 0, 0);
    Parsed {
        directives,
        problems: parser.problems,
        refused: parser.refused,
    }
}

struct Parser<'a, 'b> {
    include: &'a mut Include<'b>,
    includes: usize,
    directives: usize,
    words: usize,
    text: usize,
    problems: Vec<(String, String)>,
    refused: Vec<(String, String)>,
    /// Files with something that is cut otherwise here than by the module that reads it.
    unsure: BTreeSet<String>,
}

/// The place of a block: its file, and how deep it is.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    depth: usize,
    include_depth: usize,
}

impl Parser<'_, '_> {
    fn file(
        &mut self,
        path: &str,
        text: &str,
        depth: usize,
        include_depth: usize,
    ) -> Vec<Directive> {
        let place = Place {
            path,
            depth,
            include_depth,
        };
        let mut directives = Vec::new();
        self.text = self.text.saturating_add(text.len());
        if self.text > MAX_TEXT || self.words > MAX_WORDS {
            self.problem(path, "its files are too large together");
            return directives;
        }
        let mut lexer = Lexer::new(text);
        // A stray `}` ends the block of this call, and the rest of the file is read all the same.
        while self.block(&mut lexer, place, &mut directives) {
            self.refusal(path, "a `}` closes nothing");
        }
        directives
    }

    /// Reads directives up to the end of a block; `true` when it ended with `}`.
    fn block(&mut self, lexer: &mut Lexer, place: Place, directives: &mut Vec<Directive>) -> bool {
        let mut words: Vec<String> = Vec::new();
        while let Some(token) = lexer.next() {
            match token {
                Token::Word(word) => words.push(word),
                Token::Close => return true,
                Token::End => {
                    let statement = std::mem::take(&mut words);
                    self.statement(statement, place, directives);
                }
                Token::Open => {
                    let statement = std::mem::take(&mut words);
                    let block = self.nested(lexer, &statement, place);
                    self.push(statement, Some(block), place, directives);
                }
            }
        }
        if !words.is_empty() {
            self.refusal(place.path, "it ends within a directive");
        }
        false
    }

    fn nested(&mut self, lexer: &mut Lexer, statement: &[String], place: Place) -> Vec<Directive> {
        let begins = |end: &str| statement.first().is_some_and(|name| name.ends_with(end));
        let mut block = Vec::new();
        if begins("_block") {
            self.unsure.insert(place.path.to_owned());
        }
        if begins("_by_lua_block") {
            lexer.skip_lua_block();
        } else if place.depth < MAX_DEPTH {
            let place = Place {
                depth: place.depth + 1,
                ..place
            };
            if !self.block(lexer, place, &mut block) {
                self.refusal(place.path, "a `{` is never closed");
            }
        } else {
            self.problem(place.path, "its blocks nest too deep");
            self.unsure.insert(place.path.to_owned());
            skip_block(lexer);
        }
        block
    }

    fn statement(&mut self, words: Vec<String>, place: Place, directives: &mut Vec<Directive>) {
        if words.first().is_some_and(|name| name == "include") {
            if let Some(pattern) = words.get(1) {
                self.included(pattern, place, directives);
            }
        } else {
            self.push(words, None, place, directives);
        }
    }

    fn push(
        &mut self,
        words: Vec<String>,
        block: Option<Vec<Directive>>,
        place: Place,
        directives: &mut Vec<Directive>,
    ) {
        let mut words = words.into_iter();
        self.words = self.words.saturating_add(words.len());
        let Some(name) = words.next() else { return };
        self.directives += 1;
        if self.directives > MAX_DIRECTIVES || self.words > MAX_WORDS {
            return self.problem(place.path, "there are too many directives");
        }
        directives.push(Directive {
            name,
            arguments: words.collect(),
            block,
        });
    }

    fn included(&mut self, pattern: &str, place: Place, directives: &mut Vec<Directive>) {
        let fail = |reason: &str| format!("include `{pattern}`: {reason}");
        if place.include_depth >= MAX_INCLUDE_DEPTH || self.includes >= MAX_INCLUDES {
            let reason = fail("includes nest too deep, or are too many");
            return self.problem(place.path, &reason);
        }
        match (self.include)(pattern) {
            Ok(files) => {
                for Included { path, text } in files {
                    self.includes += 1;
                    if self.includes > MAX_INCLUDES {
                        return self.problem(place.path, &fail("includes are too many"));
                    }
                    let read = self.file(&path, &text, place.depth, place.include_depth + 1);
                    directives.extend(read);
                }
            }
            Err(reason) => self.problem(place.path, &fail(&reason)),
        }
    }

    /// A problem of the syntax that all modules share (`ngx_conf_read_token`): a file closes what it opens, and nothing else.
    fn refusal(&mut self, path: &str, reason: &str) {
        self.problem(path, reason);
        if !self.unsure.contains(path) && !self.refused.iter().any(|(known, _)| known == path) {
            self.refused.push((path.to_owned(), reason.to_owned()));
        }
    }

    /// Notes a problem once.
    fn problem(&mut self, path: &str, reason: &str) {
        if self.problems.len() > MAX_PROBLEMS {
            return;
        }
        let reason = match self.problems.len() {
            MAX_PROBLEMS => "there are more problems than are told",
            _ => reason,
        };
        let problem = (path.to_owned(), reason.to_owned());
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

fn skip_block(lexer: &mut Lexer) {
    let mut depth = 1;
    while depth > 0 {
        match lexer.next() {
            Some(Token::Open) => depth += 1,
            Some(Token::Close) => depth -= 1,
            Some(_) => {}
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
