/// A piece of a script of GRUB's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Without its quotes; variables are left as they are written.
    Word(String),
    /// A newline or `;`.
    End,
    /// `{`
    Open,
    /// `}`
    Close,
}

/// Cuts a script as the GRUB manual's "Shell-like scripting" says; every text has some tokens, and an open quote ends with the text.
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
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            // A continued line goes on after its backslash.
            if let Some(rest) = self.rest.strip_prefix("\\\n") {
                self.rest = rest;
            } else if self.rest.starts_with('#') {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            } else {
                break;
            }
        }
        let token = match self.rest.chars().next()? {
            '\n' | ';' | '|' | '&' | '<' | '>' => Token::End,
            '{' => Token::Open,
            '}' => Token::Close,
            _ => return Some(Token::Word(self.word())),
        };
        self.rest = &self.rest[1..];
        Some(token)
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        let mut quote = None;
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match (quote, c) {
                (None, ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | '<' | '>' | '}') => {
                    self.rest = &self.rest[at..];
                    return word;
                }
                // Of `${name}`, which goes on to its own brace.
                (None, '{') if word.ends_with('$') => {
                    word.push(c);
                    for (_, c) in chars.by_ref() {
                        word.push(c);
                        if c == '}' {
                            break;
                        }
                    }
                }
                (None, '{') => {
                    self.rest = &self.rest[at..];
                    return word;
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (Some('\''), c) => word.push(c),
                (quote, '\\') => match chars.next() {
                    None | Some((_, '\n')) => {}
                    // Between double quotes other characters keep their backslash.
                    Some((_, c)) => {
                        if quote.is_some() && !matches!(c, '"' | '\\' | '$') {
                            word.push('\\');
                        }
                        word.push(c);
                    }
                },
                (_, c) => word.push(c),
            }
        }
        self.rest = "";
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(text);
        std::iter::from_fn(|| lexer.next()).collect()
    }

    fn words(text: &str) -> Vec<String> {
        let words = tokens(text).into_iter().map(|token| match token {
            Token::Word(word) => word,
            other => panic!("{other:?} in {text}"),
        });
        words.collect()
    }

    #[test]
    fn quotes_escapes_and_variables_are_of_a_word() {
        assert_eq!(
            words(r#"a\ b "c d \"\n" 'e\f' ($drive1)//k ${x}y x"y"'z' \"#),
            [
                "a b",
                "c d \"\\n",
                "e\\f",
                "($drive1)//k",
                "${x}y",
                "xyz",
                ""
            ]
        );
        assert_eq!(words("a\\\nb \\\n c"), ["ab", "c"]);
        assert_eq!(words("\"open"), ["open"]);
    }

    #[test]
    fn braces_ends_and_comments_are_not() {
        assert_eq!(
            tokens("a{b;c}# d {\n"),
            [
                Token::Word("a".into()),
                Token::Open,
                Token::Word("b".into()),
                Token::End,
                Token::Word("c".into()),
                Token::Close,
                Token::End
            ]
        );
        assert_eq!(words("a#b"), ["a#b"]);
    }
}
