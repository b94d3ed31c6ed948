"""How does a refusal look to a person with a browser?

One self-contained page: no script, nothing loaded from anywhere, a style that the content policy
admits by its hash. Both languages stand on it, the caller's first, each marked with `lang`.
Nothing of the request is on it but ids of known shape.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape

from gateway.reasons import Meaning

STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:16px/1.6 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "display:grid;min-height:100vh;place-items:center;background:#f6f7f9;color:#1b1f24}"
    "main{max-width:36rem;margin:2rem;padding:2rem 2.5rem;background:#fff;border-top:4px solid #1f5fae;"
    "border-radius:4px;box-shadow:0 1px 4px #0002}"
    "h1{font-size:1.4rem;line-height:1.35;margin:0 0 .5rem}p{margin:.5rem 0}.code{color:#57606a;font-size:.9rem}"
    "section+section{margin-top:1.5rem;padding-top:1.25rem;border-top:1px solid #d0d7de}"
    "h2{font-size:1rem;margin:0}dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1.5rem 0 0;"
    "font-size:.85rem;color:#57606a}dd{margin:0;font-family:ui-monospace,monospace;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}"
    "main{background:#161b22;border-top-color:#6cb0ff}.code,dl{color:#9aa4af}"
    "section+section{border-color:#30363d}}"
)
CONTENT_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode()


def page(code: str, meaning: Meaning, language: str) -> tuple[bytes, bytes]:
    """A refusal as the part before and the part after the ids (a `dl` with decision and request)."""
    start, end = _frame(code, meaning, language, f"{meaning.status}")
    return f"{start}<dl>".encode(), f"</dl>{end}".encode()


def explanation(code: str, meaning: Meaning, language: str) -> bytes:
    """What a code means, as a whole page."""
    start, end = _frame(code, meaning, language, f"{meaning.status} · {code}")
    return (start + end).encode()


def _frame(code: str, meaning: Meaning, language: str, mark: str) -> tuple[str, str]:
    zh = ("zh-CN", meaning.zh, meaning.remedy_zh)
    en = ("en", meaning.en, meaning.remedy_en)
    first, second = (zh, en) if language == "zh-CN" else (en, zh)
    start = (
        f'<!doctype html><html lang="{first[0]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(mark)} {escape(first[1])}</title><style>{STYLE}</style></head><body><main>"
        f'<section><p class="code">{escape(mark)}</p><h1>{escape(first[1])}</h1><p>{escape(first[2])}</p></section>'
        f'<section lang="{second[0]}"><h2>{escape(second[1])}</h2><p>{escape(second[2])}</p>'
        f'<p class="code">{escape(code)}</p></section>'
    )
    return start, "</main></body></html>"
