"""`aos-workflow doctor`: is all well around the server, and what to do where it is not.

`checks` is the registry: each check is a small function that is given the `Subject` and yields
findings. Nothing here changes anything, and a check that cannot look says so as a finding.
"""
