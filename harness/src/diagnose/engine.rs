//! Applies one rule: takes what it explains, groups it, and says what the row says.

use crate::fold::Run;
use crate::vocabulary::{Finding, Severity, StaticCause};

use super::pool::{Pool, first_state};
use super::rule::{Groups, Of, Related, Rule, Words};
use super::values::{Told, fill};
use super::{Case, Cause, Consequence, Misleading};

pub(super) fn apply(rule: &Rule, case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let is_found = |needed: &super::rule::Pattern| pool.has(|f| needed.matches(case, f));
    if !rule.needs.is_empty() && !rule.needs.iter().any(is_found) {
        return Vec::new();
    }
    groups(rule, case, pool)
        .into_iter()
        .filter_map(|own| cause(rule, case, pool, &own))
        .collect()
}

fn groups<'a>(rule: &Rule, case: Case<'_>, pool: &mut Pool<'a>) -> Vec<Vec<&'a Finding>> {
    if rule.groups == Groups::AsInspected {
        return as_inspected(rule, case, pool);
    }
    let mut taken = Vec::new();
    for pattern in rule.takes {
        let mut found = pool.take(|f| pattern.matches(case, f));
        found.sort_by_key(|f| pattern.rank(f));
        taken.extend(found);
    }
    match rule.groups {
        Groups::Together | Groups::AsInspected => vec![taken],
        Groups::OneEach => taken.into_iter().map(|f| vec![f]).collect(),
        Groups::OnePerState => {
            // A stable sort: within a state the order stands.
            taken.sort_by_key(|f| f.state);
            let same = |a: &&Finding, b: &&Finding| a.state == b.state;
            taken.chunk_by(same).map(<[_]>::to_vec).collect()
        }
    }
}

/// The inspection's causes, as far as their findings still stand and nothing took them.
fn as_inspected<'a>(rule: &Rule, case: Case<'_>, pool: &mut Pool<'a>) -> Vec<Vec<&'a Finding>> {
    let causes = static_causes(case.run).filter_map(|found| {
        let of_it = |f: &Finding| f.severity == Severity::Error && found.findings.contains(&f.id());
        let wanted = |f: &Finding| of_it(f) && rule.takes.iter().any(|p| p.matches(case, f));
        pool.has(wanted).then(|| pool.take(of_it))
    });
    causes.collect()
}

pub(super) fn static_causes(run: &Run) -> impl Iterator<Item = &StaticCause> {
    run.inspected.iter().flat_map(|i| &i.causes)
}

/// The cause that was made of `own`; `None` where that is nothing.
fn cause(rule: &Rule, case: Case<'_>, pool: &mut Pool<'_>, own: &[&Finding]) -> Option<Cause> {
    let lead = own.first()?;
    let before = related(rule.before, case, pool, own);
    let after = related(rule.after, case, pool, own);
    let mut all: Vec<&Finding> = before.iter().chain(own).chain(&after).copied().collect();
    let findings = all.iter().map(|f| f.id()).collect();
    let mut consequences = Vec::new();
    let since = first_state(own)?;
    for follows in rule.follows {
        // What follows from a consequence follows from the cause.
        let later = |f: &Finding| f.state >= since && is_related(follows, case, &all, f);
        let mut found = pool.take(later);
        found.sort_by_key(|f| follows.what.rank(f));
        if found.is_empty() {
            continue;
        }
        consequences.push(Consequence {
            summary: say(follows.words, &Told::of(case, &found)),
            findings: found.iter().map(|f| f.id()).collect(),
        });
        all.extend(found);
    }
    let told = Told {
        all: &all,
        ..Told::of(case, own)
    };
    let misleading = rule.misleads.iter().filter_map(|row| {
        Some(Misleading {
            evidence: fill(row.evidence, &told)?,
            truth: fill(row.truth, &told)?,
        })
    });
    let cause = Cause {
        rule: rule.id.to_owned(),
        headline: say(rule.headline, &told),
        severity: own.iter().map(|f| f.severity).max()?,
        state: lead.state,
        latent: lead.latent,
        suppressed: own.iter().all(|f| f.suppressed.is_some()),
        findings,
        misleading: misleading.collect(),
        consequences,
        next: say(rule.next, &told),
    };
    Some(cause.saying_when(lead).naming_specialisations(own))
}

fn related<'a>(
    rows: &[Related],
    case: Case<'_>,
    pool: &mut Pool<'a>,
    own: &[&Finding],
) -> Vec<&'a Finding> {
    let found = rows.iter().flat_map(|row| {
        let mut found = pool.take(|f| is_related(row, case, own, f));
        found.sort_by_key(|f| row.what.rank(f));
        found
    });
    found.collect()
}

fn is_related(row: &Related, case: Case<'_>, own: &[&Finding], finding: &Finding) -> bool {
    let is_of = |name: &str| own.iter().any(|f| f.subject == name);
    let relates = match row.of {
        Of::Anything => true,
        Of::SameSubject => is_of(&finding.subject),
        Of::SameState => own.iter().any(|f| f.state == finding.state),
        Of::Dependents => {
            is_of(&finding.subject)
                || super::seen::unit(case, finding)
                    .is_some_and(|unit| unit.requires.iter().any(|name| is_of(name)))
        }
        Of::Behind => super::upstream::unit(case, finding).is_none_or(|unit| {
            let runs_by = |f: &&Finding| f.subject == unit.id || unit.requires.contains(&f.subject);
            own.iter().any(runs_by)
        }),
        Of::Queue => own.iter().any(|f| super::seen::waits_for(case, f, finding)),
        Of::Named => own.iter().any(|f| {
            let mut words = finding.evidence.iter().flat_map(|e| e.text.split(' '));
            f.state == finding.state && words.any(|word| word == f.subject)
        }),
        Of::Nginx => own.iter().any(|f| f.subject.starts_with("nginx")),
    };
    relates && row.what.matches(case, finding)
}

/// A test holds that the words of every row are found; the first summary says something at least.
fn say(words: Words, told: &Told<'_>) -> String {
    fill(words, told)
        .or_else(|| told.findings.first().map(|f| f.summary.clone()))
        .unwrap_or_default()
}
