"""The program: the command line, the ASGI application, the servers that it can bring along."""
