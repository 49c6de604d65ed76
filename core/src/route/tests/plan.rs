//! Which route a call takes, and who is rung.

use std::collections::{BTreeMap, BTreeSet};

use super::hours::{at, hours};
use crate::pii::Pii;
use crate::route::{
    Acceptance, Condition, FailingRoute, Joining, LONGEST_PLAN, Metrics, Order, PassedOver, Plan,
    Route, Routes, RoutesError, Target, TargetName, TargetNameError,
};
use crate::rule::{EvaluationError, Expression, Signals};

fn name(text: &str) -> TargetName {
    TargetName::parse(text).unwrap()
}

fn names(text: &str) -> Vec<TargetName> {
    text.split_whitespace().map(name).collect()
}

fn skills(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn target(text: &str) -> Target {
    Target {
        name: name(text),
        acceptance: Acceptance::Key,
        joining: Joining::Dial,
        skills: BTreeSet::new(),
        hours: None,
        metrics: Metrics::default(),
    }
}

fn able(text: &str, able_to: &str) -> Target {
    Target {
        skills: skills(able_to),
        ..target(text)
    }
}

fn measured(text: &str, handle: Option<f64>, csat: Option<f64>, wait: Option<f64>) -> Target {
    Target {
        metrics: metrics(handle, csat, wait),
        ..target(text)
    }
}

fn metrics(handle: Option<f64>, csat: Option<f64>, wait: Option<f64>) -> Metrics {
    Metrics {
        handle_seconds: handle,
        csat,
        wait_seconds: wait,
    }
}

fn route(text: &str, when: &str, needed: &str, targets: &str, order: Order) -> Route {
    Route {
        name: text.to_owned(),
        when: Expression::compile(when).unwrap(),
        skills: skills(needed),
        targets: names(targets),
        order,
    }
}

/// Monday noon, nothing else known.
fn noon() -> Condition {
    Condition {
        available: true,
        local: at("2026-11-23 12:00"),
        metrics: Metrics::default(),
    }
}

fn away() -> Condition {
    Condition {
        available: false,
        ..noon()
    }
}

type Conditions = BTreeMap<TargetName, Condition>;

fn conditions(given: &[(&str, Condition)]) -> Conditions {
    let given = given.iter();
    given
        .map(|(text, condition)| (name(text), *condition))
        .collect()
}

/// An office with a desk for all, two for bills, one for the law, open on weekdays, and a night line.
fn office() -> Routes {
    let weekdays = Some(hours("Mo-Fr 09:00-17:30"));
    let targets = vec![
        Target {
            hours: weekdays.clone(),
            ..able("bills_1", "billing")
        },
        Target {
            hours: weekdays.clone(),
            ..able("bills_2", "billing german")
        },
        Target {
            hours: weekdays,
            ..able("law", "german legal")
        },
        target("desk"),
        Target {
            hours: Some(hours("22:00-06:00")),
            ..target("night")
        },
    ];
    let routes = vec![
        route("law", "'legal' in call.topics", "legal", "", Order::Listed),
        route(
            "german_bills",
            "call.parameters.language == 'de' && 'billing' in call.topics",
            "billing german",
            "desk bills_1 bills_2",
            Order::Listed,
        ),
        route(
            "bills",
            "'billing' in call.topics",
            "",
            "bills_2 bills_1",
            Order::Listed,
        ),
    ];
    Routes::new(routes, targets, &names("desk")).unwrap()
}

fn about(topics: &str, language: Option<&str>) -> Signals {
    let mut signals = Signals::default();
    signals.call.topics = topics.split_whitespace().map(str::to_owned).collect();
    let spoken = language.map(|language| ("language".to_owned(), language.to_owned()));
    signals.call.parameters = Pii::new(spoken.into_iter().collect());
    signals
}

/// Prints a plan as `route: first second (third closed, fourth unavailable)`.
fn shown(plan: &Plan) -> String {
    let route = plan.route.as_deref().unwrap_or("none");
    let targets: Vec<_> = plan.targets.iter().map(TargetName::as_str).collect();
    let passed_over = plan.passed_over.iter();
    let passed_over: Vec<_> = passed_over
        .map(|(name, why)| format!("{name} {why}"))
        .collect();
    format!(
        "{route}: {} ({})",
        targets.join(" "),
        passed_over.join(", ")
    )
}

#[test]
fn names_are_fit_for_urls() {
    for text in ["a", "desk_1", "night-line", "0", &"x".repeat(32)] {
        assert_eq!(TargetName::parse(text).unwrap().as_str(), text);
    }
    for text in [
        "",
        "Desk",
        "a b",
        "a/b",
        "..",
        "ü",
        " desk",
        &"x".repeat(33),
    ] {
        assert_eq!(TargetName::parse(text), Err(TargetNameError), "{text}");
    }
}

#[test]
fn the_first_route_that_is_meant_for_a_call_is_taken() {
    let routes = office();
    for (topics, language, expected) in [
        ("", None, None),
        ("weather", Some("de"), None),
        ("legal", None, Some("law")),
        ("billing legal", Some("de"), Some("law")),
        ("billing", Some("de"), Some("german_bills")),
        ("billing", Some("en"), Some("bills")),
        ("billing", None, Some("bills")),
    ] {
        let matching = routes.matching(&about(topics, language));
        let taken = matching.route.map(|route| route.name.as_str());
        assert_eq!(taken, expected, "{topics} {language:?}");
    }
}

#[test]
fn a_route_whose_condition_fails_is_not_taken_and_told() {
    let routes = office();
    let failing = [FailingRoute {
        route: "german_bills",
        error: EvaluationError::Absent,
    }];
    let billing = about("billing", None);
    assert_eq!(routes.matching(&billing).failing, failing);
    // What is missing makes no difference to a condition that is false in any case.
    assert_eq!(routes.matching(&about("weather", None)).failing, []);
    // Routes after the one that is taken are not asked.
    assert_eq!(routes.matching(&about("legal", None)).failing, []);
    assert_eq!(routes.matching(&about("billing", Some("en"))).failing, []);
}

#[test]
fn a_plan_says_who_is_rung_and_why_others_are_not() {
    let routes = office();
    let everyone = |condition: Condition| -> Conditions {
        let targets = routes.targets();
        targets
            .map(|target| (target.name.clone(), condition))
            .collect()
    };
    let evening = Condition {
        local: at("2026-11-23 17:30"),
        ..noon()
    };
    let night = Condition {
        local: at("2026-11-29 23:00"),
        ..noon()
    };
    let but = |mut conditions: Conditions, changed: &[(&str, Condition)]| {
        conditions.extend(self::conditions(changed));
        conditions
    };
    for (route, conditions, expected) in [
        (
            None,
            everyone(noon()),
            "none: desk bills_1 bills_2 law (night closed)",
        ),
        (
            None,
            everyone(evening),
            "none: desk (bills_1 closed, bills_2 closed, law closed, night closed)",
        ),
        (
            None,
            everyone(night),
            "none: desk night (bills_1 closed, bills_2 closed, law closed)",
        ),
        (
            None,
            but(everyone(noon()), &[("desk", away()), ("night", away())]),
            "none: bills_1 bills_2 law (desk unavailable, night closed)",
        ),
        // Of whom nothing is known, everything is hoped.
        (
            None,
            Conditions::new(),
            "none: desk bills_1 bills_2 law night ()",
        ),
        (
            None,
            conditions(&[("bills_1", away())]),
            "none: desk bills_2 law night (bills_1 unavailable)",
        ),
        (Some("bills"), everyone(noon()), "bills: bills_2 bills_1 ()"),
        (
            Some("bills"),
            everyone(evening),
            "bills:  (bills_2 closed, bills_1 closed)",
        ),
        (
            Some("german_bills"),
            everyone(noon()),
            "german_bills: bills_2 (desk lacks the skill billing, bills_1 lacks the skill german)",
        ),
        // A lack of skills lasts longer than the night, the night longer than a break.
        (
            Some("german_bills"),
            but(everyone(evening), &[("desk", away())]),
            "german_bills:  (desk lacks the skill billing, bills_1 lacks the skill german, bills_2 closed)",
        ),
        (
            Some("law"),
            everyone(noon()),
            "law: law (desk lacks the skill legal, bills_1 lacks the skill legal, \
             bills_2 lacks the skill legal, night lacks the skill legal)",
        ),
        (
            Some("gone_since"),
            everyone(noon()),
            "none: desk bills_1 bills_2 law (night closed)",
        ),
    ] {
        assert_eq!(shown(&routes.plan(route, &conditions)), expected);
    }
}

#[test]
fn the_order_is_by_the_figures_and_otherwise_as_listed() {
    let targets = vec![
        measured("a", Some(300.0), None, Some(40.0)),
        measured("b", None, Some(4.5), Some(20.0)),
        measured("c", Some(240.0), Some(4.9), Some(40.0)),
        measured("d", Some(300.0), Some(4.5), Some(f64::NAN)),
        measured("e", Some(f64::INFINITY), Some(3.0), Some(0.0)),
        measured("f", None, None, Some(-0.0)),
    ];
    let orders = Order::ALL.map(|order| route(order.as_str(), "true", "", "f a b c d e", order));
    let routes = Routes::new(orders.into(), targets, &names("a")).unwrap();

    let live = |handle, csat, wait| Condition {
        metrics: metrics(handle, csat, wait),
        ..noon()
    };
    let all_day = Conditions::new();
    let changed = conditions(&[
        ("a", live(Some(10.0), None, Some(f64::NAN))),
        ("b", live(Some(1000.0), Some(1.0), None)),
        ("f", live(None, Some(5.0), Some(100.0))),
    ]);
    for (route, conditions, expected) in [
        ("listed", &all_day, "listed: f a b c d e ()"),
        (
            "lowest_handle_time",
            &all_day,
            "lowest_handle_time: c a d f b e ()",
        ),
        ("highest_csat", &all_day, "highest_csat: c b d e f a ()"),
        ("shortest_wait", &all_day, "shortest_wait: f e b a c d ()"),
        ("listed", &changed, "listed: f a b c d e ()"),
        (
            "lowest_handle_time",
            &changed,
            "lowest_handle_time: a c d b f e ()",
        ),
        ("highest_csat", &changed, "highest_csat: f c d e b a ()"),
        ("shortest_wait", &changed, "shortest_wait: e b a c f d ()"),
    ] {
        assert_eq!(shown(&routes.plan(Some(route), conditions)), expected);
    }
}

#[test]
fn a_plan_holds_the_best_ten() {
    let targets: Vec<_> = (0..12)
        .map(|nth| measured(&format!("t{nth}"), Some(f64::from(100 - nth)), None, None))
        .collect();
    let quickest = route("quickest", "true", "", "", Order::LowestHandleTime);
    let routes = Routes::new(vec![quickest], targets, &names("t0")).unwrap();
    for (route, conditions, expected) in [
        (
            None,
            conditions(&[]),
            "none: t0 t1 t2 t3 t4 t5 t6 t7 t8 t9 (t10 after the first 10, t11 after the first 10)",
        ),
        (
            None,
            conditions(&[("t3", away())]),
            "none: t0 t1 t2 t4 t5 t6 t7 t8 t9 t10 (t3 unavailable, t11 after the first 10)",
        ),
        (
            Some("quickest"),
            conditions(&[("t11", away())]),
            "quickest: t10 t9 t8 t7 t6 t5 t4 t3 t2 t1 (t11 unavailable, t0 after the first 10)",
        ),
    ] {
        assert_eq!(shown(&routes.plan(route, &conditions)), expected);
    }
}

#[test]
fn equal_figures_leave_long_lists_as_they_are() {
    let targets: Vec<_> = (0..200)
        .map(|nth| {
            measured(
                &format!("t{nth}"),
                None,
                None,
                Some(f64::from(nth * nth % 7)),
            )
        })
        .collect();
    let soonest = route("soonest", "true", "", "", Order::ShortestWait);
    let routes = Routes::new(vec![soonest], targets, &names("t0")).unwrap();
    let plan = routes.plan(Some("soonest"), &Conditions::new());
    assert_eq!(plan.targets, names("t0 t7 t14 t21 t28 t35 t42 t49 t56 t63"));
}

#[test]
fn an_order_from_outside_is_followed_as_far_as_it_can_be() {
    let routes = office();
    let noon: Conditions = routes
        .targets()
        .map(|target| (target.name.clone(), noon()))
        .collect();
    for (route, given, followed, expected, unknown) in [
        (None, "law desk", true, "none: law desk ()", ""),
        // Who asks outside knows better than the skills and targets of the route.
        (Some("bills"), "law desk", true, "bills: law desk ()", ""),
        (
            Some("bills"),
            "law desk law desk",
            true,
            "bills: law desk ()",
            "",
        ),
        (
            Some("bills"),
            "nobody law +15550100042 DESK law",
            true,
            "bills: law ()",
            "nobody +15550100042 DESK",
        ),
        (
            Some("bills"),
            "night law",
            true,
            "bills: law (night closed)",
            "",
        ),
        (Some("gone_since"), "law", true, "none: law ()", ""),
        (Some("bills"), "", false, "bills: bills_2 bills_1 ()", ""),
        (
            Some("bills"),
            "nobody",
            false,
            "bills: bills_2 bills_1 ()",
            "nobody",
        ),
        // Whom the order names and the route does not is told too, and nobody twice.
        (
            Some("bills"),
            "night",
            false,
            "bills: bills_2 bills_1 (night closed)",
            "",
        ),
        (
            None,
            "night night",
            false,
            "none: desk bills_1 bills_2 law (night closed)",
            "",
        ),
    ] {
        let given: Vec<&str> = given.split_whitespace().collect();
        let made = routes.plan_as_asked(route, &given, &noon);
        let left: Vec<_> = made
            .unknown
            .iter()
            .map(|text| text.expose().as_str())
            .collect();
        assert_eq!(shown(&made.plan), expected, "{given:?}");
        assert_eq!(
            (made.followed, left.join(" ").as_str()),
            (followed, unknown),
            "{given:?}"
        );
    }
}

#[test]
fn routes_and_targets_that_do_not_fit_are_refused_as_a_whole() {
    let route = |name: &str, needed: &str, targets: &str| {
        self::route(name, "true", needed, targets, Order::Listed)
    };
    let routes = vec![
        route("bills", "billing", "desk"),
        route("bills", "", "desk nobody"),
        route("law", "legal", ""),
        route("all", "billing", ""),
    ];
    let targets = vec![target("desk"), able("bills", "billing"), target("desk")];
    let errors = Routes::new(routes, targets, &names("night desk")).unwrap_err();
    let expected = [
        RoutesError::RepeatedTarget { name: name("desk") },
        RoutesError::UnknownDefault {
            name: name("night"),
        },
        RoutesError::NobodyAble {
            route: "bills".to_owned(),
        },
        RoutesError::RepeatedRoute {
            name: "bills".to_owned(),
        },
        RoutesError::UnknownTarget {
            route: "bills".to_owned(),
            name: name("nobody"),
        },
        RoutesError::NobodyAble {
            route: "law".to_owned(),
        },
    ];
    assert_eq!(errors, expected);
    let nobody = Routes::new(Vec::new(), Vec::new(), &[]).unwrap_err();
    assert_eq!(nobody, [RoutesError::NoDefault]);
}

/// A small generator of numbers (xorshift64*), so that a failure names a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    fn figure(&mut self) -> Option<f64> {
        [None, Some(f64::NAN), Some(1.0), Some(2.0), Some(-0.0)][self.below(5) as usize]
    }

    fn metrics(&mut self) -> Metrics {
        metrics(self.figure(), self.figure(), self.figure())
    }

    fn skills(&mut self, likely: u64) -> BTreeSet<String> {
        let all = ["a", "b", "c"].into_iter();
        all.filter(|_| self.below(8) < likely)
            .map(str::to_owned)
            .collect()
    }

    fn target(&mut self, nth: u64) -> Target {
        let hours = [
            None,
            Some("24/7"),
            Some("off"),
            Some("12:00-12:01"),
            Some("13:00-12:00"),
        ];
        Target {
            skills: self.skills(6),
            hours: hours[self.below(5) as usize].map(self::hours),
            metrics: self.metrics(),
            ..target(&format!("t{nth}"))
        }
    }

    /// Some of the targets, in any order, some twice.
    fn names(&mut self, of: u64) -> Vec<TargetName> {
        let count = self.below(2 * of);
        (0..count)
            .map(|_| name(&format!("t{}", self.below(of))))
            .collect()
    }

    fn condition(&mut self) -> Condition {
        Condition {
            available: self.below(4) > 0,
            metrics: self.metrics(),
            ..noon()
        }
    }
}

