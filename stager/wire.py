"""Protobuf to and from what the stager thinks in (pure)."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2, stager_pb2
from plotter2.ids import DeliveryId
from plotter2.model.delivery import Order
from plotter2.model.paths import BundlePath
from plotter2.wire.bundles import (
    bundle_from_proto,
    bundle_to_proto,
    file_entry_from_proto,
    file_entry_to_proto,
)
from stager.deliveries import Delivery, Receipt


def order_from_proto(message: stager_pb2.UploadBegin) -> Order:
    """What a sender declares, as it spelled it: nothing is checked here."""
    return Order(
        DeliveryId(message.delivery_id),
        BundlePath(message.bundle),
        message.manifest_json,
        tuple(file_entry_from_proto(entry) for entry in message.files),
        message.service_id,
    )


def delivery_to_proto(delivery: Delivery, spool_path: str, installation: str) -> manager_pb2.DeliverRequest:
    """What the manager is given."""
    order = delivery.order
    return manager_pb2.DeliverRequest(
        delivery_id=order.delivery_id,
        bundle=order.bundle,
        manifest_json=order.manifest_json,
        files=[file_entry_to_proto(entry) for entry in order.files],
        spool_path=spool_path,
        installation=installation,
        service_id=order.service_id,
        sealed_at=delivery.sealed_at,
    )


def receipt_from_proto(message: manager_pb2.DeliverResponse) -> Receipt:
    """What the manager says of a delivery that it has."""
    return Receipt(bundle_from_proto(message.bundle), message.request_id, message.is_new, message.held)


def receipt_to_proto(receipt: Receipt) -> stager_pb2.UploadConfirmed:
    """What the sender is told."""
    return stager_pb2.UploadConfirmed(
        bundle=bundle_to_proto(receipt.bundle), request_id=receipt.request_id, is_new=receipt.is_new, held=receipt.held
    )
