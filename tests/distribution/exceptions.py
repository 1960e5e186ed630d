"""The functions that may read rows of every organization, and why.

On Citus, each of their statements asks all nodes. They run every few seconds at most, or for a
person, and each has an index that finds only what there is to do. They change nothing, or what they
change needs no lock.
"""

EVERY_ORGANIZATION = {
    "billing.alerts.estimated:_undecided": "finds the organizations with alerts to decide",
    "billing.subscriptions.cycle:_organizations_with_work": "finds the organizations to bill",
    "metergraph.asgi.health:_counting": "says how far counting lags",
    "metergraph.asgi.system_metrics:database_facts": "counts for the whole system",
    "metering.audit.rounds:audits_due": "begins and finds the audits of the night",
    "metering.counting.compacting:logs_to_compact": "finds the logs with stale changes",
    "billing.simulations.expiry:expired_simulations": "finds the simulations that have expired",
    "billing.simulations.running:running": "finds the simulations to carry out",
    "metering.erasing.events:unfinished": "finds the customers who are being erased",
    "webhooks.due:endpoints_with_work": "finds the endpoints with something to send",
    "webhooks.fan_out:organizations_with_events": "finds the organizations with new webhooks",
    "workers.delete_expired:_organizations_with": "finds the organizations with expired rows",
    "workers.process_events:Counting._organizations": "finds what was not counted",
}
