"""What stops an archive or a restore."""


class ArchiveError(RuntimeError):
    """A month cannot be archived or restored; the message says why and what to do."""


class ArchiveRunningError(ArchiveError):
    """Another archive or restore is running; this one may try again later."""
