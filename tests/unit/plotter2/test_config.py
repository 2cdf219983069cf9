"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plotter2 import config
from plotter2.errors import ConfigError


class KettleConfig(config.DaemonConfig):
    """A daemon's settings."""

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_KETTLE_", extra="ignore")

    water_l: float = Field(default=1.0, gt=0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path


def write(home: Path, text: str) -> None:
    (home / "config" / "kettle.toml").write_text(text)


def test_what_nobody_sets_has_its_default(home: Path) -> None:
    assert config.load(KettleConfig, home=home).water_l == 1.0


def test_the_file_stands_above_the_default(home: Path) -> None:
    write(home, "water_l = 2")
    assert config.load(KettleConfig, home=home).water_l == 2.0


def test_the_environment_stands_above_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "water_l = 2")
    monkeypatch.setenv("PLOTTER2_KETTLE_WATER_L", "3")
    assert config.load(KettleConfig, home=home).water_l == 3.0


def test_words_of_the_command_line_stand_above_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOTTER2_KETTLE_WATER_L", "3")
    assert config.load(KettleConfig, home=home, water_l=4.0).water_l == 4.0


def test_the_home_comes_from_its_variable_and_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLOTTER2_HOME", "here")
    assert config.load(KettleConfig).home == tmp_path / "here"
    monkeypatch.delenv("PLOTTER2_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config.load(KettleConfig).home == tmp_path / ".plotter2"


@pytest.mark.parametrize("value", ["0", "much"])
def test_a_wrong_value_is_named_in_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PLOTTER2_KETTLE_WATER_L", value)
    with pytest.raises(ConfigError, match=f"The setting 'water_l' cannot be '{value}': ") as caught:
        config.load(KettleConfig, home=home)
    assert "\n" not in caught.value.message


def test_an_unknown_setting_in_the_file_is_refused_with_those_there_are(home: Path) -> None:
    write(home, "watr_l = 2")
    with pytest.raises(ConfigError, match=r"unknown setting 'watr_l'; known are: .*water_l"):
        config.load(KettleConfig, home=home)


def test_a_file_that_is_not_toml_is_named(home: Path) -> None:
    write(home, "water_l =")
    with pytest.raises(ConfigError, match=r"kettle\.toml is not TOML"):
        config.load(KettleConfig, home=home)
