"""`python -m bench` alone."""

import json
from pathlib import Path

import pytest

from bench.display.welcome import welcome
from tests.support.commands import exit_code


def test_without_a_command_it_is_said_where_to_begin_and_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert exit_code([]) == 0
    said = capsys.readouterr().out
    assert "python -m bench try my.csv" in said
    assert "Runs in" not in said
    assert max(map(len, said.splitlines())) <= 80
    for name, content in ("good", json.dumps({"cells": [{"key": "a"}, {"key": "b"}]})), ("broken", "{"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "manifest.json").write_text(content)
    (tmp_path / "runs" / "cells" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "good" / "report.html").write_text("")
    assert welcome().splitlines()[-2:] == ["  broken  cannot be read", "  good  1 of 2 cells  runs/good/report.html"]
