//! Conditions at load and during a call, and which rule fires when.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    EvaluationError, Expression, ExpressionError, Failing, Fired, Rule, RuleEngine, RuleSet,
    Signals,
};
use crate::pii::Pii;
use crate::time::CallTime;

const ASKS_FOR_HUMAN: &str = "caller.asks_for_human >= 0.6 || caller.digits.endsWith('0')";

fn asking(confidence: f64) -> Signals {
    let mut signals = Signals::default();
    signals.caller.asks_for_human = confidence;
    signals
}

fn pressed(digits: &str) -> Signals {
    let mut signals = Signals::default();
    signals.caller.digits = Pii::new(digits.to_owned());
    signals
}

fn silent(seconds: f64) -> Signals {
    let mut signals = Signals::default();
    signals.caller.silent_seconds = seconds;
    signals
}

fn with_parameter(name: &str, text: &str) -> Signals {
    let mut signals = Signals::default();
    signals.call.parameters = Pii::new(BTreeMap::from([(name.to_owned(), text.to_owned())]));
    signals
}

fn eventful() -> Signals {
    let mut signals = with_parameter("tier", "gold");
    signals.caller.asks_for_human = 0.7;
    signals.caller.sentiment = -0.75;
    signals.caller.sentiment_trend = -1.5;
    signals.caller.silent_seconds = 8.0;
    signals.caller.digits = Pii::new("120".to_owned());
    signals.call.seconds = 90.0;
    signals.call.turns = 7;
    signals.call.topics = vec!["billing".to_owned(), "vulnerable".to_owned()];
    signals.recognizer.lost = true;
    signals
}

#[test]
fn conditions_hold_or_not() {
    let holding = [
        "true",
        ASKS_FOR_HUMAN,
        "caller.asks_for_human > 0.5 && caller.sentiment < -0.5",
        "caller.silent_seconds >= 8",
        "caller.silent_seconds == 8.0",
        "caller.sentiment_trend < -1",
        "call.seconds / 60.0 > 1.0 && call.turns >= 7",
        "call.turns % 2 == 1",
        "recognizer.lost && !voice_agent.lost",
        "'vulnerable' in call.topics",
        "call.topics.exists(topic, topic.startsWith('vuln'))",
        "size(call.topics) == 2",
        "call.parameters.tier == 'gold'",
        "call.parameters['tier'] == 'gold'",
        "has(call.parameters.tier)",
        "!has(call.parameters.order)",
        "'tier' in call.parameters",
        "caller.digits.matches('^[0-9]+0$')",
        "call.turns > 5 ? caller.sentiment < 0.0 : false",
        "has(call.parameters.order) && double(call.parameters.order) > 100.0 || call.turns > 1",
    ];
    for source in holding {
        let condition =
            Expression::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(condition.evaluate(&eventful()), Ok(true), "{source}");
    }
    let failing = [
        "false",
        "caller.asks_for_human > 0.71",
        "voice_agent.lost",
        "'legal' in call.topics",
        "call.parameters.tier == 'silver'",
        "caller.digits == '12'",
        "call.turns < 7",
    ];
    for source in failing {
        let condition =
            Expression::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(condition.evaluate(&eventful()), Ok(false), "{source}");
    }
}

#[test]
fn unknown_signals_name_the_nearest() {
    let cases = [
        (
            "caller.ask_for_human > 0.5",
            "caller.ask_for_human",
            "caller.asks_for_human",
        ),
        (
            "caller.sentimnt < 0.0",
            "caller.sentimnt",
            "caller.sentiment",
        ),
        (
            "silent_seconds > 8",
            "silent_seconds",
            "caller.silent_seconds",
        ),
        ("call.topic == 'x'", "call.topic", "call.topics"),
        ("recogniser.lost", "recogniser.lost", "recognizer.lost"),
        ("call.turns.more > 1", "call.turns.more", "call.turns"),
        (
            "call.parameters.tier.level == 'x'",
            "call.parameters.tier.level",
            "call.parameters",
        ),
        (
            "call.topics.exists(t, t == caller.topic)",
            "caller.topic",
            "call.topics",
        ),
        ("true || call.digits == '0'", "call.digits", "caller.digits"),
    ];
    for (source, name, nearest) in cases {
        let expected = ExpressionError::UnknownSignal {
            name: name.to_owned(),
            nearest: Some(nearest),
        };
        assert_eq!(
            Expression::compile(source).unwrap_err(),
            expected,
            "{source}"
        );
    }
}

