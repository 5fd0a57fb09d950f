"""guardrails: keeps background-job code safe (distribution `worker-guardrails`)."""

__version__ = "0.1.0"
