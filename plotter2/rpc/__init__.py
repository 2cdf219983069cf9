"""gRPC at the edges: `serve` for daemons, `connect` and `errors` for who calls them.

Owns everything that touches grpc besides the generated stubs and the daemons' `rpc.py`. Refuses to know a service: what
is served is added by the caller. Importing this package loads grpc; the interpreter children must never do so.
"""

from __future__ import annotations

from plotter2.rpc.channel import connect
from plotter2.rpc.ending import Ending
from plotter2.rpc.server import Server, serve
from plotter2.rpc.status import error_of, errors, raise_from
from plotter2.rpc.types import Channel, Context, RpcServer

__all__ = [
    "Channel",
    "Context",
    "Ending",
    "RpcServer",
    "Server",
    "connect",
    "error_of",
    "errors",
    "raise_from",
    "serve",
]
