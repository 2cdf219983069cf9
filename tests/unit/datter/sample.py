"""The sample of plotter2's own design: its two scripts as they were written, but for colons, a typo and indentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from plotter2.datter.ledger.ops import Entry
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.trees.hub import Definition, Ended, Local
from tests.unit.datter.kit import PAGES, scope_of

TASK1, META = "plot_matrix's", "plot_meta_matrix"
MATRIX_PLOT = """\
#exposes that this gives a matrix
expose(matrix)

impose(matrix_step_key as datter.keytype(matrix))

def task():

    data = access(matrix_step_key) #gathers the data from the matrix plot

    #exposes data on the parent's datter
    expose(matrix as data)

    #section for parent
    parents = islinked(me)
    if(parents != None):
        #for each parent
        for parent in parents:
            handin(data, parent)
            #gives back parent the data
            release()
            #parent must handin back to me
    if(data not in exposed()):
        giveup()

    extra_data = access(exposed())

    window = frame()

    main = frame(window)
    extra = frame(window)

    plotme(extra_data, extra)
    plotme(main, data)
    plotme(window)
"""
META_SUM_MATRIX = """\
def task():

    #gather the tasks of matrix_plot.py
    #why this works is because this script is assumed to run only when matrix_plot is defined.
    tasks = gather_tasks(matrix_plot.py)
    #links me to tasks
    link(me, tasks)

    #wait for tasks to release
    collect(tasks)
    #results
    result = []
    if("matrix" in exposed()):
        #get's every matrix as a copy
        result.append(copy("matrix"))

    #give back every matrix(it's still in our scope)
    handin(access("matrix"), tasks)

    #gives back execution to child
    release()

    summed_matrix = sum(result)

    window = frame()
    plotme(window, summed_matrix)
"""


def matrices(folder: Path, count: int, shape: tuple[int, int] = (3, 4)) -> Scope:
    """A bundle with so many matrices, one a step; the first row is 0 in some, the rest never."""
    (folder / "m").mkdir(parents=True, exist_ok=True)
    for step in range(count):
        values = np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape) * (step + 1)
        values[0, : step % 2 + 1] = 0
        np.save(folder / "m" / f"step_{step}.npy", values)
    return scope_of(folder, declared={"data": {"matrix": {"path": "m/*.npy"}}})


def defined(task1: str = MATRIX_PLOT, meta: str = META_SUM_MATRIX, metas: int = 1) -> list[Definition]:
    """The sample's tasks: task1, and so many metas that are linked to it."""
    names = [META, *(f"{META}_{place}" for place in range(2, metas + 1))]
    return [
        Definition(TASK1, task1, "matrix_plot.py"),
        *(Definition(name, meta, f"{name}.py", linked=(TASK1,)) for name in names),
    ]


class Tree:
    """A tree of instances over matrices, and what it left."""

    def __init__(self, folder: Path, count: int, definitions: list[Definition], **about: Any) -> None:
        self.scope = matrices(folder / "in", count, **about)
        self.folder = folder / "out"
        self.lines: list[str] = []
        self.journal: list[Entry] = []
        ground = RunInput("req-1", "", "script", "", "", {}, 7, self.scope, self.folder, "../")
        self.local = Local(definitions, ground, self.lines.append, journal=self.journal.append)

    def run(self, *names: str, **parameters: Any) -> list[Ended]:
        """Start what is named and run it all."""
        return self.local.run(*names, **parameters)

    def sidecars(self, ended: Ended) -> list[Any]:
        """What programs are told of the pages of one instance."""
        made = [one for one in ended.result.made if one.kind in PAGES] if ended.result else []
        folder = self.folder / f"{ended.number:05d}"
        return [json.loads((folder / f"{one.path}.json").read_text()) for one in made]


def visuals(sidecar: Any) -> list[str]:
    """What a page shows."""
    return [panel["visual"] for panel in sidecar["panels"]]
