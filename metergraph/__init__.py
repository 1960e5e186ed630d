"""The program: the command line, the ASGI application, and the embedded servers."""
