"""`dgfas score`: what it does not take."""

from command_line import dgfas


def test_no_frames_are_not_scored() -> None:
    answer = dgfas("score", "clip.mp4", "--model", "model.onnx", "--frames", "0")
    assert answer.code == 2
    assert "--frames" in answer.err
