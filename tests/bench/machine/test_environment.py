"""What a record says of the machine that made it."""

from pathlib import Path

import pytest

from bench.machine import environment

VERSIONS = {
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023": "535.129.03",
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (x@y)": "580.159.04",
}


@pytest.mark.parametrize(("text", "wanted"), VERSIONS.items())
def test_the_driver_is_told_by_its_version(text: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "version"
    monkeypatch.setattr(environment, "DRIVER", file)
    monkeypatch.setattr(environment, "_driver", environment._driver.__wrapped__)  # which remembers
    assert environment.environment("cuda", 1)["driver"] is None
    file.write_text(f"{text}\nGCC version:  gcc version 12.2.0 (Debian)\n")
    assert environment.environment("cuda", 1)["driver"] == wanted


def test_a_gpu_is_told_by_its_model_though_nothing_runs_on_it_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "GRAPHICS_CARDS", tmp_path)
    assert environment.environment("cuda", 1)["device"] == "cuda"
    for place, model in (("0", "NVIDIA H200"), ("1", "NVIDIA H200"), ("2", "NVIDIA T4")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 26\n")
        told = "cuda" if place == "2" else "cuda (NVIDIA H200)"  # of several kinds, nobody knows which one it will be
        assert environment.environment("cuda", 1)["device"] == told
    assert environment.environment("cpu", 1)["device"] == "cpu"
