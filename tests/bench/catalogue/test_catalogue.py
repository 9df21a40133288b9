"""The catalogue says the same as the imported packages, without importing them."""

from dataclasses import MISSING, fields, is_dataclass
from inspect import getdoc, isabstract

import pytest

import learners
import metrics
import systems
from bench.catalogue import components as catalogue
from bench.catalogue import suites as suite_files
from bench.errors import UserError

PACKAGES = {
    "systems": (systems, (systems.System, systems.ImageSet)),
    "learners": (learners, (learners.Learner, learners.Classifier)),
}


def concrete(package):
    module, root = PACKAGES[package]
    exported = {name: getattr(module, name) for name in module.__all__}
    return {
        name: kind
        for name, kind in exported.items()
        if isinstance(kind, type) and issubclass(kind, root) and not isabstract(kind)
    }


COMPONENTS = [(package, name) for package in PACKAGES for name in concrete(package)]


@pytest.mark.parametrize("package", PACKAGES)
def test_exactly_the_concrete_components_of_a_package_are_listed(package):
    assert set(catalogue.components(package)) == set(concrete(package))


@pytest.mark.parametrize(("package", "name"), COMPONENTS)
def test_a_component_is_described_as_it_is(package, name):
    entry, kind = catalogue.components(package)[name], concrete(package)[name]
    assert entry.module == kind.__module__
    assert entry.description == getdoc(kind)
    assert entry.about
    assert "\n" not in entry.about
    assert entry.reference == getattr(kind, "reference", False)


def flat(configuration, prefix=""):
    for field in fields(configuration):
        value = getattr(configuration, field.name)
        if is_dataclass(value):
            yield from flat(value, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", value


@pytest.mark.parametrize(("package", "name"), COMPONENTS)
def test_parameters_are_the_fields_with_their_defaults(package, name):
    listed = catalogue.components(package)[name].parameters
    kind = concrete(package)[name]
    required = [
        field.name for field in fields(kind) if field.default is field.default_factory is MISSING and field.init
    ]
    assert [parameter.name for parameter in listed if not parameter.default] == required
    ordered = sorted(fields(kind), key=lambda field: bool(field.kw_only))
    if required:
        assert [parameter.name for parameter in listed] == [field.name for field in ordered if field.init]
        return
    expected = dict(flat(kind()))
    assert [parameter.name for parameter in listed] == list(expected)
    for parameter in listed:
        assert eval(parameter.default, {}) == expected[parameter.name]


def test_comments_and_choices_of_fields_are_read_too():
    cell, window, *_ = catalogue.components("learners")["WindowedRNN"].parameters
    assert (cell.name, cell.annotation, cell.comment) == ("cell", "rnn | relu | gru | lstm", "")
    assert (window.name, window.annotation) == ("window", "int")
    assert window.comment
    assert not window.comment.startswith("#")


def test_metrics_are_listed_in_their_standard_order_with_unit_and_direction():
    entries = catalogue.metrics()
    standard = {metric.name: metric for metric in metrics.STANDARD}
    assert list(entries)[: len(standard)] == list(standard)
    for name, metric in standard.items():
        entry = entries[name]
        assert (entry.unit, entry.better, entry.about) == (metric.unit, metric.better, metric.about)


def test_suites_are_the_files_of_their_folder(tmp_path, monkeypatch):
    (tmp_path / "__init__.py").write_text('"""Suites."""')
    (tmp_path / "small.py").write_text(
        '"""Two spirals.\\n\\nSlow ones."""\n'
        "MANY = (A(), B(x=1))\n"
        'suite = Suite("small", systems=(*MANY, C()), seeds=3, name="Small")\n'
    )
    monkeypatch.setattr(suite_files, "SUITES", tmp_path)
    suite_files.suites.cache_clear()
    try:
        assert list(suite_files.suites()) == ["small"]
        small = suite_files.find_suite("small")
        assert small.about == "Two spirals."
        assert small.parts == {"systems": ["A()", "B(x=1)", "C()"], "seeds": ["3"], "name": ["Small"]}
        assert not small.given_by_path
        with pytest.raises(UserError, match=r"unknown suite 'smal': did you mean small\?"):
            suite_files.find_suite("smal")
        with pytest.raises(UserError, match=r"which suite\?.*small"):
            suite_files.find_suite("")
    finally:
        suite_files.suites.cache_clear()


def test_every_suite_that_comes_with_the_package_says_what_it_is():
    assert all(entry.about and entry.parts for entry in suite_files.suites().values())


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (b"\nsuite = (", "mine.py, line 2: '(' was never closed"),
        (b"\xff", "cannot read"),
    ],
)
def test_a_file_that_is_no_python_is_refused_with_its_line(tmp_path, source, complaint):
    path = tmp_path / "mine.py"
    path.write_bytes(source)
    with pytest.raises(UserError) as refusal:
        suite_files.find_suite(str(path))
    assert complaint in str(refusal.value)


def test_a_missing_file_is_refused_with_the_nearest_one_beside_it(tmp_path):
    (tmp_path / "my_suite.py").write_text("")
    with pytest.raises(UserError, match=r"there is no file .*my_siute\.py: did you mean .*my_suite\.py\?"):
        suite_files.find_suite(str(tmp_path / "my_siute.py"))


def test_a_folder_is_no_suite(tmp_path):
    folder = tmp_path / "folder.py"
    folder.mkdir()
    with pytest.raises(UserError, match="cannot read"):
        suite_files.find_suite(str(folder))


def test_names_that_a_users_file_imports_or_defines_are_known(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import numpy\nfrom elsewhere import Solver as MySolver\nclass MyLearner: ...\nsuite = 1\n")
    entry = suite_files.find_suite(str(path))
    assert entry.given_by_path
    for name in ("MyLearner", "MySolver", "NeuralODE"):
        suite_files.check_name("learners", name, entry)
    with pytest.raises(UserError, match=r"unknown learner 'NeuralOED': did you mean NeuralODE\?"):
        suite_files.check_name("learners", "NeuralOED", entry)
