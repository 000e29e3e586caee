//! Sentences with what a person types in them between backticks, as every form of the report has them.

/// A part of a sentence.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) is_code: bool,
}

/// The parts of a sentence; a backtick without its other half stays one.
pub(super) fn pieces(sentence: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, after)) = after.split_once('`') else {
            break;
        };
        pieces.push(Piece {
            text: before,
            is_code: false,
        });
        pieces.push(Piece {
            text: code,
            is_code: true,
        });
        rest = after;
    }
    pieces.push(Piece {
        text: rest,
        is_code: false,
    });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let all = |sentence| {
            let pieces = pieces(sentence).into_iter();
            pieces.map(|p| (p.text, p.is_code)).collect::<Vec<_>>()
        };
        assert_eq!(
            all("run `a b`, then `c`"),
            [
                ("run ", false),
                ("a b", true),
                (", then ", false),
                ("c", true)
            ]
        );
        assert_eq!(all("an ` alone"), [("an ` alone", false)]);
        assert_eq!(all(""), []);
    }
}
