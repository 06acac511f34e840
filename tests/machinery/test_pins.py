"""The notice of packages that are not as pinned."""

from importlib import metadata

from molap.planning.pins import notice, unlike_pins

NUMPY = metadata.version("numpy")


def test_a_changed_pin_is_told_with_both_versions(tmp_path):
    pins = tmp_path / "pins.txt"
    pins.write_text(f"# a comment\nnumpy=={NUMPY}\npandas==0.1 ; python_version > '3'\nnot-installed-anywhere==1\n")
    assert unlike_pins(pins) == [f"pandas {metadata.version('pandas')} (pinned 0.1)"]
    pins.write_text("".join(f"{name}==0.1\n" for name in ("numpy", "pandas", "jax", "optax", "scipy", "seaborn")))
    assert notice(pins).endswith("and 2 more") and f"numpy {NUMPY} (pinned 0.1)" in notice(pins)


def test_nothing_is_told_where_all_is_as_pinned_or_nothing_is_pinned(tmp_path):
    pins = tmp_path / "pins.txt"
    assert notice(pins) == ""
    pins.write_text(f"numpy=={NUMPY}\n")
    assert notice(pins) == ""
