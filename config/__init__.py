"""What puts Metergraph together: settings, servers, the ASGI application, the command line.

`config.settings` and `config.clock` are leaves that anyone may import; nothing else outside this
package imports from it.
"""
