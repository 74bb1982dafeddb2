"""Traces and metrics, where a setting turns them on: to a collector, or to Application Insights.

`port` and `metrics` are what the core sees, and load nothing. They are not in `ports`: the webhook, which answers from
cold, imports `port`, and `ports` would cost it 45 ms. `sdk` and `exporters` load OpenTelemetry.
"""
