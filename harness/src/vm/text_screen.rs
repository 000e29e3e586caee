//! What a VGA screen in text mode shows. Pure: it reads what QEMU's human monitor prints of the memory.
//!
//! A BIOS bootloader speaks there and not on the serial line, unless its configuration says otherwise; at its rescue prompt it has
//! not read one.

/// What asks the monitor for the 80 by 25 cells of the colour text buffer at 0xb8000: a character and its colours each.
pub(super) const REQUEST: &str = "xp /2000hx 0xb8000";

const COLUMNS: usize = 80;
const ROWS: usize = 25;

/// The lines of the screen that show something, from the monitor's `000b8000: 0x0747 0x0752 …`.
///
/// In another mode than text the memory holds something else, and this gives nonsense, or nothing.
pub(super) fn lines(dump: &str) -> Vec<String> {
    let cells: Vec<char> = dump
        .lines()
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(_, cells)| cells.split_whitespace())
        .map(character)
        .take(COLUMNS * ROWS)
        .collect();
    cells
        .chunks(COLUMNS)
        .map(|row| row.iter().collect::<String>().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// The low byte is a character of code page 437, of which only ASCII matters here.
fn character(cell: &str) -> char {
    let value = cell
        .strip_prefix("0x")
        .and_then(|hex| u16::from_str_radix(hex, 16).ok());
    let byte = value.map_or(0, |value| value.to_le_bytes()[0]);
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As QEMU 7.2 prints it, eight cells a line.
    fn dump(rows: &[&str]) -> String {
        let padded = rows.iter().map(|row| format!("{row:80}"));
        let cells: Vec<char> = padded.collect::<String>().chars().collect();
        let line = |(at, cells): (usize, &[char])| {
            let words: Vec<String> = cells
                .iter()
                .map(|c| format!("0x07{:02x}", u32::from(*c)))
                .collect();
            format!("{:016x}: {}\r\n", 0xb8000 + at * 16, words.join(" "))
        };
        cells.chunks(8).enumerate().map(line).collect()
    }

    #[test]
    fn a_text_screen_is_read_line_by_line() {
        let rows = [
            "GRUB loading.",
            "",
            "Entering rescue mode...",
            "grub rescue> ",
        ];
        assert_eq!(
            lines(&dump(&rows)),
            ["GRUB loading.", "Entering rescue mode...", "grub rescue>"]
        );
    }

    #[test]
    fn whatever_else_the_memory_holds_is_bounded_and_printable() {
        assert_eq!(lines(""), [""; 0]);
        assert_eq!(lines("Cannot access memory"), [""; 0]);
        let cells = "0x1b1b zz 0xffff 0x0741 ".repeat(100_000);
        let shown = lines(&format!("b8000: {cells}"));
        assert!(shown.len() <= ROWS);
        assert!(
            shown
                .iter()
                .all(|line| line.chars().all(|c| c == 'A' || c == ' '))
        );
    }
}
