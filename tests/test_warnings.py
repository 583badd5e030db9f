"""What `analyzer` is warned of fails a test; what a library is warned of is only shown."""

import warnings

import pytest


def warn(module: str, category: type[Warning] = DeprecationWarning) -> None:
    """Warn of a line of a module, as numpy and pandas do."""
    line = "import warnings; warnings.warn('old', category)"
    exec(line, {"__name__": module, "category": category})


@pytest.mark.parametrize("category", [DeprecationWarning, FutureWarning, UserWarning])
def test_a_warning_of_what_the_program_does_is_an_error(category: type[Warning]) -> None:
    for module in ("analyzer", "analyzer.batches", "analyzer.lists.exemptions"):
        with pytest.raises(category, match="old"):
            warn(module, category)


def test_a_warning_of_what_a_library_does_is_shown() -> None:
    with warnings.catch_warnings(record=True) as shown:
        for module in ("pandas.core.frame", "analyzers", "botocore.auth"):
            warn(module)
    assert [str(each.message) for each in shown] == ["old"] * 3


def test_a_file_that_is_left_open_is_an_error() -> None:
    with pytest.raises(ResourceWarning):
        warn("anywhere", ResourceWarning)
