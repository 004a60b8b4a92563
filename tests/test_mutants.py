"""The table of mutants names lines and tests that are there: to try them takes long."""

import importlib.util
import sys

import pytest


@pytest.fixture(scope="module")
def table(project_root):
    path = project_root / ".ci" / "mutant_table.py"
    spec = importlib.util.spec_from_file_location("mutant_table_of_ci", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        yield module.MUTANTS
    finally:
        del sys.modules[spec.name]


def test_each_line_is_there_once(project_root, table):
    assert len(table) > 30
    counts = {
        mutant.what: (project_root / mutant.path).read_text(encoding="utf-8").count(mutant.line)
        for mutant in table
    }
    assert {what: count for what, count in counts.items() if count != 1} == {}


def test_each_mutant_is_another_line_and_has_its_test(project_root, table):
    for mutant in table:
        assert mutant.broken != mutant.line
        file, *names = mutant.test.split("::")
        text = (project_root / file).read_text(encoding="utf-8")
        assert all(name.split("[")[0] in text for name in names), mutant.test
