"""Why was it refused, in words for whom?

Every reason code of the gateway stands here once: the HTTP status it is answered
with, one sentence for the caller in English and Chinese, and what the caller can do.
Codes are written into entries and metrics, so a code is never reused or renamed.
Sentences tell a caller nothing about rules, thresholds or the back end: an attacker
reads them too. The operator's detail lives in the entry, never here.
"""

from typing import NamedTuple


class Meaning(NamedTuple):
    """What one code means: status (RFC 9110), a sentence and a remedy, each in two languages."""

    status: int
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str


REASONS: dict[str, Meaning] = {
    # --- edge: what came in could not be read unambiguously ---------------------------------
    "bad_framing": Meaning(
        400,
        "the request is not well-formed HTTP/1.1",
        "请求不是格式正确的 HTTP/1.1 报文",
        "send one Content-Length or Transfer-Encoding: chunked, and one Host header",
        "只发送一个 Content-Length 或 Transfer-Encoding: chunked，并且只带一个 Host 头",
    ),
    "bad_target": Meaning(
        400,
        "the request path is not in its canonical form",
        "请求路径不是规范形式",
        "send the path without dot segments, empty segments, parameters or needless escapes",
        "发送不含点段、空段、分号参数和多余转义的路径",
    ),
    "bad_host": Meaning(
        400,
        "this host is not served here",
        "此处不提供该主机的服务",
        "use the host name that the operator published",
        "请使用运维人员公布的主机名",
    ),
    "bad_header": Meaning(
        400,
        "a header of the request cannot be read unambiguously",
        "请求头无法被无歧义地解析",
        "send each single-valued header once, without control characters",
        "单值请求头只发送一次，且不含控制字符",
    ),
    "headers_too_large": Meaning(
        431,
        "the request headers are too large",
        "请求头过大",
        "send fewer or shorter headers",
        "请减少或缩短请求头",
    ),
    "target_too_long": Meaning(
        414,
        "the request target is too long",
        "请求目标过长",
        "shorten the path or move the query into a body",
        "请缩短路径，或将查询移入请求体",
    ),
    "body_too_large": Meaning(
        413,
        "the request body is larger than this API accepts",
        "请求体超过该接口允许的大小",
        "send a smaller body",
        "请发送更小的请求体",
    ),
    "body_incomplete": Meaning(
        400,
        "the request body ended before it was complete",
        "请求体尚未完整即结束",
        "send the whole body that the headers announce",
        "请发送请求头所声明的完整请求体",
    ),
    "request_timeout": Meaning(
        408,
        "the request did not arrive in time",
        "请求未在规定时间内到达",
        "send the request again over a faster connection",
        "请使用更快的连接重新发送",
    ),
    "expectation_failed": Meaning(
        417,
        "this expectation is not supported",
        "不支持该 Expect 要求",
        "send no Expect header, or Expect: 100-continue",
        "不要发送 Expect 头，或发送 Expect: 100-continue",
    ),
    "method_not_supported": Meaning(
        501,
        "this method is not supported",
        "不支持该方法",
        "use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
        "请使用 GET、HEAD、POST、PUT、PATCH、DELETE 或 OPTIONS",
    ),
    "overloaded": Meaning(
        503,
        "the gateway is at its capacity",
        "网关已达到处理上限",
        "try again after the time in Retry-After",
        "请在 Retry-After 指定的时间后重试",
    ),
    "draining": Meaning(
        503,
        "this gateway is shutting down",
        "网关正在停止服务",
        "try again: another instance will answer",
        "请重试，将由其他实例应答",
    ),
    "not_found": Meaning(
        404,
        "there is nothing here",
        "此处没有内容",
        "check the address",
        "请检查地址",
    ),
    # --- identity: the credential --------------------------------------------------------
    "credential_missing": Meaning(
        401,
        "this API needs a credential",
        "访问该接口需要凭证",
        "send an access token in the Authorization header",
        "请在 Authorization 头中携带访问令牌",
    ),
    "credential_ambiguous": Meaning(
        400,
        "more than one credential was sent",
        "发送了多个凭证",
        "send exactly one Authorization header",
        "请只发送一个 Authorization 头",
    ),
    "credential_malformed": Meaning(
        401,
        "the credential cannot be read",
        "凭证无法解析",
        "request a new access token",
        "请重新获取访问令牌",
    ),
    "credential_scheme": Meaning(
        401,
        "this way of signing in is not accepted",
        "不接受这种认证方式",
        "send an access token as Authorization: Bearer",
        "请以 Authorization: Bearer 方式携带访问令牌",
    ),
    "token_algorithm": Meaning(
        401,
        "the token is signed in a way that is not accepted",
        "令牌的签名算法不被接受",
        "request a new access token from the registered issuer",
        "请向已登记的签发方重新获取令牌",
    ),
    "token_key_unknown": Meaning(
        401,
        "the token is signed with an unknown key",
        "令牌由未知密钥签名",
        "request a new access token from the registered issuer",
        "请向已登记的签发方重新获取令牌",
    ),
    "token_signature": Meaning(
        401,
        "the signature of the token is wrong",
        "令牌签名错误",
        "request a new access token",
        "请重新获取访问令牌",
    ),
    "token_type": Meaning(
        401,
        "the token is not an access token",
        "该令牌不是访问令牌",
        "send an access token, not an identity or logout token",
        "请发送访问令牌，而不是身份令牌或注销令牌",
    ),
    "token_issuer": Meaning(
        401,
        "the issuer of the token is not trusted here",
        "此处不信任该令牌的签发方",
        "request a token from the registered issuer",
        "请向已登记的签发方获取令牌",
    ),
    "token_audience": Meaning(
        401,
        "the token was issued for another service",
        "该令牌是为其他服务签发的",
        "request a token for this service",
        "请获取面向本服务的令牌",
    ),
    "token_expired": Meaning(
        401,
        "the token has expired",
        "令牌已过期",
        "request a new access token",
        "请重新获取访问令牌",
    ),
    "token_not_yet_valid": Meaning(
        401,
        "the token is not valid yet",
        "令牌尚未生效",
        "check the clock of the issuer",
        "请检查签发方的时钟",
    ),
    "token_claims": Meaning(
        401,
        "the token lacks a claim that is needed, or one has a wrong form",
        "令牌缺少必需的声明或声明格式错误",
        "request a token with iss, aud, exp and sub",
        "请获取包含 iss、aud、exp 和 sub 的令牌",
    ),
    "token_binding": Meaning(
        401,
        "the token is bound to a key that was not shown",
        "令牌绑定的密钥未被出示",
        "present the certificate or key to which the token is bound",
        "请出示令牌所绑定的证书或密钥",
    ),
    "certificate_untrusted": Meaning(
        401,
        "the client certificate is not accepted here",
        "此处不接受该客户端证书",
        "use a certificate of a registered authority",
        "请使用已登记机构签发的证书",
    ),
    "certificate_expired": Meaning(
        401,
        "the client certificate is outside its validity period",
        "客户端证书不在有效期内",
        "renew the certificate",
        "请更新证书",
    ),
    "identity_unavailable": Meaning(
        503,
        "the credential cannot be checked at the moment",
        "暂时无法核验凭证",
        "try again shortly",
        "请稍后重试",
    ),
    "token_revoked": Meaning(
        401,
        "this token has been revoked",
        "该令牌已被吊销",
        "sign in again",
        "请重新登录",
    ),
    "session_revoked": Meaning(
        401,
        "this session has been ended",
        "该会话已被终止",
        "sign in again",
        "请重新登录",
    ),
    "subject_revoked": Meaning(
        401,
        "access of this account has been withdrawn",
        "该账号的访问权限已被吊销",
        "contact the operator",
        "请联系运维人员",
    ),
    "device_revoked": Meaning(
        403,
        "access from this device has been withdrawn",
        "该设备的访问权限已被吊销",
        "use another device or contact the operator",
        "请更换设备或联系运维人员",
    ),
    # --- policy: may they? ----------------------------------------------------------------
    "unlisted": Meaning(
        403,
        "this address is not in the data catalog",
        "该地址未列入数据目录",
        "ask the owner of the API to list it",
        "请联系接口责任部门登记该地址",
    ),
    "no_rule": Meaning(
        403,
        "no rule allows this request",
        "没有规则允许该请求",
        "ask the owner of the data for access",
        "请向数据责任部门申请权限",
    ),
    "approval_needed": Meaning(
        403,
        "this needs a sharing grant that is approved",
        "该请求需要已获批准的共享授权",
        "apply to the owner of the data for a grant, and state its purpose in X-Purpose",
        "请向数据责任部门申请共享授权，并在 X-Purpose 中注明用途",
    ),
    "rule_denied": Meaning(
        403,
        "a rule forbids this request",
        "该请求被规则禁止",
        "ask the owner of the data",
        "请联系数据责任部门",
    ),
    "rule_allowed": Meaning(
        200,
        "a rule allows this request",
        "规则允许该请求",
        "nothing",
        "无需操作",
    ),
    "step_up_required": Meaning(
        401,
        "this request needs a stronger sign-in",
        "该请求需要更强的身份认证",
        "sign in again with the strength named in WWW-Authenticate",
        "请按 WWW-Authenticate 指明的强度重新认证",
    ),
    "device_untrusted": Meaning(
        403,
        "this device does not meet the requirements",
        "该设备不符合要求",
        "use a managed device with a fresh health report",
        "请使用受管且健康报告有效的设备",
    ),
    "risk_too_high": Meaning(
        403,
        "recent behaviour does not allow this request",
        "近期行为不允许该请求",
        "wait or contact the security team",
        "请稍候或联系安全团队",
    ),
    "not_a_token": Meaning(
        400,
        "this is not a token that can be revealed here",
        "这不是可在此还原的令牌",
        "send a token as it was received, within the department that received it",
        "请在取得令牌的部门内，按原样提交令牌",
    ),
    "already_revealed": Meaning(
        409,
        "this token has been revealed under every grant that you hold for it",
        "该令牌已在您持有的每项授权下各还原过一次",
        "use what was revealed, or apply to the owner of the data for another grant",
        "请使用已还原的内容，或向数据责任部门另行申请授权",
    ),
    "cannot_mask": Meaning(
        403,
        "parts of this answer must be hidden, and its form does not allow that",
        "该应答须经脱敏，而其形式无法脱敏",
        "ask for the data in another form, or ask the owner of the data",
        "请以其他形式获取数据，或联系数据责任部门",
    ),
    "budget_spent": Meaning(
        429,
        "as much of this data as may be shown in one day has been shown",
        "当日可查看的该类数据额度已用尽",
        "ask again tomorrow, or ask the owner of the data for a larger budget",
        "请于次日再试，或向数据责任部门申请提高额度",
    ),
    "policy_error": Meaning(
        503,
        "the request could not be judged",
        "无法对该请求作出判定",
        "contact the operator with the decision id",
        "请将判定编号告知运维人员",
    ),
    # --- audit: could it be remembered? ---------------------------------------------------
    "audit_unavailable": Meaning(
        503,
        "the request could not be recorded and was therefore not forwarded",
        "请求无法被记录，因此未被转发",
        "try again shortly",
        "请稍后重试",
    ),
    # --- upstream: could it be carried? ---------------------------------------------------
    "upstream_unreachable": Meaning(
        502,
        "the service behind the gateway cannot be reached",
        "无法连接网关后的服务",
        "try again shortly",
        "请稍后重试",
    ),
    "upstream_unavailable": Meaning(
        503,
        "the service behind the gateway is not available",
        "网关后的服务不可用",
        "try again shortly",
        "请稍后重试",
    ),
    "upstream_timeout": Meaning(
        504,
        "the service behind the gateway did not answer in time",
        "网关后的服务未及时应答",
        "try again shortly",
        "请稍后重试",
    ),
    "upstream_malformed": Meaning(
        502,
        "the service behind the gateway gave an answer that is not well-formed",
        "网关后的服务返回了格式错误的应答",
        "tell the owner of the service",
        "请告知服务责任部门",
    ),
    "upstream_reset": Meaning(
        502,
        "the service behind the gateway broke off the connection",
        "网关后的服务中断了连接",
        "try again shortly",
        "请稍后重试",
    ),
    # --- masking: could the answer be shown? ----------------------------------------------
    "cannot_inspect": Meaning(
        502,
        "the answer of the service cannot be inspected and is withheld",
        "服务的应答无法被检查，已被扣留",
        "tell the owner of the service",
        "请告知服务责任部门",
    ),
    "cannot_conceal": Meaning(
        415,
        "this request cannot be read and is not forwarded",
        "请求无法被读取，未转发",
        "send the body as JSON or as a form, in UTF-8 and not packed",
        "请以 UTF-8 编码、不压缩的 JSON 或表单发送请求",
    ),
    "no_record": Meaning(
        404,
        "there is no such record among those that you may see",
        "在您可查看的范围内没有该记录",
        "check the address, or ask the owner of the data for access",
        "请核对地址，或向数据责任部门申请权限",
    ),
    "too_many_records": Meaning(
        403,
        "more records at once than may be shown",
        "一次返回的记录数超出可展示范围",
        "ask for fewer records, or ask the owner of the data for access to more",
        "请缩小查询范围，或向数据责任部门申请更大范围的访问",
    ),
    "residual_identifier": Meaning(
        502,
        "the answer of the service holds personal data where none was expected, and is withheld",
        "服务的应答在意外位置含有个人信息，已被扣留",
        "contact the operator with the decision id",
        "请将判定编号告知运维人员",
    ),
    "masking_failed": Meaning(
        502,
        "the answer of the service could not be masked and is withheld",
        "服务的应答无法完成脱敏，已被扣留",
        "contact the operator with the decision id",
        "请将判定编号告知运维人员",
    ),
    # --- the control door: what an operator asked for ------------------------------------------
    "operator_unknown": Meaning(
        401,
        "the operators' door does not know you",
        "运维入口无法识别您的身份",
        "use the Unix socket as a configured user, or a configured token or certificate",
        "请以已配置的用户使用 Unix 套接字，或使用已配置的令牌或证书",
    ),
    "browser_refused": Meaning(
        403,
        "the operators' door does not answer browsers",
        "运维入口不响应浏览器",
        "use the command line or a scraper",
        "请使用命令行或采集程序",
    ),
    "role_insufficient": Meaning(
        403,
        "your role does not allow this",
        "您的角色不允许该操作",
        "ask somebody whose role does",
        "请由具备相应角色的人员操作",
    ),
    "second_operator": Meaning(
        403,
        "this needs a second operator",
        "该操作需要另一名操作员",
        "let somebody else confirm it, under another name and from another account",
        "请由另一人使用其他名称和账号确认",
    ),
    "method_not_allowed": Meaning(
        405,
        "this address has no such method",
        "该地址不支持此方法",
        "use a method named in Allow",
        "请使用 Allow 中列出的方法",
    ),
    "media_type": Meaning(
        415,
        "the body is of another type than this address takes",
        "请求体类型不被该地址接受",
        "set Content-Type as documented",
        "请按文档设置 Content-Type",
    ),
    "bad_request": Meaning(
        400,
        "the request cannot be understood",
        "无法理解该请求",
        "mend what `errors` names",
        "请修正 errors 中列出的问题",
    ),
    "conflict": Meaning(
        409,
        "this cannot be done as things stand",
        "当前状态下不能执行该操作",
        "do what `errors` says first",
        "请先按 errors 中的说明处理",
    ),
    "policy_rejected": Meaning(
        422,
        "the new policies have faults; the last good ones stay in force",
        "新策略存在错误，继续使用上一个有效版本",
        "mend the faults named in `errors` and load again",
        "请修正 errors 中列出的问题后重新加载",
    ),
    "state_unavailable": Meaning(
        503,
        "the state cannot be read or changed at the moment",
        "暂时无法读取或更改状态",
        "look at the disk and run `gateway doctor`",
        "请检查磁盘并运行 gateway doctor",
    ),
    # --- the gateway itself -----------------------------------------------------------------
    "client_gone": Meaning(
        499,
        "the caller left before the answer was complete",
        "调用方在应答完成前离开",
        "nothing",
        "无需操作",
    ),
    "interrupted": Meaning(
        500,
        "the gateway stopped before the answer was complete",
        "网关在应答完成前停止",
        "send the request again",
        "请重新发送请求",
    ),
    "internal_error": Meaning(
        500,
        "the gateway failed while handling the request",
        "网关处理请求时发生故障",
        "contact the operator with the request id",
        "请将请求编号告知运维人员",
    ),
}

BROKEN = frozenset(
    (
        "upstream_unreachable", "upstream_unavailable", "upstream_timeout", "upstream_malformed", "upstream_reset",
        "body_incomplete", "body_too_large", "request_timeout", "client_gone", "interrupted", "internal_error",
    )
)  # fmt: skip
"""Codes of an answer that never came or broke off. Under any other that an outcome has, the gateway kept the answer back."""

SHED = frozenset(("in_flight", "connections", "address", "slow_reader"))
"""Why somebody was turned away, or cut off, under load (`edge.shed`)."""

AFTERWARDS = frozenset(
    (
        "upstream_unreachable", "upstream_unavailable", "upstream_timeout", "upstream_malformed", "upstream_reset",
        "cannot_inspect", "cannot_conceal", "no_record", "too_many_records", "residual_identifier", "masking_failed",
        "client_gone", "interrupted",
    )
)  # fmt: skip
"""Codes that stand in outcomes only: what they tell is not known before a request is allowed."""


def withheld(code: str) -> bool:
    """Whether an outcome with this code is of an answer that was permitted, and then kept back, whole or its rest."""
    return code != "" and code not in BROKEN
