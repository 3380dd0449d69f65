"""Panels side by side: as many as asked for, none blank."""

import pytest

from dgfas.reporting.figures.drawing import panels


@pytest.mark.parametrize(("number", "columns", "size"), [(1, 3, (2, 3.5)), (3, 2, (4, 6.5)), (4, 3, (6, 6.5))])
def test_there_are_as_many_panels_as_asked_for(number: int, columns: int, size: tuple[float, float]) -> None:
    with panels(number, columns, width=2, height=3, below=0.5) as (figure, every):
        assert figure.axes == every
        assert len(every) == number
    assert tuple(figure.get_size_inches()) == size
