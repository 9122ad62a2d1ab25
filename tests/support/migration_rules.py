"""Which steps of a migration break processes of the release before it.

Read from the source, since what a step does to an old process cannot be seen from the schema alone.
See docs/operations/migrations.md for what to do instead.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MARK = re.compile(r"#\s*contract:\s*(?P<reason>.*\S)?")
_MIN_REASON = 20
_UNIQUE = "makes values unique that old code may write twice"
# Whatever the arguments are: what takes something away that old code may read or write, and what
# refuses rows that it writes.
_ALWAYS = {
    "drop_column": "drops a column",
    "drop_table": "drops a table",
    "rename_table": "renames a table",
    "drop_constraint": "drops a constraint, which `ON CONFLICT` of old code may name",
    "create_unique_constraint": _UNIQUE,
    "create_check_constraint": "checks values that old code writes",
    "create_foreign_key": "wants rows that old code does not write",
}
_STATEMENTS = (
    (r"\bDROP\s+(TABLE|COLUMN|CONSTRAINT)\b", "drops a table, a column or a constraint"),
    (r"\bALTER\s+TABLE\b[^;]*\bRENAME\b", "renames a table or a column"),
    (r"\bSET\s+NOT\s+NULL\b", "makes a column NOT NULL"),
    (r"\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b", "changes the type of a column"),
    (r"\bCREATE\s+UNIQUE\s+INDEX\b", _UNIQUE),
    (r"\b(TRUNCATE|DELETE\s+FROM)\b", "deletes rows"),
    (
        r"\bADD\s+(COLUMN\s+)?(?!CONSTRAINT\b)(?![^;]*\bDEFAULT\b)\S+\s[^;]*\bNOT\s+NULL\b",
        "adds a NOT NULL column without a default",
    ),
)


@dataclass(frozen=True)
class Step:
    """A step that old processes do not survive.

    Attributes:
        line: Where it is.
        problem: What it does.
        reason: Why it may nevertheless; empty where nobody says so.
    """

    line: int
    problem: str
    reason: str


def breaking_steps(source: str) -> list[Step]:
    """The steps of a migration's way forward that break the release before it.

    One that says why it may, in a comment `# contract: …` on its first line or above it, has a
    reason.
    """
    tree, lines = ast.parse(source), source.splitlines()
    forward = [node for node in tree.body if getattr(node, "name", "") != "downgrade"]
    new = {
        table
        for node in forward
        for call in _calls(node)
        if _name(call) == "create_table" and (table := _text(call.args[:1]))
    }
    found = [
        Step(line, problem, _reason(lines, line))
        for node in forward
        for line, problem in _problems(node, new)
    ]
    return sorted(found, key=lambda step: step.line)


def unmarked(path: Path) -> list[str]:
    """What is wrong with a migration, one sentence each."""
    source = path.read_text()
    steps = breaking_steps(source)
    said = [
        f"{path.name}:{step.line} {step.problem}"
        for step in steps
        if len(step.reason) < _MIN_REASON
    ]
    if steps and not said and _expands(source):
        said.append(f"{path.name} expands and contracts: these belong to different releases")
    return said


def _expands(source: str) -> bool:
    adding = ("add_column", "create_table")
    nodes = [n for n in ast.parse(source).body if getattr(n, "name", "") != "downgrade"]
    return any(_name(call) in adding for node in nodes for call in _calls(node))


def _problems(node: ast.stmt, new: set[str]) -> Iterator[tuple[int, str]]:
    batches = dict(_batches(node))
    for call in _calls(node):
        name = _name(call)
        table = _table_of(call, batches)
        if table is not None and table in new:
            continue
        if name in _ALWAYS:
            yield call.lineno, _ALWAYS[name]
        elif name == "create_index" and _is(call, "unique", value=True):
            yield call.lineno, _UNIQUE
        elif name == "alter_column":
            yield from _alterations(call)
        elif name == "add_column" and _added_without_value(call):
            yield call.lineno, "adds a NOT NULL column without a default"
    if not isinstance(node, ast.Expr):  # The module's docstring may name what it likes.
        yield from _statements(node)


def _statements(node: ast.stmt) -> Iterator[tuple[int, str]]:
    """SQL that is written out."""
    for text in ast.walk(node):
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            for pattern, problem in _STATEMENTS:
                if re.search(pattern, text.value, re.IGNORECASE):
                    yield text.lineno, problem


def _alterations(call: ast.Call) -> Iterator[tuple[int, str]]:
    given = {word.arg for word in call.keywords}
    if "new_column_name" in given:
        yield call.lineno, "renames a column"
    if "type_" in given:
        yield call.lineno, "changes the type of a column"
    if _is(call, "nullable", value=False):
        yield call.lineno, "makes a column NOT NULL"


def _added_without_value(call: ast.Call) -> bool:
    """Whether old code's inserts, which do not name the column, would fail."""
    for column in ast.walk(call):
        if isinstance(column, ast.Call) and _name(column) == "Column":
            given = {word.arg for word in column.keywords}
            needed = _is(column, "nullable", value=False) or _is(column, "primary_key", value=True)
            if needed and "server_default" not in given:
                return True
    return False


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _name(call: ast.Call) -> str:
    """`op.add_column(…)` and `batch.add_column(…)` alike."""
    called = call.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _batches(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Names of `with op.batch_alter_table("table") as name`, and their tables."""
    for one in ast.walk(node):
        if isinstance(one, ast.With):
            for item in one.items:
                made, bound = item.context_expr, item.optional_vars
                if isinstance(made, ast.Call) and isinstance(bound, ast.Name):
                    yield bound.id, _text(made.args[:1])


def _table_of(call: ast.Call, batches: dict[str, str]) -> str | None:
    """The table that a step changes; None where the source does not say."""
    called = call.func
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        if called.value.id in batches:
            return batches[called.value.id]
        # The name of an index or a constraint comes before that of its table.
        named = (
            "create_index",
            "drop_constraint",
            "create_unique_constraint",
            "create_check_constraint",
            "create_foreign_key",
        )
        position = 1 if called.attr in named else 0
        return _text(call.args[position : position + 1]) or None
    return None


def _text(arguments: list[ast.expr]) -> str:
    for argument in arguments:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return ""


def _is(call: ast.Call, word: str, *, value: bool) -> bool:
    return any(
        given.arg == word and isinstance(given.value, ast.Constant) and given.value.value is value
        for given in call.keywords
    )


def _reason(lines: list[str], line: int) -> str:
    """What the mark on a line, or in the comment above it, says."""
    place = line - 1
    found = _MARK.search(lines[place])
    while not found and place > 0 and lines[place - 1].lstrip().startswith("#"):
        place -= 1
        found = _MARK.search(lines[place])
    return (found["reason"] or "") if found else ""
