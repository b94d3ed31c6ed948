"""What can be wrong with a configuration, in words for whom?

Every fault code of `gateway.yaml` once: a sentence and a remedy in English and Chinese. The names
on the left are the kinds that the checks and the value types report; `{…}` is filled in by them.
A code is never reused: operators search for it, and `gateway explain-code` prints it.
"""

from typing import NamedTuple

from gateway.document import FileFault, Node


class Meaning(NamedTuple):
    """One kind of fault: its code, what is wrong, and how to mend it."""

    code: str
    en: str
    zh: str
    remedy_en: str = ""
    remedy_zh: str = ""
    warning: bool = False


CODES: dict[str, Meaning] = {
    # --- form ---------------------------------------------------------------------------------
    "unknown_key": Meaning("C001", "unknown key `{key}`", "未知的键 `{key}`", "{hint_en}", "{hint_zh}"),
    "missing": Meaning("C002", "`{key}` is missing here", "此处缺少 `{key}`", "add `{key}:`", "请添加 `{key}:`"),
    "wrong_form": Meaning("C003", "`{key}` must be {expected_en}", "`{key}` 必须是{expected_zh}"),
    "not_allowed": Meaning(
        "C004", "`{value}` is not a value of `{key}`", "`{value}` 不是 `{key}` 的有效值", "{hint_en}", "{hint_zh}"
    ),
    "out_of_range": Meaning("C005", "`{key}` must be {bound_en}", "`{key}` 必须{bound_zh}"),
    "empty": Meaning("C006", "`{key}` must not be empty", "`{key}` 不能为空"),
    # --- overrides ----------------------------------------------------------------------------
    "override_place": Meaning(
        "C010",
        "the variable names no place in the file: `{path}`",
        "环境变量未指向文件中的任何位置：`{path}`",
        "sections are joined by two underscores, list items are counted from 0: GATEWAY__APIS__0__MODE",
        "各级之间用两个下划线连接，列表项从 0 开始编号：GATEWAY__APIS__0__MODE",
    ),
    "override_value": Meaning(
        "C011",
        "the variable's value is not valid YAML",
        "环境变量的值不是有效的 YAML",
        "quote the value",
        "请给值加引号",
    ),
    # --- secrets ------------------------------------------------------------------------------
    "secret_inline": Meaning(
        "C020",
        "`{key}` holds a secret itself",
        "`{key}` 直接写入了机密内容",
        "write where it is: file:/run/secrets/NAME, env:NAME or systemd:NAME",
        "请写明其所在位置：file:/run/secrets/名称、env:名称 或 systemd:名称",
    ),
    "token_inline": Meaning(
        "C020",
        "`{key}` holds a secret itself",
        "`{key}` 直接写入了机密内容",
        'keep only its digest, `sha256:`, which this prints: printf %s "$TOKEN" | sha256sum',
        '只保存其摘要 `sha256:`，可用以下命令得到：printf %s "$TOKEN" | sha256sum',
    ),
    "secret_unreadable": Meaning(
        "C021",
        "the secret `{reference}` cannot be read: {why_en}",
        "无法读取机密 `{reference}`：{why_zh}",
        "put it there, or mend the reference; relative paths start at the folder of the configuration",
        "请将其放到该处，或修改引用；相对路径以配置文件所在目录为起点",
    ),
    "secret_needs_file": Meaning(
        "C022",
        "a TLS key cannot come from a variable",
        "TLS 私钥不能来自环境变量",
        "use file: or systemd:",
        "请使用 file: 或 systemd:",
    ),
    "secret_in_url": Meaning(
        "C023",
        "the address carries a user name or password",
        "地址中包含用户名或口令",
        "remove everything before the @",
        "请删除 @ 之前的部分",
    ),
    "secret_writable": Meaning(
        "C024",
        "the secret `{reference}` can be replaced by other users (mode {mode})",
        "其他用户可以替换机密 `{reference}`（权限 {mode}）",
        "chmod 0600 it",
        "请执行 chmod 0600",
    ),
    "secret_open": Meaning(
        "C025",
        "the secret `{reference}` can be read by every user of this machine (mode {mode})",
        "本机任何用户都能读取机密 `{reference}`（权限 {mode}）",
        "chmod 0600 it, unless only the gateway lives in this container",
        "请执行 chmod 0600；容器中只有网关时可以忽略",
        warning=True,
    ),
    # --- transport ----------------------------------------------------------------------------
    "plaintext_listen": Meaning(
        "C030",
        "`{value}` can be reached from other machines and has no TLS",
        "`{value}` 可被其他主机访问且未启用 TLS",
        "add `tls:`, listen on 127.0.0.1, or name the switch: insecure: [plaintext-listen]",
        "请添加 `tls:`，或仅监听 127.0.0.1，或写明开关：insecure: [plaintext-listen]",
    ),
    "plaintext_issuer": Meaning(
        "C031",
        "`{value}` is not protected by TLS: whoever sits on the way can make tokens",
        "`{value}` 未使用 TLS：链路上的任何人都可以伪造令牌",
        "use https://, or name the switch: insecure: [plaintext-issuer]",
        "请使用 https://，或写明开关：insecure: [plaintext-issuer]",
    ),
    "plaintext_upstream": Meaning(
        "C032",
        "`{value}` is not protected by TLS: data would cross the network in the clear",
        "`{value}` 未使用 TLS：数据将以明文经过网络",
        "use https://, or name the switch: insecure: [plaintext-upstream]",
        "请使用 https://，或写明开关：insecure: [plaintext-upstream]",
    ),
    "hosts_missing": Meaning(
        "C034",
        "`hosts` is needed when other machines can connect and no certificate names them",
        "允许其他主机连接且证书未写明主机名时，必须填写 `hosts`",
        "list the host names that callers use: hosts: [api.example.gov]",
        "请列出调用方使用的主机名：hosts: [api.example.gov]",
    ),
    "switch_unused": Meaning(
        "C035",
        "the switch `{value}` weakens nothing here",
        "开关 `{value}` 在此没有作用",
        "remove it: it would hide a later mistake",
        "请删除，以免掩盖以后的错误",
        warning=True,
    ),
    "switch_on": Meaning(
        "C036", "the switch `{value}` is on: {what_en}", "开关 `{value}` 已打开：{what_zh}", warning=True
    ),
    # --- APIs -----------------------------------------------------------------------------------
    "api_twice": Meaning(
        "C040", "the API `{value}` stands twice (first on line {line})", "接口 `{value}` 重复（首次出现在第 {line} 行）"
    ),
    "match_twice": Meaning(
        "C041",
        "`{value}` belongs to the API `{other}` already (line {line})",
        "`{value}` 已属于接口 `{other}`（第 {line} 行）",
        "give each API its own prefix or its own `hosts`",
        "请为每个接口指定不同的前缀或 `hosts`",
    ),
    "match_form": Meaning(
        "C042",
        "`{value}` is not a prefix in canonical form that ends in /**",
        "`{value}` 不是以 /** 结尾的规范前缀",
        "write it like /civil/households/**",
        "请写成 /civil/households/** 的形式",
    ),
    "match_reserved": Meaning(
        "C043",
        "`{value}` is reserved for the gateway itself",
        "`{value}` 由网关自身保留",
        "choose a prefix outside /.gateway and /.well-known",
        "请选择 /.gateway 与 /.well-known 之外的前缀",
    ),
    "strip_prefix": Meaning(
        "C044",
        "`{value}` is not the beginning of `{match}`",
        "`{value}` 不是 `{match}` 的开头",
        "only a beginning of `match` can be stripped",
        "只能去掉 `match` 的开头部分",
    ),
    "host_unlisted": Meaning(
        "C045",
        "the host `{value}` is not in `hosts`",
        "主机 `{value}` 不在 `hosts` 中",
        "add it to `hosts` as well",
        "请同时加入 `hosts`",
    ),
    "cors_everyone": Meaning(
        "C046",
        "credentials for every origin would let any web page act as its visitor",
        "向所有来源开放凭证会让任意网页冒用访问者身份",
        "list the origins one by one",
        "请逐个列出来源",
    ),
    "ca_unused": Meaning(
        "C047",
        "`ca` and `client` have no meaning for `{value}`",
        "`ca` 与 `client` 对 `{value}` 没有意义",
        "use https://, or remove them",
        "请使用 https://，或将其删除",
    ),
    "data_unnamed": Meaning(
        "C048",
        "the API says neither `data` nor `level`",
        "接口既未写 `data` 也未写 `level`",
        "name an asset of policies/catalog/ under `data`, or give a `level` for a first try",
        "请在 `data` 中填写 policies/catalog/ 的资产编号，或先填写 `level`",
        warning=True,
    ),
    # --- files ----------------------------------------------------------------------------------
    "file_unreadable": Meaning(
        "C050",
        "`{value}` cannot be read: {why_en}",
        "无法读取 `{value}`：{why_zh}",
        "put the file there, or mend the path; relative paths start at the folder of the configuration",
        "请将文件放到该处，或修改路径；相对路径以配置文件所在目录为起点",
    ),
    "not_certificate": Meaning(
        "C051",
        "`{value}` holds no certificate in PEM form",
        "`{value}` 中没有 PEM 格式的证书",
        "it must contain -----BEGIN CERTIFICATE-----",
        "其中应包含 -----BEGIN CERTIFICATE-----",
    ),
    "key_mismatch": Meaning(
        "C052",
        "certificate and key cannot be used together: they do not match, or are not PEM, or need a password",
        "证书与私钥无法配合使用：二者不匹配、不是 PEM 格式或需要口令",
    ),
    "file_changeable": Meaning(
        "C054",
        "every account of this machine can change `{value}` (mode {mode})",
        "本机的每个账号都能修改 `{value}`（权限 {mode}）",
        "chmod o-w it: who changes it decides whom the gateway trusts",
        "请执行 chmod o-w：能修改它的人就能决定网关信任谁",
    ),
    "folder_missing": Meaning(
        "C053",
        "the folder `{value}` does not exist",
        "目录 `{value}` 不存在",
        "`gateway init` writes starter policies",
        "`gateway init` 会写入初始策略",
    ),
    # --- values ---------------------------------------------------------------------------------
    "duration": Meaning(
        "C060",
        "`{value}` is not a length of time",
        "`{value}` 不是时间长度",
        "write a number and a unit: 500ms, 30s, 15m, 24h, 7d, 2w, 6mo, 3y",
        "请写数字加单位：500ms、30s、15m、24h、7d、2w、6mo、3y",
    ),
    "size": Meaning(
        "C061",
        "`{value}` is not a number of bytes",
        "`{value}` 不是字节数",
        "write a number and a unit: 512KiB, 10MiB, 1GiB",
        "请写数字加单位：512KiB、10MiB、1GiB",
    ),
    "cidr": Meaning(
        "C062",
        "`{value}` is not a network",
        "`{value}` 不是网段",
        "write it like 10.20.0.0/16, with the bits after the prefix zero",
        "请写成 10.20.0.0/16 的形式，前缀之后的位须为零",
    ),
    "cidr_everyone": Meaning(
        "C063",
        "`{value}` trusts everyone: any caller could name itself and its address",
        "`{value}` 信任所有人：任何调用方都可以伪造自己的身份与地址",
        "list the addresses of the proxies in front",
        "请列出前置代理的地址",
    ),
    "address": Meaning(
        "C064",
        "`{value}` is not an address and a port",
        "`{value}` 不是 `地址:端口` 的形式",
        "write it like 0.0.0.0:8443 or [::1]:8443",
        "请写成 0.0.0.0:8443 或 [::1]:8443 的形式",
    ),
    "url": Meaning(
        "C065",
        "`{value}` is not an address that begins with https://",
        "`{value}` 不是以 https:// 开头的地址",
        "write it like https://sso.example.gov/realms/staff, without query and fragment",
        "请写成 https://sso.example.gov/realms/staff 的形式，不带查询与片段",
    ),
    "upstream_url": Meaning(
        "C066",
        "`{value}` is not the address of a service",
        "`{value}` 不是服务地址",
        "write scheme, host and port only: https://10.20.0.5:8443; the path comes from the request",
        "只写协议、主机与端口：https://10.20.0.5:8443；路径取自请求",
    ),
    "host": Meaning(
        "C067",
        "`{value}` is not a host name",
        "`{value}` 不是主机名",
        "write it in lower case, without scheme and path",
        "请用小写书写，不带协议与路径",
    ),
    "timezone": Meaning(
        "C068",
        "the time zone `{value}` is unknown",
        "未知的时区 `{value}`",
        "write a name like Asia/Shanghai",
        "请写成 Asia/Shanghai 这样的名称",
    ),
    "hours": Meaning(
        "C069",
        "`{value}` is not a span of hours",
        "`{value}` 不是时间段",
        'write it like "07:00-20:00"',
        '请写成 "07:00-20:00" 的形式',
    ),
    "name": Meaning(
        "C06A",
        "`{value}` is not a plain name",
        "`{value}` 不是简单名称",
        "use lower-case letters, digits, - and _, at most 64",
        "请使用小写字母、数字、- 和 _，最多 64 个字符",
    ),
    "header_name": Meaning(
        "C06B",
        "`{value}` is not the name of a header that may pass",
        "`{value}` 不是可以通过的请求头名称",
        "identity and hop-by-hop headers are set by the gateway only",
        "身份头与逐跳头只能由网关设置",
    ),
    "path": Meaning(
        "C06C",
        "`{value}` is not a path in canonical form",
        "`{value}` 不是规范形式的路径",
        "write it like /healthz",
        "请写成 /healthz 的形式",
    ),
    # --- audit ----------------------------------------------------------------------------------
    "keep_short": Meaning(
        "C070",
        "`{value}` is shorter than the law allows",
        "`{value}` 短于法律要求",
        "network logs are kept for six months at least (Cybersecurity Law, article 23): write 6mo or more",
        "网络日志留存不少于六个月（网络安全法第二十三条）：请写 6mo 或更长",
    ),
    "strength_weak": Meaning(
        "C071",
        "`{value}` is weaker than `written`: a forward without a record is never allowed",
        "`{value}` 弱于 `written`：不允许未经记录的转发",
        "write `written` (survives a crash) or `synced` (survives a power cut)",
        "请写 `written`（进程崩溃不丢失）或 `synced`（断电不丢失）",
    ),
    # --- releases -----------------------------------------------------------------------------
    "policy_signer": Meaning(
        "C072",
        "`{value}` is not a verifier key",
        "`{value}` 不是验签公钥",
        "copy the line that `gateway policy sign --new-key FILE` prints: NAME+HASH+KEY",
        "请复制 `gateway policy sign --new-key 文件` 打印的一行：名称+摘要+公钥",
    ),
    "policy_signer_twice": Meaning(
        "C073",
        "the key of `{value}` stands twice: one key is one signer, under whatever name",
        "`{value}` 的公钥重复：同一公钥无论用什么名称都只算一名签名人",
        "keep one of them",
        "请只保留其中之一",
    ),
    "policy_signatures": Meaning(
        "C074",
        "{needed} signatures are needed and {count} signers named: nothing could ever be loaded",
        "需要 {needed} 个签名，却只列出 {count} 名签名人：任何策略都无法加载",
        "add keys to `policy_signers`, or lower the number",
        "请在 `policy_signers` 中添加公钥，或减小该数目",
    ),
    "sm2_missing": Meaning(
        "C075",
        "`{value}` needs SM2, which this machine does not have ({why_en})",
        "`{value}` 需要 SM2，本机不具备（{why_zh}）",
        "install an OpenSSL 3 with SM2 as the system's libcrypto.so.3 (Debian, Ubuntu: package libssl3), or do without: "
        "`crypto: intl`, keys of Ed25519",
        "请安装带 SM2 的 OpenSSL 3（系统库 libcrypto.so.3；Debian、Ubuntu 的软件包为 libssl3），"
        "或改用 `crypto: intl` 与 Ed25519 公钥",
    ),
    "sm34_missing": Meaning(
        "C076",
        "`crypto: sm` needs SM3 and SM4, which the `cryptography` package of this machine does not have",
        "`crypto: sm` 需要 SM3 与 SM4，本机的 `cryptography` 软件包不含这两种算法",
        "install the `cryptography` package of PyPI, or do without: `crypto: intl`",
        "请安装 PyPI 的 `cryptography` 软件包，或改用 `crypto: intl`",
    ),
    # --- who and how ----------------------------------------------------------------------------
    "observe_on": Meaning(
        "C080",
        "{what_en} in observe: what policy denies is recorded but passes",
        "{what_zh}处于观察模式：策略拒绝的请求只记录，不拦截",
        "write `mode: enforce` when the record shows what you expect",
        "记录符合预期后请写 `mode: enforce`",
        warning=True,
    ),
    "header_untrusted": Meaning(
        "C081",
        "`client_certificate_header` needs `trusted_proxies`",
        "`client_certificate_header` 需要 `trusted_proxies`",
        "name the proxies that may say who the caller is",
        "请列出可以转述调用方身份的代理",
    ),
    "control_plaintext": Meaning(
        "C082",
        "the control door at `{value}` can be reached from other machines and has no TLS",
        "控制口 `{value}` 可被其他主机访问且未启用 TLS",
        "add `tls:` under `control`, or listen on 127.0.0.1",
        "请在 `control` 下添加 `tls:`，或仅监听 127.0.0.1",
    ),
    "operator_unknown": Meaning(
        "C083",
        "this machine knows no user `{value}`",
        "本机没有用户 `{value}`",
        "write a user name or a uid",
        "请写用户名或 uid",
    ),
    "sha256": Meaning(
        "C084",
        "`{key}` is not a SHA-256 digest",
        "`{key}` 不是 SHA-256 摘要",
        '64 hexadecimal digits: printf %s "$TOKEN" | sha256sum',
        '应为 64 个十六进制字符：printf %s "$TOKEN" | sha256sum',
    ),
    "issuer_choice": Meaning(
        "C085",
        "`issuer` and `issuers` stand side by side",
        "同时写了 `issuer` 与 `issuers`",
        "keep one of them",
        "请只保留其中之一",
    ),
    "realm_twice": Meaning(
        "C086",
        "the realm `{value}` belongs to the issuer on line {line} already: two people could share one name",
        "领域 `{value}` 已属于第 {line} 行的签发方：两个人可能得到同一个名字",
        "give each issuer its own `realm`",
        "请为每个签发方指定不同的 `realm`",
    ),
    "realm_missing": Meaning(
        "C08A",
        "this issuer has no `realm`: beside others, its people could carry their names",
        "该签发方没有 `realm`：与其他签发方并存时，人员名称可能相同",
        "give each issuer its own `realm`",
        "请为每个签发方指定不同的 `realm`",
    ),
    "issuer_twice": Meaning(
        "C087",
        "the issuer `{value}` stands twice (first on line {line})",
        "签发方 `{value}` 重复（首次出现在第 {line} 行）",
    ),
    "audience_missing": Meaning(
        "C088",
        "`audience` is missing beside `issuer`",
        "`issuer` 旁缺少 `audience`",
        "without it a token for any other service would be good here; write audience: gateway",
        "缺少它时，签发给其他服务的令牌也会被接受；请写 audience: gateway",
    ),
    "issuer_unknown": Meaning(
        "C08B",
        "`{value}` is none of the issuers of `identity`: it would prove no device",
        "`{value}` 不是 `identity` 中的签发方，无法证明任何设备",
        "write an issuer of `identity` as it stands there; there are: {known}",
        "请与 `identity` 中的写法保持一致；现有：{known}",
    ),
    "client_ca_missing": Meaning(
        "C089",
        "`certificates` of the control door need `client_ca` under its `tls`",
        "控制口的 `certificates` 需要其 `tls` 下的 `client_ca`",
    ),
    "settings": Meaning("C090", "this section cannot be used: {why}", "该部分无法使用：{why}"),
}


def fault(node: Node, kind: str, /, **values: object) -> FileFault:
    """The fault of this kind at this value."""
    meaning = CODES[kind]
    en, zh, remedy_en, remedy_zh = (text.format_map(values) for text in meaning[1:5])
    return FileFault(node.file, node.line, node.column, meaning.code, en, zh, remedy_en, remedy_zh, meaning.warning)


def key_fault(node: Node, key: str, kind: str, /, **values: object) -> FileFault:
    """The fault of this kind at a key of this mapping."""
    return fault(key_place(node, key), kind, **values)


def key_place(node: Node, key: str) -> Node:
    """Where a key stands: in the file, or in the variable that put it there."""
    child = node.value.get(key) if isinstance(node.value, dict) else None
    if child is not None and child.file != node.file:
        return child
    line, column = node.keys.get(key, (node.line, node.column))
    return Node(None, node.file, line, column)
