from __future__ import annotations

from plotter2.child.capture import Recorder, stream


def test_only_whole_lines_are_taken_while_a_run_goes_on() -> None:
    recorder = Recorder()
    recorder.feed("one\ntw")
    assert recorder.take() == ["one"]
    recorder.feed("o\nthree")
    assert recorder.take() == ["two"]
    assert recorder.end() == ["three"]


def test_what_is_too_much_is_counted_and_left_out() -> None:
    recorder = Recorder(bytes_max=20)
    for _ in range(100):
        recorder.feed("0123456789\n")
    lines = recorder.end()
    assert lines[0] == "0123456789"
    assert lines[-1] == "… 98 lines left out"


def test_a_line_without_an_end_does_not_grow_without_one() -> None:
    recorder = Recorder(bytes_max=100)
    for _ in range(1_000):
        recorder.feed("x" * 100)
    assert sum(map(len, recorder.end())) < 250


def test_a_new_run_begins_with_nothing() -> None:
    recorder = Recorder()
    recorder.feed("old\nhalf")
    recorder.begin()
    assert recorder.end() == []


def test_the_stream_is_a_text_stream_with_bytes_below() -> None:
    recorder = Recorder()
    text = stream(recorder.feed, 1)
    print("hello", file=text)
    text.buffer.write("wörld\n".encode())
    assert recorder.end() == ["hello", "wörld"]
    assert text.fileno() == 1
    assert not text.isatty()
