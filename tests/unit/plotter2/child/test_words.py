from __future__ import annotations

from plotter2.child import words


def test_an_end_by_signal_names_it() -> None:
    assert "signal 11 (SIGSEGV)" in words.exit_sentence("t", -11)
    assert "exit code 3" in words.exit_sentence("t", 3)
    assert "(unknown)" in words.exit_sentence("t", -99)


def test_a_long_error_keeps_its_beginning_and_its_end() -> None:
    text = words.bounded("begin" + "x" * 100_000 + "end", 1_000)
    assert len(text.encode()) <= 1_000
    assert text.startswith("begin")
    assert text.endswith("end")


def test_sizes_are_said_in_mebibytes() -> None:
    assert words.mebibytes(512 << 20) == "512 MiB"
    assert words.mebibytes(1_500_000) == "1.4 MiB"
