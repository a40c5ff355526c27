"""One page of documentation for each rule, and their index, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from assay.specs.rules import Rule

FAMILIES = {
    "IO": "Interface",
    "SH": "Shapes",
    "OP": "Operators and opsets",
    "WT": "Weights",
    "MD": "Metadata",
    "QT": "Quantization",
    "SE": "Security",
    "PA": "Parity",
    "AC": "Accuracy",
    "LT": "Latency",
    "DT": "Data",
}


def rule_page(rule: Rule) -> str:
    """The page of one rule: what it asks, why, an example of a finding, and how to mend it."""
    parts = [
        f"# {rule.code} {rule.name}",
        f"{FAMILIES[rule.family]} · severity {rule.severity} · level {rule.level} · since profile {rule.since}",
        rule.must,
        f"## Why\n\n{rule.why.strip()}",
        f"## Example of a finding\n\n```text\n{rule.code} {rule.severity}: {rule.example.strip()}\n```",
        f"## Mend\n\n{rule.mend.strip()}",
    ]
    if rule.references:
        parts.append("## References\n\n" + "\n".join(f"- <{link}>" for link in rule.references))
    return "\n\n".join(parts) + "\n"


def rule_index(rules: Sequence[Rule]) -> str:
    """The index of all rules, one table a family."""
    ordered = sorted(rules, key=lambda rule: (list(FAMILIES).index(rule.family), rule.code))
    tables = [_table(family, list(members)) for family, members in groupby(ordered, key=lambda rule: rule.family)]
    head = f"# Rules\n\n{len(rules)} rules of the interface profile. `assay rule CODE` shows the same text."
    return "\n\n".join([head, *tables]) + "\n"


def _table(family: str, rules: Sequence[Rule]) -> str:
    rows = [
        f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {rule.level} | {cell(rule.must)} |"
        for rule in rules
    ]
    head = f"## {FAMILIES[family]}\n\n| code | name | severity | level | rule |\n| --- | --- | --- | --- | --- |\n"
    return head + "\n".join(rows)


def cell(text: str) -> str:
    """The text as a cell of a Markdown table: on one line, bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")
