"""Figures in Prometheus' text format: what this process answered, and what stands in the book when it is asked."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.store.waiting import ages

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = ("GET", "HEAD", "POST", "PATCH")


class Figures:
    """One service's figures."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.enqueues = Counter("guardrails_enqueues", "Jobs asked for over HTTP, by outcome.", ["job", "outcome"], registry=self._registry)
        self.requests = Counter("guardrails_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry)
        self.seconds = Histogram(
            "guardrails_http_request_seconds", "Time to the first byte of an answer.", ["route"], buckets=SECONDS, registry=self._registry
        )
        self.followers = Gauge("guardrails_http_followers", "Connections that follow a job or a stream.", registry=self._registry)
        self._registry.register(_Book())

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; `route` is the path's pattern, so that labels stay few."""
        self.requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All figures; asks the database, so it blocks. Raises DatabaseRefused."""
        return generate_latest(self._registry)


class _Book:
    """What the database knows, read when it is collected."""

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when it is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The families."""
        database = home().database
        reading = Reading(database)
        jobs = GaugeMetricFamily("guardrails_jobs", "Jobs by queue and status.", labels=["queue", "status"])
        counts = reading.counts()
        for queue, statuses in counts.items():
            for status, number in statuses.items():
                jobs.add_metric([queue, status], number)
        oldest = GaugeMetricFamily("guardrails_oldest_queued_seconds", "Age of the job that has been due for longest.", labels=["queue"])
        waiting = ages(database)
        for queue in counts:
            oldest.add_metric([queue], waiting.get(queue, 0.0))
        workers = GaugeMetricFamily("guardrails_workers", "Workers whose lease holds.", value=len(reading.workers()))
        return (jobs, oldest, workers)
