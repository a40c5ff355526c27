"""``assay rule``: what a rule asks, why, and how to mend a model that breaks it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from textwrap import fill

import click

from assay.cli.output import emit_json, json_option
from assay.specs.rules import Rule, load_rules, rule

_WIDTH = 100


@click.command("rule", short_help="Explain a rule of the profile.")
@click.argument("code", required=False)
@json_option
def command(code: str | None, json_path: str | None) -> None:
    """Explain the rule CODE of the profile; without CODE, list all rules.

    \b
    Examples:
      assay rule SH002
      assay rule
    """
    rules = list(load_rules().values()) if code is None else [rule(code)]
    emit_json(json.dumps([asdict(one) for one in rules], indent=2, ensure_ascii=False), json_path)
    if json_path != "-":
        click.echo(_list(rules) if code is None else _explanation(rules[0]))


def _list(rules: Sequence[Rule]) -> str:
    width = max(len(one.name) for one in rules)
    return "\n".join(f"{one.code} {one.severity:<7} {one.name:<{width}} {one.must}" for one in rules)


def _explanation(one: Rule) -> str:
    head = click.style(f"{one.code} {one.name}", bold=True)
    parts = {"Why": one.why, "Example": one.example, "Mend": one.mend}
    sections = [f"{name}\n{_indented(text)}" for name, text in parts.items()]
    references = [f"References\n{chr(10).join(f'  {link}' for link in one.references)}"] if one.references else []
    grade = f"{one.severity}, level {one.level}, since profile {one.since}"
    return "\n\n".join([f"{head} ({grade})", fill(one.must, _WIDTH), *sections, *references])


def _indented(text: str) -> str:
    return fill(text.strip(), _WIDTH, initial_indent="  ", subsequent_indent="  ")
