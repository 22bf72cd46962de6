"""A stand-in for Ray: its actors work in this process, at once, and may be lost."""

import types

from vecevo.datasets.fingerprints import fingerprint
from vecevo.training.workers import worker


def has_begun(own):
    """Whether a worker has a session; all that these tests ask for are alike."""
    return own._session is not None


class Lost(Exception):
    """What Ray raises where a worker is lost."""


class Call:
    """What came of a call."""

    def __init__(self, value=None, error=None):
        self.value, self.error = value, error


class Actor:
    """An actor; `change_fn` may say what a call of it gives, or raise."""

    def __init__(self, number, own, change_fn):
        self.number, self.own, self._change_fn = number, own, change_fn

    def __getattr__(self, name):
        def remote(*args):
            try:
                changed = self._change_fn(self.number, name, *args)
                if changed is not None:
                    return Call(changed)
                if name == "begin" and has_begun(self.own):
                    return Call(fingerprint(args[1]))
                return Call(getattr(self.own, name)(*args))
            except Lost as error:
                return Call(error=error)
            except Exception as error:
                told = Lost(str(error))
                told.cause = error
                return Call(error=told)

        return types.SimpleNamespace(
            options=lambda **options: types.SimpleNamespace(remote=remote)
        )


class Ray:
    """As much of Ray's module as is needed; devices may be added at any time."""

    exceptions = types.SimpleNamespace(RayError=Lost)

    own = worker.Worker()  # of all actors: its programs are compiled once

    def __init__(self, num_devices, change_fn=lambda *call: None):
        self.num_devices, self.actors, self.killed = num_devices, [], []
        self._change_fn = change_fn

    def cluster_resources(self):
        return {"CPU": float(self.num_devices)}

    def remote(self, **options):
        def start(kind):
            self.actors.append(Actor(len(self.actors) + 1, self.own, self._change_fn))
            return self.actors[-1]

        return lambda kind: types.SimpleNamespace(remote=lambda: start(kind))

    def put(self, value):
        return value

    def wait(self, calls, num_returns=1, timeout=None):
        return calls, []

    def get(self, call):
        if call.error is not None:
            raise call.error
        return call.value

    def kill(self, actor, no_restart):
        self.killed.append(actor.number)
