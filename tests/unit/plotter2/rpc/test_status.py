import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2 import errors as tree
from plotter2 import rpc
from plotter2.errors import BY_CODE, FailedError, LimitError, Plotter2Error, UnreachableError, UsageError
from plotter2.rpc import status


def failed(code: grpc.StatusCode, details: str, trailing: object = ()) -> grpc.aio.AioRpcError:
    metadata = grpc.aio.Metadata(*trailing)
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), metadata, details, None)


def travelled(error: Plotter2Error) -> Plotter2Error:
    """An error after its way through a status."""
    sent = status.status_of(error)
    return rpc.error_of(failed(sent.code, sent.details, sent.trailing_metadata))


@pytest.mark.parametrize("kind", BY_CODE.values())
def test_every_error_of_ours_comes_back_as_itself(kind: type[Plotter2Error]) -> None:
    back = travelled(kind("Because of ü."))
    assert type(back) is kind
    assert back.message == "Because of ü."


@given(st.text())
def test_any_sentence_comes_back_or_is_cut_in_its_middle(text: str) -> None:
    back = travelled(LimitError(text))
    assert back.message == text.encode(errors="replace").decode()


def test_a_long_message_keeps_its_beginning_and_its_end() -> None:
    back = travelled(tree.TaskFailedError("begin " + "ü" * 20_000 + " end")).message
    assert len(back.encode()) <= status.MESSAGE_BYTES_MAX + 10
    assert back.startswith("begin ")
    assert back.endswith(" end")
    assert "\n…\n" in back


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (tree.PathRefusedError, grpc.StatusCode.INVALID_ARGUMENT),
        (tree.NotFoundError, grpc.StatusCode.NOT_FOUND),
        (tree.ConflictError, grpc.StatusCode.FAILED_PRECONDITION),
        (tree.LimitError, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (tree.AlteredError, grpc.StatusCode.DATA_LOSS),
        (tree.UnreachableError, grpc.StatusCode.UNAVAILABLE),
        (tree.TaskFailedError, grpc.StatusCode.ABORTED),
    ],
)
def test_foreign_clients_see_a_code_that_makes_sense(kind: type[Plotter2Error], code: grpc.StatusCode) -> None:
    assert status.status_of(kind("x")).code is code


def test_an_error_class_without_a_row_takes_the_nearest_above() -> None:
    class NewError(tree.ManifestError):
        code = "new"

    assert status.status_of(NewError("x")).code is grpc.StatusCode.INVALID_ARGUMENT


def test_an_error_of_a_later_version_is_still_an_error_of_ours() -> None:
    class LaterError(tree.RefusedError):
        code = "later"

    back = travelled(LaterError("Something new."))
    assert type(back) is Plotter2Error
    assert back.message == "Something new."


@pytest.mark.parametrize(
    ("code", "details", "kind", "sentence"),
    [
        (
            grpc.StatusCode.UNAVAILABLE,
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7071: Failed to connect",
            UnreachableError,
            "Nobody answers at 127.0.0.1:7071; is plotter2 running there?",
        ),
        (grpc.StatusCode.UNAVAILABLE, "Socket closed", UnreachableError, "The connection broke: Socket closed."),
        (
            grpc.StatusCode.UNAVAILABLE,
            "failed to connect to all addresses; last error: UNKNOWN: ipv6:%5B::1%5D:9: Connection refused",
            UnreachableError,
            "Nobody answers at [::1]:9; is plotter2 running there?",
        ),
        (grpc.StatusCode.CANCELLED, "", UnreachableError, "The other side gave the call up; it may be stopping."),
        (grpc.StatusCode.INVALID_ARGUMENT, "bad", UsageError, "bad"),
        (grpc.StatusCode.INTERNAL, "", FailedError, "The call ended with INTERNAL."),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too large", LimitError, "too large"),
    ],
)
def test_what_grpc_itself_says_becomes_an_error_of_ours(
    code: grpc.StatusCode, details: str, kind: type[Plotter2Error], sentence: str
) -> None:
    back = rpc.error_of(failed(code, details))
    assert type(back) is kind
    assert back.message == sentence


def test_the_address_that_was_called_stands_in_the_sentence() -> None:
    with pytest.raises(UnreachableError, match=r"No answer at 10\.0\.0\.1:7071 in time"), rpc.errors("10.0.0.1:7071"):
        raise failed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")


def test_details_that_contradict_the_status_are_not_believed() -> None:
    sent = status.status_of(LimitError("x"))
    back = rpc.error_of(failed(grpc.StatusCode.NOT_FOUND, "other", sent.trailing_metadata))
    assert type(back) is tree.NotFoundError
