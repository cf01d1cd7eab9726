"""Putting this server into the configuration of MCP clients, and taking it out again.

`clients` is what is known of each client, as data; `places` and `launching` turn that into a file
and a command on this machine; `configs` changes a text, `writing` a file; `command` tells it all.
"""
