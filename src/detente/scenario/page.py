"""The public record as one page for a browser: what the terminal shows, in a file of its own beside the consoles.

A timeline never reaches a node, so no console shows it: what nobody signed must not stand on a screen where
everything else is signed.
"""

from __future__ import annotations

from html import escape

from detente.scenario.timeline import Timeline, render_timeline

WIDTH = 110  # columns; a laptop's window beside nothing else

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 2rem auto; max-width: 120ch; padding: 0 1rem; font: 1rem/1.5 ui-monospace, monospace; }}
p {{ font-weight: bold; border: 1px solid; padding: 0.5rem 1rem; }}
pre {{ white-space: pre-wrap; font: inherit; }}
.claim {{ opacity: 0.85; }}
.derived {{ font-weight: bold; }}
</style>
<p>Unsigned. Not a finding. Claims of the public record with their sources; no node holds this page.</p>
<pre>
"""


def record_page(timeline: Timeline) -> str:
    """The whole record as HTML without scripts; every line as `render_timeline` gives it.

    Example:
        >>> '<script' in _HEAD
        False
    """
    lines = []
    for line in render_timeline(timeline, WIDTH):
        kind = next((one for one in ("CLAIM", "DERIVED") if line.startswith(one)), "")
        text = escape(line)
        lines.append(f'<span class="{kind.lower()}">{text}</span>' if kind else text)
    return _HEAD.format(title=escape(timeline.title)) + "\n".join(lines) + "\n</pre>\n</html>\n"
