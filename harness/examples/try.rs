use bootproof::closure::*;
use bootproof::rehearsal::*;
use bootproof::vocabulary::*;
struct P(std::time::Instant);
impl Progress for P {
    fn observed(&mut self, r: &Recorded) {
        match &r.observation {
            Observation::Console { line, .. } => eprintln!("   | {line}"),
            Observation::Dumped {
                dump,
                output,
                exit_code,
                ..
            } => eprintln!(
                "[{:?}] dump {dump:?} {exit_code} {} bytes: {}",
                self.0.elapsed(),
                output.len(),
                output.chars().take(300).collect::<String>()
            ),
            o => eprintln!("[{:?}] {o:?}", self.0.elapsed()),
        }
    }
    fn waiting(&mut self, w: &str, d: std::time::Duration) {
        eprintln!("[{:?}] wait {w} {d:?}", self.0.elapsed())
    }
    fn working(&mut self, w: &str) {
        eprintln!("[{:?}] work {w}", self.0.elapsed())
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let src = Source::Store {
        root: a[1].clone().into(),
    };
    let cand = resolve(&src, &a[2]).unwrap();
    let base = a.get(3).map(|b| resolve(&src, b).unwrap());
    let facts = read_facts(&cand).unwrap();
    eprintln!("{facts:#?}");
    let mut sp: Vec<_> = cand
        .paths
        .iter()
        .chain(base.iter().flat_map(|b| &b.paths))
        .collect();
    sp.sort();
    sp.dedup();
    let kf = |c: &Closure| {
        let f = |n: &str| {
            let t = std::fs::read_link(c.host_path(&c.toplevel).join(n)).unwrap();
            let t = t.to_string_lossy().into_owned();
            let (p, b) = StorePath::split(&t).unwrap();
            c.host_path(&p).join(b)
        };
        KernelFiles {
            kernel: f("kernel"),
            initrd: f("initrd"),
        }
    };
    let closures = Closures {
        store_paths: sp
            .iter()
            .map(|p| (cand.host_path(p), p.base_name().to_owned()))
            .collect(),
        installed: kf(base.as_ref().unwrap_or(&cand)),
        candidate: kf(&cand),
    };
    let p = plan(Inputs {
        candidate: facts,
        baseline: base.as_ref().map(|b| read_facts(b).unwrap()),
        target: TargetMachine::default(),
        expect_system: None,
        steps: default_steps(base.is_some()),
        scenario: None,
        lab: true,
    });
    eprintln!("{:#?}", p.choices);
    if std::env::var("DRY").is_ok() {
        return;
    }
    std::fs::create_dir_all("/tmp/run").unwrap();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let r = rt.block_on(rehearse(
        &p,
        &closures,
        &RunOptions {
            run_directory: "/tmp/run".into(),
            cache_directory: "/tmp/bpcache".into(),
            keep: false,
        },
        &mut P(std::time::Instant::now()),
    ));
    eprintln!(
        "{}",
        r.map(|v| v.len().to_string())
            .unwrap_or_else(|e| format!("ERR {e}"))
    );
}
