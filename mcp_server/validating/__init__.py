"""Validation of a deployment: a real client, all 14 actions, and what each must come to.

`command` is what people run, `running` goes through it in order. `connecting` reaches the server,
`project` is the throw-away project that a server of ours is started in, `agent` calls the tool and
has `answers` judge each answer as such; `publication` judges the tool as it is listed. The checks
of what an action does are in `checks/`, a module per subject; `rounds` times the actions and
`memory` weighs the process, against `targets`. `outcomes` is what all of it comes to, told by
`table`, `as_json` and `as_junit`.

Nothing here trusts the server: what it sends is data, never more than a limit of it is waited for,
and no session is changed or deleted whose target is not this run's own.
"""