#[test]
fn every_plan_has_each_candidate_once_and_only_those_that_can_be_rung() {
    let (mut plans, mut rung) = (0, 0);
    for seed in 1..=1_000 {
        let mut chance = Chance(seed);
        let count = 1 + chance.below(16);
        let targets: Vec<Target> = (0..count).map(|nth| chance.target(nth)).collect();
        let route = Route {
            name: "route".to_owned(),
            when: Expression::compile("true").unwrap(),
            skills: chance.skills(1),
            targets: chance.names(count),
            order: Order::ALL[chance.below(4) as usize],
        };
        let (named, needed, order) = (route.targets.clone(), route.skills.clone(), route.order);
        let default = [name("t0")];
        let Ok(routes) = Routes::new(vec![route], targets.clone(), &default) else {
            continue;
        };
        let mut conditions = Conditions::new();
        for target in &targets {
            if chance.below(3) > 0 {
                conditions.insert(target.name.clone(), chance.condition());
            }
        }
        let all: BTreeSet<_> = targets.iter().map(|target| target.name.clone()).collect();
        let of_route = match named.is_empty() {
            true => all.clone(),
            false => named.into_iter().collect(),
        };
        let can_be_rung = |name: &TargetName, needed: &BTreeSet<String>| {
            let target = routes.target(name).unwrap();
            let is_there = conditions.get(name).is_none_or(|condition| {
                let hours = target.hours.as_ref();
                condition.available && hours.is_none_or(|hours| hours.is_open(condition.local))
            });
            is_there && needed.is_subset(&target.skills)
        };
        let check = |plan: &Plan, candidates: &BTreeSet<TargetName>, needed: &BTreeSet<String>| {
            let considered = plan.passed_over.iter().map(|(name, _)| name);
            let considered: Vec<_> = plan.targets.iter().chain(considered).cloned().collect();
            let each_once: BTreeSet<_> = considered.iter().cloned().collect();
            assert_eq!(considered.len(), each_once.len(), "seed {seed}: {plan:?}");
            assert_eq!(&each_once, candidates, "seed {seed}: {plan:?}");
            assert!(plan.targets.len() <= LONGEST_PLAN, "seed {seed}");
            for name in &plan.targets {
                assert!(can_be_rung(name, needed), "seed {seed}: {name}");
            }
            for (name, why) in &plan.passed_over {
                let is_full = *why == PassedOver::PlanFull;
                assert_eq!(is_full, can_be_rung(name, needed), "seed {seed}: {name}");
                assert!(
                    !is_full || plan.targets.len() == LONGEST_PLAN,
                    "seed {seed}"
                );
            }
        };

        let plan = routes.plan(Some("route"), &conditions);
        check(&plan, &of_route, &needed);
        let figures: Vec<Option<f64>> = (plan.targets.iter())
            .map(|name| {
                let live = conditions.get(name).map(|condition| condition.metrics);
                let configured = routes.target(name).unwrap().metrics;
                order.figure(configured.overridden_by(live.unwrap_or_default()))
            })
            .collect();
        let sorted = figures.is_sorted_by(|before, after| match (before, after) {
            (Some(before), Some(after)) => before <= after,
            (Some(_), None) | (None, None) => true,
            (None, Some(_)) => false,
        });
        assert!(sorted, "seed {seed}: {order:?} {figures:?}");
        assert_eq!(plan, routes.plan(Some("route"), &conditions), "seed {seed}");

        check(&routes.plan(None, &conditions), &all, &BTreeSet::new());

        let given = chance.names(count);
        let given: Vec<&str> = given.iter().map(TargetName::as_str).collect();
        let asked = routes.plan_as_asked(Some("route"), &given, &conditions);
        if asked.followed {
            let given: BTreeSet<_> = given.iter().map(|text| name(text)).collect();
            check(&asked.plan, &given, &BTreeSet::new());
        } else {
            assert_eq!(asked.plan.targets, plan.targets, "seed {seed}");
        }
        (plans, rung) = (plans + 1, rung + plan.targets.len());
    }
    assert!(
        plans > 700 && rung > 1_400,
        "{plans} plans with {rung} targets show little"
    );
}
