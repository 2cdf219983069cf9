"""What of another bundle's files is sent to a worker for the sake of links."""

from __future__ import annotations

import json

from plotter2.lending import needed
from plotter2.model.link import Form, Head

NAMES = ["code_sources/m.py", "package.json", "runs/1.csv", "runs/2.csv", "big.npy", "weights.npy"]
PACKAGE = json.dumps({"data": {"w": {"path": "weights.npy"}, "runs": {"path": "runs/*.csv"}}})


def test_code_comes_for_functions_and_data_for_what_is_read() -> None:
    def of(form: Form, place: str) -> set[str]:
        return needed(NAMES, PACKAGE, {Head("b", "h", form, place)})

    assert of(Form.FUNCTION, "f") == {"code_sources/m.py"}
    assert of(Form.DATA, "w") == {"weights.npy"}
    assert of(Form.DATA, "runs") == of(Form.DATA, "runs/*.csv") == {"runs/1.csv", "runs/2.csv"}
    assert of(Form.DATA, "big.npy") == {"big.npy"}
    assert of(Form.DATA, "gone.npy") == of(Form.TASK, "t") == set()
    assert needed(NAMES, "", set()) == set()
