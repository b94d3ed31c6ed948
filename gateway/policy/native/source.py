"""What does a native policy consist of, once it has been read?

Plain values that travel in the compiled content: digest, snapshot and workers cover them.
"""

from msgspec import Struct

FOLDER = "casbin"
MAX_BYTES = 16 * 1024 * 1024  # of each file
MODEL = f"{FOLDER}/model.conf"
TABLE = f"{FOLDER}/policy.csv"
REQUEST = f"{FOLDER}/request.yaml"

LAYER = "casbin"
MATCHER = "casbin:matcher"
"""The id under which the matcher itself allows: no row is needed, or none denied."""

SECTIONS = (
    ("request_definition", "r"),
    ("policy_definition", "p"),
    ("role_definition", "g"),
    ("policy_effect", "e"),
    ("matchers", "m"),
)

Row = tuple[str, ...]


class Source(Struct, frozen=True):
    """Model, rows and how a request is filled. A row is (line, kind, value, …); The order of `request` means nothing."""

    definitions: dict[str, str]  # r, p, g, g2, e, m -> text without comments
    rows: tuple[Row, ...]
    request: dict[str, str]  # token -> name of the condition language, room of it, path, route, method or action
    matching: dict[str, str] = {}  # g -> function by which names of a request match names of its rows
    domain_matching: dict[str, str] = {}
    conditions: dict[str, str] = {}  # g -> function that a link's further columns are handed to
    allow_by_default: bool = False
    matcher_line: int = 1

    def model(self) -> str:
        """The text of model.conf without comments, sections in casbin's order."""
        out = []
        for section, letter in SECTIONS:
            lines = [f"{key} = {text}" for key, text in self.definitions.items() if key.rstrip("0123456789") == letter]
            if lines:
                out.append("\n".join((f"[{section}]", *lines)))
        return "\n\n".join(out) + "\n"

    def lines(self) -> list[tuple[str, str]]:
        """Every row as it is told: where it stands, and its kind and values."""
        return [(f"{TABLE}:{row[0]}", ", ".join(row[1:])) for row in self.rows]

    def named(self) -> dict[str, str]:
        """Where each row of the policy stands, by its id in decisions: `casbin:12` -> `casbin/policy.csv:12`."""
        places = {row_id(row[0]): f"{TABLE}:{row[0]}" for row in self.rows if row[1] == "p"}
        return places | {MATCHER: f"{MODEL}:{self.matcher_line}"}


def row_id(line: str) -> str:
    """The id of the row on this line."""
    return f"{LAYER}:{line}"


def columns(definition: str) -> tuple[str, ...]:
    """The names of `r` or `p`, or the blanks of `g`, in order."""
    return tuple(part.strip() for part in definition.split(","))
