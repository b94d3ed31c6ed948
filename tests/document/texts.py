"""YAML texts as people might write them: every style, comments in odd places."""

from hypothesis import strategies as st

WORDS = st.one_of(
    st.sampled_from(
        ["a", "clerk", "yes", "~", "null", "true", "1", "-1.5", "1e3", "0755", "22:30", "2027-01-01", "*", "", " x", "x ", "a: b",
         "a #b", "#a", "- a", "市：局，“一”", "$..members[*].relation", "user:li.na", "partial(1,1)", ">= core", "<= general-2",
         'device.trust == "managed"', "it's", "it's \"so\"", "a\\b", "{x}", "[y", "x,y", "x:", ":x", "?", "a\tb", "a\nb", "a\nb\n",
         "a\n\nb\n\n", "\n", " a\nb", "a\n  b\n# no\nc", "x\u3000y", "\u3000", "．", "😀", "\x7f", "a\u2028b", "word " * 40 + "end"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12),
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.integers(-999, 999), st.booleans(), st.none(), st.sampled_from([1.5, -0.25, 10.0]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


class Pen:
    """Draws how each value is written; numbers its comments, so that each is found again."""

    def __init__(self, draw: st.DrawFn, keys: tuple[str, ...]) -> None:
        self.draw, self.keys, self.count = draw, keys, 0
        self.in_text = False  # a line that is indented deeply enough would go on with a block of text

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    def comment(self) -> str:
        self.count += 1
        return f"#⟦{self.count}⟧" + self.draw(st.sampled_from(["", " why", " x: y", " - [", " 因为，", " '\"", "#"]))

    def own(self, indent: int) -> str:
        """Lines between items: blank ones, comments at this depth or another."""
        text = ""
        while self.chance(4):
            depth = indent if self.chance(2) else self.draw(st.integers(0, indent if self.in_text else indent + 5))
            text += (
                self.draw(st.sampled_from(["", "\n", "\n\n", "\n" if self.in_text else "   \n"]))
                + " " * depth
                + self.comment()
                + "\n"
            )
        return text + ("\n" if self.chance(6) else "")

    def tail(self) -> str:
        """The end of a line."""
        return (" " * self.draw(st.integers(1, 3)) + self.comment() if self.chance(4) else "") + "\n"

    def name(self) -> str:
        return self.draw(st.sampled_from(self.keys) if self.keys else WORDS.filter(lambda key: len(key) < 40))

    def scalar(self, indent: int, flow: bool = False) -> str:
        """A scalar on what is left of its line; a block of text without its last line break."""
        value = self.draw(SCALARS)
        if not isinstance(value, str):
            return {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[arg-type]
        how = self.draw(st.sampled_from("pds|>"))
        if how in "|>" and not flow and value.strip() and all(c.isprintable() or c == "\n" for c in value):
            lines = [line.strip() for line in value.split("\n")]
            if lines[0]:
                header = (
                    how + self.draw(st.sampled_from(["", "-", "+"])) + (" " + self.comment() if self.chance(4) else "")
                )
                return header + "".join("\n" + (" " * (indent + 1) + line if line else "") for line in lines)
        if how == "p" and value.isalnum() and value.isascii():
            return value
        if how == "s" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'

    def key(self, used: set[str]) -> str | None:
        name = self.name()
        if name in used:
            return None
        used.add(name)
        if name.isalnum() and name.isascii():
            return name
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in name) + '"'

    def gap(self, indent: int) -> str:
        """Between two words of a bracket."""
        if self.chance(5):
            return " " + self.comment() + "\n" + " " * (indent + 1)
        return self.draw(st.sampled_from([" ", " ", "\n" + " " * (indent + 2)]))

    def flow(self, depth: int, indent: int) -> str:
        inner = [self.gap(indent)]
        used: set[str] = set()
        mapping = self.chance(2)
        for _ in range(self.draw(st.integers(0, 3))):
            key = self.key(used) if mapping else ""
            if key is None:
                continue
            inner.append(f"{key}:{self.gap(indent)}" if mapping else "")
            inner.append(self.flow(depth - 1, indent) if depth and self.chance(3) else self.scalar(indent, flow=True))
            inner += [self.gap(indent), ",", self.gap(indent)]
        text = "".join(inner)
        return "{" + text + "}" if mapping else "[" + text + "]"

    def value(self, depth: int, indent: int, item: bool) -> str:
        """What follows a colon or a dash, to the end of its last line."""
        self.in_text = False
        how = self.draw(st.sampled_from(["scalar", "scalar", "flow", "list", "mapping", "nothing"]))
        if how == "nothing":
            return self.tail()
        if how == "flow":
            return (
                (" " if not self.chance(5) else self.tail() + " " * (indent + 1)) + self.flow(2, indent) + self.tail()
            )
        if how == "scalar" or not depth:
            text = self.scalar(indent)
            self.in_text = text[0] in "|>"
            return " " + text + ("\n" if text[0] in "|>" else self.tail())
        inner = indent + self.draw(st.integers(0 if how == "list" and not item else 1, 4))
        return self.tail() + self.own(inner) + self.block(how, depth - 1, inner)

    def block(self, how: str, depth: int, indent: int) -> str:
        text, used, pad = "", set[str](), " " * indent
        for number in range(self.draw(st.integers(1, 3))):
            if number:
                text += self.own(indent)
            if how == "list":
                text += pad + "-" + self.value(depth, indent, item=True)
            elif (key := self.key(used)) is not None:
                text += pad + key + ":" + self.value(depth, indent, item=False)
        return text + self.own(indent)


@st.composite
def files(draw: st.DrawFn, keys: tuple[str, ...] = ()) -> str:
    """A text that the reader accepts."""
    pen = Pen(draw, keys)
    text = pen.own(0) + pen.block(draw(st.sampled_from(["list", "mapping"])), 3, 0)
    text = text.removesuffix("\n") if pen.chance(3) else text
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
