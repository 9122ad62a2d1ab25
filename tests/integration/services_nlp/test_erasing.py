"""Stored conversations are deleted for good, by those who may and whose they are."""

from tests.support.live_app import LiveApp

CONVERSATION = "/api/v1/nlp/conversation"
SEGMENTS = [
    {"speaker": "A", "start": 0, "end": 2, "text": "Good morning, how can I help?"},
    {"speaker": "B", "start": 3, "end": 5, "text": "I would like to know the price."},
]


def test_a_conversation_is_deleted_by_its_tenant_alone(app: LiveApp) -> None:
    with app.client(tenant="eraser") as mine, app.client(tenant="stranger") as stranger:
        made = mine.post(f"{CONVERSATION}/inference", json={"segments": SEGMENTS}).json()
        path = f"{CONVERSATION}/{made['id']}"
        assert mine.get(path).json()["segments"]

        for refused in (stranger.delete(path), stranger.delete(f"{CONVERSATION}/{'0' * 32}")):
            assert refused.status_code == 404
        with app.client("nlp:infer", "nlp:read", tenant="eraser") as reader:
            assert reader.delete(path).json()["code"] == "scope_missing"
        assert mine.get(path).status_code == 200

        with app.client("calls:write", tenant="eraser") as writer:
            assert writer.delete(path).status_code == 204
            assert writer.delete(path).status_code == 404
        assert mine.get(path).status_code == 404
        replayed = mine.post(f"{path}/replay", json={})
        assert replayed.status_code == 404
