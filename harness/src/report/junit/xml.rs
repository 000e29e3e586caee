//! Suites as XML 1.0. Whatever a guest has printed, the document is well-formed.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::ElementWriter;

use super::{Case, Outcome, Suite, Trouble};

/// The document, with a newline at its end.
pub(crate) fn write(name: &str, suites: &[Suite]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Nothing fails that is written to memory, and a document that was cut short would be seen to be none.
    let _ = document(&mut writer, name, suites);
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

type Out = Writer<Vec<u8>>;

fn document(out: &mut Out, name: &str, suites: &[Suite]) -> io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let counts = Counts::of(all());
    let root = attribute(out.create_element("testsuites"), "name", name);
    // No `skipped` here: Jenkins' schema has none.
    let root = root
        .with_attribute(("tests", counts.tests.to_string().as_str()))
        .with_attribute(("failures", counts.failures.to_string().as_str()))
        .with_attribute(("errors", counts.errors.to_string().as_str()))
        .with_attribute(("time", seconds(total(all())).as_str()));
    root.write_inner_content(|out| suites.iter().try_for_each(|of| suite(out, of)))?;
    Ok(())
}

fn suite(out: &mut Out, suite: &Suite) -> io::Result<()> {
    let counts = Counts::of(suite.cases.iter());
    attribute(out.create_element("testsuite"), "name", &suite.name)
        .with_attribute(("tests", counts.tests.to_string().as_str()))
        .with_attribute(("failures", counts.failures.to_string().as_str()))
        .with_attribute(("errors", counts.errors.to_string().as_str()))
        .with_attribute(("skipped", counts.skipped.to_string().as_str()))
        .with_attribute(("time", seconds(total(suite.cases.iter())).as_str()))
        .write_inner_content(|out| {
            if !suite.properties.is_empty() {
                let properties = out.create_element("properties");
                properties.write_inner_content(|out| {
                    suite.properties.iter().try_for_each(|(name, value)| {
                        let property = out.create_element("property");
                        let property = attribute(property, "name", name);
                        attribute(property, "value", value).write_empty()?;
                        Ok(())
                    })
                })?;
            }
            suite
                .cases
                .iter()
                .try_for_each(|of| case(out, &suite.name, of))
        })?;
    Ok(())
}

fn case(out: &mut Out, suite: &str, case: &Case) -> io::Result<()> {
    // Pages group cases by what stands before the last point.
    let class = format!("bootproof.{suite}");
    let mut element = attribute(out.create_element("testcase"), "classname", &class);
    element = attribute(element, "name", &case.name);
    if let Some(milliseconds) = case.milliseconds {
        element = element.with_attribute(("time", seconds(milliseconds).as_str()));
    }
    let trouble = |out: &mut Out, name: &str, trouble: &Trouble| -> io::Result<()> {
        let element = attribute(out.create_element(name), "type", &trouble.kind);
        attribute(element, "message", &trouble.message).write_text_content(text(&trouble.text))?;
        Ok(())
    };
    match &case.outcome {
        Outcome::Passed { said } if said.is_empty() => {
            element.write_empty()?;
        }
        Outcome::Passed { said } => {
            element.write_inner_content(|out| {
                out.create_element("system-out")
                    .write_text_content(text(said))?;
                Ok(())
            })?;
        }
        Outcome::Failed(why) => {
            element.write_inner_content(|out| trouble(out, "failure", why))?;
        }
        Outcome::Error(why) => {
            element.write_inner_content(|out| trouble(out, "error", why))?;
        }
        Outcome::Skipped { reason } => {
            element.write_inner_content(|out| {
                attribute(out.create_element("skipped"), "message", reason).write_empty()?;
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            counts.tests += 1;
            match case.outcome {
                Outcome::Passed { .. } => {}
                Outcome::Failed(_) => counts.failures += 1,
                Outcome::Error(_) => counts.errors += 1,
                Outcome::Skipped { .. } => counts.skipped += 1,
            }
        }
        counts
    }
}

fn total<'a>(cases: impl Iterator<Item = &'a Case>) -> u64 {
    cases
        .filter_map(|case| case.milliseconds)
        .fold(0, u64::saturating_add)
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

fn attribute<'a>(
    element: ElementWriter<'a, Vec<u8>>,
    name: &'static str,
    value: &str,
) -> ElementWriter<'a, Vec<u8>> {
    // A reader makes spaces of these (XML 1.0, 3.3.3), so that it reads what we wrote.
    let value: String = legal(value)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    element.with_attribute((name, value.as_str()))
}

fn text(text: &str) -> BytesText<'static> {
    let text: String = legal(text).collect();
    BytesText::new(&text).into_owned()
}

/// The characters of a text, those replaced that XML 1.0 cannot have (2.2, `Char`) or that it discourages.
fn legal(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().map(|c| match c {
        '\n' | '\t' => c,
        c if c.is_control() => '\u{fffd}',
        // The last two of every plane are no characters; of the first plane's, XML 1.0 has none at all.
        c if u32::from(c) & 0xfffe == 0xfffe => '\u{fffd}',
        c => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_guest_makes_the_document_another() {
        let hostile = "]]></failure><testcase name=\"a\0b\"> \u{1b}[31m&amp; \u{ffff}";
        let case = Case::new(
            hostile,
            Outcome::Failed(Trouble {
                kind: "kind".to_owned(),
                message: format!("one\n{hostile}"),
                text: format!("one\n{hostile}"),
            }),
        );
        let suite = Suite {
            name: "rebooted".to_owned(),
            properties: vec![("candidate", hostile.to_owned())],
            cases: vec![case],
        };
        let xml = write("x", &[suite]);
        assert_eq!(xml.matches("<testcase ").count(), 1, "{xml}");
        assert_eq!(xml.matches("</failure>").count(), 1, "{xml}");
        assert!(!xml.contains("]]>"), "{xml}");
        let printable = |c: char| c == '\n' || (!c.is_control() && c != '\u{ffff}');
        assert!(xml.chars().all(printable), "{xml:?}");
    }

    #[test]
    fn every_case_is_counted_once() {
        let trouble = Trouble {
            kind: String::new(),
            message: String::new(),
            text: String::new(),
        };
        let mut step = Case::new("step boot", Outcome::passed());
        step.milliseconds = Some(12_034);
        let suite = Suite {
            name: "booted".to_owned(),
            properties: Vec::new(),
            cases: vec![
                step,
                Case::new("a", Outcome::Failed(trouble.clone())),
                Case::new("b", Outcome::Error(trouble)),
                Case::new(
                    "c",
                    Outcome::Skipped {
                        reason: String::new(),
                    },
                ),
            ],
        };
        let xml = write("x", &[suite]);
        let expected = "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"12.034\"";
        assert!(xml.contains(expected), "{xml}");
    }
}
