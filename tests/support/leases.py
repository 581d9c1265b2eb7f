"""Having the device, in tests of those who wait for it."""

import contextlib


def had(lease):
    """Wait in the device's line; whether it was had."""
    for _ in lease.line():
        pass
    return lease.keep()


@contextlib.contextmanager
def taken(device):
    """The device is another's meanwhile."""
    with device.lease() as lease:
        assert had(lease)
        yield lease
