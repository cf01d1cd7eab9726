"""The server over HTTP: streamable HTTP behind checks of where a request comes from, and whose."""
