"""How commands are spelled for one user on one machine."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.condition import Card, Probe


def quote(word: str) -> str:
    """A word as a shell takes it, left bare where it may be."""
    bare = word and all(c.isalnum() or c in "-_./=:,+~@%\\" for c in word)
    return word if bare else '"' + word.replace('"', '\\"') + '"'


def python(probe: Probe) -> str:
    """This very Python."""
    return quote(probe.call)


def install(probe: Probe) -> str:
    """The start of a command that installs into this Python: pip where it has one, else uv."""
    return f"{python(probe)} -m pip install" if probe.pip else f"uv pip install --python {python(probe)}"


def uninstall(probe: Probe, name: str) -> str:
    """Remove a distribution, all of it: pip removes one of two at a time."""
    if not probe.pip:
        return f"uv pip uninstall --python {python(probe)} {name}"
    one = f"{python(probe)} -m pip uninstall -y {name}"
    return f"{one} && {one}"


UNINSTALLS = (
    "PYTHON -m pip uninstall -y NAME && PYTHON -m pip uninstall -y NAME",
    "uv pip uninstall --python PYTHON NAME",
)


def uv(probe: Probe) -> str:
    """The start of a uv command, which alone can choose a build of torch; fetched first where it is missing."""
    if probe.uv:
        return f"uv pip install --python {python(probe)}"
    here = f"{python(probe)} -m"
    return f"{here} pip install uv && {here} uv pip install --python {python(probe)}"


def unset(probe: Probe, name: str) -> str:
    """Forget an environment variable."""
    return f"Remove-Item Env:{name}" if probe.system == "Windows" else f"unset {name}"


def assign(probe: Probe, name: str, value: str) -> str:
    """Set an environment variable."""
    if probe.system == "Windows":
        return f'$Env:{name} = "{value}"'
    return f"export {name}={quote(value)}"


def once(probe: Probe, name: str, value: str) -> str:
    """Set an environment variable for the command that follows."""
    return f"{assign(probe, name, value)}; " if probe.system == "Windows" else f"{name}={value} "


def remove(probe: Probe, paths: Iterable[str]) -> str:
    """Delete folders."""
    verb = "Remove-Item -Recurse" if probe.system == "Windows" else "rm -r"
    return f"{verb} {' '.join(map(quote, paths))}"


def nvidia_smi(probe: Probe, card: Card, words: str) -> str:
    """A setting of a GPU, which takes an administrator."""
    sudo = "" if probe.system == "Windows" else "sudo "
    return f"{sudo}nvidia-smi -i {card.uuid} {words}"


def gigabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e9:.1f} GB"


DRIVERS = {
    "ubuntu": "sudo ubuntu-drivers install && sudo reboot",
    "debian": "sudo apt-get install nvidia-driver && sudo reboot",
    "fedora": "sudo dnf install akmod-nvidia && sudo reboot",
}
"""By the ID of os-release."""
ANY_DRIVER = "sudo nvidia-installer --update && sudo reboot"
UPGRADES = (*DRIVERS.values(), ANY_DRIVER)


def driver_upgrade(probe: Probe) -> str:
    """The system's own way to a newer driver."""
    return DRIVERS.get(probe.distribution, ANY_DRIVER)
