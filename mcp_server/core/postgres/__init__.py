"""The SessionStore over PostgreSQL, for sessions that are seen from many machines.

Imported only where the state is said to be in a database: psycopg is an extra. `store` is the
door; `connections`, `faults` and `transactions` are what it stands on when the network does not,
`migrations` what it stores into, `statements` what it asks.
"""