#[test]
fn names_that_are_spelled_like_no_signal_get_no_guess() {
    for name in ["caller.mood", "x", "call.price", "weather", "caller"] {
        let error = Expression::compile(&format!("{name} > 1")).unwrap_err();
        let expected = ExpressionError::UnknownSignal {
            name: name.to_owned(),
            nearest: None,
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("check --signals"), "{error}");
    }
}

#[test]
fn types_that_do_not_fit_name_the_signal_and_what_to_write() {
    for (source, said) in [
        (
            "caller.digits > 3",
            "`>` does not take string and int; `caller.digits` is a string; write a text in quotes",
        ),
        (
            "caller.digits == 0",
            "`==` does not take string and int; `caller.digits` is a string; write a text in quotes",
        ),
        (
            "call.parameters.age != 18",
            "`!=` does not take string and int; `call.parameters.age` is a string",
        ),
        (
            "caller.silent_seconds * 2 > 8.0",
            "`*` does not take number and int; `caller.silent_seconds` is a number; write decimals",
        ),
        (
            "recognizer.lost || call.turns * 0.5 > 1.0",
            "`*` does not take int and number; `call.turns` is an int; write decimals",
        ),
        (
            "recognizer.lost == 'true'",
            "`recognizer.lost` is a bool; a bool stands by itself",
        ),
        (
            "call.topics == 'legal'",
            "`call.topics` is a list; ask for what is in it, like 'legal' in call.topics",
        ),
        (
            "call.parameters > 1",
            "`call.parameters` is a map; name one of its entries",
        ),
        (
            "caller.sentiment.endsWith('0')",
            "`endsWith` does not take number and string; `caller.sentiment` is a number",
        ),
    ] {
        let error = Expression::compile(source).unwrap_err().to_string();
        assert!(error.contains(said), "{source}: {error}");
    }
    for source in [
        "caller.silent_seconds == 8",
        "call.turns != 2.0",
        "caller.digits == '0'",
    ] {
        assert!(Expression::compile(source).is_ok(), "{source}");
    }
}

#[test]
fn what_is_no_condition_is_refused_wherever_it_stands() {
    let cases = [
        ("caller.sentiment", "the expression", "float"),
        ("caller.digits", "the expression", "string"),
        ("1 + 1", "the expression", "int"),
        ("call.turns > 3 && caller.digits", "a side of &&", "string"),
        ("recognizer.lost || call.turns", "a side of ||", "int"),
        ("!call.topics", "the side of !", "list"),
    ];
    for (source, part, given) in cases {
        let expected = ExpressionError::NotACondition {
            part,
            given: given.to_owned(),
        };
        assert_eq!(
            Expression::compile(source).unwrap_err(),
            expected,
            "{source}"
        );
    }
}

#[test]
fn types_are_checked_on_both_sides_of_a_short_cut() {
    let sources = [
        "caller.digits > 3",
        "caller.silent_seconds >= 8 && caller.digits > 3",
        "true || call.topics > 1",
        "false && call.turns == 1 && caller.sentiment.endsWith('0')",
        "call.parameters > 1",
        "call.turns * 0.5 > 1.0",
        "false ? call.topics < 1 : true",
    ];
    for source in sources {
        let error = Expression::compile(source).unwrap_err();
        assert!(
            matches!(error, ExpressionError::Types { .. }),
            "{source}: {error}"
        );
    }
}

