"""A check of a run against its baseline for people and for machines: text, Markdown, GitHub, JUnit and JSON."""

import json
from dataclasses import asdict
from math import isfinite
from typing import Any
from xml.etree import ElementTree

from results.formatting import escape_markdown
from results.gate.regression import Finding, GateResult

MOST_ANNOTATIONS = 10  # that GitHub shows of one step
_LEVELS = {"regressed": "error", "inconclusive": "warning"}


def text(result: GateResult) -> str:
    """The verdict first, then what led to it, a line for each."""
    lines = [*result.differing, *result.lost]
    for verdict in _LEVELS:
        lines += [f"{verdict}: {finding}" for finding in result.of(verdict)]  # pyright: ignore[reportArgumentType]
    lines += [f"note: {note}" for note in result.notes]
    if slower := sum(finding.verdict != "pass" for finding in result.advisory):
        lines.append(
            f"advisory: {slower} of {len(result.advisory)} times and memories are higher, which decides nothing"
        )
    return "\n".join([headline(result), *(f"  {line}" for line in lines)])


def headline(result: GateResult) -> str:
    """The verdict, and how many values are behind it, on one line."""
    if not result.comparable:
        return "nothing to compare"
    counts = {verdict: len(result.of(verdict)) for verdict in ("pass", "regressed", "inconclusive")}
    equal = sum(finding.equal for finding in result.findings)
    lost = f", {len(result.lost)} lost" if result.lost else ""
    return (
        f"{result.verdict}: {counts['pass']} of {len(result.findings)} comparisons pass "
        f"({equal} the same to rounding), {counts['regressed']} regressed, {counts['inconclusive']} inconclusive{lost}"
    )


def markdown(result: GateResult, accept: str) -> str:
    """What a step of GitHub Actions, or a comment, shows."""
    lines = [f"### Regression check: {headline(result)}", ""]
    decisive = [*result.of("regressed"), *result.of("inconclusive")]
    lines += [f"- {escape_markdown(line)}" for line in (*result.differing, *result.lost, *result.notes)]
    if decisive:
        lines += [
            "",
            "| verdict | system | learner | metric | log-ratio | interval | limit | pairs |",
            "|---|---|---|---|--:|--:|--:|--:|",
        ]
        lines += [
            f"| {one.verdict} | {escape_markdown(one.system)} | {escape_markdown(one.learner)} | {one.metric} "
            f"| {one.effect:+.3g} "
            f"| [{one.low:+.3g}, {one.high:+.3g}] | {one.limit:.3g} | {one.pairs} |"
            for one in decisive
        ]
    if result.advisory:
        lines += ["", "Times and memory of the process, which decide nothing across jobs:", ""]
        lines += [f"- {escape_markdown(str(finding))}" for finding in result.advisory if finding.verdict != "pass"] or [
            "- as before"
        ]
    if result.verdict != "pass":
        lines += ["", "If the change is meant, accept it with", "", f"    {accept}"]
    return "\n".join(lines) + "\n"


def annotations(result: GateResult) -> list[str]:
    """GitHub's workflow commands, the gravest first, ten at most."""
    found = [("error", "lost", sentence) for sentence in (*result.differing, *result.lost)]
    for verdict, level in _LEVELS.items():
        found += [(level, verdict, str(finding)) for finding in result.of(verdict)]  # pyright: ignore[reportArgumentType]
    shown = found[:MOST_ANNOTATIONS]
    if len(found) > MOST_ANNOTATIONS:
        rest = len(found) - MOST_ANNOTATIONS + 1
        shown[-1] = (shown[-1][0], "more", f"and {rest} more: see the summary")
    escapes = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
    return [f"::{level} title=Regression check ({title})::{said.translate(escapes)}" for level, title, said in shown]


def junit(result: GateResult) -> str:
    """A test suite with a case for each lost cell and each learner and metric; the inconclusive ones are skipped."""
    suite = ElementTree.Element("testsuite", name="regression")
    for sentence in (*result.differing, *result.lost):
        case = ElementTree.SubElement(suite, "testcase", classname="coverage", name=sentence)
        ElementTree.SubElement(case, "failure", message=sentence)
    for finding in result.findings:
        name = f"{finding.metric} on {finding.system}" if finding.system else finding.metric
        case = ElementTree.SubElement(suite, "testcase", classname=finding.learner, name=name)
        if finding.verdict != "pass":
            kind = "failure" if finding.verdict == "regressed" else "skipped"
            ElementTree.SubElement(case, kind, message=str(finding))
    for attribute, tag in (("tests", "testcase"), ("failures", "testcase/failure"), ("skipped", "testcase/skipped")):
        suite.set(attribute, str(len(suite.findall(tag))))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_json(result: GateResult, accept: str) -> str:
    """All that a check has found, and the command that accepts the run as a new baseline, as one JSON object."""
    findings = [_values(one) | {"verdict": one.verdict} for one in result.findings]
    content = asdict(result) | {
        "verdict": result.verdict if result.comparable else "nothing to compare",
        "findings": findings,
        "advisory": [_values(one) for one in result.advisory],
        "accept": accept,
    }
    return json.dumps(content, indent=2)


def _values(finding: Finding) -> dict[str, Any]:
    """The fields of a finding and its limit, with None for numbers that are not finite."""
    values = asdict(finding) | {"limit": finding.limit}
    return {name: None if isinstance(one, float) and not isfinite(one) else one for name, one in values.items()}
