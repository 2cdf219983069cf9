"""What a planner proposes, as it travels: an ordinary ask."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.model.automatic import Proposal, RunDraft


def proposal_to_proto(proposal: Proposal, bundle: str) -> manager_pb2.SubmitRequest:
    """The ask that is proposed, about the bundle that its proposer keeps to."""
    draft = proposal.draft
    if isinstance(draft, RunDraft):
        run = manager_pb2.RunAsk(
            task=draft.task, bundle=bundle, source=draft.source, parameters_json=draft.parameters_json,
            filename=f"{draft.task}.py" if draft.source else "",
        )  # fmt: skip
        return manager_pb2.SubmitRequest(run=run, because=proposal.because, scope=bundle)
    axes = [manager_pb2.SweepAxis(parameter=name, values_json=texts) for name, texts in draft.axes.items()]
    redo = manager_pb2.RedoAsk(bundle=bundle, axes=axes, parallel=draft.parallel)
    return manager_pb2.SubmitRequest(redo=redo, because=proposal.because, scope=bundle)
