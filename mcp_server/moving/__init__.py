"""Sessions from one place to another: `aos-workflow migrate-state`.

`sides` says what is meant by the two places, `copying` carries the sessions over, one by one, and
`command` tells people of it.
"""
