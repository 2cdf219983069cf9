"""What crosses MQTT, as frozen dataclasses, and their bytes (pure).

Propeller's messages are JSON (`propeller`); our own batches are protobuf (`batches`). Whatever arrives was written by
somebody else: keys that are not known are passed over, and what cannot be read raises `PayloadRefusedError` with a
sentence, never another exception.
"""

from __future__ import annotations

from plotter2.mqtt.payloads.batches import (
    AssignBatch,
    Assignment,
    Cancellation,
    Instance,
    MadeFile,
    Report,
    ReportBatch,
    decode_assign_batch,
    decode_report_batch,
    encode_assign_batch,
    encode_report_batch,
)
from plotter2.mqtt.payloads.fields import PayloadRefusedError
from plotter2.mqtt.payloads.propeller import (
    AliveMessage,
    CreateMessage,
    MetricsMessage,
    OurWorker,
    ResultMessage,
    StartMessage,
    StopMessage,
    decode_alive,
    decode_create,
    decode_metrics,
    decode_result,
    decode_start,
    decode_stop,
    decode_timestamp,
    encode_alive,
    encode_create,
    encode_result,
    encode_start,
    encode_stop,
)

__all__ = [
    "AliveMessage",
    "AssignBatch",
    "Assignment",
    "Cancellation",
    "CreateMessage",
    "Instance",
    "MadeFile",
    "MetricsMessage",
    "OurWorker",
    "PayloadRefusedError",
    "Report",
    "ReportBatch",
    "ResultMessage",
    "StartMessage",
    "StopMessage",
    "decode_alive",
    "decode_assign_batch",
    "decode_create",
    "decode_metrics",
    "decode_report_batch",
    "decode_result",
    "decode_start",
    "decode_stop",
    "decode_timestamp",
    "encode_alive",
    "encode_assign_batch",
    "encode_create",
    "encode_report_batch",
    "encode_result",
    "encode_start",
    "encode_stop",
]
