"""Writes the manual page latchkey(1) from what the program's argument parser knows of itself.

.build/debug/latchkey --experimental-dump-help | scripts/manual.py VERSION DATE > latchkey.1
"""

import json
import sys

FILES = {
    "/etc/latchkey/latchkey.yaml": "The settings, one name: value per line. Every setting stands there, commented out.",
    "/etc/latchkey/latchkey.env": "What should not stand there, such as LATCHKEY_SECRET_KEY=…; the unit reads it.",
    "/var/lib/latchkey": "The database, and with SQLite the secret key beside it.",
    "/usr/share/doc/latchkey/operating.md": "How to run it, and what to do when something breaks.",
}


def plain(text: str) -> str:
    """Text that roff takes as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def spelled(name: dict) -> str:
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def shown(arguments: list[dict]) -> list[dict]:
    """The arguments worth a line: every command has help and version, and they are told once."""
    return [one for one in arguments if one["shouldDisplay"] and one["valueName"] not in ("help", "version")]


def synopsis(path: list[str], arguments: list[dict]) -> str:
    """The command with its arguments, as the first line of its section."""
    parts = ["\\fB" + plain(" ".join(path)) + "\\fR"]
    for one in arguments:
        value = f"\\fI{plain(one['valueName'])}\\fR"
        if one["kind"] != "positional":
            flag = f"\\fB{plain(spelled(one['preferredName']))}\\fR"
            value = flag if one["kind"] == "flag" else f"{flag} {value}"
        parts.append((f"[{value}]" if one["isOptional"] else value) + ("..." if one["isRepeating"] else ""))
    return " ".join(parts)


def explained(one: dict) -> list[str]:
    """An argument's paragraph."""
    if one["kind"] == "positional":
        head = f"\\fI{plain(one['valueName'])}\\fR"
    else:
        head = ", ".join(f"\\fB{plain(spelled(name))}\\fR" for name in one["names"])
        head += f" \\fI{plain(one['valueName'])}\\fR" if one["kind"] == "option" else ""
    text = one.get("abstract", "")
    if one.get("defaultValue"):
        text += f" Default: {one['defaultValue']}."
    return [".TP", head, plain(text.strip()) or "\\&"]


def section(command: dict, path: list[str]) -> list[str]:
    """A command's section, and those of its subcommands."""
    path = [*path, command["commandName"]]
    below = [one for one in command.get("subcommands", []) if one["commandName"] != "help" and one["shouldDisplay"]]
    if below:
        return [line for one in below for line in section(one, path)]
    arguments = shown(command.get("arguments", []))
    lines = [f'.SS "{plain(" ".join(path[1:]))}"', synopsis(path, arguments), ".PP", plain(command.get("abstract", ""))]
    if command.get("discussion"):
        lines += [".PP", plain(command["discussion"])]
    return lines + [line for one in arguments for line in explained(one)]


def page(root: dict, version: str, date: str) -> str:
    lines = [
        f'.TH LATCHKEY 1 "{date}" "Latchkey {version}" "User Commands"',
        ".SH NAME",
        "latchkey \\- OAuth 2.0 authorization server",
        ".SH SYNOPSIS",
        "\\fBlatchkey\\fR \\fIcommand\\fR [\\fIoption\\fR]...",
        ".SH DESCRIPTION",
        plain(root["abstract"]),
        ".PP",
        plain(root["discussion"]),
        ".PP",
        "Every command takes \\fB\\-\\-help\\fR. The status is 0, or 1 with one line on standard error that says what "
        "was wrong and what to do.",
        ".SH COMMANDS",
        *[line for one in root["subcommands"] if one["commandName"] != "help" for line in section(one, ["latchkey"])],
        ".SH FILES",
        *[line for path, text in FILES.items() for line in (".TP", plain(path), plain(text))],
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(page(json.load(sys.stdin)["command"], *sys.argv[1:]), end="")
