/// A piece of an nginx configuration, as nginx's `ngx_conf_read_token` cuts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or an argument, without its quotes.
    Word(String),
    /// `;`
    End,
    /// `{`
    Open,
    /// `}`
    Close,
}

/// What separates tokens for nginx; another blank is part of a word.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Cuts a text into tokens; every text has some, and an open quote ends with the text.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Token> {
        loop {
            self.rest = self.rest.trim_start_matches(BLANKS);
            if !self.rest.starts_with('#') {
                break;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let first = self.rest.chars().next()?;
        match first {
            ';' => self.single(Token::End),
            '{' => self.single(Token::Open),
            '}' => self.single(Token::Close),
            '"' | '\'' => Some(self.quoted(first)),
            _ => Some(self.word()),
        }
    }

    /// Skips to the `}` that ends a block of Lua whose `{` was read: braces in its strings and comments do not count.
    pub(super) fn skip_lua_block(&mut self) {
        let mut depth = 1;
        let mut quote = None;
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match (quote, c) {
                (Some(_), '\\') => drop(chars.next()),
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '-') if self.rest[at..].starts_with("--") => {
                    chars.by_ref().find(|(_, c)| *c == '\n');
                }
                (None, '{') => depth += 1,
                (None, '}') => {
                    depth -= 1;
                    if depth == 0 {
                        self.rest = &self.rest[at + 1..];
                        return;
                    }
                }
                (None, _) => {}
            }
        }
        self.rest = "";
    }

    fn single(&mut self, token: Token) -> Option<Token> {
        self.rest = &self.rest[1..];
        Some(token)
    }

    fn quoted(&mut self, quote: char) -> Token {
        let mut word = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[1 + at + 1..];
                return Token::Word(word);
            }
            if c == '\\' {
                escape(&mut word, chars.next().map(|(_, c)| c));
            } else {
                word.push(c);
            }
        }
        self.rest = "";
        Token::Word(word)
    }

    fn word(&mut self) -> Token {
        let mut word = String::new();
        let mut after_dollar = false;
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            // The brace of `${name}` belongs to the word; that of `\${` does not.
            let ends = BLANKS.contains(&c) || c == ';' || (c == '{' && !after_dollar);
            if ends {
                self.rest = &self.rest[at..];
                return Token::Word(word);
            }
            after_dollar = c == '$';
            if c == '\\' {
                escape(&mut word, chars.next().map(|(_, c)| c));
            } else {
                word.push(c);
            }
        }
        self.rest = "";
        Token::Word(word)
    }
}

/// What a backslash and the character after it stand for; it is kept before others, because regular expressions need it.
fn escape(word: &mut String, c: Option<char>) {
    match c {
        Some(c @ ('"' | '\'' | '\\')) => word.push(c),
        Some('t') => word.push('\t'),
        Some('r') => word.push('\r'),
        Some('n') => word.push('\n'),
        Some(other) => {
            word.push('\\');
            word.push(other);
        }
        None => word.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(text);
        std::iter::from_fn(|| lexer.next()).collect()
    }

    fn word(text: &str) -> Token {
        Token::Word(text.to_owned())
    }

    #[test]
    fn words_ends_and_blocks_are_cut() {
        assert_eq!(
            tokens("server{listen 80;}# comment ; {\n"),
            [
                word("server"),
                Token::Open,
                word("listen"),
                word("80"),
                Token::End,
                Token::Close
            ]
        );
    }

    #[test]
    fn quotes_escapes_and_variables_stay_in_the_word() {
        assert_eq!(
            tokens(r#"a "b ; \" {" 'c # d' ${host}x ~^/\.php$ e#f;"#),
            [
                word("a"),
                word("b ; \" {"),
                word("c # d"),
                word("${host}x"),
                word(r"~^/\.php$"),
                word("e#f"),
                Token::End
            ]
        );
    }

    #[test]
    fn text_that_is_cut_short_ends() {
        assert_eq!(tokens("\"open"), [word("open")]);
        assert_eq!(tokens("a\\"), [word("a\\")]);
        assert_eq!(tokens("# only a comment"), []);
        assert_eq!(tokens("é€;"), [word("é€"), Token::End]);
    }

    #[test]
    fn a_block_of_lua_is_skipped_as_a_whole() {
        let mut lexer = Lexer::new(" local t = { a = \"}\" } -- }\n say('\\'}') } next;");
        lexer.skip_lua_block();
        assert_eq!(lexer.next(), Some(word("next")));
        let mut lexer = Lexer::new("never closed {");
        lexer.skip_lua_block();
        assert_eq!(lexer.next(), None);
    }
}
