//! A chart of rows over time, laid out for an SVG: a pure function of what is drawn.

/// The drawing's width, and how much of it the rows' names take, in its own units.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 230.0;
const ROW: f64 = 26.0;
const HEAD: f64 = 24.0;
const BAR: f64 = 16.0;
/// Characters of a row's name that fit.
const NAME_LENGTH: usize = 32;

/// One row: a name, and what is on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) spans: Vec<Span>,
    pub(super) points: Vec<Point>,
}

/// Something that lasted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    /// Milliseconds, on the chart's own clock.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) class: &'static str,
    pub(super) label: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) at: u64,
    pub(super) shape: Shape,
    pub(super) label: String,
}

/// Told by form, and by colour too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A disc: it went well.
    Good,
    /// A cross: it did not.
    Failed,
    /// An upright stroke: it began anew.
    Again,
}

/// The chart as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) height: String,
    pub(super) ticks: Vec<Tick>,
    pub(super) rows: Vec<Drawn>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) x: String,
    pub(super) label: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawn {
    pub(super) name: String,
    /// The whole name, where it is cut.
    pub(super) whole: String,
    pub(super) text_y: String,
    pub(super) bars: Vec<Bar>,
    pub(super) marks: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) class: &'static str,
    pub(super) label: String,
    /// The label where it fits onto the bar.
    pub(super) text: Option<String>,
    pub(super) text_x: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) path: String,
    pub(super) class: &'static str,
    pub(super) label: String,
}

/// Lays rows out; `None` where there is nothing to draw.
pub(super) fn chart(rows: &[Row]) -> Option<Chart> {
    let times = || {
        let spans = rows.iter().flat_map(|r| &r.spans);
        let points = rows.iter().flat_map(|r| &r.points);
        spans
            .flat_map(|s| [s.from, s.to])
            .chain(points.map(|p| p.at))
    };
    let (from, to) = (times().min()?, times().max()?);
    let scale = Scale {
        from,
        length: (to - from).max(1),
    };
    let drawn = rows
        .iter()
        .enumerate()
        .map(|(n, row)| draw(row, n, &scale))
        .collect();
    Some(Chart {
        height: number(HEAD + ROW * rows.len() as f64 + 4.0),
        ticks: scale.ticks(),
        rows: drawn,
    })
}

struct Scale {
    from: u64,
    length: u64,
}

impl Scale {
    fn x(&self, at: u64) -> f64 {
        let share = at.saturating_sub(self.from) as f64 / self.length as f64;
        NAMES + share * (WIDTH - NAMES - 24.0)
    }

    /// At most eight round numbers of seconds.
    fn ticks(&self) -> Vec<Tick> {
        let steps = [100, 200, 500].into_iter();
        let decades = (0..12).map(|power| 10_u64.pow(power));
        let step = decades
            .flat_map(|decade| steps.clone().map(move |step| step * decade))
            .find(|step| self.length / step <= 8)
            .unwrap_or(self.length);
        let first = self.from.div_ceil(step);
        (first..=(self.from + self.length) / step)
            .map(|n| {
                let at = n * step;
                let label = if step < 1000 {
                    format!("{}.{} s", at / 1000, at % 1000 / 100)
                } else {
                    format!("{} s", at / 1000)
                };
                Tick {
                    x: number(self.x(at)),
                    label,
                }
            })
            .collect()
    }
}

fn draw(row: &Row, n: usize, scale: &Scale) -> Drawn {
    let top = HEAD + ROW * n as f64;
    let bars = row.spans.iter().map(|span| {
        let (x, end) = (scale.x(span.from), scale.x(span.to));
        // What is too short to be seen is drawn as long as can be seen.
        let width = (end - x).max(2.0);
        let fits = width > 14.0 + 7.2 * span.label.chars().count() as f64;
        Bar {
            x: number(x),
            y: number(top + (ROW - BAR) / 2.0),
            width: number(width),
            class: span.class,
            text: fits.then(|| span.label.clone()),
            text_x: number(x + 6.0),
            label: format!(
                "{}: {} to {}",
                span.label,
                seconds(span.from),
                seconds(span.to)
            ),
        }
    });
    let marks = row.points.iter().map(|point| {
        let (x, y) = (scale.x(point.at), top + ROW / 2.0);
        let (path, class) = match point.shape {
            Shape::Good => (
                format!("M{x:.1} {y:.1}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0"),
                "good",
            ),
            Shape::Failed => (format!("M{x:.1} {y:.1}m-4 -4l8 8m0 -8l-8 8"), "cross"),
            Shape::Again => (format!("M{x:.1} {y:.1}m0 -7v14"), "turn"),
        };
        Mark {
            path,
            class,
            label: format!("{}: {}", seconds(point.at), point.label),
        }
    });
    Drawn {
        name: super::super::text::clip(&row.name, NAME_LENGTH),
        whole: row.name.clone(),
        text_y: number(top + ROW / 2.0 + 4.5),
        bars: bars.collect(),
        marks: marks.collect(),
    }
}

fn seconds(at: u64) -> String {
    super::super::text::seconds(at)
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, to: u64) -> Row {
        Row {
            name: "x".to_owned(),
            spans: vec![Span {
                from,
                to,
                class: "bar",
                label: "y".to_owned(),
            }],
            points: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(chart(&[]), None);
        assert_eq!(chart(&[Row::default()]), None);
    }

    #[test]
    fn everything_lies_within_the_drawing() {
        for row in [span(0, 0), span(5, 5), span(0, u64::MAX), span(7, 8)] {
            let chart = chart(&[row]).unwrap();
            let bar = &chart.rows[0].bars[0];
            let end = bar.x.parse::<f64>().unwrap() + bar.width.parse::<f64>().unwrap();
            assert!(end <= WIDTH, "{bar:?}");
            assert!(chart.ticks.len() <= 10, "{}", chart.ticks.len());
        }
    }

    #[test]
    fn ticks_are_round_seconds() {
        let chart = chart(&[span(1_300, 61_000)]).unwrap();
        let labels: Vec<&str> = chart.ticks.iter().map(|t| t.label.as_str()).collect();
        assert_eq!(labels, ["10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]);
    }
}
