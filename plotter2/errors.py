"""The one exception tree of plotter2, and what each branch means to whoever catches it.

::

    Plotter2Error                      code            exit  retry
    ├── UsageError                     usage            2    no    the caller's words are off; nothing was asked
    ├── RefusedError                   refused          3    no    understood, and not done; the reason is the message
    │   ├── PathRefusedError           path             3    no    a name that may not be: `..`, absolute, too long
    │   ├── ManifestError              manifest         3    no    the manifest is not what a manifest must be
    │   ├── PackageError               package          3    no    package.json is wrong; names the key
    │   ├── NotFoundError              not_found        3    no    no such bundle, task, request, version
    │   ├── ConflictError              conflict         3    no    the thing is in another state than the ask needs
    │   ├── AlteredError               altered          3    no    content and declared digest differ
    │   ├── ScriptError                script           3    no    a script or pipeline that cannot be run; where
    │   ├── OwnershipError             ownership        3    no    data of somebody else was given away or claimed
    │   └── LimitError                 limit            3    yes   a limit is reached; the sender keeps its data
    ├── FailedError                    failed           1    no    it was done, and it went wrong
    │   ├── TaskFailedError            task_failed      1    no    the user's code raised or broke a limit
    │   ├── DeadlockError              deadlock         1    no    tasks wait for each other in a circle; names it
    │   ├── DivergenceError            divergence      1    no    a task that was run again did something else
    │   ├── CollectError               collect          1    no    a task that was waited for has failed; names it
    │   ├── IllegalStepError           illegal_step     1    no    a state was asked to go where its table has no arrow
    │   ├── CorruptionError            corruption       1    no    what is at rest is not what was put there
    │   └── ConfigError                config           1    no    a setting that cannot be used
    └── UnreachableError               unreachable      4    yes   nobody answers there, or not in time

The code is stable and travels over gRPC (`plotter2.rpc.status`) and HTTP; messages may change.
Owns: nothing but the tree. Imports nothing of the project.
"""

from __future__ import annotations

from typing import ClassVar


class Plotter2Error(Exception):
    """Base of everything plotter2 raises on purpose.

    Attributes:
        code: stable name of the situation, sent over every wire.
        exit_code: what the CLI ends with (design 7).
        retry: whether the same call can go well later without a change.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retry: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """The one sentence for people."""
        return str(self.args[0]) if self.args else (type(self).__doc__ or self.code).splitlines()[0]


class UsageError(Plotter2Error):
    """The call's words are off."""

    code = "usage"
    exit_code = 2


class RefusedError(Plotter2Error):
    """Understood, and refused."""

    code = "refused"
    exit_code = 3


class PathRefusedError(RefusedError):
    """A path or name that may not be."""

    code = "path"


class ManifestError(RefusedError):
    """The manifest is not a manifest."""

    code = "manifest"


class PackageError(RefusedError):
    """package.json cannot be understood."""

    code = "package"


class NotFoundError(RefusedError):
    """There is no such thing."""

    code = "not_found"


class ConflictError(RefusedError):
    """The thing is in another state than the ask needs."""

    code = "conflict"


class AlteredError(RefusedError):
    """Content and declared digest differ."""

    code = "altered"


class ScriptError(RefusedError):
    """A script or pipeline that cannot be run."""

    code = "script"


class OwnershipError(RefusedError):
    """Data that is somebody else's was given away, claimed or asked for with a key that is no longer its own."""

    code = "ownership"


class LimitError(RefusedError):
    """A declared limit is reached."""

    code = "limit"
    retry = True


class FailedError(Plotter2Error):
    """It was done, and it went wrong."""

    code = "failed"


class TaskFailedError(FailedError):
    """The user's own code raised or broke a limit."""

    code = "task_failed"


class DeadlockError(FailedError):
    """Tasks wait for each other in a circle."""

    code = "deadlock"


class DivergenceError(FailedError):
    """A task that lives through its attempt again asked something else than the first time."""

    code = "divergence"


class CollectError(FailedError):
    """A task that was waited for has failed."""

    code = "collect"


class IllegalStepError(FailedError):
    """A state was asked to go where its table has no arrow."""

    code = "illegal_step"


class CorruptionError(FailedError):
    """What is at rest is not what was put there."""

    code = "corruption"


class ConfigError(FailedError):
    """A setting that cannot be used."""

    code = "config"


class UnreachableError(Plotter2Error):
    """Nobody answers there, or not in time."""

    code = "unreachable"
    exit_code = 4
    retry = True


def _leaves(base: type[Plotter2Error]) -> list[type[Plotter2Error]]:
    found = [base]
    for child in base.__subclasses__():
        found += _leaves(child)
    return found


BY_CODE: dict[str, type[Plotter2Error]] = {kind.code: kind for kind in _leaves(Plotter2Error)}
"""Every class by its code, so that an edge can raise again what the other side raised."""
