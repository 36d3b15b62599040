"""page: what upcased-clients(7) shows, as its reader sees it."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3] / "packaging/man/upcased-clients.7.scd"


def section(name):
    """The text of one section, without scdoc's escapes."""
    text = SOURCE.read_text(encoding="utf-8")
    body = re.search(rf"^# {name}\n(.*?)(?=^# )", text, re.MULTILINE | re.DOTALL)[1]
    return re.sub(r"\\(.)", r"\1", body)


def session(text):
    """The commands of the section, and what they print."""
    shown = re.search(r"^```\n(\$ .*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    commands = re.findall(r"^\$ (.*)$", shown, re.MULTILINE)
    return "\n".join(commands), re.sub(r"^\$ .*\n", "", shown, flags=re.MULTILINE)


def files(text):
    """The files of the section as {name: text}."""
    form = r"^_([A-Za-z./-]+)_:\n\n```\n(.*?)^```$"
    return dict(re.findall(form, text, re.MULTILINE | re.DOTALL))
