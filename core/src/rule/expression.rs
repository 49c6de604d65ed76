//! A condition in CEL, checked against the declared signals before any call.
//!
//! Language: <https://github.com/google/cel-spec>, as the `cel` crate 0.15 reads it. It has no
//! loops but over given lists, so a condition always ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{Context, Env, ExecutionError, Program, Value};

use super::fitting::check_condition;
use super::signals::{DECLARED, Declaration, Reading, Signals};
use crate::pii::Pii;
use crate::spelling::distance;

/// Longer sources are refused; the longest rule anyone can read is shorter.
const LONGEST_SOURCE: usize = 2_000;
/// The parser recurses before it counts, and would exhaust the stack: in a debug build and 2 MiB it
/// stood 10 brackets inside each other, or 48 operators in a row.
const HEAVIEST_SIDE: usize = 32;
const BRACKET_WEIGHT: usize = 4;

/// A condition over signals that passed all checks at load.
pub struct Expression {
    source: String,
    program: Program,
    env: Arc<Env>,
    signals: Vec<&'static Declaration>,
}

/// Why a condition was refused at load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The text is not CEL.
    #[error("not a valid expression: {reason}")]
    Syntax {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// The text is longer than 2,000 bytes.
    #[error("longer than {LONGEST_SOURCE} bytes")]
    TooLong,
    /// Brackets inside each other, weighing 4 each, and operators other than `&&`, `||` and `!`
    /// come to more than 32 on one side of the outermost `&&` and `||`.
    #[error("too deeply nested")]
    TooDeep,
    /// A name is no declared signal.
    #[error("unknown signal `{name}`{}", did_you_mean(*.nearest))]
    UnknownSignal {
        /// The name as written.
        name: String,
        /// The declared signal that is spelled most alike, if one is spelled alike.
        nearest: Option<&'static str>,
    },
    /// A function does not exist.
    #[error("unknown function `{name}`")]
    UnknownFunction {
        /// The name as written.
        name: String,
    },
    /// An operator or function was given types it does not take.
    #[error("types do not fit: {reason}")]
    Types {
        /// Which operator, what it was given, and what to write.
        reason: String,
    },
    /// The whole, or a side of `&&`, `||` or `!`, is no condition.
    #[error("`{part}` gives {given}, not true or false")]
    NotACondition {
        /// `the expression`, or the operator whose side it is.
        part: &'static str,
        /// The type of its value.
        given: String,
    },
}

/// Why a condition has no value at some instant of a call. It carries no data of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum EvaluationError {
    /// A parameter or list item that the condition needs is absent.
    #[error("a needed value is absent")]
    Absent,
    /// A text could not be taken for what the condition takes it for, or types do not fit.
    #[error("a value has the wrong form")]
    WrongForm,
    /// Division by zero or a result beyond the range of its type.
    #[error("arithmetic has no result")]
    Arithmetic,
}

impl Expression {
    /// Reads and checks a condition. Costs some 100 µs: done at load, never during a call.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it; the operator corrects the rule.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        if source.len() > LONGEST_SOURCE {
            return Err(ExpressionError::TooLong);
        }
        if heaviest_side(source) > HEAVIEST_SIDE {
            return Err(ExpressionError::TooDeep);
        }
        let env = Arc::new(Env::stdlib());
        let program = env
            .compile(source)
            .map_err(|errors| ExpressionError::Syntax {
                reason: reason_of(&errors),
            })?;

        let mut names = Names::default();
        names.collect(program.expression(), &mut Vec::new())?;
        let expression = Self {
            source: source.to_owned(),
            program,
            env,
            signals: names.signals(),
        };
        let neutral = Signals {
            call: super::Call {
                parameters: Pii::new(names.neutral_parameters()),
                ..super::Call::default()
            },
            ..Signals::default()
        };
        let context = expression.context(&neutral);
        check_condition(expression.program.expression(), "the expression", &context)?;
        Ok(expression)
    }

    /// The condition as its author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The signals that the condition names, in the order of their declaration.
    pub fn signals(&self) -> &[&'static Declaration] {
        &self.signals
    }

    /// Evaluates the condition.
    ///
    /// # Errors
    ///
    /// Only for what no check at load can know; the rule counts as false for this instant.
    pub fn evaluate(&self, signals: &Signals) -> Result<bool, EvaluationError> {
        match self.program.execute(&self.context(signals)) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err(EvaluationError::WrongForm),
            Err(error) => Err(kind_of(&error)),
        }
    }

    /// Binds each named signal under its whole dotted name, which CEL prefers over member access.
    fn context(&self, signals: &Signals) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for declared in &self.signals {
            context.add_variable_from_value(declared.name, value_of(declared.read(signals)));
        }
        context
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

