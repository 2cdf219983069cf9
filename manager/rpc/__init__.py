"""The manager's gRPC edge: translate, hand on, translate. Decides nothing.

`ManagerRpc` is put together from families of calls, one file each; what they share is `Doors`.
"""

from __future__ import annotations

from manager.rpc.automatic import AutomaticCalls
from manager.rpc.bundles import BundleCalls
from manager.rpc.calls import StreamCalls
from manager.rpc.config import ConfigCalls
from manager.rpc.daemons import DaemonCalls
from manager.rpc.instances import InstanceCalls
from manager.rpc.lineage import LineageCalls
from manager.rpc.links import LinkCalls
from manager.rpc.operating import OperateCalls
from manager.rpc.orders import OrderCalls
from manager.rpc.quarantine import QuarantineCalls
from manager.rpc.search import SearchCalls
from manager.rpc.versions import VersionCalls
from plotter2.api.v1 import manager_pb2, manager_pb2_grpc

SERVICE_NAME = manager_pb2.DESCRIPTOR.services_by_name["ManagerService"].full_name


class ManagerRpc(
    InstanceCalls,
    LinkCalls,
    LineageCalls,
    QuarantineCalls,
    OrderCalls,
    OperateCalls,
    AutomaticCalls,
    StreamCalls,
    BundleCalls,
    VersionCalls,
    SearchCalls,
    DaemonCalls,
    ConfigCalls,
    manager_pb2_grpc.ManagerServiceServicer,
):
    """plotter2.api.v1.ManagerService."""
