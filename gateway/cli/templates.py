"""What does the configuration of a new project say, in the language of its operator?

Keys and values are the same in both languages; the comments, and the names of the tests, are not.
"""

from typing import Final

from gateway.cli.texts import Language

LEVEL: Final = "general-2"
CONFIG: Final = """\
# yaml-language-server: $schema=./gateway.schema.json
version: 1
listen: 127.0.0.1:8080                             # {listen}
identity:
  issuer: http://127.0.0.1:8082                    # {issuer}
  audience: gateway
policies: ./policies
state: ./state                                     # {state}
audit: {{keep: 3y}}
mode: observe                                      # {mode}
apis:
{api}"""
STARTER_API: Final = """\
  - name: civil-households
    match: /civil/households/**
    upstream: http://127.0.0.1:8081                # {upstream}
    data: household                                # {data}
"""
FIRST_TRY: Final = """\
  - name: {name}
    match: {prefix}/**
    upstream: {url}
{strip}    level: general-2                               # {first}
                                                   # {second}
                                                   # {third}
"""
PLAIN: Final = "insecure: [plaintext-upstream]                    # {plain}\n"
TESTS: Final = """\
{head}
tests:
  - name: "{name}: {open}"
    request: GET {path}/1
    expect: deny

  - name: "{name}: {clerk}"
    given: {{role: clerk, org: prov/civil}}
    request: POST {path}/1
    expect: deny

  - name: "{name}: {hours}"
    given: {{org: hz, time: "07:59"}}
    request: POST {path}/1
    expect: deny
    rules: []

  - name: "{name}: {delete}"
    emergency: I
    request: DELETE {path}/1
    expect: deny
    rules: level-i-no-change
"""
"""Of a first try: without them nobody would notice a starter rule that is widened until it reaches this API."""

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "listen": ("other machines: add tls and hosts", "供其他主机访问时须添加 tls 与 hosts"),
    "issuer": ("who signs access tokens; https beyond this machine", "访问令牌的签发方；不在本机时须用 https"),
    "state": ("journals, ledger, index, keys", "日志分段、审计日志、索引、密钥"),
    "mode": ("observe -> enforce when the record shows what you expect", "记录符合预期后由 observe 改为 enforce"),
    "upstream": ("the service to protect", "受保护的后端服务"),
    "data": ("an asset of policies/catalog/", "policies/catalog/ 中的资产"),
    "first": (
        "a first guess: internal data, nothing masked; no shipped rule allows it",
        "首次试用：内部数据，不脱敏；随附规则尚未允许访问，",
    ),
    "second": (
        "yet, so in observe all is recorded and passes. Then list its data in",
        "因此在 observe 中全部记录并放行。随后请在 policies/catalog/",
    ),
    "third": (
        "policies/catalog/, with the real level, and name it here: `data: ASSET`",
        "登记其数据与真实级别，并在此写明：`data: 资产`",
    ),
    "plain": ("this service has no TLS", "该服务未启用 TLS"),
    "head": (
        "# What holds for the API `{name}` until rules speak of it: nothing is allowed, and what the starter rules say of other\n"
        "# data leaves it alone. Change these tests together with the rules; they go when the API goes from gateway.yaml. Once the\n"
        "# catalog lists its endpoints (`data:` in place of `level:`), ask for paths that are listed.",
        "# 在规则涉及接口 `{name}` 之前：一律不允许，初始规则对其他数据的规定也不影响它。请与规则一并修改这些测试；\n"
        "# 从 gateway.yaml 删除该接口时，请一并删除。目录登记其端点后（以 `data:` 取代 `level:`），请改用已登记的路径。",
    ),
    "open": ("what opens open data does not open it", "开放数据的规则不适用于它"),
    "clerk": ("a clerk of civil affairs changes households only", "民政经办人员只能修改户籍数据"),
    "hours": ("the office hours of a city are about population data", "城市的办公时间限制只针对人口数据"),
    "delete": ("at level I nothing is deleted either", "一级响应期间同样不得删除"),
}


def filled(template: str, language: Language, **values: str) -> str:
    """A template with its words in one language."""
    words = {key: pair[language == "zh-CN"] for key, pair in _WORDS.items()}
    return template.format_map(words | {"head": words["head"].replace("{name}", values.get("name", ""))} | values)
