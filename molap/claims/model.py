"""Define the claims file: what each claim says, and how it is tested."""

import ast
import math
import typing
from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from molap.claims.columns import check_columns
from molap.config.base import Section

Table = Literal["performance", "robustness", "areas", "generalisation", "forgetting", "components", "table1", "modules"]
TABLES: tuple[str, ...] = get_args(Table)
TEST_FUNCTIONS = {"difference_of_hard_less_easy": ("molap", "separate", "dni"), "t7_less_each_other": ("left_out",)}
"""Function of molap/claims/functions.py → the series that it compares."""
FUNCTIONS = {"high": math.inf, "low": math.inf, "log10": 1, "abs": 1}
"""Function that an expression may call → the largest number of values that it takes. `high` and `low` are the largest
and smallest of several series or numbers."""

_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.UAdd,
    ast.USub,
)


def names_in(expression: str) -> list[str]:
    """Return the series that an expression names, in order.

    Raises:
        ValueError: if the expression is anything but arithmetic on names, numbers and `FUNCTIONS`.
    """
    try:
        nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    except SyntaxError:
        raise ValueError(f"{expression!r} is not allowed; give arithmetic on series, for example molap - dni") from None
    called = [node for node in nodes if isinstance(node, ast.Call)]
    functions = [id(node.func) for node in called]
    named = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in functions]
    numbers = [node.value for node in nodes if isinstance(node, ast.Constant)]
    if (
        not all(isinstance(node, _ALLOWED) for node in nodes)
        or not all(_may_be_called(node) for node in called)
        or any(node.id in FUNCTIONS for node in named)
        or any(type(number) not in (int, float) for number in numbers)
    ):
        calls = ", ".join(FUNCTIONS)
        raise ValueError(f"{expression!r} is not allowed; give arithmetic on series; it may call {calls}")
    _check_numbers(expression)
    names = list(dict.fromkeys(node.id for node in named))
    if not names:
        raise ValueError(f"{expression!r} is not allowed; it names no series")
    return names


class _Floats(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.copy_location(ast.Constant(float(typing.cast(float, node.value))), node)


def with_floats(expression: str) -> ast.Expression:
    """Return the syntax tree of an expression with whole numbers turned into floats, like the series."""
    return _Floats().visit(ast.parse(expression, mode="eval"))


def _check_numbers(expression: str) -> None:
    """Refuse arithmetic on plain numbers that has no finite value."""
    plain = {"high": lambda *values: max(values), "low": lambda *values: min(values), "log10": math.log10, "abs": abs}
    try:
        for node in ast.walk(with_floats(expression).body):
            named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            if not isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call) or not named <= plain.keys():
                continue
            value = eval(compile(ast.Expression(node), "<claim>", "eval"), {"__builtins__": {}}, plain)
            if isinstance(value, complex) or not math.isfinite(value):
                raise ArithmeticError
    except (ArithmeticError, TypeError, ValueError):
        raise ValueError(f"{expression!r} is not allowed; its numbers have no finite value") from None


def _may_be_called(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Name) or call.func.id not in FUNCTIONS:
        return False
    return not call.keywords and 1 <= len(call.args) <= FUNCTIONS[call.func.id]