#[test]
fn unknown_functions_and_broken_syntax_are_refused() {
    let unknown = Expression::compile("shouting(caller.digits)").unwrap_err();
    assert_eq!(
        unknown,
        ExpressionError::UnknownFunction {
            name: "shouting".to_owned()
        }
    );
    for source in [
        "",
        "caller.digits ==",
        "a b",
        "'",
        "(true",
        "true &&",
        "caller..digits",
        "if x",
    ] {
        let error = Expression::compile(source).unwrap_err();
        assert!(
            matches!(error, ExpressionError::Syntax { .. }),
            "{source}: {error}"
        );
    }
    let long = format!("true {}", "|| true ".repeat(1_000));
    assert_eq!(
        Expression::compile(&long).unwrap_err(),
        ExpressionError::TooLong
    );
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("true ? ", " : true"),
        ("1 + ", ""),
        ("size(", ")"),
    ] {
        let deep = format!("{}true{}", open.repeat(33), close.repeat(33));
        assert_eq!(
            Expression::compile(&deep).unwrap_err(),
            ExpressionError::TooDeep
        );
    }
}

#[test]
fn nothing_short_enough_exhausts_the_stack() {
    let sources = [
        "!".repeat(1_990) + "true",
        "-".repeat(32) + "1",
        "true".to_owned() + &"||true".repeat(300),
        "true".to_owned() + &"&&!true".repeat(280),
        "1".to_owned() + &"+1".repeat(32),
        "1".to_owned() + &"<1".repeat(32),
        "a".to_owned() + &".a".repeat(990),
        "true?".repeat(32) + "true" + &":true".repeat(32),
        "(".repeat(8) + "true" + &")".repeat(8),
        "(1<1+".repeat(5) + "1" + &")".repeat(5),
        "[".repeat(8),
        "size(".repeat(8) + "1" + &")".repeat(8),
        "call.topics.all(t, ".repeat(8) + "true" + &")".repeat(8),
    ];
    for source in sources {
        // What matters is that it returns.
        if let Ok(condition) = Expression::compile(&source) {
            assert!(condition.evaluate(&Signals::default()).is_ok(), "{source}");
        }
    }
}

#[test]
fn a_condition_knows_its_signals() {
    let condition = Expression::compile(
        "'legal' in call.topics && caller.asks_for_human > 0.5 || call.parameters.tier == 'gold'",
    );
    let names: Vec<_> = condition
        .unwrap()
        .signals()
        .iter()
        .map(|signal| signal.name)
        .collect();
    assert_eq!(
        names,
        ["caller.asks_for_human", "call.topics", "call.parameters"]
    );
}

#[test]
fn what_only_a_call_can_show_is_a_typed_failure() {
    let cases = [
        (
            "call.parameters.tier == 'gold'",
            Signals::default(),
            EvaluationError::Absent,
        ),
        (
            "call.topics[0] == 'legal'",
            Signals::default(),
            EvaluationError::Absent,
        ),
        (
            "int(call.parameters.age) > 3",
            with_parameter("age", "old"),
            EvaluationError::WrongForm,
        ),
        (
            "60 / call.turns > 3",
            Signals::default(),
            EvaluationError::Arithmetic,
        ),
        (
            "caller.digits.matches(call.parameters.p)",
            with_parameter("p", "("),
            EvaluationError::WrongForm,
        ),
    ];
    for (source, signals, expected) in cases {
        let condition =
            Expression::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(condition.evaluate(&signals), Err(expected), "{source}");
    }
}

/// An engine over rules given as name, condition and cool-down in seconds.
struct Bench {
    rules: RuleSet,
    engine: RuleEngine,
}

impl Bench {
    fn new(rules: &[(&str, &str, u64)]) -> Self {
        let rules = rules.iter().map(|&(name, when, seconds)| Rule {
            name: name.to_owned(),
            when: Expression::compile(when).unwrap(),
            cool_down: Duration::from_secs(seconds),
        });
        Self {
            rules: RuleSet {
                rules: rules.collect(),
            },
            engine: RuleEngine::default(),
        }
    }

    fn at(&mut self, seconds: u64, signals: &Signals) -> Option<Fired> {
        let now = CallTime::from_millis(seconds * 1_000);
        self.engine.evaluate(&self.rules, signals, now)
    }

    fn name_at(&mut self, seconds: u64, signals: &Signals) -> Option<String> {
        self.at(seconds, signals).map(|fired| fired.name)
    }
}

