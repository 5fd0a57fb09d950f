"""The HTTP service: queue, poll and follow jobs, take webhooks, and a page for people. It only enqueues; workers drain."""

from guardrails.runtime.http.app import service as service
from guardrails.runtime.http.serving import Serving as Serving
