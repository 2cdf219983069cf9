"""Any value of the domain, within what protobuf's numbers hold."""

from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.difference import FileChange, ParameterChange
from plotter2.model.entry import Entry
from plotter2.model.paths import BundlePath
from plotter2.model.request import Child, Request, RequestKind, RequestState, Skip
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from plotter2.model.task import Limits, Output, RunState, Task, TaskKind, TaskRun
from plotter2.model.worker import Worker, WorkerState

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
blobs = st.binary(max_size=32)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
sizes = st.integers(0, 2**63 - 1)
instants = st.floats(0, 1e12).map(Instant)

files = st.builds(FileEntry, texts, sizes, blobs, u32)
file_changes = st.builds(FileChange, st.none() | files, st.none() | files)
parameter_changes = st.builds(ParameterChange, texts, st.none() | texts, st.none() | texts)
bundles = st.builds(
    BundleVersion,
    path=texts.map(BundlePath),
    version=u64,
    digest=blobs,
    files=u64,
    size_bytes=sizes,
    created_at=instants,
    request_id=texts.map(RequestId),
    archived=st.booleans(),
    package_json=texts,
    parameters_json=texts,
    run_key=blobs,
    ok=st.booleans(),
    metrics_json=texts,
    inherited=blobs,
    tags_json=texts,
)
limits = st.builds(Limits, instants, instants, sizes)
tasks = st.builds(
    Task,
    id=texts.map(TaskId),
    name=texts,
    kind=st.sampled_from(TaskKind),
    source=texts,
    source_digest=blobs,
    filename=texts,
    bundle=texts,
    limits=limits,
    version=u64,
)
outputs = st.builds(Output, texts, texts, texts, sizes, blobs)
runs = st.builds(
    TaskRun,
    id=texts.map(RunId),
    request_id=texts.map(RequestId),
    task_id=texts.map(TaskId),
    task_name=texts,
    bundle=texts,
    version=u64,
    state=st.sampled_from(RunState),
    attempts=u32,
    worker_id=texts.map(WorkerId),
    results_json=texts,
    error=texts,
    outputs=st.lists(outputs, max_size=2).map(tuple),
    created_at=instants,
    started_at=instants,
    finished_at=instants,
    error_code=texts,
    parameters_json=texts,
    epoch=u32,
)
workers = st.builds(
    Worker,
    id=texts.map(WorkerId),
    name=texts,
    state=st.sampled_from(WorkerState),
    slots=u32,
    pid=sizes,
    host=texts,
    last_seen_at=instants,
)
specs = st.builds(
    ServiceSpec,
    service_id=texts.map(ServiceId),
    bundle=texts,
    version=u64,
    child=texts,
    service_json=texts,
    parameters_json=texts,
    code_digest=blobs,
    run_key=blobs,
    files=st.lists(files, max_size=2).map(tuple),
    user=texts,
    data_digest=blobs,
)
statuses = st.builds(
    ServiceStatus,
    service_id=texts.map(ServiceId),
    state=st.sampled_from(ServiceState),
    pid=sizes,
    started_at=instants,
    finished_at=instants,
    exit_status=st.integers(-(2**31), 2**31 - 1),
    error=texts,
    tail=texts,
    child=texts,
    delivery_id=texts.map(DeliveryId),
)


entries = st.builds(
    Entry,
    path=texts,
    version=u32,
    state=st.sampled_from(ServiceState),
    at=instants,
    archived=st.booleans(),
    parameters_json=texts,
    metrics_json=texts,
    tags_json=texts,
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    count = draw(st.integers(0, 3))
    children = tuple(
        Child(
            index=index,
            bundle=draw(texts),
            parameters_json=draw(texts),
            state=draw(st.sampled_from(ServiceState)),
            reused=draw(st.booleans()),
            service_id=ServiceId(draw(texts)),
            error=draw(texts),
            tail=draw(texts),
        )
        for index in range(count)
    )
    return Request(
        id=RequestId(draw(texts)),
        kind=draw(st.sampled_from(RequestKind)),
        state=draw(st.sampled_from(RequestState)),
        user=draw(texts),
        bundle=draw(texts),
        ask_json=draw(texts),
        cause=RequestId(draw(texts)),
        reason=draw(texts),
        reason_code=draw(texts),
        created_at=draw(instants),
        finished_at=draw(instants),
        total=draw(u32),
        finished=draw(u32),
        failed=draw(u32),
        children=children,
        skipped=tuple(draw(st.lists(st.builds(Skip, texts, texts), max_size=2))),
        because=draw(texts),
        scope=draw(texts),
    )