fn value_of(reading: Reading<'_>) -> Value {
    match reading {
        Reading::Number(number) => Value::Float(number),
        Reading::Count(count) => Value::Int(count),
        Reading::Flag(flag) => Value::Bool(flag),
        Reading::Text(text) => text.expose().as_str().into(),
        Reading::Names(names) => Value::List(Arc::new(
            names.iter().map(|name| name.as_str().into()).collect(),
        )),
        Reading::Texts(texts) => {
            let entries = texts.expose().iter();
            Value::Map(cel::objects::Map {
                map: Arc::new(
                    entries
                        .map(|(name, text)| (name.as_str().into(), text.as_str().into()))
                        .collect(),
                ),
            })
        }
    }
}

/// Weighs the sides of the outermost `&&` and `||`; text in quotes counts as if it were code.
fn heaviest_side(source: &str) -> usize {
    let (mut open, mut deepest, mut operators, mut heaviest) = (0_usize, 0, 0, 0);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'?' => operators += 1,
            b'&' | b'|' if open == 0 => (deepest, operators) = (0, 0),
            _ => {}
        }
        deepest = deepest.max(open);
        heaviest = heaviest.max(BRACKET_WEIGHT * deepest + operators);
    }
    heaviest
}

fn reason_of(errors: &cel::ParseErrors) -> String {
    let Some(first) = errors.errors.first() else {
        return "unreadable".to_owned();
    };
    let (line, column) = first.pos;
    format!("{} (line {line}, column {column})", first.msg)
}

pub(super) fn kind_of(error: &ExecutionError) -> EvaluationError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is the crate's and grows; what it adds is a matter of types"
    )]
    match error {
        ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_) => {
            EvaluationError::Absent
        }
        ExecutionError::DivisionByZero(_)
        | ExecutionError::RemainderByZero(_)
        | ExecutionError::Overflow(..) => EvaluationError::Arithmetic,
        _ => EvaluationError::WrongForm,
    }
}

/// The signals and parameters that an expression names.
#[derive(Default)]
struct Names {
    signals: BTreeSet<&'static str>,
    parameters: BTreeSet<String>,
}

