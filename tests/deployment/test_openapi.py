"""The interface keeps to its own description, whatever is sent."""

import numpy as np
import pytest
import schemathesis
from asgi_client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import encoded, face_at
from schemathesis import GenerationMode

from clips import video
from dgfas.deployment.detector import Detector
from dgfas.deployment.service.app import create_app
from dgfas.deployment.service.settings import ServiceLimits
from dgfas.deployment.service.upload import RAW_TYPES

KEY = "a-key-of-more-than-16-characters"
PHOTOS = [
    encoded(face_at(0, 0, 200, 200)),
    encoded(face_at(0, 0, 200, 200, 0.3), "PNG"),
    encoded(np.zeros((1, 1, 3), np.uint8), "WEBP"),
]
CLIP = video([face_at(0, 0, 200, 200)] * 2)

schemathesis.openapi.format("binary", st.sampled_from(PHOTOS))
for media_type in RAW_TYPES:
    schemathesis.openapi.media_type(media_type, st.sampled_from([*PHOTOS, CLIP]))


@pytest.mark.parametrize("key", [None, KEY])
def test_every_answer_is_as_described(tiny_detector: Detector, key: str | None) -> None:
    app = create_app(tiny_detector, ServiceLimits(workers=1), key)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    headers = {"Authorization": f"Bearer {key}"} if key else {"Host": "127.0.0.1"}
    statuses: set[int] = set()
    paths: set[str] = set()
    for operation in schema.get_all_operations():
        described = operation.ok()
        for mode in GenerationMode if described.method == "post" else [GenerationMode.POSITIVE]:

            @given(case=described.as_strategy(generation_mode=mode))
            @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
            def conforms(case: schemathesis.Case) -> None:
                response = case.call_and_validate(headers=headers)
                statuses.add(response.status_code)
                paths.add(case.operation.path)

            conforms()
    assert {200, 422} <= statuses
    assert not {status for status in statuses if status >= 500}
    assert paths == {"/v1/score", "/v1/model", "/healthz", "/readyz", "/metrics"}


def test_all_routes_and_refusals_are_described(serve) -> None:
    description = serve(key=KEY).get("/openapi.json").json()
    score = description["paths"]["/v1/score"]["post"]
    assert set(score["responses"]) == {"200", "400", "401", "408", "413", "415", "422", "429", "503"}
    assert score["security"] == [{"API key": []}]
    assert "security" not in description["paths"]["/healthz"]["get"]
    client: Client = serve()
    open_score = client.get("/openapi.json").json()["paths"]["/v1/score"]["post"]
    assert "security" not in open_score
    assert set(open_score["responses"]) == set(score["responses"]) - {"401"} | {"403"}
