"""What can go wrong with the embedded servers. The messages are for people.

EmbeddedServerError
└── AlreadyRunningError
"""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot run here; the message says why and what to do."""


class AlreadyRunningError(EmbeddedServerError):
    """Another process runs the embedded servers of this data directory."""