#[test]
fn the_default_rule_fires_on_words_and_on_the_key_0() {
    let rule = [("caller_asks_for_human", ASKS_FOR_HUMAN, 30)];
    let fired = Bench::new(&rule).at(3, &asking(0.95)).unwrap();
    assert_eq!(
        (fired.rule, fired.name.as_str()),
        (0, "caller_asks_for_human")
    );
    let expected = [
        ("caller.asks_for_human", "0.95".to_owned()),
        ("caller.digits", String::new()),
    ];
    assert_eq!(fired.values, expected);

    let fired = Bench::new(&rule).at(3, &pressed("4110")).unwrap();
    assert_eq!(fired.values[1], ("caller.digits", "···0".to_owned()));

    assert_eq!(Bench::new(&rule).at(3, &asking(0.59)), None);
    assert_eq!(Bench::new(&rule).at(3, &pressed("01")), None);
}

#[test]
fn a_condition_that_stays_true_fires_once_a_cool_down() {
    let mut bench = Bench::new(&[("silent", "caller.silent_seconds >= 8", 10)]);
    let fired: Vec<u64> = (0..40)
        .filter(|&second| bench.at(second, &silent(second as f64)).is_some())
        .collect();
    assert_eq!(fired, [8, 18, 28, 38]);
}

#[test]
fn a_condition_that_was_false_in_between_fires_again_at_once() {
    let mut bench = Bench::new(&[("asks", ASKS_FOR_HUMAN, 600)]);
    assert!(bench.at(1, &asking(0.9)).is_some());
    assert!(bench.at(2, &asking(0.9)).is_none());
    assert!(bench.at(3, &asking(0.1)).is_none());
    assert!(bench.at(4, &asking(0.9)).is_some());
}

#[test]
fn the_order_of_the_list_is_the_priority_and_later_rules_wait() {
    let mut bench = Bench::new(&[
        ("first", "caller.silent_seconds >= 8", 600),
        ("second", "caller.silent_seconds >= 4", 600),
        ("third", "caller.silent_seconds >= 4", 600),
    ]);
    assert_eq!(bench.name_at(1, &silent(9.0)).as_deref(), Some("first"));
    assert_eq!(bench.name_at(2, &silent(9.0)).as_deref(), Some("second"));
    assert_eq!(bench.name_at(3, &silent(1.0)), None);
    assert_eq!(bench.name_at(4, &silent(5.0)).as_deref(), Some("second"));
    assert_eq!(bench.name_at(5, &silent(5.0)).as_deref(), Some("third"));
    assert_eq!(bench.name_at(6, &silent(5.0)), None);
}

#[test]
fn a_failing_rule_is_false_and_told_once_a_run() {
    let mut bench = Bench::new(&[
        ("gold", "call.parameters.tier == 'gold'", 0),
        ("asks", ASKS_FOR_HUMAN, 0),
    ]);
    assert_eq!(bench.name_at(1, &asking(0.9)).as_deref(), Some("asks"));
    let failing = Failing {
        rule: 0,
        error: EvaluationError::Absent,
    };
    assert_eq!(bench.engine.poll_failing(), Some(failing));
    assert_eq!(bench.engine.poll_failing(), None);

    bench.at(2, &Signals::default());
    assert_eq!(bench.engine.poll_failing(), None);

    assert_eq!(
        bench.name_at(3, &with_parameter("tier", "gold")).as_deref(),
        Some("gold")
    );
    bench.at(4, &Signals::default());
    assert_eq!(bench.engine.poll_failing(), Some(failing));
}

#[test]
fn a_failure_in_between_does_not_make_a_rule_ready() {
    let mut bench = Bench::new(&[("gold", "call.parameters.tier == 'gold'", 600)]);
    assert!(bench.at(1, &with_parameter("tier", "gold")).is_some());
    assert!(bench.at(2, &Signals::default()).is_none());
    assert!(bench.at(3, &with_parameter("tier", "gold")).is_none());
}

#[test]
fn no_rules_and_changed_rules_are_harmless() {
    let mut bench = Bench::new(&[]);
    assert_eq!(bench.at(1, &asking(1.0)), None);
    bench.rules = Bench::new(&[("asks", ASKS_FOR_HUMAN, 0)]).rules;
    assert!(bench.at(2, &asking(1.0)).is_some());
}