class Test(Section):
    """A comparison: an effect in every network, and the range where it must lie for the claim to hold."""

    table: Table = Field(description="The table that it reads.")
    where: str | None = Field(
        None, description="Rows of the table, as a pandas query; {molap} stands for the query of that series."
    )
    series: dict[str, str] = Field({}, description="Further series, or others than the file's: name → pandas query.")
    value: str = Field("accuracy", description="A column, or an expression over columns (`DataFrame.eval`).")
    each: tuple[str, ...] = Field((), description="Columns by whose values the test has parts; all of them must hold.")
    some: bool = Field(False, description="One of the parts of `each` is enough.")
    needs: dict[str, tuple[str | float, ...]] = Field(
        {}, description="Column → values that every series must have; without them the test counts as not run."
    )
    corpus: tuple[str, ...] = Field(
        (), description="Labels of the tasks of the run; with other tasks the test counts as not run."
    )
    effects: dict[str, str] = Field({}, description="Name → expression over series; each is a part.")
    function: str | None = Field(None, description="A test function of molap/claims/functions.py, in place of effects.")
    above: float | None = Field(None, description="The effect must be above this.")
    below: float | None = Field(None, description="The effect must be below this.")
    within: tuple[float, float] | None = Field(None, description="The effect must lie between these.")
    equality: bool = Field(
        True, description="Whether an effect within the file's margin is practically none; false for other units."
    )

    @field_validator("effects")
    @classmethod
    def _arithmetic(cls, effects: dict[str, str]) -> dict[str, str]:
        for expression in effects.values():
            names_in(expression)
        return effects

    @model_validator(mode="after")
    def _one_of_each(self):
        if (self.above is not None) + (self.below is not None) + (self.within is not None) != 1:
            raise ValueError("above: give exactly one of above, below and within")
        if bool(self.effects) == bool(self.function):
            raise ValueError("effects: give effects, or a function")
        if self.function and self.function not in TEST_FUNCTIONS:
            allowed = ", ".join(TEST_FUNCTIONS)
            raise ValueError(f"function: {self.function!r} is not allowed; allowed: {allowed}")
        if self.within and self.within[0] >= self.within[1]:
            raise ValueError(f"within: {list(self.within)} is not allowed; give the lower limit first")
        if len({*self.corpus}) < len(self.corpus):
            raise ValueError(f"corpus: {list(self.corpus)} is not allowed; name each task once, by its label")
        if self.some and not (self.each and self.effects):
            raise ValueError("some: give effects, and the columns of their parts (each)")
        return self

    @property
    def compared(self) -> list[str]:
        """Return the names of the series that the test compares."""
        if self.function:
            return list(TEST_FUNCTIONS[self.function])
        return list(dict.fromkeys(name for expression in self.effects.values() for name in names_in(expression)))

    @property
    def limits(self) -> tuple[float, float]:
        """Return the open interval in which the effect must lie."""
        if self.within is not None:
            return self.within
        return -math.inf if self.above is None else self.above, math.inf if self.below is None else self.below

    @property
    def comparison(self) -> str:
        """Return, in words, what must be true of the effect."""
        if self.within is not None:
            return f"between {self.within[0]:g} and {self.within[1]:g}"
        return f"below {self.below:g}" if self.above is None else f"above {self.above:g}"


class Claim(Section):
    """A claim of the paper."""

    claim: int = Field(ge=1, description="Its number.")
    place: str = Field(description="Where the paper says it.")
    says: str = Field(description="What it says, in our words.")
    reading: str = Field("", description="How we make it a comparison, where that is a choice.")
    figures: tuple[str, ...] = Field(description="Our figures that show it.")
    tests: tuple[Test, ...] = Field(min_length=1, description="All of them must hold.")


class Claims(Section):
    """The claims file."""

    series: dict[str, str] = Field(description="Series by name: which rows of a table, as a pandas query.")
    also_by: tuple[str, ...] = Field(
        (), description="Columns by which tests of `accuracy` are repeated, for comparison."
    )
    also_without_failures: bool = Field(
        False, description="Judge each claim also without the networks that stayed below the best constant output."
    )
    margin: float | None = Field(
        None, gt=0, description="Differences within ± this, in points of accuracy, are practically none."
    )
    claims: tuple[Claim, ...] = Field(description="The claims.")

    @field_validator("claims")
    @classmethod
    def _numbered_once(cls, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        numbers = [claim.claim for claim in claims]
        for number in numbers:
            if numbers.count(number) > 1:
                raise ValueError(f"claim {number} appears twice; give each claim its own number")
        return claims

    @model_validator(mode="after")
    def _names_are_known(self):
        for claim in self.claims:
            for test in claim.tests:
                try:
                    self._check(test)
                except ValueError as error:
                    raise ValueError(f"claims: claim {claim.claim}: {error}") from None
        return self

    def _check(self, test: Test) -> None:
        known = self.series | test.series
        for name in test.compared:
            if name not in known:
                raise ValueError(f"there is no series {name!r}; there are {', '.join(known)}")
            check_columns(test.table, known[name])
        for expression in (self.rows(test), test.value, *test.each, *test.needs):
            check_columns(test.table, expression or "1")

    def margin_of(self, test: Test) -> float | None:
        """Return a test's margin of practical equality; None if the test does not ask whether series differ."""
        asks = 0 in test.limits and test.equality
        return self.margin if asks else None

    def rows(self, test: Test) -> str | None:
        """Return the query of a test's rows, with each series named in braces replaced by its query."""
        try:
            return test.where and test.where.format(**(self.series | test.series))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"where: {test.where!r} is not allowed; the braces name no series: {error}") from None
