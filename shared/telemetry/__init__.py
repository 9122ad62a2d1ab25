"""Traces: what each request did, span by span, sent to an OTLP receiver where one is configured.

`span` is what the rest of the code sees, and loads no library. `opening` makes a tracer where
there is a receiver; only then `otlp` loads OpenTelemetry.
"""
