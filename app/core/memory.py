"""Memory of a process that serves for long."""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 20


def settle() -> None:
    """Call once, when everything that stays has been loaded: it is looked through for garbage no more.

    A push of fifty commands makes thousands of objects, and the phones that wait keep them for a while; with Python's
    own thresholds they age quickly, and each time they have, the whole of the service is looked through: a third
    and more of its processor time under many pushes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
