//! Whether what an expression puts together fits together, tried on neutral values before any call.
//!
//! CEL finds out about types when it evaluates. What does not fit is told with the operator, the
//! signal and what to write, because CEL's own words name neither.

use cel::common::ast::{Expr, IdedExpr, operators};
use cel::{Context, ExecutionError, Value};

use super::expression::{EvaluationError, ExpressionError, kind_of, path_of};

/// Evaluates every side of every `&&`, `||`, `!` and `?:` on neutral values, so that the side which
/// a call would rarely reach is checked as well as the one it reaches first.
pub(super) fn check_condition(
    node: &IdedExpr,
    part: &'static str,
    context: &Context<'_, '_>,
) -> Result<(), ExpressionError> {
    if let Expr::Call(call) = &node.expr {
        let sides = match call.func_name.as_str() {
            operators::LOGICAL_AND => Some("a side of &&"),
            operators::LOGICAL_OR => Some("a side of ||"),
            operators::LOGICAL_NOT => Some("the side of !"),
            operators::CONDITIONAL => Some("a part of ?:"),
            _ => None,
        };
        if let Some(sides) = sides {
            let mut args = call.args.iter();
            return args.try_for_each(|side| check_condition(side, sides, context));
        }
    }
    match context.resolve(node) {
        // CEL finds values of different types unequal, so that the rule would never fire, or always.
        Ok(Value::Bool(_)) if compares_unlike(node, context) => Err(ExpressionError::Types {
            reason: misfit(node, context).unwrap_or_default(),
        }),
        Ok(Value::Bool(_)) => Ok(()),
        Ok(value) => Err(ExpressionError::NotACondition {
            part,
            given: value.type_of().to_string(),
        }),
        Err(ExecutionError::UndeclaredReference(name)) => Err(ExpressionError::UnknownFunction {
            name: name.as_ref().clone(),
        }),
        Err(error) => match kind_of(&error) {
            // Neutral lists are empty and neutral numbers zero; calls will differ.
            EvaluationError::Absent | EvaluationError::Arithmetic => Ok(()),
            EvaluationError::WrongForm => Err(ExpressionError::Types {
                // A function that took its operands says itself what it could not make of them.
                reason: (!matches!(error, ExecutionError::FunctionError { .. }))
                    .then(|| misfit(node, context))
                    .flatten()
                    .unwrap_or_else(|| error.to_string()),
            }),
        },
    }
}

fn compares_unlike(node: &IdedExpr, context: &Context<'_, '_>) -> bool {
    let Expr::Call(call) = &node.expr else {
        return false;
    };
    let compares = [operators::EQUALS, operators::NOT_EQUALS].contains(&call.func_name.as_str());
    let kinds: Vec<_> = (call.args.iter())
        .filter_map(|side| Some(Kind::of(&context.resolve(side).ok()?)))
        .collect();
    let is_number = |kind: &Kind| matches!(kind, Kind::Number | Kind::Int);
    compares
        && matches!(&kinds[..], [left, right]
            if left != right && !(is_number(left) && is_number(right)))
}

/// What a value is, in the words of [`Declaration::kind`](super::Declaration::kind).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Int,
    Bool,
    String,
    List,
    Map,
    Other,
}

impl Kind {
    fn of(value: &Value) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the enum is the crate's; signals and what is written have these types"
        )]
        match value {
            Value::Float(_) => Self::Number,
            Value::Int(_) | Value::UInt(_) => Self::Int,
            Value::Bool(_) => Self::Bool,
            Value::String(_) => Self::String,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Map,
            _ => Self::Other,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::String => "string",
            Self::List => "list",
            Self::Map => "map",
            Self::Other => "value of another type",
        }
    }
}

/// Says of the innermost operator or function that does not take its operands what they are, and
/// what to write. `None` for what is neither.
fn misfit(node: &IdedExpr, context: &Context<'_, '_>) -> Option<String> {
    let Expr::Call(call) = &node.expr else {
        return None;
    };
    let operands: Vec<&IdedExpr> = (call.target.as_deref().into_iter())
        .chain(&call.args)
        .collect();
    let mut kinds = Vec::new();
    for operand in &operands {
        match context.resolve(operand) {
            Ok(value) => kinds.push(Kind::of(&value)),
            Err(_) => return misfit(operand, context),
        }
    }
    let named: Vec<String> = (operands.iter().zip(&kinds))
        .filter_map(|(operand, kind)| {
            let article = if *kind == Kind::Int { "an" } else { "a" };
            let name = path_of(operand)?.join(".");
            Some(format!("`{name}` is {article} {}", kind.word()))
        })
        .collect();
    let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let operator = call.func_name.trim_matches(['_', '@']);
    let said = format!("`{operator}` does not take {}", words.join(" and "));
    let parts = [Some(said), (!named.is_empty()).then(|| named.join(", "))];
    let parts = parts.into_iter().flatten();
    let parts = parts.chain(advice(&kinds).map(str::to_owned));
    Some(parts.collect::<Vec<_>>().join("; "))
}

fn advice(kinds: &[Kind]) -> Option<&'static str> {
    let has = |kind| kinds.contains(&kind);
    if has(Kind::Map) {
        Some("name one of its entries, like call.parameters.tier")
    } else if has(Kind::List) {
        Some("ask for what is in it, like 'legal' in call.topics")
    } else if has(Kind::Bool) {
        Some("a bool stands by itself, or after ! for its opposite")
    } else if has(Kind::String) && (has(Kind::Number) || has(Kind::Int)) {
        Some("write a text in quotes, like '3', or make a number of it with double()")
    } else if has(Kind::Number) && has(Kind::Int) {
        Some("write decimals, like 2.0, or make a number of it with double()")
    } else {
        None
    }
}
