use super::*;

#[test]
fn only_a_line_that_has_an_end_is_read() {
    let lines: Vec<_> = whole_lines(b"a\nb\n\xc3").collect();
    assert_eq!(lines, [b"a", b"b"]);
    assert_eq!(whole_lines(b"").count(), 0);
}

struct Silent;

impl Progress for Silent {
    fn observed(&mut self, _: &Recorded) {}
    fn waiting(&mut self, _: &str, _: Duration) {}
    fn working(&mut self, _: &str) {}
    fn held(&mut self, _: Hold, _: Option<u16>) -> oneshot::Receiver<()> {
        oneshot::channel().1
    }
}

#[test]
fn branches_have_numbers_of_their_own_and_stand_in_the_order_in_which_they_are_taken_in() {
    let directory = tempfile::tempdir().unwrap();
    let (mut of_the_run, mut of_branches) = (Silent, [Silent, Silent]);
    let plan = crate::testing::without_baseline();
    let mut recorder = Recorder::begin(directory.path(), &plan, &mut of_the_run).unwrap();
    recorder.boot_is(1);
    assert_eq!(recorder.next_boot(), 2);
    let note = |text: &str| Observation::Note {
        text: text.to_owned(),
    };
    let origin = recorder.origin().clone();
    let branches = (1..).zip(&mut of_branches).map(|(number, progress)| {
        let mut branch = Recorder::branch(&origin, number, progress).unwrap();
        assert_eq!(branch.next_boot(), number * 100 + 1);
        branch.record(note(&format!("of {number}"))).unwrap();
        branch
    });
    let branches: Vec<Recorder<'_>> = branches.collect();
    for (number, branch) in (1..).zip(branches) {
        recorder.take_in(number, branch.finish()).unwrap();
    }
    recorder.record(note("of the run")).unwrap();
    let (_, observations) = read_recording(directory.path()).unwrap();
    assert_eq!(observations, recorder.finish());
    let texts = observations
        .iter()
        .map(|recorded| match &recorded.observation {
            Observation::Note { text } => text.as_str(),
            _ => "",
        });
    assert_eq!(texts.collect::<Vec<_>>(), ["of 1", "of 2", "of the run"]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}
