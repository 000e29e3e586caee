//! Sizes as people and df(1) write them.

/// The bytes of `180M`, `1.5G`, `512KiB` or `1048576`: units of 1024, and those with `B` alone (`MB`) of 1000.
///
/// # Errors
/// In words, for a text that is no size.
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("`{text}` is no size such as 180M or 1.5G"))?;
    let factor =
        factor(unit.trim()).ok_or_else(|| format!("`{unit}` is no unit such as M or GiB"))?;
    let bytes = number * factor;
    // Beyond this a floating-point number is no exact count of bytes, and no disk.
    if bytes < 2f64.powi(53) {
        Ok(bytes as u64)
    } else {
        Err(format!("`{text}` is more than any disk has"))
    }
}

/// A size for people: `340 MiB`, `2.1 GiB`.
pub fn say(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= GIB {
        format!("{:.1} GiB", bytes as f64 / GIB as f64)
    } else {
        format!("{} MiB", bytes.div_ceil(1 << 20))
    }
}

/// Whole MiB: what is told is never more than what is there.
pub fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

fn factor(unit: &str) -> Option<f64> {
    const LETTERS: &str = "KMGT";
    let unit = unit.to_ascii_uppercase();
    if unit.is_empty() || unit == "B" {
        return Some(1.0);
    }
    let power = i32::try_from(LETTERS.find(unit.chars().next()?)?).ok()? + 1;
    match &unit[1..] {
        "" | "IB" => Some(1024f64.powi(power)),
        "B" => Some(1000f64.powi(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, say};

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1048576", 1 << 20),
            ("0", 0),
            ("180M", 180 << 20),
            ("1.5G", 3 << 29),
            ("512 KiB", 512 << 10),
            ("2MB", 2_000_000),
            ("1t", 1 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn sizes_are_told_shortly() {
        for (bytes, text) in [
            (0, "0 MiB"),
            (1, "1 MiB"),
            (340 << 20, "340 MiB"),
            (3 << 29, "1.5 GiB"),
        ] {
            assert_eq!(say(bytes), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "M", "-1", "1.2.3", "5 apples", "1X", "9999999T", "1é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
