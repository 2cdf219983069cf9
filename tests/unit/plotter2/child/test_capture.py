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
    assert lines[-1] == "… 98 lines left out: of what a run prints the first 20 B are kept"


def test_who_prints_more_than_is_kept_is_told_so_in_the_run() -> None:
    recorder = Recorder()
    for _ in range(70):
        recorder.feed("é" * 511 + "x\n")
    *kept, word = recorder.end()
    assert [len(line.encode()) for line in kept] == [1023] * 64
    assert word == "… 6 lines left out: of what a run prints the first 64 KiB are kept"


def test_a_line_that_does_not_fit_is_cut_by_its_bytes() -> None:
    recorder = Recorder(bytes_max=7)
    recorder.feed("ééééé\n")
    assert recorder.end() == ["ééé …"]


def test_half_a_character_is_shown_as_what_it_is_and_ends_nothing() -> None:
    recorder = Recorder()
    recorder.feed("a\udcff\n")
    recorder.line("\ud800b")
    assert recorder.end() == ["a\\udcff", "\\ud800b"]


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
