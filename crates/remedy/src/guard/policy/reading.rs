//! What an expression reads and where it branches, found without working it out.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};

/// Most levels of an expression: it is worked out by recursion, each level of which takes 25 kibibytes of the stack of a debug
/// build, and a thread has 2 mebibytes. A chain of `&&` or `||` is balanced by the parser, and has few levels however long.
pub(super) const MAX_DEPTH: usize = 40;

/// What an expression reads, and where it branches.
#[derive(Default)]
pub(super) struct Reading<'e> {
    /// Each variable with the fields that are read from it: `entity`, `attributes`, `pool`.
    pub(super) paths: Vec<Vec<&'e str>>,
    /// The whole, and what stands beside `&&`, `||`, `!`, `?` and `:` in it. What stands in a loop is not among them: it means
    /// nothing without the variable of the loop.
    pub(super) branches: Vec<Branch<'e>>,
    /// Names that the loops around bring along.
    in_loops: Vec<&'e str>,
}

/// A part that may be left out when the whole is worked out.
#[derive(Clone, Copy)]
pub(super) struct Branch<'e> {
    pub(super) part: &'e IdedExpr,
    /// Whether it has to be true or false.
    pub(super) is_condition: bool,
}

impl<'e> Reading<'e> {
    /// `None` when it has more than [`MAX_DEPTH`] levels.
    pub(super) fn of(expression: &'e IdedExpr) -> Option<Self> {
        let mut reading = Self::default();
        reading.branch(expression, true, 0)?;
        Some(reading)
    }

    fn branch(&mut self, part: &'e IdedExpr, is_condition: bool, depth: usize) -> Option<()> {
        if self.in_loops.is_empty() {
            self.branches.push(Branch { part, is_condition });
        }
        if let Expr::Call(call) = &part.expr
            && let (operators::CONDITIONAL, [asked, yes, no]) = (&*call.func_name, &*call.args)
        {
            let depth = deeper(depth, 1)?;
            self.branch(asked, true, depth)?;
            self.branch(yes, is_condition, depth)?;
            return self.branch(no, is_condition, depth);
        }
        self.part(part, depth)
    }

    fn part(&mut self, part: &'e IdedExpr, depth: usize) -> Option<()> {
        if let Some(path) = path(&part.expr) {
            deeper(depth, path.len())?;
            if !self.in_loops.contains(&path[0]) {
                self.paths.push(path);
            }
            return Some(());
        }
        let depth = deeper(depth, 1)?;
        match &part.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Call(call) => match call.func_name.as_str() {
                operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                    for side in &call.args {
                        self.branch(side, true, depth)?;
                    }
                }
                operators::CONDITIONAL => self.branch(part, false, depth)?,
                _ => {
                    for one in call.target.as_deref().into_iter().chain(&call.args) {
                        self.part(one, depth)?;
                    }
                }
            },
            Expr::Comprehension(over) => self.comprehension(over, depth)?,
            Expr::List(list) => {
                for one in &list.elements {
                    self.part(one, depth)?;
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    self.entry(&entry.expr, depth)?;
                }
            }
            Expr::Select(select) => self.part(&select.operand, depth)?,
            Expr::Struct(made) => {
                for entry in &made.entries {
                    self.entry(&entry.expr, depth)?;
                }
            }
        }
        Some(())
    }

    fn entry(&mut self, entry: &'e EntryExpr, depth: usize) -> Option<()> {
        match entry {
            EntryExpr::StructField(field) => self.part(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.part(&entry.key, depth)?;
                self.part(&entry.value, depth)
            }
        }
    }

    fn comprehension(&mut self, over: &'e ComprehensionExpr, depth: usize) -> Option<()> {
        self.part(&over.iter_range, depth)?;
        self.part(&over.accu_init, depth)?;
        let outside = self.in_loops.len();
        self.in_loops.extend([&*over.accu_var, &*over.iter_var]);
        self.in_loops.extend(over.iter_var2.as_deref());
        for inside in [&over.loop_cond, &over.loop_step, &over.result] {
            self.part(inside, depth)?;
        }
        self.in_loops.truncate(outside);
        Some(())
    }
}

fn deeper(depth: usize, levels: usize) -> Option<usize> {
    let depth = depth + levels;
    (depth <= MAX_DEPTH).then_some(depth)
}

/// A variable and what is selected from it; never empty.
fn path(mut at: &Expr) -> Option<Vec<&str>> {
    let mut path = Vec::new();
    while let Some((of, field)) = selection(at) {
        path.push(field);
        at = of;
    }
    let Expr::Ident(variable) = at else {
        return None;
    };
    path.push(variable);
    path.reverse();
    Some(path)
}

/// `a.b`, `a["b"]` or `has(a.b)`, as `a` and `b`.
fn selection(at: &Expr) -> Option<(&Expr, &str)> {
    if let Expr::Select(select) = at {
        return Some((&select.operand.expr, &select.field));
    }
    let Expr::Call(call) = at else {
        return None;
    };
    let [of, key] = &*call.args else {
        return None;
    };
    let Expr::Literal(LiteralValue::String(key)) = &key.expr else {
        return None;
    };
    (call.func_name == operators::INDEX).then_some((&of.expr, key.inner()))
}
