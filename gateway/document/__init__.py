"""What does a YAML file say, where exactly, and how should it look?

The only room that knows YAML: one strict reader for every file a person writes, and one layout for those that the
gateway may tidy.
"""

from gateway.document.layout import Form, amended, lay_out, written
from gateway.document.node import Faulty, FileFault, Node, Plain, Scalar, did_you_mean
from gateway.document.parts import Unsafe
from gateway.document.reader import changeable, content, parse, read, why

__all__ = [
    "Faulty",
    "FileFault",
    "Form",
    "Node",
    "Plain",
    "Scalar",
    "Unsafe",
    "amended",
    "changeable",
    "content",
    "did_you_mean",
    "lay_out",
    "parse",
    "read",
    "why",
    "written",
]