impl Names {
    fn signals(&self) -> Vec<&'static Declaration> {
        let named = |declared: &&Declaration| self.signals.contains(declared.name);
        DECLARED.iter().filter(named).collect()
    }

    /// Gives every named parameter a text that is also a number, so that conversions pass.
    fn neutral_parameters(&self) -> BTreeMap<String, String> {
        let named = self.parameters.iter();
        named.map(|name| (name.clone(), "0".to_owned())).collect()
    }

    /// Walks the tree; `bound` are the variables of the macros around `node`.
    fn collect<'e>(
        &mut self,
        node: &'e IdedExpr,
        bound: &mut Vec<&'e str>,
    ) -> Result<(), ExpressionError> {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(_) | Expr::Select(_) => self.collect_path(node, bound),
            Expr::Call(call) => {
                if call.func_name == operators::INDEX {
                    self.collect_key(&call.args);
                }
                let parts = call.target.as_deref().into_iter().chain(&call.args);
                self.collect_all(parts, bound)
            }
            Expr::List(list) => self.collect_all(&list.elements, bound),
            Expr::Map(map) => self.collect_entries(&map.entries, bound),
            Expr::Struct(made) => self.collect_entries(&made.entries, bound),
            Expr::Comprehension(macro_) => {
                self.collect(&macro_.iter_range, bound)?;
                self.collect(&macro_.accu_init, bound)?;
                let outside = bound.len();
                bound.push(&macro_.iter_var);
                bound.extend(macro_.iter_var2.as_deref());
                bound.push(&macro_.accu_var);
                let parts = [&macro_.loop_cond, &macro_.loop_step, &macro_.result];
                let inside = self.collect_all(parts, bound);
                bound.truncate(outside);
                inside
            }
        }
    }

    fn collect_all<'e>(
        &mut self,
        nodes: impl IntoIterator<Item = &'e IdedExpr>,
        bound: &mut Vec<&'e str>,
    ) -> Result<(), ExpressionError> {
        nodes
            .into_iter()
            .try_for_each(|node| self.collect(node, bound))
    }

    fn collect_entries<'e>(
        &mut self,
        entries: &'e [cel::common::ast::IdedEntryExpr],
        bound: &mut Vec<&'e str>,
    ) -> Result<(), ExpressionError> {
        for entry in entries {
            match &entry.expr {
                EntryExpr::StructField(field) => self.collect(&field.value, bound)?,
                EntryExpr::MapEntry(entry) => {
                    self.collect_all([&entry.key, &entry.value], bound)?;
                }
            }
        }
        Ok(())
    }

    /// Takes `a.b.c` for the signal `a.b.c`, else for the member `c` of the signal `a.b`.
    fn collect_path<'e>(
        &mut self,
        node: &'e IdedExpr,
        bound: &mut Vec<&'e str>,
    ) -> Result<(), ExpressionError> {
        let Some(path) = path_of(node) else {
            let Expr::Select(select) = &node.expr else {
                return Ok(());
            };
            return self.collect(&select.operand, bound);
        };
        if path.first().is_some_and(|root| bound.contains(root)) {
            return Ok(());
        }
        let neutral = Signals::default();
        for length in (1..=path.len()).rev() {
            let Some(declared) = Declaration::named(&path[..length].join(".")) else {
                continue;
            };
            let has_members = matches!(declared.read(&neutral), Reading::Texts(_));
            match &path[length..] {
                [] => {}
                [member] if has_members => {
                    self.parameters.insert((*member).to_owned());
                }
                _ => break,
            }
            self.signals.insert(declared.name);
            return Ok(());
        }
        Err(unknown_signal(path.join(".")))
    }

    /// Notes `tier` of `call.parameters["tier"]`.
    fn collect_key(&mut self, args: &[IdedExpr]) {
        if let [_, key] = args
            && let Expr::Literal(LiteralValue::String(key)) = &key.expr
        {
            self.parameters.insert(key.inner().to_owned());
        }
    }
}

/// The segments of a dotted name, or `None` for a member of anything else.
pub(super) fn path_of(node: &IdedExpr) -> Option<Vec<&str>> {
    match &node.expr {
        Expr::Ident(name) => Some(vec![name]),
        Expr::Select(select) => {
            let mut path = path_of(&select.operand)?;
            path.push(&select.field);
            Some(path)
        }
        Expr::Unspecified
        | Expr::Literal(_)
        | Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::List(_)
        | Expr::Map(_)
        | Expr::Struct(_) => None,
    }
}

fn unknown_signal(name: String) -> ExpressionError {
    let member_of = |declared: &&str| {
        let rest = name.strip_prefix(*declared);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let mut names = DECLARED.iter().map(|declared| declared.name);
    let nearest = names.clone().find(member_of).or_else(|| {
        let alike = names.by_ref().filter_map(|declared| {
            let (whole, last) = (distance(&name, declared), distance_of_last(&name, declared));
            let alike = whole <= name.len() / 4 || last <= last_of(&name).len() / 4;
            alike.then_some((whole + last, declared))
        });
        alike.min().map(|(_, declared)| declared)
    });
    ExpressionError::UnknownSignal { name, nearest }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!(", did you mean `{nearest}`?"),
        None => "; `handoff check --signals` prints those there are".to_owned(),
    }
}

fn last_of(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn distance_of_last(left: &str, right: &str) -> usize {
    distance(last_of(left), last_of(right))
}
