"""What does the command line say, in English and Chinese?

Every text that a person sees, once: key → (English, Chinese). Help texts are named after their command.
"""

from typing import Literal

Language = Literal["zh-CN", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    # --- the whole ------------------------------------------------------------------------------
    "gateway": (
        "a zero-trust gateway in front of government APIs",
        "部署在政务接口之前的零信任网关",
    ),
    "exit_codes": (
        "exit codes: 0 yes · 1 the answer is no · 2 usage · 3 could not find out · 4 integrity failure · 5 incomplete",
        "退出码：0 是 · 1 否 · 2 用法错误 · 3 无法查明 · 4 完整性被破坏 · 5 不完整",
    ),
    "help": ("show this help", "显示帮助"),
    "version": ("show the version", "显示版本"),
    "output": ("text for people, json for programs", "text 供人阅读，json 供程序读取"),
    "lang": ("language of what is said (default: the environment's)", "输出语言（默认取自环境）"),
    "config": ("configuration file (default: gateway.yaml)", "配置文件（默认 gateway.yaml）"),
    "socket": ("the control socket (default: as the configuration says)", "控制套接字（默认取自配置）"),
    "plain": ("{text}", "{text}"),
    "no_config": (
        "there is no `{path}` here: name one with -c, or make one with `gateway init`",
        "此处没有 `{path}`：请用 -c 指定，或用 `gateway init` 生成",
    ),
    "cannot_write": ("cannot write: {why}", "无法写入：{why}"),
    "cannot_read": ("cannot read: {why}", "无法读取：{why}"),
    "no_answer": (
        "the gateway does not answer at `{socket}`: {why}",
        "网关未在 `{socket}` 应答：{why}",
    ),
    "refused": ("refused ({status}): {why}", "被拒绝（{status}）：{why}"),
    # --- init -----------------------------------------------------------------------------------
    "init.help": (
        "make a project: configuration, keys, starter policies; never overwrites anything",
        "建立项目：配置、密钥、初始策略；不会覆盖任何已有文件",
    ),
    "init.dir": ("folder of the project (default: here)", "项目目录（默认当前目录）"),
    "init.api": ("the service to protect, such as http://127.0.0.1:8081", "要保护的服务，例如 http://127.0.0.1:8081"),
    "init.made": ("made  {path}", "已生成  {path}"),
    "init.nothing": ("everything is there already; nothing was changed", "全部已存在，未作任何更改"),
    "init.odd": (
        "`{value}` is not the address of a service: write it like http://127.0.0.1:9000 or https://permits.example.gov/permits",
        "`{value}` 不是服务地址：请写成 http://127.0.0.1:9000 或 https://permits.example.gov/permits 的形式",
    ),
    "init.secret": (
        "the address carries a user name or password: leave out everything before the @",
        "地址中包含用户名或口令：请删除 @ 之前的部分",
    ),
    "init.query": ("`{value}`: leave out everything from the ? or # on", "`{value}`：请删除 ? 或 # 及其后的部分"),
    "init.path": (
        "the path of `{value}` is not in canonical form: whole segments without dots and escapes, like /permits",
        "`{value}` 的路径不是规范形式：应为不含点段与转义的完整路径段，例如 /permits",
    ),
    "init.taken": (
        "the path of `{value}` is reserved for the gateway itself: choose another one than /.gateway and /.well-known",
        "`{value}` 的路径由网关自身保留：请避开 /.gateway 与 /.well-known",
    ),
    "init.in_the_way": ("`{path}` is a file, and should be a folder", "`{path}` 是文件，此处需要目录"),
    "init.late": (
        "`{config}` was there already, so {url} was not put into it: add it under `apis:`",
        "`{config}` 已存在，{url} 未写入：请自行添加到 `apis:` 下",
    ),
    "init.first_try": (
        "\nfirst try: {path}/… goes to {url} as the API `{name}`, with the level {level}: a first guess for internal data of\n"
        "which nothing is masked. No shipped rule allows it yet: in observe everything is recorded and passes, enforced all\n"
        "would be denied. Next, list its data with the real level in policies/catalog/ and write a rule.",
        "\n首次试用：{path}/… 作为接口 `{name}` 转发到 {url}，级别为 {level}：这是对内部数据的初步估计，不脱敏。\n"
        "随附规则尚未允许访问它：观察模式下全部记录并放行，强制模式下全部拒绝。\n"
        "接下来请在 policies/catalog/ 中按真实级别登记其数据，并编写规则。",
    ),
    "init.auditor": (
        "\nhand this to your auditor: with it and a copy of the ledger the record can be checked without you\n  {key}",
        "\n请将以下公钥交给审计人员：凭它和审计日志副本即可独立核验记录\n  {key}",
    ),
    "init.next": (
        "\nnext:\n  gateway check -c {config}\n  gateway serve -c {config}",
        "\n下一步：\n  gateway check -c {config}\n  gateway serve -c {config}",
    ),
    # --- check ----------------------------------------------------------------------------------
    "check.help": (
        "check configuration, policies, their tests, files and keys; never starts anything",
        "检查配置、策略及其测试、文件与密钥；不会启动任何服务",
    ),
    "check.schema": (
        "write the JSON Schema of the configuration here, and nothing else",
        "仅将配置的 JSON Schema 写入此文件",
    ),
    "check.key": (
        "error: {why} (`gateway init` makes what is missing)",
        "错误：{why}（`gateway init` 会生成缺少的内容）",
    ),
    "check.listens": ("listens   {addresses}, known as {url}", "监听      {addresses}，对外地址 {url}"),
    "check.apis": ("APIs      {count}: {names}", "接口      {count} 个：{names}"),
    "check.observing": (
        "observe   {names}: what policy denies is recorded, and passes",
        "观察模式  {names}：策略拒绝的请求只记录，不拦截",
    ),
    "check.insecure": ("weakened  {names}", "已放宽    {names}"),
    "check.policies": (
        "policies  {rules:rule}, {assets:asset}, bundle {digest}",
        "策略      {rules} 条规则，{assets} 项资产，版本 {digest}",
    ),
    "check.revision": ("revision  {revision}, as a reload names it", "修订      {revision}，与重新加载时的名称一致"),
    "check.tests": ("tests     {passed} of {count} passed", "测试      {count} 项中 {passed} 项通过"),
    "check.no_tests": ("tests     none were run", "测试      没有运行任何测试"),
    "check.good": ("good: it would start ({warnings:warning})", "良好：可以启动（{warnings} 条警告）"),
    "check.bad": ("not good: {errors:error}, {tests:failed test}", "未通过：{errors} 个错误，{tests} 项测试失败"),
    # --- reload ---------------------------------------------------------------------------------
    "reload.help": (
        "load the policies again; back when every worker judges by them, or says why they are not good",
        "重新加载策略；所有工作进程改用新策略后返回，否则说明其问题所在",
    ),
    "reload.done": (
        "policies of revision {bundle} are in force, before {previous}",
        "策略修订 {bundle} 已生效，此前为 {previous}",
    ),
    "reload.same": (
        "nothing changed: policies of revision {bundle} are in force",
        "没有变化：生效的策略修订为 {bundle}",
    ),
    "reload.since": (
        "nothing changed: policies of revision {bundle} are in force since {since} (files are taken up as they are saved)",
        "没有变化：策略修订 {bundle} 自 {since} 起生效（文件保存后即自动加载）",
    ),
    "reload.restart": (
        "`{path}` was changed after the gateway started: a reload takes up policies only, this needs a restart",
        "`{path}` 在网关启动后有改动：重新加载只更新策略，该文件的改动需重启后生效",
    ),
    "reload.rejected": ("the last good policies stay in force", "仍沿用上一份有效策略"),
    # --- revoke ---------------------------------------------------------------------------------
    "revoke.help": (
        "withdraw a token, a session, an account or a device; back when every live worker refuses; list and lift",
        "吊销令牌、会话、账号或设备；所有工作进程都开始拒绝后才返回；也可列出与解除",
    ),
    "revoke.kind": ("what to withdraw", "吊销对象的类型"),
    "revoke.id": (
        "its id as in the record; a whole token is replaced by its name here, before it is sent",
        "记录中的标识；若给出完整令牌，会先在本机换成其标识再发送",
    ),
    "revoke.reason": ("why, for the record", "原因，写入记录"),
    "revoke.until": (
        "how long (24h) or until when (2026-12-31T18:00+08:00); default: until it is lifted",
        "时长（24h）或截止时间（2026-12-31T18:00+08:00）；默认直至解除",
    ),
    "revoke.list": ("list what is withdrawn now: until when, and by whom", "列出当前有效的吊销：截止时间与操作人"),
    "revoke.lift": ("give back the one with this number (see --list)", "解除该编号的吊销（编号见 --list）"),
    "revoke.what": (
        "say what to withdraw (revoke session s-4711), or --list, or --lift NUMBER",
        "请指明吊销对象（revoke session s-4711），或使用 --list，或 --lift 编号",
    ),
    "revoke.until_odd": (
        "`{value}` is neither a length of time nor a time with its offset",
        "`{value}` 既不是时长，也不是带时区的时间",
    ),
    "revoke.done": (
        "revoked {kind} `{id}`: every live worker ({workers}) refuses, number {number}",
        "已吊销 {kind} `{id}`：{workers} 个工作进程已开始拒绝（编号 {number}）",
    ),
    "revoke.unseen": (
        "nobody by that name has been seen in the record: is {kind} `{id}` spelt right? it is refused all the same",
        "记录中从未出现过 {kind} `{id}`：请核对拼写；吊销照常生效",
    ),
    "revoke.number_head": ("number", "编号"),
    "revoke.kind_head": ("kind", "类型"),
    "revoke.id_head": ("id", "标识"),
    "revoke.until_head": ("until", "截止"),
    "revoke.by_head": ("by", "操作人"),
    "revoke.since_head": ("since", "开始"),
    "revoke.reason_head": ("reason", "原因"),
    "revoke.until_lifted": ("lifted", "解除为止"),
    "revoke.none": ("nothing is revoked", "没有有效的吊销"),
    "revoke.some": ("in force: {count:revocation}", "{count} 条吊销有效"),
    "revoke.lifted": (
        "lifted number {number}: {kind} `{id}` is no longer refused for it",
        "已解除第 {number} 号吊销：不再因此拒绝 {kind} `{id}`",
    ),
    "revoke.still": (
        "{kind} `{id}` is still refused: number {still} holds as well",
        "{kind} `{id}` 仍被拒绝：第 {still} 号吊销仍然有效",
    ),
    "revoke.no_such": (
        "no revocation {number} is in force: `gateway revoke --list` shows those that are",
        "没有有效的第 {number} 号吊销：`gateway revoke --list` 可列出有效的吊销",
    ),
    # --- risk -----------------------------------------------------------------------------------
    "risk.help": ("how somebody is behaving, by which evidence", "某人的行为风险及其依据"),
    "risk.show.help": ("the score, what it is made of, and how long it takes to fade", "分值、构成及消退所需时间"),
    "risk.subject": ("the account as in the record", "记录中的账号标识"),
    "risk.nobody": ("nobody named `{subject}` is in the record", "记录中没有名为 `{subject}` 的账号"),
    "risk.score": (
        "{subject}  score {score} of 100, band {band}",
        "{subject}  风险分 {score}（满分 100），档位 {band}",
    ),
    "risk.signal_head": ("signal", "信号"),
    "risk.points_head": ("points", "分值"),
    "risk.since_head": ("since", "开始"),
    "risk.half_head": ("halves in", "半衰期"),
    "risk.evidence_head": ("evidence", "依据"),
    "risk.fades": (
        "without new evidence the band is normal again in {span} at the latest",
        "若无新的依据，最迟 {span}后恢复为 normal",
    ),
    # --- doctor ---------------------------------------------------------------------------------
    "doctor.help": ("look for what would fail tomorrow", "检查明天可能出问题的地方"),
    "doctor.live": (
        "only ask the running gateway whether it can decide (for health checks)",
        "仅询问运行中的网关能否作出判定（用于健康检查）",
    ),
    "doctor.good": ("good", "正常"),
    "doctor.warn": ("look", "注意"),
    "doctor.bad": ("BAD", "异常"),
    "doctor.unknown": ("unknown", "未知"),
    "doctor.config": ("configuration", "配置"),
    "doctor.clock": ("clock", "时钟"),
    "doctor.certificate": ("certificate", "证书"),
    "doctor.issuer": ("key set", "签发方公钥"),
    "doctor.service": ("service", "业务服务"),
    "doctor.address": ("address", "监听地址"),
    "doctor.keys": ("keys", "密钥"),
    "doctor.engine": ("search", "检索引擎"),
    "doctor.engine_re2": ("re2", "re2"),
    "doctor.engine_re": (
        "Python's own: the second look is as strict, and slower; `pip install google-re2` makes it faster",
        "Python 自带引擎：复查同样严格，但较慢；执行 `pip install google-re2` 可提速",
    ),
    "doctor.crypto": ("algorithms", "密码算法"),
    "doctor.crypto_intl": (
        "`intl`: masks by HMAC-SHA-256 and AES-128, checkpoints by Ed25519",
        "`intl`：脱敏用 HMAC-SHA-256 与 AES-128，检查点用 Ed25519",
    ),
    "doctor.crypto_sm": (
        "`sm`: masks by HMAC-SM3 and SM4, checkpoints by SM2 with SM3, and Ed25519 for verifiers of C2SP",
        "`sm`：脱敏用 HMAC-SM3 与 SM4，检查点用 SM2（SM3），并保留 Ed25519 供 C2SP 核验程序使用",
    ),
    "doctor.crypto_dual": (
        "`dual`: masks by HMAC-SHA-256 and AES-128, checkpoints by Ed25519 and SM2 with SM3",
        "`dual`：脱敏用 HMAC-SHA-256 与 AES-128，检查点用 Ed25519 与 SM2（SM3）",
    ),
    "doctor.sm34": ("SM3, SM4", "SM3、SM4"),
    "doctor.sm34_good": ("by the `cryptography` package, {version}", "由 `cryptography` 软件包提供，{version}"),
    "doctor.sm34_none": (
        "the `cryptography` package has neither ({version}): install one of PyPI",
        "`cryptography` 软件包不含这两种算法（{version}）：请安装 PyPI 版本",
    ),
    "doctor.sm2": ("SM2", "SM2"),
    "doctor.sm2_good": ("by the system's {version}", "由系统的 {version} 提供"),
    "doctor.sm2_none": (
        "not on this machine ({why}): `crypto: sm` and `dual` need it",
        "本机没有（{why}）：`crypto: sm` 与 `dual` 需要它",
    ),
    "doctor.store": ("state store", "状态库"),
    "doctor.disk": ("disk", "磁盘"),
    "doctor.signatures": ("signatures", "策略签名"),
    "doctor.signatures_good": (
        "the policies are signed ({count:signature} needed)",
        "策略已签名（需要 {count} 个签名）",
    ),
    "doctor.signatures_bad": (
        "{count:fault}, the first {code}: neither a start nor a reload would take them; see `gateway policy check`",
        "{count} 处问题，首个为 {code}：启动和重新加载都会拒绝；请查看 `gateway policy check`",
    ),
    "doctor.policies": ("policies", "策略"),
    "doctor.chain": ("ledger", "审计日志"),
    "doctor.packages": ("packages", "软件包"),
    "doctor.door": ("control door", "控制口"),
    "doctor.config_good": ("no faults", "无错误"),
    "doctor.config_warned": (
        "no faults, {count:warning}: `gateway check` shows it all",
        "无错误，{count} 条警告：`gateway check` 可查看详情",
    ),
    "doctor.config_bad": ("{count:fault}: run `gateway check`", "{count} 个错误：请运行 `gateway check`"),
    "doctor.policies_good": (
        "{rules:rule}, {assets:asset}, {tests:test} passed, {warnings:warning}",
        "{rules} 条规则，{assets} 项资产，{tests} 项测试通过，{warnings} 条警告",
    ),
    "doctor.policies_bad": (
        "{count:fault}, {tests:failed test}: a reload or a restart would refuse them; run `gateway policy check`",
        "{count} 个错误，{tests} 项测试失败：重新加载或重启会被拒绝；请运行 `gateway policy check`",
    ),
    "doctor.clock_good": ("within {seconds} s of the issuer's", "与签发方相差不超过 {seconds} 秒"),
    "doctor.clock_bad": (
        "{seconds} s away from the issuer's: tokens will be refused; synchronise it",
        "与签发方相差 {seconds} 秒：令牌将被拒绝，请校时",
    ),
    "doctor.clock_unknown": ("no issuer answered with a date", "没有签发方返回时间"),
    "doctor.certificate_days": ("`{path}` is valid for {days:more day}", "`{path}` 还有 {days} 天到期"),
    "doctor.certificate_over": ("`{path}` expired {days:day} ago", "`{path}` 已过期 {days} 天"),
    "doctor.issuer_good": ("`{url}` answers with {count:key}", "`{url}` 返回 {count} 个公钥"),
    "doctor.issuer_bad": ("`{url}`: {why}", "`{url}`：{why}"),
    "doctor.service_good": ("`{name}` takes connections at {url}", "`{name}` 在 {url} 接受连接"),
    "doctor.service_closed": (
        "`{name}`: nobody listens at {url}, callers get 502; start it, or mend `upstream`",
        "`{name}`：{url} 无人监听，调用方将收到 502；请启动该服务，或修改 `upstream`",
    ),
    "doctor.service_tls": (
        "`{name}`: no TLS with {url}, callers get 502: {why}; look at its certificate and at `ca`",
        "`{name}`：无法与 {url} 建立 TLS 连接，调用方将收到 502：{why}；请检查其证书与 `ca`",
    ),
    "doctor.service_bad": (
        "`{name}`: {url} cannot be reached, callers get 502: {why}",
        "`{name}`：无法连接 {url}，调用方将收到 502：{why}",
    ),
    "doctor.address_free": ("{address} is free", "{address} 可用"),
    "doctor.address_taken": (
        "{address} is in use: by systemd for this gateway, or by another program (`ss -ltnp`), then it cannot start",
        "{address} 已被占用：若非 systemd 为本网关打开，而是其他程序（`ss -ltnp`），则无法启动",
    ),
    "doctor.address_bad": ("{address} cannot be had: {why}", "无法使用 {address}：{why}"),
    "doctor.keys_good": ("whole, and only ours", "完整，且仅网关可读"),
    "doctor.store_good": ("whole", "完整"),
    "doctor.store_lost": (
        "missing or empty beside a record: the gateway does not start; restore the newest backup (or `gateway serve --fresh-state`)",
        "缺失或为空，而审计日志已有记录：网关不会启动；请恢复最新备份（或执行 `gateway serve --fresh-state`）",
    ),
    "doctor.store_none": ("not there yet: the first start makes it", "尚未生成：首次启动时创建"),
    "doctor.disk_free": ("{free} GiB free ({percent} %)", "剩余 {free} GiB（{percent} %）"),
    "doctor.chain_good": (
        "{count:entry|entries} under the last checkpoint, signed {age} s ago",
        "最后一个检查点覆盖 {count} 条记录，签发于 {age} 秒前",
    ),
    "doctor.chain_none": ("no checkpoint yet", "尚无检查点"),
    "doctor.packages_good": ("one casbin", "casbin 仅一份"),
    "doctor.packages_bad": (
        "the distribution `casbin` is installed beside `pycasbin` and hides it: pip uninstall casbin",
        "同时安装了 `casbin` 与 `pycasbin`，前者会顶替后者：请执行 pip uninstall casbin",
    ),
    "doctor.door_good": ("answers, {workers:worker}", "有应答，{workers} 个工作进程"),
    "doctor.door_not_ready": ("answers, but is not ready", "有应答，但尚未就绪"),
    "doctor.door_none": ("no gateway answers at `{socket}`: is it running?", "`{socket}` 无网关应答：网关是否在运行？"),
    # --- policy ---------------------------------------------------------------------------------
    "policy.help": ("read, test and explain policies", "查看、测试和解释策略"),
    "policy.check.help": ("would a reload take these policies: files and tests?", "这些策略能否加载：文件与测试？"),
    "policy.test.help": ("do the policies do what their tests say?", "策略是否符合其测试？"),
    "policy.explain.help": ("why would this be allowed or denied, or why was it?", "为何允许或拒绝？"),
    "policy.show.help": ("which rules are there?", "有哪些规则？"),
    "policy.folder": ("policy folder (default: as the configuration says)", "策略目录（默认取自配置）"),
    "policy.filter": ("only tests whose name contains this", "仅运行名称包含此文本的测试"),
    "policy.verbose": ("also name the tests that pass", "同时列出通过的测试"),
    "policy.decision": (
        "a decision id: explained by the running gateway's record",
        "判定编号：由运行中的网关的记录解释",
    ),
    "policy.as": ("who asks", "以谁的身份"),
    "policy.do": ("what is asked: 'GET /civil/households/1'", "请求内容：'GET /civil/households/1'"),
    "policy.given": (
        "what else holds: role=clerk, risk=85, device.trust=unknown; may be repeated",
        "其他条件：role=clerk、risk=85、device.trust=unknown；可重复",
    ),
    "policy.good": (
        "good: {rules:rule}, {assets:asset}, bundle {digest}",
        "良好：{rules} 条规则，{assets} 项资产，版本 {digest}",
    ),
    "policy.bad": ("not good: {count:error}, {tests:failed test}", "未通过：{count} 个错误，{tests} 项测试失败"),
    "policy.shown": ("{rules:rule}, {assets:asset}, bundle {digest}", "{rules} 条规则，{assets} 项资产，版本 {digest}"),
    "policy.passed": ("passed  {name}  {place}", "通过  {name}  {place}"),
    "policy.failed": ("FAILED  {name}  {place}\n        {why}", "未通过  {name}  {place}\n        {why}"),
    "policy.mend": ("        {how}", "        {how}"),
    "policy.tests": ("{passed} of {count:test} passed", "{count} 项测试中 {passed} 项通过"),
    "policy.no_tests": (
        "no test was run: there are none in tests/*.yaml, or none has this name",
        "没有运行任何测试：tests/*.yaml 中没有测试，或没有名称匹配的测试",
    ),
    "policy.what": (
        "say who and what (--as NAME --do 'GET /path'), or a decision id",
        "请指明身份与请求（--as 名称 --do 'GET /路径'），或给出判定编号",
    ),
    "policy.request_odd": ("`{value}` is not a method and a path", "`{value}` 不是“方法 路径”"),
    "policy.given_odd": ("`{value}` is not of the form name=value", "`{value}` 不是 名称=值 的形式"),
    "policy.unlisted": ("`{value}` is in no asset of the catalog", "`{value}` 不属于目录中的任何资产"),
    "policy.no_decision": ("no decision `{id}` is on record", "没有编号为 `{id}` 的判定"),
    "policy.told_withheld": (
        "the answer was WITHHELD after the decision: {code}  {words} ({status})",
        "应答在判定之后被扣留：{code}  {words}（{status}）",
    ),
    "policy.told_broken": (
        "the answer did not come, or not whole: {code}  {words} ({status})",
        "应答未到达或不完整：{code}  {words}（{status}）",
    ),
    "policy.told_permit": ("was ALLOWED by:", "已允许，依据："),
    "policy.told_challenge": ("a stronger sign-in was ASKED FOR by:", "已要求加强认证，依据："),
    "policy.told_deny": ("was DENIED by:", "已拒绝，依据："),
    "policy.told_would_deny": (
        "was LET THROUGH because the API `{api}` is in observe mode; enforced, it would have been DENIED by:",
        "已放行，仅因接口 `{api}` 处于观察模式；若为强制模式，将被拒绝，依据：",
    ),
    "policy.told_would_challenge": (
        "was LET THROUGH because the API `{api}` is in observe mode; enforced, a stronger sign-in would have been ASKED FOR by:",
        "已放行，仅因接口 `{api}` 处于观察模式；若为强制模式，将要求加强认证，依据：",
    ),
    "policy.again": (
        "which rule is missing, or in the way? ask today's rules the same (on a quiet Monday at 10:00):",
        "缺少哪条规则，或受阻于哪条规则？用当前规则再问一次（假定为普通周一 10:00）：",
    ),
    "policy.fact": ("on record", "记录"),
    "policy.value": ("value", "值"),
    "policy.rule": ("rule", "规则"),
    "policy.effect": ("effect", "效果"),
    "policy.who": ("who", "角色"),
    "policy.org": ("org", "机构"),
    "policy.data": ("data", "数据"),
    "policy.action": ("action", "操作"),
    "policy.level": ("level", "级别"),
    "policy.where": ("where", "位置"),
    # --- audit ----------------------------------------------------------------------------------
    "audit.help": ("ask the record, and prove it", "查询并核验记录"),
    "audit.query.help": (
        "ask the record: 'subject:zhang.wei outcome:deny time:7d | count by reason'",
        "查询记录：'subject:zhang.wei outcome:deny time:7d | count by reason'",
    ),
    "audit.expression": ("the question", "查询语句"),
    "audit.limit": ("at most so many rows", "最多返回的行数"),
    "audit.csv": (
        "as a table for a spreadsheet, with all columns",
        "以表格文件（CSV）输出全部列，可用电子表格打开",
    ),
    "audit.one_form": ("--csv or -o json, not both", "--csv 与 -o json 只能选一个"),
    "audit.cut": (
        "cut after {count:row}, there may be more: raise --limit (at most {most}) or ask for less",
        "以上仅为前 {count} 行，可能还有更多：请调大 --limit（最多 {most}）或缩小查询范围",
    ),
    "audit.rule_id": (
        "rules are on record as file and line: `gateway policy show` lists where each is; then ask `rule:rules/20-civil.yaml:3`",
        "记录中的规则以文件和行号表示：`gateway policy show` 列出各规则的位置，再查询 `规则:rules/20-civil.yaml:3`",
    ),
    "audit.offline": ("read the index itself; the question is not on record then", "直接读取索引；此时查询不会留痕"),
    "audit.offline_said": (
        "no gateway answers: read from the index, this question is not on record",
        "没有网关应答：已直接读取索引，本次查询未留痕",
    ),
    "audit.no_index": (
        "nothing is on record in `{path}` yet: start the gateway, let requests come, then ask again",
        "`{path}` 中尚无记录：请启动网关，待有请求后再查询",
    ),
    "audit.rows": ("{count:row}", "{count} 行"),
    "audit.prove.help": (
        "the proof that one entry is in the ledger, to hand out (c2sp.org/tlog-proof)",
        "输出某条记录确在审计日志中的证明，可交付他人（c2sp.org/tlog-proof）",
    ),
    "audit.entry": (
        "the number of the entry, as `policy explain … --for auditor` tells it",
        "记录号，见 `policy explain … --for auditor`",
    ),
    "audit.entry_odd": ("`{value}` is not the number of an entry", "`{value}` 不是记录号"),
    "audit.uncovered": (
        "entry {value} is covered by no signed checkpoint: it is not there, or was written a moment ago",
        "记录 {value} 未被任何签名检查点覆盖：不存在，或刚刚写入",
    ),
    "audit.verify.help": (
        "is the ledger what was signed? needs its folder and the public key, nothing else",
        "审计日志是否与签名一致？只需其目录与公钥",
    ),
    "audit.ledger": ("folder of the ledger (default: the configuration's)", "审计日志目录（默认取自配置）"),
    "audit.public_key": (
        "the public key that was handed over, or a file with it; once for each key (Ed25519, SM2)",
        "交付的公钥，或含公钥的文件；可重复，每个密钥一次（Ed25519、SM2）",
    ),
    "audit.no_sm2": (
        "the SM2 signatures cannot be checked here: {why}; install an OpenSSL 3 with SM2, or name only the key of Ed25519",
        "此处无法校验 SM2 签名：{why}；请安装带 SM2 的 OpenSSL 3，或仅指定 Ed25519 公钥",
    ),
    "audit.signed_by": (
        "checked: `{name}`, {algorithm}, {count:checkpoint}",
        "已校验：`{name}`，{algorithm}，{count} 个检查点",
    ),
    "audit.checkpoint": (
        "a checkpoint that was kept elsewhere: finds a ledger cut at its end",
        "另行保存的检查点：可发现末尾被截断的审计日志",
    ),
    "audit.own_key": (
        "the key is the gateway's own copy: whoever altered the ledger could have replaced it; use the one handed over",
        "使用的是网关自存的公钥：篡改审计日志者也可能替换它，请使用交付的公钥",
    ),
    "audit.no_key": ("no public key: name it with --public-key", "没有公钥：请用 --public-key 指定"),
    "audit.key_odd": ("the public key {why}", "公钥无效：{why}"),
    "audit.no_key_file": (
        "the public key: no such file, and it is not a key itself: `{path}`",
        "公钥：没有文件 `{path}`，其本身也不是公钥",
    ),
    "audit.checkpoint_odd": ("`{path}` is not a checkpoint file: {why}", "`{path}` 不是检查点文件：{why}"),
    "audit.no_folder": ("no such folder: `{path}`", "没有目录 `{path}`"),
    "audit.nothing_yet": (
        "nothing is on record yet in `{path}`: no gateway has run here, so there is nothing to verify",
        "`{path}` 中尚无记录：网关从未在此运行，没有可核验的内容",
    ),
    "audit.no_ledger": ("there is no ledger in `{path}`", "`{path}` 中没有审计日志"),
    "audit.no_folder_named": (
        "name the ledger folder: gateway audit verify DIR --public-key KEY",
        "请指定审计日志目录：gateway audit verify 目录 --public-key 公钥",
    ),
    "audit.intact": (
        "INTACT  {size:entry|entries}, all under {checkpoints:valid checkpoint}",
        "完整  {size} 条记录，{checkpoints} 个检查点全部有效",
    ),
    "audit.altered": ("ALTERED  {at}{why}", "已被篡改  {at}{why}"),
    "audit.altered_at": ("from entry {at} on nothing can be trusted: ", "自第 {at} 条起不可信："),
    "audit.altered_next": (
        "keep the machine and this ledger as they are; compare with the auditor's last copy, which shows what was changed",
        "请保持机器与审计日志原状；与审计方最近的副本比对，即可看出改动之处",
    ),
    "audit.sm2_alone": (
        "only a key of SM2 was named, and checkpoints from before it was taken up carry none: name the key of Ed25519 too, "
        "which signs every one, before you conclude anything",
        "仅指定了 SM2 公钥，而启用 SM2 之前的检查点没有其签名：下结论之前，请同时指定签署每个检查点的 Ed25519 公钥",
    ),
    "audit.incomplete_next": (
        "of a copy: copy again and verify again; of a gateway that was stopped hard: start it, it declares the gap",
        "若是副本：请重新复制并核验；若网关曾被强行终止：启动网关，它会声明缺口",
    ),
    "audit.incomplete": ("INCOMPLETE  {size:entry|entries}: {why}", "不完整  {size} 条记录：{why}"),
    "audit.open": ("of processes that were still at work: {count:permit}", "{count} 条放行属于仍在运行的进程"),
    "audit.interrupted": ("interrupted, and declared: {count:forward}", "{count} 次转发中断，均已声明"),
    "audit.gap": ("declared: {what}", "已声明：{what}"),
    # --- explain-code and completion ------------------------------------------------------------
    "explain_code.help": ("what does a code mean?", "代码是什么意思？"),
    "explain_code.code": (
        "a reason code (no_rule) or a fault code (C020, P012)",
        "原因代码（no_rule）或错误代码（C020、P012）",
    ),
    "explain_code.see": ("the message itself says what to write", "按消息中的说明修改"),
    "explain_code.unknown": ("no code `{code}`  {hint}", "没有代码 `{code}`  {hint}"),
    "explain_code.operator": ("  what the operator does: {does}", "  运维人员怎么做：{does}"),
    "explain_code.answered": ("answered with status {status}", "以状态码 {status} 应答"),
    "completion.help": ("print completions for a shell", "输出命令补全脚本"),
    "completion.shell": ("the shell", "命令行解释器"),
    # --- policy diff and replay: which record, which revision --------------------------------------
    "record.judging": ("judging", "正在判定"),
    "record.none": (
        "`{value}` is neither a span such as 30d or 12h nor a file of entries",
        "`{value}` 既不是 30d、12h 这样的时段，也不是记录文件",
    ),
    "record.no_ledger": (
        "no configuration at `{path}` says where the record is: name one with -c",
        "`{path}` 处没有说明记录位置的配置：请用 -c 指定",
    ),
    "record.nothing": ("no decision is on record in {source}", "{source} 中没有任何判定记录"),
    "record.unreadable": (
        "{count:line} could not be read as an entry and did not count",
        "有 {count} 行无法读作记录，未计入",
    ),
    "stored.none": (
        "`{value}` is neither a folder, nor `active`, nor the digest of a stored revision (8 digits at least)",
        "`{value}` 既不是目录，也不是 `active` 或已存版本的摘要（至少 8 位）",
    ),
    "stored.several": ("`{value}` fits several stored revisions: {names}", "`{value}` 对应多个已存版本：{names}"),
    "stored.no_active": ("no revision is active in {path} yet", "{path} 中尚无生效版本"),
    "stored.damaged": ("the stored revision `{name}` cannot be used: {why}", "已存版本 `{name}` 无法使用：{why}"),
    "stored.unbound": (
        "without the configuration's APIs, decisions are looked up by path alone",
        "未取得配置中的接口，仅按路径查找资产",
    ),
}
