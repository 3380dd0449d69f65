"""What a Prometheus server reads: numbers of requests and answers, and how long they took. No image, no address."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dgfas.deployment.answer import Answer
from dgfas.deployment.detector import Detector
from dgfas.deployment.service.gate import Gate
from dgfas.deployment.service.schema import Timing, model_fields

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The metrics of one service."""

    def __init__(self, detector: Detector, gate: Gate) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "dgfas_requests", "Requests by route and status.", ["route", "status"], registry=self._registry
        )
        self._answers = Counter(
            "dgfas_answers", "Answers by decision and reason.", ["decision", "reason"], registry=self._registry
        )
        self._seconds = Histogram(
            "dgfas_stage_seconds", "Time of a request by stage.", ["stage"], buckets=SECONDS, registry=self._registry
        )
        inside = Gauge("dgfas_requests_inside", "Requests being received, waiting or scored.", registry=self._registry)
        inside.set_function(lambda: gate.number_inside)
        model = model_fields(detector)
        Gauge("dgfas_model", "The model; always 1.", list(model), registry=self._registry).labels(**model).set(1)

    def count_request(self, route: str, status: int) -> None:
        self._requests.labels(route, status).inc()

    def count_answer(self, answer: Answer, milliseconds: Timing) -> None:
        self._answers.labels(str(answer.decision), str(answer.reason or "")).inc()
        for stage, value in milliseconds:
            self._seconds.labels(stage).observe(value / 1000)

    def page(self) -> bytes:
        return generate_latest(self._registry)
