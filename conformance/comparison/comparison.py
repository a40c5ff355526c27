"""A comparison is a value (schema ``assay.comparison/v1``): models side by side; renderers recompute nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.conformance.result import CheckResult, FileDigest, Finding, Verdict, overall

Role = Literal["reference", "candidate"]
Severities = Literal["error", "warning", "info"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Conversion(_Value):
    """One conversion: its wall time, and the peak of its process (resident bytes; None where it had none of its own).

    The framework is loaded and the source opened before the clock starts; ``loaded_bytes`` is the peak until then.
    """

    exporter: str
    seconds: float
    peak_bytes: int | None = None
    loaded_bytes: int | None = None


class TensorFacts(_Value):
    """An input or output as the graph declares it, such as ``float32[batch,3]``."""

    name: str
    specification: str


class GraphFacts(_Value):
    """What a graph is made of, functions and subgraphs included; ``bytes`` counts the weights that lie beside it too.

    ``differences`` says where its inputs and outputs are not those of the model that ``against`` names.
    """

    opsets: dict[str, int]
    nodes: int
    operators: dict[str, int]
    transposes: int
    parameters: int
    bytes: int
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    dynamic_axes: tuple[str, ...]
    against: str | None = None
    differences: tuple[str, ...] = ()


class LintCounts(_Value):
    """Findings of the static rules, by severity and by code; ``reason`` says why the rules could not run."""

    severities: dict[Severities, int] = Field(default_factory=dict)
    codes: dict[str, int] = Field(default_factory=dict)
    reason: str | None = None


class OutputParity(_Value):
    """One output over all probes: its worst ratio to the noise floor, and the rule that it breaks, where it does.

    ``ratio`` is None for an output that is discrete, or that never could be compared.
    """

    name: str
    verdict: Verdict
    ratio: float | None = None
    probe: str | None = None
    max_error: float | None = None
    code: str | None = None


class Parity(_Value):
    """What the parity check says of one model against one reference; ratios are multiples of the noise floor.

    ``gate`` has the multiples up to which an output passes and beyond which it fails; ``probes`` counts them by what
    became of them; ``reason`` says why there was no judgement.
    """

    reference: str
    verdict: Verdict
    oracle: str | None = None
    gate: dict[str, float] = Field(default_factory=dict)
    worst_ratio: float | None = None
    worst_probe: str | None = None
    worst_output: str | None = None
    atol: float | None = None
    probes: dict[str, int] = Field(default_factory=dict)
    outputs: tuple[OutputParity, ...] = ()
    findings: tuple[Finding, ...] = ()
    reason: str | None = None


class ComparedModel(_Value):
    """One model of a comparison, or the reason why there is none."""

    name: str
    source: str
    role: Role
    exporter: str | None = None
    reason: str | None = None
    conversion: Conversion | None = None
    files: tuple[FileDigest, ...] = ()
    graph: GraphFacts | None = None
    lint: LintCounts | None = None
    parity: Parity | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict against the reference; None for the reference itself, inconclusive where there is no model."""
        if self.role == "reference":
            return None
        return Verdict.INCONCLUSIVE if self.parity is None else self.parity.verdict


class Pair(_Value):
    """Two models judged against each other, the first as the reference."""

    model: str
    parity: Parity


class Comparison(_Value):
    """Models side by side, each against one reference, and the verdict that follows."""

    schema_: Literal["assay.comparison/v1"] = Field(default="assay.comparison/v1", alias="schema")
    verdict: Verdict
    reference: dict[str, Any]
    provider: str
    models: tuple[ComparedModel, ...]
    pairs: tuple[Pair, ...] = ()
    latency: CheckResult | None = None
    environment: dict[str, Any]

    @property
    def candidates(self) -> Iterator[ComparedModel]:
        """All but the reference."""
        return (model for model in self.models if model.role == "candidate")

    @property
    def exit_status(self) -> int:
        """0 all pass, 1 any fails, 3 inconclusive, 2 where nothing could be compared."""
        judged = any(model.parity is not None and model.parity.reason is None for model in self.candidates)
        return self.verdict.exit_status if judged else 2

    def to_json(self) -> str:
        """The comparison as JSON text."""
        return self.model_dump_json(by_alias=True, indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> Comparison:
        """Read back what `to_json` wrote; raises pydantic's ValidationError where the text is no comparison."""
        return cls.model_validate_json(text)


def verdict_of(models: tuple[ComparedModel, ...]) -> Verdict:
    """One that fails fails all; one that could not be had or judged leaves all open."""
    return overall(model.verdict for model in models if model.verdict is not None)
