"""Is the request target in its one canonical form?

A path is accepted as it stands or not at all. Nothing is normalised, so what is decided on,
logged and forwarded are the same bytes (CVE-2026-40912: decided on one form, forwarded another).
An accepted path

1. starts with `/`; its segments are not empty (a last slash is allowed and means another path);
2. has no segment `.` or `..` in any spelling (CVE-2026-33494, CVE-2019-9901);
3. has no `;`, `\\`, `#` nor a slash, backslash, semicolon or control in escaped form
   (CVE-2026-73551, CVE-2021-29492, CVE-2021-32779);
4. escapes nothing that needs no escape, writes escapes in upper case, and never twice (`%2541`);
5. is UTF-8 in Unicode normal form C once decoded, without invisible or look-alike separators.
"""

import re
from unicodedata import category, normalize
from urllib.parse import unquote_to_bytes

_PLAIN = rb"A-Za-z0-9\-._~!$&'()*+,=:@"
_ESCAPE = (
    rb"%(?:2[0-46-9A-C]|25(?![0-9A-Fa-f]{2})"  # a percent sign, but not one that makes another escape
    rb"|3[AC-F]|40|5[BDE]|60|7[B-D]|[89A-F][0-9A-F])"
)
_PATH = re.compile(rb"(?=/)(?:/(?!\.\.?(?:/|\Z))(?:[" + _PLAIN + rb"]++|" + _ESCAPE + rb")++)*+/?")
_WIDE = re.compile(rb"%[89A-F]")
_QUERY = re.compile(rb"[!-\"$-~]*+")  # printable ASCII without `#` and blank
_SEPARATORS = "/\\.;%?#"
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def canonical(path: bytes) -> str | None:
    """The path as text when it is canonical, else None."""
    if _PATH.fullmatch(path) is None:
        return None
    if _WIDE.search(path) is not None and not _wide_text_is_canonical(path):
        return None
    return path.decode("ascii")


def query_is_plain(query: bytes) -> bool:
    """Whether a query is printable ASCII; it is forwarded as it stands and never decided on."""
    return _QUERY.fullmatch(query) is not None


def _wide_text_is_canonical(path: bytes) -> bool:
    try:
        text = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return False  # overlong forms, surrogates, GBK
    if normalize("NFC", text) != text:
        return False  # two spellings of one name would be two paths
    wide = "".join(char for char in text if ord(char) > 0x7F)
    if any(category(char) in _UNSEEN for char in wide):
        return False  # direction marks and the like: what is logged must be what is seen
    return not any(char in _SEPARATORS for char in normalize("NFKC", wide))  # fullwidth `．．／`
